//! Creates `default_versions`: the version of a package that its registry shows when none is asked for.
//!
//! Locks: SHARE ROW EXCLUSIVE on `packages` and `versions` for the foreign keys (their writers wait, readers don't), and
//! ACCESS EXCLUSIVE on the new table, which nobody else can see yet. `down` takes ACCESS EXCLUSIVE on all three.
//! `down` loses every default version; importing the registry's dump again brings them back.

use sea_orm_migration::prelude::*;

const UP: &str = r#"
create table default_versions (
    id bigserial,
    package_id bigint not null,
    version_id bigint not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint default_versions_pkey primary key (id),
    constraint default_versions_package_id_fkey foreign key (package_id) references packages (id),
    constraint default_versions_version_id_fkey foreign key (version_id) references versions (id),
    constraint default_versions_package_id_key unique (package_id)
);

create index default_versions_version_id_idx on default_versions (version_id);

create trigger default_versions_set_updated_at before update on default_versions
    for each row execute function ardb_set_updated_at();

comment on table default_versions is
    'The version of a package that its registry shows when none is asked for; not always the newest. A package without one has none by its registry, or its registry was not asked. A deleted row keeps its package; importing it again restores the row.';
comment on column default_versions.version_id is 'A version of the package.';
comment on column default_versions.deleted_at is 'When the row was deleted; null: live.';
"#;

const DOWN: &str = "drop table default_versions";

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
