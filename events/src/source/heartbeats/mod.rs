//! Heartbeats of editors: someone was at work in a file. One heartbeat, one event.
//!
//! Two forms are taken, also mixed and in lists: that of [WakaTime](https://wakatime.com/developers#heartbeats), which
//! plugins for most editors send, and our own.
//!
//! | field | or | is | becomes |
//! |---|---|---|---|
//! | `entity` | `file` | the file, domain or program; needed | subject |
//! | `time` | `timestamp`, `at` | seconds since 1970, also with a fraction, or RFC 3339; needed | when it happened |
//! | `category` | `activity` | what was done, such as `debugging`; `coding` where it is not said | action |
//! | `repository` | `project`, `alternate_project` | where | repository |
//! | `actor` | `user` | who; else who the request belongs to | actor |
//! | `type` | `entity_type` | `file`, `app`, `domain`, `url` | attribute `type` |
//! | `id` | | the sender's own id of the heartbeat | identity |
//!
//! Every other field is an attribute. Where a file lies in somebody's home folder, the folder is cut to `~`, because
//! its name is a person's.

use std::collections::VecDeque;
use std::path::Path;

use serde_json::Value;

use super::documents::{Documents, Stored};
use super::draft::{Draft, Input};
use super::json;
use crate::envelope::time::Reading;
use crate::envelope::{Attributes, EventId, Intake, Normalised, canonical_json};
use crate::error::Result;

/// The `source` of these events.
pub const SOURCE: &str = "heartbeats";

/// Fields that have a column.
const COLUMNS: [&str; 15] = [
    "activity",
    "actor",
    "alternate_project",
    "at",
    "category",
    "entity",
    "entity_type",
    "file",
    "id",
    "project",
    "repository",
    "time",
    "timestamp",
    "type",
    "user",
];

/// Normalises one request: a heartbeat or a list of them.
///
/// `actor` is whom the request belongs to, since WakaTime's heartbeats name nobody (there the key of the API does); a
/// heartbeat's own `actor` goes before it. A heartbeat that is none costs itself only; its place is its number in the
/// list.
///
/// The identity is the heartbeat's `id`, else its canonical content and actor, so that a heartbeat that was kept
/// while offline and is sent again in another list is the same event.
pub fn events(intake: &Intake, actor: &str, body: &[u8]) -> Vec<Normalised> {
    let mut found = VecDeque::new();
    normalise(intake, &Input { place: "request", raw: body }, actor, &mut found);
    found.into()
}

/// Opens stored requests: a folder or zip of `.json` files, one such file, or lines (`-` is standard input).
///
/// # Errors
///
/// [`crate::Error::Input`] if `path` can't be read.
pub fn read(intake: Intake, actor: &str, path: &Path) -> Result<Stored> {
    let actor = actor.to_owned();
    Ok(Stored::new(intake, SOURCE, Documents::open(path)?, move |intake, input, out| {
        normalise(intake, input, &actor, out);
    }))
}

fn normalise(intake: &Intake, input: &Input, actor: &str, out: &mut VecDeque<Normalised>) {
    let one = |input: &Input, value: &Value| {
        heartbeat(intake, input, actor, value)
            .unwrap_or_else(|reason| Err(input.reject(intake, SOURCE, &reason)))
    };
    input.each(intake, SOURCE, out, one);
}

fn heartbeat(intake: &Intake, input: &Input, actor: &str, value: &Value) -> Result<Normalised, String> {
    if !value.is_object() {
        return Err(format!("expected a heartbeat, a JSON object, got {}", json::name(value)));
    }
    let entity = without_home(json::required(value, &["entity", "file"])?);
    let occurred_at = json::optional_time(value, &["time", "timestamp", "at"])?;
    if occurred_at == Reading::NotATime {
        return Err("`time` is missing: expected seconds since 1970".to_owned());
    }
    let own_actor = json::optional(value, &["actor", "user"])?;
    let actor = if own_actor.is_empty() { actor } else { own_actor };
    let category = json::optional(value, &["category", "activity"])?;
    let event_id = match json::optional(value, &["id"])? {
        "" => EventId::of(&intake.tenant, SOURCE, &[b"content", actor.as_bytes(), &canonical_json(value)]),
        id => EventId::of(&intake.tenant, SOURCE, &[b"id", actor.as_bytes(), id.as_bytes()]),
    };
    let mut attributes = Attributes::new();
    attributes.set("type", json::optional(value, &["type", "entity_type"])?);
    json::set_all(&mut attributes, "", value, &COLUMNS);
    let file = entity.rsplit(['/', '\\']).next().unwrap_or_default();
    let language = json::text(value, "language");
    let draft = Draft {
        kind: "heartbeat",
        action: if category.is_empty() { "coding" } else { category },
        repository: json::optional(value, &["repository", "project", "alternate_project"])?,
        actor,
        occurred_at,
        subject: &entity,
        title: &if language.is_empty() { file.to_owned() } else { format!("{file} ({language})") },
        url: json::web_url(&entity),
        attributes,
    };
    Ok(draft.finish(intake, SOURCE, event_id, input))
}

/// The path without whose it is: `/home/jane/x`, `/Users/jane/x` and `C:\Users\jane\x` become `~/x`.
fn without_home(path: &str) -> String {
    let forward = path.replace('\\', "/");
    let after_drive = match forward.as_bytes() {
        [letter, b':', b'/', ..] if letter.is_ascii_alphabetic() => &forward[2..],
        _ => &forward,
    };
    let homes = ["/home/", "/Users/", "/users/"];
    let Some(rest) = homes.iter().find_map(|home| after_drive.strip_prefix(home)) else {
        return path.to_owned();
    };
    match rest.split_once('/') {
        Some((_, inside)) => format!("~/{inside}"),
        None => "~".to_owned(),
    }
}

#[cfg(test)]
mod tests;
