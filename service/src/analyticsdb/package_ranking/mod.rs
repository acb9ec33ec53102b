//! The report `package_rankings`: packages by how many others depend on them.

use chrono::{DateTime, Utc};
use entity_analyticsdb::package_ranking::{Column, Entity, Model};
use entity_analyticsdb::refresh_run;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DbBackend, EntityTrait, FromQueryResult, QueryFilter,
    QueryOrder, Statement, TransactionTrait, Value,
};
use serde::Serialize;

use super::refresh_run as history;
use crate::error::Result;
use crate::scope::AtMost as _;

/// The report's name in `refresh_runs`.
pub const REPORT: &str = "package_rankings";

/// Rows per statement while staging: seven arrays of that many values, some megabytes at most.
const CHUNK: usize = 10_000;

/// What a refresh did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Refreshed {
    /// The report was computed anew.
    Done {
        /// Packages in the report.
        ranked: u64,
        /// Rows that were inserted, updated or deleted.
        rows_changed: u64,
    },
    /// ardb holds nothing that the report does not cover, so nothing was computed.
    NothingNew,
}

#[derive(FromQueryResult)]
struct Ranked {
    ecosystem: String,
    namespace: String,
    name: String,
    ardb_package_id: Option<i64>,
    rank: i32,
    dependents_count: i64,
    dependent_versions_count: i64,
}

/// Computes the report from `ardb` into `analyticsdb`, if a document was imported into `ardb` since the
/// last refresh that ended well. `now` is recorded as the start.
///
/// The two databases share no transaction: the report is as of the moment of its one query in `ardb`,
/// and becomes visible in `analyticsdb` as a whole. An import that was under way during the refresh may
/// be covered by the next one only: the one after the import that follows it.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if a statement fails; once the run has been recorded, the
/// error is recorded with it.
pub async fn refresh(
    ardb: &DatabaseConnection,
    analyticsdb: &DatabaseConnection,
    now: DateTime<Utc>,
) -> Result<Refreshed> {
    let Some(newest) = newest_change(ardb).await? else { return Ok(Refreshed::NothingNew) };
    let last = history::last_success(analyticsdb, REPORT).await?;
    if last.and_then(|run| run.watermark).is_some_and(|watermark| watermark >= newest) {
        return Ok(Refreshed::NothingNew);
    }
    let run = history::start(analyticsdb, REPORT, now).await?;
    let done = compute(ardb, analyticsdb, &run, newest).await;
    if let Err(error) = &done {
        history::fail(analyticsdb, &run, &error.to_string()).await?;
    }
    done
}

/// The first `limit` live rows, most depended on first; where the rank is equal, by name.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if the query does not run.
pub async fn top(db: &impl ConnectionTrait, ecosystem: &str, limit: u64) -> Result<Vec<Model>> {
    let live = Entity::find().filter(Column::Ecosystem.eq(ecosystem)).filter(Column::DeletedAt.is_null());
    let ordered = live.order_by_asc(Column::Rank).order_by_asc(Column::Namespace).order_by_asc(Column::Name);
    Ok(ordered.at_most(limit).all(db).await?)
}

/// When a document was last imported into `ardb`; `None` when none ever was.
async fn newest_change(ardb: &impl ConnectionTrait) -> Result<Option<DateTime<Utc>>> {
    let select =
        Statement::from_string(DbBackend::Postgres, "select max(updated_at) as newest from source_documents");
    let row = ardb.query_one_raw(select).await?;
    Ok(row.map(|row| row.try_get("", "newest")).transpose()?.flatten())
}

async fn compute(
    ardb: &DatabaseConnection,
    analyticsdb: &DatabaseConnection,
    run: &refresh_run::Model,
    watermark: DateTime<Utc>,
) -> Result<Refreshed> {
    let select = Statement::from_string(DbBackend::Postgres, include_str!("compute.sql"));
    let rows = Ranked::find_by_statement(select).all(ardb).await?;
    let txn = analyticsdb.begin().await?;
    // Two refreshes at once would otherwise delete what the other has just ranked.
    txn.execute_unprepared(
        "select pg_advisory_xact_lock(hashtextextended('refresh of package_rankings', 0))",
    )
    .await?;
    txn.execute_unprepared(
        "create temporary table staged_package_rankings on commit drop as \
         select ecosystem, namespace, name, ardb_package_id, rank, dependents_count, dependent_versions_count \
         from package_rankings with no data",
    )
    .await?;
    for chunk in rows.chunks(CHUNK) {
        txn.execute_raw(staging(chunk)).await?;
    }
    let run_id: Value = run.id.into();
    let merge =
        Statement::from_sql_and_values(DbBackend::Postgres, include_str!("merge.sql"), [run_id.clone()]);
    let merged = txn.execute_raw(merge).await?.rows_affected();
    let delete = "update package_rankings kept set deleted_at = now(), refresh_run_id = $1 \
                  where deleted_at is null and not exists (select from staged_package_rankings staged \
                  where (staged.ecosystem, staged.namespace, staged.name) = (kept.ecosystem, kept.namespace, kept.name))";
    let delete = Statement::from_sql_and_values(DbBackend::Postgres, delete, [run_id]);
    let rows_changed = merged + txn.execute_raw(delete).await?.rows_affected();
    history::succeed(&txn, run, watermark, rows_changed).await?;
    txn.commit().await?;
    Ok(Refreshed::Done { ranked: rows.len() as u64, rows_changed })
}

/// One `insert … select from unnest`, which takes any number of rows with seven parameters.
fn staging(rows: &[Ranked]) -> Statement {
    fn column<T: Into<Value>>(rows: &[Ranked], of: impl Fn(&Ranked) -> T) -> Vec<T> {
        rows.iter().map(of).collect()
    }
    let values: [Value; 7] = [
        column(rows, |row| row.ecosystem.clone()).into(),
        column(rows, |row| row.namespace.clone()).into(),
        column(rows, |row| row.name.clone()).into(),
        column(rows, |row| row.ardb_package_id.unwrap_or(0)).into(),
        column(rows, |row| row.rank).into(),
        column(rows, |row| row.dependents_count).into(),
        column(rows, |row| row.dependent_versions_count).into(),
    ];
    let insert = "insert into staged_package_rankings \
                  select ecosystem, namespace, name, nullif(package_id, 0), rank, dependents, versions \
                  from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::integer[], $6::bigint[], $7::bigint[]) \
                  as row (ecosystem, namespace, name, package_id, rank, dependents, versions)";
    Statement::from_sql_and_values(DbBackend::Postgres, insert, values)
}
