//! A `down` that does not restore the catalog.

use super::{Sql, left, sql, users, verify};

#[tokio::test]
async fn an_index_that_down_forgets_to_restore() {
    let found = verify!(users(), sql("m2", "drop index users_email_idx", "select 1"));
    assert_eq!(
        left(&found),
        ["- index users_email_idx: CREATE INDEX users_email_idx ON public.users USING btree (email)"]
    );
}

#[tokio::test]
async fn an_index_that_down_leaves() {
    let found = verify!(users(), sql("m2", "create index users_age_idx on users (age)", "select 1"));
    assert_eq!(
        left(&found),
        ["+ index users_age_idx: CREATE INDEX users_age_idx ON public.users USING btree (age)"]
    );
}

#[tokio::test]
async fn an_index_that_down_leaves_invalid() {
    const INVALID: &str = "drop index users_email_idx; create index users_email_idx on users (email);
        update pg_index set indisvalid = false where indexrelid = 'users_email_idx'::regclass";
    let found = verify!(users(), sql("m2", "select 1", INVALID));
    assert_eq!(
        left(&found),
        [
            "- index users_email_idx: CREATE INDEX users_email_idx ON public.users USING btree (email)",
            "+ index users_email_idx: CREATE INDEX users_email_idx ON public.users USING btree (email), invalid"
        ]
    );
}

#[tokio::test]
async fn a_type_that_down_leaves() {
    const UP: &str = "create type mood as enum ('good', 'bad'); alter table users add column mood mood";
    let found = verify!(users(), sql("m2", UP, "alter table users drop column mood"));
    assert_eq!(left(&found), ["+ enum mood: good, bad"]);
}

#[tokio::test]
async fn a_function_that_down_leaves_changed() {
    let found = verify!(
        users(),
        sql(
            "m2",
            "create or replace function one() returns integer language sql return 2",
            "create or replace function one() returns integer language sql return 3"
        )
    );
    let left = left(&found);
    assert!(left.len() == 2 && left[0].contains("RETURN 1") && left[1].contains("RETURN 3"), "{left:?}");
}

#[tokio::test]
async fn a_comment_that_down_leaves() {
    let found = verify!(users(), sql("m2", "comment on column users.age is 'In years.'", "select 1"));
    assert_eq!(left(&found), ["+ comment table column public.users.age: In years."]);
}

#[tokio::test]
async fn a_trigger_that_down_leaves_disabled() {
    const UP: &str = "create function nothing() returns trigger language plpgsql as 'begin return new; end';
        create trigger nothing before insert on users for each row execute function nothing()";
    let found = verify!(
        users(),
        sql("m2", UP, "drop trigger nothing on users; drop function nothing()"),
        sql("m3", "select 1", "alter table users disable trigger nothing")
    );
    let left = left(&found);
    assert!(left.len() == 2 && left[0].ends_with("enabled O") && left[1].ends_with("enabled D"), "{left:?}");
}

#[tokio::test]
async fn a_sequence_that_down_leaves() {
    let found = verify!(users(), sql("m2", "create sequence numbers", "select 1"));
    assert!(left(&found)[0].starts_with("+ sequence numbers: bigint, start 1"));
}

#[tokio::test]
async fn a_grant_that_down_leaves_and_none_where_it_revokes_it() {
    let found = verify!(users(), sql("m2", "grant select on users to public", "select 1"));
    let lines = left(&found);
    assert!(lines[1].starts_with("+ table users: permanent, granted =r/"), "{lines:?}");
    let found = verify!(
        users(),
        sql("m2", "grant select on users to public", "revoke select on users from public"),
        sql("m3", "grant update (age) on users to public", "revoke update (age) on users from public")
    );
    assert!(found.is_sound(), "{found:#?}");
}

#[tokio::test]
async fn an_extension_that_down_leaves() {
    let found = verify!(users(), sql("m2", "create extension citext", "select 1"));
    assert!(left(&found).iter().any(|line| line.starts_with("+ extension citext: version ")));
}

#[tokio::test]
async fn a_policy_and_row_security_that_down_leaves() {
    const UP: &str =
        "alter table users enable row level security; create policy own on users using (age > 1)";
    let found = verify!(users(), sql("m2", UP, "select 1"));
    assert_eq!(
        left(&found),
        [
            "- table users: permanent",
            "+ policy users.own: *, {-}, using (age > 1)",
            "+ table users: permanent, row security"
        ]
    );
}

#[tokio::test]
async fn a_default_that_down_does_not_restore() {
    let found = verify!(users(), sql("m2", "alter table users alter name drop default", "select 1"));
    assert_eq!(
        left(&found),
        [
            "- column users.name: position 2, text, not null, default 'nobody'::text",
            "+ column users.name: position 2, text, not null"
        ]
    );
}

#[tokio::test]
async fn a_not_null_that_down_does_not_restore() {
    let found = verify!(users(), sql("m2", "alter table users alter email drop not null", "select 1"));
    assert_eq!(
        left(&found),
        ["- column users.email: position 3, text, not null", "+ column users.email: position 3, text, null"]
    );
}

#[tokio::test]
async fn a_column_that_down_restores_with_another_type() {
    let found = verify!(
        users(),
        sql("m2", "alter table users alter age type bigint", "alter table users alter age type numeric")
    );
    assert_eq!(
        left(&found),
        ["- column users.age: position 4, integer, null", "+ column users.age: position 4, numeric, null"]
    );
}

