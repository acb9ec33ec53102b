//! The browser extension: a page about a package, a repository or an advisory was looked at. Our own form.
//!
//! A request is an event, a list of events, or an object with the list in `events`. Of an event,
//!
//! | field | is |
//! |---|---|
//! | `kind` | what happened, such as `page.viewed`; needed |
//! | `time` | when: RFC 3339, or milliseconds or seconds since 1970; needed |
//! | `id` | the extension's own id, the same when it sends the event again; else the content is the identity |
//! | `url` | the page; stored without query and fragment, which may hold what was searched for |
//! | `title`, `subject` | the page's title, and what it is about, such as `pkg:cargo/serde` |
//! | `actor` | who; else who the request belongs to |
//! | `repository` | `owner/name`; where it is missing, that of a page of GitHub, GitLab or Bitbucket |
//!
//! Every other field is an attribute.

use std::collections::VecDeque;
use std::path::Path;

use serde_json::Value;

use super::documents::{Documents, Stored};
use super::draft::{Draft, Input};
use super::json;
use crate::envelope::time::Reading;
use crate::envelope::{Attributes, EventId, Intake, Normalised, canonical_json, scrub};
use crate::error::Result;

/// The `source` of these events.
pub const SOURCE: &str = "browser";

/// Fields that have a column.
const COLUMNS: [&str; 8] = ["actor", "id", "kind", "repository", "subject", "time", "title", "url"];

/// Where a page's path begins with a repository's.
const FORGES: [&str; 3] = ["github.com", "gitlab.com", "bitbucket.org"];

/// First parts of a path that are no owner of repositories.
const NO_OWNER: [&str; 13] = [
    "about",
    "account",
    "dashboard",
    "explore",
    "features",
    "groups",
    "login",
    "marketplace",
    "orgs",
    "search",
    "settings",
    "topics",
    "users",
];

/// Normalises one request of the extension. `actor` is whom it belongs to where an event does not say.
///
/// What is no event costs itself only; its place is its number in the list.
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
        page(intake, input, actor, value).unwrap_or_else(|reason| Err(input.reject(intake, SOURCE, &reason)))
    };
    input.each(intake, SOURCE, out, one);
}

fn page(intake: &Intake, input: &Input, actor: &str, value: &Value) -> Result<Normalised, String> {
    if !value.is_object() {
        return Err(format!("expected an event, a JSON object, got {}", json::name(value)));
    }
    let kind = json::required(value, &["kind"])?;
    let occurred_at = json::optional_time(value, &["time"])?;
    if occurred_at == Reading::NotATime {
        return Err("`time` is missing: expected one such as 2024-05-01T10:00:00Z".to_owned());
    }
    let own_actor = json::optional(value, &["actor"])?;
    let actor = if own_actor.is_empty() { actor } else { own_actor };
    let event_id = match json::optional(value, &["id"])? {
        "" => EventId::of(&intake.tenant, SOURCE, &[b"content", actor.as_bytes(), &canonical_json(value)]),
        id => EventId::of(&intake.tenant, SOURCE, &[b"id", actor.as_bytes(), id.as_bytes()]),
    };
    let url = json::web_url(json::optional(value, &["url"])?);
    let url = url.find(['?', '#']).map_or(url, |end| &url[..end]);
    let repository = json::optional(value, &["repository"])?;
    let mut attributes = Attributes::new();
    json::set_all(&mut attributes, "", value, &COLUMNS);
    // Scrubbed before it is split, so that the split cannot hide a secret.
    let kind = scrub(kind);
    let (general, action) = kind.rsplit_once('.').unwrap_or((&kind, ""));
    let draft = Draft {
        kind: general,
        action,
        repository: if repository.is_empty() { repository_of(url) } else { repository },
        actor,
        occurred_at,
        subject: json::optional(value, &["subject"])?,
        title: json::first_line(json::optional(value, &["title"])?),
        url,
        attributes,
    };
    Ok(draft.finish(intake, SOURCE, event_id, input))
}

/// `owner/name` of a page of a forge; empty for any other page.
fn repository_of(url: &str) -> &str {
    let after_scheme = url.split_once("://").map_or("", |(_, rest)| rest);
    let Some((host, path)) = after_scheme.split_once('/') else { return "" };
    if !FORGES.contains(&host.strip_prefix("www.").unwrap_or(host)) {
        return "";
    }
    let mut parts = path.splitn(3, '/');
    match (parts.next(), parts.next()) {
        (Some(owner), Some(name)) if !owner.is_empty() && !name.is_empty() && !NO_OWNER.contains(&owner) => {
            &path[..owner.len() + 1 + name.len()]
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests;
