//! Where in a payload to find what. GitLab tells the same in different places, depending on kind and release.

use serde_json::Value;

use crate::envelope::Attributes;
use crate::envelope::time::Reading;
use crate::source::github::fields::newest;
use crate::source::json::{
    at, first_line, first_text, first_time, set, set_scalars, short_id, short_ref, text, web_url,
};

/// What was done: an action, or what the thing has become where it runs by itself.
pub(super) fn action(payload: &Value) -> &str {
    let paths = ["object_attributes/action", "action", "object_attributes/status", "build_status", "status"];
    first_text(payload, &paths)
}

/// Who did it; of a system hook the person whom it concerns.
pub(super) fn actor(payload: &Value) -> &str {
    let paths = [
        "user/username",
        "user_username",
        "user/name",
        "user_name",
        "username",
        "commit/author/name",
        "commit/author_name",
    ];
    let found = first_text(payload, &paths);
    // `user_create` and its like: no other kind has an e-mail address at the top.
    if found.is_empty() && payload.get("email").is_some() { text(payload, "name") } else { found }
}

/// The project's path with its groups.
pub(super) fn repository(payload: &Value) -> &str {
    let paths = [
        "project/path_with_namespace",
        "project_path_with_namespace",
        "path_with_namespace",
        "object_attributes/target/path_with_namespace",
    ];
    match first_text(payload, &paths) {
        "" => path_of(first_text(payload, &["project/web_url", "repository/homepage"])),
        path => path,
    }
}

/// `group/project` of `https://host/group/project`.
fn path_of(url: &str) -> &str {
    let after_scheme = url.split_once("://").map_or("", |(_, rest)| rest);
    after_scheme.split_once('/').map_or("", |(_, path)| path.trim_end_matches('/'))
}

/// When it happened: the object's newest own time, that of the newest commit, else the newest in the payload.
pub(super) fn occurred_at(payload: &Value) -> Reading {
    let own = [
        "object_attributes/finished_at",
        "object_attributes/updated_at",
        "object_attributes/created_at",
        "build_finished_at",
        "build_started_at",
        "build_created_at",
        "status_changed_at",
        "released_at",
    ];
    let found = match first_time(payload, &own) {
        Reading::NotATime => {
            later(first_time(payload, &["updated_at"]), first_time(payload, &["created_at"]))
        }
        found => found,
    };
    match found {
        Reading::NotATime => newest(payload),
        found => found,
    }
}

/// The later of both. System hooks tell when the object was created and when it was last changed, in their
/// documentation also the latter before the former.
fn later(one: Reading, other: Reading) -> Reading {
    match (one, other) {
        (Reading::Time(one), Reading::Time(other)) => Reading::Time(one.max(other)),
        (Reading::NotATime, known) | (known, _) => known,
    }
}

/// What it is about, short: `!1` for a merge request, `#23` for an issue, a branch, a tag, a person, a group.
pub(super) fn subject(payload: &Value) -> String {
    let number =
        |path: &str, sign: char| at(payload, path).and_then(Value::as_u64).map(|it| format!("{sign}{it}"));
    let is = |kind: &str| text(payload, "object_kind") == kind;
    let numbered = match () {
        () if is("merge_request") => number("object_attributes/iid", '!'),
        () if is("issue") || is("work_item") => number("object_attributes/iid", '#'),
        () => number("merge_request/iid", '!')
            .or_else(|| number("issue/iid", '#'))
            .or_else(|| number("snippet/id", '$')),
    };
    if let Some(numbered) = numbered {
        return numbered;
    }
    let commit = first_text(payload, &["commit/id", "object_attributes/commit_id"]);
    let named = [
        "ref",
        "object_attributes/ref",
        "tag",
        "environment",
        "object_attributes/slug",
        "object_attributes/name",
    ];
    let concerned = ["user_username", "username", "full_path", "path_with_namespace", "group_path", "path"];
    match (first_text(payload, &named), commit) {
        ("", "") => first_text(payload, &concerned).to_owned(),
        ("", commit) => short_id(commit).to_owned(),
        (name, _) => short_ref(name).to_owned(),
    }
}

/// One line for people: a title, how a note begins, the message of the commit that was pushed last.
pub(super) fn title(payload: &Value) -> &str {
    let paths = [
        "object_attributes/title",
        "object_attributes/note",
        "build_name",
        "commit/title",
        "commit/message",
        "object_attributes/name",
        "commit_title",
        "name",
        "group_name",
        "project_name",
    ];
    let pushed = payload.get("commits").and_then(Value::as_array).and_then(|commits| commits.last());
    let message = pushed.map_or("", |commit| text(commit, "message"));
    first_line(if message.is_empty() { first_text(payload, &paths) } else { message })
}

/// Where to look at it: the page of the object, of the commit, or of the project.
pub(super) fn url(payload: &Value) -> &str {
    let paths = [
        "object_attributes/url",
        "url",
        "commit/url",
        "deployable_url",
        "project/web_url",
        "repository/homepage",
    ];
    web_url(first_text(payload, &paths))
}

/// What else it says: the scalars at the top and of the object, and who and what surrounds them. Left out are
/// links, long texts, what has a column, and addresses.
pub(super) fn attributes(payload: &Value) -> Attributes {
    const NO_ATTRIBUTE: [&str; 14] = [
        "action",
        "avatar_url",
        "content",
        "description",
        "email",
        "key",
        "message",
        "note",
        "object_kind",
        "owner_email",
        "title",
        "url",
        "user_avatar",
        "user_email",
    ];
    let mut attributes = Attributes::new();
    let surroundings = [
        ("project_id", "project/id"),
        ("visibility_level", "project/visibility_level"),
        ("default_branch", "project/default_branch"),
        ("user_id", "user/id"),
        ("assignee", "assignee/username"),
        ("noteable", "object_attributes/noteable_type"),
        ("merge_request", "merge_request/title"),
        ("issue", "issue/title"),
    ];
    for (name, path) in surroundings {
        set(&mut attributes, name, at(payload, path));
    }
    set_scalars(&mut attributes, "", Some(payload), &NO_ATTRIBUTE);
    set_scalars(&mut attributes, "object", payload.get("object_attributes"), &NO_ATTRIBUTE);
    if let Some(commits) = payload.get("commits").and_then(Value::as_array) {
        attributes.set("commits", &commits.len().to_string());
    }
    attributes
}
