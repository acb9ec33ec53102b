//! The writer: takes what a source yields and puts it into the tables, once.
//!
//! Events are grouped by the month they happened in, because a deduplication token counts within a partition
//! and a partition is a month. When a group is full it is *sealed*: what the table has already is left out, the
//! rest is sorted and encoded once, and the bytes' hash is the batch's id. The batch is then sent, and sent
//! again on transient errors, as the same bytes under the same token, so that an insert whose answer got lost
//! is not inserted twice. A server that is killed may keep the token and lose the rows, so after more than one attempt
//! the table is asked for them, and what is not there is sent without a token.
//!
//! On a cluster a batch is of one shard, too: each shard gets it as one block under its token. Events of people who were
//! erased are left out, and every batch that the server took is in `ingest_batches`.
//!
//! That the table is asked which events it has is a hint, to count honestly and to write less; where the server
//! cannot tell, all are written. That no event
//! counts twice rests on the table's sort key and on `FINAL` in every query.
//!
//! Inputs that are no events go to `dead_letters` by the same way.
//!
//! There are two ways in:
//!
//! - [`write()`] for a source that is there as a whole and can be read again (a file, a repository): it keeps nothing
//!   of its own, and what it has not written when it ends is for the next run;
//! - [`EventWriter`] for what comes once (a stream, a request): it acknowledges when an event is in the
//!   [log](crate::log), and sends it when the server takes it. The log is cut into windows, each window into batches
//!   of one table, month and shard; what a window is, and for which shards it was cut, is written down before it is
//!   sent, so that after a crash the same batches go out, without tokens if they may have gone out before, also where
//!   the cluster has grown since. What an event was made of can be kept beside it, in `event_payloads`, scrubbed and
//!   for thirty days ([`EventWriter::append_with_payloads`]); that is for what comes once, such as a webhook. What
//!   the schema refuses is parked, a row that the server refuses becomes a dead letter with its words, and everything
//!   else is tried again for as long as it takes.
//!
//! ```no_run
//! use std::path::Path;
//! use events::writer::{DurableOptions, EventWriter};
//!
//! # async fn example(client: events::Client, items: Vec<events::Normalised>) -> events::Result<()> {
//! let writer = EventWriter::open(Path::new("/var/lib/rocket/events"), &client, DurableOptions::default())?;
//! let ack = writer.append(items).await?; // on disk now; tell the sender
//! println!("{} logged, {} known", ack.logged, ack.duplicate);
//! writer.flush().await?; // in ClickHouse now; only who needs that waits for it
//! writer.shutdown().await
//! # }
//! ```

mod account;
mod batch;
mod city_hash;
mod decode;
mod deliver;
mod durable;
mod encode;
mod group;
mod known;
mod metrics;
mod park;
mod recent;
mod record;
mod report;
mod seals;
mod send;
mod spread;
mod survey;
mod window;

use tokio::sync::mpsc;

use crate::client::Client;
use crate::envelope::{Event, EventId, Normalised, Rejection};
use crate::error::Result;

use account::Entry;
use batch::Batch;
use group::{Groups, Month};
use send::Fate;
use survey::{Survey, Surveyor};

pub use durable::{Ack, DurableOptions, EventWriter, MAX_REPLAYED_LETTERS, Replayed};
pub use metrics::Metrics;
pub use report::{DeadLetter, MAX_LISTED_LETTERS, Report};

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use record::fuzz as fuzz_record;

/// How much the writer holds before it writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The most rows of one batch. More rows make fewer parts for the server to merge, and take more memory.
    pub batch_rows: usize,
    /// About how many bytes of events are held, over all months, before the fullest month is written.
    pub held_bytes: usize,
    /// How often a statement is tried before its error is returned; waits of 0.1 s to 5 s lie between.
    pub attempts: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { batch_rows: 50_000, held_bytes: 64 * 1024 * 1024, attempts: 6 }
    }
}

/// How many items go from the source to the writer at once, and how many such portions may wait. Together
/// they bound what lies between the two.
const PORTION: usize = 128;
const WAITING_PORTIONS: usize = 8;

/// Writes everything that `source` yields; `progress` is called after each portion and at the end.
///
/// The source runs on a thread of its own, since it reads files and processes; it is read no faster than the
/// server takes the events. Memory is bounded by [`Options`], whatever the length of the source.
///
/// Writing the same again writes nothing: the report then counts duplicates.
///
/// # Errors
///
/// [`crate::Error::Batch`] if a batch was refused or could not be sent within [`Options::attempts`]. What was
/// written before stays; writing all again is safe.
///
/// # Panics
///
/// If `source` does.
pub async fn write<S>(
    client: &Client,
    source: S,
    options: Options,
    mut progress: impl FnMut(&Report),
) -> Result<Report>
where
    S: IntoIterator<Item = Normalised> + Send + 'static,
{
    let (sender, mut receiver) = mpsc::channel(WAITING_PORTIONS);
    let reading = tokio::task::spawn_blocking(move || feed(source, &sender));

    let mut writer = Writer::new(client, options);
    while let Some(portion) = receiver.recv().await {
        for item in portion {
            match item {
                Ok(event) => writer.event(event).await?,
                Err(rejection) => writer.rejection(*rejection).await?,
            }
        }
        progress(&writer.report);
    }
    // The channel closes when the source is at its end, or when it panicked: that must not look like an end.
    if let Err(failed) = reading.await
        && failed.is_panic()
    {
        std::panic::resume_unwind(failed.into_panic());
    }
    let report = writer.finish().await?;
    progress(&report);
    Ok(report)
}

