//! Event keys: from a file's name or from what a body is about, where no header tells.

use serde_json::Value;

use crate::envelope::limit;

/// The event keys that Atlassian documents, of Cloud and of Data Center.
const KEYS: [&str; 52] = [
    "issue:comment_created",
    "issue:created",
    "issue:updated",
    "mirror:repo_synchronized",
    "pr:comment:added",
    "pr:comment:deleted",
    "pr:comment:edited",
    "pr:declined",
    "pr:deleted",
    "pr:from_ref_updated",
    "pr:merged",
    "pr:modified",
    "pr:opened",
    "pr:reviewer:approved",
    "pr:reviewer:changes_requested",
    "pr:reviewer:needs_work",
    "pr:reviewer:unapproved",
    "pr:reviewer:updated",
    "project:modified",
    "project:updated",
    "pullrequest:approved",
    "pullrequest:changes_request_created",
    "pullrequest:changes_request_removed",
    "pullrequest:comment_created",
    "pullrequest:comment_deleted",
    "pullrequest:comment_reopened",
    "pullrequest:comment_resolved",
    "pullrequest:comment_updated",
    "pullrequest:created",
    "pullrequest:fulfilled",
    "pullrequest:push",
    "pullrequest:rejected",
    "pullrequest:unapproved",
    "pullrequest:updated",
    "repo:comment:added",
    "repo:comment:deleted",
    "repo:comment:edited",
    "repo:commit_comment_created",
    "repo:commit_comment_deleted",
    "repo:commit_comment_updated",
    "repo:commit_status_created",
    "repo:commit_status_updated",
    "repo:created",
    "repo:deleted",
    "repo:fork",
    "repo:forked",
    "repo:imported",
    "repo:modified",
    "repo:push",
    "repo:refs_changed",
    "repo:transfer",
    "repo:updated",
];

/// How people call what has another word in its key.
const ALIASES: [(&str, &str); 3] = [
    ("pullrequestapprovalremoved", "pullrequest:unapproved"),
    ("pullrequestdeclined", "pullrequest:rejected"),
    ("pullrequestmerged", "pullrequest:fulfilled"),
];

/// What a body is about, by the first of these fields that it has.
const CONTENT: [(&str, &str); 7] = [
    ("push", "repo:push"),
    ("fork", "repo:fork"),
    ("commit_status", "repo:commit_status"),
    ("pullrequest", "pullrequest"),
    ("issue", "issue"),
    ("comment", "repo:commit_comment"),
    ("changes", "repo:updated"),
];

/// Whether `text` has the form of an event key.
pub(super) fn is_key(text: &str) -> bool {
    text.len() <= limit::KIND / 2
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b':'))
}

/// The event key that a file's name up to its first dot stands for, whatever separates its words.
pub(super) fn of_name(place: &str) -> Option<&'static str> {
    let letters = |text: &str| -> String { text.chars().filter(char::is_ascii_alphabetic).collect() };
    let file = place.rsplit('/').next()?;
    let name = letters(file.split('.').next()?).to_ascii_lowercase();
    let alias = ALIASES.iter().find(|(alias, _)| *alias == name).map(|(_, key)| *key);
    let plain = || KEYS.into_iter().find(|key| letters(key) == name);
    let of_repository = || KEYS.into_iter().find(|key| letters(key).strip_prefix("repo") == Some(&name));
    alias.or_else(plain).or_else(of_repository)
}

/// What the body is about, as the beginning of an event key.
pub(super) fn of_content(payload: &Value) -> Option<&'static str> {
    let has = |field: &str| payload.get(field).is_some_and(|value| !value.is_null());
    let (field, key) = CONTENT.into_iter().find(|(field, _)| has(field))?;
    Some(match field {
        "pullrequest" if has("comment") => "pullrequest:comment",
        "issue" if has("comment") => "issue:comment",
        _ => key,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_the_key_however_it_is_written() {
        for (place, key) in [
            ("repo-push.json", Some("repo:push")),
            ("a/b/repo:push.json", Some("repo:push")),
            ("PullRequestCreated.payload.json", Some("pullrequest:created")),
            ("pull-request-approval-removed.json", Some("pullrequest:unapproved")),
            ("pull-request-merged.json", Some("pullrequest:fulfilled")),
            ("commit-comment-created.json", Some("repo:commit_comment_created")),
            ("pr-reviewer-needs-work.json", Some("pr:reviewer:needs_work")),
            ("payload.json", None),
            ("line 7", None),
            ("", None),
        ] {
            assert_eq!(of_name(place), key, "{place}");
        }
        assert!(KEYS.is_sorted() && KEYS.into_iter().all(is_key));
    }

    #[test]
    fn what_is_no_key_is_told_from_one_that_is_new() {
        assert!(is_key("repo:invented_tomorrow"));
        for text in ["", "Repo:push", "repo push", ":push", "../x", "repo\0", &"x".repeat(65)] {
            assert!(!is_key(text), "{text}");
        }
    }
}
