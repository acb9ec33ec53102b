//! The ledger: what was run, how far it got, and what follows from that.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use clickhouse::Row;
use serde::{Deserialize, Serialize};

use super::{Direction, Migration};
use crate::client::Client;
use crate::error::Result;

/// One row per run of a migration: later rows of a run replace earlier ones.
const CREATE: &str = "
CREATE TABLE IF NOT EXISTS migrations
(
    name LowCardinality(String) COMMENT 'The migration, named as its file.',
    direction Enum8('up' = 1, 'down' = 2) COMMENT 'Which way it ran.',
    started_at DateTime64(3, 'UTC') COMMENT 'When this run began, by the clock of the server.',
    finished_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When this run was done; null: it is running, failed or was killed.',
    steps_done UInt32 COMMENT 'How many steps are done, counted from the first of the migration.',
    steps UInt32 COMMENT 'How many steps there are.',
    error String COMMENT 'Why the step after steps_done failed; empty: it did not.',
    revision UInt64 COMMENT 'Grows with every row of a run; the largest one counts.'
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (name, started_at, direction)
COMMENT 'Which migrations were run and how far they got; read it with FINAL.'
";

/// Where a migration stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Not run, or taken back.
    Pending,
    /// Run to its end.
    Applied,
    /// A run, in either direction, has begun and not ended. `up` and `down` both take it from there.
    Partial,
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
}

/// The last run of a migration, as stored.
#[derive(Clone, Debug, Row, Deserialize)]
struct LastRun {
    name: String,
    direction: i8,
    #[serde(with = "clickhouse::serde::chrono::datetime64::millis")]
    started_at: DateTime<Utc>,
    #[serde(with = "clickhouse::serde::chrono::datetime64::millis::option")]
    finished_at: Option<DateTime<Utc>>,
    steps_done: u32,
    steps: u32,
    error: String,
}

impl LastRun {
    fn direction(&self) -> Direction {
        if self.direction == 1 { Direction::Up } else { Direction::Down }
    }

    fn state(&self) -> State {
        match (self.direction(), self.finished_at) {
            (_, None) => State::Partial,
            (Direction::Up, Some(_)) => State::Applied,
            (Direction::Down, Some(_)) => State::Pending,
        }
    }
}

/// A run that is being recorded.
pub(super) struct Run {
    pub name: &'static str,
    pub direction: Direction,
    pub started_at: DateTime<Utc>,
    pub steps: u32,
}

pub(super) async fn create(client: &Client) -> Result<()> {
    client.execute(client.query(CREATE)).await
}

pub(super) async fn server_time(client: &Client) -> Result<DateTime<Utc>> {
    let millis: i64 = client.row(client.query("SELECT toUnixTimestamp64Milli(now64(3))")).await?;
    Ok(DateTime::from_timestamp_millis(millis).unwrap_or_default())
}

/// Records how far `run` is. The same call twice leaves one row.
pub(super) async fn record(client: &Client, run: &Run, steps_done: u32, error: Option<&str>) -> Result<()> {
    let is_finished = steps_done == run.steps;
    // A failure counts for more than the same step before it was tried, and the end for more than all.
    let revision = u64::from(steps_done) * 2 + u64::from(error.is_some());
    let query = client
        .query(
            "INSERT INTO migrations (name, direction, started_at, finished_at, steps_done, steps, error, revision)
             SELECT {name:String}, {direction:String}, fromUnixTimestamp64Milli({started_at:Int64}, 'UTC'),
                    if({is_finished:Bool}, now64(3, 'UTC'), NULL), {steps_done:UInt32}, {steps:UInt32},
                    {error:String}, {revision:UInt64}",
        )
        .param("name", run.name)
        .param("direction", run.direction.as_str())
        .param("started_at", run.started_at.timestamp_millis())
        .param("is_finished", is_finished)
        .param("steps_done", steps_done)
        .param("steps", run.steps)
        .param("error", error.unwrap_or_default())
        .param("revision", revision);
    client.execute(query).await
}

/// Reads the ledger; everything is pending where there is none yet.
pub(super) async fn read(client: &Client, migrations: &[Box<dyn Migration>]) -> Result<Status> {
    let exists = client.query(
        "SELECT count() FROM system.tables WHERE database = {database:String} AND name = 'migrations'",
    );
    let exists: u64 = client.row(exists.param("database", client.database())).await?;
    let runs: Vec<LastRun> = if exists == 0 {
        Vec::new()
    } else {
        let sql = "SELECT name, direction, started_at, finished_at, steps_done, steps, error
                   FROM migrations FINAL ORDER BY started_at DESC, revision DESC LIMIT 1 BY name";
        client.rows(client.query(sql)).await?
    };
    let mut runs: HashMap<String, LastRun> = runs.into_iter().map(|run| (run.name.clone(), run)).collect();
    let migrations = migrations
        .iter()
        .map(|migration| migration_status(migration.as_ref(), runs.remove(migration.name())))
        .collect();
    let mut unknown: Vec<_> =
        runs.into_values().filter(|run| run.state() != State::Pending).map(|run| run.name).collect();
    unknown.sort();
    Ok(Status { migrations, unknown })
}

fn migration_status(migration: &dyn Migration, run: Option<LastRun>) -> MigrationStatus {
    let state = run.as_ref().map_or(State::Pending, LastRun::state);
    let name = migration.name().to_owned();
    let applied = state == State::Applied;
    match run {
        Some(run) => MigrationStatus {
            name,
            applied,
            state,
            direction: Some(run.direction()),
            started_at: Some(run.started_at),
            finished_at: run.finished_at,
            steps_done: run.steps_done,
            steps: run.steps,
            error: Some(run.error).filter(|error| !error.is_empty()),
        },
        None => MigrationStatus {
            name,
            applied,
            state,
            direction: None,
            started_at: None,
            finished_at: None,
            steps_done: 0,
            steps: u32::try_from(migration.up().len()).unwrap_or(u32::MAX),
            error: None,
        },
    }
}
