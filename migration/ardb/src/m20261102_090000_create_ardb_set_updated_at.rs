//! Creates the function `ardb_set_updated_at`, which the trigger of every table calls.
//!
//! Locks: none that anybody waits for; a function is new.
//! `down` loses nothing. It is refused while a trigger still uses the function.

use sea_orm_migration::prelude::*;

const UP: &str = r#"
create function ardb_set_updated_at() returns trigger
    language plpgsql
    as $$
begin
    new.updated_at := now();
    return new;
end
$$;

comment on function ardb_set_updated_at() is
    'Trigger function: the row''s updated_at becomes the start of the transaction that updates it.';
"#;

const DOWN: &str = "drop function ardb_set_updated_at();";

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
