//! The statements of the merge. What a document says nothing of is null in the staging tables, or a `has_…` is false, and
//! then stays as it is.

use super::super::statement::upsert;

/// The tables that a round is staged in. An ordinal counts the round's packages or versions, and stands in for the id
/// until there is one.
pub(super) const STAGE: &str = "
    create temporary table staged_packages (
        ordinal integer not null, namespace text not null, name text not null, normalized_name text not null,
        purl text not null, is_complete boolean not null, revision bigint, status text, listing text not null,
        forms text[] not null, is_lesser boolean not null,
        has_details boolean not null, description text not null, homepage_url text not null,
        documentation_url text not null, repository_url text, repository_host text, repository_path text,
        has_keywords boolean not null, has_categories boolean not null, has_maintainers boolean not null,
        package_id bigint
    ) on commit drop;
    create temporary table staged_versions (
        package_ordinal integer not null, ordinal integer not null, number text not null, sort_key bytea,
        is_prerelease boolean not null, is_yanked boolean not null, yanked_reason text, checksum_sha256 bytea,
        checksums jsonb not null, size_bytes bigint, published_at timestamptz, licence text,
        attributes jsonb not null, is_described boolean not null, has_dependencies boolean not null,
        has_all_dependencies boolean not null, revision bigint, rivals text[] not null, is_older boolean not null
    ) on commit drop;
    create temporary table staged_dependencies (
        version_ordinal integer not null, namespace text not null, name text not null, normalized_name text not null,
        alias text not null, requirement text not null, kind text not null, is_optional boolean not null,
        features text[] not null, target text not null, registry text not null
    ) on commit drop;
    create temporary table staged_licences (
        published text not null, expression text not null, is_spdx boolean not null
    ) on commit drop;
    create temporary table staged_keywords (package_ordinal integer not null, name text not null) on commit drop;
    create temporary table staged_categories (
        package_ordinal integer not null, slug text not null, name text not null
    ) on commit drop;
    create temporary table staged_maintainers (
        package_ordinal integer not null, kind text not null, login text not null
    ) on commit drop;
    create temporary table staged_version_ids (
        ordinal integer not null, version_id bigint not null, has_all_dependencies boolean not null
    ) on commit drop";

/// Makes room for the next round.
pub(super) const CLEAR: &str = "
    truncate staged_packages, staged_versions, staged_dependencies, staged_licences, staged_keywords, staged_categories,
        staged_maintainers, staged_version_ids";

/// Without figures the planner takes the tables for small ones and joins them row by row.
pub(super) const ANALYZE: &str = "
    analyze staged_packages, staged_versions, staged_dependencies, staged_licences, staged_keywords, staged_categories,
        staged_maintainers";

pub(super) const COPY_PACKAGES: &str = "copy staged_packages (
        ordinal, namespace, name, normalized_name, purl, is_complete, revision, status, listing, forms,
        is_lesser, has_details,
        description, homepage_url, documentation_url, repository_url, repository_host, repository_path, has_keywords,
        has_categories, has_maintainers
    ) from stdin (format binary)";
pub(super) const COPY_VERSIONS: &str = "copy staged_versions from stdin (format binary)";
pub(super) const COPY_DEPENDENCIES: &str = "copy staged_dependencies from stdin (format binary)";
pub(super) const COPY_LICENCES: &str = "copy staged_licences from stdin (format binary)";
pub(super) const COPY_KEYWORDS: &str = "copy staged_keywords from stdin (format binary)";
pub(super) const COPY_CATEGORIES: &str = "copy staged_categories from stdin (format binary)";
pub(super) const COPY_MAINTAINERS: &str = "copy staged_maintainers from stdin (format binary)";

/// The documents, by position, than which a stored one of the same package is newer: itself, or another.
pub(super) const OUTDATED: &str = "
    select found.position, bool_or(found.is_itself)
    from unnest($2::bigint[], $3::text[], $4::bigint[], $5::boolean[]) as found (position, locator, revision, is_itself)
    join source_documents known on known.kind = $1 and known.locator = found.locator and known.deleted_at is null
    where known.revision > found.revision
    group by found.position";

