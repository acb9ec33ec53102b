//! The ids of what was acknowledged lately: a hint that spares the log and the server most redeliveries.

use crate::envelope::EventId;

/// How many ids one generation has; two are kept.
const GENERATION: usize = 1 << 17;

/// Ids are hashes for the most part; where a sender makes them, the seed keeps it from choosing where they fall.
pub(super) type Ids = foldhash::HashSet<EventId>;

#[derive(Default)]
pub(super) struct Recent {
    young: Ids,
    old: Ids,
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
            std::mem::swap(&mut self.old, &mut self.young);
            self.young.clear();
        }
    }
}
