//! Creates `audit_events`, which only grows, with a partition per month; and `erasure_requests`.
//!
//! Locks: SHARE ROW EXCLUSIVE on `users` and `origins` for foreign keys (their writers wait, readers don't);
//! ACCESS EXCLUSIVE on the new tables, which nobody else can see yet. `down` takes ACCESS EXCLUSIVE on all.
//! Later, `identitydb_add_audit_month` takes ACCESS EXCLUSIVE on `audit_events` for the moment in which an empty
//! partition is added.
//! `down` loses the audit trail, and which erasures are still to be carried out elsewhere.

use sea_orm_migration::prelude::*;

const UP: &str = r#"
create table audit_events (
    id bigserial,
    occurred_at timestamptz not null,
    actor_user_id bigint,
    origin_id bigint,
    action text not null,
    object_kind text not null,
    object_id bigint not null,
    before jsonb,
    after jsonb,
    constraint audit_events_pkey primary key (id, occurred_at),
    constraint audit_events_actor_user_id_fkey foreign key (actor_user_id) references users (id),
    constraint audit_events_origin_id_fkey foreign key (origin_id) references origins (id),
    constraint audit_events_action_check check (action ~ '^[a-z][a-z-]*$'),
    constraint audit_events_object_kind_check check (object_kind ~ '^[a-z][a-z-]*$')
) partition by range (occurred_at);

create index audit_events_object_kind_object_id_id_idx on audit_events (object_kind, object_id, id);
create index audit_events_actor_user_id_id_idx on audit_events (actor_user_id, id);
create index audit_events_origin_id_idx on audit_events (origin_id);

create function identitydb_refuse_change() returns trigger
    language plpgsql
    as $$
begin
    raise exception '% only grows: % is refused', tg_table_name, lower(tg_op)
        using errcode = 'insufficient_privilege', hint = 'A month that need not be kept is dropped as a partition.';
end
$$;

comment on function identitydb_refuse_change() is 'Trigger function: what is written stays as it is, whoever asks.';

create trigger audit_events_refuse_change before update or delete on audit_events
    for each row execute function identitydb_refuse_change();
create trigger audit_events_refuse_truncate before truncate on audit_events
    for each statement execute function identitydb_refuse_change();
-- Also in a session that replays what another server has done.
alter table audit_events enable always trigger audit_events_refuse_change;
alter table audit_events enable always trigger audit_events_refuse_truncate;

comment on table audit_events is
    'Who did what to what, from where. Rows are added and never changed; nothing in them tells who a person is.';
comment on column audit_events.occurred_at is 'When it was done, as the service was told; the partitions are by month, UTC.';
comment on column audit_events.actor_user_id is 'Who did it; null: an operator, the system, or somebody who was not signed in.';
comment on column audit_events.origin_id is 'From where; null: not known.';
comment on column audit_events.action is 'Such as register, rename, add-member, change-role.';
comment on column audit_events.object_kind is 'What it was done to, such as user, organization, team.';
comment on column audit_events.object_id is 'The id of the row that it was done to.';
comment on column audit_events.before is
    'What has changed, as it was: roles, scopes, times, other ids; never a secret, a name or an address; null: nothing to tell.';
comment on column audit_events.after is 'The same, as it became; null: nothing to tell.';

create table audit_events_default partition of audit_events default;
create trigger audit_events_default_refuse_truncate before truncate on audit_events_default
    for each statement execute function identitydb_refuse_change();
comment on table audit_events_default is 'What was done in a month that had no partition at that time.';

create function identitydb_add_audit_month(day date) returns boolean
    language plpgsql security definer set search_path from current
    as $$
declare
    part text := to_char(day, '"audit_events_"YYYY_MM');
    opens timestamptz := date_trunc('month', day::timestamp) at time zone 'UTC';
    closes timestamptz := (date_trunc('month', day::timestamp) + interval '1 month') at time zone 'UTC';
begin
    perform pg_advisory_xact_lock(hashtext('identitydb_add_audit_month'));
    if to_regclass(part) is not null
        or exists (select from audit_events_default where occurred_at >= opens and occurred_at < closes) then
        return false;
    end if;
    execute format('create table %I partition of audit_events for values from (%L) to (%L)', part, opens, closes);
    execute format('create trigger %I before truncate on %I for each statement execute function identitydb_refuse_change()',
        part || '_refuse_truncate', part);
    return true;
end
$$;

revoke execute on function identitydb_add_audit_month(date) from public;
comment on function identitydb_add_audit_month(date) is
    'Adds the partition for the month of a day; false: it is there, or the month has begun in audit_events_default.';

create table erasure_requests (
    id bigserial,
    user_id bigint not null,
    actor_digests text[] not null,
    completed_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint erasure_requests_pkey primary key (id),
    constraint erasure_requests_user_id_fkey foreign key (user_id) references users (id),
    constraint erasure_requests_actor_digests_check check (cardinality(actor_digests) <= 1000)
);

create unique index erasure_requests_user_id_key on erasure_requests (user_id) where deleted_at is null;
create index erasure_requests_user_id_idx on erasure_requests (user_id);

create trigger erasure_requests_set_updated_at before update on erasure_requests
    for each row execute function identitydb_set_updated_at();

comment on table erasure_requests is
    'A user who was erased here, and whose traces elsewhere, such as in the events, are still to be.';
comment on column erasure_requests.actor_digests is
    'SHA-256, in lower-case hex, of each name, address and external subject that the user went by, in lower case.';
comment on column erasure_requests.completed_at is 'When the traces were gone everywhere; null: not yet.';
comment on column erasure_requests.deleted_at is 'When the row was deleted; null: live.';
comment on index erasure_requests_user_id_key is 'A user is erased once.';
"#;

const DOWN: &str = r#"
drop table erasure_requests;
drop function identitydb_add_audit_month(date);
drop table audit_events;
drop function identitydb_refuse_change();
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
