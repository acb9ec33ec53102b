//! A writer that is killed: `numbered-writer-under-test FOLDER URL FROM [UNTIL]`.
//!
//! It appends numbered events from FROM on and says `FROM UNTIL` of each portion once it is acknowledged. Given UNTIL,
//! it stops there, waits until all is sent, and ends.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use events::envelope::Attributes;
use events::writer::{DurableOptions, EventWriter};
use events::{Client, Event, EventId, Normalised};

/// How many events are appended at once.
const PORTION: u64 = 250;

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
    let options =
        DurableOptions { batch_rows: 5000, linger: Duration::from_millis(100), ..DurableOptions::default() };
    let writer = EventWriter::open(Path::new(folder), &client, options).map_err(|error| error.to_string())?;
    let mut next = from;
    while next < until {
        let end = (next + PORTION).min(until);
        match writer.append((next..end).map(event)).await {
            Ok(_) => {
                let mut out = std::io::stdout();
                let told = writeln!(out, "{next} {end}").and_then(|()| out.flush());
                told.map_err(|error| error.to_string())?;
                next = end;
            }
            // Full for now.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    writer.flush().await.map_err(|error| error.to_string())?;
    writer.shutdown().await.map_err(|error| error.to_string())
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
