//! Webhooks of Git providers. What they send is kept beside the event, where the service is told to.

use std::sync::Arc;

use axum::extract::State as Extract;
use axum::http::{HeaderMap, StatusCode};
use events::source::{bitbucket, github, gitlab};
use events::{Normalised, Payload};

use super::body::Body;
use super::{Answer, Secret, intake, take};
use crate::State;
use crate::error::Refusal;

/// `POST /webhooks/github`, as GitHub's documentation of webhooks has it.
pub(super) async fn github(
    Extract(state): Extract<Arc<State>>,
    headers: HeaderMap,
    Body { bytes: body, .. }: Body,
) -> Answer {
    verify(state.webhooks.github.as_ref(), &headers, "X-Hub-Signature-256", &body)?;
    let name = needed(&headers, "X-GitHub-Event")?;
    let event = github::event(&intake(&state), name, header(&headers, "x-github-delivery"), &body);
    take_one(&state, event, &body).await
}

/// `POST /webhooks/gitlab`: signed as [Standard Webhooks](https://www.standardwebhooks.com) are where a signing token is
/// known, else with the secret in `X-Gitlab-Token`.
///
/// How old a signed delivery is does not matter: its id is signed, and one that comes again is the same event.
pub(super) async fn gitlab(
    Extract(state): Extract<Arc<State>>,
    headers: HeaderMap,
    Body { bytes: body, .. }: Body,
) -> Answer {
    let delivery = if let Some(secret) = &state.webhooks.gitlab_signing {
        let of = |name| header(&headers, name).unwrap_or_default();
        let (id, timestamp) = (of("webhook-id"), of("webhook-timestamp"));
        if !secret.signed_message(id, timestamp, &body, of("webhook-signature")) {
            return Err(unsigned("webhook-signature is not of this delivery and our signing token"));
        }
        Some(id)
    } else {
        let token = headers.get("x-gitlab-token").map(|token| token.as_bytes()).unwrap_or_default();
        if !state.webhooks.gitlab.as_ref().is_some_and(|secret| secret.is(token)) {
            return Err(unsigned("X-Gitlab-Token is not our secret"));
        }
        header(&headers, "idempotency-key").or_else(|| header(&headers, "webhook-id"))
    };
    let event = gitlab::event(&intake(&state), delivery.filter(|id| !id.is_empty()), &body);
    take_one(&state, event, &body).await
}

/// `POST /webhooks/bitbucket`, of Cloud and of Data Center.
pub(super) async fn bitbucket(
    Extract(state): Extract<Arc<State>>,
    headers: HeaderMap,
    Body { bytes: body, .. }: Body,
) -> Answer {
    verify(state.webhooks.bitbucket.as_ref(), &headers, "X-Hub-Signature", &body)?;
    let key = needed(&headers, "X-Event-Key")?;
    let delivery = header(&headers, "x-request-uuid").or_else(|| header(&headers, "x-request-id"));
    let event = bitbucket::event(&intake(&state), key, delivery, &body);
    take_one(&state, event, &body).await
}

async fn take_one(state: &State, event: Normalised, body: &[u8]) -> Answer {
    let payload = event.as_ref().ok().filter(|_| state.keeps_payloads);
    let payload = payload.map(|event| Payload::of(event, body));
    take(state, vec![(event, payload)]).await
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn needed<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a str, Refusal> {
    header(headers, name).ok_or_else(|| Refusal::new(StatusCode::BAD_REQUEST, format!("{name} is missing")))
}

/// Refuses a `body` that header `name` does not sign with `secret`.
fn verify(secret: Option<&Secret>, headers: &HeaderMap, name: &str, body: &[u8]) -> Result<(), Refusal> {
    let signature = header(headers, name).unwrap_or_default();
    match secret {
        Some(secret) if secret.signed(body, signature) => Ok(()),
        _ => Err(unsigned(format!("{name} is not of this body and our secret"))),
    }
}

fn unsigned(reason: impl Into<String>) -> Refusal {
    Refusal::new(StatusCode::UNAUTHORIZED, reason)
}
