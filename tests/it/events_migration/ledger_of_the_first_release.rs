//! A ledger as the first release made it, with its rows.

use events::migration::{Action, Extent, Runner, State};

use super::{a, applied, b, c, connect, made};
use crate::harness::TestEvents;

const CREATE: &str = "
CREATE TABLE migrations
(
    name LowCardinality(String) COMMENT 'The migration, named as its file.',
    direction Enum8('up' = 1, 'down' = 2) COMMENT 'Which way it ran.',
    started_at DateTime64(3, 'UTC') COMMENT 'When this run began, by the clock of the server.',
    finished_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When this run was done; null: it is running, failed or was killed.',
    steps_done UInt32 COMMENT 'How many steps are done, counted from the first of the migration.',
    steps UInt32 COMMENT 'How many steps there are.',
    error String COMMENT 'Why the step after steps_done failed; empty: it did not.',
    revision UInt64 COMMENT 'Grows with every row of a run; the largest one counts.'
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (name, started_at, direction)
COMMENT 'Which migrations were run and how far they got; read it with FINAL.'
";

/// As the first release writes: columns by name.
async fn write(database: &TestEvents, values: &str) {
    let columns = "name, direction, started_at, finished_at, steps_done, steps, error, revision";
    database.execute(&format!("INSERT INTO migrations ({columns}) VALUES {values}")).await;
}

async fn first_release() -> TestEvents {
    let database = TestEvents::empty().await;
    database.execute(CREATE).await;
    database.execute("CREATE TABLE a (x UInt8) ENGINE = Memory").await;
    write(
        &database,
        "('m1_a', 'up', '2026-01-01 00:00:00.000', NULL, 0, 1, '', 0), \
         ('m1_a', 'up', '2026-01-01 00:00:00.000', '2026-01-01 00:00:01.500', 1, 1, '', 2), \
         ('m2_b', 'up', '2026-01-01 00:00:02.000', NULL, 0, 1, 'no room', 1)",
    )
    .await;
    database
}

#[tokio::test]
async fn it_is_read_as_it_is() {
    let database = first_release().await;
    let runner = Runner::of(&connect(&database).await, vec![a(), b(), c()]);
    let status = runner.status().await.unwrap().migrations;
    let states: Vec<_> = status.iter().map(|one| one.state).collect();
    assert_eq!(states, [State::Applied, State::Partial, State::Pending]);
    assert!(status.iter().all(|one| one.checksum.is_none()));
    assert_eq!(status[1].error.as_deref(), Some("no room"));
    let history = runner.history(9).await.unwrap();
    assert_eq!((history[1].success, history[1].duration_ms), (true, Some(1500)));
    assert_eq!((history[0].success, history[0].duration_ms), (false, None));
    let columns =
        "SELECT count() FROM system.columns WHERE database = currentDatabase() AND table = 'migrations'";
    assert_eq!(database.execute(columns).await.trim(), "8");
}

#[tokio::test]
async fn up_gives_it_the_new_columns_and_keeps_its_rows() {
    let database = first_release().await;
    let runner = Runner::of(&connect(&database).await, vec![a(), b(), c()]);
    let before = runner.history(9).await.unwrap();
    assert_eq!(runner.up(&Extent::All).await.unwrap().migrations, ["m2_b", "m3_c"]);
    let after = runner.history(9).await.unwrap();
    assert_eq!(after[2..], before);
    assert!(after[..2].iter().all(|entry| entry.checksum.is_some() && !entry.program.is_empty()));
    let status = runner.status().await.unwrap().migrations;
    assert_eq!((status[0].state, &status[0].checksum), (State::Applied, &None));
    let fresh = TestEvents::empty().await;
    Runner::of(&connect(&fresh).await, vec![a()]).up(&Extent::All).await.unwrap();
    let columns = "SELECT name, type, default_expression, comment FROM system.columns \
                   WHERE database = currentDatabase() AND table = 'migrations' ORDER BY name FORMAT TSV";
    let (upgraded, made) = (database.execute(columns).await, fresh.execute(columns).await);
    assert_eq!(upgraded.lines().count(), 17);
    let but_comments =
        |text: &str| text.replace("Which way it ran, or is said to have run.", "Which way it ran.");
    assert_eq!(upgraded, but_comments(&made));
}

#[tokio::test]
async fn repair_records_the_checksums_that_it_lacks() {
    let database = first_release().await;
    let runner = Runner::of(&connect(&database).await, vec![a()]);
    let accepted = runner.repair().await.unwrap();
    assert_eq!((accepted.len(), accepted[0].migration.as_str(), &accepted[0].difference), (1, "m1_a", &None));
    let status = runner.status().await.unwrap().migrations.remove(0);
    assert_eq!((status.state, status.action), (State::Applied, Some(Action::Repair)));
    assert_eq!(status.checksum.unwrap().len(), 64);
    assert_eq!(runner.repair().await.unwrap(), []);
}

#[tokio::test]
async fn the_first_release_can_still_write_and_read_it() {
    let database = first_release().await;
    let client = connect(&database).await;
    let runner = Runner::of(&client, vec![a(), b(), c()]);
    runner.up(&Extent::All).await.unwrap();
    write(
        &database,
        "('m3_c', 'down', '2100-01-01 00:00:00.000', NULL, 0, 1, '', 0), \
         ('m3_c', 'down', '2100-01-01 00:00:00.000', '2100-01-01 00:00:00.250', 1, 1, '', 2)",
    )
    .await;
    assert_eq!(applied(&runner).await, ["m1_a", "m2_b"]);
    let last = runner.history(1).await.unwrap().remove(0);
    assert_eq!((last.action, last.success, last.duration_ms), (Action::Down, true, Some(250)));
    assert_eq!((last.checksum, last.program.as_str(), last.user.as_str()), (None, "", ""));

    // The clock of the first release's server was ahead; what comes after is later all the same.
    runner.up(&Extent::All).await.unwrap();
    let changed = made("m1_a", &["SELECT 2"], &["SELECT 1"]);
    Runner::of(&client, vec![changed, b(), c()]).repair().await.unwrap();
    let read = "SELECT name, toInt8(direction), finished_at IS NOT NULL FROM migrations FINAL \
                ORDER BY started_at DESC, revision DESC LIMIT 1 BY name";
    let read = database.execute(&format!("SELECT * FROM ({read}) ORDER BY name FORMAT TSV")).await;
    assert_eq!(read.trim(), "m1_a\t1\t1\nm2_b\t1\t1\nm3_c\t1\t1");
}

#[tokio::test]
async fn starters_at_once_give_it_the_new_columns_together() {
    let database = first_release().await;
    let starters: Vec<_> = (0..6)
        .map(|_| {
            let url = database.url().to_owned();
            tokio::spawn(async move {
                let client = events::Client::connect(&url).await?;
                Runner::of(&client, vec![a(), b(), c()]).up(&Extent::All).await
            })
        })
        .collect();
    for starter in starters {
        starter.await.unwrap().unwrap();
    }
    let runner = Runner::of(&connect(&database).await, vec![a(), b(), c()]);
    assert_eq!(runner.status().await.unwrap().pending(), 0);
}
