//! What can be wrong with a migration, in words.

use std::fmt;

use serde::Serialize;

/// One thing that a migration does not do as it should. A line of a `difference` begins with `-` for what is
/// missing and `+` for what is there instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Finding {
    /// The SQL of [`Claims::rows_before`](crate::Claims::rows_before) was refused.
    RowsBeforeFailed {
        /// What the server said.
        error: String,
    },
    /// `up` failed where rows were in the tables; nothing after it could be verified.
    UpFailed {
        /// What the migration said.
        error: String,
    },
    /// `down` failed where rows were in the tables that `up` left.
    DownFailed {
        /// What the migration said.
        error: String,
    },
    /// There is no `down`.
    DownNotWritten,
    /// After `down` the catalog is not what it was before `up`.
    DownLeaves {
        /// From the catalog before `up` to the one after `down`.
        difference: Vec<String>,
    },
    /// Rows that were there before `up` are gone or different after `down`.
    RowsLost {
        /// The rows' table.
        table: String,
        /// Each row by its key, with what has become of it; the first few.
        lost: Vec<String>,
    },
    /// `up` failed after `down`.
    UpAgainFailed {
        /// What the migration said.
        error: String,
    },
    /// `up` after `down` did not lead to the catalog that the first `up` led to.
    UpAgainDiffers {
        /// From the catalog after the first `up` to the one after the second.
        difference: Vec<String>,
    },
    /// Claimed rerunnable, and failed when it was run once more.
    RerunFailed {
        /// What the migration said.
        error: String,
    },
    /// Claimed rerunnable, and run once more it changed the catalog.
    RerunDiffers {
        /// From the catalog before to the one after.
        difference: Vec<String>,
    },
    /// Claimed rerunnable, and run once more it changed rows.
    RerunChangesRows {
        /// The rows' table.
        table: String,
        /// Rows that are gone, different or new; the first few.
        changed: Vec<String>,
    },
    /// Claimed irreversible, and `down` succeeded.
    DownSucceeded,
    /// `down` failed when every migration was reverted in turn.
    DownInTurnFailed {
        /// What the migration said.
        error: String,
    },
    /// When every migration was reverted in turn, `down` left another catalog than its `up` had met.
    DownInTurnLeaves {
        /// From the catalog before `up` to the one after `down`.
        difference: Vec<String>,
    },
    /// `up` failed when every migration was applied again after all were reverted.
    UpInTurnFailed {
        /// What the migration said.
        error: String,
    },
    /// When every migration was applied again after all were reverted, `up` led to another catalog.
    UpInTurnDiffers {
        /// From the catalog after the first `up` to the one after this.
        difference: Vec<String>,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RowsBeforeFailed { error } => write!(
                f,
                "the claimed rows_before are refused: {error}; write them for the schema that `up` meets"
            ),
            Self::UpFailed { error } => {
                write!(f, "`up` fails with rows in the tables: {error}; what comes after it was not verified")
            }
            Self::DownFailed { error } => write!(
                f,
                "`down` fails with rows in the tables: {error}; make it work on rows that `up` allows, or claim \
                 irreversible()"
            ),
            Self::DownNotWritten => f.write_str(
                "down is not written; write it, or return an error that says why there is no way back and claim \
                 irreversible()",
            ),
            Self::DownLeaves { difference } => {
                f.write_str("`down` does not restore the catalog that `up` met; undo in `down` what differs:")?;
                lines(f, difference)
            }
            Self::RowsLost { table, lost } => {
                write!(
                    f,
                    "after `down` rows of {table} are not what they were before `up`; restore them in `down`, or \
                     claim down_loses:"
                )?;
                lines(f, lost)
            }
            Self::UpAgainFailed { error } => {
                write!(f, "`up` fails after `down`: {error}; undo in `down` what `up` stumbles over")
            }
            Self::UpAgainDiffers { difference } => {
                f.write_str("`up` after `down` leads to another catalog than the first time; make it the same:")?;
                lines(f, difference)
            }
            Self::RerunFailed { error } => write!(
                f,
                "claimed rerunnable, and `up` fails where it was run before: {error}; write it with `if not \
                 exists`, or drop the claim"
            ),
            Self::RerunDiffers { difference } => {
                f.write_str(
                    "claimed rerunnable, and `up` changes the catalog when it is run once more; make it find what \
                     is done, or drop the claim:",
                )?;
                lines(f, difference)
            }
            Self::RerunChangesRows { table, changed } => {
                write!(
                    f,
                    "claimed rerunnable, and `up` changes rows of {table} when it is run once more; make it find \
                     what is done, or drop the claim:"
                )?;
                lines(f, changed)
            }
            Self::DownSucceeded => f.write_str(
                "claimed irreversible, and `down` succeeds; return an error from `down`, or drop the claim",
            ),
            Self::DownInTurnFailed { error } => write!(
                f,
                "`down` fails when all are reverted in turn, newest first: {error}; it may rely on what a later \
                 `down` takes away"
            ),
            Self::DownInTurnLeaves { difference } => {
                f.write_str("reverted in turn, newest first, `down` does not restore the catalog that `up` met:")?;
                lines(f, difference)
            }
            Self::UpInTurnFailed { error } => write!(
                f,
                "`up` fails when all are applied again after all were reverted: {error}; undo in `down` what it \
                 stumbles over"
            ),
            Self::UpInTurnDiffers { difference } => {
                f.write_str("applied again after all were reverted, `up` leads to another catalog:")?;
                lines(f, difference)
            }
        }
    }
}

fn lines(f: &mut fmt::Formatter<'_>, lines: &[String]) -> fmt::Result {
    lines.iter().try_for_each(|line| write!(f, "\n  {}", line.replace('\n', "\n  ")))
}
