//! Creates `packages`, `versions` and `dependencies`: what a registry publishes.
//!
//! Locks: SHARE ROW EXCLUSIVE on `ecosystems` for the foreign key (its writers wait, readers don't), and
//! ACCESS EXCLUSIVE on the new tables, which nobody else can see yet. `down` takes ACCESS EXCLUSIVE on
//! all four.
//! `down` loses every package, version and dependency; importing the registry's index again brings them
//! back, with other ids.

use sea_orm_migration::prelude::*;

const UP: &str = r#"
create table packages (
    id bigserial,
    ecosystem_id bigint not null,
    namespace text not null default '',
    name text not null,
    normalized_name text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint packages_pkey primary key (id),
    constraint packages_ecosystem_id_fkey foreign key (ecosystem_id) references ecosystems (id),
    constraint packages_ecosystem_id_namespace_normalized_name_key unique (ecosystem_id, namespace, normalized_name),
    constraint packages_namespace_check check (octet_length(namespace) <= 256),
    constraint packages_name_check check (octet_length(name) between 1 and 256),
    constraint packages_normalized_name_check check (octet_length(normalized_name) between 1 and 256)
);

create trigger packages_set_updated_at before update on packages
    for each row execute function ardb_set_updated_at();

comment on table packages is
    'A package of an ecosystem. A deleted package keeps its name; importing it again restores the row.';
comment on column packages.namespace is
    'The purl namespace (npm scope, Maven group, Go host and path); empty: the ecosystem or the package has none.';
comment on column packages.name is 'As published.';
comment on column packages.normalized_name is
    'The name by which the ecosystem tells packages apart (letter case and separators unified where it does so).';
comment on column packages.deleted_at is 'When the row was deleted; null: live.';

create table versions (
    id bigserial,
    package_id bigint not null,
    number text not null,
    sort_key bytea,
    is_prerelease boolean not null default false,
    is_yanked boolean not null default false,
    checksum_sha256 bytea,
    published_at timestamptz,
    attributes jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint versions_pkey primary key (id),
    constraint versions_package_id_fkey foreign key (package_id) references packages (id),
    constraint versions_package_id_number_key unique (package_id, number),
    constraint versions_number_check check (octet_length(number) between 1 and 256),
    constraint versions_sort_key_check check (octet_length(sort_key) between 1 and 2048),
    constraint versions_checksum_sha256_check check (octet_length(checksum_sha256) = 32),
    constraint versions_attributes_check check (jsonb_typeof(attributes) = 'object')
);

create index versions_package_id_sort_key_idx on versions (package_id, sort_key);

create trigger versions_set_updated_at before update on versions
    for each row execute function ardb_set_updated_at();

comment on table versions is
    'A published version of a package. A deleted version keeps its number; importing it again restores the row.';
comment on column versions.number is 'As published, never normalised.';
comment on column versions.sort_key is
    'Sorts bytewise in the ecosystem''s own order; null: the number does not parse, or the ecosystem has no order.';
comment on column versions.is_prerelease is 'By the rules of the ecosystem''s version scheme.';
comment on column versions.is_yanked is 'Withdrawn by its publisher, still there for who depends on it already.';
comment on column versions.checksum_sha256 is
    'SHA-256 of the published archive, 32 bytes; null: the registry gives none.';
comment on column versions.published_at is 'When the registry accepted it; null: the registry does not say.';
comment on column versions.attributes is
    'What the ecosystem publishes beyond the columns, an object; of cargo: rust_version, links, features.';
comment on column versions.deleted_at is 'When the row was deleted; null: live.';

create table dependencies (
    id bigserial,
    version_id bigint not null,
    package_id bigint,
    namespace text not null default '',
    name text not null,
    normalized_name text not null,
    alias text not null default '',
    requirement text not null,
    kind text not null,
    is_optional boolean not null default false,
    uses_default_features boolean not null default true,
    features text[] not null default '{}',
    target text not null default '',
    registry text not null default '',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint dependencies_pkey primary key (id),
    constraint dependencies_version_id_fkey foreign key (version_id) references versions (id),
    constraint dependencies_package_id_fkey foreign key (package_id) references packages (id),
    constraint dependencies_version_id_kind_target_namespace_normalized_na_key
        unique (version_id, kind, target, namespace, normalized_name, alias, registry),
    constraint dependencies_namespace_check check (octet_length(namespace) <= 256),
    constraint dependencies_name_check check (octet_length(name) between 1 and 256),
    constraint dependencies_normalized_name_check check (octet_length(normalized_name) between 1 and 256),
    constraint dependencies_alias_check check (octet_length(alias) <= 256),
    constraint dependencies_requirement_check check (requirement <> ''),
    constraint dependencies_kind_check check (kind in ('normal', 'build', 'dev')),
    constraint dependencies_target_check check (octet_length(target) <= 1024),
    constraint dependencies_registry_check check (octet_length(registry) <= 512)
);

create index dependencies_package_id_idx on dependencies (package_id);
create index dependencies_normalized_name_idx on dependencies (normalized_name) where package_id is null;

create trigger dependencies_set_updated_at before update on dependencies
    for each row execute function ardb_set_updated_at();

comment on table dependencies is
    'What a version asks for, in the ecosystem of its own package. A deleted dependency keeps its key; importing it again restores the row.';
comment on column dependencies.version_id is 'The version that depends.';
comment on column dependencies.package_id is
    'The package depended on; null: not known here, until it is imported.';
comment on column dependencies.namespace is 'Of the package depended on; empty: none.';
comment on column dependencies.name is 'Of the package depended on, as published.';
comment on column dependencies.alias is 'The name in the manifest; empty: the package''s own.';
comment on column dependencies.requirement is 'The accepted versions, in the ecosystem''s own notation.';
comment on column dependencies.kind is 'normal, build (needed to build) or dev (needed to test).';
comment on column dependencies.is_optional is 'Only there when a feature of the depending version asks for it.';
comment on column dependencies.features is 'Features asked of the package depended on.';
comment on column dependencies.target is 'The platforms it is for, a triple or a cfg expression; empty: all.';
comment on column dependencies.registry is
    'Index of another registry that holds the package; empty: the one that the depending version is in.';
comment on column dependencies.deleted_at is 'When the row was deleted; null: live.';
comment on index dependencies_normalized_name_idx is
    'Finds the dependencies that a newly imported package resolves.';
"#;

const DOWN: &str = r#"
drop table dependencies;
drop table versions;
drop table packages;
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
