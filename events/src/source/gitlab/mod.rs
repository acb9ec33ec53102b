//! GitLab webhooks and system hooks: one payload, one event.
//!
//! [`event`] normalises one delivery as it comes over HTTP; [`read`] does so for stored payloads. Every kind is
//! taken, also one that GitLab will only invent: nothing here lists them.

mod fields;

use std::path::Path;

use super::documents::{Documents, Stored};
use super::draft::{Draft, Input, place_of};
use super::json;
use crate::envelope::{EventId, Intake, Normalised, canonical_json};
use crate::error::Result;

/// The `source` of these events.
pub const SOURCE: &str = "gitlab";

/// Normalises one delivery of a webhook or system hook.
///
/// - `delivery` is the header `Idempotency-Key`, which GitLab repeats when it tries again; where it is known, it
///   is the event's identity. Where it is not, the identity is the canonical content. (`X-Gitlab-Event-UUID` can't
///   be: webhooks that set each other off share it.)
/// - `body` is the request's body as it came. Check its `X-Gitlab-Token` first.
///
/// The kind is the payload's `object_kind`, for system hooks its `event_name`, and what was done to the object:
/// `merge_request.merge`, `push`, `user_rename`. The actor is the user's name for signing in where it is told, else
/// the displayed one; of system hooks, which do not say who acted, it is the person whom they concern, and empty
/// where they concern none. The repository is the project's path with its groups.
///
/// # Errors
///
/// A [`crate::Rejection`] if the body is no JSON object, says no kind, or its time is out of range.
pub fn event(intake: &Intake, delivery: Option<&str>, body: &[u8]) -> Normalised {
    let place = place_of(delivery, "");
    normalise(intake, &Input { place: &place, raw: body }, delivery)
}

/// Opens stored payloads: a folder or zip of `.json` files, one such file, or lines (`-` is standard input).
///
/// # Errors
///
/// [`crate::Error::Input`] if `path` can't be read.
pub fn read(intake: Intake, path: &Path) -> Result<Stored> {
    Ok(Stored::new(intake, SOURCE, Documents::open(path)?, |intake, input, out| {
        out.push_back(normalise(intake, input, None));
    }))
}

fn normalise(intake: &Intake, input: &Input, delivery: Option<&str>) -> Normalised {
    let payload = json::object(input.raw).map_err(|reason| input.reject(intake, SOURCE, &reason))?;
    let kind = json::first_text(&payload, &["object_kind", "event_name"]);
    if kind.trim().is_empty() {
        let reason =
            "neither `object_kind` nor `event_name` says which event it is: expected one such as `push`";
        return Err(input.reject(intake, SOURCE, reason));
    }
    let event_id = match delivery {
        Some(key) => EventId::of(&intake.tenant, SOURCE, &[b"delivery", key.as_bytes()]),
        None => EventId::of(&intake.tenant, SOURCE, &[b"content", &canonical_json(&payload)]),
    };
    let mut attributes = fields::attributes(&payload);
    if let Some(key) = delivery {
        attributes.set("delivery", key);
    }
    let draft = Draft {
        kind,
        action: fields::action(&payload),
        repository: fields::repository(&payload),
        actor: fields::actor(&payload),
        occurred_at: fields::occurred_at(&payload),
        subject: &fields::subject(&payload),
        title: fields::title(&payload),
        url: fields::url(&payload),
        attributes,
    };
    draft.finish(intake, SOURCE, event_id, input)
}

#[cfg(test)]
mod tests;
