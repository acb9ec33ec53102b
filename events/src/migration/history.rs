//! The ledger, table `migrations`: one row per run, also those that failed. What is applied follows from the
//! last run of each migration; see `status.rs`.

use chrono::{DateTime, Utc};
use clickhouse::Row;
use serde::{Deserialize, Serialize};

use super::Direction;
use super::checksum::Recorded;
use crate::client::Client;
use crate::error::Result;

/// The columns that the first release had. Names and types stay: its binaries read and write the same table.
/// That is also why a baseline and a repair have a direction, the one of the run that they stand in for.
const FIRST_COLUMNS: &[(&str, &str)] = &[
    ("name", "LowCardinality(String) COMMENT 'The migration, named as its file.'"),
    ("direction", "Enum8('up' = 1, 'down' = 2) COMMENT 'Which way it ran, or is said to have run.'"),
    ("started_at", "DateTime64(3, 'UTC') COMMENT 'When this run began, by the clock of the server.'"),
    (
        "finished_at",
        "Nullable(DateTime64(3, 'UTC')) COMMENT 'When this run was done; null: it is running, failed or was killed.'",
    ),
    ("steps_done", "UInt32 COMMENT 'How many steps are done, counted from the first of the migration.'"),
    ("steps", "UInt32 COMMENT 'How many steps there are.'"),
    ("error", "String COMMENT 'Why the step after steps_done failed; empty: it did not.'"),
    ("revision", "UInt64 COMMENT 'Grows with every row of a run; the largest one counts.'"),
];

/// What came with the second. The defaults also give their values to the rows of the first.
const LATER_COLUMNS: &[(&str, &str)] = &[
    (
        "action",
        "Enum8('run' = 0, 'baseline' = 1, 'repair' = 2) DEFAULT 'run' COMMENT 'Whether statements ran, or their outcome was marked: as there before, or settled by hand.'",
    ),
    (
        "duration_ms",
        "Nullable(UInt64) DEFAULT toUnixTimestamp64Milli(finished_at) - toUnixTimestamp64Milli(started_at) COMMENT 'How long it took to the end or the failure; null: it is running or was killed.'",
    ),
    (
        "success",
        "Bool DEFAULT finished_at IS NOT NULL COMMENT 'Whether it came to its end; false while it runs.'",
    ),
    ("failed_statement", "String COMMENT 'The step that failed: what it does, then its SQL.'"),
    (
        "checksum",
        "String COMMENT 'SHA-256 of the statements without comments and layout; empty: not recorded.'",
    ),
    ("sql", "Array(String) COMMENT 'The statements of up and down, each under a comment that says which.'"),
    ("program", "String COMMENT 'Name and version of the program that ran it.'"),
    ("host", "String COMMENT 'The machine that the program ran on.'"),
    ("user", "String COMMENT 'The ClickHouse user.'"),
];

/// What an entry records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// The migration was applied, or that was tried.
    Up,
    /// It was reverted, or that was tried.
    Down,
    /// It was marked as applied without being run, because its schema was there.
    Baseline,
    /// Its changed SQL was accepted, or what came of an interrupted run was settled by hand.
    Repair,
}

/// One run of a migration, as recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HistoryEntry {
    /// The migration's name.
    pub migration: String,
    /// What was done.
    pub action: Action,
    /// Which way it ran; for a baseline or a repair, where the migration stands since.
    pub direction: Direction,
    /// By the server's clock (UTC).
    pub started_at: DateTime<Utc>,
    /// By the server's clock (UTC); `None` while it runs, and for ever if it failed or was killed.
    pub finished_at: Option<DateTime<Utc>>,
    /// To the end or the failure, in milliseconds; `None` while it runs or if it was killed.
    pub duration_ms: Option<u64>,
    /// Whether it came to its end; `false` while it runs.
    pub success: bool,
    /// Why it failed, in the server's words.
    pub error: Option<String>,
    /// The step that failed: what it does, then its SQL.
    pub failed_statement: Option<String>,
    /// How many steps are done, counted from the migration's first.
    pub steps_done: u32,
    /// How many there are.
    pub steps: u32,
    /// SHA-256 of the SQL of `up` and `down`; `None` where the release that ran it kept none.
    pub checksum: Option<String>,
    /// Name and version of the program that ran it; empty where not recorded.
    pub program: String,
    /// The machine that the program ran on; empty where not recorded.
    pub host: String,
    /// The ClickHouse user; empty where not recorded.
    pub user: String,
}

