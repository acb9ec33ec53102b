//! Where a database stands: its history, held against the program's migrations.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::checksum::Recorded;
use super::history::{Action, HistoryEntry};
use super::{Direction, Migration};
use crate::error::{Error, Result};

/// Where a migration stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Not run, or taken back.
    Pending,
    /// Run to its end.
    Applied,
    /// Applied from other SQL than this program would send now.
    Changed,
    /// A run, in either direction, has begun and not ended. `up` and `down` both take it from there.
    Partial,
}

impl State {
    /// As in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Applied => "applied",
            Self::Changed => "changed",
            Self::Partial => "partial",
        }
    }
}

/// One migration in [`Status`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MigrationStatus {
    /// Its file's name.
    pub name: String,
    /// Whether its schema is there as a whole.
    pub applied: bool,
    /// Where it stands.
    pub state: State,
    /// Which way its last run went; `None` if it never ran.
    pub direction: Option<Direction>,
    /// What the last entry of its history records; `None` if it never ran.
    pub action: Option<Action>,
    /// When it was first begun since it was last pending (UTC); the order of application. `None` while pending.
    pub applied_at: Option<DateTime<Utc>>,
    /// When its last run began (UTC).
    pub started_at: Option<DateTime<Utc>>,
    /// When its last run was done (UTC).
    pub finished_at: Option<DateTime<Utc>>,
    /// How many steps its last run has done.
    pub steps_done: u32,
    /// How many steps its last run had to do.
    pub steps: u32,
    /// Why its last run failed, in the server's words.
    pub error: Option<String>,
    /// What failed in its last run: what the step does, then its SQL.
    pub failed_statement: Option<String>,
    /// SHA-256 of the SQL that it was applied from; `None` while it is not applied, or if a release that kept
    /// no checksums applied it.
    pub checksum: Option<String>,
}

/// What the ledger says about every migration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Every migration of this binary, in the order of application.
    pub migrations: Vec<MigrationStatus>,
    /// Names that are in the ledger but not in this binary: the database is ahead of it.
    pub unknown: Vec<String>,
}

impl Status {
    /// How many of this binary's migrations are not applied.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.migrations.iter().filter(|migration| !migration.applied).count()
    }

    /// Whether any of this binary's migrations is not applied.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.pending() > 0
    }
}

/// What the history says about one migration.
pub(super) struct Record {
    /// Its last entry.
    pub last: HistoryEntry,
    /// See [`MigrationStatus::applied_at`].
    pub applied_at: Option<DateTime<Utc>>,
}

impl Record {
    fn state(&self) -> State {
        match (self.last.direction, self.last.finished_at) {
            (_, None) => State::Partial,
            (Direction::Up, Some(_)) => State::Applied,
            (Direction::Down, Some(_)) => State::Pending,
        }
    }
}

/// The history by migration, and what follows from it for the program's.
pub(super) struct Standing {
    pub status: Status,
    pub records: BTreeMap<String, Record>,
}

impl Standing {
    pub(super) fn new(migrations: &[Box<dyn Migration>], history: Vec<HistoryEntry>) -> Self {
        let mut records: BTreeMap<String, Record> = BTreeMap::new();
        for entry in history {
            let before = records.get(&entry.migration).and_then(|record| record.applied_at);
            let is_gone = entry.direction == Direction::Down && entry.finished_at.is_some();
            let applied_at = if is_gone { None } else { before.or(Some(entry.started_at)) };
            records.insert(entry.migration.clone(), Record { last: entry, applied_at });
        }
        let known = |name: &str| migrations.iter().any(|migration| migration.name() == name);
        let unknown =
            records.iter().filter(|(name, record)| !known(name) && record.state() != State::Pending);
        let unknown = unknown.map(|(name, _)| name.clone()).collect();
        let migrations = migrations
            .iter()
            .map(|migration| migration_status(migration.as_ref(), records.get(migration.name())))
            .collect();
        Self { status: Status { migrations, unknown }, records }
    }

    /// Refuses a history that this program's migrations do not continue.
    pub(super) fn check_order(&self) -> Result<()> {
        let migrations = &self.status.migrations;
        let Some(pending) = migrations.iter().find(|migration| !migration.applied) else { return Ok(()) };
        if let Some(unknown) = self.status.unknown.first() {
            return Err(Error::Diverged { unknown: unknown.clone(), pending: pending.name.clone() });
        }
        // One that is partial was let in before, or was on its way out.
        let late = migrations.iter().position(|migration| migration.state == State::Pending);
        let applied = migrations.iter().rposition(|migration| migration.applied);
        match (late, applied) {
            (Some(late), Some(applied)) if late < applied => Err(Error::OutOfOrder {
                late: migrations[late].name.clone(),
                applied: migrations[applied].name.clone(),
            }),
            _ => Ok(()),
        }
    }

    /// The names of what is applied or partial, unknown ones too, in the order of application. Of several that
    /// were begun in the same millisecond, the program's order decides.
    pub(super) fn applied(&self) -> Vec<&str> {
        let position = |name: &str| self.status.migrations.iter().position(|one| one.name == name);
        let mut applied: Vec<_> = self
            .records
            .iter()
            .filter_map(|(name, record)| Some((record.applied_at?, position(name), name.as_str())))
            .collect();
        applied.sort_unstable();
        applied.into_iter().map(|(.., name)| name).collect()
    }
}

fn migration_status(migration: &dyn Migration, record: Option<&Record>) -> MigrationStatus {
    let name = migration.name().to_owned();
    let Some(record) = record else {
        return MigrationStatus {
            name,
            applied: false,
            state: State::Pending,
            direction: None,
            action: None,
            applied_at: None,
            started_at: None,
            finished_at: None,
            steps_done: 0,
            steps: u32::try_from(migration.up().len()).unwrap_or(u32::MAX),
            error: None,
            failed_statement: None,
            checksum: None,
        };
    };
    let last = &record.last;
    let applied = record.state() == State::Applied;
    let checksum = last.checksum.clone().filter(|_| applied);
    let is_changed = checksum.as_ref().is_some_and(|recorded| *recorded != Recorded::of(migration).checksum);
    MigrationStatus {
        name,
        applied,
        state: if is_changed { State::Changed } else { record.state() },
        direction: Some(last.direction),
        action: Some(last.action),
        applied_at: record.applied_at,
        started_at: Some(last.started_at),
        finished_at: last.finished_at,
        steps_done: last.steps_done,
        steps: last.steps,
        error: last.error.clone(),
        failed_statement: last.failed_statement.clone(),
        checksum,
    }
}
