//! A writer that is killed: `numbered-writer-under-test FOLDER URL FROM [UNTIL]`.
//!
//! It appends numbered events from FROM on and says `acknowledged FROM UNTIL` of each portion, `full` each time the
//! log has no room and `refused` each time the disk has none. At UNTIL, or when it is told to by SIGTERM, it stops,
//! waits until all is sent, says `peak BYTES` of its memory, and ends. `LOG_BYTES` bounds the log.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use events::envelope::Attributes;
use events::log::LogOptions;
use events::writer::{DurableOptions, EventWriter};
use events::{Client, Error, Event, EventId, Normalised};
use tokio::signal::unix::{SignalKind, signal};

/// How many events are appended at once.
const PORTION: u64 = 250;

/// How long is waited for room.
const PAUSE: Duration = Duration::from_millis(20);

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (Some(folder), Some(url), Some(from)) = (arguments.first(), arguments.get(1), number(&arguments, 2))
    else {
        return Err("usage: numbered-writer-under-test FOLDER URL FROM [UNTIL]".to_owned());
    };
    let until = number(&arguments, 3).unwrap_or(u64::MAX);
    let client = connect(url).await;
    let mut log = LogOptions::default();
    if let Some(bytes) = std::env::var("LOG_BYTES").ok().and_then(|bytes| bytes.parse().ok()) {
        log.max_bytes = bytes;
    }
    let options = DurableOptions {
        batch_rows: 5000,
        linger: Duration::from_millis(100),
        log,
        ..DurableOptions::default()
    };
    let writer = EventWriter::open(Path::new(folder), &client, options).map_err(|error| error.to_string())?;
    let is_told_to_stop = told_to_stop().map_err(|error| error.to_string())?;
    let mut next = from;
    while next < until && !is_told_to_stop.load(Ordering::Relaxed) {
        let end = (next + PORTION).min(until);
        match writer.append((next..end).map(event)).await {
            Ok(_) => {
                say(&format!("acknowledged {next} {end}"))?;
                next = end;
            }
            Err(error) => {
                say(if matches!(error, Error::LogFull { .. }) { "full" } else { "refused" })?;
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    writer.flush().await.map_err(|error| error.to_string())?;
    writer.shutdown().await.map_err(|error| error.to_string())?;
    peak_bytes().map_or(Ok(()), |bytes| say(&format!("peak {bytes}")))
}

/// True once SIGTERM has come.
fn told_to_stop() -> std::io::Result<Arc<AtomicBool>> {
    let mut signals = signal(SignalKind::terminate())?;
    let told = Arc::new(AtomicBool::new(false));
    let teller = told.clone();
    tokio::spawn(async move {
        signals.recv().await;
        teller.store(true, Ordering::Relaxed);
    });
    Ok(told)
}

fn say(line: &str) -> Result<(), String> {
    let mut out = std::io::stdout();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(|error| error.to_string())
}

/// The most memory that this process has had; `None` where the kernel does not say.
fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}
fn number(arguments: &[String], at: usize) -> Option<u64> {
    arguments.get(at)?.parse().ok()
}

/// The server may be down just now.
async fn connect(url: &str) -> Client {
    loop {
        match Client::connect(url).await {
            Ok(client) => return client,
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Event `number`: the same in every run, in one of two months, out of order.
fn event(number: u64) -> Normalised {
    let mut attributes = Attributes::new();
    attributes.set("number", &number.to_string());
    let minutes = TimeDelta::minutes(((number * 7919) % 80_000) as i64);
    let start = DateTime::<Utc>::from_timestamp(1_714_557_600, 0).unwrap_or_default();
    Ok(Event {
        tenant: "default".to_owned(),
        event_id: EventId::of("default", "numbered", &[&number.to_be_bytes()]),
        source: "numbered".to_owned(),
        kind: ["push", "issues.opened", "release"][(number % 3) as usize].to_owned(),
        action: String::new(),
        repository: "acme/rocket".to_owned(),
        actor: format!("person{}", number % 100),
        occurred_at: start + minutes,
        received_at: start,
        subject: number.to_string(),
        title: format!("Event {number}"),
        url: String::new(),
        attributes,
    })
}
