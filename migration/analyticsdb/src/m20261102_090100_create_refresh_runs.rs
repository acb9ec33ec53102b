//! Creates `refresh_runs`, the history of how reports were computed.
//!
//! Locks: ACCESS EXCLUSIVE on the new table, which nobody else can see yet.
//! `down` loses the history, and with it how far the reports have come.

use sea_orm_migration::prelude::*;

const UP: &str = r#"
create table refresh_runs (
    id bigserial,
    report text not null,
    started_at timestamptz not null,
    finished_at timestamptz,
    watermark timestamptz,
    rows_changed bigint,
    error text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint refresh_runs_pkey primary key (id),
    constraint refresh_runs_report_check check (report ~ '^[a-z][a-z0-9_]{0,62}$'),
    constraint refresh_runs_rows_changed_check check (rows_changed >= 0),
    constraint refresh_runs_error_check check (error <> '')
);

create index refresh_runs_report_started_at_idx on refresh_runs (report, started_at);

create trigger refresh_runs_set_updated_at before update on refresh_runs
    for each row execute function analyticsdb_set_updated_at();

comment on table refresh_runs is
    'One computation of one report. Nothing is unique about a run, so a deleted one stands in nobody''s way.';
comment on column refresh_runs.report is 'The table that is computed.';
comment on column refresh_runs.finished_at is 'When it ended, well or not; null: still running, or killed.';
comment on column refresh_runs.watermark is
    'The newest change in ardb that the report covers; null: the run has not finished, has failed, or ardb was empty.';
comment on column refresh_runs.rows_changed is
    'Rows of the report that the run inserted, updated or deleted; null: the run has not finished or has failed.';
comment on column refresh_runs.error is 'Why it failed; null: it did not.';
comment on column refresh_runs.deleted_at is 'When the row was deleted; null: live.';
"#;

const DOWN: &str = "drop table refresh_runs;";

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
