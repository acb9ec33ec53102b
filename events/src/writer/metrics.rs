//! Counters of a durable writer.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;

use super::batch::Batch;
use super::encode;

/// What a writer has done since it was opened, in rows, and what waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Metrics {
    /// Inputs that were given to `append`.
    pub appended: u64,
    /// Inputs that were acknowledged: durable here, or known to be a copy.
    pub acknowledged: u64,
    /// Copies that were left out before they were sent. A hint only: copies that get through collapse in the table.
    pub duplicate: u64,
    /// Events of people who were erased, and that were left out.
    pub erased: u64,
    /// Events that the server took.
    pub sent: u64,
    /// Batches that the server took.
    pub batches: u64,
    /// Attempts that failed and were made again.
    pub retried: u64,
    /// Rows that wait for the schema.
    pub parked: u64,
    /// Events that the server refused, and inputs that were none; all in `dead_letters`.
    pub dead: u64,
    /// Bytes of the log, parked batches included.
    pub log_bytes: u64,
    /// The most that the log may take.
    pub log_max_bytes: u64,
    /// How long the oldest row that is not sent has waited.
    pub lag: Duration,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    appended: AtomicU64,
    acknowledged: AtomicU64,
    duplicate: AtomicU64,
    erased: AtomicU64,
    sent: AtomicU64,
    batches: AtomicU64,
    retried: AtomicU64,
    parked: AtomicU64,
    dead: AtomicU64,
    /// Rows in the log; not told.
    logged: AtomicU64,
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

impl Counters {
    pub(super) fn appended(&self, count: u64) {
        add(&self.appended, count);
    }

    pub(super) fn acknowledged(&self, count: u64, rejections: u64) {
        add(&self.acknowledged, count);
        add(&self.dead, rejections);
    }

    pub(super) fn logged_rows(&self, count: u64) {
        add(&self.logged, count);
    }

    /// Rows that came into the log since it was opened.
    pub(super) fn logged(&self) -> u64 {
        self.logged.load(Ordering::Relaxed)
    }

    pub(super) fn duplicates(&self, count: u64) {
        add(&self.duplicate, count);
    }

    pub(super) fn erased(&self, count: u64) {
        add(&self.erased, count);
    }

    pub(super) fn sent(&self, batch: &Batch) {
        add(&self.batches, 1);
        if batch.destination.table.name == encode::EVENTS.name {
            add(&self.sent, batch.rows as u64);
        }
    }

    pub(super) fn retried(&self) {
        add(&self.retried, 1);
    }

    pub(super) fn parked(&self, batch: &Batch) {
        add(&self.parked, batch.rows as u64);
    }

    pub(super) fn unparked(&self, rows: u64) {
        self.parked.fetch_sub(rows.min(self.parked.load(Ordering::Relaxed)), Ordering::Relaxed);
    }

    pub(super) fn dead(&self) {
        add(&self.dead, 1);
    }

    pub(super) fn read(&self, log_bytes: u64, log_max_bytes: u64, lag: Duration) -> Metrics {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Metrics {
            appended: of(&self.appended),
            acknowledged: of(&self.acknowledged),
            duplicate: of(&self.duplicate),
            erased: of(&self.erased),
            sent: of(&self.sent),
            batches: of(&self.batches),
            retried: of(&self.retried),
            parked: of(&self.parked),
            dead: of(&self.dead),
            log_bytes,
            log_max_bytes,
            lag,
        }
    }
}
