//! [`EventWriter`]: acknowledges once an event is on disk, and sends it when the server takes it.

use std::borrow::Borrow;
use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::deliver::{Delivery, Stopped};
use super::metrics::Metrics;
use super::recent::Recent;
use super::record::Builder;
use super::seals::Seals;
use super::send::Fate;
use super::window::{self, Extent, Window};
use super::{park, send};
use crate::client::Client;
use crate::envelope::{Event, EventId, Intake, Normalised};
use crate::error::{Error, Result};
use crate::log::{Log, LogOptions, Reader};
use crate::source::ndjson;

/// About how many bytes of rows make one record of the log.
const RECORD_BYTES: usize = 1 << 20;

/// How many items are looked at together.
const PORTION: usize = 1024;

/// How many windows are on their way at once: one is cut while another is sent.
const IN_FLIGHT: usize = 2;

/// Which share of a batch is enough where nothing is on its way: the server is not left idle while a batch fills up.
const IDLE_SHARE: usize = 8;

/// How much an [`EventWriter`] gathers before it sends, and how much it keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DurableOptions {
    /// Rows after which a batch is sealed; an eighth of them where nothing is on its way to the server.
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

/// How many dead letters are replayed at once, at the most.
pub const MAX_REPLAYED_LETTERS: u64 = 10_000;

#[derive(clickhouse::Row, serde::Deserialize)]
struct Letter {
    tenant: String,
    payload: String,
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

/// What [`EventWriter::append`] puts into the log.
#[derive(Default)]
struct Encoded {
    ack: Ack,
    rejections: u64,
    /// Each with the ids of its rows.
    records: Vec<(Vec<u8>, Vec<EventId>)>,
}

/// What became of the parked batches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Replayed {
    /// Rows that the server took.
    pub sent: u64,
    /// Rows that stay parked.
    pub parked: u64,
}

/// A writer with a durable log of its own; see the [module](super) for what it promises.
///
/// Sending goes on in a task of the runtime that opened it. Dropping the writer ends that task without waiting:
/// what was not sent is in the log, and is sent by the next that opens it.
pub struct EventWriter {
    delivery: Delivery,
    recent: Mutex<Recent>,
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
        let failed = |doing| move |source| Error::Log { folder: folder.to_owned(), doing, source };
        let log = Arc::new(Log::open(folder, options.log)?);
        let seals = Seals::open(folder).map_err(failed("read the seals"))?;
        for (_, length) in park::list(folder).map_err(failed("list parked batches"))? {
            log.reserve(length)?;
        }
        log.release(seals.done())?;
        let (stop, stopping) = watch::channel(false);
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
            flush_to,
            finished,
            opened_at: *log.durable().borrow(),
            sealed_rows: 0,
            waiting: VecDeque::new(),
        };
        let sender = tokio::spawn(sender.run());
        Ok(Self { delivery, recent: Mutex::default(), stop, flush, done, sender })
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
        let Encoded { ack, rejections, records } = self.encode(items);
        let counters = &self.delivery.counters;
        counters.appended(ack.logged + ack.duplicate);
        let mut waiting = Vec::with_capacity(records.len());
        for (payload, ids) in records {
            waiting.push((self.delivery.log.submit(payload)?, ids));
        }
        for (durable, ids) in waiting {
            let rows = ids.len() as u64;
            durable.await?;
            counters.logged_rows(rows);
            self.recent.lock().unwrap_or_else(PoisonError::into_inner).remember(ids);
        }
        counters.acknowledged(ack.logged + ack.duplicate, rejections);
        counters.duplicates(ack.duplicate);
        Ok(ack)
    }

    /// Makes records of those of `items` that are not known to be in the log.
    fn encode<I>(&self, items: I) -> Encoded
    where
        I: IntoIterator<Item: Borrow<Normalised>>,
    {
        let mut encoded = Encoded::default();
        let mut builder = Builder::default();
        let mut items = items.into_iter();
        loop {
            let mut portion: Vec<I::Item> = items.by_ref().take(PORTION).collect();
            let taken = portion.len();
            if taken == 0 {
                break;
            }
            // Apart from reading and encoding, so that who appends at the same time need not wait for that.
            let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
            portion.retain(|item| !recent.has(id(item.borrow())));
            drop(recent);
            encoded.ack.duplicate += (taken - portion.len()) as u64;
            encoded.ack.logged += portion.len() as u64;
            for item in portion {
                let item = item.borrow();
                encoded.rejections += u64::from(item.is_err());
                builder.add(item);
                if builder.bytes() >= RECORD_BYTES {
                    encoded.records.extend(std::mem::take(&mut builder).finish());
                }
            }
        }
        encoded.records.extend(builder.finish());
        encoded
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
        self.delivery.counters.read(self.delivery.log.bytes(), self.delivery.log.lag(now))
    }

    /// Sends the parked batches again, each under its old token, and forgets those that the server takes.
    ///
    /// # Errors
    ///
    /// [`Error::Log`] if they can't be read, an error of the server that is not about the schema.
    pub async fn replay_parked(&self) -> Result<Replayed> {
        let failed = |source| Error::Log { folder: self.folder().to_owned(), doing: "read a batch", source };
        let mut replayed = Replayed::default();
        for (path, length) in park::list(self.folder()).map_err(failed)? {
            let batch = park::read(&path).map_err(failed)?;
            match send::send_once(&self.delivery.client, &batch, Fate::Unsent).await {
                Ok(()) => {
                    std::fs::remove_file(&path).map_err(failed)?;
                    self.delivery.log.give_back(length);
                    self.delivery.counters.unparked(&batch);
                    self.delivery.counters.sent(&batch);
                    replayed.sent += batch.rows as u64;
                }
                Err(error) if error.class() == crate::Class::Transient => return Err(error),
                Err(error) => {
                    tracing::warn!(id = %batch.id, "stays parked: {error}");
                    replayed.parked += batch.rows as u64;
                }
            }
        }
        Ok(replayed)
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
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).forget();
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

    fn folder(&self) -> &Path {
        &self.delivery.folder
    }
}

