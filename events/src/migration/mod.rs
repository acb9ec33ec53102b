//! Migrations of the ClickHouse database: one Rust file each, with `up` and `down` as lists of statements.
//!
//! ClickHouse has no transactional DDL. So every statement can be run again (`IF NOT EXISTS`, `IF EXISTS`),
//! and the ledger, table `migrations`, records each step that is done. A run that failed or was killed goes on
//! at the step it had reached; two starters at once do the same statements twice, which changes nothing.
//!
//! | function | does |
//! |---|---|
//! | [`status`] | reads the ledger, changes nothing |
//! | [`up`] | applies what is not applied, oldest first |
//! | [`down`] | reverts the last ones |
//!
//! A new migration is a file `mYYYYMMDD_HHMMSS_<change>.rs`, a `mod` line and a line in [`all`]. Times in the
//! ledger are the server's, so that starters on several machines agree on what came last.

pub mod catalog;
mod ledger;
mod run;

mod m20261120_090000_create_events;
mod m20261120_090100_create_dead_letters;

use std::fmt;

use serde::Serialize;

pub use ledger::{MigrationStatus, State, Status};
pub use run::{Change, down, down_of, status, status_of, up, up_of};

/// One change of the schema.
pub trait Migration: Send + Sync {
    /// The file's name without its ending; what the ledger calls it.
    fn name(&self) -> &'static str;

    /// The statements that make the change, in order. Each can be run again.
    fn up(&self) -> Vec<Statement>;

    /// The statements that take the change back, in order. Each can be run again.
    fn down(&self) -> Vec<Statement>;
}

/// One step of a migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What it does, in a few words, for progress and errors.
    pub about: &'static str,
    /// The SQL. Table names are not qualified: it runs in the client's database.
    pub sql: String,
}

impl Statement {
    /// A step that does `about` by `sql`.
    #[must_use]
    pub fn new(about: &'static str, sql: impl Into<String>) -> Self {
        Self { about, sql: sql.into() }
    }
}

/// Which way a migration runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Making the change.
    Up,
    /// Taking it back.
    Down,
}

impl Direction {
    fn as_str(self) -> &'static str {
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

/// Every migration, oldest first. This order, not that of the names, is the order of application.
#[must_use]
pub fn all() -> Vec<Box<dyn Migration>> {
    vec![
        Box::new(m20261120_090000_create_events::CreateEvents),
        Box::new(m20261120_090100_create_dead_letters::CreateDeadLetters),
    ]
}

/// The name of the file that `module_path!()` was written in.
const fn file_name(module_path: &'static str) -> &'static str {
    let bytes = module_path.as_bytes();
    let mut start = bytes.len();
    while start > 0 && bytes[start - 1] != b':' {
        start -= 1;
    }
    module_path.split_at(start).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_dated_and_in_order() {
        let names: Vec<_> = all().iter().map(|migration| migration.name()).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(names, sorted);
        for name in names {
            let (stamp, change) = name.split_at("m20261120_090000".len());
            assert!(
                stamp.starts_with('m') && stamp[1..].bytes().all(|b| b.is_ascii_digit() || b == b'_'),
                "{name}"
            );
            assert!(change.starts_with('_') && change.len() > 4, "{name}");
        }
    }

    #[test]
    fn every_statement_can_be_run_again() {
        for migration in all() {
            for statement in migration.up().into_iter().chain(migration.down()) {
                let sql = statement.sql.to_ascii_uppercase();
                assert!(sql.contains("IF NOT EXISTS") || sql.contains("IF EXISTS"), "{}", statement.about);
            }
            assert!(!migration.up().is_empty() && !migration.down().is_empty(), "{}", migration.name());
        }
    }
}
