//! Creates `advisory_matches`, which imports derive, and derives it from the advisories and versions that are there.
//!
//! Locks: SHARE ROW EXCLUSIVE on `advisories`, `affected_packages` and `versions` for the foreign keys (their writers
//! wait until all versions of affected packages have been matched, readers don't), ACCESS EXCLUSIVE on the new table.
//! `down` takes ACCESS EXCLUSIVE on all four.
//! `down` loses nothing that the other tables do not say.

use sea_orm_migration::prelude::*;

const UP: &str = r#"
create table advisory_matches (
    advisory_id bigint not null,
    version_id bigint not null,
    affected_package_id bigint not null,
    fixed text,
    is_by_range boolean not null,
    is_by_enumeration boolean not null,
    constraint advisory_matches_pkey primary key (advisory_id, version_id),
    constraint advisory_matches_advisory_id_fkey foreign key (advisory_id) references advisories (id),
    constraint advisory_matches_version_id_fkey foreign key (version_id) references versions (id),
    constraint advisory_matches_affected_package_id_fkey
        foreign key (affected_package_id) references affected_packages (id),
    constraint advisory_matches_fixed_check check (fixed <> ''),
    constraint advisory_matches_fixed_is_by_range_check check (fixed is null or is_by_range),
    constraint advisory_matches_is_by_range_is_by_enumeration_check check (is_by_range or is_by_enumeration)
);

create index advisory_matches_version_id_idx on advisory_matches (version_id);
create index advisory_matches_affected_package_id_idx on advisory_matches (affected_package_id);

comment on table advisory_matches is
    'Derived at the end of imports: which version is affected by which advisory that is not withdrawn. Never written by hand; archer derived verify holds it against versions and advisories.';
comment on column advisory_matches.affected_package_id is 'The entry of the advisory that matches.';
comment on column advisory_matches.fixed is
    'The lowest version that ends a matching interval, as published; null: none of them names one.';
comment on column advisory_matches.is_by_range is 'The sort key lies in an interval.';
comment on column advisory_matches.is_by_enumeration is 'The number is enumerated.';

insert into advisory_matches (advisory_id, version_id, affected_package_id, fixed, is_by_range, is_by_enumeration)
select
    advisory.id,
    found.version_id,
    min(found.affected_package_id),
    (array_agg(found.fixed order by found.upper_key, found.fixed) filter (where found.fixed is not null))[1],
    bool_or(found.is_by_range),
    bool_or(not found.is_by_range)
from (
    select affected.advisory_id, affected.id as affected_package_id, version.id as version_id, stretch.fixed,
        stretch.upper_key, true as is_by_range
    from affected_packages affected
    join affected_ranges stretches on stretches.affected_package_id = affected.id and stretches.deleted_at is null
    join affected_intervals stretch on stretch.affected_range_id = stretches.id and stretch.deleted_at is null
    join versions version
        on version.package_id = affected.package_id
       and version.sort_key >= stretch.lower_key
       and (
           stretch.upper_key is null
           or version.sort_key < stretch.upper_key
           or (stretch.is_upper_inclusive and version.sort_key = stretch.upper_key)
       )
       and version.deleted_at is null
    where affected.deleted_at is null
    union all
    select affected.advisory_id, affected.id, version.id, null, null, false
    from affected_packages affected
    join affected_versions enumerated on enumerated.affected_package_id = affected.id and enumerated.deleted_at is null
    join versions version
        on version.package_id = affected.package_id
       and version.number = enumerated.number
       and version.deleted_at is null
    where affected.deleted_at is null
) found
join advisories advisory
    on advisory.id = found.advisory_id and advisory.withdrawn_at is null and advisory.deleted_at is null
group by advisory.id, found.version_id
order by advisory.id, found.version_id;
"#;

const DOWN: &str = "drop table advisory_matches;";

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(UP).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(DOWN).await.map(drop)
    }
}
