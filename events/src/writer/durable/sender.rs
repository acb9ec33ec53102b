//! The task behind an [`EventWriter`](super::EventWriter): seals what the log holds, and sends it.

use std::collections::VecDeque;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::DurableOptions;
use crate::envelope::EventId;
use crate::error::{Error, Result};
use crate::log::Reader;
use crate::writer::deliver::{Delivery, Stopped};
use crate::writer::seals::{Seal, Seals};
use crate::writer::send::Fate;
use crate::writer::survey::{Survey, Surveyor};
use crate::writer::window::{self, Extent, Window};

/// How many windows are on their way at once: one is cut while another is sent.
const IN_FLIGHT: usize = 2;

/// Which share of a batch is enough where nothing is on its way: the server is not left idle while a batch fills up.
const IDLE_SHARE: usize = 4;

/// Whether a window got to the server.
type Sent = std::result::Result<(), Stopped>;

/// The task that seals and sends.
pub(super) struct Sender {
    pub delivery: Delivery,
    pub options: DurableOptions,
    pub seals: Seals,
    /// Taken while a thread reads.
    pub reader: Option<Reader>,
    pub surveyor: Surveyor,
    /// False while it is not to begin.
    pub begun: watch::Receiver<bool>,
    pub flush_to: watch::Receiver<u64>,
    pub finished: watch::Sender<u64>,
    /// The first record that was not there at the start.
    pub opened_at: u64,
    /// Of the rows that came since, how many are sealed, about.
    pub sealed_rows: u64,
    pub waiting: VecDeque<(u64, JoinHandle<Sent>)>,
}

impl Sender {
    pub(super) async fn run(mut self) -> Result<()> {
        let outcome = self.send_all().await;
        if let Err(error) = &outcome {
            tracing::error!("events are no longer sent: {error}");
        }
        outcome
    }

    async fn send_all(&mut self) -> Result<()> {
        let mut stopping = self.delivery.stopping.clone();
        tokio::select! {
            // Who begins and ends at once still wants what there is to be sent.
            biased;
            begun = self.begun.wait_for(|begun| *begun) => if begun.is_err() { return Ok(()) },
            _ = stopping.wait_for(|stopping| *stopping) => return Ok(()),
        }
        for Seal { end, spread, .. } in self.seals.outstanding() {
            let Ok(Survey { erased, .. }) = self.survey().await else { return Ok(()) };
            // For the shards of then: so it is sent in the batches of then.
            let window = self.cut(Extent::Sealed(end), Survey { spread, erased }).await?;
            if !self.send(window, Fate::Unknown).await {
                return Ok(());
            }
        }
        let Self { options: DurableOptions { batch_rows: rows, window_bytes: bytes, .. }, .. } = *self;
        while self.next_is_due().await {
            let Ok(survey) = self.survey().await else { return Ok(()) };
            let spread = survey.spread.clone();
            let window = self.cut(Extent::Full { rows, bytes }, survey).await?;
            if window.from == window.end {
                continue;
            }
            if let Err(error) = self.seals.seal(Seal { from: window.from, end: window.end, spread }) {
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
            } else if let Some(reader) = &mut self.reader {
                reader.rest();
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

    /// What the server says that has to be known before a window is cut; waits until it says it.
    async fn survey(&mut self) -> std::result::Result<Survey, Stopped> {
        let (mut attempt, id) = (1, EventId(0));
        loop {
            match self.surveyor.survey(&self.delivery.client).await {
                Ok(survey) => return Ok(survey),
                Err(error) => self.delivery.wait(&mut attempt, id, &error).await?,
            }
        }
    }

    async fn cut(&mut self, extent: Extent, survey: Survey) -> Result<Window> {
        let mut reader = self.reader.take().expect("one window is cut at a time");
        let cutting = tokio::task::spawn_blocking(move || {
            let window = window::cut(&mut reader, extent, &survey);
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
        self.delivery.counters.erased(window.erased);
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
        let sending = async move { delivery.deliver_all(batches, fate).await };
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
