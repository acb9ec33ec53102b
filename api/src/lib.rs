//! HTTP: health, webhooks, queries.
//!
//! | route | does |
//! |---|---|
//! | `GET /health/live` | answers while the process runs |
//! | `GET /health/ready` | 200 when every store answers and nothing is pending, else 503; says which and why |
//! | `POST /webhooks/github` | verifies the signature and writes the event; there only with a secret |
//! | `GET /queries` | the catalogue of event queries |
//! | `GET /queries/{name}?parameter=value` | runs one |
//!
//! Queries ask for no credentials: serve them on loopback, or behind a proxy that does.
//!
//! What is computed lives in `events`; this crate translates between it and HTTP.

mod error;
mod health;
mod queries;
mod webhook;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use chrono::{DateTime, Utc};
use sea_orm::DatabaseConnection;

pub use webhook::Secret;

/// The largest webhook that is read, in bytes: what GitHub itself sends at most.
const MAX_WEBHOOK_BYTES: usize = 25 * 1024 * 1024;

/// What the routes work on.
pub struct State {
    /// The PostgreSQL databases by name; readiness asks each.
    pub postgres: Vec<(&'static str, DatabaseConnection)>,
    /// ClickHouse.
    pub events: events::Client,
    /// Whose events arrive at the webhooks.
    pub tenant: String,
    /// What GitHub signs webhooks with; without it there is no such route.
    pub github_secret: Option<Secret>,
    /// The clock (UTC).
    pub now: fn() -> DateTime<Utc>,
}

/// Every route over `state`.
pub fn router(state: State) -> Router {
    let mut routes = Router::new()
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/queries", get(queries::list))
        .route("/queries/{name}", get(queries::run));
    if state.github_secret.is_some() {
        routes = routes
            .route("/webhooks/github", post(webhook::github).layer(DefaultBodyLimit::max(MAX_WEBHOOK_BYTES)));
    }
    routes.with_state(Arc::new(state))
}
