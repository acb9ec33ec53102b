//! ClickHouse or the disk is away for a while: writers are told to wait, nothing is lost, and it is made up for.
//!
//! `OUTAGE` says for how many seconds ClickHouse is away (3 unless told); `make outage-test` takes a minute.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use events::log::LogOptions;
use events::migration::{self, Extent};
use events::source::github;
use events::writer::{DurableOptions, EventWriter, Metrics};
use events::{Client, Error, Intake, Normalised};

use tokio::time::Instant;

use crate::harness::{
    Gate, NumberedWriter, OwnServer, PATIENCE, ROLLUP_DIFFERENCES, TestEvents, TestShards, ask,
};

/// What the log of a writer under load may hold: so little that a server that is away makes it full.
const LOG_BYTES: u64 = 4 << 20;

/// What a writer may hold in memory: its program, and three times what its window has by default.
const MEMORY_BYTES: u64 = (64 << 20) + 3 * (48 << 20);

fn outage() -> Duration {
    let seconds = std::env::var("OUTAGE").ok().and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(seconds.unwrap_or(3))
}

/// How many bytes the segments of the log in `folder` have.
fn log_bytes(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap().flatten();
    let segments = entries.filter(|entry| entry.path().extension().is_some_and(|name| name == "log"));
    segments.filter_map(|entry| Some(entry.metadata().ok()?.len())).sum()
}

/// A writer under load whose ClickHouse, the one of `url`, is `away` for a while. It reaches it by `writer_url`.
async fn outlast(writer_url: &str, url: &str, away: impl AsyncFn(bool)) {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = NumberedWriter::start_bounded(folder.path(), writer_url, LOG_BYTES);
    while writer.acknowledged == 0 {
        writer.listen(Duration::from_millis(100)).await;
    }
    writer.listen(Duration::from_secs(1)).await;
    let (before, mut largest) = (writer.acknowledged, 0);
    away(true).await;
    let end = Instant::now() + outage();
    // Under load the log is full sooner or later; until then it has not been away for long enough.
    let full_before = writer.full;
    while Instant::now() < end || writer.full == full_before {
        writer.listen(Duration::from_millis(100)).await;
        largest = largest.max(log_bytes(folder.path()));
    }
    let (during, full) = (writer.acknowledged - before, writer.full - full_before);
    away(false).await;
    let back = Instant::now();
    while writer.acknowledged == before + during {
        writer.listen(Duration::from_millis(100)).await;
        assert!(back.elapsed() < PATIENCE, "it does not go on");
        largest = largest.max(log_bytes(folder.path()));
    }
    let went_on = back.elapsed();
    writer.stop().await;
    let caught_up = back.elapsed();
    let peak = writer.peak_bytes.unwrap_or_default();
    let text = format!(
        "away for {:?}: {before} events before and {during} meanwhile, told to wait {full} times; at most {largest} bytes in the log and {peak} of memory; went on after {went_on:?}, had caught up after {caught_up:?}\n",
        outage()
    );
    // Not `eprintln!`, which the test runner swallows.
    std::io::stderr().write_all(text.as_bytes()).unwrap();
    assert!(largest <= LOG_BYTES && peak <= MEMORY_BYTES, "{text}");
    let expected = writer.acknowledged;
    let once =
        ask(url, "SELECT count(), uniqExact(subject), max(toUInt64(subject)) + 1 FROM events FINAL").await;
    assert_eq!(once, format!("{expected}\t{expected}\t{expected}"));
    assert_eq!(ask(url, ROLLUP_DIFFERENCES).await, "0");
    assert_eq!(ask(url, "SELECT count() FROM dead_letters").await, "0");
}

#[tokio::test]
async fn a_writer_under_load_outlasts_a_server_that_nobody_can_reach() {
    let database = TestEvents::migrated().await;
    let gate = Gate::open(database.url()).await;
    outlast(&gate.url, database.url(), async |is_away| gate.set_open(!is_away)).await;
}

#[tokio::test]
async fn a_writer_under_load_outlasts_a_server_that_takes_connections_and_does_not_answer() {
    let folder = tempfile::tempdir().unwrap();
    let server = OwnServer::start(folder.path()).await;
    migration::up(&Client::connect(&server.url).await.unwrap(), &Extent::All).await.unwrap();
    let away = async |is_away| server.signal(if is_away { "STOP" } else { "CONT" }).await;
    outlast(&server.url, &server.url, away).await;
}