/// The versions, by position, of which no live one is stored.
pub(super) const UNKNOWN_VERSIONS: &str = "
    select found.position
    from unnest($2::bigint[], $3::text[], $4::text[], $5::text[])
        as found (position, namespace, normalized_name, number)
    where not exists (
        select from packages package
        join versions version on version.package_id = package.id and version.number = found.number
        where package.ecosystem_id = $1 and package.namespace = found.namespace
          and package.normalized_name = found.normalized_name
          and package.deleted_at is null and version.deleted_at is null
    )";

pub(super) const REVISIONS: &str = "
    update source_documents kept set revision = found.revision
    from unnest($2::text[], $3::bigint[]) as found (locator, revision)
    where kept.kind = $1 and kept.locator = found.locator and kept.revision is distinct from found.revision";

/// A listing gives way to a newer one of another form in what that says, too: which versions there are.
pub(super) const LESSER_LISTINGS: &str = "
    update staged_packages staged set is_lesser = true, is_complete = false, status = null
    from source_documents known
    where known.kind = $1 and known.locator = any (staged.forms) and known.deleted_at is null
      and known.revision > staged.revision";

pub(super) const VERSIONS_OF_LESSER_LISTINGS: &str = "
    update staged_versions staged set is_older = true
    from staged_packages package
    where package.is_lesser and package.ordinal = staged.package_ordinal";

/// Versions of which another document, that is newer, says what there is of them.
pub(super) const OLDER: &str = "
    update staged_versions staged set is_older = true
    from source_documents known
    where known.kind = $1 and known.locator = any (staged.rivals) and known.deleted_at is null
      and known.revision > staged.revision";

pub(super) const PACKAGE_IDS: &str = "
    update staged_packages staged set package_id = kept.id
    from packages kept
    where kept.ecosystem_id = $1 and kept.namespace = staged.namespace
      and kept.normalized_name = staged.normalized_name and staged.package_id is null";

/// What a version's document says of the package gives way to the listing's and to that of a newer version.
pub(super) const LESSER: &str = "
    update staged_packages staged
    set has_details = false, has_keywords = false, has_categories = false
    where staged.listing <> '' and (
        exists (
            select from source_documents known
            where known.kind = $1 and known.locator = staged.listing and known.deleted_at is null
        )
        or exists (
            select from versions newer
            where newer.package_id = staged.package_id and newer.deleted_at is null
              and (not newer.is_prerelease, coalesce(newer.sort_key, '')) > (
                  select not version.is_prerelease, coalesce(version.sort_key, '')
                  from staged_versions version
                  where version.package_ordinal = staged.ordinal
                  order by 1 desc, 2 desc
                  limit 1
              )
        )
    )";

pub(super) const REPOSITORIES: &str = upsert!(
    "insert into repositories (url, host, path)
     select distinct on (staged.repository_url) staged.repository_url, staged.repository_host, staged.repository_path
     from staged_packages staged
     left join repositories kept on kept.url = staged.repository_url
     where staged.has_details and staged.repository_url is not null
       and (kept.id is null or kept.deleted_at is not null)
     order by staged.repository_url
     on conflict (url) do update set deleted_at = null"
);

pub(super) const LICENCES: &str = upsert!(
    "insert into licences (expression, is_spdx)
     select distinct on (staged.expression) staged.expression, staged.is_spdx
     from staged_licences staged
     left join licences kept on kept.expression = staged.expression
     where kept.id is null or kept.deleted_at is not null or kept.is_spdx <> staged.is_spdx
     order by staged.expression
     on conflict (expression) do update set is_spdx = excluded.is_spdx, deleted_at = null"
);

