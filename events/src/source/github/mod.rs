//! GitHub webhooks: one payload, one event.
//!
//! [`event`] normalises one delivery as it comes over HTTP; [`read`] does so for a folder or a zip of stored
//! payloads. Every event name is taken, also one that GitHub will only invent: nothing here lists them. What
//! is particular about some (which time field tells when it happened, which object it is about) stands in
//! tables in `fields`.

mod fields;
mod files;

use serde_json::Value;

use crate::envelope::{
    Event, EventId, Intake, Normalised, Rejection, canonical_json, clean_line, limit, line, time,
};

pub use files::{MAX_ENTRY_BYTES, MAX_TOTAL_BYTES, Payloads, read};

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
/// A [`Rejection`] if the event name is no name, the body no JSON object, or its time out of range.
pub fn event(intake: &Intake, event_name: &str, delivery: Option<&str>, body: &[u8]) -> Normalised {
    let place = delivery.map_or_else(|| event_name.to_owned(), |id| format!("delivery {id}"));
    normalise(intake, &place, event_name, delivery, body)
}

fn normalise(
    intake: &Intake,
    place: &str,
    event_name: &str,
    delivery: Option<&str>,
    body: &[u8],
) -> Normalised {
    let reject = |reason: &str| Rejection::new(intake, SOURCE, place, reason, body);
    if !is_event_name(event_name) {
        return Err(reject(&format!(
            "`{event_name}` is not the name of a GitHub event: expected letters, digits and `_`, such as pull_request"
        )));
    }
    let payload: Value =
        serde_json::from_slice(body).map_err(|error| reject(&format!("not JSON: {error}")))?;
    if !payload.is_object() {
        return Err(reject("expected a JSON object"));
    }

    let event_id = match delivery {
        Some(id) => EventId::of(&intake.tenant, SOURCE, &[b"delivery", id.as_bytes()]),
        None => {
            let content = canonical_json(&payload);
            EventId::of(&intake.tenant, SOURCE, &[b"content", event_name.as_bytes(), &content])
        }
    };
    let occurred_at = match fields::occurred_at(event_name, &payload) {
        time::Reading::Time(at) => at,
        time::Reading::NotATime => time::UNKNOWN,
        time::Reading::OutOfRange => {
            let mut rejection =
                reject("its time is out of range: expected one from 1900-01-01 to before 2299-12-31");
            rejection.event_id = Some(event_id);
            return Err(rejection);
        }
    };

    let action = clean_line(fields::text(&payload, "action"), limit::KIND / 2);
    let event_kind = clean_line(event_name, limit::KIND / 2);
    let kind = if action.is_empty() { event_kind } else { format!("{event_kind}.{action}") };
    let mut attributes = fields::attributes(event_name, &payload);
    if let Some(id) = delivery {
        attributes.set("delivery", id);
    }
    Ok(Event {
        tenant: intake.tenant.clone(),
        event_id,
        source: SOURCE.to_owned(),
        kind: line(&kind, limit::KIND),
        action,
        repository: clean_line(fields::text(&payload, "repository/full_name"), limit::REFERENCE),
        actor: clean_line(fields::actor(&payload), limit::REFERENCE),
        occurred_at,
        received_at: intake.received_at,
        subject: clean_line(&fields::subject(event_name, &payload), limit::REFERENCE),
        title: clean_line(fields::title(event_name, &payload), limit::TITLE),
        url: clean_line(fields::url(event_name, &payload), limit::URL),
        attributes,
    })
}

fn is_event_name(name: &str) -> bool {
    name.len() <= limit::KIND / 2
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests;
