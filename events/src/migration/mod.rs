//! Migrations of the ClickHouse database: one Rust file each, with `up` and `down` as lists of statements.
//!
//! ClickHouse has no transactional DDL. So every statement can be run again (`IF NOT EXISTS`, `IF EXISTS`),
//! and the ledger, table `migrations`, records each step that is done. A run that failed or was killed goes on
//! at the step it had reached; two starters at once do the same statements twice, which changes nothing.
//!
//! A statement that starts a mutation is waited for until the data is rewritten.
//!
//! | command | does |
//! |---|---|
//! | [`Runner::status`] | says where each migration stands |
//! | [`Runner::history`] | lists every run, also those that failed |
//! | [`Runner::up`] | applies what is not applied, oldest first |
//! | [`Runner::down`] | reverts what was applied last |
//! | [`Runner::plan`], [`Runner::dry_run`] | what either would do, and to how much data |
//! | [`Runner::verify`] | tries every migration out, both ways, on a throwaway database |
//! | [`Runner::repair`] | accepts changed SQL; [`Runner::applied`], [`Runner::reverted`] settle a partial one |
//! | [`Runner::baseline`] | marks migrations as applied whose schema is there |
//!
//! Only `up` and `down` change the database; `repair` and `baseline` write to the ledger, and the others nothing
//! at all. [`status`], [`up`] and [`down`] are the same for this crate's migrations.
//!
//! The checksum of an applied migration is kept, over the SQL of both directions without comments and layout,
//! and `up` and `down` refuse to go on once it has changed. What the first release applied has none and is
//! accepted as it is.
//!
//! The same migrations make a cluster: [`Runner::cluster`] renders them ([`Cluster`] says how).
//!
//! A new migration is a file `mYYYYMMDD_HHMMSS_<change>.rs`, a `mod` line and a line in [`all`]. Times in the
//! ledger are the server's, so that starters on several machines agree on what came last.

pub mod catalog;
mod checksum;
mod cluster;
mod direction;
mod effect;
mod event;
mod finding;
mod history;
mod lexer;
mod plan;
mod repair;
mod reset;
mod rows;
mod run;
mod runner;
mod scratch;
mod status;
mod verify;

mod m20261120_090000_create_events;
mod m20261120_090100_create_dead_letters;
mod m20261126_110000_create_event_payloads;
mod m20261126_110100_create_events_daily;
mod m20261126_110200_create_ingest_batches;
mod m20261126_110300_create_erasures;

pub use cluster::{Cluster, sharding_key};
pub use direction::{Direction, Extent};
pub use effect::{Effect, EffectKind};
pub use event::Event;
pub use finding::{Finding, Unfilled, Verification};
pub(crate) use history::literal;
pub use history::{Action, HistoryEntry};
pub use plan::{Existing, PlannedMigration, PlannedStatement};
pub use repair::Accepted;
pub use runner::{Change, Runner, down, status, up};
pub use status::{MigrationStatus, State, Status};

/// One change of the schema.
pub trait Migration: Send + Sync {
    /// The file's name without its ending; what the ledger calls it.
    fn name(&self) -> &'static str;

    /// The statements that make the change, in order. Each can be run again.
    fn up(&self) -> Vec<Statement>;

    /// The statements that take the change back, in order. Each can be run again.
    fn down(&self) -> Vec<Statement>;

    /// What `down` does not bring back of the rows that were there before `up`: `table`, or `table.column`.
    /// `verify` takes everything else to be kept.
    fn down_loses(&self) -> &'static [&'static str] {
        &[]
    }
}

/// One step of a migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What it does, in a few words, for progress and errors.
    pub about: &'static str,
    /// The SQL. Table names are not qualified: it runs in the client's database, or in a throwaway one.
    pub sql: String,
}

impl Statement {
    /// A step that does `about` by `sql`.
    #[must_use]
    pub fn new(about: &'static str, sql: impl Into<String>) -> Self {
        Self { about, sql: sql.into() }
    }
}

/// Every migration, oldest first. This order, not that of the names, is the order of application.
#[must_use]
pub fn all() -> Vec<Box<dyn Migration>> {
    vec![
        Box::new(m20261120_090000_create_events::CreateEvents),
        Box::new(m20261120_090100_create_dead_letters::CreateDeadLetters),
        Box::new(m20261126_110000_create_event_payloads::CreateEventPayloads),
        Box::new(m20261126_110100_create_events_daily::CreateEventsDaily),
        Box::new(m20261126_110200_create_ingest_batches::CreateIngestBatches),
        Box::new(m20261126_110300_create_erasures::CreateErasures),
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
                // Counting an event again changes no `uniqExact`; that `verify` runs every step twice proves it.
                let is_count = sql.trim_start().starts_with("INSERT INTO EVENTS_DAILY");
                let is_guarded = sql.contains("IF NOT EXISTS") || sql.contains("IF EXISTS");
                assert!(is_guarded || is_count, "{}", statement.about);
            }
            assert!(!migration.up().is_empty() && !migration.down().is_empty(), "{}", migration.name());
        }
    }
}
