//! Creates `ecosystems` and fills it with the ecosystems that the platform knows.
//!
//! Locks: ACCESS EXCLUSIVE on the new table, which nobody else can see yet.
//! `down` loses every ecosystem, also those that were added by hand.

use sea_orm_migration::prelude::*;

const UP: &str = r#"
create table ecosystems (
    id bigserial,
    name text not null,
    osv_name text,
    purl_type text,
    version_scheme text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint ecosystems_pkey primary key (id),
    constraint ecosystems_name_key unique (name),
    constraint ecosystems_osv_name_key unique (osv_name),
    constraint ecosystems_name_check check (name ~ '^[a-z][a-z0-9-]{0,62}$'),
    constraint ecosystems_osv_name_check check (octet_length(osv_name) between 1 and 256),
    constraint ecosystems_purl_type_check check (purl_type ~ '^[a-z][a-z0-9.+-]{0,62}$'),
    constraint ecosystems_version_scheme_check check (version_scheme in (
        'semver', 'pep440', 'maven', 'gem', 'nuget', 'composer', 'deb', 'rpm', 'apk', 'cran', 'hackage', 'opaque'
    ))
);

create trigger ecosystems_set_updated_at before update on ecosystems
    for each row execute function ardb_set_updated_at();

comment on table ecosystems is
    'A world of packages with one registry form and one order of versions. A deleted ecosystem keeps its names; adding it again restores the row.';
comment on column ecosystems.name is 'The name this platform uses, in lower case; for most the purl type.';
comment on column ecosystems.osv_name is
    'The ecosystem in OSV records, without the part after a colon (Debian for Debian:12); null: OSV has none for it.';
comment on column ecosystems.purl_type is 'The type in package URLs; null: the purl specification has none for it.';
comment on column ecosystems.version_scheme is
    'How two version numbers compare; opaque: equal or not, without an order.';
comment on column ecosystems.deleted_at is 'When the row was deleted; null: live.';

insert into ecosystems (name, osv_name, purl_type, version_scheme) values
    ('cargo', 'crates.io', 'cargo', 'semver'),
    ('npm', 'npm', 'npm', 'semver'),
    ('pypi', 'PyPI', 'pypi', 'pep440'),
    ('golang', 'Go', 'golang', 'semver'),
    ('maven', 'Maven', 'maven', 'maven'),
    ('gem', 'RubyGems', 'gem', 'gem'),
    ('nuget', 'NuGet', 'nuget', 'nuget'),
    ('composer', 'Packagist', 'composer', 'composer'),
    ('pub', 'Pub', 'pub', 'semver'),
    ('hex', 'Hex', 'hex', 'semver'),
    ('hackage', 'Hackage', 'hackage', 'hackage'),
    ('cran', 'CRAN', 'cran', 'cran'),
    ('deb', 'Debian', 'deb', 'deb'),
    ('rpm', null, 'rpm', 'rpm'),
    ('apk', 'Alpine', 'apk', 'apk');
"#;

const DOWN: &str = "drop table ecosystems;";

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