pub(super) const PACKAGES: &str = upsert!(
    "insert into packages as kept (
         ecosystem_id, namespace, name, normalized_name, purl, status, description, homepage_url, documentation_url,
         repository_id
     )
     select $1, staged.namespace, said.name, staged.normalized_name, staged.purl, said.status, said.description,
         said.homepage_url, said.documentation_url, said.repository_id
     from staged_packages staged
     left join repositories repository on repository.url = staged.repository_url
     left join packages kept on kept.id = staged.package_id
     cross join lateral (
         select
             coalesce(
                 staged.status, case when kept.status = 'removed' then 'active' else kept.status end, 'active'
             ) as status,
             case when staged.has_details or kept.id is null then staged.name else kept.name end as name,
             case when staged.has_details or kept.id is null then staged.description else kept.description
                 end as description,
             case when staged.has_details or kept.id is null then staged.homepage_url else kept.homepage_url
                 end as homepage_url,
             case when staged.has_details or kept.id is null then staged.documentation_url
                 else kept.documentation_url end as documentation_url,
             case when staged.has_details or kept.id is null then repository.id else kept.repository_id
                 end as repository_id
     ) said
     where kept.id is null or kept.deleted_at is not null
        or (kept.name, kept.purl, kept.status, kept.description, kept.homepage_url, kept.documentation_url,
            kept.repository_id)
        is distinct from (said.name, staged.purl, said.status, said.description, said.homepage_url,
            said.documentation_url, said.repository_id)
     order by staged.namespace, staged.normalized_name
     on conflict (ecosystem_id, namespace, normalized_name) do update set
         name = excluded.name, purl = excluded.purl, status = excluded.status, description = excluded.description,
         homepage_url = excluded.homepage_url, documentation_url = excluded.documentation_url,
         repository_id = excluded.repository_id, deleted_at = null"
);

/// Versions that a listing, all of which was understood, no longer has; but for those of which a newer document speaks.
pub(super) const DELETE_VERSIONS: &str = "
    update versions kept set deleted_at = $1
    from staged_packages package
    where package.is_complete and package.listing = '' and kept.package_id = package.package_id
      and kept.deleted_at is null
      and not exists (
          select from staged_versions staged
          where staged.package_ordinal = package.ordinal and staged.number = kept.number
      )
      and not exists (
          select from source_documents known
          where known.kind = $2 and known.locator = package.normalized_name || '/' || kept.number
            and known.deleted_at is null and known.revision > package.revision
      )";

pub(super) const DELETE_DEPENDENCIES_OF_DELETED: &str = "
    update dependencies kept set deleted_at = $1
    from staged_packages package
    join versions version on version.package_id = package.package_id
    where version.deleted_at is not null and kept.version_id = version.id and kept.deleted_at is null
      and not exists (
          select from staged_versions staged
          where staged.package_ordinal = package.ordinal and staged.number = version.number
      )";

/// The documents of versions that are gone, so that they are read again should the versions come back.
pub(super) const FORGET_DOCUMENTS: &str = "
    update source_documents kept set deleted_at = $1
    from staged_packages package
    join versions version on version.package_id = package.package_id
    where version.deleted_at = $1 and kept.kind = $2
      and kept.locator = package.normalized_name || '/' || version.number and kept.deleted_at is null";

