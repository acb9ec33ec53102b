//! Events of one's own: a JSON object on each line.
//!
//! ```json
//! {"kind":"deploy.finished","id":"run-4711","occurred_at":"2024-05-01T10:00:00Z","actor":"octo","repository":"acme/rocket","stage":"production"}
//! ```
//!
//! | field | |
//! |---|---|
//! | `kind` | what happened; the only one that has to be there |
//! | `id` | the sender's key of the event, any text; two lines with one `id` and `source` are one event |
//! | `event_id` | instead of `id`: an [`EventId`], as events are written out with |
//! | `occurred_at` | RFC 3339, or seconds since 1970; [`time::UNKNOWN`] if it is not there |
//! | `source`, `action`, `repository`, `actor`, `subject`, `title`, `url` | as in [`Event`]; `source` is `ndjson` if it is not there |
//! | `attributes` | an object of texts |
//! | any other | becomes an attribute; what is no text is kept as JSON |
//!
//! Without `id` and `event_id` the content of the line is the identity, whatever the order of its fields. Tenant and
//! time of arrival are those of the intake, whatever the line says of them (`tenant`, `received_at`).

use std::borrow::Cow;
use std::fmt;
use std::io::BufRead;

use chrono::{DateTime, Utc};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;

use crate::envelope::{
    Attributes, Event, EventId, Intake, Normalised, Rejection, canonical_json, clean_line, limit, time,
};

/// The `source` of events that name none.
pub const SOURCE: &str = "ndjson";

/// The longest line that is read, in bytes.
pub const MAX_LINE_BYTES: usize = 1 << 20;

/// Reads events from `input`, a line at a time; `name` is what rejections call it. Empty lines are none.
///
/// An input that can't be read any further ends with a rejection that says why.
pub fn read<R: BufRead>(intake: Intake, name: &str, input: R) -> impl Iterator<Item = Normalised> + use<R> {
    Lines { intake, name: name.to_owned(), input, line: Vec::new(), number: 0, is_over: false }
}

struct Lines<R> {
    intake: Intake,
    name: String,
    input: R,
    line: Vec<u8>,
    number: u64,
    is_over: bool,
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = Normalised;

    fn next(&mut self) -> Option<Normalised> {
        while !self.is_over {
            self.line.clear();
            self.number += 1;
            let read = take_line(&mut self.input, &mut self.line);
            let place = || format!("{} line {}", self.name, self.number);
            let reject = |reason: &str, line: &[u8]| {
                Some(Err(Rejection::new(&self.intake, SOURCE, &place(), reason, line)))
            };
            match read {
                Err(error) => {
                    self.is_over = true;
                    return reject(&format!("cannot be read any further: {error}"), b"");
                }
                Ok(0) => self.is_over = true,
                Ok(length) if length > MAX_LINE_BYTES => {
                    return reject("longer than 1 MiB, which no event is", &self.line);
                }
                Ok(_) if self.line.trim_ascii().is_empty() => {}
                Ok(_) => {
                    let event = normalise(&self.intake, &self.line);
                    return event.map_or_else(|reason| reject(&reason, &self.line), |event| Some(Ok(event)));
                }
            }
        }
        None
    }
}

/// Reads a line into `line`, of which it keeps no more than [`MAX_LINE_BYTES`]; how long it was.
fn take_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<usize> {
    let mut length = 0;
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(length);
        }
        let end = buffer.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
        let taken = end.unwrap_or(buffer.len());
        let room = MAX_LINE_BYTES.saturating_sub(line.len());
        line.extend_from_slice(&buffer[..taken.min(room)]);
        length += taken;
        input.consume(taken);
        if end.is_some() {
            return Ok(length);
        }
    }
}

/// The event that `json` is.
///
/// # Errors
///
/// A [`Rejection`] that names `place` and the field that is wrong.
pub fn event(intake: &Intake, place: &str, json: &[u8]) -> Normalised {
    normalise(intake, json).map_err(|reason| Rejection::new(intake, SOURCE, place, &reason, json))
}

