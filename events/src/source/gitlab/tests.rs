//! Tests of the normalisation of one delivery; `tests/it/events_sources.rs` has real ones.

use serde_json::{Value, json};

use super::*;
use crate::envelope::{Attributes, Event, time};

fn intake() -> Intake {
    Intake::new("default", "2024-06-01T12:00:00.5Z".parse().unwrap())
}

fn normal(payload: &Value) -> Event {
    event(&intake(), None, payload.to_string().as_bytes()).unwrap()
}

fn merged() -> Value {
    json!({
        "object_kind": "merge_request",
        "user": {"id": 3, "name": "Octo Cat", "username": "octo", "email": "octo@example.org"},
        "project": {"id": 1, "path_with_namespace": "acme/tools/rocket", "web_url": "https://example.org/acme/tools/rocket"},
        "object_attributes": {
            "iid": 7, "title": "Add a parser", "action": "merge", "state": "merged", "description": "long",
            "created_at": "2024-05-01 10:00:00 UTC", "updated_at": "2024-05-01 12:00:01 +0200",
            "url": "https://example.org/acme/tools/rocket/-/merge_requests/7",
            "last_commit": {"id": "1"},
        },
    })
}

#[test]
fn a_merge_request_becomes_an_event_with_every_column_filled() {
    let found = normal(&merged());
    let mut attributes = Attributes::new();
    for (key, value) in [
        ("object.created_at", "2024-05-01 10:00:00 UTC"),
        ("object.iid", "7"),
        ("object.state", "merged"),
        ("object.updated_at", "2024-05-01 12:00:01 +0200"),
        ("project_id", "1"),
        ("user_id", "3"),
    ] {
        attributes.set(key, value);
    }
    let expected = Event {
        tenant: "default".into(),
        event_id: found.event_id,
        source: "gitlab".into(),
        kind: "merge_request.merge".into(),
        action: "merge".into(),
        repository: "acme/tools/rocket".into(),
        actor: "octo".into(),
        occurred_at: "2024-05-01T10:00:01Z".parse().unwrap(),
        received_at: "2024-06-01T12:00:00.5Z".parse().unwrap(),
        subject: "!7".into(),
        title: "Add a parser".into(),
        url: "https://example.org/acme/tools/rocket/-/merge_requests/7".into(),
        attributes,
    };
    assert_eq!(found, expected);
}

#[test]
fn every_kind_says_what_it_is_about() {
    for (payload, kind, subject, title) in [
        (
            json!({"object_kind": "push", "ref": "refs/heads/fix/1", "commits": [{"message": "One"}, {"message": "Two\n\nmore"}]}),
            "push",
            "fix/1",
            "Two",
        ),
        (json!({"object_kind": "tag_push", "ref": "refs/tags/v1"}), "tag_push", "v1", ""),
        (
            json!({"object_kind": "note", "object_attributes": {"note": "Well\ndone", "action": "create"}, "merge_request": {"iid": 4}}),
            "note.create",
            "!4",
            "Well",
        ),
        (
            json!({"object_kind": "issue", "object_attributes": {"iid": 5, "title": "It fails", "action": "close"}}),
            "issue.close",
            "#5",
            "It fails",
        ),
        (
            json!({"object_kind": "pipeline", "object_attributes": {"ref": "main", "status": "failed"}, "commit": {"title": "One"}}),
            "pipeline.failed",
            "main",
            "One",
        ),
        (
            json!({"object_kind": "build", "ref": "main", "build_name": "test", "build_status": "success"}),
            "build.success",
            "main",
            "test",
        ),
        (
            json!({"object_kind": "release", "action": "create", "tag": "v1", "name": "First"}),
            "release.create",
            "v1",
            "First",
        ),
        (
            json!({"object_kind": "deployment", "status": "running", "environment": "staging", "commit_title": "One"}),
            "deployment.running",
            "staging",
            "One",
        ),
        (json!({"event_name": "user_rename", "username": "octo"}), "user_rename", "octo", ""),
        (json!({"object_kind": "invented_tomorrow"}), "invented_tomorrow", "", ""),
    ] {
        let event = normal(&payload);
        assert_eq!(
            (event.kind.as_str(), event.subject.as_str(), event.title.as_str()),
            (kind, subject, title)
        );
    }
}

