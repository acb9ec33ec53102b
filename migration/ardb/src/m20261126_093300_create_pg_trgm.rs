//! Makes sure that the extension `pg_trgm` (how alike two texts are, and indexes by it) is there.
//!
//! Locks: none that anybody waits for; PostgreSQL lets a user who may create objects in the database
//! install it (it is a trusted extension), no superuser needed.
//! An extension belongs to the whole database, and another program may have installed it before. The
//! comment on the extension remembers who did: `down` drops it when `up` created it and leaves it alone
//! when it was there. `down` loses nothing; it is refused, with the names, while an index elsewhere
//! uses the extension.

use sea_orm_migration::prelude::*;

const UP: &str = r#"
do $$
begin
    if not exists (select from pg_extension where extname = 'pg_trgm') then
        create extension pg_trgm;
        comment on extension pg_trgm is 'text similarity measurement and index searching based on trigrams; installed by ardb';
    elsif to_regtype('gtrgm') is null then
        raise exception 'the extension pg_trgm is in the schema %, which is not on the search path', (
            select extnamespace::regnamespace from pg_extension where extname = 'pg_trgm'
        ) using hint = 'Add that schema to search_path, after the one that the tables go to.';
    end if;
end
$$;
"#;

const DOWN: &str = r#"
do $$
begin
    if (
        select obj_description(oid, 'pg_extension') like '%; installed by ardb'
        from pg_extension where extname = 'pg_trgm'
    ) then
        drop extension pg_trgm;
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
