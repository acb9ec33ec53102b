//! Sending again what the schema or the server had refused.

use chrono::{DateTime, Utc};

use super::EventWriter;
use crate::envelope::{Event, Intake};
use crate::error::{Class, Error, Result};
use crate::source::ndjson;
use crate::writer::account::{self, Entry};
use crate::writer::batch::Batch;
use crate::writer::send::Fate;
use crate::writer::survey::{Survey, Surveyor};
use crate::writer::{park, send};

/// How many dead letters are replayed at once, at the most.
pub const MAX_REPLAYED_LETTERS: u64 = 10_000;

#[derive(clickhouse::Row, serde::Deserialize)]
struct Letter {
    tenant: String,
    payload: String,
}

/// What became of the parked batches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Replayed {
    /// Rows that the server took.
    pub sent: u64,
    /// Rows that stay parked.
    pub parked: u64,
}

impl EventWriter {
    /// Sends the parked batches again, each under its old token if its rows are all of one shard still and nobody of it
    /// was erased, and forgets those that the server takes.
    ///
    /// # Errors
    ///
    /// [`Error::Log`] if they can't be read, an error of the server that is not about the schema.
    pub async fn replay_parked(&self) -> Result<Replayed> {
        let failed = |source| Error::Log { folder: self.folder().to_owned(), doing: "read a batch", source };
        let client = &self.delivery.client;
        let mut replayed = Replayed::default();
        let Survey { spread, erased } = Surveyor::default().survey(client).await?;
        for (path, length) in park::list(self.folder()).map_err(failed)? {
            let batch = park::read(&path).map_err(failed)?;
            let (id, rows) = (batch.id, batch.rows as u64);
            let (kept, left_out) = erased.leave_out(batch);
            let parts = kept.map(|kept| spread.split(kept)).unwrap_or_default();
            match self.send_parked(&parts).await {
                Ok(()) => {
                    std::fs::remove_file(&path).map_err(failed)?;
                    self.delivery.log.give_back(length);
                    self.delivery.counters.unparked(rows);
                    self.delivery.counters.erased(left_out);
                    parts.iter().for_each(|part| self.delivery.counters.sent(part));
                    replayed.sent += parts.iter().map(|part| part.rows as u64).sum::<u64>();
                }
                Err(error) if error.class() == Class::Transient => return Err(error),
                Err(error) => {
                    tracing::warn!(%id, "stays parked: {error}");
                    replayed.parked += rows;
                }
            }
        }
        Ok(replayed)
    }

    async fn send_parked(&self, parts: &[Batch]) -> Result<()> {
        for part in parts {
            send::send_once(&self.delivery.client, part, Fate::Unknown).await?;
        }
        let entries: Vec<_> = parts.iter().map(Entry::of).collect();
        account::write(&self.delivery.client, &entries).await
    }

    /// Writes the dead letters again whose events the server had refused, and takes those away that it takes now; at
    /// most [`MAX_REPLAYED_LETTERS`]. Those that it refuses again stay as they are. Their time of arrival is
    /// `received_at`.
    ///
    /// # Errors
    ///
    /// Those of [`EventWriter::append`]; an error of the server that keeps letters from being read or taken away.
    pub async fn replay_dead_letters(&self, received_at: DateTime<Utc>) -> Result<u64> {
        let client = &self.delivery.client;
        let letters = client.query(
            "SELECT tenant, payload FROM dead_letters FINAL
             WHERE event_id IS NOT NULL AND startsWith(place, 'event ')
             ORDER BY letter_id LIMIT {limit:UInt64}",
        );
        let letters: Vec<Letter> = client.rows(letters.param("limit", MAX_REPLAYED_LETTERS)).await?;
        let events: Vec<Event> = letters
            .iter()
            .filter_map(|letter| {
                let intake = Intake::new(&letter.tenant, received_at);
                ndjson::event(&intake, letter.payload.as_bytes()).ok()
            })
            .collect();
        if events.is_empty() {
            return Ok(0);
        }
        let ids: Vec<_> = events.iter().map(|event| event.event_id.to_string()).collect();
        self.shared.forget();
        let _ = self.append(events.into_iter().map(Ok)).await?;
        self.flush().await?;
        let taken =
            format!("event_id IN (SELECT event_id FROM events WHERE event_id IN ('{}'))", ids.join("', '"));
        let size = (taken.len() + 1024).to_string();
        let count = format!("SELECT count() FROM dead_letters FINAL WHERE {taken}");
        let count = client.row(client.query(&count).with_setting("max_query_size", &size)).await?;
        let delete = format!("DELETE FROM dead_letters WHERE {taken}");
        client.execute(client.query(&delete).with_setting("max_query_size", &size)).await?;
        Ok(count)
    }
}
