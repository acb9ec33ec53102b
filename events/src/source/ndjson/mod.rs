//! Our own form: one JSON object per line, field by field an [`Event`](crate::Event). What no other source reads is
//! brought into this form.
//!
//! ```json
//! {"source":"ci","kind":"build.finished","time":"2024-05-01T10:00:00Z","repository":"acme/rocket","actor":"octo"}
//! ```
//!
//! | field | is |
//! |---|---|
//! | `kind` | what happened, from general to special; needed |
//! | `action` | the last step of it; the last part of `kind` where it is missing |
//! | `time` (or `occurred_at`) | when: RFC 3339, or seconds or milliseconds since 1970; needed |
//! | `id` | the producer's key, the same when it sends the event again; where it is missing the content is the identity |
//! | `event_id` | instead of `id`: an [`EventId`], as events are written out with |
//! | `source` | who produced it: lower-case letters, digits, `.`, `_`, `-`; `ndjson` where it is missing |
//! | `repository`, `actor`, `subject`, `title`, `url` | as in the table; empty where missing or null |
//! | `attributes` | an object; lists and objects in it are kept as compact JSON |
//!
//! Any other field is an attribute, but for `tenant` and `received_at`: whose event it is and when it came says the
//! intake, whatever the line says. So an [`Event`](crate::Event) that was written out reads back as itself. A field that
//! comes twice is refused, because nobody could say which one holds.

mod fields;

use std::io::BufRead;
use std::path::Path;

use super::documents::{Documents, Stored};
use super::draft::{Draft, Input};
use super::json;
use crate::envelope::time::Reading;
use crate::envelope::{EventId, Intake, Normalised, canonical_json, clean_line, limit, scrub};
use crate::error::Result;

use fields::Fields;

/// The `source` of events that name none.
pub const SOURCE: &str = "ndjson";

/// Normalises one line.
///
/// # Errors
///
/// A [`crate::Rejection`] if it is no JSON object, a field is missing, of another type or there twice, or its time is out
/// of range; the reason names the field.
pub fn event(intake: &Intake, line: &[u8]) -> Normalised {
    normalise(intake, &Input { place: "line", raw: line })
}

/// Reads events from `reader`, a line at a time; `name` is what rejections call it.
pub fn lines(intake: Intake, name: &str, reader: impl BufRead + Send + 'static) -> Stored {
    stored(intake, Documents::lines(name.to_owned(), Box::new(reader)))
}

/// Opens stored events: lines in a file (`-` is standard input), or a folder or zip of `.json` files with one event or
/// a list each.
///
/// # Errors
///
/// [`crate::Error::Input`] if `path` can't be read.
pub fn read(intake: Intake, path: &Path) -> Result<Stored> {
    Ok(stored(intake, Documents::open(path)?))
}

fn stored(intake: Intake, documents: Documents) -> Stored {
    Stored::new(intake, SOURCE, documents, |intake, input, out| {
        if input.raw.trim_ascii_start().starts_with(b"[") {
            input.each(intake, SOURCE, out, |input, _| normalise(intake, input));
        } else {
            out.push_back(normalise(intake, input));
        }
    })
}

fn normalise(intake: &Intake, input: &Input) -> Normalised {
    own_event(intake, input).unwrap_or_else(|reason| Err(input.reject(intake, SOURCE, &reason)))
}

fn own_event(intake: &Intake, input: &Input) -> std::result::Result<Normalised, String> {
    let fields: Fields = serde_json::from_slice(input.raw).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => error.to_string(),
        _ => format!("not JSON: {error}"),
    })?;
    if fields.kind.trim().is_empty() {
        return Err("`kind` is missing: expected a text such as build.finished".to_owned());
    }
    if fields.occurred_at == Reading::NotATime {
        return Err("`time` is missing: expected one such as 2024-05-01T10:00:00Z".to_owned());
    }
    let source = if fields.source.is_empty() { SOURCE } else { &fields.source };
    if !is_source(source) {
        return Err(format!(
            "`source`: expected lower-case letters, digits, `.`, `_` and `-`, at most {}",
            limit::NAME
        ));
    }
    let event_id = match (fields.event_id, &*fields.id) {
        (Some(event_id), _) => event_id,
        (None, "") => {
            let content = json::parse(input.raw)?;
            EventId::of(&intake.tenant, source, &[b"content", &canonical_json(&content)])
        }
        (None, id) => EventId::of(&intake.tenant, source, &[b"id", id.as_bytes()]),
    };
    // Scrubbed before it is split, so that the split cannot hide a secret.
    let kind = scrub(&fields.kind);
    let (general, action) = kind.rsplit_once('.').unwrap_or((&kind, ""));
    let draft = Draft {
        kind: general,
        action,
        repository: &fields.repository,
        actor: &fields.actor,
        occurred_at: fields.occurred_at,
        subject: &fields.subject,
        title: &fields.title,
        url: json::web_url(&fields.url),
        attributes: fields.attributes,
    };
    let mut event = draft.finish(intake, source, event_id, input);
    if let (Ok(event), Some(action)) = (&mut event, &fields.action) {
        event.action = clean_line(action, limit::KIND / 2);
    }
    Ok(event)
}

fn is_source(name: &str) -> bool {
    let is_part =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-');
    name.len() <= limit::NAME && name.bytes().all(is_part)
}

#[cfg(test)]
mod tests;
