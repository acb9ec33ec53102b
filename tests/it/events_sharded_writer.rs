//! The durable writer on two shards: every batch is of one shard, and the same after a crash.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use events::source::{github, ndjson};
use events::writer::{DurableOptions, EventWriter};
use events::{Client, Intake, Normalised};

use crate::harness::TestShards;

const EVENTS: u64 = 1000;

/// Events of as many people, whose names have every length, and two lines that are none.
fn events() -> Vec<Normalised> {
    let intake = Intake::new("acme", "2026-06-01T12:00:00Z".parse().unwrap());
    let event = |number: u64| {
        let name = "näme".repeat(number as usize % 40);
        let body = format!(
            r#"{{"action":"opened","sender":{{"login":"{number}{name}"}},"issue":{{"number":{number},"updated_at":"2026-05-01T00:00:00Z"}}}}"#
        );
        github::event(&intake, "issues", None, body.as_bytes())
    };
    let broken = (0..50).map(|number| ndjson::event(&intake, format!("broken {number}").as_bytes()));
    (0..EVENTS).map(event).chain(broken).collect()
}

async fn open(folder: &Path, client: &Client) -> EventWriter {
    EventWriter::open(folder, client, DurableOptions::default()).unwrap()
}

/// What lies where: rows without collapsing copies, and the count by day.
async fn found(shards: &TestShards) -> Vec<String> {
    let mut found = Vec::new();
    for shard in [0, 1] {
        let local =
            "SELECT (SELECT count() FROM events_local FINAL), (SELECT count() FROM dead_letters_local FINAL)";
        found.push(shards.execute(shard, local).await.trim().to_owned());
    }
    found.push(shards.execute(0, "SELECT uniqExactMerge(events) FROM events_daily").await.trim().to_owned());
    found
}

#[tokio::test]
async fn a_batch_is_of_one_shard_by_the_server_s_own_hash_and_sent_again_it_changes_nothing() {
    let (folder, shards) = (tempfile::tempdir().unwrap(), TestShards::migrated().await);
    let client = shards.clients().await.remove(0);
    let writer = open(folder.path(), &client).await;
    let _ = writer.append(events()).await.unwrap();
    writer.flush().await.unwrap();
    writer.shutdown().await.unwrap();
    let misplaced = "SELECT
        (SELECT countIf(_shard_num != cityHash64(tenant, actor) % 2 + 1) FROM events),
        (SELECT countIf(_shard_num != cityHash64(tenant, letter_id) % 2 + 1) FROM dead_letters),
        (SELECT count() FROM events), (SELECT count() FROM dead_letters)";
    assert_eq!(shards.execute(1, misplaced).await.trim(), format!("0\t0\t{EVENTS}\t50"));
    let account = "SELECT destination, groupArray(shard), sum(rows) FROM
        (SELECT * FROM ingest_batches FINAL ORDER BY destination, shard) GROUP BY destination ORDER BY destination";
    let account = shards.execute(0, account).await;
    assert_eq!(account.trim(), format!("dead_letters\t[1,2]\t50\nevents\t[1,2]\t{EVENTS}"));

    // As a crash before the answer leaves it: sealed, and not known to be done.
    let before = found(&shards).await;
    let seals = std::fs::read_to_string(folder.path().join("seals")).unwrap();
    assert!(seals.contains(" 1,1\n"), "{seals}");
    let sealed: String =
        seals.lines().filter(|line| line.starts_with("seal")).map(|line| format!("{line}\n")).collect();
    std::fs::write(folder.path().join("seals"), sealed).unwrap();
    let writer = open(folder.path(), &client).await;
    writer.flush().await.unwrap();
    assert_eq!(found(&shards).await, before);
}

#[tokio::test]
async fn what_was_sealed_for_another_number_of_shards_goes_where_it_was_sealed_for_or_to_those_there_are() {
    let shards = TestShards::migrated().await;
    let client = shards.clients().await.remove(0);
    for (weights, whole, on_the_first) in [("1,1,1", EVENTS, false), ("1", EVENTS, true)] {
        let folder = tempfile::tempdir().unwrap();
        let writer = EventWriter::open_held(folder.path(), &client, DurableOptions::default()).unwrap();
        let _ = writer.append(events()).await.unwrap();
        writer.shutdown().await.unwrap();
        std::fs::write(folder.path().join("seals"), format!("seal 0 1 {weights}\n")).unwrap();
        let writer = open(folder.path(), &client).await;
        writer.flush().await.unwrap();
        let count = "SELECT count(), countIf(_shard_num = 1) = count() FROM events";
        let expected = format!("{whole}\t{}", u8::from(on_the_first));
        assert_eq!(shards.execute(0, count).await.trim(), expected, "{weights}");
        for shard in [0, 1] {
            for table in ["events_local", "dead_letters_local", "events_daily_local"] {
                shards.execute(shard, &format!("TRUNCATE TABLE {table}")).await;
            }
        }
    }
}

#[tokio::test]
async fn while_a_shard_is_killed_again_and_again_nothing_is_lost_doubled_or_taken_for_bad() {
    let (folder, mut shards) = (tempfile::tempdir().unwrap(), TestShards::migrated().await);
    let client = shards.clients().await.remove(0);
    let options =
        DurableOptions { batch_rows: 50, linger: Duration::from_millis(20), ..DurableOptions::default() };
    let writer = Arc::new(EventWriter::open(folder.path(), &client, options).unwrap());
    let appending = {
        let writer = writer.clone();
        tokio::spawn(async move {
            let events: Vec<_> = events().into_iter().filter(Result::is_ok).collect();
            for portion in events.chunks(10) {
                let _ = writer.append(portion.to_vec()).await.unwrap();
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
    };
    while !appending.is_finished() {
        shards.crash(1).await;
    }
    appending.await.unwrap();
    writer.flush().await.unwrap();
    let told = writer.metrics(Instant::now());
    assert_eq!((told.sent, told.dead, told.parked), (EVENTS, 0, 0));
    assert!(told.retried > 0);
    assert_eq!(found(&shards).await[2], EVENTS.to_string());
    assert_eq!(shards.execute(0, "SELECT count() FROM events FINAL").await.trim(), EVENTS.to_string());
}
