//! Whether the process runs, and whether it should be sent requests.
//!
//! It should while it can take events, which needs room in the log and not ClickHouse: that ClickHouse does not answer
//! is told and makes nobody send the events elsewhere.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State as Extract;
use axum::http::StatusCode;
use events::Class;
use events::writer::Metrics;
use sea_orm::DatabaseConnection;
use serde::Serialize;

use crate::State;

/// A store that has not answered by then is not ready. Probes come every few seconds.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Serialize)]
pub(crate) struct Readiness {
    ready: bool,
    stores: Vec<Store>,
}

#[derive(Serialize)]
struct Store {
    name: &'static str,
    ready: bool,
    /// Why it is not ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

pub(crate) async fn live() -> &'static str {
    "live\n"
}

pub(crate) async fn ready(Extract(state): Extract<Arc<State>>) -> (StatusCode, Json<Readiness>) {
    let mut stores = Vec::new();
    for (name, db) in &state.postgres {
        stores.push(store(name, postgres(name, db)).await);
    }
    stores.push(log(&state.writer.metrics(Instant::now())));
    let (events, is_away) = clickhouse(&state.events).await;
    let ready = stores.iter().all(|store| store.ready) && (events.ready || is_away);
    stores.push(events);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready, stores }))
}

/// Full is what has less than a sixteenth left.
fn log(metrics: &Metrics) -> Store {
    let left = metrics.log_max_bytes.saturating_sub(metrics.log_bytes);
    let is_full = left < metrics.log_max_bytes / 16;
    let reason = is_full.then(|| format!("the log is full: {left} bytes are left"));
    Store { name: "log", ready: !is_full, reason }
}

async fn store(name: &'static str, check: impl Future<Output = Result<(), String>>) -> Store {
    let reason = tokio::time::timeout(PATIENCE, check).await.unwrap_or_else(|_| Err(late())).err();
    Store { name, ready: reason.is_none(), reason }
}

fn late() -> String {
    format!("no answer within {} s", PATIENCE.as_secs())
}

async fn postgres(name: &str, db: &DatabaseConnection) -> Result<(), String> {
    let runner = migration::runner(name).ok_or_else(|| format!("{name} has no migrations"))?;
    let status = runner.status(db).await.map_err(|error| error.to_string())?;
    if status.is_pending() { Err("migrations are pending".to_owned()) } else { Ok(()) }
}

/// Also whether it is away, for which the log is there.
async fn clickhouse(client: &events::Client) -> (Store, bool) {
    let asked = tokio::time::timeout(PATIENCE, events::migration::status(client)).await;
    let (reason, is_away) = match asked {
        Ok(Ok(status)) if status.pending() == 0 => (None, false),
        Ok(Ok(_)) => (Some("migrations are pending".to_owned()), false),
        Ok(Err(error)) => (Some(error.to_string()), error.class() == Class::Transient),
        Err(_) => (Some(late()), true),
    };
    (Store { name: "events", ready: reason.is_none(), reason }, is_away)
}
