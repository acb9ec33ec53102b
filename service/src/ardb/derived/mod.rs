//! Tables that follow from others: what each should hold, and bringing it there.
//!
//! | table | follows from | kept by |
//! |---|---|---|
//! | `latest_versions` | `versions` | triggers, in the transaction of the change |
//! | `dependents` | `dependencies` | triggers, in the transaction of the change |
//! | `advisory_matches` | `versions`, `advisories` and what these affect | every import, at its end |
//! | `package_search_entries` | `packages`, their keywords and downloads | triggers; popularity and downloads every import, at its end |
//!
//! [`verify`] computes each anew and compares; [`repair`] writes what differs. They are for who has written to the
//! database around the triggers (a restore with triggers off, a repair by hand), and for peace of mind.

mod statement;

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, FromQueryResult, Statement,
    sqlx::{self, AssertSqlSafe, PgConnection},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Result, ardb::import::Rows};

/// How many differing rows of a table [`verify`] shows.
pub const MAX_EXAMPLES: usize = 5;

/// A table that follows from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    name: &'static str,
    key: &'static [&'static str],
    /// The other columns that follow.
    values: &'static [&'static str],
    /// Whether `updated_at` says when one of the values changed.
    has_updated_at: bool,
    /// A select of keys and values, by name.
    expected: &'static str,
}

impl Table {
    /// The table's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

const ADVISORY_MATCHES: Table = Table {
    name: "advisory_matches",
    key: &["advisory_id", "version_id"],
    values: &["affected_package_id", "fixed", "is_by_range", "is_by_enumeration"],
    has_updated_at: false,
    expected: include_str!("advisory_matches.sql"),
};

const LATEST_VERSIONS: Table = Table {
    name: "latest_versions",
    key: &["package_id"],
    values: &["newest_version_id", "newest_stable_version_id", "versions_count"],
    has_updated_at: true,
    expected: include_str!("latest_versions.sql"),
};

const DEPENDENTS: Table = Table {
    name: "dependents",
    key: &["package_id", "dependent_package_id"],
    values: &["dependencies_count"],
    has_updated_at: false,
    expected: include_str!("dependents.sql"),
};

/// Every derived table, those before that others follow from.
pub const TABLES: [Table; 4] = [
    LATEST_VERSIONS,
    DEPENDENTS,
    ADVISORY_MATCHES,
    Table {
        name: "package_search_entries",
        key: &["package_id"],
        values: &["name", "document", "popularity", "downloads"],
        has_updated_at: false,
        expected: include_str!("package_search_entries.sql"),
    },
];

/// How a table compares with what it should hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// The table.
    pub table: &'static str,
    /// Rows that should be there and are not.
    pub missing: u64,
    /// Rows that should not be there.
    pub superfluous: u64,
    /// Rows with other values than they should have.
    pub different: u64,
    /// The first [`MAX_EXAMPLES`] of all those, by key.
    pub examples: Vec<Example>,
}

impl Verified {
    /// Whether the table holds exactly what it should.
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.missing + self.superfluous + self.different == 0
    }
}

/// A row that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// The row that should be there, by column; `None`: none should.
    pub expected: Option<Value>,
    /// The row that is there; `None`: none is.
    pub found: Option<Value>,
}

/// Compares every derived table with what it should hold, a statement each.
///
/// What is written meanwhile is seen wholly or not at all, so a difference is one. Takes as long as reading all
/// versions and dependencies does.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if a statement does not run.
pub async fn verify(db: &impl ConnectionTrait) -> Result<Vec<Verified>> {
    #[derive(FromQueryResult)]
    struct Row {
        missing: i64,
        superfluous: i64,
        different: i64,
        examples: Value,
    }
    let mut verified = Vec::new();
    for table in &TABLES {
        let select = Statement::from_string(DbBackend::Postgres, statement::compare(table));
        let rows = Row::find_by_statement(select).all(db).await?;
        for Row { missing, superfluous, different, examples } in rows {
            verified.push(Verified {
                table: table.name,
                missing: missing.unsigned_abs(),
                superfluous: superfluous.unsigned_abs(),
                different: different.unsigned_abs(),
                examples: serde_json::from_value(examples).expect("the statement makes examples"),
            });
        }
    }
    Ok(verified)
}

/// Writes what differs in `table`, and nothing else; how many rows that were.
///
/// In one transaction, which keeps writers of the table and the triggers that write it waiting, and its readers not.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if a statement fails; then the table is as it was.
pub async fn repair(db: &DatabaseConnection, table: &Table) -> Result<Rows> {
    let mut transaction = db.get_postgres_connection_pool().begin().await?;
    let rows = rebuild(&mut transaction, table).await?;
    transaction.commit().await?;
    Ok(rows)
}

/// Brings what imports keep up to date, in the transaction that `connection` is in; the rows of `advisory_matches`
/// that changed.
pub(super) async fn refresh(connection: &mut PgConnection) -> Result<(&'static str, Rows)> {
    let rows = rebuild(connection, &ADVISORY_MATCHES).await?;
    // After the lock that the line above took, so one at a time.
    sqlx::query(include_str!("popularity.sql")).execute(connection).await?;
    Ok((ADVISORY_MATCHES.name, rows))
}

/// Brings what triggers on versions and dependencies keep up to date where they did not fire, in the transaction that
/// `connection` is in.
pub(super) async fn rebuild_of_versions(connection: &mut PgConnection) -> Result<()> {
    for table in [&LATEST_VERSIONS, &DEPENDENTS] {
        rebuild(connection, table).await?;
    }
    Ok(())
}

async fn rebuild(connection: &mut PgConnection, table: &Table) -> Result<Rows> {
    let lock = format!("lock table {} in share row exclusive mode", table.name);
    sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut *connection).await?;
    // A snapshot of its own, taken after the lock, so it sees what those wrote that were waited for.
    let write = AssertSqlSafe(statement::rebuild(table));
    let (inserted, updated, deleted): (i64, i64, i64) = sqlx::query_as(write).fetch_one(connection).await?;
    let [inserted, updated, deleted] = [inserted, updated, deleted].map(i64::unsigned_abs);
    Ok(Rows { inserted, updated, deleted })
}