pub(super) const VERSIONS: &str = upsert!(
    "insert into versions (
         package_id, number, sort_key, is_prerelease, is_yanked, yanked_reason, checksum_sha256, checksums, size_bytes,
         published_at, licence, licence_id, attributes
     )
     select package.package_id, staged.number, staged.sort_key, staged.is_prerelease, said.is_yanked,
         said.yanked_reason, said.checksum_sha256, said.checksums, said.size_bytes, said.published_at, said.licence,
         said.licence_id, said.attributes
     from staged_versions staged
     join staged_packages package on package.ordinal = staged.package_ordinal
     left join (
         select distinct on (published) published, known.id
         from staged_licences join licences known using (expression)
         order by published, known.id
     ) licence on licence.published = staged.licence
     left join versions kept on kept.package_id = package.package_id and kept.number = staged.number
     cross join lateral (select staged.is_older as stays) other
     cross join lateral (
         select
             case when other.stays then kept.is_yanked else staged.is_yanked end as is_yanked,
             case when other.stays then kept.yanked_reason else staged.yanked_reason end as yanked_reason,
             case when other.stays and kept.checksum_sha256 is not null then kept.checksum_sha256
                 else coalesce(staged.checksum_sha256, kept.checksum_sha256) end as checksum_sha256,
             case when staged.checksums = '{}' or other.stays and kept.checksums <> '{}'
                 then coalesce(kept.checksums, '{}') else staged.checksums end as checksums,
             case when other.stays and kept.size_bytes is not null then kept.size_bytes
                 else coalesce(staged.size_bytes, kept.size_bytes) end as size_bytes,
             case when other.stays and kept.published_at is not null then kept.published_at
                 else coalesce(staged.published_at, kept.published_at) end as published_at,
             coalesce(staged.licence, kept.licence, '') as licence,
             case when staged.licence is null then kept.licence_id else licence.id end as licence_id,
             jsonb_strip_nulls(
                 case when kept.id is null then staged.attributes
                     when other.stays then staged.attributes || kept.attributes
                     when staged.is_described then staged.attributes
                     else kept.attributes || staged.attributes end
             ) as attributes
     ) said
     where not (staged.is_older and (kept.id is null or kept.deleted_at is not null))
       and (kept.id is null or kept.deleted_at is not null
        or (kept.sort_key, kept.is_prerelease, kept.is_yanked, kept.yanked_reason, kept.checksum_sha256, kept.checksums,
            kept.size_bytes, kept.published_at, kept.licence, kept.licence_id, kept.attributes)
        is distinct from (staged.sort_key, staged.is_prerelease, said.is_yanked, said.yanked_reason,
            said.checksum_sha256, said.checksums, said.size_bytes, said.published_at, said.licence, said.licence_id,
            said.attributes))
     order by package.package_id, staged.sort_key, staged.number
     on conflict (package_id, number) do update set
         sort_key = excluded.sort_key, is_prerelease = excluded.is_prerelease, is_yanked = excluded.is_yanked,
         yanked_reason = excluded.yanked_reason, checksum_sha256 = excluded.checksum_sha256,
         checksums = excluded.checksums, size_bytes = excluded.size_bytes, published_at = excluded.published_at,
         licence = excluded.licence, licence_id = excluded.licence_id, attributes = excluded.attributes,
         deleted_at = null"
);

/// Of those versions whose dependencies are told.
pub(super) const VERSION_IDS: &str = "
    insert into staged_version_ids (ordinal, version_id, has_all_dependencies)
    select staged.ordinal, kept.id, staged.has_all_dependencies
    from staged_versions staged
    join staged_packages package on package.ordinal = staged.package_ordinal
    join versions kept on kept.package_id = package.package_id and kept.number = staged.number
    where staged.has_dependencies and kept.deleted_at is null";

pub(super) const DELETE_DEPENDENCIES: &str = "
    update dependencies kept set deleted_at = $1
    from staged_version_ids version
    where version.has_all_dependencies and kept.version_id = version.version_id and kept.deleted_at is null
      and not exists (
          select from staged_dependencies staged
          where staged.version_ordinal = version.ordinal
            and (staged.kind, staged.target, staged.namespace, staged.normalized_name, staged.alias, staged.registry)
              = (kept.kind, kept.target, kept.namespace, kept.normalized_name, kept.alias, kept.registry)
      )";

pub(super) const DEPENDENCIES: &str = upsert!(
    "insert into dependencies (
         version_id, package_id, namespace, name, normalized_name, alias, requirement, kind, is_optional, features,
         target, registry
     )
     select version.version_id, known.id, staged.namespace, staged.name, staged.normalized_name, staged.alias,
         staged.requirement, staged.kind, staged.is_optional, staged.features, staged.target, staged.registry
     from staged_dependencies staged
     join staged_version_ids version on version.ordinal = staged.version_ordinal
     left join packages known
         on known.ecosystem_id = $1 and known.namespace = staged.namespace
        and known.normalized_name = staged.normalized_name
        and known.deleted_at is null and staged.registry = ''
     left join dependencies kept
         on kept.version_id = version.version_id
        and (kept.kind, kept.target, kept.namespace, kept.normalized_name, kept.alias, kept.registry)
          = (staged.kind, staged.target, staged.namespace, staged.normalized_name, staged.alias, staged.registry)
     where kept.id is null or kept.deleted_at is not null
        or (kept.package_id, kept.name, kept.requirement, kept.is_optional, kept.features)
        is distinct from (known.id, staged.name, staged.requirement, staged.is_optional, staged.features)
     order by version.version_id, staged.normalized_name collate \"C\"
     on conflict (version_id, kind, target, namespace, normalized_name, alias, registry) do update set
         package_id = excluded.package_id, name = excluded.name, requirement = excluded.requirement,
         is_optional = excluded.is_optional, features = excluded.features, deleted_at = null"
);

