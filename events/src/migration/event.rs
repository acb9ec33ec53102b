//! What a run tells while it goes on.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// One thing that happened during a run; see [`Runner::observe`](super::Runner::observe).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A migration begins.
    Started {
        /// Its name.
        migration: String,
        /// Counted from one, in this run.
        position: usize,
        /// How many this run has to do.
        of: usize,
    },
    /// A step of it begins.
    Step {
        /// What the step does.
        about: &'static str,
        /// Counted from one; steps that an earlier run has done are not told.
        step: u32,
        /// How many the migration has.
        of: u32,
    },
    /// A migration is done, and recorded.
    Finished {
        /// Its name.
        migration: String,
        /// How long its statements took.
        took: Duration,
    },
}

/// Where events go.
#[derive(Clone)]
pub(super) struct Observer(Arc<dyn Fn(&Event) + Send + Sync>);

impl Observer {
    pub(super) fn new(tell: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    pub(super) fn tell(&self, event: &Event) {
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
