//! `archer ingest … --follow`: a stream, through the durable log.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use events::writer::{DeadLetter, DurableOptions, EventWriter, MAX_LISTED_LETTERS, Report};
use events::{Client, Error, Normalised};
use tokio::sync::mpsc;

use crate::sending::begin_when_ready;

/// How many inputs are appended at once, at the most; fewer where no more have come.
const PORTION: usize = 1000;

/// How long to wait where the log is full or the disk refuses.
const PAUSE: Duration = Duration::from_millis(200);

/// Takes what `lines` yields into the log in `folder` as it comes, until it ends, then waits until all is sent.
///
/// ClickHouse need not be there yet; `migrates` says whether its migrations are ours to apply when it is.
pub(super) async fn follow(
    client: &Client,
    folder: &Path,
    migrates: bool,
    lines: impl Iterator<Item = Normalised> + Send + 'static,
    progress: impl Fn(&Report),
) -> anyhow::Result<Report> {
    let writer = Arc::new(EventWriter::open_held(folder, client, DurableOptions::default())?);
    let beginning = {
        let (client, writer, folder) = (client.clone(), writer.clone(), folder.to_owned());
        tokio::spawn(async move { begin_when_ready(&client, &writer, &folder, migrates).await })
    };
    let before = writer.metrics(Instant::now());
    let (sender, mut receiver) = mpsc::channel(PORTION);
    let reading = tokio::task::spawn_blocking(move || {
        for line in lines {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    let mut report = Report::default();
    let mut portion = Vec::with_capacity(PORTION);
    while receiver.recv_many(&mut portion, PORTION).await > 0 {
        report.read += portion.len() as u64;
        for rejection in portion.iter().filter_map(|item| item.as_ref().err()) {
            if report.dead_letters.len() < MAX_LISTED_LETTERS {
                let (place, reason) = (rejection.place.clone(), rejection.reason.clone());
                report.dead_letters.push(DeadLetter { place, reason });
            }
        }
        append(&writer, &portion).await?;
        portion.clear();
        progress(&report);
    }
    reading.await?;
    writer.flush().await?;
    let after = writer.metrics(Instant::now());
    report.written = after.sent - before.sent;
    report.duplicate = after.duplicate - before.duplicate;
    report.dead = after.dead - before.dead;
    report.erased = after.erased - before.erased;
    report.batches = after.batches - before.batches;
    if after.parked > before.parked {
        let parked = after.parked - before.parked;
        anstream::eprintln!("{parked} rows wait for the schema; migrate, then `archer ingest replay`");
    }
    beginning.await?;
    if let Some(writer) = Arc::into_inner(writer) {
        writer.shutdown().await?;
    }
    progress(&report);
    Ok(report)
}

/// Appends `items`, waiting where there is no room.
async fn append(writer: &EventWriter, items: &[Normalised]) -> anyhow::Result<()> {
    loop {
        match writer.append(items).await {
            Ok(_) => return Ok(()),
            Err(error @ (Error::LogFull { .. } | Error::Log { .. })) => {
                tracing::warn!("waiting: {error}");
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}