/// Sends what `source` yields in portions, until it ends or nobody receives any more.
fn feed(source: impl IntoIterator<Item = Normalised>, sender: &mpsc::Sender<Vec<Normalised>>) {
    let mut source = source.into_iter();
    loop {
        let portion: Vec<_> = source.by_ref().take(PORTION).collect();
        if portion.is_empty() || sender.blocking_send(portion).is_err() {
            return;
        }
    }
}

struct Writer<'a> {
    client: &'a Client,
    options: Options,
    groups: Groups,
    rejections: Vec<Rejection>,
    surveyor: Surveyor,
    entries: Vec<Entry>,
    report: Report,
}

impl<'a> Writer<'a> {
    fn new(client: &'a Client, options: Options) -> Self {
        Self {
            client,
            options,
            groups: Groups::default(),
            rejections: Vec::new(),
            surveyor: Surveyor::default(),
            entries: Vec::new(),
            report: Report::default(),
        }
    }

    async fn event(&mut self, event: Event) -> Result<()> {
        self.report.read += 1;
        let Some((month, rows)) = self.groups.add(event) else {
            self.report.duplicate += 1;
            return Ok(());
        };
        if rows >= self.options.batch_rows {
            return self.write_group(month).await;
        }
        if self.groups.bytes() >= self.options.held_bytes
            && let Some(fullest) = self.groups.fullest()
        {
            self.write_group(fullest).await?;
        }
        Ok(())
    }

    async fn rejection(&mut self, rejection: Rejection) -> Result<()> {
        self.report.read += 1;
        self.report.dead(&rejection);
        self.rejections.push(rejection);
        // A payload is up to 64 KiB, so a portion of them is a batch already.
        if self.rejections.len() >= PORTION { self.write_rejections().await } else { Ok(()) }
    }

    async fn write_group(&mut self, month: Month) -> Result<()> {
        let events = self.groups.take(month).unwrap_or_default();
        let known = known::events(self.client, &events, self.options.attempts).await?;
        let total = events.len();
        let new: Vec<Event> = events.into_iter().filter(|event| !known.contains(&event.event_id)).collect();
        self.report.duplicate += (total - new.len()) as u64;
        let Some(batch) = Batch::of_events(new) else { return Ok(()) };
        let Survey { spread, erased } = self.survey(batch.id).await?;
        let (batch, left_out) = erased.leave_out(batch);
        self.report.erased += left_out;
        for batch in batch.map(|batch| spread.split(batch)).unwrap_or_default() {
            self.send(&batch).await?;
            self.report.written += batch.rows as u64;
            self.report.batches += 1;
        }
        Ok(())
    }

    /// What the server says that has to be known before a batch is sent; `id` is the batch's.
    async fn survey(&mut self, id: EventId) -> Result<Survey> {
        let mut attempt = 1;
        loop {
            match self.surveyor.survey(self.client).await {
                Ok(survey) => return Ok(survey),
                Err(error) => send::wait_or_fail(error, &mut attempt, self.options.attempts, id).await?,
            }
        }
    }

    async fn send(&mut self, batch: &Batch) -> Result<()> {
        let attempts = self.options.attempts;
        if send::send(self.client, batch, Fate::Unsent, attempts).await? > 1
            && !known::has_all(self.client, batch, attempts).await?
        {
            // The server died with the token of an attempt and without its rows: see `Fate::Unknown`.
            send::send(self.client, batch, Fate::Unknown, attempts).await?;
        }
        self.entries.push(Entry::of(batch));
        if self.entries.len() >= PORTION {
            self.account().await;
        }
        Ok(())
    }

    /// Writes down what was sent, as far as the server takes it: the events themselves are written.
    async fn account(&mut self) {
        let entries = std::mem::take(&mut self.entries);
        if let Err(error) = account::write(self.client, &entries).await {
            tracing::warn!("what was sent is not in ingest_batches: {error}");
        }
    }

    async fn write_rejections(&mut self) -> Result<()> {
        let rejections = std::mem::take(&mut self.rejections);
        let ids = rejections.iter().map(|rejection| rejection.letter_id);
        let known = known::letters(self.client, ids, self.options.attempts).await?;
        let new = rejections.into_iter().filter(|rejection| !known.contains(&rejection.letter_id)).collect();
        match Batch::of_rejections(new) {
            Some(batch) => self.send(&batch).await,
            None => Ok(()),
        }
    }

    async fn finish(mut self) -> Result<Report> {
        while let Some(month) = self.groups.fullest() {
            self.write_group(month).await?;
        }
        if !self.rejections.is_empty() {
            self.write_rejections().await?;
        }
        self.account().await;
        Ok(self.report)
    }
}
