//! Changed SQL, settling by hand, and baselines.

use events::Error;
use events::migration::{Action, Extent, Runner, State};

use super::{a, applied, b, c, connect, made, tables};
use crate::harness::TestEvents;

const DROP_A: &str = "DROP TABLE IF EXISTS a SYNC";

fn a_with(up: &'static [&'static str]) -> Box<dyn events::migration::Migration> {
    made("m1_a", up, &[DROP_A])
}

#[tokio::test]
async fn changed_sql_is_refused_with_the_difference_until_it_is_accepted() {
    let database = TestEvents::empty().await;
    let client = connect(&database).await;
    Runner::of(&client, vec![a()]).up(&Extent::All).await.unwrap();
    let changed = ["CREATE TABLE IF NOT EXISTS a (x UInt16) ENGINE = Memory"];
    let runner = Runner::of(
        &client,
        vec![a_with(const { &["CREATE TABLE IF NOT EXISTS a (x UInt16) ENGINE = Memory"] }), b()],
    );
    for refused in
        [runner.up(&Extent::All).await.unwrap_err(), runner.down(&Extent::Count(1)).await.unwrap_err()]
    {
        let Error::Changed { migration, difference } = &refused else { panic!("{refused:?}") };
        assert_eq!(migration, "m1_a");
        assert!(difference.contains("\n-CREATE TABLE IF NOT EXISTS a (x UInt8)"), "{difference}");
        assert!(difference.contains(&format!("\n+{}", changed[0])), "{difference}");
        assert!(refused.to_string().contains("`repair`"), "{refused}");
    }
    assert_eq!(tables(&client).await, ["a"]);
    assert_eq!(runner.status().await.unwrap().migrations[0].state, State::Changed);

    let accepted = runner.repair().await.unwrap();
    assert_eq!((accepted.len(), accepted[0].migration.as_str()), (1, "m1_a"));
    assert!(accepted[0].difference.as_ref().unwrap().contains("UInt16"), "{accepted:?}");
    assert_eq!(runner.repair().await.unwrap(), []);
    assert_eq!(runner.history(1).await.unwrap()[0].action, Action::Repair);
    assert_eq!(runner.up(&Extent::All).await.unwrap().migrations, ["m2_b"]);
}

#[tokio::test]
async fn other_comments_and_layout_are_no_change() {
    let database = TestEvents::empty().await;
    let client = connect(&database).await;
    Runner::of(&client, vec![a()]).up(&Extent::All).await.unwrap();
    let same =
        a_with(&["-- why\n CREATE TABLE IF NOT EXISTS a\n  (x UInt8) /* in memory */ ENGINE = Memory\n"]);
    let runner = Runner::of(&client, vec![same]);
    assert_eq!(runner.up(&Extent::All).await.unwrap().migrations, [""; 0]);
    assert_eq!(runner.status().await.unwrap().migrations[0].state, State::Applied);
}

#[tokio::test]
async fn a_partial_migration_is_settled_by_hand_either_way_and_no_other() {
    let database = TestEvents::empty().await;
    let client = connect(&database).await;
    let broken = || made("m1_a", &["SELECT 1", "SELECT nothing"], &["SELECT 1"]);
    let runner = Runner::of(&client, vec![broken(), b()]);
    let refused = runner.applied("m1_a").await.unwrap_err();
    assert!(matches!(refused, Error::NotPartial { state: State::Pending, .. }), "{refused}");
    runner.up(&Extent::All).await.unwrap_err();
    runner.applied("m1_a").await.unwrap();
    assert_eq!(applied(&runner).await, ["m1_a"]);
    let refused = runner.reverted("m1_a").await.unwrap_err();
    assert!(matches!(refused, Error::NotPartial { state: State::Applied, .. }), "{refused}");
    assert_eq!(runner.up(&Extent::All).await.unwrap().migrations, ["m2_b"]);

    let other = TestEvents::empty().await;
    let runner = Runner::of(&connect(&other).await, vec![broken()]);
    runner.up(&Extent::All).await.unwrap_err();
    runner.reverted("m1_a").await.unwrap();
    let status = runner.status().await.unwrap().migrations.remove(0);
    assert_eq!(
        (status.state, status.action, status.applied_at),
        (State::Pending, Some(Action::Repair), None)
    );
    assert!(matches!(runner.applied("m1_b").await.unwrap_err(), Error::NoSuchMigration { .. }));
}

