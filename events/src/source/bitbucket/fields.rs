//! Where in a payload to find what, of Cloud and of Data Center.

use serde_json::Value;

use crate::envelope::Attributes;
use crate::envelope::time::Reading;
use crate::source::json::{
    at, first_line, first_text, first_time, read_time, set, set_scalars, short_id, text, web_url,
};

/// The objects that an event may be about, the most particular first.
const OBJECTS: [&str; 7] =
    ["comment", "commit_status", "pullrequest", "pullRequest", "issue", "commit", "fork"];

/// Who did it.
pub(super) fn actor(payload: &Value) -> &str {
    first_text(
        payload,
        &["actor/nickname", "actor/username", "actor/name", "actor/display_name", "actor/displayName"],
    )
}

/// `workspace/name`; of Data Center the project's key and the repository's name in links.
pub(super) fn repository(payload: &Value) -> String {
    let cloud = text(payload, "repository/full_name");
    if !cloud.is_empty() {
        return cloud.to_owned();
    }
    let places = ["repository", "pullRequest/toRef/repository"];
    let found = places.iter().filter_map(|path| at(payload, path));
    let of_project = found.map(|it| (text(it, "project/key"), text(it, "slug")));
    let known = of_project.into_iter().find(|(project, name)| !project.is_empty() && !name.is_empty());
    known.map(|(project, name)| format!("{project}/{name}")).unwrap_or_default()
}

/// When it happened: an approval's own date, the body's, the object's last change, the newest commit of a push.
pub(super) fn occurred_at(payload: &Value) -> Reading {
    let own = [
        "approval/date",
        "changes_request/date",
        "date",
        "comment/updated_on",
        "comment/created_on",
        "commit_status/updated_on",
        "commit_status/created_on",
        "pullrequest/updated_on",
        "pullrequest/created_on",
        "issue/updated_on",
        "issue/created_on",
        "fork/created_on",
        "commit/date",
        "pullRequest/updatedDate",
    ];
    match first_time(payload, &own) {
        Reading::NotATime => pushed_at(payload),
        known => known,
    }
}

/// The newest date of a commit that a branch or tag now points to. A branch that was deleted tells none.
fn pushed_at(payload: &Value) -> Reading {
    let dates = changes(payload).filter_map(|change| at(change, "new/target/date")).map(read_time);
    dates.fold(Reading::NotATime, |newest, date| match (newest, date) {
        (Reading::Time(one), Reading::Time(other)) => Reading::Time(one.max(other)),
        (Reading::NotATime, known) | (known, Reading::NotATime) => known,
        _ => Reading::OutOfRange,
    })
}

/// The branches and tags that a push has moved.
fn changes(payload: &Value) -> impl Iterator<Item = &Value> {
    let list = at(payload, "push/changes").or_else(|| payload.get("changes"));
    list.and_then(Value::as_array).into_iter().flatten()
}

/// What it is about, short: `#12` for a pull request or issue, a branch, a tag, a commit.
pub(super) fn subject(payload: &Value) -> String {
    for path in ["pullrequest/id", "issue/id", "pullRequest/id"] {
        if let Some(number) = at(payload, path).and_then(Value::as_u64) {
            return format!("#{number}");
        }
    }
    let moved = changes(payload).map(|change| first_text(change, &["new/name", "old/name", "ref/displayId"]));
    match moved.into_iter().find(|name| !name.is_empty()) {
        Some(name) => name.to_owned(),
        None => short_id(first_text(payload, &["commit/hash", "fork/full_name", "commit"])).to_owned(),
    }
}

/// One line for people: how a comment begins, a title, a name, the message of the commit that was pushed.
pub(super) fn title(payload: &Value) -> &str {
    let paths = [
        "comment/content/raw",
        "comment/text",
        "pullrequest/title",
        "pullRequest/title",
        "issue/title",
        "commit_status/name",
        "commit/message",
        "fork/full_name",
    ];
    let pushed = changes(payload).map(|change| text(change, "new/target/message"));
    let message = pushed.into_iter().find(|message| !message.is_empty()).unwrap_or_default();
    first_line(if message.is_empty() { first_text(payload, &paths) } else { message })
}

/// Where to look at it: the page of the object, of the commits that were pushed, or of the repository.
pub(super) fn url(payload: &Value) -> &str {
    let pushed = changes(payload).map(|change| text(change, "links/html/href"));
    let objects = OBJECTS.iter().map(|object| {
        at(payload, object).map_or("", |it| first_text(it, &["links/html/href", "links/self/href", "url"]))
    });
    let around = [text(payload, "repository/links/html/href")];
    let links = pushed.chain(objects).chain(around).map(web_url);
    links.into_iter().find(|url| !url.is_empty()).unwrap_or_default()
}

/// What else it says: the scalars of the objects that it is about, and the branches of a pull request. Left out
/// are links, long texts and what has a column.
pub(super) fn attributes(payload: &Value) -> Attributes {
    const NO_ATTRIBUTE: [&str; 8] =
        ["description", "eventKey", "message", "raw", "text", "title", "url", "version"];
    let mut attributes = Attributes::new();
    let surroundings = [
        ("repository_id", "repository/uuid"),
        ("is_private", "repository/is_private"),
        ("actor_id", "actor/account_id"),
        ("source_branch", "pullrequest/source/branch/name"),
        ("destination_branch", "pullrequest/destination/branch/name"),
        ("merge_commit", "pullrequest/merge_commit/hash"),
        ("source_branch", "pullRequest/fromRef/displayId"),
        ("destination_branch", "pullRequest/toRef/displayId"),
        ("path", "comment/inline/path"),
        ("line", "comment/inline/to"),
    ];
    for (name, path) in surroundings {
        set(&mut attributes, name, at(payload, path));
    }
    set_scalars(&mut attributes, "", Some(payload), &NO_ATTRIBUTE);
    for object in OBJECTS {
        set_scalars(&mut attributes, object, payload.get(object), &NO_ATTRIBUTE);
    }
    let (mut moved, mut commits) = (0, 0);
    for change in changes(payload) {
        moved += 1;
        commits += change.get("commits").and_then(Value::as_array).map_or(0, Vec::len);
        if moved == 1 {
            set_scalars(&mut attributes, "change", Some(change), &NO_ATTRIBUTE);
        }
    }
    if moved > 0 {
        attributes.set("changes", &moved.to_string());
        attributes.set("commits", &commits.to_string());
    }
    attributes
}
