//! What can go wrong, typed. ClickHouse's own error number is taken out of its answer, so that a
//! caller decides by number and never by wording.

use std::error::Error as _;

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Every failure of this crate. The text says what was expected and the way out; it never holds a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The connection URL is not one of ours. The URL itself is not repeated: it may hold a password.
    #[error("{reason}; a ClickHouse URL looks like http(s)://user:password@host:8123/database")]
    Url {
        /// What is wrong with it.
        reason: String,
    },
    /// Nothing answers at the address, or the connection broke.
    #[error("ClickHouse at {host} does not answer ({reason}); is it running, and is this its HTTP port?")]
    Unreachable {
        /// `host:port` as connected to.
        host: String,
        /// The operating system's or the driver's words.
        reason: String,
    },
    /// The server is older than [`crate::OLDEST_SERVER`].
    #[error(
        "ClickHouse {found} is too old: {}.{} or newer is needed, because older servers deduplicate inserts differently",
        crate::OLDEST_SERVER.0,
        crate::OLDEST_SERVER.1
    )]
    TooOld {
        /// What `select version()` said.
        found: String,
    },
    /// The server refused a statement.
    #[error("ClickHouse refused (code {code}): {message}")]
    Server {
        /// ClickHouse's error number, as listed in `system.errors`.
        code: u32,
        /// The server's words, without the code and the version.
        message: String,
    },
    /// The driver could not make sense of an answer, or an answer did not fit the row type.
    #[error("unexpected answer from ClickHouse: {0}")]
    Answer(String),
    /// A migration's step failed; the ledger says how far it got, and running it again goes on from there.
    #[error("{direction} of {migration} failed at step {step} of {steps} ({about}): {source}")]
    Migration {
        /// The migration's name.
        migration: String,
        /// `up` or `down`.
        direction: crate::migration::Direction,
        /// The step that failed, counted from 1.
        step: u32,
        /// How many steps the migration has in this direction.
        steps: u32,
        /// What the step does, in a few words.
        about: &'static str,
        /// Why it failed.
        source: Box<Error>,
    },
    /// The SQL of an applied migration is not what it was applied from.
    #[error(
        "{migration} is applied, but its SQL has changed since:\n{difference}put the SQL back and make the change in a \
         new migration; or, if the schema is the same either way, accept the new SQL with `repair`"
    )]
    Changed {
        /// The migration's name.
        migration: String,
        /// From what was recorded to what is there now, as a unified diff that ends in a line break.
        difference: String,
    },
    /// A pending migration comes before one that is already applied.
    #[error(
        "{late} is pending but comes before {applied}, which is applied; give it a later name, revert down to before \
         it and go up again, or allow late migrations"
    )]
    OutOfOrder {
        /// The pending migration.
        late: String,
        /// The newest applied migration.
        applied: String,
    },
    /// The database has migrations that this program does not know, and lacks some that it does.
    #[error(
        "{unknown} is applied but not known to this program, while {pending} is pending: two histories have parted; \
         build from a revision that has both, or allow late migrations"
    )]
    Diverged {
        /// The first applied migration that this program lacks.
        unknown: String,
        /// The first pending migration.
        pending: String,
    },
    /// A migration that is to be reverted is not known to this program.
    #[error(
        "{migration} would have to be reverted and this program does not know it; use the release that applied it"
    )]
    Unknown {
        /// The migration's name.
        migration: String,
    },
    /// There is no migration of that name.
    #[error("there is no migration `{name}`{}; the migrations are {}", suggestion(.closest.as_deref()), .known.join(", "))]
    NoSuchMigration {
        /// What was asked for.
        name: String,
        /// The name that is nearest to it, when one is near.
        closest: Option<String>,
        /// All names.
        known: Vec<String>,
    },
    /// Nothing can be reverted down to a migration that is not applied.
    #[error(
        "{migration} is not applied, so nothing can be reverted down to it; see `status` for what is applied"
    )]
    NotApplied {
        /// The migration's name.
        migration: String,
    },
    /// The database is marked as production, and this would lose data.
    #[error(
        "the database {database} is marked as production, which refuses {what}; if that is meant, take the mark away \
         first: `ALTER DATABASE {database} MODIFY COMMENT 'development'`"
    )]
    Production {
        /// The database's name.
        database: String,
        /// What was refused.
        what: &'static str,
    },
    /// There is nothing to settle about a migration.
    #[error("{migration} is {}, and only a partial one can be settled by hand", .state.as_str())]
    NotPartial {
        /// The migration's name.
        migration: String,
        /// Where it stands.
        state: crate::migration::State,
    },
    /// A baseline would have to mark a migration that was begun.
    #[error(
        "{migration} was begun and not ended; run `up` or `down`, or settle it with `repair`, then mark the others"
    )]
    Partial {
        /// The migration's name.
        migration: String,
    },
    /// A migration can't be applied to a throwaway database.
    #[error(
        "step `{about}` of {migration} names a database, so it can't be tried out on another; leave the name out, or \
         mark the migrations unchecked"
    )]
    NamesDatabase {
        /// The migration's name.
        migration: String,
        /// What the step does.
        about: &'static str,
    },
    /// A baseline would say that a schema is there which is not.
    #[error(
        "the database is not what the migrations up to {to} make of an empty one (- is what they make, + what is \
         there):\n{}\nmake it so, or mark them unchecked", .difference.join("\n")
    )]
    BaselineDiffers {
        /// The last migration that was to be marked.
        to: String,
        /// What has to happen to what the migrations make, to get what is there.
        difference: Vec<String>,
    },
    /// A sealed batch could not be written. What was written before it stays; ingesting again is safe.
    #[error(
        "a batch of {rows} rows for {table} was not written: {source}; run it again when that is mended, nothing is doubled"
    )]
    Batch {
        /// The table it was for.
        table: &'static str,
        /// How many rows it holds.
        rows: usize,
        /// Why the last attempt failed.
        source: Box<Error>,
    },
    /// The log has no room: more comes in than the server takes. Nothing of it was acknowledged; wait, then append again.
    #[error(
        "the log is full ({bytes} of {max_bytes} bytes wait for ClickHouse); wait until it has taken some, then append again"
    )]
    LogFull {
        /// How many bytes wait.
        bytes: u64,
        /// The most that may.
        max_bytes: u64,
    },
    /// The log's folder can't be read or written. Nothing of what was appended was acknowledged.
    #[error("cannot {doing} in the log {}: {source}", .folder.display())]
    Log {
        /// Where the log is.
        folder: std::path::PathBuf,
        /// What failed.
        doing: &'static str,
        /// The operating system's words.
        source: std::io::Error,
    },
    /// Another process has the log open.
    #[error("the log {} is in use by another process; give this one a folder of its own, or end that one", .folder.display())]
    LogLocked {
        /// Where the log is.
        folder: std::path::PathBuf,
    },
    /// An input could not be opened or read at all. (A broken entry inside an input is no error but a
    /// [`crate::Rejection`].)
    #[error("{place}: {reason}")]
    Input {
        /// The file or folder.
        place: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// There is no query of that name.
    #[error("there is no query `{name}`{}; the queries are {}", suggestion(.closest.as_deref()), .known.join(", "))]
    UnknownQuery {
        /// What was asked for.
        name: String,
        /// The name that is nearest to it, when one is near.
        closest: Option<String>,
        /// All names.
        known: Vec<&'static str>,
    },
    /// A query has no such parameter.
    #[error("query `{query}` has no parameter `{name}`{}; its parameters are {}", suggestion(.closest.as_deref()), .known.join(", "))]
    UnknownParameter {
        /// The query.
        query: &'static str,
        /// What was given.
        name: String,
        /// The parameter that is nearest to it, when one is near.
        closest: Option<String>,
        /// The query's parameters.
        known: Vec<&'static str>,
    },
    /// A parameter's value is missing or not of its type.
    #[error("parameter `{name}` of query `{query}`: expected {expected}, {found}")]
    Parameter {
        /// The query.
        query: &'static str,
        /// The parameter.
        name: &'static str,
        /// What it should be.
        expected: String,
        /// `got "…"`, or that it is missing.
        found: String,
    },
    /// Not a scope that a digest knows.
    #[error("`{given}` is not a scope; a digest is of repo:OWNER/NAME, org:OWNER or user:NAME")]
    Scope {
        /// What was given.
        given: String,
    },
    /// Not a period that a digest knows.
    #[error("`{given}` is not a period; a digest is of a day, a week, a month or all")]
    Period {
        /// What was given.
        given: String,
    },
    /// A statement of one's own does something else than ask.
    #[error(
        "a raw query asks: it begins with SELECT, WITH, EXPLAIN, SHOW, DESCRIBE or EXISTS, not with `{found}`"
    )]
    NoQuestion {
        /// Its first word.
        found: String,
    },
    /// The server knows no such time zone.
    #[error("`{given}` is not a time zone; use a name of the IANA database such as UTC or Europe/Paris")]
    TimeZone {
        /// What was given.
        given: String,
    },
}

