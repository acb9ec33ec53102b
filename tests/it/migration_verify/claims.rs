//! Migrations held to what they claim.

use migration_runner::{Claims, Finding};

use super::{Sql, findings, sql, users, verify};

#[tokio::test]
async fn claimed_rerunnable_and_creating_without_looking() {
    let found =
        verify!(users(), sql("m2", "create sequence s", "drop sequence s") ; Claims::new().rerunnable());
    let [Finding::RerunFailed { error }] = findings(&found) else { panic!("{found:#?}") };
    assert!(error.contains("relation \"s\" already exists"), "{error}");
}

#[tokio::test]
async fn claimed_rerunnable_and_inserting_twice() {
    const TABLE: Sql = sql("m1", "create table kinds (name text not null)", "drop table kinds");
    let found = verify!(
        TABLE,
        sql("m2", "insert into kinds values ('first')", "delete from kinds where name = 'first'");
        Claims::new().rerunnable()
    );
    let expected = Finding::RerunChangesRows {
        table: "kinds".to_owned(),
        changed: vec![r#"{"name":"first"} is new"#.to_owned()],
    };
    assert_eq!(findings(&found), [expected]);
}

#[tokio::test]
async fn claimed_rerunnable_and_changing_the_catalog_each_time() {
    const UP: &str =
        "do $$ begin execute format('create sequence s%s', (select count(*) from pg_sequences)); end $$";
    const DOWN: &str = "do $$ begin execute (select string_agg(format('drop sequence %I', sequencename), ';')
        from pg_sequences where sequencename ~ '^s[0-9]'); end $$";
    let found = verify!(users(), sql("m2", UP, DOWN) ; Claims::new().rerunnable());
    let [Finding::RerunDiffers { difference }] = findings(&found) else { panic!("{found:#?}") };
    assert!(difference[0].starts_with("+ sequence s2"), "{difference:?}");
}

#[tokio::test]
async fn claimed_rerunnable_and_so_it_is() {
    const UP: &str = "create sequence if not exists s; update users set age = 1 where age is null";
    let found = verify!(
        users(),
        sql("m2", UP, "drop sequence s");
        Claims::new().rerunnable().down_loses(&["users.age"])
    );
    assert!(found.is_sound(), "{found:#?}");
}

#[tokio::test]
async fn claimed_irreversible_and_down_succeeds() {
    let found =
        verify!(users(), sql("m2", "create sequence s", "drop sequence s") ; Claims::new().irreversible());
    assert_eq!(findings(&found), [Finding::DownSucceeded]);
}

#[tokio::test]
async fn claimed_irreversible_and_down_says_so() {
    let found = verify!(users(), sql("m2", "create sequence s", "") ; Claims::new().irreversible());
    assert!(found.is_sound(), "{found:#?}");
}

#[tokio::test]
async fn rows_that_the_author_gives_are_there_before_up_and_wrong_ones_are_a_finding() {
    const UP: &str = "do $$ begin
        if not exists (select from users where email = 'ada@example.org') then raise exception 'no ada'; end if;
    end $$";
    const ROWS: &str = "insert into users (email) values ('ada@example.org')";
    let found = verify!(users(), sql("m2", UP, "select 1") ; Claims::new().rows_before(ROWS));
    assert!(found.is_sound(), "{found:#?}");
    let found = verify!(
        users(),
        sql("m2", "select 1", "select 1");
        Claims::new().rows_before("insert into nowhere values (1)")
    );
    assert!(matches!(findings(&found), [Finding::RowsBeforeFailed { error }] if error.contains("nowhere")));
}

#[tokio::test]
async fn a_verification_reads_as_json_with_the_kind_of_each_finding() {
    let found = verify!(users(), sql("m2", "create sequence s", "drop sequence s; truncate users"));
    let json = serde_json::to_value(&found).unwrap();
    assert_eq!(json["database"], "test");
    assert_eq!(json["migrations"][1]["name"], "m2");
    assert_eq!(json["migrations"][1]["findings"][0]["kind"], "rows_lost");
    assert_eq!(json["migrations"][1]["findings"][0]["table"], "users");
}
