//! What a run would do.

use events::migration::{Direction, EffectKind, Extent, Runner, State};

use super::{a, connect, made, tables};
use crate::harness::TestEvents;

const ALTER: &str = "ALTER TABLE t ADD COLUMN IF NOT EXISTS z UInt8, MODIFY COLUMN y UInt16";

#[tokio::test]
async fn a_plan_says_what_each_statement_does_to_how_much_data_and_changes_nothing() {
    let database = TestEvents::empty().await;
    let client = connect(&database).await;
    database.execute("CREATE TABLE t (x UInt64, y UInt8) ENGINE = MergeTree ORDER BY x").await;
    database.execute("INSERT INTO t SELECT number, 0 FROM numbers(1000)").await;
    let alter = made("m2_alter", &[ALTER, "CREATE VIEW IF NOT EXISTS v AS SELECT 1"], &[]);
    let runner = Runner::of(&client, vec![a(), alter]);
    let plan = runner.plan(Direction::Up, &Extent::All).await.unwrap();
    let [first, second] = plan.as_slice() else { panic!("{plan:?}") };
    assert_eq!((first.name.as_str(), first.state, first.reversible), ("m1_a", State::Pending, true));
    assert_eq!((first.statements[0].kind(), &first.statements[0].existing), (EffectKind::Metadata, &None));
    assert!(!second.reversible);
    let altered = &second.statements[0];
    let commands: Vec<_> = altered.effects.iter().map(|effect| effect.command.as_str()).collect();
    assert_eq!((altered.kind(), commands), (EffectKind::Rewrites, vec!["ADD COLUMN", "MODIFY COLUMN"]));
    let existing = altered.existing.as_ref().unwrap();
    assert_eq!(existing.table, format!("{}.t", client.database()));
    assert!(existing.rows == 1000 && existing.bytes > 0, "{existing:?}");
    assert_eq!(tables(&client).await, ["t"]);
    assert_eq!(runner.plan(Direction::Up, &Extent::Count(1)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_plan_of_a_partial_migration_has_what_is_left_and_a_dry_run_its_statements() {
    let database = TestEvents::empty().await;
    let client = connect(&database).await;
    let partial = made("m2", &["SELECT 1", "SELECT nothing"], &["SELECT 'back'"]);
    let runner = Runner::of(&client, vec![a(), partial]);
    let up = runner.dry_run(Direction::Up, &Extent::All).await.unwrap();
    assert_eq!(up, ["CREATE TABLE IF NOT EXISTS a (x UInt8) ENGINE = Memory", "SELECT 1", "SELECT nothing"]);
    runner.up(&Extent::All).await.unwrap_err();
    let plan = runner.plan(Direction::Up, &Extent::All).await.unwrap();
    assert_eq!((plan.len(), plan[0].state, plan[0].steps_done), (1, State::Partial, 1));
    assert_eq!(runner.dry_run(Direction::Up, &Extent::All).await.unwrap(), ["SELECT nothing"]);
    let down = runner.dry_run(Direction::Down, &Extent::All).await.unwrap();
    assert_eq!(down, ["SELECT 'back'", "DROP TABLE IF EXISTS a SYNC"]);
}
