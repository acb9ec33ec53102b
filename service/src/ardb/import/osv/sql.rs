//! The statements of the merge of advisories, in the order in which they run.

use super::super::statement::upsert;

pub(super) const OUTDATED: &str = "
    select kept.identifier
    from advisories kept
    join unnest($1::text[], $2::timestamptz[]) as found (identifier, modified_at) on found.identifier = kept.identifier
    where kept.modified_at > found.modified_at and kept.deleted_at is null";

/// `on conflict`, because another import may add the same meanwhile.
pub(super) const ECOSYSTEMS: &str = "
    insert into ecosystems (name, osv_name, version_scheme)
    select named.name, named.osv_name, named.scheme
    from unnest($1::text[], $2::text[], $3::text[]) as named (name, osv_name, scheme)
    where not exists (select from ecosystems known where known.name = named.name)
    order by named.name collate \"C\"
    on conflict do nothing";

pub(super) const STAGE: &str = "
    create temporary table staged_advisories (
        ordinal integer not null, locator text not null, identifier text not null, kind text not null,
        summary text not null, details text not null, severity text, published_at timestamptz,
        modified_at timestamptz not null, withdrawn_at timestamptz, advisory_id bigint
    ) on commit drop;
    create temporary table staged_aliases (advisory_ordinal integer not null, alias text not null) on commit drop;
    create temporary table staged_severities (
        advisory_ordinal integer not null, kind text not null, vector text not null, score_tenths integer, rating text
    ) on commit drop;
    create temporary table staged_references (
        advisory_ordinal integer not null, kind text not null, url text not null
    ) on commit drop;
    create temporary table staged_packages (
        advisory_ordinal integer not null, ordinal integer not null, ecosystem text not null, namespace text not null,
        name text not null, normalized_name text not null, release text not null, affected_package_id bigint
    ) on commit drop;
    create temporary table staged_versions (package_ordinal integer not null, number text not null) on commit drop;
    create temporary table staged_ranges (
        package_ordinal integer not null, ordinal integer not null, position integer not null, kind text not null,
        repository text not null, events jsonb not null, affected_range_id bigint
    ) on commit drop;
    create temporary table staged_intervals (
        range_ordinal integer not null, position integer not null, introduced text not null, fixed text,
        last_affected text, lower_key bytea, upper_key bytea, is_upper_inclusive boolean not null
    ) on commit drop";

pub(super) const COPY_ADVISORIES: &str = "
    copy staged_advisories (
        ordinal, locator, identifier, kind, summary, details, severity, published_at, modified_at, withdrawn_at
    ) from stdin (format binary)";
pub(super) const COPY_ALIASES: &str = "copy staged_aliases from stdin (format binary)";
pub(super) const COPY_SEVERITIES: &str = "copy staged_severities from stdin (format binary)";
pub(super) const COPY_REFERENCES: &str = "copy staged_references from stdin (format binary)";
pub(super) const COPY_PACKAGES: &str = "
    copy staged_packages (advisory_ordinal, ordinal, ecosystem, namespace, name, normalized_name, release)
    from stdin (format binary)";
pub(super) const COPY_VERSIONS: &str = "copy staged_versions from stdin (format binary)";
pub(super) const COPY_RANGES: &str = "
    copy staged_ranges (package_ordinal, ordinal, position, kind, repository, events) from stdin (format binary)";
pub(super) const COPY_INTERVALS: &str = "copy staged_intervals from stdin (format binary)";

/// Without figures the planner takes the tables for small ones and joins them row by row.
pub(super) const ANALYZE: &str = "
    analyze staged_advisories, staged_aliases, staged_severities, staged_references, staged_packages, staged_versions,
        staged_ranges, staged_intervals";

pub(super) const ADVISORIES: &str = upsert!(
    "insert into advisories (
         identifier, kind, summary, details, severity, published_at, modified_at, withdrawn_at, source_document_id
     )
     select staged.identifier, staged.kind, staged.summary, staged.details, staged.severity, staged.published_at,
         staged.modified_at, staged.withdrawn_at, document.id
     from staged_advisories staged
     join source_documents document on document.kind = 'osv' and document.locator = staged.locator
     left join advisories kept on kept.identifier = staged.identifier
     where kept.id is null or kept.deleted_at is not null
        or (kept.kind, kept.summary, kept.details, kept.severity, kept.published_at, kept.modified_at,
            kept.withdrawn_at, kept.source_document_id)
        is distinct from (staged.kind, staged.summary, staged.details, staged.severity, staged.published_at,
            staged.modified_at, staged.withdrawn_at, document.id)
     order by staged.identifier collate \"C\"
     on conflict (identifier) do update set
         kind = excluded.kind, summary = excluded.summary, details = excluded.details, severity = excluded.severity,
         published_at = excluded.published_at, modified_at = excluded.modified_at,
         withdrawn_at = excluded.withdrawn_at, source_document_id = excluded.source_document_id, deleted_at = null"
);

