//! What the database roles may do. That the service needs no more than the writer may, every other test of it shows.

use migration_runner::Extent;
use sea_orm::sqlx::{self, AssertSqlSafe, Connection as _, PgConnection, raw_sql};
use sea_orm::{ConnectionTrait, Statement};
use service::identitydb::{audit_event, user};

use super::{create, noon, register};
use crate::harness::TestDb;

/// Each table with the letters of what the role may: select, insert, update, delete.
async fn rights(db: &TestDb, role: &str) -> Vec<String> {
    let sql = "
        select format('%s %s', c.relname, (
            select string_agg(case when has_table_privilege($1, c.oid, right_) then left(right_, 1) else '-' end, '' order by at)
            from unnest(array['select', 'insert', 'update', 'delete']) with ordinality as r (right_, at))) as line
        from pg_class c
        where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
        order by c.relname collate \"C\"";
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, [role.into()]);
    let rows = db.query_all_raw(statement).await.expect("the query runs");
    rows.into_iter().map(|row| row.try_get("", "line").expect("it is text")).collect()
}

/// A session that is nobody but `role`.
async fn session(db: &TestDb, role: &str) -> PgConnection {
    PgConnection::connect(&db.url_as(role)).await.expect("the role is there")
}

/// What the server says to a statement that it must refuse.
async fn refusal(connection: &mut PgConnection, sql: &str) -> String {
    let refused = raw_sql(AssertSqlSafe(sql)).execute(connection).await;
    refused.err().unwrap_or_else(|| panic!("{sql} was done")).to_string()
}

#[tokio::test]
async fn the_writer_changes_every_table_but_the_audit_trail_and_the_ledger() {
    let db = TestDb::served().await;
    for line in rights(&db, "identitydb_writer").await {
        let (table, rights) = line.split_once(' ').unwrap();
        let expected = match table {
            "audit_events" => "si--",
            "identitydb_migrations" | "identitydb_migrations_log" => "s---",
            _ => "siud",
        };
        assert_eq!(rights, expected, "{table}");
    }
}

#[tokio::test]
async fn the_reader_sees_what_holds_no_secret_and_changes_nothing() {
    let db = TestDb::served().await;
    let readable: Vec<String> = rights(&db, "identitydb_reader")
        .await
        .into_iter()
        .filter_map(|line| {
            let (table, rights) = line.split_once(' ').unwrap();
            assert!(rights == "s---" || rights == "----", "{line}");
            (rights == "s---").then(|| table.to_owned())
        })
        .collect();
    let expected = [
        "audit_events",
        "erasure_requests",
        "names",
        "organizations",
        "organizations_users",
        "permissions",
        "roles",
        "teams",
        "teams_users",
        "user_emails",
        "users",
    ];
    assert_eq!(readable, expected);
}

#[tokio::test]
async fn the_reader_reads_people_and_is_refused_their_secrets_and_every_write() {
    let db = TestDb::served().await;
    let ada = register(&db, "ada").await;
    create(&db, "acme", ada.id).await;
    let mut reader = session(&db, "identitydb_reader").await;
    let sql = "select count(*) from users join organizations_users m on m.user_id = users.id join audit_events e on true";
    let count: i64 = sqlx::query_scalar(sql).fetch_one(&mut reader).await.unwrap();
    assert_eq!(count, 2);
    for sql in [
        "select hash from passwords",
        "select secret_sha256 from sessions",
        "select secret_sha256 from api_tokens",
        "select code_sha256 from one_time_codes",
        "select secret from external_accounts",
        "select secret_sha256 from invitations",
        "select address from origins",
        "insert into users (name) values ('eve')",
        "update users set display_name = 'Eve'",
        "delete from users",
        "select nextval('users_id_seq')",
        "insert into audit_events (occurred_at, action, object_kind, object_id) values (now(), 'a', 'b', 1)",
        "select identitydb_add_audit_month('2026-12-01')",
        "create table mine ()",
    ] {
        let refused = refusal(&mut reader, sql).await;
        assert!(refused.contains("permission denied"), "{sql}: {refused}");
    }
}

#[tokio::test]
async fn the_writer_changes_neither_the_schema_nor_what_it_is_held_by() {
    let db = TestDb::served().await;
    let ada = register(&db, "ada").await;
    audit_event::add_month(&*db, noon().date_naive()).await.unwrap();
    let mut writer = session(&db, "identitydb_writer").await;
    for sql in [
        "create table mine ()",
        "create schema mine",
        "create function mine() returns int language sql as 'select 1'",
        "create extension pg_trgm",
        "create role mine",
        "alter table users add column mine int",
        "alter table organizations_users disable trigger all",
        "drop trigger organizations_users_keep_owner on organizations_users",
        "create trigger mine before update on users for each row execute function identitydb_set_updated_at()",
        "create index mine on users (display_name)",
        "drop table users",
        "truncate sessions",
        "comment on table users is 'mine'",
        "alter table users owner to identitydb_writer",
        "create or replace function identitydb_require_owner(organization bigint) returns void language sql as ''",
        "alter function identitydb_keep_owner() owner to identitydb_writer",
        "select setval('users_id_seq', 1)",
        "insert into identitydb_migrations (version, applied_at) values ('mine', 0)",
        "delete from identitydb_migrations",
        "update identitydb_migrations_log set success = true",
        "set session_replication_role = replica",
    ] {
        let refused = refusal(&mut writer, sql).await;
        let is_refused = refused.contains("permission denied") || refused.contains("must be owner");
        assert!(is_refused, "{sql}: {refused}");
    }
    assert_eq!(user::by_name(&*db, "ada").await.unwrap(), Some(ada));
}

#[tokio::test]
async fn all_that_is_of_identitydb_belongs_to_its_owner_whoever_migrates() {
    let others = "
        select format('%s is of %s', what, pg_get_userbyid(owner)) as line from (
            select relname::text as what, relowner as owner from pg_class
            where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p', 'v', 'm', 'S')
                and relname not like 'identitydb\\_migrations%'
            union all
            select oid::regprocedure::text, proowner from pg_proc p
            where pronamespace = current_schema()::regnamespace
                and not exists (select from pg_depend where classid = 'pg_proc'::regclass and objid = p.oid and deptype = 'e')
        ) as objects
        where owner <> 'identitydb_owner'::regrole order by 1";
    let as_owner = TestDb::served().await;
    audit_event::add_month(&*as_owner, noon().date_naive()).await.unwrap();
    let as_superuser = TestDb::migrated(crate::harness::Database::Identitydb).await;
    for db in [as_owner, as_superuser] {
        let statement = Statement::from_string(db.get_database_backend(), others);
        let rows = db.query_all_raw(statement).await.unwrap();
        let lines: Vec<String> = rows.iter().map(|row| row.try_get("", "line").unwrap()).collect();
        assert_eq!(lines, Vec::<String>::new());
    }
}

/// It would take its own rights away, and leave tables that nobody can use.
#[tokio::test]
async fn the_owner_itself_is_told_to_go_down_as_a_login_that_is_a_member() {
    let db = TestDb::served().await;
    let as_owner = sea_orm::Database::connect(db.url_as("identitydb_owner")).await.unwrap();
    let refused =
        migration_identitydb::runner().down(&as_owner, &Extent::Count(1)).await.unwrap_err().to_string();
    assert!(refused.contains("identitydb_owner can't hand over to itself"), "{refused}");
    as_owner.close().await.unwrap();
}
