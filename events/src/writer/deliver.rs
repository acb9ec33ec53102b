//! Getting a sealed batch into the server's hands, whatever the server says.
//!
//! | the server says | what happens |
//! |---|---|
//! | nothing, or that it can't now | the same batch again, without its token, after a wait that grows to five seconds, for as long as it takes |
//! | that the table or a column is missing or another | the batch is parked; `replay` sends it once the schema is right |
//! | that it has no such shard | the batch is split over the shards that it has |
//! | that it does not take these rows | halves are tried until the rows are found, which become dead letters |
//!
//! Whether it is the rows is asked by an insert without any: what refuses that too (a password, a right, a limit)
//! is no fault of theirs, and the batch waits.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::watch;

use super::account::{self, Entry};
use super::batch::Batch;
use super::encode;
use super::metrics::Counters;
use super::send::Fate;
use super::spread::Spread;
use super::{decode, park, send};
use crate::client::Client;
use crate::envelope::{EventId, Intake, Rejection};
use crate::error::{Class, Error};
use crate::log::Log;

/// INVALID_SHARD_ID.
const NO_SUCH_SHARD: u32 = 577;

/// UNKNOWN_USER, WRONG_PASSWORD, REQUIRED_PASSWORD, IP_ADDRESS_NOT_ALLOWED, ACCESS_DENIED, AUTHENTICATION_FAILED: no
/// fault of any row, and of a shard they are not told by an insert that sends it none.
const NO_ACCESS: [u32; 6] = [192, 193, 194, 195, 497, 516];

/// What a delivery needs.
#[derive(Clone)]
pub(super) struct Delivery {
    pub client: Client,
    pub log: Arc<Log>,
    pub folder: PathBuf,
    pub counters: Arc<Counters>,
    /// True once the writer is to end: then nothing is waited for.
    pub stopping: watch::Receiver<bool>,
}

/// The writer ends before the batch was taken; the log still has it.
#[derive(Debug)]
pub(super) struct Stopped;

impl Delivery {
    /// Delivers `batches`: afterwards their rows are in the tables, parked, or dead letters, and what the server took
    /// is in `ingest_batches`.
    pub(super) async fn deliver_all(&self, batches: Vec<Batch>, fate: Fate) -> Result<(), Stopped> {
        let mut entries = Vec::new();
        for batch in batches {
            self.deliver(batch, fate, &mut entries).await?;
        }
        let (mut attempt, id) = (1, EventId(0));
        while let Err(error) = account::write(&self.client, &entries).await {
            if error.class() != Class::Transient {
                // The rows themselves are where they belong.
                tracing::warn!("what was sent is not in ingest_batches: {error}");
                break;
            }
            self.wait(&mut attempt, id, &error).await?;
        }
        Ok(())
    }

    async fn deliver(&self, batch: Batch, fate: Fate, entries: &mut Vec<Entry>) -> Result<(), Stopped> {
        let mut parts = vec![batch];
        let mut attempt = 1;
        while let Some(batch) = parts.pop() {
            let fate = if attempt > 1 { Fate::Unknown } else { fate };
            let Err(error) = send::send_once(&self.client, &batch, fate).await else {
                self.counters.sent(&batch);
                entries.push(Entry::of(&batch));
                attempt = 1;
                continue;
            };
            match self.verdict(&batch, error).await {
                Verdict::Again(error) => {
                    self.wait(&mut attempt, batch.id, &error).await?;
                    parts.push(batch);
                }
                Verdict::Park(error) => self.park(&batch, &error).await?,
                Verdict::Spread(spread) => parts.extend(spread.split(batch)),
                Verdict::Rows(error) if batch.rows == 1 => parts.extend(self.bury(&batch, &error).await?),
                Verdict::Rows(_) => {
                    let middle = batch.rows / 2;
                    parts.extend([batch.part(middle..batch.rows), batch.part(0..middle)]);
                }
            }
        }
        Ok(())
    }

