//! GitHub webhooks: one payload, one event.
//!
//! [`event`] normalises one delivery as it comes over HTTP; [`read`] does so for a folder or a zip of stored
//! payloads. Every event name is taken, also one that GitHub will only invent: nothing here lists them. What
//! is particular about some (which time field tells when it happened, which object it is about) stands in
//! tables in `fields`.

pub(super) mod fields;
mod files;

use super::draft::{Draft, Input, place_of};
use super::json;
use crate::envelope::{EventId, Intake, Normalised, canonical_json, limit};

pub use super::documents::{MAX_ENTRY_BYTES, MAX_TOTAL_BYTES};
pub use files::{Payloads, read};

/// The `source` of these events.
pub const SOURCE: &str = "github";

/// Normalises one webhook delivery.
///
/// - `event_name` is the header `X-GitHub-Event`, for example `pull_request`.
/// - `delivery` is the header `X-GitHub-Delivery`. Where it is known, it is the event's identity: GitHub
///   repeats it when it redelivers. Where it is not, the identity is the event name with the canonical
///   content, so that neither key order nor white space matters.
/// - `body` is the request's body as it came: JSON in UTF-8. Verify its signature first.
///
/// The kind is the event name and the payload's `action` (`pull_request.opened`, `push`); the actor is
/// `sender.login`, else the pusher, else the author of the comment or review; the repository is
/// `repository.full_name`. What a payload does not say is empty.
///
/// # Errors
///
/// A [`crate::Rejection`] if the event name is no name, the body no JSON object, or its time out of range.
pub fn event(intake: &Intake, event_name: &str, delivery: Option<&str>, body: &[u8]) -> Normalised {
    let place = place_of(delivery, event_name);
    normalise(intake, &place, event_name, delivery, body)
}

fn normalise(
    intake: &Intake,
    place: &str,
    event_name: &str,
    delivery: Option<&str>,
    body: &[u8],
) -> Normalised {
    let input = Input { place, raw: body };
    let reject = |reason: &str| input.reject(intake, SOURCE, reason);
    if !is_event_name(event_name) {
        return Err(reject(&format!(
            "`{event_name}` is not the name of a GitHub event: expected letters, digits and `_`, such as pull_request"
        )));
    }
    let payload = json::object(body).map_err(|reason| reject(&reason))?;
    let event_id = match delivery {
        Some(id) => EventId::of(&intake.tenant, SOURCE, &[b"delivery", id.as_bytes()]),
        None => {
            let content = canonical_json(&payload);
            EventId::of(&intake.tenant, SOURCE, &[b"content", event_name.as_bytes(), &content])
        }
    };
    let mut attributes = fields::attributes(event_name, &payload);
    if let Some(id) = delivery {
        attributes.set("delivery", id);
    }
    let draft = Draft {
        kind: event_name,
        action: json::text(&payload, "action"),
        repository: json::text(&payload, "repository/full_name"),
        actor: fields::actor(&payload),
        occurred_at: fields::occurred_at(event_name, &payload),
        subject: &fields::subject(event_name, &payload),
        title: fields::title(event_name, &payload),
        url: fields::url(event_name, &payload),
        attributes,
    };
    draft.finish(intake, SOURCE, event_id, &input)
}

fn is_event_name(name: &str) -> bool {
    name.len() <= limit::KIND / 2
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests;
