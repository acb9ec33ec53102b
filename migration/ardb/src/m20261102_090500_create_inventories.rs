//! Creates `inventories` and `inventory_components`: what a product is made of.
//!
//! Locks: SHARE ROW EXCLUSIVE on `ecosystems`, `packages`, `versions` and `source_documents` for the
//! foreign keys (their writers wait, readers don't), and ACCESS EXCLUSIVE on the new tables, which nobody
//! else can see yet. `down` takes ACCESS EXCLUSIVE on all of them.
//! `down` loses every inventory; importing the lockfiles again brings them back, with other ids.

use sea_orm_migration::prelude::*;

const UP: &str = r#"
create table inventories (
    id bigserial,
    kind text not null,
    name text not null,
    source_document_id bigint not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint inventories_pkey primary key (id),
    constraint inventories_source_document_id_fkey foreign key (source_document_id) references source_documents (id),
    constraint inventories_kind_name_key unique (kind, name),
    constraint inventories_kind_check check (kind in ('lockfile')),
    constraint inventories_name_check check (octet_length(name) between 1 and 1024)
);

create index inventories_source_document_id_idx on inventories (source_document_id);

create trigger inventories_set_updated_at before update on inventories
    for each row execute function ardb_set_updated_at();

comment on table inventories is
    'What a product is made of, as one document says. A deleted inventory keeps its name; importing it again restores the row.';
comment on column inventories.kind is 'The form of the document: lockfile.';
comment on column inventories.name is 'The product, by a name that stays the same from import to import.';
comment on column inventories.source_document_id is 'The document it was read from last.';
comment on column inventories.deleted_at is 'When the row was deleted; null: live.';

create table inventory_components (
    id bigserial,
    inventory_id bigint not null,
    ecosystem_id bigint not null,
    package_id bigint,
    version_id bigint,
    namespace text not null default '',
    name text not null,
    normalized_name text not null,
    number text not null,
    sort_key bytea,
    source text not null default '',
    checksum_sha256 bytea,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint inventory_components_pkey primary key (id),
    constraint inventory_components_inventory_id_fkey foreign key (inventory_id) references inventories (id),
    constraint inventory_components_ecosystem_id_fkey foreign key (ecosystem_id) references ecosystems (id),
    constraint inventory_components_package_id_fkey foreign key (package_id) references packages (id),
    constraint inventory_components_version_id_fkey foreign key (version_id) references versions (id),
    constraint inventory_components_inventory_id_ecosystem_id_namespace_no_key
        unique (inventory_id, ecosystem_id, namespace, normalized_name, number, source),
    constraint inventory_components_namespace_check check (octet_length(namespace) <= 256),
    constraint inventory_components_name_check check (octet_length(name) between 1 and 256),
    constraint inventory_components_normalized_name_check check (octet_length(normalized_name) between 1 and 256),
    constraint inventory_components_number_check check (octet_length(number) between 1 and 256),
    constraint inventory_components_sort_key_check check (octet_length(sort_key) between 1 and 2048),
    constraint inventory_components_source_check check (octet_length(source) <= 1024),
    constraint inventory_components_checksum_sha256_check check (octet_length(checksum_sha256) = 32)
);

create index inventory_components_ecosystem_id_namespace_normalized_name_idx
    on inventory_components (ecosystem_id, namespace, normalized_name);
create index inventory_components_package_id_idx on inventory_components (package_id);
create index inventory_components_version_id_idx on inventory_components (version_id);

create trigger inventory_components_set_updated_at before update on inventory_components
    for each row execute function ardb_set_updated_at();

comment on table inventory_components is
    'One version of one package in an inventory. A deleted component is restored when the inventory has it again.';
comment on column inventory_components.package_id is
    'The package meant; null: not known here, until it is imported.';
comment on column inventory_components.version_id is
    'The version meant; null: not known here, until it is imported, or it is not from the registry.';
comment on column inventory_components.namespace is 'The purl namespace; empty: none.';
comment on column inventory_components.name is 'As the document has it.';
comment on column inventory_components.number is 'As the document has it.';
comment on column inventory_components.sort_key is
    'Sorts bytewise in the ecosystem''s own order; null: the number does not parse, or the ecosystem has no order.';
comment on column inventory_components.source is
    'Where the document says it comes from, a registry or a git address; empty: a local path.';
comment on column inventory_components.checksum_sha256 is
    'SHA-256 that the document expects, 32 bytes; null: it has none.';
comment on column inventory_components.deleted_at is 'When the row was deleted; null: live.';
"#;

const DOWN: &str = r#"
drop table inventory_components;
drop table inventories;
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
