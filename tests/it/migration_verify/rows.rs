//! A `down` that loses rows, or fails because of them.

use migration_runner::{Claims, Finding};

use super::{Sql, findings, sql, users, verify};

fn lost(found: &[Finding]) -> (&str, &[String]) {
    match found {
        [Finding::RowsLost { table, lost }] => (table, lost),
        other => panic!("{other:#?}"),
    }
}

#[tokio::test]
async fn rows_that_down_empties_out() {
    let found = verify!(users(), sql("m2", "create sequence s", "drop sequence s; truncate users"));
    let (table, rows) = lost(findings(&found));
    assert_eq!((table, rows.len()), ("users", 3));
    assert!(rows.iter().all(|row| row.ends_with("is gone")), "{rows:?}");
}

#[tokio::test]
async fn rows_of_a_table_that_is_dropped_and_created_again_unless_that_is_claimed() {
    const UP: &str = "drop table notes";
    const DOWN: &str = "create table notes (id bigint primary key, content text)";
    let found = verify!(sql("m1", DOWN, UP), sql("m2", UP, DOWN));
    assert_eq!(lost(findings(&found)).0, "notes");
    let found = verify!(sql("m1", DOWN, UP), sql("m2", UP, DOWN) ; Claims::new().down_loses(&["notes"]));
    assert!(found.is_sound(), "{found:#?}");
}

#[tokio::test]
async fn values_that_up_changes_without_a_way_back_unless_that_is_claimed() {
    let found = verify!(users(), sql("m2", "update users set email = 'x' || email", "select 1"));
    let (table, rows) = lost(findings(&found));
    assert_eq!(table, "users");
    assert!(rows[0].contains("email was") && rows[0].contains("and is \"x"), "{rows:?}");
    let found = verify!(
        users(),
        sql("m2", "update users set email = 'x' || email", "select 1");
        Claims::new().down_loses(&["users.email"])
    );
    assert!(found.is_sound(), "{found:#?}");
}

#[tokio::test]
async fn values_that_down_changes_back_are_no_finding() {
    let found = verify!(
        users(),
        sql("m2", "update users set email = 'x' || email", "update users set email = substr(email, 2)")
    );
    assert!(found.is_sound(), "{found:#?}");
}

#[tokio::test]
async fn a_down_that_is_not_written() {
    let found = verify!(users(), Sql { down: None, ..sql("m2", "create sequence s", "") });
    assert_eq!(findings(&found), [Finding::DownNotWritten]);
}

#[tokio::test]
async fn a_down_that_fails_where_rows_are() {
    const UP: &str = "alter table users drop column email";
    const DOWN: &str = "alter table users add column email text not null";
    let found = verify!(users(), sql("m2", UP, DOWN));
    let [Finding::DownFailed { error }] = findings(&found) else { panic!("{found:#?}") };
    assert!(error.contains("column \"email\" of relation \"users\" contains null values"), "{error}");
}

#[tokio::test]
async fn an_up_that_meets_what_its_down_left_in_a_table() {
    const TABLE: Sql = sql("m1", "create table kinds (name text primary key)", "drop table kinds");
    let found = verify!(TABLE, sql("m2", "insert into kinds values ('first')", "select 1"));
    let [Finding::UpAgainFailed { error }] = findings(&found) else { panic!("{found:#?}") };
    assert!(error.contains("kinds_pkey"), "{error}");
}

#[tokio::test]
async fn an_up_that_leads_elsewhere_the_second_time() {
    const UP: &str = "create sequence if not exists other.counted;
        do $$ begin if nextval('other.counted') > 1 then create sequence only_later; end if; end $$";
    let found = verify!(
        sql("m1", "create schema other; create sequence other.counted", "drop schema other cascade"),
        sql("m2", UP, "drop sequence if exists only_later")
    );
    let [Finding::UpAgainDiffers { difference }] = findings(&found) else { panic!("{found:#?}") };
    assert!(difference[0].starts_with("+ sequence only_later"), "{difference:?}");
}

#[tokio::test]
async fn an_up_that_fails_where_rows_are_ends_the_verification() {
    let found = verify!(
        users(),
        sql("m2", "alter table users add column nick text not null", "alter table users drop column nick"),
        sql("m3", "select 1", "select 1")
    );
    let [first, second] = &*found.migrations else { panic!("{found:#?}") };
    assert_eq!(first.findings, []);
    let [Finding::UpFailed { error }] = &*second.findings else { panic!("{found:#?}") };
    assert!(error.contains("contains null values"), "{error}");
    assert!(second.findings[0].to_string().contains("what comes after it was not verified"));
}

#[tokio::test]
async fn an_error_that_a_migration_swallows_in_its_transaction() {
    struct Swallowing;

    impl sea_orm_migration::MigrationName for Swallowing {
        fn name(&self) -> &str {
            "m1"
        }
    }

    #[sea_orm_migration::async_trait::async_trait]
    impl sea_orm_migration::MigrationTrait for Swallowing {
        async fn up(&self, manager: &sea_orm_migration::SchemaManager) -> Result<(), sea_orm::DbErr> {
            use sea_orm::ConnectionTrait;

            let _ = manager.get_connection().execute_unprepared("select no_such_column").await;
            Ok(())
        }
    }

    let found = verify!(Swallowing);
    let [Finding::UpFailed { error }] = findings(&found) else { panic!("{found:#?}") };
    assert!(error.contains("current transaction is aborted"), "{error}");
}

#[tokio::test]
async fn a_finding_does_not_keep_the_later_migrations_from_being_verified() {
    let found = verify!(
        users(),
        sql("m2", "create sequence a", "select 1"),
        sql("m3", "create sequence b", "drop sequence b"),
        sql("m4", "create sequence c", "select 1")
    );
    let findings: Vec<usize> = found.migrations.iter().map(|migration| migration.findings.len()).collect();
    assert_eq!(findings, [0, 1, 0, 1], "{found:#?}");
}

#[tokio::test]
async fn a_down_that_works_alone_and_not_after_that_of_a_later_migration() {
    let found = verify!(
        sql("m1", "create sequence marks", "drop sequence marks"),
        sql(
            "m2",
            "create table b (id bigint)",
            "do $$ begin if (select is_called from marks) then raise exception 'too late'; end if; end $$;
             drop table b"
        ),
        sql("m3", "create table c (id bigint)", "drop table c; select nextval('marks')")
    );
    let [Finding::DownInTurnFailed { error }] = &*found.migrations[1].findings else { panic!("{found:#?}") };
    assert!(error.contains("too late"), "{error}");
}
