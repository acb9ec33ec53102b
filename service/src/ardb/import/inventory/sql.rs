//! The statements of the merge of inventories, in the order in which they run. `$1` is the kind of inventory, which
//! `source_documents` has by the same name.

use super::super::statement::upsert;

/// Adds the ecosystems that are not there yet, by purl type, OSV's name and version scheme.
pub(super) const ECOSYSTEMS: &str = "
    insert into ecosystems (name, osv_name, purl_type, version_scheme)
    select named.type, named.osv_name, named.type, named.scheme
    from unnest($1::text[], $2::text[], $3::text[]) as named (type, osv_name, scheme)
    where not exists (
        select from ecosystems known
        where known.purl_type = named.type or known.name = named.type or known.osv_name = named.osv_name
    )
    order by named.type
    on conflict do nothing";

/// The id of each of those, by position.
pub(super) const ECOSYSTEM_IDS: &str = "
    select (
        select known.id from ecosystems known
        where known.purl_type = named.type or known.name = named.type or known.osv_name = named.osv_name
        order by known.name = named.type desc, known.purl_type = named.type desc nulls last, known.id
        limit 1
    )
    from unnest($1::text[], $2::text[]) with ordinality as named (type, osv_name, position)
    order by position";

pub(super) const STAGE: &str = "
    create temporary table staged_inventories (
        ordinal integer not null, locator text not null, name text not null, identitydb_user_id bigint,
        identitydb_organization_id bigint, inventory_id bigint
    ) on commit drop;
    create temporary table staged_components (
        inventory_ordinal integer not null, ordinal integer not null, ecosystem_id bigint not null,
        namespace text not null, name text not null, normalized_name text not null, number text not null,
        sort_key bytea, source text not null, is_registry boolean not null, checksum_sha256 bytea, purl text,
        scope text, licence text, release text not null, upstream_name text, upstream_number text,
        upstream_sort_key bytea
    ) on commit drop;
    create temporary table staged_relations (
        inventory_ordinal integer not null, from_ordinal integer, to_ordinal integer not null, kind text not null
    ) on commit drop";

pub(super) const COPY_INVENTORIES: &str = "
    copy staged_inventories (ordinal, locator, name, identitydb_user_id, identitydb_organization_id)
    from stdin (format binary)";
pub(super) const COPY_COMPONENTS: &str = "copy staged_components from stdin (format binary)";
pub(super) const COPY_RELATIONS: &str = "copy staged_relations from stdin (format binary)";

/// Without figures the planner takes the tables for small ones and joins them row by row.
pub(super) const ANALYZE: &str = "analyze staged_inventories, staged_components, staged_relations";

pub(super) const INVENTORIES: &str = upsert!(
    "insert into inventories as kept (
         kind, name, identitydb_user_id, identitydb_organization_id, source_document_id
     )
     select $1, staged.name, staged.identitydb_user_id, staged.identitydb_organization_id, document.id
     from staged_inventories staged
     join source_documents document on document.kind = $1 and document.locator = staged.locator
     order by staged.name, staged.identitydb_user_id, staged.identitydb_organization_id
     on conflict (kind, name, identitydb_user_id, identitydb_organization_id) do update set
         source_document_id = excluded.source_document_id, deleted_at = null
     where kept.source_document_id <> excluded.source_document_id or kept.deleted_at is not null"
);

pub(super) const INVENTORY_IDS: &str = "
    update staged_inventories staged set inventory_id = kept.id
    from inventories kept
    where kept.kind = $1 and kept.name = staged.name
      and (kept.identitydb_user_id, kept.identitydb_organization_id)
      is not distinct from (staged.identitydb_user_id, staged.identitydb_organization_id)";

pub(super) const DELETE_COMPONENTS: &str = "
    update inventory_components kept set deleted_at = $1
    from staged_inventories inventory
    where kept.inventory_id = inventory.inventory_id and kept.deleted_at is null
      and not exists (
          select from staged_components staged
          where staged.inventory_ordinal = inventory.ordinal
            and (staged.ecosystem_id, staged.namespace, staged.normalized_name, staged.number, staged.source)
              = (kept.ecosystem_id, kept.namespace, kept.normalized_name, kept.number, kept.source)
      )";

