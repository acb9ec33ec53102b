//! The durable writer: what it acknowledges is in the tables once, whatever the disk and the server do.

use std::path::Path;
use std::time::{Duration, Instant};

use events::log::LogOptions;
use events::source::github;
use events::writer::{DurableOptions, EventWriter, Metrics};
use events::{Client, Error, Intake, Normalised};

use crate::harness::{TestEvents, corpus, deadline};

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

#[tokio::test]
async fn of_fifty_thousand_rows_three_that_the_server_refuses_are_dead_letters_with_its_words() {
    let (folder, database) = (tempfile::tempdir().unwrap(), TestEvents::migrated().await);
    let writer = open(folder.path(), &database).await;
    let bad = [7, 25_000, 49_998];
    let items = (0..50_000).map(|number| {
        let mut event = issue(number * 2).unwrap();
        if bad.contains(&number) {
            event.kind.clear();
        }
        Ok(event)
    });
    let _ = writer.append(items).await.unwrap();
    writer.flush().await.unwrap();
    assert_eq!(number(&database, "SELECT count() FROM events FINAL").await, 49_997);
    let letters = database
        .execute("SELECT count(), countIf(reason LIKE '%events_kind_check%'), countIf(event_id IS NOT NULL AND JSONHas(payload, 'event_id')) FROM dead_letters FINAL")
        .await;
    assert_eq!(letters.trim(), "3\t3\t3");
    let told = metrics(&writer);
    assert_eq!((told.sent, told.dead, told.parked), (49_997, 3, 0));
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
async fn every_delivery_of_the_corpora_ten_times_in_any_order_from_four_tasks_is_one_event() {
    let Some(zip) = corpus("github-webhooks.zip") else { return };
    let (folder, database) = (tempfile::tempdir().unwrap(), TestEvents::migrated().await);
    let writer = std::sync::Arc::new(open(folder.path(), &database).await);
    let once: Vec<_> = github::read(intake(), &zip).unwrap().collect();
    let distinct: std::collections::HashSet<_> =
        once.iter().map(|item| item.as_ref().unwrap().event_id).collect();
    let mut all: Vec<_> = std::iter::repeat_n(once, 10).flatten().collect();
    // A shuffle that is the same in every run.
    let mut state = 1_u64;
    for at in (1..all.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        all.swap(at, (state >> 33) as usize % (at + 1));
    }
    let tasks: Vec<_> = all
        .chunks(all.len().div_ceil(4))
        .map(|part| {
            let (writer, part) = (writer.clone(), part.to_vec());
            tokio::spawn(async move {
                for few in part.chunks(7) {
                    let _ = writer.append(few.to_vec()).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    writer.flush().await.unwrap();
    assert_eq!(number(&database, "SELECT count() FROM events FINAL").await, distinct.len() as u64);
}

#[tokio::test]
async fn while_the_server_is_away_the_log_keeps_within_its_bound_and_catches_up_afterwards() {
    let (folder, database) = (tempfile::tempdir().unwrap(), TestEvents::migrated().await);
    let gate = crate::harness::Gate::open(database.url()).await;
    let client = Client::connect(&gate.url).await.unwrap();
    let log = LogOptions { segment_bytes: 64 << 10, max_bytes: 512 << 10 };
    let options = DurableOptions { linger: Duration::from_millis(50), log, ..DurableOptions::default() };
    let writer = EventWriter::open(folder.path(), &client, options).unwrap();
    gate.close();
    let (mut acknowledged, mut refused) = (0, 0);
    // Until it has been full for a while.
    while refused < 20 {
        match writer.append((acknowledged..acknowledged + 100).map(issue)).await {
            Ok(ack) => acknowledged += ack.logged,
            Err(Error::LogFull { bytes, max_bytes }) => {
                assert!(bytes <= max_bytes);
                refused += 1;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(error) => panic!("{error}"),
        }
        assert!(metrics(&writer).log_bytes <= 512 << 10);
    }
    assert!(metrics(&writer).retried > 0 && metrics(&writer).lag > Duration::ZERO);
    gate.reopen();
    writer.flush().await.unwrap();
    let _ = writer.append((acknowledged..acknowledged + 100).map(issue)).await.unwrap();
    writer.flush().await.unwrap();
    assert_eq!(number(&database, "SELECT count() FROM events FINAL").await, acknowledged + 100);
}

/// A file system with room for 512 KiB; `None`, saying so, where none may be mounted.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut command = std::process::Command::new("mount");
        command.args(["-t", "tmpfs", "-o", "size=512k", "tmpfs"]).arg(folder.path());
        if command.output().is_ok_and(|output| output.status.success()) {
            return Some(Self(folder));
        }
        let why = "skipped: this user may not mount a small disk\n";
        std::io::Write::write_all(&mut std::io::stderr(), why.as_bytes()).unwrap();
        None
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = std::process::Command::new("umount").arg("-l").arg(self.0.path()).status();
        assert!(unmounted.is_ok_and(|status| status.success()));
    }
}

#[tokio::test]
async fn a_full_disk_is_an_error_to_the_caller_and_the_writer_goes_on_once_there_is_room() {
    let Some(disk) = SmallDisk::mount() else { return };
    let database = TestEvents::migrated().await;
    let gate = crate::harness::Gate::open(database.url()).await;
    let client = Client::connect(&gate.url).await.unwrap();
    gate.close();
    let ballast = disk.0.path().join("ballast");
    std::fs::write(&ballast, vec![0; 200 << 10]).unwrap();
    let writer = EventWriter::open(disk.0.path(), &client, DurableOptions::default()).unwrap();
    let mut acknowledged = 0;
    let fill = async |acknowledged: &mut u64| loop {
        match writer.append((*acknowledged..*acknowledged + 50).map(issue)).await {
            Ok(ack) => *acknowledged += ack.logged,
            Err(Error::Log { source, .. }) => break source.kind(),
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(fill(&mut acknowledged).await, std::io::ErrorKind::StorageFull);
    let at_first = acknowledged;
    std::fs::remove_file(&ballast).unwrap();
    assert_eq!(fill(&mut acknowledged).await, std::io::ErrorKind::StorageFull);
    assert!(acknowledged > at_first && at_first > 0, "{at_first}, then {acknowledged}");
    gate.reopen();
    writer.flush().await.unwrap();
    assert_eq!(number(&database, "SELECT count() FROM events FINAL").await, acknowledged);
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