#[test]
fn the_actor_of_a_system_hook_is_whom_it_concerns_and_never_a_group_or_an_owner() {
    for (payload, actor) in [
        (
            json!({"event_name": "user_add_to_group", "user_username": "octo", "user_name": "Octo Cat"}),
            "octo",
        ),
        (json!({"event_name": "user_create", "name": "Octo Cat", "email": "octo@example.org"}), "Octo Cat"),
        (json!({"event_name": "group_create", "name": "Acme", "path": "acme"}), ""),
        (json!({"event_name": "project_destroy", "name": "rocket", "owner_name": "Octo Cat"}), ""),
    ] {
        assert_eq!(normal(&payload).actor, actor, "{payload}");
    }
}

#[test]
fn the_repository_of_an_old_payload_is_the_path_of_its_page() {
    let payload =
        json!({"object_kind": "build", "repository": {"homepage": "https://example.org:3000/acme/rocket"}});
    assert_eq!(normal(&payload).repository, "acme/rocket");
    for homepage in ["", "acme", "https://example.org", "://"] {
        assert_eq!(normal(&json!({"object_kind": "x", "repository": {"homepage": homepage}})).repository, "");
    }
}

#[test]
fn a_redelivery_has_the_same_id() {
    let body = merged().to_string();
    let pretty = serde_json::to_string_pretty(&merged()).unwrap();
    let id = |key: Option<&str>, body: &str| event(&intake(), key, body.as_bytes()).unwrap().event_id;
    assert_eq!(id(None, &body), id(None, &pretty));
    assert_eq!(id(Some("k1"), &body), id(Some("k1"), r#"{"object_kind":"push"}"#));
    assert_ne!(id(Some("k1"), &body), id(Some("k2"), &body));
    assert_ne!(id(Some("k1"), &body), id(None, &body));
}

#[test]
fn what_is_no_event_is_rejected_with_its_place() {
    let nested = "[".repeat(100_000);
    for (body, reason) in [
        (&b""[..], "not JSON: EOF"),
        (b"{\"object_kind\": }", "line 1 column 17"),
        (b"[]", "expected a JSON object, got an array"),
        (b"null", "expected a JSON object, got null"),
        (b"\"\xff\"", "not JSON"),
        (b"{\"object_kind\":\"\0\"}", "control character"),
        (b"{}", "neither `object_kind` nor `event_name`"),
        (b"{\"object_kind\": 7, \"event_name\": []}", "neither `object_kind` nor `event_name`"),
        (nested.as_bytes(), "recursion limit"),
        (
            br#"{"object_kind":"issue","object_attributes":{"updated_at":"2500-01-01 00:00:00 UTC"}}"#,
            "out of range",
        ),
    ] {
        let rejection = event(&intake(), Some("k1"), body).unwrap_err();
        assert!(rejection.reason.contains(reason), "{}", rejection.reason);
        assert_eq!((rejection.place.as_str(), rejection.source.as_str()), ("delivery k1", "gitlab"));
    }
}

#[test]
fn fields_of_another_type_say_nothing() {
    let payload = json!({
        "object_kind": "note", "user": [], "project": 7, "object_attributes": "x", "commits": {"a": 1}, "commit": null,
        "merge_request": {"iid": "4"}, "created_at": {}, "updated_at": false, "repository": {"homepage": 1},
    });
    let found = normal(&payload);
    let texts = [&found.repository, &found.actor, &found.subject, &found.title, &found.url, &found.action];
    assert_eq!((texts, found.occurred_at), ([""; 6].map(String::from).each_ref(), time::UNKNOWN));
}
