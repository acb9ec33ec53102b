//! Where a database stands: what the ledger and the log say, held against the program's migrations.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, Statement};
use serde::Serialize;

use crate::history::History;
use crate::ledger::Ledger;
use crate::{Direction, Error, Result};

/// Where a migration stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Applied, and known to this program.
    Applied,
    /// Applied from other SQL than this program would send now.
    Changed,
    /// Known to this program, not applied yet.
    Pending,
    /// Being applied or reverted right now, by somebody else.
    Running,
    /// A run outside a transaction failed or was killed; what it left is not known. It has to be settled.
    Interrupted,
    /// Applied by another release; this program does not know it.
    Unknown,
}

impl State {
    /// As in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Changed => "changed",
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Interrupted => "interrupted",
            Self::Unknown => "unknown",
        }
    }
}

/// One migration as [`Runner::status`](crate::Runner::status) reports it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Migration {
    /// `mYYYYMMDD_HHMMSS_<change>`.
    pub name: String,
    /// Where it stands.
    pub state: State,
    /// Seconds since 1970 (UTC), from the ledger; `None` while it isn't in it.
    pub applied_at: Option<i64>,
    /// When its last run began (UTC); `None` without a log, as after plain `sea-orm-migration`.
    pub started_at: Option<DateTime<Utc>>,
    /// When the statements of that run were done (UTC).
    pub finished_at: Option<DateTime<Utc>>,
    /// Why that run failed.
    pub error: Option<String>,
    /// Whether its SQL depends on what the database holds, so that a change of it can't be noticed.
    pub depends_on_data: bool,
    /// SHA-256 of the SQL it was applied from; `None` where there is no log of it, or it depends on data.
    pub checksum: Option<String>,
    #[serde(skip)]
    pub(crate) order: (Option<i64>, Option<i64>),
    /// In which direction a run can simply be repeated that was interrupted.
    #[serde(skip)]
    pub(crate) resumes: Option<Direction>,
}

impl Migration {
    /// Whether the ledger has it.
    #[must_use]
    pub fn is_applied(&self) -> bool {
        self.applied_at.is_some()
    }
}

/// Where a database stands: its migrations in the order of the migrator, unknown ones at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The runner's name for the database.
    pub database: String,
    /// Every migration that the program or the ledger knows.
    pub migrations: Vec<Migration>,
    /// Whether the log has entries that nobody will close but the next run.
    #[serde(skip)]
    pub(crate) is_abandoned: bool,
}

impl Status {
    /// Whether anything is left to apply.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.known().any(|migration| !migration.is_applied())
    }

    /// The first migration in this state.
    pub(crate) fn first(&self, state: State) -> Option<&Migration> {
        self.migrations.iter().find(|migration| migration.state == state)
    }

    fn known(&self) -> impl Iterator<Item = &Migration> {
        self.migrations.iter().filter(|migration| migration.state != State::Unknown)
    }

    /// Refuses a database whose history this program's migrations do not continue.
    pub(crate) fn check_order(&self) -> Result<()> {
        let Some(pending) = self.known().find(|migration| !migration.is_applied()) else { return Ok(()) };
        let database = self.database.clone();
        if let Some(unknown) = self.first(State::Unknown) {
            return Err(Error::Diverged {
                database,
                unknown: unknown.name.clone(),
                pending: pending.name.clone(),
            });
        }
        let late = self.known().skip_while(|migration| migration.is_applied());
        match late.filter(|migration| migration.is_applied()).last() {
            Some(applied) => {
                Err(Error::OutOfOrder { database, late: pending.name.clone(), applied: applied.name.clone() })
            }
            None => Ok(()),
        }
    }
}

/// What the ledger and the log say about one migration.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct Record {
    pub(crate) version: String,
    pub(crate) applied_at: Option<i64>,
    /// The runner that applied it last; none without a log.
    pub(crate) runner: Option<String>,
    pub(crate) checksum: Option<String>,
    /// Grows with every application.
    pub(crate) applied_id: Option<i64>,
    pub(crate) last_action: Option<String>,
    pub(crate) transactional: Option<bool>,
    pub(crate) started_at: Option<DateTime<Utc>>,
    pub(crate) finished_at: Option<DateTime<Utc>>,
    pub(crate) success: Option<bool>,
    pub(crate) error: Option<String>,
}

impl Record {
    /// Whether its last run was begun and not closed.
    pub(crate) fn is_open(&self) -> bool {
        self.last_action.is_some() && self.success.is_none()
    }

    /// Whether its last run was outside a transaction and came to a bad end.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.transactional == Some(false)
            && self.success == Some(false)
            && self.last_action.as_deref().is_some_and(|action| action == "up" || action == "down")
    }
}

/// Reads the ledger and the log; `None` when the connection has no schema. Two statements, no DDL, so a role
/// that may only read can ask.
pub(crate) async fn read(
    db: &impl ConnectionTrait,
    ledger: &Ledger,
    history: &History,
) -> Result<Option<Vec<Record>>, DbErr> {
    let there = "select to_regclass(quote_ident(current_schema()) || '.' || quote_ident($1)) is not null as ledger, \
                        to_regclass(quote_ident(current_schema()) || '.' || quote_ident($2)) is not null as log \
                 where current_schema() is not null";
    let backend = db.get_database_backend();
    let names = [ledger.name().into(), history.name().into()];
    let Some(row) = db.query_one_raw(Statement::from_sql_and_values(backend, there, names)).await? else {
        return Ok(None);
    };
    let (has_ledger, has_log): (bool, bool) = (row.try_get("", "ledger")?, row.try_get("", "log")?);
    if !has_ledger && !has_log {
        return Ok(Some(Vec::new()));
    }
    let applied = if has_ledger {
        format!("select version::text, applied_at from {}", ledger.quoted())
    } else {
        "select null::text as version, null::bigint as applied_at where false".to_owned()
    };
    let log = if has_log { history.quoted() } else { include_str!("no_history.sql").to_owned() };
    let select = include_str!("status.sql").replace("{applied}", &applied).replace("{log}", &log);
    Record::find_by_statement(Statement::from_string(backend, select)).all(db).await.map(Some)
}
