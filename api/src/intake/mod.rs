//! Events that come in over HTTP: verified, normalised, and acknowledged once they are in the log.
//!
//! The answer is `202` when everything that was sent is durable here, whatever ClickHouse does: events, and what is no
//! event, which becomes a dead letter. Whoever sends again, because the answer got lost, doubles nothing: an event's
//! identity is the sender's own key for it, else its content.

mod body;
mod own;
mod secret;
mod webhook;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::{Router, post};
use axum::{Extension, Json};
use events::{Intake, Normalised, Payload};
use serde::Serialize;

use crate::State;
use crate::error::Refusal;

use body::Places;
pub use secret::{Secret, Tokens};

/// The largest request that is read, in bytes: what GitHub sends at most.
const MAX_BODY_BYTES: usize = 25 * 1024 * 1024;

/// The routes of those senders that can prove who they are.
pub(crate) fn routes(state: &State) -> Router<Arc<State>> {
    let mut routes = Router::new();
    let webhooks = &state.webhooks;
    if webhooks.github.is_some() {
        routes = routes.route("/webhooks/github", post(webhook::github));
    }
    if webhooks.gitlab.is_some() || webhooks.gitlab_signing.is_some() {
        routes = routes.route("/webhooks/gitlab", post(webhook::gitlab));
    }
    if webhooks.bitbucket.is_some() {
        routes = routes.route("/webhooks/bitbucket", post(webhook::bitbucket));
    }
    if !state.tokens.is_empty() {
        routes = routes
            .route("/events", post(own::ndjson))
            .route("/events/browser", post(own::browser))
            .route("/events/cloudevents", post(own::cloudevents))
            .route("/users/current/heartbeats", post(own::heartbeat))
            .route("/users/current/heartbeats.bulk", post(own::heartbeats));
    }
    routes.layer(DefaultBodyLimit::max(MAX_BODY_BYTES)).layer(Extension(Places::default()))
}

/// What became of the events of a request.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Receipt {
    /// Inputs that are in the log now.
    logged: u64,
    /// Inputs that were left out, because a copy of theirs was taken lately.
    duplicate: u64,
    /// How many of all are no events; they are kept in `dead_letters` with the reason.
    dead: u64,
}

/// What became of a request, or why it was not taken.
type Answer = Result<(StatusCode, Json<Receipt>), Refusal>;

/// Whose events come in now.
fn intake(state: &State) -> Intake {
    Intake::new(&state.tenant, (state.now)())
}

/// Puts `items` into the log, with what they were made of where that is given.
async fn take(state: &State, items: Vec<(Normalised, Option<Payload>)>) -> Answer {
    let dead = items.iter().filter(|(item, _)| item.is_err()).count() as u64;
    let ack = state.writer.append_with_payloads(items).await?;
    let receipt = Receipt { logged: ack.logged, duplicate: ack.duplicate, dead };
    Ok((StatusCode::ACCEPTED, Json(receipt)))
}
