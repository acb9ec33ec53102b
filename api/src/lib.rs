//! HTTP: health, metrics, events in, queries.
//!
//! | route | does |
//! |---|---|
//! | `GET /health/live` | answers while the process runs |
//! | `GET /health/ready` | 200 when requests can be taken, else 503; says of every store whether it answers, and why not |
//! | `GET /metrics` | what became of events, for Prometheus |
//! | `POST /webhooks/github`, `/webhooks/gitlab`, `/webhooks/bitbucket` | takes a delivery; there only with a secret |
//! | `POST /events` | takes events in our own form, a JSON object on each line |
//! | `POST /events/cloudevents` | takes CloudEvents 1.0: binary, structured, batched |
//! | `POST /events/browser` | takes what the browser extension sends |
//! | `POST /users/current/heartbeats`, `….bulk` | takes heartbeats of editors, as WakaTime does |
//! | `GET /queries` | the catalogue of event queries |
//! | `GET /queries/{name}?parameter=value` | runs one |
//!
//! What is taken is acknowledged with 202 once it is in the log on disk, and sent to ClickHouse when that takes it. 401
//! is for who can't prove who they are, 413 for what is larger than 25 MiB, 415 for what is packed, 503 with
//! `Retry-After` for what there is no room for now; of these nothing was taken. All but webhooks want a token
//! ([`Tokens`]), and are there only with one.
//!
//! Queries and metrics ask for no credentials: serve them on loopback, or behind a proxy that does.
//!
//! What is computed lives in `events`; this crate translates between it and HTTP.

mod error;
mod health;
mod intake;
mod metrics;
mod queries;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use chrono::{DateTime, Utc};
use events::writer::EventWriter;
use sea_orm::DatabaseConnection;

pub use intake::{Secret, Tokens};

/// What the routes work on.
pub struct State {
    /// The PostgreSQL databases by name; readiness asks each.
    pub postgres: Vec<(&'static str, DatabaseConnection)>,
    /// ClickHouse, which need not be there.
    pub events: events::Client,
    /// Where events go.
    pub writer: Arc<EventWriter>,
    /// Whose events arrive.
    pub tenant: String,
    /// What webhooks prove themselves with.
    pub webhooks: Webhooks,
    /// Who else may send events.
    pub tokens: Tokens,
    /// Whether the payloads of webhooks are kept beside their events.
    pub keeps_payloads: bool,
    /// The clock (UTC).
    pub now: fn() -> DateTime<Utc>,
}

/// What the webhooks of each provider prove themselves with. Without it there is no such route.
#[derive(Clone, Debug, Default)]
pub struct Webhooks {
    /// What GitHub signs with.
    pub github: Option<Secret>,
    /// What GitLab sends in `X-Gitlab-Token`.
    pub gitlab: Option<Secret>,
    /// What GitLab signs with. Where it is known, a delivery has to be signed.
    pub gitlab_signing: Option<Secret>,
    /// What Bitbucket signs with.
    pub bitbucket: Option<Secret>,
}

/// Every route over `state`.
pub fn router(state: State) -> Router {
    let routes = Router::new()
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/metrics", get(metrics::metrics))
        .route("/queries", get(queries::list))
        .route("/queries/{name}", get(queries::run))
        .merge(intake::routes(&state));
    routes.with_state(Arc::new(state))
}