fn suggestion(closest: Option<&str>) -> String {
    closest.map(|name| format!(" (did you mean `{name}`?)")).unwrap_or_default()
}

/// What to do about a failed statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// May pass when tried again: the network, an overloaded or restarting server.
    Transient,
    /// The table or a column is not there: migrate, then try again.
    Schema,
    /// Trying again cannot help.
    Permanent,
}

impl Error {
    /// Says whether trying again can help. Decided by ClickHouse's error number.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Unreachable { .. } | Self::LogFull { .. } | Self::Log { .. } => Class::Transient,
            Self::Server { code, .. } => match code {
                // ATTEMPT_TO_READ_AFTER_EOF, UNEXPECTED_PACKET_FROM_SERVER, DNS_ERROR, ALL_CONNECTION_TRIES_FAILED:
                // the server does not reach a shard. TIMEOUT_EXCEEDED, TOO_MANY_SIMULTANEOUS_QUERIES, SOCKET_TIMEOUT,
                // NETWORK_ERROR, ABORTED, MEMORY_LIMIT_EXCEEDED, TABLE_IS_READ_ONLY, TOO_MANY_PARTS,
                // TOO_FEW_LIVE_REPLICAS, UNKNOWN_STATUS_OF_INSERT, QUERY_WAS_CANCELLED, CANNOT_SCHEDULE_TASK,
                // KEEPER_EXCEPTION
                32 | 101 | 159 | 198 | 202 | 209 | 210 | 236 | 241 | 242 | 252 | 279 | 285 | 319 | 394
                | 439 | 999 => Class::Transient,
                // NO_SUCH_COLUMN_IN_TABLE, UNKNOWN_IDENTIFIER, UNKNOWN_TABLE, UNKNOWN_DATABASE
                16 | 47 | 60 | 81 => Class::Schema,
                _ => Class::Permanent,
            },
            Self::Batch { source, .. } | Self::Migration { source, .. } => source.class(),
            _ => Class::Permanent,
        }
    }

    /// ClickHouse's error number, where the server refused.
    #[must_use]
    pub fn code(&self) -> Option<u32> {
        match self {
            Self::Server { code, .. } => Some(*code),
            Self::Batch { source, .. } | Self::Migration { source, .. } => source.code(),
            _ => None,
        }
    }

    /// Translates an error of the driver that happened while talking to `host`.
    pub(crate) fn from_driver(host: &str, error: &clickhouse::error::Error) -> Self {
        use clickhouse::error::Error as Driver;
        let unreachable = |reason| Self::Unreachable { host: host.to_owned(), reason };
        match error {
            Driver::BadResponse(answer) => match server_refusal(answer) {
                Some((code, message)) => Self::Server { code, message },
                // Not ClickHouse's form: a proxy in between, or another server altogether.
                None => unreachable(first_line(answer)),
            },
            Driver::Network(_) => unreachable(innermost(error)),
            Driver::TimedOut => unreachable("timed out".to_owned()),
            other => Self::Answer(other.to_string()),
        }
    }
}