    async fn verdict(&self, batch: &Batch, error: Error) -> Verdict {
        match error.class() {
            Class::Transient => Verdict::Again(error),
            Class::Schema => Verdict::Park(error),
            Class::Permanent if error.code() == Some(NO_SUCH_SHARD) => {
                // Sealed for a shard that is gone: its rows go to those that are there.
                Spread::fetch(&self.client).await.map_or_else(Verdict::Again, Verdict::Spread)
            }
            Class::Permanent if error.code().is_some_and(|code| NO_ACCESS.contains(&code)) => {
                Verdict::Again(error)
            }
            Class::Permanent => {
                let header = batch.destination.table.header();
                let empty = Batch::of_rows(batch.destination, header, Vec::new());
                match send::send_once(&self.client, &empty, Fate::Unsent).await {
                    Ok(()) => Verdict::Rows(error),
                    Err(refusal) if is_of_schema(&refusal) => Verdict::Park(refusal),
                    Err(refusal) => Verdict::Again(refusal),
                }
            }
        }
    }

    /// Waits before the next attempt; the `id` shortens the wait.
    pub(super) async fn wait(&self, attempt: &mut u32, id: EventId, error: &Error) -> Result<(), Stopped> {
        if *self.stopping.borrow() {
            return Err(Stopped);
        }
        self.counters.retried();
        let wait = send::wait_before(*attempt, id);
        tracing::warn!(%id, attempt, ?wait, "trying again: {error}");
        *attempt += 1;
        let mut stopping = self.stopping.clone();
        tokio::select! {
            () = tokio::time::sleep(wait) => Ok(()),
            _ = stopping.wait_for(|stopping| *stopping) => Err(Stopped),
        }
    }

    async fn park(&self, batch: &Batch, error: &Error) -> Result<(), Stopped> {
        let length = (5 + 4 * batch.ends.len() + batch.bytes.len()) as u64;
        let mut attempt = 1;
        while let Err(refusal) = self.log.reserve(length) {
            self.wait(&mut attempt, batch.id, &refusal).await?;
        }
        while let Err(source) = park::park(&self.folder, batch) {
            let refusal = Error::Log { folder: self.folder.clone(), doing: "park a batch", source };
            self.wait(&mut attempt, batch.id, &refusal).await?;
        }
        tracing::error!(id = %batch.id, rows = batch.rows, "parked until the schema takes it: {error}");
        self.counters.parked(batch);
        Ok(())
    }

    /// The dead letter of the one row of `batch`; `None` if it was one, which is parked.
    async fn bury(&self, batch: &Batch, error: &Error) -> Result<Option<Batch>, Stopped> {
        let event = if batch.destination.table.name == encode::EVENTS.name {
            decode::event(batch.row(0))
        } else {
            None
        };
        let Some(event) = event else {
            self.park(batch, error).await?;
            return Ok(None);
        };
        let json = serde_json::to_vec(&event).unwrap_or_default();
        // A tenant that is refused would be refused again.
        let tenant = if event.tenant.is_empty() { Intake::DEFAULT_TENANT } else { &event.tenant };
        let intake = Intake::new(tenant, event.received_at);
        let place = format!("event {}", event.event_id);
        let mut letter = Rejection::new(&intake, &event.source, &place, &error.to_string(), &json);
        // Refused again, in whatever words, it is the same letter.
        let key = [&b"refused"[..], &event.event_id.0.to_be_bytes()];
        letter.letter_id = EventId::of(&intake.tenant, &event.source, &key);
        letter.event_id = Some(event.event_id);
        self.counters.dead();
        Ok(Batch::of_rejections(vec![*letter]))
    }
}

enum Verdict {
    Again(Error),
    Park(Error),
    Spread(Spread),
    Rows(Error),
}

/// Whether an insert without rows was refused for what the table is.
fn is_of_schema(error: &Error) -> bool {
    // TYPE_MISMATCH, THERE_IS_NO_COLUMN, ILLEGAL_COLUMN, CANNOT_CONVERT_TYPE, INCORRECT_DATA: a header that is not
    // the table's; NUMBER_OF_COLUMNS_DOESNT_MATCH, CANNOT_READ_ALL_DATA.
    error.class() == Class::Schema || matches!(error.code(), Some(7 | 8 | 20 | 33 | 44 | 53 | 70 | 117 | 349))
}
