//! [CloudEvents 1.0](https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md): structured, batched, and
//! binary over HTTP headers.
//!
//! | attribute | becomes |
//! |---|---|
//! | `source` and `id` | the identity, as the specification has it, in every mode; also attributes |
//! | `type` | the kind; what follows its last dot is the action |
//! | `time`, `subject` | when it happened, what it is about |
//! | extension `actor`, else `authid`, else `actor` or `user` in the data | actor |
//! | extension `repository`, else `repository` or `repository.full_name` in the data | repository |
//! | `title` or `name`, `url` or `html_url` in the data | title, page |
//!
//! Every other attribute, and the members of data that is an object (as `data.member`), are attributes. Of binary
//! data only the length is kept. What breaks a rule of the specification is rejected with the rule; names of
//! attributes may be longer than the 20 characters that it recommends.

mod http;

use std::collections::VecDeque;
use std::path::Path;

use serde_json::Value;

use super::documents::{Documents, Stored};
use super::draft::{Draft, Input};
use super::json;
use crate::envelope::time::{self, Reading};
use crate::envelope::{Attributes, EventId, Intake, Normalised, scrub};
use crate::error::Result;

pub use http::request;

/// The `source` column of these events; their own `source` is an attribute.
pub const SOURCE: &str = "cloudevents";

/// Attributes that have a column or a meaning of their own.
const KNOWN: [&str; 11] = [
    "actor",
    "data",
    "data_base64",
    "databytes",
    "datacontenttype",
    "id",
    "repository",
    "specversion",
    "subject",
    "time",
    "type",
];

/// Normalises one event in the JSON format, as it comes with `Content-Type: application/cloudevents+json`.
///
/// # Errors
///
/// A [`crate::Rejection`] if it breaks a rule of the specification, or its time is out of range.
pub fn structured(intake: &Intake, body: &[u8]) -> Normalised {
    let input = Input { place: "request", raw: body };
    match json::parse(body) {
        Ok(value) => one(intake, &input, &value),
        Err(reason) => Err(input.reject(intake, SOURCE, &reason)),
    }
}

/// Normalises a list of events in the JSON batch format (`application/cloudevents-batch+json`).
///
/// What is no event costs itself only; its place is its number in the list.
pub fn batch(intake: &Intake, body: &[u8]) -> Vec<Normalised> {
    let input = Input { place: "request", raw: body };
    let is_list = body.trim_ascii_start().starts_with(b"[");
    if !is_list {
        return vec![Err(input.reject(intake, SOURCE, "expected a JSON array of events"))];
    }
    let mut found = VecDeque::new();
    input.each(intake, SOURCE, &mut found, |input, value| one(intake, input, value));
    found.into()
}

/// Opens stored events, alone or in lists: a folder or zip of `.json` files, one such file, or lines (`-` is standard
/// input).
///
/// # Errors
///
/// [`crate::Error::Input`] if `path` can't be read.
pub fn read(intake: Intake, path: &Path) -> Result<Stored> {
    Ok(Stored::new(intake, SOURCE, Documents::open(path)?, |intake, input, out| {
        input.each(intake, SOURCE, out, |input, value| one(intake, input, value));
    }))
}

fn one(intake: &Intake, input: &Input, value: &Value) -> Normalised {
    cloud_event(intake, input, value).unwrap_or_else(|reason| Err(input.reject(intake, SOURCE, &reason)))
}

fn cloud_event(intake: &Intake, input: &Input, value: &Value) -> Result<Normalised, String> {
    check(value)?;
    let id = json::required(value, &["id"])?;
    let source = json::required(value, &["source"])?;
    let kind = json::required(value, &["type"])?;
    let occurred_at = match json::optional(value, &["time"])? {
        "" => Reading::NotATime,
        text => match time::read_text(text) {
            Reading::NotATime => {
                return Err("`time`: expected RFC 3339 such as 2024-05-01T10:00:00Z".to_owned());
            }
            reading => reading,
        },
    };
    let data = value.get("data").unwrap_or(&Value::Null);
    let of_data = |paths: &[&str]| json::first_text(data, paths);
    let or_else = |text, other| if str::is_empty(text) { other } else { text };
    let mut attributes = Attributes::new();
    attributes.set("id", id);
    attributes.set("datacontenttype", json::optional(value, &["datacontenttype"])?);
    json::set_scalars(&mut attributes, "", Some(value), &KNOWN);
    match data {
        Value::Object(_) => json::set_all(&mut attributes, "data", data, &[]),
        Value::Array(_) => attributes.set("data", &data.to_string()),
        scalar => json::set(&mut attributes, "data", Some(scalar)),
    }
    json::set(&mut attributes, "data_bytes", value.get("databytes"));
    if let Some(encoded) = value.get("data_base64").and_then(Value::as_str) {
        let padding = encoded.bytes().rev().take_while(|byte| *byte == b'=').count();
        attributes.set("data_bytes", &(encoded.len() / 4 * 3).saturating_sub(padding).to_string());
    }
    // Scrubbed before it is split, so that the split cannot hide a secret.
    let kind = scrub(kind);
    let (general, action) = kind.rsplit_once('.').unwrap_or((&kind, ""));
    let draft = Draft {
        kind: general,
        action,
        repository: or_else(
            json::optional(value, &["repository"])?,
            of_data(&["repository", "repository/full_name"]),
        ),
        actor: or_else(json::optional(value, &["actor", "authid"])?, of_data(&["actor", "user"])),
        occurred_at,
        subject: json::optional(value, &["subject"])?,
        title: json::first_line(of_data(&["title", "name"])),
        url: json::web_url(of_data(&["url", "html_url"])),
        attributes,
    };
    let event_id = EventId::of(&intake.tenant, SOURCE, &[b"id", source.as_bytes(), id.as_bytes()]);
    Ok(draft.finish(intake, SOURCE, event_id, input))
}

/// The rules of the specification that hold for all attributes.
fn check(value: &Value) -> Result<(), String> {
    let Value::Object(members) = value else {
        return Err(format!("expected an event, a JSON object, got {}", json::name(value)));
    };
    match value.get("specversion") {
        Some(Value::String(version)) if version == "1.0" => {}
        Some(other) => return Err(format!("`specversion`: expected \"1.0\", got {other}")),
        None => return Err("`specversion` is missing: expected \"1.0\"".to_owned()),
    }
    let is_there = |name: &str| members.get(name).is_some_and(|value| !value.is_null());
    if is_there("data") && is_there("data_base64") {
        return Err("`data` and `data_base64` are both there: expected one of them".to_owned());
    }
    json::optional(value, &["data_base64"])?;
    for (name, member) in members.iter().filter(|(name, _)| !name.starts_with("data")) {
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) {
            return Err(format!(
                "`{name}` is not the name of an attribute: expected lower-case letters and digits"
            ));
        }
        if member.is_array() || member.is_object() {
            return Err(format!(
                "`{name}`: expected a text, a number or a truth, got {}",
                json::name(member)
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
