//! Adds what tells apart the releases of a Linux distribution, and the source package that a component was built from:
//! advisories of distributions are about one release, and most name source packages.
//!
//! Locks: ACCESS EXCLUSIVE on `affected_packages` while its unique index is built anew (the rows are read once, none is
//! rewritten), and on `inventory_components` while new checks read it. So does `down`.
//! `down` loses releases and source packages, and with the former what advisories say of one release only: the next
//! import of the same records and documents brings them back.

use sea_orm_migration::prelude::*;

const UP: &str = r#"
alter table affected_packages
    add column release text not null default '',
    add constraint affected_packages_release_check check (octet_length(release) <= 256),
    drop constraint affected_packages_advisory_id_ecosystem_id_namespace_normal_key,
    add constraint affected_packages_advisory_id_ecosystem_id_namespace_normal_key
        unique (advisory_id, ecosystem_id, namespace, normalized_name, release);

comment on column affected_packages.release is
    'The release of the distribution that it is about, such as 12 of Debian; empty: all, or no distribution.';

alter table inventory_components
    add column release text not null default '',
    add column upstream_name text,
    add column upstream_number text,
    add column upstream_sort_key bytea,
    add constraint inventory_components_release_check check (octet_length(release) <= 256),
    add constraint inventory_components_upstream_name_check check (octet_length(upstream_name) between 1 and 256),
    add constraint inventory_components_upstream_number_check check (octet_length(upstream_number) <= 256),
    add constraint inventory_components_upstream_sort_key_check check (octet_length(upstream_sort_key) between 1 and 2048),
    add constraint inventory_components_upstream_name_upstream_number_check
        check ((upstream_name is null) = (upstream_number is null));

create index inventory_components_inventory_id_upstream_name_idx on inventory_components (inventory_id, upstream_name)
    where upstream_name is not null;

comment on column inventory_components.release is
    'The release of the distribution that it was built for, such as 12 of Debian; empty: unknown, or no distribution.';
comment on column inventory_components.upstream_name is
    'Normalised name of the source package that it was built from, by which advisories of its distribution know it; null: of the same name and version, or unknown.';
comment on column inventory_components.upstream_number is
    'Version of the source package; null: as upstream_name.';
comment on column inventory_components.upstream_sort_key is
    'Sorts bytewise in the ecosystem''s own order; null: as upstream_name, or the number does not parse.';
"#;

const DOWN: &str = r#"
alter table inventory_components
    drop column upstream_sort_key,
    drop column upstream_number,
    drop column upstream_name,
    drop column release;

delete from advisory_matches matched using affected_packages affected
where affected.id = matched.affected_package_id and affected.release <> '';
delete from affected_intervals stretch using affected_ranges stretches, affected_packages affected
where stretches.id = stretch.affected_range_id and affected.id = stretches.affected_package_id
  and affected.release <> '';
delete from affected_ranges stretches using affected_packages affected
where affected.id = stretches.affected_package_id and affected.release <> '';
delete from affected_versions enumerated using affected_packages affected
where affected.id = enumerated.affected_package_id and affected.release <> '';
delete from affected_packages where release <> '';

alter table affected_packages
    drop constraint affected_packages_advisory_id_ecosystem_id_namespace_normal_key,
    drop column release,
    add constraint affected_packages_advisory_id_ecosystem_id_namespace_normal_key
        unique (advisory_id, ecosystem_id, namespace, normalized_name);
"#;

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