#[tokio::test]
async fn a_writer_under_load_outlasts_a_cluster_whose_shard_nobody_can_reach() {
    let shards = TestShards::migrated().await;
    let url = &shards.urls()[0];
    let gate = Gate::open(url).await;
    outlast(&gate.url, url, async |is_away| gate.set_open(!is_away)).await;
}

/// An event of `issues` that differs by `number`.
fn issue(number: u64) -> Normalised {
    let intake = Intake::new("default", "2024-06-01T12:00:00Z".parse().unwrap());
    let body =
        format!(r#"{{"action":"opened","issue":{{"number":{number},"updated_at":"2024-05-01T10:00:00Z"}}}}"#);
    github::event(&intake, "issues", None, body.as_bytes())
}

fn metrics(writer: &EventWriter) -> Metrics {
    writer.metrics(std::time::Instant::now())
}

#[tokio::test]
async fn while_the_server_is_away_the_log_keeps_within_its_bound_and_catches_up_afterwards() {
    let (folder, database) = (tempfile::tempdir().unwrap(), TestEvents::migrated().await);
    let gate = Gate::open(database.url()).await;
    let client = Client::connect(&gate.url).await.unwrap();
    let log = LogOptions { segment_bytes: 64 << 10, max_bytes: 512 << 10 };
    let options = DurableOptions { linger: Duration::from_millis(50), log, ..DurableOptions::default() };
    let writer = EventWriter::open(folder.path(), &client, options).unwrap();
    gate.set_open(false);
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
    gate.set_open(true);
    writer.flush().await.unwrap();
    let _ = writer.append((acknowledged..acknowledged + 100).map(issue)).await.unwrap();
    writer.flush().await.unwrap();
    assert_eq!(
        ask(database.url(), "SELECT count() FROM events FINAL").await,
        (acknowledged + 100).to_string()
    );
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
    let gate = Gate::open(database.url()).await;
    let client = Client::connect(&gate.url).await.unwrap();
    gate.set_open(false);
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
    gate.set_open(true);
    writer.flush().await.unwrap();
    assert_eq!(ask(database.url(), "SELECT count() FROM events FINAL").await, acknowledged.to_string());
}

#[tokio::test]
async fn a_disk_that_is_smaller_than_a_segment_takes_more_than_it_holds_as_what_is_sent_makes_room() {
    const EVENTS: u64 = 40_000;
    let Some(disk) = SmallDisk::mount() else { return };
    let database = TestEvents::migrated().await;
    let client = Client::connect(database.url()).await.unwrap();
    let writer = EventWriter::open(disk.0.path(), &client, DurableOptions::default()).unwrap();
    let (mut acknowledged, mut refused) = (0, 0);
    while acknowledged < EVENTS {
        match writer.append((acknowledged..acknowledged + 500).map(issue)).await {
            Ok(_) => acknowledged += 500,
            Err(Error::Log { source, .. }) if source.kind() == std::io::ErrorKind::StorageFull => {
                refused += 1;
                assert!(refused < 500, "{acknowledged} were taken, and then no more");
                writer.flush().await.unwrap();
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert!(refused > 0);
    writer.flush().await.unwrap();
    assert_eq!(ask(database.url(), "SELECT count() FROM events FINAL").await, EVENTS.to_string());
}

#[tokio::test]
async fn a_process_whose_files_may_not_grow_acknowledges_nothing_and_the_next_one_goes_on() {
    let (folder, database) = (tempfile::tempdir().unwrap(), TestEvents::migrated().await);
    let mut writer = NumberedWriter::start_without_room(folder.path(), database.url());
    while writer.refused < 3 {
        writer.listen(Duration::from_millis(100)).await;
    }
    assert_eq!((writer.kill().await, log_bytes(folder.path())), (0, 0));
    let mut writer = NumberedWriter::start(folder.path(), database.url(), 0, Some(1000));
    writer.finish().await;
    let numbers = "SELECT count(), uniqExact(subject) FROM events FINAL";
    assert_eq!(ask(database.url(), numbers).await, "1000\t1000");
}
