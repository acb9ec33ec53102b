//! Gives inventories an owner and the kind `sbom`, and components a package URL, a scope, a licence and relations.
//!
//! Locks: ACCESS EXCLUSIVE on `inventories` and `inventory_components` while their rows are checked and the unique index
//! over the few `inventories` is built; SHARE ROW EXCLUSIVE on both for the foreign keys of the new table.
//! `down` loses the inventories that have an owner or come from an SBOM, the components without a version, and every
//! package URL, scope, licence and relation; importing the documents again brings them back, with other ids.

use sea_orm_migration::prelude::*;

const UP: &str = r#"
alter table inventories
    add column identitydb_user_id bigint,
    add column identitydb_organization_id bigint,
    drop constraint inventories_kind_check,
    add constraint inventories_kind_check check (kind in ('lockfile', 'sbom')),
    add constraint inventories_identitydb_user_id_identitydb_organization_id_check
        check (num_nonnulls(identitydb_user_id, identitydb_organization_id) <= 1),
    drop constraint inventories_kind_name_key,
    add constraint inventories_kind_name_identitydb_user_id_identitydb_organiz_key
        unique nulls not distinct (kind, name, identitydb_user_id, identitydb_organization_id);

comment on column inventories.kind is 'The form of the document: lockfile or sbom.';
comment on column inventories.name is
    'The product, by a name that stays the same from import to import; each owner has names of its own.';
comment on column inventories.identitydb_user_id is 'The user of identitydb whose it is; null: no user''s.';
comment on column inventories.identitydb_organization_id is
    'The organization of identitydb whose it is; null: no organization''s.';

alter table inventory_components
    add column purl text,
    add column scope text,
    add column licence text,
    drop constraint inventory_components_number_check,
    add constraint inventory_components_number_check check (octet_length(number) <= 256),
    add constraint inventory_components_purl_check check (octet_length(purl) between 1 and 2048),
    add constraint inventory_components_scope_check check (scope in ('required', 'optional', 'dev', 'excluded')),
    add constraint inventory_components_licence_check check (octet_length(licence) between 1 and 4096);

comment on column inventory_components.number is 'As the document has it; empty: it has none.';
comment on column inventory_components.source is
    'Where the document says it comes from: a registry, a git or a file address. Empty: the ecosystem''s own registry; of cargo, which names that one, too, a local path.';
comment on column inventory_components.purl is
    'The canonical package URL; null: it is not the registry''s package, or its ecosystem''s rules refuse one.';
comment on column inventory_components.scope is
    'required, optional, dev (needed to develop and test) or excluded (not shipped); null: the document does not say.';
comment on column inventory_components.licence is
    'As the document has it, several joined by AND; null: it does not say.';

create table inventory_relations (
    id bigserial,
    inventory_id bigint not null,
    from_component_id bigint,
    to_component_id bigint not null,
    kind text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint inventory_relations_pkey primary key (id),
    constraint inventory_relations_inventory_id_fkey foreign key (inventory_id) references inventories (id),
    constraint inventory_relations_from_component_id_fkey
        foreign key (from_component_id) references inventory_components (id),
    constraint inventory_relations_to_component_id_fkey
        foreign key (to_component_id) references inventory_components (id),
    constraint inventory_relations_inventory_id_from_component_id_to_compo_key
        unique nulls not distinct (inventory_id, from_component_id, to_component_id, kind),
    constraint inventory_relations_kind_check check (kind in ('depends-on', 'contains'))
);

create index inventory_relations_from_component_id_idx on inventory_relations (from_component_id);
create index inventory_relations_to_component_id_idx on inventory_relations (to_component_id);

create trigger inventory_relations_set_updated_at before update on inventory_relations
    for each row execute function ardb_set_updated_at();

comment on table inventory_relations is
    'How a component of an inventory comes to be in it. A deleted relation is restored when the inventory has it again.';
comment on column inventory_relations.from_component_id is
    'The component that depends or contains; null: the product itself.';
comment on column inventory_relations.to_component_id is 'The component depended on or contained.';
comment on column inventory_relations.kind is 'depends-on or contains.';
comment on column inventory_relations.deleted_at is 'When the row was deleted; null: live.';
"#;

const DOWN: &str = r#"
drop table inventory_relations;

delete from inventory_components component
using inventories inventory
where inventory.id = component.inventory_id
  and (component.number = '' or inventory.kind = 'sbom'
       or num_nonnulls(inventory.identitydb_user_id, inventory.identitydb_organization_id) > 0);
delete from inventories
where kind = 'sbom' or num_nonnulls(identitydb_user_id, identitydb_organization_id) > 0;

alter table inventory_components
    drop column purl,
    drop column scope,
    drop column licence,
    drop constraint inventory_components_number_check,
    add constraint inventory_components_number_check check (octet_length(number) between 1 and 256);

comment on column inventory_components.number is 'As the document has it.';
comment on column inventory_components.source is
    'Where the document says it comes from, a registry or a git address; empty: a local path.';

alter table inventories
    drop constraint inventories_kind_name_identitydb_user_id_identitydb_organiz_key,
    drop column identitydb_user_id,
    drop column identitydb_organization_id,
    drop constraint inventories_kind_check,
    add constraint inventories_kind_check check (kind in ('lockfile')),
    add constraint inventories_kind_name_key unique (kind, name);

comment on column inventories.kind is 'The form of the document: lockfile.';
comment on column inventories.name is 'The product, by a name that stays the same from import to import.';
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