impl Drop for EventWriter {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

fn id(item: &Normalised) -> EventId {
    match item {
        Ok(event) => event.event_id,
        Err(rejection) => rejection.letter_id,
    }
}

/// Whether a window got to the server.
type Sent = std::result::Result<(), Stopped>;

/// The task that seals and sends.
struct Sender {
    delivery: Delivery,
    options: DurableOptions,
    seals: Seals,
    /// Taken while a thread reads.
    reader: Option<Reader>,
    flush_to: watch::Receiver<u64>,
    finished: watch::Sender<u64>,
    /// The first record that was not there at the start.
    opened_at: u64,
    /// Of the rows that came since, how many are sealed, about.
    sealed_rows: u64,
    waiting: VecDeque<(u64, JoinHandle<Sent>)>,
}

impl Sender {
    async fn run(mut self) -> Result<()> {
        let outcome = self.send_all().await;
        if let Err(error) = &outcome {
            tracing::error!("events are no longer sent: {error}");
        }
        outcome
    }

    async fn send_all(&mut self) -> Result<()> {
        for (_, end) in self.seals.outstanding() {
            let window = self.cut(Extent::Sealed(end)).await?;
            if !self.send(window, Fate::Unknown).await {
                return Ok(());
            }
        }
        let Self { options: DurableOptions { batch_rows: rows, window_bytes: bytes, .. }, .. } = *self;
        while self.next_is_due().await {
            let window = self.cut(Extent::Full { rows, bytes }).await?;
            if window.from == window.end {
                continue;
            }
            if let Err(error) = self.seals.seal(window.from, window.end) {
                // What a crash now would send in other batches has the same ids, and counts once.
                tracing::warn!("a window is sent that is not written down: {error}");
            }
            if !self.send(window, Fate::Unsent).await {
                return Ok(());
            }
        }
        while !self.waiting.is_empty() {
            if !self.finish().await {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Waits until there is enough to seal, finishing what is on its way; false when it is time to end.
    async fn next_is_due(&mut self) -> bool {
        let mut durable = self.delivery.log.durable();
        let mut stopping = self.delivery.stopping.clone();
        let mut since = None;
        loop {
            let position = self.reader.as_ref().map_or(0, Reader::position);
            let end = *durable.borrow_and_update();
            let is_stopping = *stopping.borrow_and_update();
            let flush_to = *self.flush_to.borrow_and_update();
            let linger = self.options.linger;
            if end > position {
                let waited = since.get_or_insert_with(tokio::time::Instant::now).elapsed();
                let rows = self.delivery.counters.logged().saturating_sub(self.sealed_rows);
                let enough = self.options.batch_rows / if self.waiting.is_empty() { IDLE_SHARE } else { 1 };
                if is_stopping || flush_to > position || waited >= linger || rows >= enough as u64 {
                    return true;
                }
            } else if is_stopping {
                return false;
            }
            let due = since.map(|since| since + linger);
            let finished = tokio::select! {
                _ = durable.changed() => None,
                _ = self.flush_to.changed() => None,
                _ = stopping.changed() => None,
                () = sleep_until(due) => None,
                sent = first(&mut self.waiting), if !self.waiting.is_empty() => sent,
            };
            if let Some((end, sent)) = finished
                && !self.finished(end, &sent)
            {
                return false;
            }
        }
    }

    async fn cut(&mut self, extent: Extent) -> Result<Window> {
        let mut reader = self.reader.take().expect("one window is cut at a time");
        let cutting = tokio::task::spawn_blocking(move || {
            let window = window::cut(&mut reader, extent);
            (reader, window)
        });
        let (reader, window) =
            cutting.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        self.reader = Some(reader);
        let folder = || self.delivery.folder.clone();
        let window =
            window.map_err(|source| Error::Log { folder: folder(), doing: "read what is", source })?;
        // Rows that were there at the start were never counted as new.
        self.sealed_rows = match window.is_full {
            true if window.end <= self.opened_at => self.sealed_rows,
            true => self.sealed_rows + window.rows,
            false => self.delivery.counters.logged(),
        };
        self.delivery.counters.duplicates(window.duplicates);
        Ok(window)
    }

    /// Sends `window`, once there is room for it; false if the writer ends.
    async fn send(&mut self, window: Window, fate: Fate) -> bool {
        while self.waiting.len() >= IN_FLIGHT {
            if !self.finish().await {
                return false;
            }
        }
        let delivery = self.delivery.clone();
        let Window { end, batches, .. } = window;
        let sending = async move {
            for batch in batches {
                delivery.deliver(batch, fate).await?;
            }
            Ok(())
        };
        self.waiting.push_back((end, tokio::spawn(sending)));
        true
    }

    /// Waits for the oldest window that is on its way; false if it did not get there because the writer ends.
    async fn finish(&mut self) -> bool {
        match first(&mut self.waiting).await {
            Some((end, sent)) => self.finished(end, &sent),
            None => true,
        }
    }

    fn finished(&mut self, end: u64, sent: &Sent) -> bool {
        if sent.is_err() {
            return false;
        }
        if let Err(error) = self.seals.finish() {
            tracing::warn!("a window will be sent again after a restart: {error}");
        }
        if let Err(error) = self.delivery.log.release(end) {
            tracing::warn!("{error}");
        }
        self.finished.send_replace(end);
        true
    }
}

/// Waits for the oldest of the windows that are on their way, and takes it out. Nothing is lost if it is dropped.
async fn first(waiting: &mut VecDeque<(u64, JoinHandle<Sent>)>) -> Option<(u64, Sent)> {
    let (end, sending) = waiting.front_mut()?;
    let end = *end;
    let sent = sending.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
    waiting.pop_front();
    Some((end, sent))
}

/// Waits until `due`; for ever if there is no such moment.
async fn sleep_until(due: Option<tokio::time::Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