/// Lower case as the database has it, which its CHECK asks for, depends on its locale.
pub(super) const KEYWORDS: &str = upsert!(
    "insert into keywords (name)
     select distinct lower(staged.name)
     from staged_keywords staged
     left join keywords kept on kept.name = lower(staged.name)
     where kept.id is null or kept.deleted_at is not null
     order by 1
     on conflict (name) do update set deleted_at = null"
);

pub(super) const CATEGORIES: &str = upsert!(
    "insert into categories (ecosystem_id, slug, name)
     select distinct on (staged.slug) $1, staged.slug, staged.name
     from staged_categories staged
     left join categories kept on kept.ecosystem_id = $1 and kept.slug = staged.slug
     where kept.id is null or kept.deleted_at is not null or kept.name <> staged.name
     order by staged.slug
     on conflict (ecosystem_id, slug) do update set name = excluded.name, deleted_at = null"
);

pub(super) const MAINTAINERS: &str = upsert!(
    "insert into maintainers (ecosystem_id, kind, login)
     select distinct $1, staged.kind, staged.login
     from staged_maintainers staged
     left join maintainers kept
         on kept.ecosystem_id = $1 and kept.kind = staged.kind and kept.login = staged.login
     where kept.id is null or kept.deleted_at is not null
     order by staged.kind, staged.login
     on conflict (ecosystem_id, kind, login) do update set deleted_at = null"
);

/// A join table: its name, what takes away pairs that are no longer said, and what writes those that are.
pub(super) struct Pairs {
    pub(super) table: &'static str,
    pub(super) delete: &'static str,
    pub(super) upsert: &'static str,
}

/// `$staged` gives `package_ordinal` and `id`. Both statements are given the time and the ecosystem, and need not use them.
macro_rules! pairs {
    ($table:literal, $column:literal, $has:literal, $staged:literal) => {
        Pairs {
            table: $table,
            delete: concat!(
                "update ",
                $table,
                " kept set deleted_at = $1
                 from staged_packages package
                 where package.",
                $has,
                " and kept.package_id = package.package_id and kept.deleted_at is null
                   and not exists (
                       select from (",
                $staged,
                ") said
                       where said.package_ordinal = package.ordinal and said.id = kept.",
                $column,
                ")"
            ),
            upsert: concat!(
                "with merged as (
                     insert into ",
                $table,
                " (",
                $column,
                ", package_id)
                     select distinct said.id, package.package_id
                     from (",
                $staged,
                ") said
                     join staged_packages package on package.ordinal = said.package_ordinal and package.",
                $has,
                "
                     left join ",
                $table,
                " kept
                         on kept.",
                $column,
                " = said.id and kept.package_id = package.package_id
                     where kept.id is null or kept.deleted_at is not null
                     order by 1, 2
                     on conflict (",
                $column,
                ", package_id) do update set deleted_at = null
                     returning (xmax = 0) as is_new
                 )
                 select count(*) filter (where is_new), count(*) filter (where not is_new)
                 from merged"
            ),
        }
    };
}

pub(super) const PAIRS: [Pairs; 3] = [
    pairs!(
        "keywords_packages",
        "keyword_id",
        "has_keywords",
        "select staged.package_ordinal, known.id
         from staged_keywords staged join keywords known on known.name = lower(staged.name)"
    ),
    pairs!(
        "categories_packages",
        "category_id",
        "has_categories",
        "select staged.package_ordinal, known.id
         from staged_categories staged
         join categories known on known.ecosystem_id = $2 and known.slug = staged.slug"
    ),
    pairs!(
        "maintainers_packages",
        "maintainer_id",
        "has_maintainers",
        "select staged.package_ordinal, known.id
         from staged_maintainers staged
         join maintainers known
             on known.ecosystem_id = $2 and known.kind = staged.kind and known.login = staged.login"
    ),
];
