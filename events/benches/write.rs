//! How fast the durable writer is, beside what does less: `cargo bench -p events`.
//!
//! Each ratio is to a peer that puts the same rows into the same tables of the same server, views and all, in the same
//! round; what is told is the median over `ROUNDS` (5 unless told), and the least and the most. The server is an embedded
//! one, or the one of `CLICKHOUSE_URL`; a database `events_bench` of its own is made and dropped there. `ROWS` is how
//! many events are written (300,000 unless told).
//!
//! | | |
//! |---|---|
//! | official crate | `insert` of the official crate with its own client as it comes, 100,000 rows a statement |
//! | uncompressed | the same without compression |
//! | log | `append` from two tasks until all is acknowledged, fsync and all; nothing is sent |
//! | durable | the same, and `flush`: all is in the table |
//! | `JSONEachRow` | the server reads the file itself, in one statement |
//! | NDJSON | the file is read, normalised, scrubbed, acknowledged and sent |

#![expect(clippy::unwrap_used, reason = "a benchmark that can't go on ends")]

use std::collections::BTreeMap;
use std::io::Cursor;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use clap::Parser;
use clickhouse::Row;
use events::envelope::Attributes;
use events::migration::{self, Extent};
use events::source::ndjson;
use events::writer::{DurableOptions, EventWriter};
use events::{Client, Event, EventId, Intake, Normalised};
use serde::Serialize;

/// Events of one call of `append`, from each of [`TASKS`].
const PORTION: usize = 5000;
const TASKS: usize = 2;
/// Rows of one plain insert, as of one batch.
const BATCH: usize = 100_000;

/// The embedded server runs this program again, as `… dev …`.
#[derive(Parser)]
enum Arguments {
    #[command(subcommand)]
    Dev(dev::commands::DevCommand),
}

#[tokio::main]
async fn main() -> ExitCode {
    let program = dev::Program::current().unwrap();
    if std::env::args().nth(1).is_some_and(|first| first == "dev") {
        let Arguments::Dev(command) = Arguments::parse();
        return dev::commands::run(command, false, &program).await.unwrap_or(ExitCode::FAILURE);
    }
    let needs = dev::Needs { clickhouse: true, ..dev::Needs::default() };
    let resolved = match std::env::var_os("CLICKHOUSE_URL") {
        Some(_) => dev::resolve(&dev::Overrides::default(), needs, &program).await.unwrap(),
        None => dev::endpoints::embedded(&program).await.unwrap(),
    };
    let server = resolved.endpoints.clickhouse.clone().unwrap();
    let administer = async |sql: &str| dev::clickhouse::execute(server.as_url(), sql).await.unwrap();
    administer("DROP DATABASE IF EXISTS events_bench SYNC").await;
    administer("CREATE DATABASE events_bench ENGINE = Atomic").await;
    run(server.with_database("events_bench").expose()).await;
    administer("DROP DATABASE events_bench SYNC").await;
    resolved.finish().await.unwrap();
    ExitCode::SUCCESS
}

async fn run(url: &str) {
    let client = Client::connect(url).await.unwrap();
    migration::up(&client, &Extent::All).await.unwrap();
    let (rows, rounds) = (variable("ROWS", 300_000), variable("ROUNDS", 5));
    let events: Vec<Event> = (0..rows).map(event).collect();
    let file: Bytes = events
        .iter()
        .flat_map(|event| [serde_json::to_vec(event).unwrap(), b"\n".to_vec()].concat())
        .collect();
    let items: Arc<Vec<Normalised>> = Arc::new(events.iter().cloned().map(Ok).collect());
    println!("{rows} events, {} MB of NDJSON, {rounds} rounds", file.len() / 1_000_000);

    let official = official(url);
    let uncompressed = official.clone().with_compression(clickhouse::Compression::None);
    let mut took: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    // The first round warms up and does not count.
    for round in 0..=rounds {
        let mut note = |name, duration: Duration| {
            if round > 0 {
                took.entry(name).or_default().push(duration.as_secs_f64());
            }
        };
        note("official crate", plain(&client, &official, &events).await);
        note("durable", durable(&client, &items).await);
        note("uncompressed", plain(&client, &uncompressed, &events).await);
        note("log", log_alone(&client, &items).await);
        note("JSONEachRow", json_each_row(&client, &file).await);
        note("NDJSON", ndjson_durable(&client, &file).await);
    }
    for (name, seconds) in &took {
        println!("{name:>16} {:>10.0} events/s", rows as f64 / median(seconds.clone()));
    }
    for (one, other, at_least) in [
        ("durable", "official crate", "at least 0.9"),
        ("durable", "uncompressed", "told as well"),
        ("NDJSON", "JSONEachRow", "at least 1"),
        ("log", "official crate", "at least 5"),
    ] {
        let ratios: Vec<f64> = took[other].iter().zip(&took[one]).map(|(other, one)| other / one).collect();
        let (least, most) =
            (ratios.iter().copied().fold(f64::MAX, f64::min), ratios.iter().copied().fold(0.0, f64::max));
        println!("{one:>8} to {other:<15} {:.2} ({least:.2} to {most:.2}; {at_least})", median(ratios));
    }
}

