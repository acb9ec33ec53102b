//! A writer that takes events before ClickHouse is there.

use std::path::Path;
use std::time::Duration;

use anyhow::bail;
use events::Client;
use events::migration::Extent;
use events::writer::EventWriter;

use crate::progress::Board;
use crate::{output, stores};

/// How long to wait before ClickHouse is asked again.
const PAUSE: Duration = Duration::from_secs(1);

/// Waits until ClickHouse answers and nothing is pending, which it sees to itself where it `migrates`; then lets `writer`
/// send. Says once on standard error what it waits for.
pub async fn begin_when_ready(client: &Client, writer: &EventWriter, log: &Path, migrates: bool) {
    let mut is_told = false;
    while let Err(error) = ready(client, migrates).await {
        if !is_told {
            anstream::eprintln!("events wait in {}: {}", log.display(), output::told(&error));
            is_told = true;
        }
        tracing::debug!("not sending yet: {error:#}");
        tokio::time::sleep(PAUSE).await;
    }
    writer.begin();
    if is_told {
        anstream::eprintln!("ClickHouse is there, events are sent");
    }
}

/// Whether events can be sent now; see [`begin_when_ready`].
///
/// # Errors
///
/// What keeps them.
pub async fn ready(client: &Client, migrates: bool) -> anyhow::Result<()> {
    client.check().await?;
    if events::migration::status(client).await?.pending() == 0 {
        return Ok(());
    }
    if !migrates {
        bail!("migrations are pending on events; run `archer migrate up --db events`");
    }
    stores::events_runner(client, &Board::new(false)).up(&Extent::All).await?;
    Ok(())
}