#[derive(Row, Deserialize)]
struct Stored {
    name: String,
    direction: i8,
    action: i8,
    #[serde(with = "clickhouse::serde::chrono::datetime64::millis")]
    started_at: DateTime<Utc>,
    #[serde(with = "clickhouse::serde::chrono::datetime64::millis::option")]
    finished_at: Option<DateTime<Utc>>,
    duration_ms: Option<u64>,
    success: bool,
    error: String,
    failed_statement: String,
    steps_done: u32,
    steps: u32,
    checksum: String,
    program: String,
    host: String,
    user: String,
}

impl From<Stored> for HistoryEntry {
    fn from(row: Stored) -> Self {
        let some = |text: String| Some(text).filter(|text| !text.is_empty());
        let direction = if row.direction == 1 { Direction::Up } else { Direction::Down };
        let action = match (row.action, direction) {
            (1, _) => Action::Baseline,
            (2, _) => Action::Repair,
            (_, Direction::Up) => Action::Up,
            (_, Direction::Down) => Action::Down,
        };
        Self {
            migration: row.name,
            action,
            direction,
            started_at: row.started_at,
            finished_at: row.finished_at,
            duration_ms: row.duration_ms,
            success: row.success,
            error: some(row.error),
            failed_statement: some(row.failed_statement),
            steps_done: row.steps_done,
            steps: row.steps,
            checksum: some(row.checksum),
            program: row.program,
            host: row.host,
            user: row.user,
        }
    }
}

/// A run that is being recorded.
pub(super) struct Run<'a> {
    pub name: &'a str,
    pub action: Action,
    pub direction: Direction,
    pub started_at: DateTime<Utc>,
    pub steps: u32,
    pub recorded: &'a Recorded,
}

/// The step that failed and why.
pub(super) struct Failure {
    pub error: String,
    pub statement: String,
}

/// How the ledger's table looks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Missing,
    First,
    Current,
}

/// The ledger of one database, and who writes to it.
#[derive(Clone, Debug)]
pub(super) struct Ledger {
    client: Client,
    program: String,
    host: String,
}

impl Ledger {
    pub(super) fn new(client: &Client) -> Self {
        let program = std::env::current_exe().ok();
        let program = program.as_deref().and_then(|path| path.file_stem()).map(|stem| stem.to_string_lossy());
        Self {
            client: client.clone(),
            program: program.map_or_else(|| "unknown".to_owned(), |stem| stem.into_owned()),
            host: whoami::hostname().unwrap_or_else(|_| "unknown".to_owned()),
        }
    }

    pub(super) fn set_program(&mut self, program: String) {
        self.program = program;
    }

    /// Creates the table where it is missing, and adds what the first release's lacks. Both can be done by
    /// several starters at once.
    pub(super) async fn create(&self) -> Result<()> {
        let column = |(name, definition): &(&str, &str)| format!("{name} {definition}");
        let sql = match self.form().await? {
            Form::Current => return Ok(()),
            Form::Missing => {
                let columns = FIRST_COLUMNS.iter().chain(LATER_COLUMNS).map(column).collect::<Vec<_>>();
                format!(
                    "CREATE TABLE IF NOT EXISTS migrations ({}) ENGINE = ReplacingMergeTree(revision)
                     ORDER BY (name, started_at, direction)
                     COMMENT 'Every run of a migration and how far it got; read it with FINAL.'",
                    columns.join(", ")
                )
            }
            Form::First => {
                let columns =
                    LATER_COLUMNS.iter().map(column).map(|one| format!("ADD COLUMN IF NOT EXISTS {one}"));
                format!("ALTER TABLE migrations {}", columns.collect::<Vec<_>>().join(", "))
            }
        };
        self.client.execute(self.client.query(&sql)).await
    }

    async fn form(&self) -> Result<Form> {
        let query = self.client.query(
            "SELECT name FROM system.columns WHERE database = {database:String} AND table = 'migrations'",
        );
        let found: Vec<String> = self.client.rows(query.param("database", self.client.database())).await?;
        let has_all = LATER_COLUMNS.iter().all(|(name, _)| found.iter().any(|found| found == name));
        Ok(match (found.is_empty(), has_all) {
            (true, _) => Form::Missing,
            (false, false) => Form::First,
            (false, true) => Form::Current,
        })
    }

