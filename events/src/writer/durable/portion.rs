//! From items to records of the log, leaving out copies of what was acknowledged lately.

use std::sync::{Arc, Mutex, PoisonError};

use super::Ack;
use crate::envelope::{EventId, Normalised, Payload};
use crate::writer::recent::Recent;
use crate::writer::record::{Builder, Record};

/// About how many bytes of rows make one record of the log.
const RECORD_BYTES: usize = 1 << 20;

/// How many builders wait to be used again.
const IDLE_BUILDERS: usize = 4;

/// What all who append share.
#[derive(Default)]
pub(super) struct Shared {
    recent: Mutex<Recent>,
    idle: Mutex<Vec<Builder>>,
}

impl Shared {
    /// Remembers ids whose rows are durable.
    pub(super) fn remember(&self, ids: Vec<EventId>) {
        lock(&self.recent).remember(ids);
    }

    /// Takes nothing for known any more.
    pub(super) fn forget(&self) {
        lock(&self.recent).forget();
    }

    fn builder(&self) -> Builder {
        lock(&self.idle).pop().unwrap_or_default()
    }

    fn give_back(&self, builder: Builder) {
        let mut idle = lock(&self.idle);
        if idle.len() < IDLE_BUILDERS {
            idle.push(builder);
        }
    }
}

/// What goes into the log together.
#[derive(Default)]
pub(super) struct Encoded {
    pub ack: Ack,
    pub rejections: u64,
    pub records: Vec<Record>,
}

/// Items on their way into the log.
pub(super) struct Portion {
    shared: Arc<Shared>,
    builder: Builder,
    encoded: Encoded,
}

impl Portion {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        Self { shared: shared.clone(), builder: shared.builder(), encoded: Encoded::default() }
    }

    /// How many items were added.
    pub(super) fn len(&self) -> u64 {
        self.encoded.ack.inputs()
    }

    /// Adds `item`, and what it was made of where that is kept.
    pub(super) fn add(&mut self, item: &Normalised, payload: Option<&Payload>) {
        let Encoded { ack, rejections, records } = &mut self.encoded;
        let id = match item {
            Ok(event) => event.event_id,
            Err(rejection) => rejection.letter_id,
        };
        // Not while rows are encoded, so that who appends at the same time need not wait for that.
        if lock(&self.shared.recent).has(id) {
            ack.duplicate += 1;
            return;
        }
        ack.logged += 1;
        *rejections += u64::from(item.is_err());
        self.builder.add(item);
        if let Some(payload) = payload {
            self.builder.add_payload(payload);
        }
        if self.builder.bytes() >= RECORD_BYTES {
            records.extend(self.builder.finish());
        }
    }

    /// The records of all that was added.
    pub(super) fn finish(mut self) -> Encoded {
        self.encoded.records.extend(self.builder.finish());
        self.shared.give_back(self.builder);
        self.encoded
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
