//! The table-level locks of PostgreSQL and what each keeps waiting.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A table-level lock, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LockMode {
    /// Of a `select`.
    AccessShare,
    /// Of a `select for update`, and of the table that a foreign key points to.
    RowShare,
    /// Of `insert`, `update`, `delete` and `merge`.
    RowExclusive,
    /// Of `vacuum`, `validate constraint` and everything that is built concurrently.
    ShareUpdateExclusive,
    /// Of `create index`.
    Share,
    /// Of `create trigger`, and of both tables while a foreign key is added.
    ShareRowExclusive,
    /// Of `refresh materialized view concurrently`.
    Exclusive,
    /// Of most of `alter table`, `drop table` and `truncate`.
    AccessExclusive,
}

/// What has to wait while a lock is held, and what a lock has to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blocks {
    /// Nothing that reads or writes rows.
    Nothing,
    /// Other changes of the table, and vacuum.
    SchemaChanges,
    /// Inserts, updates and deletes.
    Writes,
    /// Every use of the table.
    ReadsAndWrites,
}

impl LockMode {
    /// What has to wait while it is held.
    #[must_use]
    pub const fn blocks(self) -> Blocks {
        match self {
            Self::AccessShare | Self::RowShare | Self::RowExclusive => Blocks::Nothing,
            Self::ShareUpdateExclusive => Blocks::SchemaChanges,
            Self::Share | Self::ShareRowExclusive | Self::Exclusive => Blocks::Writes,
            Self::AccessExclusive => Blocks::ReadsAndWrites,
        }
    }

    /// As `pg_locks.mode` has it; `None` for a mode that tables are not locked in.
    pub(super) fn of_pg_locks(mode: &str) -> Option<Self> {
        Some(match mode {
            "AccessShareLock" => Self::AccessShare,
            "RowShareLock" => Self::RowShare,
            "RowExclusiveLock" => Self::RowExclusive,
            "ShareUpdateExclusiveLock" => Self::ShareUpdateExclusive,
            "ShareLock" => Self::Share,
            "ShareRowExclusiveLock" => Self::ShareRowExclusive,
            "ExclusiveLock" => Self::Exclusive,
            "AccessExclusiveLock" => Self::AccessExclusive,
            _ => return None,
        })
    }
}

impl fmt::Display for LockMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::AccessShare => "ACCESS SHARE",
            Self::RowShare => "ROW SHARE",
            Self::RowExclusive => "ROW EXCLUSIVE",
            Self::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            Self::Share => "SHARE",
            Self::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            Self::Exclusive => "EXCLUSIVE",
            Self::AccessExclusive => "ACCESS EXCLUSIVE",
        })
    }
}

impl fmt::Display for Blocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Nothing => "nothing that reads or writes",
            Self::SchemaChanges => "other schema changes and vacuum",
            Self::Writes => "writes",
            Self::ReadsAndWrites => "reads and writes",
        })
    }
}