fn variable(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The official crate with its own HTTP client, as its users have it.
fn official(url: &str) -> clickhouse::Client {
    let url = url::Url::parse(url).unwrap();
    let origin = format!("http://{}:{}/", url.host_str().unwrap(), url.port_or_known_default().unwrap());
    clickhouse::Client::default()
        .with_url(origin)
        .with_user(url.username())
        .with_password(url.password().unwrap_or_default())
        .with_database(url.path().trim_matches('/'))
}

fn event(number: u64) -> Event {
    let mut attributes = Attributes::new();
    attributes.set("number", &number.to_string());
    attributes.set("organization", "acme");
    let start = DateTime::<Utc>::from_timestamp(1_714_557_600, 0).unwrap();
    Event {
        tenant: "default".to_owned(),
        event_id: EventId::of("default", "bench", &[&number.to_be_bytes()]),
        source: "bench".to_owned(),
        kind: ["push", "issues.opened", "pull_request.opened", "release"][(number % 4) as usize].to_owned(),
        action: "opened".to_owned(),
        repository: format!("acme/rocket{}", number % 50),
        actor: format!("person{}", number % 1000),
        occurred_at: start + TimeDelta::seconds((number * 7919 % 2_000_000) as i64),
        received_at: start,
        subject: format!("#{number}"),
        title: format!("Make the {number}th part of it work"),
        url: format!("https://example.org/acme/rocket/issues/{number}"),
        attributes,
    }
}

async fn empty(client: &Client) {
    for table in ["events", "events_daily"] {
        client.driver().query_raw(&format!("TRUNCATE TABLE {table}")).execute().await.unwrap();
    }
}

async fn check(client: &Client, rows: usize) {
    let found: u64 = client.driver().query_raw("SELECT count() FROM events FINAL").fetch_one().await.unwrap();
    assert_eq!(found, rows as u64);
}

/// Appends from [`TASKS`] tasks, in turns.
async fn append(writer: &Arc<EventWriter>, events: &Arc<Vec<Normalised>>) {
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let (writer, events) = (writer.clone(), events.clone());
            tokio::spawn(async move {
                for portion in events.chunks(PORTION).skip(task).step_by(TASKS) {
                    let _ = writer.append(portion).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

async fn log_alone(client: &Client, events: &Arc<Vec<Normalised>>) -> Duration {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let never = DurableOptions {
        batch_rows: usize::MAX,
        window_bytes: usize::MAX,
        linger: Duration::from_secs(3600),
        ..DurableOptions::default()
    };
    let writer = Arc::new(EventWriter::open(folder.path(), client, never).unwrap());
    let start = Instant::now();
    append(&writer, events).await;
    start.elapsed()
}

async fn durable(client: &Client, events: &Arc<Vec<Normalised>>) -> Duration {
    empty(client).await;
    let rows = events.len();
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let writer = Arc::new(EventWriter::open(folder.path(), client, DurableOptions::default()).unwrap());
    let start = Instant::now();
    append(&writer, events).await;
    writer.flush().await.unwrap();
    let took = start.elapsed();
    check(client, rows).await;
    took
}

async fn ndjson_durable(client: &Client, file: &Bytes) -> Duration {
    empty(client).await;
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let writer = EventWriter::open(folder.path(), client, DurableOptions::default()).unwrap();
    let rows = file.iter().filter(|byte| **byte == b'\n').count();
    let intake = Intake::new("default", DateTime::<Utc>::from_timestamp(1_714_557_600, 0).unwrap());
    let reader = Cursor::new(file.clone());
    let start = Instant::now();
    writer.follow(ndjson::lines(intake, "bench", reader), |_| ()).await.unwrap();
    let took = start.elapsed();
    check(client, rows).await;
    took
}

async fn json_each_row(client: &Client, file: &Bytes) -> Duration {
    empty(client).await;
    let rows = file.iter().filter(|byte| **byte == b'\n').count();
    let start = Instant::now();
    let mut insert = client
        .driver()
        .insert_formatted_with("INSERT INTO events FORMAT JSONEachRow")
        .with_setting("async_insert", "0")
        .with_setting("wait_end_of_query", "1")
        .with_setting("date_time_input_format", "best_effort");
    for at in (0..file.len()).step_by(1 << 20) {
        insert.send(file.slice(at..(at + (1 << 20)).min(file.len()))).await.unwrap();
    }
    insert.end().await.unwrap();
    let took = start.elapsed();
    check(client, rows).await;
    took
}

/// A row as a user of the official crate would have it.
#[derive(Row, Serialize)]
struct Plain<'a> {
    tenant: &'a str,
    event_id: EventId,
    source: &'a str,
    kind: &'a str,
    action: &'a str,
    repository: &'a str,
    actor: &'a str,
    #[serde(with = "clickhouse::serde::chrono::datetime64::millis")]
    occurred_at: DateTime<Utc>,
    #[serde(with = "clickhouse::serde::chrono::datetime64::millis")]
    received_at: DateTime<Utc>,
    subject: &'a str,
    title: &'a str,
    url: &'a str,
    attributes: Vec<(&'a str, &'a str)>,
}

async fn plain(client: &Client, driver: &clickhouse::Client, events: &[Event]) -> Duration {
    empty(client).await;
    let start = Instant::now();
    for batch in events.chunks(BATCH) {
        let mut insert = driver
            .insert::<Plain<'_>>("events")
            .await
            .unwrap()
            .with_setting("async_insert", "0")
            .with_setting("wait_end_of_query", "1");
        for event in batch {
            let row = Plain {
                tenant: &event.tenant,
                event_id: event.event_id,
                source: &event.source,
                kind: &event.kind,
                action: &event.action,
                repository: &event.repository,
                actor: &event.actor,
                occurred_at: event.occurred_at,
                received_at: event.received_at,
                subject: &event.subject,
                title: &event.title,
                url: &event.url,
                attributes: event.attributes.iter().collect(),
            };
            insert.write(&row).await.unwrap();
        }
        insert.end().await.unwrap();
    }
    let took = start.elapsed();
    check(client, events.len()).await;
    took
}
