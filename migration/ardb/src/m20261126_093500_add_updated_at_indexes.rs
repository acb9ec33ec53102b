//! Adds indexes by which packages, versions and advisories that changed since a moment are found.
//!
//! Locks: SHARE on `packages`, `versions` and `advisories` while each is read once (their writers wait, readers don't):
//! in the transaction of the migrations before it, which keep the same writers out. `down` takes ACCESS EXCLUSIVE on
//! them, for a moment.
//! `down` loses nothing.

use sea_orm_migration::prelude::*;

const UP: &str = r#"
create index packages_updated_at_id_idx on packages (updated_at, id);
create index versions_updated_at_id_idx on versions (updated_at, id);
create index advisories_updated_at_id_idx on advisories (updated_at, id);
"#;

const DOWN: &str = r#"
drop index advisories_updated_at_id_idx;
drop index versions_updated_at_id_idx;
drop index packages_updated_at_id_idx;
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