/// Only what comes from the ecosystem's registry is linked: anything else can have any name.
pub(super) const COMPONENTS: &str = upsert!(
    "insert into inventory_components (
         inventory_id, ecosystem_id, package_id, version_id, namespace, name, normalized_name, number, sort_key,
         source, checksum_sha256, purl, scope, licence, release, upstream_name, upstream_number, upstream_sort_key
     )
     select inventory.inventory_id, staged.ecosystem_id, package.id, version.id, staged.namespace, staged.name,
         staged.normalized_name, staged.number, staged.sort_key, staged.source, staged.checksum_sha256, staged.purl,
         staged.scope, staged.licence, staged.release, staged.upstream_name, staged.upstream_number,
         staged.upstream_sort_key
     from staged_components staged
     join staged_inventories inventory on inventory.ordinal = staged.inventory_ordinal
     left join packages package
         on package.ecosystem_id = staged.ecosystem_id and package.namespace = staged.namespace
        and package.normalized_name = staged.normalized_name and package.deleted_at is null and staged.is_registry
     left join versions version
         on version.package_id = package.id and version.number = staged.number and version.deleted_at is null
     left join inventory_components kept
         on kept.inventory_id = inventory.inventory_id
        and (kept.ecosystem_id, kept.namespace, kept.normalized_name, kept.number, kept.source)
          = (staged.ecosystem_id, staged.namespace, staged.normalized_name, staged.number, staged.source)
     where kept.id is null or kept.deleted_at is not null
        or (kept.package_id, kept.version_id, kept.name, kept.sort_key, kept.checksum_sha256, kept.purl, kept.scope,
            kept.licence, kept.release, kept.upstream_name, kept.upstream_number, kept.upstream_sort_key)
        is distinct from (package.id, version.id, staged.name, staged.sort_key, staged.checksum_sha256, staged.purl,
            staged.scope, staged.licence, staged.release, staged.upstream_name, staged.upstream_number,
            staged.upstream_sort_key)
     order by inventory.inventory_id, staged.ordinal
     on conflict (inventory_id, ecosystem_id, namespace, normalized_name, number, source) do update set
         package_id = excluded.package_id, version_id = excluded.version_id, name = excluded.name,
         sort_key = excluded.sort_key, checksum_sha256 = excluded.checksum_sha256, purl = excluded.purl,
         scope = excluded.scope, licence = excluded.licence, release = excluded.release,
         upstream_name = excluded.upstream_name, upstream_number = excluded.upstream_number,
         upstream_sort_key = excluded.upstream_sort_key, deleted_at = null"
);

pub(super) const COMPONENT_IDS: &str = "
    create temporary table staged_component_ids on commit drop as
    select staged.ordinal, kept.id as component_id
    from staged_components staged
    join staged_inventories inventory on inventory.ordinal = staged.inventory_ordinal
    join inventory_components kept
        on kept.inventory_id = inventory.inventory_id
       and (kept.ecosystem_id, kept.namespace, kept.normalized_name, kept.number, kept.source)
         = (staged.ecosystem_id, staged.namespace, staged.normalized_name, staged.number, staged.source)";

pub(super) const RELATION_IDS: &str = "
    create temporary table staged_relation_ids on commit drop as
    select inventory.inventory_id, origin.component_id as from_component_id, target.component_id as to_component_id,
        staged.kind
    from staged_relations staged
    join staged_inventories inventory on inventory.ordinal = staged.inventory_ordinal
    join staged_component_ids target on target.ordinal = staged.to_ordinal
    left join staged_component_ids origin on origin.ordinal = staged.from_ordinal";

pub(super) const ANALYZE_IDS: &str = "analyze staged_relation_ids";

pub(super) const DELETE_RELATIONS: &str = "
    update inventory_relations kept set deleted_at = $1
    from staged_inventories inventory
    where kept.inventory_id = inventory.inventory_id and kept.deleted_at is null
      and not exists (
          select from staged_relation_ids staged
          where staged.inventory_id = kept.inventory_id and staged.to_component_id = kept.to_component_id
            and staged.from_component_id is not distinct from kept.from_component_id and staged.kind = kept.kind
      )";

pub(super) const RELATIONS: &str = upsert!(
    "insert into inventory_relations as kept (inventory_id, from_component_id, to_component_id, kind)
     select staged.inventory_id, staged.from_component_id, staged.to_component_id, staged.kind
     from staged_relation_ids staged
     order by staged.inventory_id, staged.from_component_id, staged.to_component_id, staged.kind
     on conflict (inventory_id, from_component_id, to_component_id, kind) do update set deleted_at = null
     where kept.deleted_at is not null"
);
