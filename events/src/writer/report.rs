//! What became of every input.

use std::fmt;

use serde::Serialize;

use crate::envelope::Rejection;

/// How many rejections a report lists; all of them are counted and in `dead_letters`.
pub const MAX_LISTED_LETTERS: usize = 100;

/// What became of every input: `read = written + duplicate + dead + erased`, once the writer has ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Inputs that the source yielded.
    pub read: u64,
    /// Events that were written.
    pub written: u64,
    /// Events that came twice, or that the table had already.
    pub duplicate: u64,
    /// Inputs that are no events. Also counted again when they come again; the table has them once.
    pub dead: u64,
    /// Events of people who were erased, and that were not written.
    pub erased: u64,
    /// How many inserts the events took.
    pub batches: u64,
    /// The first [`MAX_LISTED_LETTERS`] rejections.
    pub dead_letters: Vec<DeadLetter>,
}

/// A rejection in a [`Report`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeadLetter {
    /// File and entry, or delivery.
    pub place: String,
    /// What is wrong and what was expected.
    pub reason: String,
}

impl Report {
    pub(super) fn dead(&mut self, rejection: &Rejection) {
        self.dead += 1;
        if self.dead_letters.len() < MAX_LISTED_LETTERS {
            self.dead_letters.push(DeadLetter::of(rejection));
        }
    }
}

impl DeadLetter {
    pub(super) fn of(Rejection { place, reason, .. }: &Rejection) -> Self {
        Self { place: place.clone(), reason: reason.clone() }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { read, written, duplicate, dead, erased, .. } = self;
        write!(f, "{read} read: {written} written, {duplicate} duplicate, {dead} dead")?;
        if *erased > 0 { write!(f, ", {erased} of people who were erased") } else { Ok(()) }
    }
}
