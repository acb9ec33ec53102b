//! What the database roles may do.

use sea_orm::{ConnectionTrait, Statement};

use crate::harness::{Database, TestDb};

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

#[tokio::test]
async fn the_writer_changes_every_table_but_the_audit_trail_and_the_ledger() {
    let db = TestDb::migrated(Database::Identitydb).await;
    for line in rights(&db, "identitydb_writer").await {
        let (table, rights) = line.split_once(' ').unwrap();
        let expected = match table {
            "audit_events" => "si--",
            "identitydb_migrations" | "identitydb_migrations_log" => "----",
            _ => "siud",
        };
        assert_eq!(rights, expected, "{table}");
    }
}

#[tokio::test]
async fn the_reader_sees_what_holds_no_secret_and_changes_nothing() {
    let db = TestDb::migrated(Database::Identitydb).await;
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