fn normalise(intake: &Intake, json: &[u8]) -> Result<Event, String> {
    let line: Line<'_> = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    let source = line.source.as_deref().filter(|source| !source.is_empty()).unwrap_or(SOURCE);
    let source = clean_line(source, limit::NAME);
    let event_id = match (line.event_id, &line.id) {
        (Some(event_id), _) => event_id,
        (None, Some(id)) => EventId::of(&intake.tenant, &source, &[b"id", id.as_bytes()]),
        (None, None) => {
            let content: Value = serde_json::from_slice(json).map_err(|error| error.to_string())?;
            EventId::of(&intake.tenant, &source, &[b"content", &canonical_json(&content)])
        }
    };
    let kind = clean_line(&line.kind.unwrap_or_default(), limit::KIND);
    if kind.is_empty() {
        return Err("expected `kind`, which says what happened, such as deploy.finished".to_owned());
    }
    let text =
        |text: Option<Cow<'_, str>>, limit| text.map_or_else(String::new, |text| clean_line(&text, limit));
    Ok(Event {
        tenant: intake.tenant.clone(),
        event_id,
        source,
        kind,
        action: text(line.action, limit::KIND),
        repository: text(line.repository, limit::REFERENCE),
        actor: text(line.actor, limit::REFERENCE),
        occurred_at: line.occurred_at.unwrap_or(time::UNKNOWN),
        received_at: intake.received_at,
        subject: text(line.subject, limit::REFERENCE),
        title: text(line.title, limit::TITLE),
        url: text(line.url, limit::URL),
        attributes: line.attributes,
    })
}

#[derive(Default)]
struct Line<'a> {
    id: Option<Cow<'a, str>>,
    event_id: Option<EventId>,
    source: Option<Cow<'a, str>>,
    kind: Option<Cow<'a, str>>,
    action: Option<Cow<'a, str>>,
    repository: Option<Cow<'a, str>>,
    actor: Option<Cow<'a, str>>,
    occurred_at: Option<DateTime<Utc>>,
    subject: Option<Cow<'a, str>>,
    title: Option<Cow<'a, str>>,
    url: Option<Cow<'a, str>>,
    attributes: Attributes,
}

impl<'de> Deserialize<'de> for Line<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(LineVisitor)
    }
}

struct LineVisitor;

impl<'de> Visitor<'de> for LineVisitor {
    type Value = Line<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Line<'de>, M::Error> {
        let mut line = Line::default();
        while let Some(Text(key)) = map.next_key()? {
            let field = match key.as_ref() {
                "id" => &mut line.id,
                "source" => &mut line.source,
                "kind" => &mut line.kind,
                "action" => &mut line.action,
                "repository" => &mut line.repository,
                "actor" => &mut line.actor,
                "subject" => &mut line.subject,
                "title" => &mut line.title,
                "url" => &mut line.url,
                "event_id" => {
                    line.event_id = map.next_value()?;
                    continue;
                }
                "occurred_at" => {
                    line.occurred_at = occurred_at::<M::Error>(&map.next_value()?)?;
                    continue;
                }
                "attributes" => {
                    let Value::Object(more) = map.next_value()? else {
                        return Err(M::Error::custom("`attributes`: expected an object of texts"));
                    };
                    more.iter().for_each(|(key, value)| set(&mut line.attributes, key, value));
                    continue;
                }
                "tenant" | "received_at" => {
                    map.next_value::<serde::de::IgnoredAny>()?;
                    continue;
                }
                other => {
                    set(&mut line.attributes, other, &map.next_value()?);
                    continue;
                }
            };
            let value: Option<Text<'de>> = map
                .next_value()
                .map_err(|error| M::Error::custom(format_args!("`{key}`: expected a text: {error}")))?;
            *field = value.map(|Text(value)| value);
        }
        Ok(line)
    }
}

fn set(attributes: &mut Attributes, key: &str, value: &Value) {
    match value {
        Value::Null => {}
        Value::String(text) => attributes.set(key, text),
        other => attributes.set(key, &other.to_string()),
    }
}

fn occurred_at<E: serde::de::Error>(value: &Value) -> Result<Option<DateTime<Utc>>, E> {
    let reading = match value {
        Value::Null => return Ok(None),
        Value::String(text) => time::read_text(text),
        other => other.as_i64().map_or(time::Reading::NotATime, time::read_number),
    };
    match reading {
        time::Reading::Time(at) => Ok(Some(at)),
        _ => Err(E::custom(format_args!(
            "`occurred_at`: expected a time from 1900-01-01 to before 2299-12-31 as 2024-05-01T10:00:00Z or in \
             seconds since 1970, got {value}"
        ))),
    }
}

/// A text that is borrowed from the input where it has no escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

#[cfg(test)]
mod tests;