/// Splits `Code: 60. DB::Exception: … (UNKNOWN_TABLE) (version …)` into the number and the words.
fn server_refusal(answer: &str) -> Option<(u32, String)> {
    let rest = &answer[answer.find("Code: ")? + "Code: ".len()..];
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let code = rest[..digits].parse().ok()?;
    let words = rest[digits..].trim_start_matches('.').trim();
    let words = words.strip_prefix("DB::Exception: ").unwrap_or(words);
    let words = words.rfind(" (version ").map_or(words, |at| &words[..at]);
    Some((code, if words.is_empty() { "no explanation given".to_owned() } else { words.to_owned() }))
}

fn first_line(answer: &str) -> String {
    let line: String = answer.lines().next().unwrap_or_default().chars().take(200).collect();
    if line.is_empty() { "an empty answer".to_owned() } else { line }
}

fn innermost(error: &clickhouse::error::Error) -> String {
    let mut deepest = error.source();
    while let Some(next) = deepest.and_then(|cause| cause.source()) {
        deepest = Some(next);
    }
    deepest.map_or_else(|| error.to_string(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(answer: &str) -> Error {
        Error::from_driver("host:1", &clickhouse::error::Error::BadResponse(answer.to_owned()))
    }

    #[test]
    fn the_number_and_the_words_of_a_refusal_are_taken_apart() {
        let error = translated(
            "Code: 60. DB::Exception: Table t.x does not exist. (UNKNOWN_TABLE) (version 26.7.2.1)",
        );
        assert_eq!(
            error.to_string(),
            "ClickHouse refused (code 60): Table t.x does not exist. (UNKNOWN_TABLE)"
        );
        assert_eq!((error.code(), error.class()), (Some(60), Class::Schema));
    }

    #[test]
    fn a_bare_number_is_a_refusal_too() {
        assert_eq!(translated("Code: 252").code(), Some(252));
    }

    #[test]
    fn an_answer_of_another_server_counts_as_no_answer() {
        let error = translated("503 Service Unavailable\n<html>");
        assert_eq!(error.class(), Class::Transient);
        assert!(error.to_string().contains("503 Service Unavailable)"), "{error}");
    }
}
