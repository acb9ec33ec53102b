//! What [`Runner::verify`](super::Runner::verify) finds.

use std::fmt;

use serde::Serialize;

use super::Direction;

/// What came of trying every migration out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// The migrations that were tried, in order; one whose `up` fails is the last.
    pub tried: Vec<String>,
    /// What is wrong with them; empty if nothing is.
    pub findings: Vec<Finding>,
    /// Tables that took no made-up rows, so that nothing is known about whether theirs are kept.
    pub unfilled: Vec<Unfilled>,
}

/// A table that no rows could be made up for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unfilled {
    /// The table.
    pub table: String,
    /// Why it refuses them, in the server's words.
    pub reason: String,
}

/// Something that is wrong with a migration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "finding", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Finding {
    /// A statement names a database, so it would do to a real one what it should do to the throwaway one. Neither
    /// the migration nor those after it were tried.
    NamesDatabase {
        /// The migration.
        migration: String,
        /// What the statement does.
        about: &'static str,
    },
    /// `up` fails on what the migrations before it make. Those after it were not tried.
    UpFailed {
        /// The migration.
        migration: String,
        /// The step and what the server said.
        error: String,
    },
    /// `down` fails on what `up` made.
    DownFailed {
        /// The migration.
        migration: String,
        /// The step and what the server said.
        error: String,
    },
    /// After `down` the schema is not what it was before `up`.
    DownLeaves {
        /// The migration.
        migration: String,
        /// From the schema before `up` to the one after `down`.
        difference: Vec<String>,
    },
    /// Rows that were there before `up` are gone or altered after `down`, and the migration does not say so.
    RowsLost {
        /// The migration.
        migration: String,
        /// Whose rows.
        table: String,
        /// How many of the made-up rows.
        count: usize,
        /// One of them as JSON, as it was.
        example: String,
    },
    /// `up` fails after `up` and `down`.
    UpAgainFailed {
        /// The migration.
        migration: String,
        /// The step and what the server said.
        error: String,
    },
    /// `up` makes something else after `up` and `down` than it made first.
    UpAgainDiffers {
        /// The migration.
        migration: String,
        /// From what it made first to what it made then.
        difference: Vec<String>,
    },
    /// A statement that has run fails when it is run again, as it is after a run was killed.
    RerunFailed {
        /// The migration.
        migration: String,
        /// Which way it ran.
        direction: Direction,
        /// What the statement does.
        about: &'static str,
        /// What the server said.
        error: String,
    },
    /// A statement that has run changes something when it is run again.
    RerunDiffers {
        /// The migration.
        migration: String,
        /// Which way it ran.
        direction: Direction,
        /// What the statement does; `None` if it is all of them together, one after the other.
        about: Option<&'static str>,
        /// What it changes: the schema, or `~ rows of …`.
        difference: Vec<String>,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed =
            |difference: &[String]| difference.iter().map(|line| format!("\n  {line}")).collect::<String>();
        match self {
            Self::NamesDatabase { migration, about } => write!(
                f,
                "{migration}: step `{about}` names a database, so it can't be tried out; leave the name out, statements \
                 run in the client's database. Later migrations were not tried"
            ),
            Self::UpFailed { migration, error } => {
                write!(f, "{migration}: up fails ({error}); later migrations were not tried")
            }
            Self::DownFailed { migration, error } => write!(f, "{migration}: down fails: {error}"),
            Self::DownLeaves { migration, difference } => write!(
                f,
                "{migration}: down does not bring back the schema that up found (- before up, + after down):{}",
                listed(difference)
            ),
            Self::RowsLost { migration, table, count, example } => write!(
                f,
                "{migration}: up and down lose or alter {count} rows of {table}, for example {example}; keep them, or \
                 name the table or column in `down_loses`"
            ),
            Self::UpAgainFailed { migration, error } => {
                write!(f, "{migration}: up fails after up and down: {error}")
            }
            Self::UpAgainDiffers { migration, difference } => write!(
                f,
                "{migration}: up makes something else after up and down (- at first, + then):{}",
                listed(difference)
            ),
            Self::RerunFailed { migration, direction, about, error } => write!(
                f,
                "{migration}: the {direction} step `{about}` can't be run again, as it is after a run was killed \
                 ({error}); use IF NOT EXISTS or IF EXISTS"
            ),
            Self::RerunDiffers { migration, direction, about, difference } => {
                let what = about.map_or_else(|| "as a whole".to_owned(), |about| format!("step `{about}`"));
                write!(f, "{migration}: the {direction} {what} changes something when it is run again:")?;
                f.write_str(&listed(difference))
            }
        }
    }
}
