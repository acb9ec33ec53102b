create table {log} (
    id bigint generated always as identity primary key,
    runner text not null,
    migration text not null,
    action text not null check (action in ('up', 'down', 'baseline', 'repair')),
    transactional boolean not null,
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    duration interval generated always as (finished_at - started_at) stored,
    success boolean,
    error text,
    checksum text,
    depends_on_data boolean not null,
    up_sql text[] not null,
    down_sql text[] not null,
    program text not null,
    host text not null,
    role text not null default current_user
);

comment on table {log} is 'Every run of a migration, also those that failed; the ledger beside it says what is applied.';
comment on column {log}.runner is 'The name that the program gives to this set of migrations; several may share a ledger.';
comment on column {log}.action is 'up, down, baseline (marked as applied without being run) or repair (changed SQL accepted, an interrupted run settled).';
comment on column {log}.transactional is 'Whether it ran in the transaction of its run, so that a failure left nothing behind.';
comment on column {log}.finished_at is 'When its statements were done; null while it runs, or when the program was killed.';
comment on column {log}.success is 'Whether it is in the database; null while that is open, or when the program was killed.';
comment on column {log}.checksum is 'SHA-256 of up_sql and down_sql without comments and layout; null where the SQL depends on data.';
comment on column {log}.program is 'Name and version of the program that ran it.';

create index {log_index} on {log} (migration, id);
