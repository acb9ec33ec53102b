//! The history, the events of a run, and going on where one stopped.

use std::sync::{Arc, Mutex};

use events::migration::{Action, Direction, Event, Extent, Runner, State};

use super::{a, b, connect, made, tables};
use crate::harness::TestEvents;

const CREATE_A: &str = "CREATE TABLE IF NOT EXISTS a (x UInt8) ENGINE = Memory";
const CREATE_B: &str = "CREATE VIEW IF NOT EXISTS b AS SELECT x, 'it''s \\\\ {x}' AS y FROM help";
const CREATE_C: &str = "CREATE TABLE IF NOT EXISTS c (x UInt8) ENGINE = Memory";

#[tokio::test]
async fn a_run_that_fails_at_its_second_step_is_recorded_with_it_and_the_next_goes_on_there() {
    let database = TestEvents::empty().await;
    let client = connect(&database).await;
    let three = || made("m_three", &[CREATE_A, CREATE_B, CREATE_C], &["DROP TABLE IF EXISTS c SYNC"]);
    let runner = Runner::of(&client, vec![three()]).program("shop 1.2.3");
    runner.up(&Extent::All).await.unwrap_err();

    let [failed] = runner.history(9).await.unwrap().try_into().unwrap();
    assert_eq!((failed.action, failed.direction, failed.success), (Action::Up, Direction::Up, false));
    assert_eq!((failed.steps_done, failed.steps, failed.finished_at), (1, 3, None));
    assert!(failed.error.as_ref().unwrap().contains("help"), "{failed:?}");
    assert_eq!(failed.failed_statement, Some(format!("{CREATE_B}: {CREATE_B}")));
    assert!(failed.duration_ms.is_some());
    assert_eq!((failed.program.as_str(), failed.checksum.as_ref().unwrap().len()), ("shop 1.2.3", 64));
    assert!(!failed.host.is_empty() && !failed.user.is_empty());
    let status = runner.status().await.unwrap().migrations.remove(0);
    assert_eq!((status.state, status.failed_statement), (State::Partial, failed.failed_statement.clone()));
    assert_eq!(status.checksum, None);

    // Taken away, so that a run from the first step on would be seen.
    database.execute("CREATE TABLE help (x UInt8) ENGINE = Memory").await;
    database.execute("DROP TABLE a SYNC").await;
    runner.up(&Extent::All).await.unwrap();
    assert_eq!(tables(&client).await, ["b", "c", "help"]);
    let [done, before] = runner.history(9).await.unwrap().try_into().unwrap();
    assert_eq!(before, failed);
    assert_eq!((done.success, done.steps_done, done.error, done.failed_statement), (true, 3, None, None));
    assert!(done.finished_at.unwrap() >= done.started_at && done.duration_ms.is_some());
    assert_eq!(runner.history(1).await.unwrap().len(), 1);
    let sql = database.execute("SELECT sql[2] FROM migrations FINAL WHERE success").await;
    assert!(sql.contains("-- up: CREATE VIEW"), "{sql}");
}

#[tokio::test]
async fn mending_the_step_that_failed_goes_on_there_and_mending_an_earlier_one_begins_anew() {
    let database = TestEvents::empty().await;
    let client = connect(&database).await;
    let run = async |up: &'static [&'static str]| {
        Runner::of(&client, vec![made("m", up, &["SELECT 1"])]).up(&Extent::All).await
    };
    run(&[CREATE_A, CREATE_B]).await.unwrap_err();
    database.execute("DROP TABLE a SYNC").await;
    // Another second step, and a third: the first is not done again.
    run(&[CREATE_A, CREATE_C, CREATE_B]).await.unwrap_err();
    assert_eq!(tables(&client).await, ["c"]);
    run(&["CREATE TABLE IF NOT EXISTS d (x UInt8) ENGINE = Memory", CREATE_C]).await.unwrap();
    assert_eq!(tables(&client).await, ["c", "d"]);
}

