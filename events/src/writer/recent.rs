//! The ids of what was acknowledged lately: a hint that spares the log and the server most redeliveries.

use std::collections::HashSet;

use crate::envelope::EventId;

/// How many ids one generation has; two are kept.
const GENERATION: usize = 1 << 17;

#[derive(Default)]
pub(super) struct Recent {
    young: HashSet<EventId>,
    old: HashSet<EventId>,
}

impl Recent {
    pub(super) fn has(&self, id: EventId) -> bool {
        self.young.contains(&id) || self.old.contains(&id)
    }

    /// Takes nothing for known any more: the server may have refused it.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Remembers `ids`, which have to be durable: whoever is told that they are known takes them for written.
    pub(super) fn remember(&mut self, ids: Vec<EventId>) {
        self.young.extend(ids);
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
    }
}