    /// Every run, oldest first; none where there is no ledger. Changes nothing.
    pub(super) async fn read(&self) -> Result<Vec<HistoryEntry>> {
        let later = match self.form().await? {
            Form::Missing => return Ok(Vec::new()),
            Form::Current => {
                "toInt8(action) AS action, duration_ms, success, failed_statement, checksum, program, host, user"
            }
            Form::First => {
                "toInt8(0) AS action, CAST(toUnixTimestamp64Milli(finished_at) - toUnixTimestamp64Milli(started_at)
                 AS Nullable(UInt64)) AS duration_ms, CAST(finished_at IS NOT NULL AS Bool) AS success,
                 '' AS failed_statement, '' AS checksum, '' AS program, '' AS host, '' AS user"
            }
        };
        let sql = format!(
            "SELECT name, toInt8(direction) AS direction, started_at, finished_at, steps_done, steps, error, {later}
             FROM migrations FINAL ORDER BY started_at, name"
        );
        let rows: Vec<Stored> = self.client.rows(self.client.query(&sql)).await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// The statements that `entry` recorded; none where it recorded none.
    pub(super) async fn sql_of(&self, entry: &HistoryEntry) -> Result<Vec<String>> {
        if self.form().await? != Form::Current {
            return Ok(Vec::new());
        }
        let query = self.client.query(
            "SELECT sql FROM migrations FINAL WHERE name = {name:String} AND direction = {direction:String}
                 AND started_at = fromUnixTimestamp64Milli({started_at:Int64}, 'UTC')",
        );
        let query = query
            .param("name", &entry.migration)
            .param("direction", entry.direction.as_str())
            .param("started_at", entry.started_at.timestamp_millis());
        Ok(self.client.rows(query).await?.pop().unwrap_or_default())
    }

    /// Now by the server's clock, and later than `last`: two runs of a migration never share their key.
    pub(super) async fn time_after(&self, last: Option<DateTime<Utc>>) -> Result<DateTime<Utc>> {
        let millis: i64 =
            self.client.row(self.client.query("SELECT toUnixTimestamp64Milli(now64(3))")).await?;
        let millis = last.map_or(millis, |last| millis.max(last.timestamp_millis() + 1));
        Ok(DateTime::from_timestamp_millis(millis).unwrap_or_default())
    }

    /// Records how far `run` is. The same call twice leaves one row.
    pub(super) async fn record(&self, run: &Run<'_>, done: u32, failure: Option<&Failure>) -> Result<()> {
        let is_finished = done == run.steps && failure.is_none();
        // A failure counts for more than the same step before it was tried, and the end for more than all.
        let revision = u64::from(done) * 2 + u64::from(failure.is_some() || is_finished);
        let action = match run.action {
            Action::Up | Action::Down => "run",
            Action::Baseline => "baseline",
            Action::Repair => "repair",
        };
        let started = run.started_at.timestamp_millis();
        let finished_at = if is_finished { "now64(3, 'UTC')" } else { "NULL" };
        let duration = if is_finished || failure.is_some() {
            format!("greatest(0, toUnixTimestamp64Milli(now64(3)) - {started})")
        } else {
            "NULL".to_owned()
        };
        let statements: Vec<_> = run.recorded.sql.iter().map(|sql| literal(sql)).collect();
        // As text and not as parameters, which travel in the URL and may not be long.
        let sql = format!(
            "INSERT INTO migrations (name, direction, action, started_at, finished_at, duration_ms, success,
                 steps_done, steps, error, failed_statement, revision, checksum, sql, program, host, user)
             SELECT {name}, '{direction}', '{action}', fromUnixTimestamp64Milli({started}, 'UTC'), {finished_at},
                 {duration}, {is_finished}, {done}, {steps}, {error}, {statement}, {revision}, '{checksum}',
                 CAST([{statements}] AS Array(String)), {program}, {host}, currentUser()",
            name = literal(run.name),
            direction = run.direction,
            steps = run.steps,
            error = literal(failure.map_or("", |failure| &failure.error)),
            statement = literal(failure.map_or("", |failure| &failure.statement)),
            checksum = run.recorded.checksum,
            statements = statements.join(", "),
            program = literal(&self.program),
            host = literal(&self.host),
        );
        let limit = (sql.len() + 1).max(256 << 10).to_string();
        self.client.execute(self.client.query(&sql).with_setting("max_query_size", limit)).await
    }
}

/// `text` as a literal of ClickHouse.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'").replace('\0', "\\0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_keeps_quotes_and_backslashes() {
        assert_eq!(literal(r"it's \n"), r"'it\'s \\n'");
    }
}
