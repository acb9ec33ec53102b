//! [`EventWriter`]: acknowledges once an event is on disk, and sends it when the server takes it.

mod follow;
mod portion;
mod replay;
mod sender;

use std::borrow::Borrow;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::deliver::Delivery;
use super::metrics::Metrics;
use super::park;
use super::record::Record;
use super::seals::Seals;
use super::survey::Surveyor;
use crate::client::Client;
use crate::envelope::{EventId, Normalised, Payload};
use crate::error::{Error, Result};
use crate::log::{Log, LogOptions};

use portion::{Encoded, Portion, Shared};
pub use replay::{MAX_REPLAYED_LETTERS, Replayed};
use sender::Sender;

/// How much an [`EventWriter`] gathers before it sends, and how much it keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DurableOptions {
    /// Rows after which a batch is sealed; a quarter of them where nothing is on its way to the server.
    pub batch_rows: usize,
    /// Bytes, over all batches of a window, after which they are sealed. About three times as much is held.
    pub window_bytes: usize,
    /// How long a row waits for others before its batch is sealed all the same.
    pub linger: Duration,
    /// The log's bounds.
    pub log: LogOptions,
}

impl Default for DurableOptions {
    fn default() -> Self {
        Self {
            batch_rows: 100_000,
            window_bytes: 48 << 20,
            linger: Duration::from_secs(1),
            log: LogOptions::default(),
        }
    }
}

/// That inputs are durable.
#[must_use]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ack {
    /// Inputs that are in the log now.
    pub logged: u64,
    /// Inputs that were left out, because a copy of theirs was acknowledged lately.
    pub duplicate: u64,
}

impl Ack {
    fn inputs(&self) -> u64 {
        self.logged + self.duplicate
    }
}

/// A writer with a durable log of its own; see the [module](super) for what it promises.
///
/// Sending goes on in a task of the runtime that opened it. Dropping the writer ends that task without waiting:
/// what was not sent is in the log, and is sent by the next that opens it.
pub struct EventWriter {
    delivery: Delivery,
    shared: Arc<Shared>,
    begin: watch::Sender<bool>,
    stop: watch::Sender<bool>,
    flush: watch::Sender<u64>,
    done: watch::Receiver<u64>,
    sender: JoinHandle<Result<()>>,
}

impl EventWriter {
    /// Opens the log in `folder` and goes on with what it holds. ClickHouse need not be there.
    ///
    /// # Errors
    ///
    /// [`Error::LogLocked`] while another process has it, [`Error::Log`] if it can't be read or written.
    pub fn open(folder: &Path, client: &Client, options: DurableOptions) -> Result<Self> {
        let writer = Self::open_held(folder, client, options)?;
        writer.begin();
        Ok(writer)
    }

    /// As [`EventWriter::open`], but nothing is sent before [`EventWriter::begin`]: for who has to migrate first, and
    /// would have all parked until then.
    ///
    /// # Errors
    ///
    /// As [`EventWriter::open`].
    pub fn open_held(folder: &Path, client: &Client, options: DurableOptions) -> Result<Self> {
        let failed = |doing| move |source| Error::Log { folder: folder.to_owned(), doing, source };
        let log = Arc::new(Log::open(folder, options.log)?);
        let seals = Seals::open(folder).map_err(failed("read the seals"))?;
        for (_, length) in park::list(folder).map_err(failed("list parked batches"))? {
            log.reserve(length)?;
        }
        log.release(seals.done())?;
        let (stop, stopping) = watch::channel(false);
        let (begin, begun) = watch::channel(false);
        let (flush, flush_to) = watch::channel(*log.durable().borrow());
        let (finished, done) = watch::channel(seals.done().max(log.first()));
        let delivery = Delivery {
            client: client.clone(),
            folder: folder.to_owned(),
            counters: Arc::default(),
            log: log.clone(),
            stopping,
        };
        let reader = log.reader(*done.borrow());
        let sender = Sender {
            delivery: delivery.clone(),
            options,
            seals,
            reader: Some(reader),
            surveyor: Surveyor::default(),
            begun,
            flush_to,
            finished,
            opened_at: *log.durable().borrow(),
            sealed_rows: 0,
            waiting: std::collections::VecDeque::new(),
        };
        let sender = tokio::spawn(sender.run());
        Ok(Self { delivery, shared: Arc::default(), begin, stop, flush, done, sender })
    }

