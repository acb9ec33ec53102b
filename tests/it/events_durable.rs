//! The durable writer: what it acknowledges is in the tables once, whatever the disk and the server do.

use std::path::Path;
use std::time::{Duration, Instant};

use events::source::github;
use events::writer::{DurableOptions, EventWriter, Metrics};
use events::{Client, Intake, Normalised};

use crate::harness::{TestEvents, TestShards, ask, deadline};

fn intake() -> Intake {
    Intake::new("default", "2024-06-01T12:00:00Z".parse().unwrap())
}

/// An event of `issues` that differs by `number`, in one of two months.
fn issue(number: u64) -> Normalised {
    let month = 4 + number % 2;
    let body = format!(
        r#"{{"action":"opened","issue":{{"number":{number},"updated_at":"2024-0{month}-01T10:00:00Z"}}}}"#
    );
    github::event(&intake(), "issues", None, body.as_bytes())
}

async fn open(folder: &Path, database: &TestEvents) -> EventWriter {
    let client = Client::connect(database.url()).await.unwrap();
    EventWriter::open(folder, &client, DurableOptions::default()).unwrap()
}

fn metrics(writer: &EventWriter) -> Metrics {
    writer.metrics(Instant::now())
}

async fn number(database: &TestEvents, sql: &str) -> u64 {
    database.execute(sql).await.trim().parse().unwrap()
}

#[tokio::test]
async fn what_is_acknowledged_and_flushed_is_in_the_table_and_gone_from_the_log() {
    let (folder, database) = (tempfile::tempdir().unwrap(), TestEvents::migrated().await);
    let writer = open(folder.path(), &database).await;
    let ack = writer.append((0..1000).map(issue)).await.unwrap();
    assert_eq!((ack.logged, ack.duplicate), (1000, 0));
    let again = writer.append((500..1500).map(issue)).await.unwrap();
    assert_eq!((again.logged, again.duplicate), (500, 500));
    writer.flush().await.unwrap();
    assert_eq!(number(&database, "SELECT count() FROM events").await, 1500);
    let told = metrics(&writer);
    assert_eq!((told.appended, told.acknowledged, told.sent, told.duplicate), (2000, 2000, 1500, 500));
    assert_eq!((told.lag, told.dead, told.parked), (Duration::ZERO, 0, 0));
    writer.shutdown().await.unwrap();
}

#[tokio::test]
async fn what_one_writer_had_no_time_to_send_the_next_one_sends() {
    let (folder, database) = (tempfile::tempdir().unwrap(), TestEvents::migrated().await);
    let writer = open(folder.path(), &database).await;
    let _ = writer.append((0..1000).map(issue)).await.unwrap();
    drop(writer);
    let writer = deadline(Duration::from_secs(5), "the log is let go", async || {
        let client = Client::connect(database.url()).await.unwrap();
        EventWriter::open(folder.path(), &client, DurableOptions::default()).ok()
    })
    .await;
    writer.flush().await.unwrap();
    assert_eq!(number(&database, "SELECT count() FROM events FINAL").await, 1000);
}

/// Writes 50,000 rows, three of which the server at `url` refuses.
async fn write_with_three_bad_rows(url: &str) {
    let folder = tempfile::tempdir().unwrap();
    let client = Client::connect(url).await.unwrap();
    let writer = EventWriter::open(folder.path(), &client, DurableOptions::default()).unwrap();
    let bad = [7, 25_000, 49_998];
    let items = (0..50_000).map(|number| {
        let mut event = issue(number * 2).unwrap();
        event.actor = format!("person{}", number % 100);
        if bad.contains(&number) {
            event.kind.clear();
        }
        Ok(event)
    });
    let _ = writer.append(items).await.unwrap();
    writer.flush().await.unwrap();
    assert_eq!(ask(url, "SELECT count(), uniqExact(event_id) FROM events FINAL").await, "49997\t49997");
    assert_eq!(ask(url, "SELECT uniqExactMerge(events) FROM events_daily").await, "49997");
    let letters = "SELECT count(), countIf(reason LIKE '%_kind_check%' AND reason LIKE '%(code 469)%'),
        countIf(event_id IS NOT NULL AND JSONHas(payload, 'event_id')) FROM dead_letters FINAL";
    assert_eq!(ask(url, letters).await, "3\t3\t3");
    let told = metrics(&writer);
    assert_eq!((told.sent, told.dead, told.parked), (49_997, 3, 0));
}

#[tokio::test]
async fn of_fifty_thousand_rows_three_that_the_server_refuses_are_dead_letters_with_its_words() {
    let database = TestEvents::migrated().await;
    write_with_three_bad_rows(database.url()).await;
}

#[tokio::test]
async fn of_fifty_thousand_rows_three_that_a_shard_refuses_are_dead_letters_with_its_words() {
    let shards = TestShards::migrated().await;
    write_with_three_bad_rows(&shards.urls()[0]).await;
}

#[tokio::test]
async fn what_the_schema_refuses_is_parked_and_replayed_once_the_schema_is_right() {
    let (folder, database) = (tempfile::tempdir().unwrap(), TestEvents::migrated().await);
    let writer = open(folder.path(), &database).await;
    for (round, (wrong, right)) in (0..).zip([
        // First, while there are no rows that would have to be converted.
        (
            "ALTER TABLE events MODIFY COLUMN url UInt64 DEFAULT 0",
            "ALTER TABLE events MODIFY COLUMN url String DEFAULT ''",
        ),
        ("RENAME TABLE events TO elsewhere", "RENAME TABLE elsewhere TO events"),
        (
            "ALTER TABLE events RENAME COLUMN title TO headline",
            "ALTER TABLE events RENAME COLUMN headline TO title",
        ),
    ]) {
        database.execute(wrong).await;
        let first = round * 100;
        let _ = writer.append((first..first + 100).map(issue)).await.unwrap();
        writer.flush().await.unwrap();
        assert_eq!((metrics(&writer).parked, metrics(&writer).dead), (100, 0), "{wrong}");
        assert_eq!(writer.replay_parked().await.unwrap().parked, 100, "{wrong}");
        database.execute(right).await;
        assert_eq!(writer.replay_parked().await.unwrap().sent, 100, "{wrong}");
        assert_eq!(number(&database, "SELECT count() FROM events").await, first + 100);
    }
    assert_eq!(metrics(&writer).parked, 0);
}

#[tokio::test]
async fn dead_letters_are_written_once_the_server_takes_them_and_are_gone_then() {
    let (folder, database) = (tempfile::tempdir().unwrap(), TestEvents::migrated().await);
    let writer = open(folder.path(), &database).await;
    database.execute("ALTER TABLE events ADD CONSTRAINT c CHECK subject != '#4'").await;
    let _ = writer.append((0..10).map(issue)).await.unwrap();
    writer.flush().await.unwrap();
    let received_at = "2024-07-01T00:00:00Z".parse().unwrap();
    assert_eq!(writer.replay_dead_letters(received_at).await.unwrap(), 0);
    assert_eq!(number(&database, "SELECT count() FROM dead_letters FINAL").await, 1);
    database.execute("ALTER TABLE events DROP CONSTRAINT c").await;
    assert_eq!(writer.replay_dead_letters(received_at).await.unwrap(), 1);
    assert_eq!(number(&database, "SELECT count() FROM events FINAL").await, 10);
    assert_eq!(number(&database, "SELECT count() FROM dead_letters FINAL").await, 0);
}
