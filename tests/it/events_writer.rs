//! What the writers write beside events, and what they leave out.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use events::source::github;
use events::writer::{self, DurableOptions, EventWriter, Options};
use events::{Client, Intake, Normalised, erasure};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::time::timeout;

use crate::harness::{Gate, TestEvents, archer};

/// An issue of one of three people, in one of two months.
fn issue(number: u64) -> Normalised {
    let (month, person) = (4 + number % 2, number % 3);
    let body = format!(
        r#"{{"action":"opened","sender":{{"login":"person{person}"}},"issue":{{"number":{number},"updated_at":"2024-0{month}-01T10:00:00Z"}}}}"#
    );
    let intake = Intake::new("default", "2024-06-01T12:00:00Z".parse().unwrap());
    github::event(&intake, "issues", None, body.as_bytes())
}

async fn open(folder: &Path, database: &TestEvents) -> EventWriter {
    let client = Client::connect(database.url()).await.unwrap();
    EventWriter::open(folder, &client, DurableOptions::default()).unwrap()
}

const ACCOUNT: &str = "SELECT destination, month, shard, rows, bytes > rows, sent_at > '2024-01-01'
    FROM ingest_batches FINAL ORDER BY destination, month FORMAT CSV";

#[tokio::test]
async fn every_batch_that_the_server_took_is_in_the_account() {
    let expected = "\"events\",202404,0,50,1,1\n\"events\",202405,0,50,1,1";
    let (folder, database) = (tempfile::tempdir().unwrap(), TestEvents::migrated().await);
    let writer = open(folder.path(), &database).await;
    let _ = writer.append((0..100).map(issue)).await.unwrap();
    writer.flush().await.unwrap();
    assert_eq!(database.execute(ACCOUNT).await.trim(), expected);
    let database = TestEvents::migrated().await;
    let client = Client::connect(database.url()).await.unwrap();
    writer::write(&client, (0..100).map(issue), Options::default(), |_| {}).await.unwrap();
    assert_eq!(database.execute(ACCOUNT).await.trim(), expected);
}

#[tokio::test]
async fn events_of_a_person_who_was_erased_are_left_out_and_counted_whichever_way_they_come() {
    let (folder, database) = (tempfile::tempdir().unwrap(), TestEvents::migrated().await);
    let client = Client::connect(database.url()).await.unwrap();
    let now = "2024-06-02T00:00:00Z".parse().unwrap();
    erasure::erase(&client, "default", "person1", now, |_| {}).await.unwrap();
    let writer = open(folder.path(), &database).await;
    let _ = writer.append((0..30).map(issue)).await.unwrap();
    writer.flush().await.unwrap();
    let told = writer.metrics(Instant::now());
    assert_eq!((told.acknowledged, told.sent, told.erased, told.dead), (30, 20, 10, 0));
    let report = writer::write(&client, (30..60).map(issue), Options::default(), |_| {}).await.unwrap();
    assert_eq!((report.read, report.written, report.erased), (30, 20, 10));
    assert_eq!(report.to_string(), "30 read: 20 written, 0 duplicate, 0 dead, 10 of people who were erased");
    let found = database.execute("SELECT count(), countIf(actor = 'person1') FROM events").await;
    assert_eq!(found.trim(), "40\t0");
    assert!(erasure::again(&client, now, |_| {}).await.unwrap().is_empty());
}

#[tokio::test]
async fn parked_events_of_a_person_who_was_erased_meanwhile_are_not_replayed() {
    let (folder, database) = (tempfile::tempdir().unwrap(), TestEvents::migrated().await);
    let writer = open(folder.path(), &database).await;
    database.execute("RENAME TABLE events TO elsewhere").await;
    let _ = writer.append((0..30).map(issue)).await.unwrap();
    writer.flush().await.unwrap();
    database.execute("RENAME TABLE elsewhere TO events").await;
    let client = Client::connect(database.url()).await.unwrap();
    erasure::erase(&client, "default", "person1", "2024-06-02T00:00:00Z".parse().unwrap(), |_| {})
        .await
        .unwrap();
    assert_eq!(writer.replay_parked().await.unwrap().sent, 20);
    let told = writer.metrics(Instant::now());
    assert_eq!((told.sent, told.erased, told.parked), (20, 10, 0));
    assert_eq!(database.execute("SELECT countIf(actor = 'person1') FROM events").await.trim(), "0");
}

#[tokio::test]
async fn a_stream_is_followed_while_clickhouse_is_away_from_the_start() {
    let (folder, database) = (tempfile::tempdir().unwrap(), TestEvents::migrated().await);
    let gate = Gate::open(database.url()).await;
    gate.set_open(false);
    let mut command = archer(&["ingest", "events", "-", "--follow", "--log"]);
    command.arg(folder.path()).env("CLICKHOUSE_URL", &gate.url);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = Vec::new();
    for number in 0..10 {
        writeln!(lines, r#"{{"kind":"k","time":"2024-05-01T10:00:00Z","id":"{number}"}}"#).unwrap();
    }
    let mut input = child.stdin.take().unwrap();
    input.write_all(&lines).await.unwrap();
    drop(input);
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let first = timeout(Duration::from_secs(60), said.next_line()).await.unwrap().unwrap().unwrap();
    assert!(first.starts_with("events wait in"), "{first}");
    gate.set_open(true);
    let mut told = String::new();
    let mut output = child.stdout.take().unwrap();
    timeout(Duration::from_secs(60), output.read_to_string(&mut told)).await.unwrap().unwrap();
    assert!(told.starts_with("10 read: 10 written"), "{told}");
    assert_eq!(child.wait().await.unwrap().code(), Some(0));
}
