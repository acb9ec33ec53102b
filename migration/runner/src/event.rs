//! What a run tells while it goes on.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// One thing that happened during a run; see [`Runner::observe`](crate::Runner::observe).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// Somebody else migrates; told once, when the waiting begins.
    Waiting {
        /// Application name, process and since when, where it could be read.
        holder: String,
    },
    /// A migration begins.
    Started {
        /// Its name.
        migration: String,
        /// Counted from one, in this run.
        position: usize,
        /// How many this run has to do.
        of: usize,
    },
    /// A migration is done; in a transaction, not yet committed.
    Finished {
        /// Its name.
        migration: String,
        /// How long its statements took.
        took: Duration,
    },
    /// A lock was not to be had in time; everything of the transaction is undone and tried again.
    Retrying {
        /// The migration that was in the way.
        migration: String,
        /// Counted from one.
        attempt: u32,
        /// Until the next attempt.
        after: Duration,
    },
    /// An index is being built concurrently. Told about twice a second.
    BuildingIndex {
        /// The index's name.
        index: String,
        /// As `pg_stat_progress_create_index` calls it: `building index: scanning table`.
        phase: String,
        /// Blocks or rows done in this phase; while it waits, transactions that have ended.
        done: u64,
        /// Of how many; 0 where the server does not know.
        total: u64,
    },
}

/// Where events go.
#[derive(Clone)]
pub(crate) struct Observer(Arc<dyn Fn(&Event) + Send + Sync>);

impl Observer {
    pub(crate) fn new(tell: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    pub(crate) fn tell(&self, event: &Event) {
        (self.0)(event);
    }
}

impl Default for Observer {
    fn default() -> Self {
        Self::new(|_| {})
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}

tokio::task_local! {
    /// The observer of the run that the current migration belongs to.
    pub(crate) static CURRENT: Observer;
}
