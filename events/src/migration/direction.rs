//! Which way a migration runs, and how far a run goes.

use std::fmt;

use serde::Serialize;

/// Which way a migration runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Making the change.
    Up,
    /// Taking it back.
    Down,
}

impl Direction {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How far to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All the way.
    All,
    /// At most this many migrations.
    Count(u32),
    /// Up: up to and with this migration. Down: until this migration is the last one that is applied.
    To(String),
}

impl Extent {
    /// At most `count`, or all the way: what a command line's optional number means.
    #[must_use]
    pub fn at_most(count: Option<u32>) -> Self {
        count.map_or(Self::All, Self::Count)
    }
}
