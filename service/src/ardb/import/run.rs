//! What every importer begins and ends with: the record of the run, written when it begins, so that one that is killed
//! is in it, and when it ends; and the links of what came.

use std::path::Path;

use chrono::{DateTime, Utc};
use entity_ardb::DocumentKind;
use sea_orm::{
    ActiveEnum as _, DatabaseConnection,
    sqlx::{self, types::Json},
};

use super::{Rejection, Report, link};
use crate::Result;

/// A run that has begun.
pub(super) struct Run<'a> {
    db: &'a DatabaseConnection,
    kind: DocumentKind,
    id: i64,
}

impl<'a> Run<'a> {
    pub(super) async fn start(
        db: &'a DatabaseConnection,
        kind: DocumentKind,
        source: &Path,
        now: DateTime<Utc>,
    ) -> Result<Self> {
        let insert =
            "insert into import_runs (importer, source, started_at) values ($1, $2, $3) returning id";
        let started =
            sqlx::query_scalar(insert).bind(kind.to_value()).bind(storable(&source.to_string_lossy()));
        let id = started.bind(now).fetch_one(db.get_postgres_connection_pool()).await?;
        Ok(Self { db, kind, id })
    }

    pub(super) async fn reject(&self, rejections: &[Rejection]) -> Result<()> {
        if rejections.is_empty() {
            return Ok(());
        }
        let insert = "
            insert into import_errors (import_run_id, place, reason)
            select $1, place, reason
            from unnest($2::text[], $3::text[]) with ordinality as rejected (place, reason, position)
            order by position";
        sqlx::query(insert)
            .bind(self.id)
            .bind(rejections.iter().map(|rejection| storable(&rejection.place)).collect::<Vec<_>>())
            .bind(rejections.iter().map(|rejection| storable(&rejection.reason)).collect::<Vec<_>>())
            .execute(self.db.get_postgres_connection_pool())
            .await?;
        Ok(())
    }

    /// Links what was loaded, writes down how the run ended, and hands that on. The time that it took is the server's.
    pub(super) async fn finish(self, loaded: Result<Report>) -> Result<Report> {
        let ended = match loaded {
            Ok(mut report) => link::link(self.db, self.kind, &mut report).await.map(|()| report),
            Err(error) => Err(error),
        };
        let update = "
            update import_runs
            set finished_at = started_at + (clock_timestamp() - created_at), outcome = $2, error = $3, counts = $4
            where id = $1";
        let (outcome, error, counts) = match &ended {
            Ok(report) => ("done", None, report.counts()),
            Err(error) => ("failed", Some(storable(&error.to_string())), serde_json::json!({})),
        };
        let finished = sqlx::query(update).bind(self.id).bind(outcome).bind(error).bind(Json(counts));
        let finished = finished.execute(self.db.get_postgres_connection_pool()).await;
        let report = ended?;
        finished?;
        Ok(report)
    }
}

/// PostgreSQL's text can't hold a NUL, which a name in an archive can.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
