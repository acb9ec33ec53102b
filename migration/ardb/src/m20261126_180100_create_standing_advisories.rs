//! Creates the view `standing_advisories`: what reads say of an advisory, of those that are live and not withdrawn.
//!
//! Locks: none that anybody waits for, up or down.
//! `down` loses nothing.

use sea_orm_migration::prelude::*;

const UP: &str = r#"
create view standing_advisories as
select
    advisory.id,
    advisory.identifier,
    advisory.kind,
    advisory.summary,
    advisory.severity,
    array(
        select alias.alias
        from advisory_aliases alias
        where alias.advisory_id = advisory.id and alias.deleted_at is null
        order by alias.alias collate "C"
    ) as aliases
from advisories advisory
where advisory.withdrawn_at is null and advisory.deleted_at is null;

comment on view standing_advisories is
    'The advisories that are live and not withdrawn, with what reads say of one.';
comment on column standing_advisories.aliases is 'Live aliases, sorted by byte; empty: none.';
"#;

const DOWN: &str = "drop view standing_advisories;";

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
