//! Senders with a token: editors, the browser extension, CloudEvents, and our own form.

use std::sync::Arc;

use axum::Json;
use axum::extract::State as Extract;
use axum::http::{HeaderMap, StatusCode};
use events::source::{browser, cloudevents, heartbeats as source, ndjson as lines};
use events::{Intake, Normalised};
use serde_json::{Value, json};

use super::body::Body;
use super::{Answer, intake, take};
use crate::State;
use crate::error::Refusal;

/// `POST /events`: a JSON object on each line, or a list of them.
pub(super) async fn ndjson(
    Extract(state): Extract<Arc<State>>,
    headers: HeaderMap,
    Body { bytes, .. }: Body,
) -> Answer {
    let (intake, _) = sender(&state, &headers)?;
    take_all(&state, lines::lines(intake, "request", std::io::Cursor::new(bytes)).collect()).await
}

/// `POST /events/browser`: what the browser extension sends.
pub(super) async fn browser(
    Extract(state): Extract<Arc<State>>,
    headers: HeaderMap,
    Body { bytes, .. }: Body,
) -> Answer {
    let (intake, actor) = sender(&state, &headers)?;
    take_all(&state, browser::events(&intake, actor, &bytes)).await
}

/// `POST /events/cloudevents`: CloudEvents 1.0 in the binary, the structured or the batched mode.
pub(super) async fn cloudevents(
    Extract(state): Extract<Arc<State>>,
    headers: HeaderMap,
    Body { bytes, .. }: Body,
) -> Answer {
    let (intake, _) = sender(&state, &headers)?;
    let named = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    take_all(&state, cloudevents::request(&intake, named, &bytes)).await
}

/// `POST /users/current/heartbeats`, as WakaTime has it: one heartbeat.
pub(super) async fn heartbeat(
    state: Extract<Arc<State>>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let (_, answers) = answers(state, headers, body).await?;
    let (status, answer) = answers.into_iter().next().unwrap_or_else(|| taken(None));
    Ok((status, Json(answer)))
}

/// `POST /users/current/heartbeats.bulk`, as WakaTime has it: a list, and a list of an answer and a status each.
pub(super) async fn heartbeats(
    state: Extract<Arc<State>>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let (status, answers) = answers(state, headers, body).await?;
    let answers: Vec<Value> =
        answers.into_iter().map(|(status, answer)| json!([answer, status.as_u16()])).collect();
    Ok((status, Json(json!({ "responses": answers }))))
}

/// Takes heartbeats, and says of each what became of it.
async fn answers(
    Extract(state): Extract<Arc<State>>,
    headers: HeaderMap,
    Body { bytes, .. }: Body,
) -> Result<(StatusCode, Vec<(StatusCode, Value)>), Refusal> {
    let (intake, actor) = sender(&state, &headers)?;
    let items = source::events(&intake, actor, &bytes);
    let answers = items.iter().map(|item| taken(Some(item))).collect();
    let _ = take_all(&state, items).await?;
    Ok((StatusCode::ACCEPTED, answers))
}

fn taken(item: Option<&Normalised>) -> (StatusCode, Value) {
    match item {
        Some(Err(rejection)) => (StatusCode::BAD_REQUEST, json!({ "error": rejection.reason })),
        Some(Ok(_)) => (StatusCode::CREATED, json!({ "data": null })),
        None => (StatusCode::ACCEPTED, json!({ "data": null })),
    }
}

async fn take_all(state: &State, items: Vec<Normalised>) -> Answer {
    take(state, items.into_iter().map(|item| (item, None)).collect()).await
}

/// Whose events come in now, and who sends them.
fn sender<'a>(state: &'a State, headers: &HeaderMap) -> Result<(Intake, &'a str), Refusal> {
    let refused = || Refusal::new(StatusCode::UNAUTHORIZED, "Authorization has no token of ours");
    let actor = state.tokens.actor(headers).ok_or_else(refused)?;
    Ok((intake(state), actor))
}
