//! Where in a payload to find what: tables, and the rules for events that are in none.

use serde_json::Value;

use crate::envelope::Attributes;
use crate::envelope::time::Reading;
use crate::source::json::{at, first_line, first_text, read_time, set, text, web_url};

/// The object that an event is about, where it is not under the event's own name.
const MAIN_OBJECT: [(&str, &str); 22] = [
    ("branch_protection_rule", "rule"),
    ("code_scanning_alert", "alert"),
    ("commit_comment", "comment"),
    ("dependabot_alert", "alert"),
    ("deploy_key", "key"),
    ("deployment_review", "workflow_run"),
    ("discussion_comment", "comment"),
    ("fork", "forkee"),
    ("installation_repositories", "installation"),
    ("issue_comment", "comment"),
    ("issues", "issue"),
    ("membership", "member"),
    ("meta", "hook"),
    ("page_build", "build"),
    ("ping", "hook"),
    ("pull_request_review", "review"),
    ("pull_request_review_comment", "comment"),
    ("pull_request_review_thread", "pull_request"),
    ("push", "head_commit"),
    ("repository_vulnerability_alert", "alert"),
    ("secret_scanning_alert", "alert"),
    ("team_add", "team"),
];

/// Where an event's time is, best first, where it is not the main object's `updated_at` or `created_at`.
///
/// The repository's `updated_at` and `pushed_at` serve events that carry no time of their own: GitHub sends the
/// payload when it happens, so the newest change of the repository is the change that the event tells of.
const TIME: [(&str, &[&str]); 21] = [
    ("check_run", &["check_run/completed_at", "check_run/started_at"]),
    (
        "code_scanning_alert",
        &["alert/fixed_at", "alert/dismissed_at", "alert/updated_at", "alert/created_at"],
    ),
    ("create", &["repository/pushed_at", "repository/updated_at"]),
    ("delete", &["repository/pushed_at", "repository/updated_at"]),
    ("dependabot_alert", &["alert/fixed_at", "alert/dismissed_at", "alert/updated_at", "alert/created_at"]),
    ("gollum", &["repository/updated_at"]),
    ("label", &["repository/updated_at"]),
    ("marketplace_purchase", &["effective_date"]),
    ("member", &["repository/updated_at"]),
    ("merge_group", &["merge_group/head_commit/timestamp"]),
    ("public", &["repository/updated_at"]),
    ("pull_request_review", &["review/submitted_at", "review/updated_at"]),
    ("push", &["repository/pushed_at", "head_commit/timestamp"]),
    ("release", &["release/updated_at", "release/published_at", "release/created_at"]),
    ("repository_vulnerability_alert", &["alert/dismissed_at", "alert/created_at"]),
    ("secret_scanning_alert", &["alert/resolved_at", "alert/updated_at", "alert/created_at"]),
    ("star", &["starred_at", "repository/updated_at"]),
    ("status", &["updated_at", "created_at"]),
    ("watch", &["repository/updated_at"]),
    ("workflow_job", &["workflow_job/completed_at", "workflow_job/started_at", "workflow_job/created_at"]),
    ("workflow_run", &["workflow_run/updated_at", "workflow_run/created_at"]),
];

/// Names of fields that hold a time in the future or one of something else than what happened.
const NOT_WHEN: [&str; 3] = ["expires_at", "due_at", "next_billing_date"];

/// The object that the event is about; null if the payload has none.
fn main_object<'a>(event: &str, payload: &'a Value) -> &'a Value {
    let key = MAIN_OBJECT.iter().find(|(name, _)| *name == event).map_or(event, |(_, key)| key);
    payload.get(key).filter(|value| value.is_object()).unwrap_or(&Value::Null)
}

/// When the event happened: the table, else the main object, else the newest time in the payload.
///
/// A field that holds no time is passed over; one that holds a time out of range is an answer.
pub(super) fn occurred_at(event: &str, payload: &Value) -> Reading {
    let listed = TIME.iter().find(|(name, _)| *name == event).map_or(&[][..], |(_, paths)| paths);
    let main = main_object(event, payload);
    let candidates = listed
        .iter()
        .map(|path| at(payload, path))
        .chain(["updated_at", "created_at"].iter().map(|key| main.get(key)));
    let known = candidates.flatten().map(read_time).find(|reading| *reading != Reading::NotATime);
    known.unwrap_or_else(|| newest(payload))
}

