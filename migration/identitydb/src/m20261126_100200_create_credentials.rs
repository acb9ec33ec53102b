//! Creates what people prove themselves with: `passwords`, `sessions`, `api_tokens`, `one_time_codes`,
//! `external_accounts`; and `origins`, where they came from.
//!
//! Locks: SHARE ROW EXCLUSIVE on `users` and `user_emails` for foreign keys (their writers wait, readers don't);
//! ACCESS EXCLUSIVE on the new tables, which nobody else can see yet. `down` takes ACCESS EXCLUSIVE on all.
//! `down` loses every credential: nobody is signed in, and nobody can sign in.

use sea_orm_migration::prelude::*;

const UP: &str = r#"
create table origins (
    id bigserial,
    user_id bigint not null,
    address text not null default '',
    agent text not null default '',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint origins_pkey primary key (id),
    constraint origins_user_id_fkey foreign key (user_id) references users (id),
    constraint origins_address_check check (octet_length(address) <= 64),
    constraint origins_agent_check check (char_length(agent) <= 256)
);

create unique index origins_user_id_address_agent_key on origins (user_id, address, agent) where deleted_at is null;
create index origins_user_id_idx on origins (user_id);

create trigger origins_set_updated_at before update on origins
    for each row execute function identitydb_set_updated_at();

comment on table origins is
    'Where a user acted from. Apart from what happened, so that it can be erased while the audit trail stays.';
comment on column origins.address is 'Network address as the service saw it; empty: unknown or erased.';
comment on column origins.agent is 'The program, as it called itself; empty: unknown or erased.';
comment on column origins.deleted_at is 'When it was erased; null: live.';
comment on index origins_user_id_address_agent_key is 'One row for each place; an erased one is used by nothing new.';

create table sessions (
    id bigserial,
    user_id bigint not null,
    origin_id bigint,
    secret_sha256 bytea not null,
    expires_at timestamptz not null,
    last_used_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint sessions_pkey primary key (id),
    constraint sessions_user_id_fkey foreign key (user_id) references users (id),
    constraint sessions_origin_id_fkey foreign key (origin_id) references origins (id),
    constraint sessions_secret_sha256_check check (octet_length(secret_sha256) = 32)
);

create unique index sessions_secret_sha256_key on sessions (secret_sha256) where deleted_at is null;
create index sessions_user_id_idx on sessions (user_id);
create index sessions_origin_id_idx on sessions (origin_id);

create trigger sessions_set_updated_at before update on sessions
    for each row execute function identitydb_set_updated_at();

comment on table sessions is 'A user who is signed in. An ended session never comes back.';
comment on column sessions.origin_id is 'Where it began; null: unknown.';
comment on column sessions.secret_sha256 is 'SHA-256 of the secret that only the browser has.';
comment on column sessions.last_used_at is 'To the minute; null: never.';
comment on column sessions.deleted_at is 'When it was ended; null: it goes on until it expires.';
comment on index sessions_secret_sha256_key is 'A secret is of one live session.';

create table passwords (
    id bigserial,
    user_id bigint not null,
    hash text not null,
    scheme integer not null,
    changed_at timestamptz not null,
    session_id bigint,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint passwords_pkey primary key (id),
    constraint passwords_user_id_fkey foreign key (user_id) references users (id),
    constraint passwords_session_id_fkey foreign key (session_id) references sessions (id),
    constraint passwords_hash_check check (octet_length(hash) <= 512 and hash like '$argon2id$%'),
    constraint passwords_scheme_check check (scheme > 0)
);

create unique index passwords_user_id_key on passwords (user_id) where deleted_at is null;
create index passwords_user_id_idx on passwords (user_id);
create index passwords_session_id_idx on passwords (session_id);

create trigger passwords_set_updated_at before update on passwords
    for each row execute function identitydb_set_updated_at();

create function identitydb_end_other_sessions() returns trigger
    language plpgsql
    as $$
begin
    update sessions set deleted_at = new.changed_at
    where user_id = new.user_id and deleted_at is null and id is distinct from new.session_id;
    return null;
end
$$;

comment on function identitydb_end_other_sessions() is
    'Trigger function: a password that is changed ends every session of its user but the one it was changed in.';

create trigger passwords_end_other_sessions after update of changed_at on passwords
    for each row execute function identitydb_end_other_sessions();

comment on table passwords is 'What a user''s password is checked against. A user has at most one that is live.';
comment on column passwords.hash is 'PHC string: algorithm, parameters, salt and hash.';
comment on column passwords.scheme is 'Version of the parameters; a lower one than the service''s is hashed anew at sign-in.';
comment on column passwords.changed_at is 'When the user chose it; hashing it anew leaves that as it is.';
comment on column passwords.session_id is 'The session it was changed in, which goes on; null: in none.';
comment on column passwords.deleted_at is 'When it was given up; null: live.';
comment on index passwords_user_id_key is 'One live password per user.';

create table api_tokens (
    id bigserial,
    user_id bigint not null,
    name text not null,
    hint text not null,
    secret_sha256 bytea not null,
    scopes text[] not null default '{}',
    expires_at timestamptz,
    last_used_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint api_tokens_pkey primary key (id),
    constraint api_tokens_user_id_fkey foreign key (user_id) references users (id),
    constraint api_tokens_name_check check (char_length(name) between 1 and 100),
    constraint api_tokens_hint_check check (char_length(hint) <= 8),
    constraint api_tokens_secret_sha256_check check (octet_length(secret_sha256) = 32),
    constraint api_tokens_scopes_check check (
        cardinality(scopes) <= 32 and array_position(scopes, null) is null
        and array_to_string(scopes, ' ') ~ '^([a-z][a-z0-9:-]{0,63}( [a-z][a-z0-9:-]{0,63})*)?$'
    )
);