#[tokio::test]
async fn a_baseline_marks_what_is_there_and_runs_nothing() {
    let database = TestEvents::empty().await;
    let client = connect(&database).await;
    database.execute("CREATE TABLE a (x UInt8) ENGINE = Memory").await;
    database.execute("CREATE TABLE b (x UInt8) ENGINE = Memory").await;
    database.execute("INSERT INTO a VALUES (1)").await;
    let runner = Runner::of(&client, vec![a(), b(), c()]);
    let marked = runner.baseline(&Extent::To("m2_b".to_owned())).await.unwrap();
    assert_eq!(marked.migrations, ["m1_a", "m2_b"]);
    let history = runner.history(9).await.unwrap();
    assert!(history.iter().all(|entry| entry.action == Action::Baseline && entry.success), "{history:?}");
    assert_eq!(database.execute("SELECT count() FROM a").await.trim(), "1");
    assert_eq!(runner.up(&Extent::All).await.unwrap().migrations, ["m3_c"]);
    assert_eq!(runner.baseline(&Extent::All).await.unwrap().migrations, [""; 0]);
}

#[tokio::test]
async fn a_baseline_that_would_say_what_is_not_true_is_refused_unless_unchecked() {
    let database = TestEvents::empty().await;
    let client = connect(&database).await;
    database.execute("CREATE TABLE a (x UInt16) ENGINE = Memory").await;
    let runner = Runner::of(&client, vec![a(), b()]);
    let refused = runner.baseline(&Extent::All).await.unwrap_err();
    let Error::BaselineDiffers { to, difference } = &refused else { panic!("{refused:?}") };
    assert_eq!(to, "m2_b");
    assert_eq!(
        *difference,
        [
            "- column a.x: UInt8, comment ''",
            "+ column a.x: UInt16, comment ''",
            "- table b: Memory, comment ''",
            "- column b.x: UInt8, comment ''",
        ]
    );
    assert_eq!(applied(&runner).await, [""; 0]);
    assert_eq!(runner.baseline_unchecked(&Extent::Count(1)).await.unwrap().migrations, ["m1_a"]);
    assert_eq!(applied(&runner).await, ["m1_a"]);
}

#[tokio::test]
async fn a_baseline_does_not_mark_what_was_begun() {
    let database = TestEvents::empty().await;
    let client = connect(&database).await;
    let runner = Runner::of(&client, vec![made("m1_a", &["SELECT 1", "SELECT nothing"], &["SELECT 1"])]);
    runner.up(&Extent::All).await.unwrap_err();
    let refused = runner.baseline_unchecked(&Extent::All).await.unwrap_err();
    assert!(matches!(&refused, Error::Partial { migration } if migration == "m1_a"), "{refused}");
}

#[tokio::test]
async fn a_baseline_also_compares_where_the_database_s_name_needs_quotes() {
    let database = TestEvents::empty().await;
    let (server, name) = database.url().rsplit_once('/').unwrap();
    let name = name.replace('_', "-");
    database.execute(&format!("CREATE DATABASE `{name}` ENGINE = Atomic")).await;
    let client = events::Client::connect(&format!("{server}/{name}")).await.unwrap();
    let view =
        || made("m2_v", &["CREATE VIEW IF NOT EXISTS v AS SELECT x FROM a"], &["DROP VIEW IF EXISTS v SYNC"]);
    let runner = Runner::of(&client, vec![a(), view()]);
    runner.up(&Extent::All).await.unwrap();
    database.execute(&format!("DROP TABLE `{name}`.migrations SYNC")).await;
    let marked = runner.baseline(&Extent::All).await;
    database.execute(&format!("DROP DATABASE `{name}` SYNC")).await;
    assert_eq!(marked.unwrap().migrations, ["m1_a", "m2_v"]);
}
