//! Guards what no CHECK can: an organization keeps an owner, a user with addresses keeps a primary one. Adds
//! `user_emails.bounced_at`.
//!
//! Locks: ACCESS EXCLUSIVE on `user_emails` for the column (no rewrite: it is null), SHARE ROW EXCLUSIVE on
//! `users`, `organizations` and `organizations_users` for their triggers. `down` takes ACCESS EXCLUSIVE on all
//! four.
//! Rows that are there already are not looked at: an organization that has lost its owners can be given one.
//! `down` loses which addresses bounce.

use sea_orm_migration::prelude::*;

const UP: &str = r#"
alter table user_emails add column bounced_at timestamptz;

comment on column user_emails.bounced_at is
    'When mail to the address came back for good; null: not since the address was given or verified.';

create function identitydb_require_owner(organization bigint) returns void
    language plpgsql
    as $$
begin
    -- Who takes an owner away waits here for whoever else does, and then sees what the other has left.
    if current_setting('transaction_isolation') = 'read committed' then
        perform from organizations where id = organization and deleted_at is null for no key update;
    else
        -- An older snapshot would not show it after the wait; an update fails instead (40001).
        update organizations set id = id where id = organization and deleted_at is null;
    end if;
    if found and not exists (
        select from organizations_users m join users u on u.id = m.user_id
        where m.organization_id = organization and m.role = 'owner' and m.deleted_at is null and u.deleted_at is null
    ) then
        raise exception 'organization % would be left without an owner', organization
            using errcode = 'check_violation', constraint = 'organizations_users_owner_check',
                hint = 'Make another member an owner first, or delete the organization.';
    end if;
end
$$;

comment on function identitydb_require_owner(bigint) is
    'Locks a live organization until the transaction ends and fails if no live user owns it.';

create function identitydb_keep_owner() returns trigger
    language plpgsql
    as $$
begin
    if tg_table_name = 'organizations_users' then
        perform identitydb_require_owner(old.organization_id);
    elsif tg_table_name = 'organizations' then
        perform identitydb_require_owner(new.id);
    else
        perform identitydb_require_owner(organization_id) from (
            select organization_id from organizations_users
            where user_id = new.id and role = 'owner' and deleted_at is null order by organization_id
        ) as owned;
    end if;
    return null;
end
$$;

comment on function identitydb_keep_owner() is
    'Trigger function: no organization is without an owner once the transaction has ended.';

create constraint trigger organizations_users_keep_owner after update or delete on organizations_users
    deferrable initially deferred for each row
    when (old.role = 'owner' and old.deleted_at is null)
    execute function identitydb_keep_owner();
create constraint trigger users_keep_owner after update of deleted_at on users
    deferrable initially deferred for each row
    when (old.deleted_at is null and new.deleted_at is not null)
    execute function identitydb_keep_owner();
create constraint trigger organizations_keep_owner after update of deleted_at on organizations
    deferrable initially deferred for each row
    when (old.deleted_at is not null and new.deleted_at is null)
    execute function identitydb_keep_owner();

create function identitydb_keep_primary_email() returns trigger
    language plpgsql
    as $$
declare
    of_user bigint;
begin
    if tg_op <> 'DELETE' and new.is_primary and new.deleted_at is null
        and (tg_op = 'INSERT' or old.user_id = new.user_id) then
        return null;
    end if;
    for of_user in
        select distinct u from unnest(array[
            case when tg_op <> 'INSERT' then old.user_id end, case when tg_op <> 'DELETE' then new.user_id end
        ]) as u where u is not null order by u
    loop
        perform from users where id = of_user for no key update;
        if exists (select from user_emails where user_id = of_user and deleted_at is null)
            and not exists (select from user_emails where user_id = of_user and is_primary and deleted_at is null) then
            raise exception 'user % would be left without a primary address', of_user
                using errcode = 'check_violation', constraint = 'user_emails_primary_check',
                    hint = 'Make another address the primary one first.';
        end if;
    end loop;
    return null;
end
$$;

comment on function identitydb_keep_primary_email() is
    'Trigger function: a user with live addresses has a primary one once the transaction has ended.';

create constraint trigger user_emails_keep_primary after insert or update or delete on user_emails
    deferrable initially deferred for each row execute function identitydb_keep_primary_email();
"#;

const DOWN: &str = r#"
drop trigger user_emails_keep_primary on user_emails;
drop function identitydb_keep_primary_email();
drop trigger organizations_keep_owner on organizations;
drop trigger users_keep_owner on users;
drop trigger organizations_users_keep_owner on organizations_users;
drop function identitydb_keep_owner();
drop function identitydb_require_owner(bigint);
alter table user_emails drop column bounced_at;
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