create unique index api_tokens_secret_sha256_key on api_tokens (secret_sha256) where deleted_at is null;
create index api_tokens_user_id_idx on api_tokens (user_id);

create trigger api_tokens_set_updated_at before update on api_tokens
    for each row execute function identitydb_set_updated_at();

comment on table api_tokens is 'What a program shows instead of a password. A revoked token never comes back.';
comment on column api_tokens.name is 'What its user calls it.';
comment on column api_tokens.hint is 'The last characters of the token, to tell it by.';
comment on column api_tokens.secret_sha256 is 'SHA-256 of the token, which is of high entropy and nowhere kept.';
comment on column api_tokens.scopes is 'What it is good for, such as packages:read; none: what needs no scope.';
comment on column api_tokens.expires_at is 'From when on it is refused; null: it does not expire.';
comment on column api_tokens.last_used_at is 'To the minute; null: never.';
comment on column api_tokens.deleted_at is 'When it was revoked; null: live.';
comment on index api_tokens_secret_sha256_key is 'A secret is of one live token.';

create table one_time_codes (
    id bigserial,
    user_id bigint not null,
    user_email_id bigint,
    purpose text not null,
    code_sha256 bytea not null,
    attempts integer not null default 0,
    expires_at timestamptz not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint one_time_codes_pkey primary key (id),
    constraint one_time_codes_user_id_fkey foreign key (user_id) references users (id),
    constraint one_time_codes_user_email_id_fkey foreign key (user_email_id) references user_emails (id),
    constraint one_time_codes_purpose_check check (purpose in ('verify-email', 'reset-password')),
    constraint one_time_codes_code_sha256_check check (octet_length(code_sha256) = 32),
    constraint one_time_codes_attempts_check check (attempts between 0 and 5)
);

create unique index one_time_codes_user_id_purpose_key on one_time_codes (user_id, purpose) where deleted_at is null;
create index one_time_codes_user_id_idx on one_time_codes (user_id);
create index one_time_codes_user_email_id_idx on one_time_codes (user_email_id);

create trigger one_time_codes_set_updated_at before update on one_time_codes
    for each row execute function identitydb_set_updated_at();

comment on table one_time_codes is 'A code that was mailed to prove an address or to reset a password. It is good once.';
comment on column one_time_codes.user_email_id is 'The address that it was mailed to; null: the primary one at that time.';
comment on column one_time_codes.code_sha256 is 'SHA-256 of purpose, user and code.';
comment on column one_time_codes.attempts is 'Wrong guesses; the fifth is the last.';
comment on column one_time_codes.deleted_at is 'When it was used or replaced by a newer one; null: live.';
comment on index one_time_codes_user_id_purpose_key is 'The newest code is the only one.';

create table external_accounts (
    id bigserial,
    user_id bigint not null,
    provider text not null,
    host text not null,
    subject text not null,
    secret bytea,
    secret_key_name text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint external_accounts_pkey primary key (id),
    constraint external_accounts_user_id_fkey foreign key (user_id) references users (id),
    constraint external_accounts_provider_check check (provider ~ '^[a-z][a-z0-9-]{0,31}$'),
    constraint external_accounts_host_check check (host ~ '^[a-z0-9.-]{1,253}(:[0-9]{1,5})?$'),
    constraint external_accounts_subject_check check (char_length(subject) between 1 and 255),
    constraint external_accounts_secret_check check (octet_length(secret) between 40 and 16384),
    constraint external_accounts_secret_key_name_check check (secret_key_name ~ '^[a-z0-9][a-z0-9-]{0,31}$'),
    constraint external_accounts_secret_secret_key_name_check check (num_nulls(secret, secret_key_name) in (0, 2))
);

create unique index external_accounts_provider_host_subject_key on external_accounts (provider, host, subject)
    where deleted_at is null;
create index external_accounts_user_id_idx on external_accounts (user_id);
create index external_accounts_secret_key_name_idx on external_accounts (secret_key_name);

create trigger external_accounts_set_updated_at before update on external_accounts
    for each row execute function identitydb_set_updated_at();

comment on table external_accounts is
    'An account elsewhere that a user can sign in with. One that was unlinked is free for anybody who proves it.';
comment on column external_accounts.provider is 'What kind of service it is, such as github.';
comment on column external_accounts.host is 'Where it runs, in lower case, such as github.com.';
comment on column external_accounts.subject is 'What the service calls the account for ever; not a name that can change.';
comment on column external_accounts.secret is
    'What acts there for the user: nonce and XChaCha20-Poly1305 ciphertext, bound to this account; null: none is kept.';
comment on column external_accounts.secret_key_name is 'Which key the secret is encrypted with; null: there is no secret.';
comment on column external_accounts.deleted_at is 'When it was unlinked; null: live.';
comment on index external_accounts_provider_host_subject_key is 'A live account is linked to one user.';
"#;

const DOWN: &str = r#"
drop table external_accounts;
drop table one_time_codes;
drop table api_tokens;
drop table passwords;
drop function identitydb_end_other_sessions();
drop table sessions;
drop table origins;
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