#[tokio::test]
async fn what_down_leaves_beside_tables() {
    let mut missed = Vec::new();
    for (up, expected) in [
        ("create rule quiet as on delete to users do instead nothing", "+ rule users.quiet: "),
        (
            "create statistics pairs on email, age from users",
            "+ extended statistics public.pairs: CREATE STATISTICS",
        ),
        ("alter default privileges grant select on tables to public", "+ default privileges r "),
        ("create collation german (provider = icu, locale = 'de')", "+ collation public.german: "),
        ("create cast (text as integer) with inout", "+ cast (pg_catalog.text AS integer): e, i"),
        (
            "create function eq(text, integer) returns boolean language sql return true;
             create operator === (leftarg = text, rightarg = integer, function = eq)",
            "+ operator public.===(pg_catalog.text,integer): eq",
        ),
        (
            "create text search configuration words (copy = english)",
            "+ text search configuration public.words: ",
        ),
        (
            "create text search dictionary stems (template = simple)",
            "+ text search dictionary public.stems: ",
        ),
        ("create schema audit", "+ schema audit: "),
        ("create schema audit; create table audit.entries (id integer)", "+ table audit.entries: permanent"),
        (
            "create function logs() returns event_trigger language plpgsql as 'begin end';
             create event trigger logs on ddl_command_end execute function logs()",
            "+ event trigger logs: ddl_command_end, logs(), enabled O",
        ),
        (
            "create publication all_of_it for table users",
            "+ publication all_of_it: insert, update, delete, truncate, users",
        ),
        ("create type pair as (a integer, b text)", "+ composite type pair: "),
        (
            "create domain year as integer check (value > 0)",
            "+ constraint year.year_check: CHECK ((VALUE > 0))",
        ),
        ("create materialized view names as select name from users with no data", "not populated"),
        (
            "create aggregate total(integer) (sfunc = int4pl, stype = integer, initcond = '0')",
            "+ aggregate total(integer): int4pl of integer starting at '0'",
        ),
        ("create procedure nothing() language sql as ''", "+ procedure nothing()"),
        ("alter table users alter email set storage external", "storage e"),
        ("alter table users replica identity full", "replica identity f"),
        ("comment on schema public is 'Ours.'", "+ comment schema public: Ours."),
        (
            "create foreign data wrapper nowhere; create server far foreign data wrapper nowhere",
            "+ foreign server far: nowhere",
        ),
        ("alter domain age_in_years drop not null", "+ domain age_in_years: integer"),
        ("revoke execute on function one() from public", ", granted "),
        (
            "do $$ begin execute format('alter database %I set work_mem to ''8MB''', current_database()); end $$",
            "work_mem=8MB",
        ),
    ] {
        let found = left_by(up).await;
        if !found.iter().any(|line| line.contains(expected)) {
            missed.push((up, found));
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

/// What a `down` that does nothing leaves of `up`, which is compared without a migrator of its own for each.
async fn left_by(up: &str) -> Vec<String> {
    use sea_orm::ConnectionTrait;

    let db = crate::harness::TestDb::empty(crate::harness::Database::Ardb).await;
    let snapshot = async || migration_runner::catalog::snapshot_of_every_schema(&*db, &[]).await.unwrap();
    db.execute_unprepared(users().up).await.unwrap();
    db.execute_unprepared("create domain age_in_years as integer not null").await.unwrap();
    let before = snapshot().await;
    db.execute_unprepared(up).await.unwrap_or_else(|error| panic!("{up}: {error}"));
    before.difference(&snapshot().await)
}

#[tokio::test]
async fn a_down_that_drops_another_column_than_its_up_added() {
    let found = verify!(
        users(),
        sql("m2", "alter table users add column note text", "alter table users drop column age")
    );
    let findings = super::findings(&found);
    let [
        migration_runner::Finding::DownLeaves { difference },
        migration_runner::Finding::RowsLost { table, lost },
    ] = findings
    else {
        panic!("{findings:#?}")
    };
    assert_eq!(
        difference,
        &["- column users.age: position 4, integer, null", "+ column users.note: position 4, text, null"]
    );
    assert!(table == "users" && lost[0].ends_with("and is no column any more"), "{lost:?}");
}

#[tokio::test]
async fn a_column_that_down_restores_at_another_position() {
    let found = verify!(
        users(),
        sql("m2", "alter table users drop column email", "alter table users add column email text not null default ''");
        migration_runner::Claims::new().down_loses(&["users.email"])
    );
    let lines = left(&found);
    assert!(lines.contains(&"- column users.email: position 3, text, not null"), "{lines:?}");
    assert!(
        lines.contains(&"+ column users.email: position 4, text, not null, default ''::text"),
        "{lines:?}"
    );
}

#[tokio::test]
async fn a_migration_outside_a_transaction_is_verified_there() {
    let found = verify!(
        users(),
        Sql {
            name: "m2",
            up: "create index concurrently users_age_idx on users (age)",
            down: Some("drop index concurrently users_age_idx"),
            transaction: Some(false),
        }
    );
    assert!(found.is_sound(), "{found:#?}");
}