pub(super) const ADVISORY_IDS: &str = "
    update staged_advisories staged set advisory_id = kept.id
    from advisories kept
    where kept.identifier = staged.identifier";

pub(super) const DELETE_ALIASES: &str = "
    update advisory_aliases kept set deleted_at = $1
    from staged_advisories advisory
    where kept.advisory_id = advisory.advisory_id and kept.deleted_at is null
      and not exists (
          select from staged_aliases staged
          where staged.advisory_ordinal = advisory.ordinal and staged.alias = kept.alias
      )";

pub(super) const ALIASES: &str = upsert!(
    "insert into advisory_aliases (advisory_id, alias)
     select advisory.advisory_id, staged.alias
     from staged_aliases staged
     join staged_advisories advisory on advisory.ordinal = staged.advisory_ordinal
     left join advisory_aliases kept on kept.advisory_id = advisory.advisory_id and kept.alias = staged.alias
     where kept.id is null or kept.deleted_at is not null
     order by advisory.advisory_id, staged.alias
     on conflict (advisory_id, alias) do update set deleted_at = null"
);

pub(super) const DELETE_SEVERITIES: &str = "
    update advisory_severities kept set deleted_at = $1
    from staged_advisories advisory
    where kept.advisory_id = advisory.advisory_id and kept.deleted_at is null
      and not exists (
          select from staged_severities staged
          where staged.advisory_ordinal = advisory.ordinal and staged.kind = kept.kind and staged.vector = kept.vector
      )";

pub(super) const SEVERITIES: &str = upsert!(
    "insert into advisory_severities (advisory_id, kind, vector, score_tenths, rating)
     select advisory.advisory_id, staged.kind, staged.vector, staged.score_tenths, staged.rating
     from staged_severities staged
     join staged_advisories advisory on advisory.ordinal = staged.advisory_ordinal
     left join advisory_severities kept
         on kept.advisory_id = advisory.advisory_id and kept.kind = staged.kind and kept.vector = staged.vector
     where kept.id is null or kept.deleted_at is not null
        or (kept.score_tenths, kept.rating) is distinct from (staged.score_tenths, staged.rating)
     order by advisory.advisory_id, staged.kind, staged.vector collate \"C\"
     on conflict (advisory_id, kind, vector) do update set
         score_tenths = excluded.score_tenths, rating = excluded.rating, deleted_at = null"
);

pub(super) const DELETE_REFERENCES: &str = "
    update advisory_references kept set deleted_at = $1
    from staged_advisories advisory
    where kept.advisory_id = advisory.advisory_id and kept.deleted_at is null
      and not exists (
          select from staged_references staged
          where staged.advisory_ordinal = advisory.ordinal and staged.kind = kept.kind and staged.url = kept.url
      )";

pub(super) const REFERENCES: &str = upsert!(
    "insert into advisory_references (advisory_id, kind, url)
     select advisory.advisory_id, staged.kind, staged.url
     from staged_references staged
     join staged_advisories advisory on advisory.ordinal = staged.advisory_ordinal
     left join advisory_references kept
         on kept.advisory_id = advisory.advisory_id and kept.kind = staged.kind and kept.url = staged.url
     where kept.id is null or kept.deleted_at is not null
     order by advisory.advisory_id, staged.kind, staged.url collate \"C\"
     on conflict (advisory_id, kind, url) do update set deleted_at = null"
);

pub(super) const DELETE_PACKAGES: &str = "
    update affected_packages kept set deleted_at = $1
    from staged_advisories advisory
    where kept.advisory_id = advisory.advisory_id and kept.deleted_at is null
      and not exists (
          select from staged_packages staged
          join ecosystems ecosystem on ecosystem.name = staged.ecosystem
          where staged.advisory_ordinal = advisory.ordinal and ecosystem.id = kept.ecosystem_id
            and staged.namespace = kept.namespace and staged.normalized_name = kept.normalized_name
            and staged.release = kept.release
      )";

pub(super) const PACKAGES: &str = upsert!(
    "insert into affected_packages (
         advisory_id, ecosystem_id, package_id, namespace, name, normalized_name, release
     )
     select advisory.advisory_id, ecosystem.id, known.id, staged.namespace, staged.name, staged.normalized_name,
         staged.release
     from staged_packages staged
     join staged_advisories advisory on advisory.ordinal = staged.advisory_ordinal
     join ecosystems ecosystem on ecosystem.name = staged.ecosystem
     left join packages known
         on known.ecosystem_id = ecosystem.id and known.namespace = staged.namespace
        and known.normalized_name = staged.normalized_name and known.deleted_at is null
     left join affected_packages kept
         on kept.advisory_id = advisory.advisory_id and kept.ecosystem_id = ecosystem.id
        and kept.namespace = staged.namespace and kept.normalized_name = staged.normalized_name
        and kept.release = staged.release
     where kept.id is null or kept.deleted_at is not null
        or (kept.package_id, kept.name) is distinct from (known.id, staged.name)
     order by advisory.advisory_id, staged.ordinal
     on conflict (advisory_id, ecosystem_id, namespace, normalized_name, release) do update set
         package_id = excluded.package_id, name = excluded.name, deleted_at = null"
);

