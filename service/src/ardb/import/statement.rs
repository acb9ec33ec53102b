//! The statements that every merge needs: counted upserts, and the documents themselves.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity_ardb::DocumentKind;
use sea_orm::{
    ActiveEnum as _,
    sqlx::{self, PgConnection, Postgres, query::Query},
};

use super::{
    pipeline::{Document, Tally},
    report::Rows,
};
use crate::Result;

/// Runs an `insert … on conflict do update … returning xmax = 0 as is_new` and counts its two outcomes.
///
/// A row version that the statement itself inserted has no locker or deleter (xmax); one that it updated was locked
/// by it first.
macro_rules! upsert {
    ($insert:expr) => {
        concat!(
            "with merged as (",
            $insert,
            " returning (xmax = 0) as is_new)
             select count(*) filter (where is_new), count(*) filter (where not is_new) from merged"
        )
    };
}
pub(super) use upsert;

/// Runs a query that [`upsert!`] made.
pub(super) async fn upserted(
    connection: &mut PgConnection,
    query: sqlx::query::QueryAs<'_, Postgres, (i64, i64), sqlx::postgres::PgArguments>,
) -> Result<Rows> {
    let (inserted, updated) = query.fetch_one(connection).await?;
    Ok(Rows { inserted: inserted.unsigned_abs(), updated: updated.unsigned_abs(), deleted: 0 })
}

/// Runs an update that sets `deleted_at`.
pub(super) async fn deleted(
    connection: &mut PgConnection,
    query: Query<'_, Postgres, sqlx::postgres::PgArguments>,
) -> Result<Rows> {
    let deleted = query.execute(connection).await?.rows_affected();
    Ok(Rows { deleted, ..Rows::default() })
}

/// Records `batch` in `source_documents` and starts its tally. `imported_at` moves only where the content did.
pub(super) async fn documents<P>(
    connection: &mut PgConnection,
    kind: DocumentKind,
    batch: &[&Document<P>],
    now: DateTime<Utc>,
) -> Result<Tally> {
    let written: Vec<(String, bool)> = sqlx::query_as(
        "insert into source_documents as kept (kind, locator, sha256, size_bytes, imported_at)
         select $1, staged.locator, staged.sha256, staged.size_bytes, $5
         from unnest($2::text[], $3::bytea[], $4::bigint[]) as staged (locator, sha256, size_bytes)
         order by staged.locator
         on conflict (kind, locator) do update
         set sha256 = excluded.sha256, size_bytes = excluded.size_bytes, imported_at = excluded.imported_at, deleted_at = null
         where kept.sha256 <> excluded.sha256 or kept.deleted_at is not null
         returning locator, xmax = 0",
    )
    .bind(kind.to_value())
    .bind(batch.iter().map(|document| document.locator.as_str()).collect::<Vec<_>>())
    .bind(batch.iter().map(|document| document.sha256.as_slice()).collect::<Vec<_>>())
    .bind(batch.iter().map(|document| i64::try_from(document.size_bytes).unwrap_or(i64::MAX)).collect::<Vec<_>>())
    .bind(now)
    .fetch_all(connection)
    .await?;
    let written: HashMap<String, bool> = written.into_iter().collect();
    let new = written.values().filter(|is_new| **is_new).count() as u64;
    let changed = written.len() as u64 - new;
    let unchanged = batch.len() as u64 - new - changed;
    let rows = vec![("source_documents", Rows { inserted: new, updated: changed, deleted: 0 })];
    Ok(Tally { new, changed, unchanged, outdated: 0, rows })
}
