//! Bitbucket webhooks, of Cloud and of Data Center: one payload, one event.
//!
//! [`event`] normalises one delivery as it comes over HTTP; [`read`] does so for stored payloads. Every event key
//! is taken, also one that Bitbucket will only invent.

mod fields;
mod key;

use std::path::Path;

use super::documents::{Documents, Stored};
use super::draft::{Draft, Input, place_of};
use super::json;
use crate::envelope::{EventId, Intake, Normalised, canonical_json};
use crate::error::Result;

/// The `source` of these events.
pub const SOURCE: &str = "bitbucket";

/// Normalises one webhook delivery.
///
/// - `event_key` is the header `X-Event-Key`, for example `pullrequest:created`. Data Center repeats it in the body.
/// - `delivery` is the header `X-Request-UUID` (of Data Center `X-Request-Id`). Where it is known, it is the event's
///   identity; where it is not, the identity is the event key with the canonical content.
/// - `body` is the request's body as it came. Verify its `X-Hub-Signature` first.
///
/// The kind is the event key with dots: `repo.push`, `pullrequest.comment_created`, `pr.reviewer.approved`. The actor is
/// the account's nickname, else its name; the repository is `workspace/name`, of Data Center `PROJECT/name`.
///
/// # Errors
///
/// A [`crate::Rejection`] if the event key is none, the body no JSON object, or its time out of range.
pub fn event(intake: &Intake, event_key: &str, delivery: Option<&str>, body: &[u8]) -> Normalised {
    let place = place_of(delivery, event_key);
    normalise(intake, &Input { place: &place, raw: body }, Some(event_key), delivery)
}

/// Opens stored payloads: a folder or zip of `.json` files, one such file, or lines (`-` is standard input).
///
/// The event key is taken from the body where it has one, else from the file's name (`repo-push.json`,
/// `pullrequest:created.json`, `pull-request-created.json`). Where neither tells it, the kind is what the body is
/// about, without what was done to it: `pullrequest`, `issue.comment`.
///
/// # Errors
///
/// [`crate::Error::Input`] if `path` can't be read.
pub fn read(intake: Intake, path: &Path) -> Result<Stored> {
    Ok(Stored::new(intake, SOURCE, Documents::open(path)?, |intake, input, out| {
        out.push_back(normalise(intake, input, None, None));
    }))
}

fn normalise(intake: &Intake, input: &Input, key: Option<&str>, delivery: Option<&str>) -> Normalised {
    let reject = |reason: &str| input.reject(intake, SOURCE, reason);
    let payload = json::object(input.raw).map_err(|reason| reject(&reason))?;
    let in_body = json::text(&payload, "eventKey");
    let key = match key.or((!in_body.is_empty()).then_some(in_body)) {
        Some(key) if key::is_key(key) => key,
        Some(key) => {
            let reason = format!("`{key}` is not a Bitbucket event key: expected one such as repo:push");
            return Err(reject(&reason));
        }
        None => key::of_name(input.place).or_else(|| key::of_content(&payload)).ok_or_else(|| {
            reject("neither its name nor its content says which event it is: expected a name such as repo-push.json")
        })?,
    };
    let event_id = match delivery {
        Some(id) => EventId::of(&intake.tenant, SOURCE, &[b"delivery", id.as_bytes()]),
        None => {
            let content = canonical_json(&payload);
            EventId::of(&intake.tenant, SOURCE, &[b"content", key.as_bytes(), &content])
        }
    };
    let mut attributes = fields::attributes(&payload);
    if let Some(id) = delivery {
        attributes.set("delivery", id);
    }
    let (general, action) = key.rsplit_once(':').unwrap_or((key, ""));
    let draft = Draft {
        kind: &general.replace(':', "."),
        action,
        repository: &fields::repository(&payload),
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