pub(super) const PACKAGE_IDS: &str = "
    update staged_packages staged set affected_package_id = kept.id
    from staged_advisories advisory, ecosystems ecosystem, affected_packages kept
    where advisory.ordinal = staged.advisory_ordinal and ecosystem.name = staged.ecosystem
      and kept.advisory_id = advisory.advisory_id and kept.ecosystem_id = ecosystem.id
      and kept.namespace = staged.namespace and kept.normalized_name = staged.normalized_name
      and kept.release = staged.release";

pub(super) const DELETE_VERSIONS: &str = "
    update affected_versions kept set deleted_at = $1
    from affected_packages affected
    join staged_advisories advisory on advisory.advisory_id = affected.advisory_id
    where kept.affected_package_id = affected.id and kept.deleted_at is null
      and not exists (
          select from staged_versions staged
          join staged_packages package on package.ordinal = staged.package_ordinal
          where package.affected_package_id = kept.affected_package_id and staged.number = kept.number
      )";

pub(super) const VERSIONS: &str = upsert!(
    "insert into affected_versions (affected_package_id, number)
     select package.affected_package_id, staged.number
     from staged_versions staged
     join staged_packages package on package.ordinal = staged.package_ordinal
     left join affected_versions kept
         on kept.affected_package_id = package.affected_package_id and kept.number = staged.number
     where kept.id is null or kept.deleted_at is not null
     order by package.affected_package_id, staged.number collate \"C\"
     on conflict (affected_package_id, number) do update set deleted_at = null"
);

pub(super) const DELETE_RANGES: &str = "
    update affected_ranges kept set deleted_at = $1
    from affected_packages affected
    join staged_advisories advisory on advisory.advisory_id = affected.advisory_id
    where kept.affected_package_id = affected.id and kept.deleted_at is null
      and not exists (
          select from staged_ranges staged
          join staged_packages package on package.ordinal = staged.package_ordinal
          where package.affected_package_id = kept.affected_package_id and staged.position = kept.position
      )";

pub(super) const RANGES: &str = upsert!(
    "insert into affected_ranges (affected_package_id, position, kind, repository, events)
     select package.affected_package_id, staged.position, staged.kind, staged.repository, staged.events
     from staged_ranges staged
     join staged_packages package on package.ordinal = staged.package_ordinal
     left join affected_ranges kept
         on kept.affected_package_id = package.affected_package_id and kept.position = staged.position
     where kept.id is null or kept.deleted_at is not null
        or (kept.kind, kept.repository, kept.events)
        is distinct from (staged.kind, staged.repository, staged.events)
     order by package.affected_package_id, staged.position
     on conflict (affected_package_id, position) do update set
         kind = excluded.kind, repository = excluded.repository, events = excluded.events, deleted_at = null"
);

pub(super) const RANGE_IDS: &str = "
    update staged_ranges staged set affected_range_id = kept.id
    from staged_packages package, affected_ranges kept
    where package.ordinal = staged.package_ordinal
      and kept.affected_package_id = package.affected_package_id and kept.position = staged.position";

pub(super) const DELETE_INTERVALS: &str = "
    update affected_intervals kept set deleted_at = $1
    from affected_ranges range
    join affected_packages affected on affected.id = range.affected_package_id
    join staged_advisories advisory on advisory.advisory_id = affected.advisory_id
    where kept.affected_range_id = range.id and kept.deleted_at is null
      and not exists (
          select from staged_intervals staged
          join staged_ranges staged_range on staged_range.ordinal = staged.range_ordinal
          where staged_range.affected_range_id = kept.affected_range_id and staged.position = kept.position
      )";

pub(super) const INTERVALS: &str = upsert!(
    "insert into affected_intervals (
         affected_range_id, position, introduced, fixed, last_affected, lower_key, upper_key, is_upper_inclusive
     )
     select range.affected_range_id, staged.position, staged.introduced, staged.fixed, staged.last_affected,
         staged.lower_key, staged.upper_key, staged.is_upper_inclusive
     from staged_intervals staged
     join staged_ranges range on range.ordinal = staged.range_ordinal
     left join affected_intervals kept
         on kept.affected_range_id = range.affected_range_id and kept.position = staged.position
     where kept.id is null or kept.deleted_at is not null
        or (kept.introduced, kept.fixed, kept.last_affected, kept.lower_key, kept.upper_key, kept.is_upper_inclusive)
        is distinct from (staged.introduced, staged.fixed, staged.last_affected, staged.lower_key, staged.upper_key,
            staged.is_upper_inclusive)
     order by range.affected_range_id, staged.position
     on conflict (affected_range_id, position) do update set
         introduced = excluded.introduced, fixed = excluded.fixed, last_affected = excluded.last_affected,
         lower_key = excluded.lower_key, upper_key = excluded.upper_key,
         is_upper_inclusive = excluded.is_upper_inclusive, deleted_at = null"
);
