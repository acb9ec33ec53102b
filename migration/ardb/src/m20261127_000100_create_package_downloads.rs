//! Creates `package_downloads`, and adds its count to `package_search_entries`, where imports keep it as they keep the
//! popularity.
//!
//! Locks: SHARE ROW EXCLUSIVE on `packages` for the foreign key (its writers wait, readers don't), ACCESS EXCLUSIVE on
//! the new table and, while its new column is checked, on `package_search_entries`, which is read once and not rewritten.
//! `down` takes ACCESS EXCLUSIVE on all three.
//! `down` loses every count; importing the registry's dump again brings them back.

use sea_orm_migration::prelude::*;

const UP: &str = r#"
create table package_downloads (
    id bigserial,
    package_id bigint not null,
    downloads bigint not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint package_downloads_pkey primary key (id),
    constraint package_downloads_package_id_fkey foreign key (package_id) references packages (id),
    constraint package_downloads_package_id_key unique (package_id),
    constraint package_downloads_downloads_check check (downloads >= 0)
);

create trigger package_downloads_set_updated_at before update on package_downloads
    for each row execute function ardb_set_updated_at();

comment on table package_downloads is
    'How often all versions of a package together were downloaded since its registry counts. Beside packages, because it changes with every import and they do not. A deleted row keeps its package; importing it again restores the row.';
comment on column package_downloads.deleted_at is 'When the row was deleted; null: live.';

alter table package_search_entries
    add column downloads bigint not null default 0,
    add constraint package_search_entries_downloads_check check (downloads >= 0);

comment on column package_search_entries.downloads is
    'As package_downloads has it, as of the last import; 0 also where its registry does not say.';
"#;

const DOWN: &str = r#"
alter table package_search_entries drop column downloads;
drop table package_downloads;
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