#[tokio::test]
async fn every_run_has_its_entry_and_a_failed_down_goes_on_too() {
    let database = TestEvents::empty().await;
    let client = connect(&database).await;
    let runner = Runner::of(&client, vec![a()]);
    runner.up(&Extent::All).await.unwrap();
    runner.down(&Extent::All).await.unwrap();
    runner.up(&Extent::All).await.unwrap();
    let history = runner.history(9).await.unwrap();
    let actions: Vec<_> = history.iter().map(|entry| (entry.action, entry.success)).collect();
    assert_eq!(actions, [(Action::Up, true), (Action::Down, true), (Action::Up, true)]);
    assert!(history.windows(2).all(|pair| pair[0].started_at > pair[1].started_at));

    let down = || made("m_down", &["SELECT 1"], &["DROP TABLE IF EXISTS a SYNC", "DROP TABLE help SYNC"]);
    let runner = Runner::of(&client, vec![a(), down()]);
    runner.up(&Extent::All).await.unwrap();
    runner.down(&Extent::Count(1)).await.unwrap_err();
    database.execute(CREATE_A).await;
    database.execute("CREATE TABLE help (x UInt8) ENGINE = Memory").await;
    assert_eq!(runner.down(&Extent::Count(1)).await.unwrap().migrations, ["m_down"]);
    assert_eq!(tables(&client).await, ["a"]);
}

#[tokio::test]
async fn an_observer_is_told_of_every_migration_and_step() {
    let database = TestEvents::empty().await;
    let client = connect(&database).await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let runner = Runner::of(&client, vec![a(), b()]).observe({
        let told = told.clone();
        move |event| {
            told.lock().unwrap().push(match event {
                Event::Started { migration, position, of } => format!("{position}/{of} {migration}"),
                Event::Step { step, of, .. } => format!("step {step}/{of}"),
                Event::Finished { migration, .. } => format!("{migration} done"),
                _ => String::new(),
            });
        }
    });
    runner.up(&Extent::All).await.unwrap();
    assert_eq!(
        *told.lock().unwrap(),
        ["1/2 m1_a", "step 1/1", "m1_a done", "2/2 m2_b", "step 1/1", "m2_b done"]
    );
}

#[tokio::test]
async fn a_step_that_mutates_is_done_only_when_the_data_is_rewritten() {
    let database = TestEvents::empty().await;
    let client = connect(&database).await;
    database.execute("CREATE TABLE t (x UInt64, y UInt64) ENGINE = MergeTree ORDER BY x").await;
    database.execute("INSERT INTO t SELECT number, 0 FROM numbers(200000)").await;
    let update = made("m", &["ALTER TABLE t UPDATE y = x WHERE 1"], &["SELECT 1"]);
    Runner::of(&client, vec![update]).up(&Extent::All).await.unwrap();
    assert_eq!(database.execute("SELECT countIf(x != y) FROM t").await.trim(), "0");
}

#[tokio::test]
async fn a_run_that_was_killed_is_partial_without_an_error_and_the_next_goes_on_at_its_step() {
    let database = TestEvents::empty().await;
    let client = connect(&database).await;
    let slow = |step: &'static str| made("m", Box::leak(Box::new([CREATE_A, step, CREATE_C])), &["SELECT 1"]);
    let (started, mut is_at) = tokio::sync::watch::channel(0);
    let runner = Runner::of(&client, vec![slow("SELECT sleep(3)")]).observe(move |event| {
        if let Event::Step { step, .. } = event {
            started.send_replace(*step);
        }
    });
    let run = tokio::spawn(async move { runner.up(&Extent::All).await });
    is_at.wait_for(|step| *step == 2).await.unwrap();
    run.abort();
    assert!(run.await.unwrap_err().is_cancelled());

    let runner = Runner::of(&client, vec![slow("SELECT 2")]);
    let status = runner.status().await.unwrap().migrations.remove(0);
    assert_eq!((status.state, status.steps_done, status.error), (State::Partial, 1, None));
    database.execute("DROP TABLE a SYNC").await;
    runner.up(&Extent::All).await.unwrap();
    assert_eq!(tables(&client).await, ["c"]);
}

#[tokio::test]
async fn sql_of_any_length_and_with_any_character_is_recorded() {
    let database = TestEvents::empty().await;
    let client = connect(&database).await;
    let long: &'static str =
        Box::leak(format!("SELECT length('{}')", "it\\'s ü \\\\ ".repeat(18_000)).into_boxed_str());
    let runner = Runner::of(&client, vec![made("m", Box::leak(Box::new([long, long])), &["SELECT 1"])]);
    runner.up(&Extent::All).await.unwrap();
    assert_eq!(runner.up(&Extent::All).await.unwrap().migrations, [""; 0]);
    let recorded =
        database.execute("SELECT arraySum(arrayMap(text -> length(text), sql)) FROM migrations FINAL").await;
    assert!(recorded.trim().parse::<usize>().unwrap() > 4 * long.len(), "{recorded}");
}
