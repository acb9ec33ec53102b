//! Whether the process runs, and whether it should be sent requests.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State as Extract;
use axum::http::StatusCode;
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
    stores.push(store("events", clickhouse(&state.events)).await);
    let ready = stores.iter().all(|store| store.ready);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready, stores }))
}

async fn store(name: &'static str, check: impl Future<Output = Result<(), String>>) -> Store {
    let late = || Err(format!("no answer within {} s", PATIENCE.as_secs()));
    let reason = tokio::time::timeout(PATIENCE, check).await.unwrap_or_else(|_| late()).err();
    Store { name, ready: reason.is_none(), reason }
}

async fn postgres(name: &str, db: &DatabaseConnection) -> Result<(), String> {
    let runner = migration::runner(name).ok_or_else(|| format!("{name} has no migrations"))?;
    let status = runner.status(db).await.map_err(|error| error.to_string())?;
    if status.is_pending() { Err("migrations are pending".to_owned()) } else { Ok(()) }
}

async fn clickhouse(client: &events::Client) -> Result<(), String> {
    let status = events::migration::status(client).await.map_err(|error| error.to_string())?;
    if status.pending() > 0 { Err("migrations are pending".to_owned()) } else { Ok(()) }
}