    /// Begins to send, if nothing was sent yet.
    pub fn begin(&self) {
        self.begin.send_replace(true);
    }

    /// Puts `items`, by value or by reference, into the log; returns when they are on disk.
    ///
    /// # Errors
    ///
    /// [`Error::LogFull`] if the log has no room: wait, then append again. [`Error::Log`] if the disk refuses. Some
    /// of `items` may be written all the same; appending them again doubles nothing.
    pub async fn append<I>(&self, items: I) -> Result<Ack>
    where
        I: IntoIterator<Item: Borrow<Normalised>>,
    {
        let mut portion = Portion::new(&self.shared);
        items.into_iter().for_each(|item| portion.add(item.borrow(), None));
        self.put(portion.finish()).await
    }

    /// As [`EventWriter::append`], with what each event was made of where that is to be kept: in `event_payloads`, for
    /// thirty days unless the [retention](crate::retention) says otherwise.
    ///
    /// # Errors
    ///
    /// As [`EventWriter::append`].
    pub async fn append_with_payloads(
        &self,
        items: impl IntoIterator<Item = (Normalised, Option<Payload>)>,
    ) -> Result<Ack> {
        let mut portion = Portion::new(&self.shared);
        items.into_iter().for_each(|(item, payload)| portion.add(&item, payload.as_ref()));
        self.put(portion.finish()).await
    }

    /// Puts records into the log; returns when they are on disk.
    async fn put(&self, Encoded { ack, rejections, records }: Encoded) -> Result<Ack> {
        self.delivery.counters.appended(ack.inputs());
        let mut waiting = Vec::with_capacity(records.len());
        for Record { payload, ids } in records {
            waiting.push((self.delivery.log.submit(payload)?, ids));
        }
        for (durable, ids) in waiting {
            durable.await?;
            self.are_durable(ids);
        }
        self.are_acknowledged(ack, rejections);
        Ok(ack)
    }

    fn are_durable(&self, ids: Vec<EventId>) {
        self.delivery.counters.logged_rows(ids.len() as u64);
        self.shared.remember(ids);
    }

    fn are_acknowledged(&self, ack: Ack, rejections: u64) {
        self.delivery.counters.acknowledged(ack.inputs(), rejections);
        self.delivery.counters.duplicates(ack.duplicate);
    }

    /// Waits until all that was acknowledged is sent, parked, or a dead letter: for as long as ClickHouse is away.
    ///
    /// # Errors
    ///
    /// [`Error::Log`] if sending has ended, because the log can't be read.
    pub async fn flush(&self) -> Result<()> {
        let target = *self.delivery.log.durable().borrow();
        self.flush.send_if_modified(|flush| std::mem::replace(flush, target.max(*flush)) < target);
        let mut done = self.done.clone();
        let reached = done.wait_for(|done| *done >= target).await;
        reached.map(drop).map_err(|_| {
            let source = std::io::Error::other("sending has ended, see the log of this program");
            Error::Log { folder: self.folder().to_owned(), doing: "send what is", source }
        })
    }

    /// Sends what the log holds as long as the server takes it, and ends; at the server's first hesitation the rest
    /// stays in the log for the next to open it.
    ///
    /// # Errors
    ///
    /// [`Error::Log`] if the log can't be read.
    pub async fn shutdown(mut self) -> Result<()> {
        self.stop.send_replace(true);
        (&mut self.sender).await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
    }

    /// What the writer has done since it was opened, at `now`.
    #[must_use]
    pub fn metrics(&self, now: Instant) -> Metrics {
        let log = &self.delivery.log;
        self.delivery.counters.read(log.bytes(), log.max_bytes(), log.lag(now))
    }

    fn folder(&self) -> &Path {
        &self.delivery.folder
    }
}

impl Drop for EventWriter {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}
