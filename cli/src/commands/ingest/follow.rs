//! `archer ingest … --follow`: a stream, through the durable log.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use events::writer::{DurableOptions, EventWriter, Report};
use events::{Client, Normalised};

use crate::sending::begin_when_ready;

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
    let report = writer.follow(lines, progress).await?;
    let after = writer.metrics(Instant::now());
    if after.parked > before.parked {
        let parked = after.parked - before.parked;
        anstream::eprintln!("{parked} rows wait for the schema; migrate, then `archer ingest replay`");
    }
    beginning.await?;
    if let Some(writer) = Arc::into_inner(writer) {
        writer.shutdown().await?;
    }
    Ok(report)
}
