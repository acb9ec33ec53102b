//! Creates `import_runs` and `import_errors`: what was imported when, how it ended, and what was rejected.
//!
//! Locks: ACCESS EXCLUSIVE on the new tables, which nobody else can see yet.
//! `down` loses the record of every run; what the runs imported stays.

use sea_orm_migration::prelude::*;

const UP: &str = r#"
create table import_runs (
    id bigserial,
    importer text not null,
    source text not null,
    started_at timestamptz not null,
    finished_at timestamptz,
    outcome text,
    error text,
    counts jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint import_runs_pkey primary key (id),
    constraint import_runs_importer_check check (importer ~ '^[a-z][a-z0-9-]{0,62}$'),
    constraint import_runs_source_check check (source <> ''),
    constraint import_runs_finished_at_outcome_check check ((finished_at is null) = (outcome is null)),
    constraint import_runs_outcome_check check (outcome in ('done', 'failed')),
    constraint import_runs_error_check check (error <> ''),
    constraint import_runs_counts_check check (jsonb_typeof(counts) = 'object')
);

create index import_runs_started_at_idx on import_runs (started_at);

create trigger import_runs_set_updated_at before update on import_runs
    for each row execute function ardb_set_updated_at();

comment on table import_runs is 'One run of one importer over one input.';
comment on column import_runs.importer is 'As archer import calls it, such as osv.';
comment on column import_runs.source is 'The file or folder, as it was given.';
comment on column import_runs.finished_at is 'When it ended; null: it is running, or was killed.';
comment on column import_runs.outcome is
    'done (records may have been rejected) or failed; null: it is running, or was killed.';
comment on column import_runs.error is 'Why it failed; null: it did not.';
comment on column import_runs.counts is
    'What it did, an object: documents, rows by table, rejected_total, skipped; empty until it ends.';
comment on column import_runs.deleted_at is 'When the row was deleted; null: live.';

create table import_errors (
    id bigserial,
    import_run_id bigint not null,
    place text not null,
    reason text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint import_errors_pkey primary key (id),
    constraint import_errors_import_run_id_fkey foreign key (import_run_id) references import_runs (id),
    constraint import_errors_place_check check (place <> ''),
    constraint import_errors_reason_check check (reason <> '')
);

create index import_errors_import_run_id_idx on import_errors (import_run_id);

create trigger import_errors_set_updated_at before update on import_errors
    for each row execute function ardb_set_updated_at();

comment on table import_errors is 'A record that a run of an importer rejected.';
comment on column import_errors.place is 'File and line, an archive''s entry, or a file.';
comment on column import_errors.reason is 'What is wrong with it, and what was expected.';
comment on column import_errors.deleted_at is 'When the row was deleted; null: live.';
"#;

const DOWN: &str = r#"
drop table import_errors;
drop table import_runs;
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
