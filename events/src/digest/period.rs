//! How long a digest looks back.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::error::{Error, Result};

/// How long a digest looks back from its end: whole days of its time zone, of which the last may be unfinished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Period {
    /// The day in which the period ends.
    Day,
    /// The seven days that end with that day.
    Week,
    /// The days since the same date of the month before, that one excluded.
    Month,
    /// All time.
    All,
}

impl Period {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::All => "all",
        }
    }
}

impl FromStr for Period {
    type Err = Error;

    fn from_str(given: &str) -> Result<Self> {
        let all = [Self::Day, Self::Week, Self::Month, Self::All];
        let found = all.into_iter().find(|period| period.as_str() == given);
        found.ok_or_else(|| Error::Period { given: given.to_owned() })
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