/// The newest time in a field named `*_at`, `timestamp` or `date`, at any depth (which the JSON parser bounds).
pub(in crate::source) fn newest(value: &Value) -> Reading {
    let times = match value {
        Value::Object(object) => object.iter().map(|(key, value)| field_time(key, value)).collect(),
        Value::Array(items) => items.iter().map(newest).collect(),
        _ => Vec::new(),
    };
    let newest = times.into_iter().filter_map(|reading| match reading {
        Reading::Time(time) => Some(time),
        _ => None,
    });
    newest.max().map_or(Reading::NotATime, Reading::Time)
}

fn field_time(key: &str, value: &Value) -> Reading {
    let names_a_time = key.ends_with("_at") || matches!(key, "timestamp" | "date");
    match value {
        Value::Object(_) | Value::Array(_) => newest(value),
        _ if names_a_time && !NOT_WHEN.contains(&key) => read_time(value),
        _ => Reading::NotATime,
    }
}

/// Who did it.
pub(super) fn actor(payload: &Value) -> &str {
    let paths = [
        "sender/login",
        "pusher/name",
        "comment/user/login",
        "review/user/login",
        "head_commit/author/username",
        "head_commit/author/name",
    ];
    first_text(payload, &paths)
}

/// What it is about, short: `#12`, a ref, a tag, a name.
pub(super) fn subject(event: &str, payload: &Value) -> String {
    for path in ["pull_request/number", "issue/number", "discussion/number", "alert/number", "number"] {
        if let Some(number) = at(payload, path).and_then(Value::as_u64) {
            return format!("#{number}");
        }
    }
    let main = main_object(event, payload);
    let in_payload =
        first_text(payload, &["ref", "deployment/ref", "comment/commit_id", "sha", "release/tag_name"]);
    let short = in_payload.trim_start_matches("refs/heads/").trim_start_matches("refs/tags/");
    let is_commit_id = short.len() == 40 && short.bytes().all(|byte| byte.is_ascii_hexdigit());
    match if is_commit_id { &short[..12] } else { short } {
        "" => first_text(main, &["head_branch", "name", "slug", "login", "full_name", "ghsa_id"]).to_owned(),
        short => short.to_owned(),
    }
}

/// One line for people: a title, a name, or how a text begins.
pub(super) fn title<'a>(event: &str, payload: &'a Value) -> &'a str {
    let own = [
        "title",
        "display_title",
        "name",
        "tag_name",
        "summary",
        "body",
        "message",
        "description",
        "note",
        "slug",
        "login",
    ];
    let of_main = first_text(main_object(event, payload), &own);
    let around = [
        "pull_request/title",
        "issue/title",
        "discussion/title",
        "head_commit/message",
        "merge_group/head_commit/message",
        "commit/commit/message",
        "alert/rule/description",
        "alert/security_advisory/summary",
    ];
    let found = if of_main.is_empty() { first_text(payload, &around) } else { of_main };
    first_line(found)
}

/// Where to look at it: the page of the main object, of what it belongs to, or of the repository.
pub(super) fn url<'a>(event: &str, payload: &'a Value) -> &'a str {
    let around = ["compare", "pull_request/html_url", "issue/html_url", "target_url", "repository/html_url"];
    let own = text(main_object(event, payload), "html_url");
    let found = if own.is_empty() { first_text(payload, &around) } else { own };
    web_url(found)
}

/// What else the payload says: the scalars of the payload and of its main object, and who and what surrounds
/// it. Left out are links and node ids, which are made of the rest, and long texts.
pub(super) fn attributes(event: &str, payload: &Value) -> Attributes {
    const NO_ATTRIBUTE: [&str; 8] =
        ["action", "body", "description", "message", "node_id", "text", "title", "url"];
    let mut attributes = Attributes::new();
    let surroundings = [
        ("organization", "organization/login"),
        ("installation", "installation/id"),
        ("repository_id", "repository/id"),
        ("label", "label/name"),
        ("assignee", "assignee/login"),
        ("requested_reviewer", "requested_reviewer/login"),
        ("milestone", "milestone/title"),
        ("team", "team/slug"),
        ("environment", "deployment/environment"),
        ("workflow", "workflow/name"),
        ("head", "pull_request/head/ref"),
        ("base", "pull_request/base/ref"),
        ("sender_type", "sender/type"),
    ];
    for (name, path) in surroundings {
        set(&mut attributes, name, at(payload, path));
    }
    let main = main_object(event, payload);
    for (prefix, object) in [("", payload), (event, main)] {
        for (key, value) in object.as_object().into_iter().flatten() {
            if !NO_ATTRIBUTE.contains(&key.as_str()) && !key.ends_with("_url") {
                let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                set(&mut attributes, &name, Some(value));
            }
        }
    }
    if let Some(commits) = payload.get("commits").and_then(Value::as_array) {
        attributes.set("commits", &commits.len().to_string());
    }
    attributes
}
