//! Makes sure that the extension `citext` (text that compares without letter case) is there.
//!
//! Locks: none that anybody waits for; PostgreSQL lets a user who may create objects in the database
//! install it (it is a trusted extension), no superuser needed.
//! An extension belongs to the whole database, and another program may have installed it before. The
//! comment on the extension remembers who did: `down` drops it when `up` created it and leaves it alone
//! when it was there. `down` loses nothing; it is refused, with the names, while a column elsewhere
//! uses the type.

use sea_orm_migration::prelude::*;

const UP: &str = r#"
do $$
begin
    if not exists (select from pg_extension where extname = 'citext') then
        create extension citext;
        comment on extension citext is 'data type for case-insensitive character strings; installed by identitydb';
    elsif to_regtype('citext') is null then
        raise exception 'the extension citext is in the schema %, which is not on the search path', (
            select extnamespace::regnamespace from pg_extension where extname = 'citext'
        ) using hint = 'Add that schema to search_path, after the one that the tables go to.';
    end if;
end
$$;
"#;

const DOWN: &str = r#"
do $$
begin
    if (
        select obj_description(oid, 'pg_extension') like '%; installed by identitydb'
        from pg_extension where extname = 'citext'
    ) then
        drop extension citext;
    end if;
end
$$;
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
