//! Tests of the normalisation of one delivery; `tests/it/events_sources.rs` has real ones.

use serde_json::{Value, json};

use super::*;
use crate::envelope::{Attributes, Event, time};

fn intake() -> Intake {
    Intake::new("default", "2024-06-01T12:00:00.5Z".parse().unwrap())
}

fn normal(key: &str, payload: &Value) -> Event {
    event(&intake(), key, None, payload.to_string().as_bytes()).unwrap()
}

fn created() -> Value {
    json!({
        "actor": {"nickname": "octo", "display_name": "Octo Cat", "account_id": "a1"},
        "repository": {"full_name": "acme/rocket", "uuid": "{1}", "is_private": false},
        "pullrequest": {
            "id": 7, "title": "Add a parser", "description": "long", "state": "OPEN",
            "created_on": "2024-05-01T10:00:00+00:00", "updated_on": "2024-05-01T12:00:01.5+02:00",
            "source": {"branch": {"name": "parser"}}, "destination": {"branch": {"name": "main"}},
            "links": {"html": {"href": "https://example.org/acme/rocket/pull-requests/7"}},
        },
    })
}

#[test]
fn a_pull_request_becomes_an_event_with_every_column_filled() {
    let found = normal("pullrequest:created", &created());
    let mut attributes = Attributes::new();
    for (key, value) in [
        ("actor_id", "a1"),
        ("destination_branch", "main"),
        ("is_private", "false"),
        ("pullrequest.created_on", "2024-05-01T10:00:00+00:00"),
        ("pullrequest.id", "7"),
        ("pullrequest.state", "OPEN"),
        ("pullrequest.updated_on", "2024-05-01T12:00:01.5+02:00"),
        ("repository_id", "{1}"),
        ("source_branch", "parser"),
    ] {
        attributes.set(key, value);
    }
    let expected = Event {
        tenant: "default".into(),
        event_id: found.event_id,
        source: "bitbucket".into(),
        kind: "pullrequest.created".into(),
        action: "created".into(),
        repository: "acme/rocket".into(),
        actor: "octo".into(),
        occurred_at: "2024-05-01T10:00:01.5Z".parse().unwrap(),
        received_at: "2024-06-01T12:00:00.5Z".parse().unwrap(),
        subject: "#7".into(),
        title: "Add a parser".into(),
        url: "https://example.org/acme/rocket/pull-requests/7".into(),
        attributes,
    };
    assert_eq!(found, expected);
}

#[test]
fn a_push_tells_its_branch_its_commit_and_its_newest_time() {
    let payload = json!({"push": {"changes": [
        {"new": null, "old": {"name": "gone", "target": {"date": "2030-01-01T00:00:00+00:00"}}},
        {"new": {"name": "main", "target": {"date": "2024-05-01T10:00:00+00:00", "message": "One\n"}}, "commits": [{}, {}]},
        {"new": {"name": "next", "target": {"date": "2024-05-02T10:00:00+00:00", "message": "Two\n"}}},
    ]}});
    let found = normal("repo:push", &payload);
    assert_eq!(
        (
            found.kind.as_str(),
            found.subject.as_str(),
            found.title.as_str(),
            found.occurred_at.to_rfc3339().as_str()
        ),
        ("repo.push", "gone", "One", "2024-05-02T10:00:00+00:00")
    );
    assert_eq!((found.attributes.get("changes"), found.attributes.get("commits")), (Some("3"), Some("2")));
}

#[test]
fn data_center_tells_the_same_in_other_places() {
    let payload = json!({
        "eventKey": "pr:reviewer:approved", "date": "2024-05-01T20:00:00+1000",
        "actor": {"name": "octo", "displayName": "Octo Cat"},
        "pullRequest": {"id": 9, "title": "Add a parser", "toRef": {"displayId": "main", "repository": {"slug": "rocket", "project": {"key": "ACME"}}}},
    });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.ndjson");
    std::fs::write(&path, payload.to_string()).unwrap();
    let found = read(intake(), &path).unwrap().next().unwrap().unwrap();
    assert_eq!(
        [&found.kind, &found.action, &found.actor, &found.repository, &found.subject, &found.title],
        ["pr.reviewer.approved", "approved", "octo", "ACME/rocket", "#9", "Add a parser"]
    );
    assert_eq!(found.occurred_at.to_rfc3339(), "2024-05-01T10:00:00+00:00");
    assert_eq!(found.attributes.get("destination_branch"), Some("main"));
}

#[test]
fn the_key_is_taken_from_the_name_else_from_what_the_body_is_about() {
    let folder = tempfile::tempdir().unwrap();
    for (name, payload) in [
        ("1.json", json!({"issue": {}, "comment": {}})),
        ("2.json", json!({"neither": "nor"})),
        ("issue-created.json", json!({"issue": {}})),
    ] {
        std::fs::write(folder.path().join(name), payload.to_string()).unwrap();
    }
    let found: Vec<_> = read(intake(), folder.path()).unwrap().collect();
    assert_eq!(found[0].as_ref().unwrap().kind, "issue.comment");
    let rejection = found[1].as_ref().unwrap_err();
    assert!(
        rejection.place == "2.json" && rejection.reason.contains("expected a name such as repo-push.json")
    );
    assert_eq!(found[2].as_ref().unwrap().kind, "issue.created");
}

#[test]
fn a_redelivery_has_the_same_id() {
    let body = created().to_string();
    let pretty = serde_json::to_string_pretty(&created()).unwrap();
    let id = |key: &str, request: Option<&str>, body: &str| {
        event(&intake(), key, request, body.as_bytes()).unwrap().event_id
    };
    assert_eq!(id("pullrequest:created", None, &body), id("pullrequest:created", None, &pretty));
    assert_ne!(id("pullrequest:created", None, &body), id("pullrequest:updated", None, &body));
    assert_eq!(id("repo:push", Some("u1"), &body), id("repo:push", Some("u1"), "{}"));
    assert_ne!(id("repo:push", Some("u1"), &body), id("repo:push", Some("u2"), &body));
}

#[test]
fn what_is_no_event_is_rejected_with_its_place() {
    let nested = "{\"a\":".repeat(100_000);
    for (key, body, reason) in [
        ("repo:push", &b""[..], "not JSON: EOF"),
        ("repo:push", b"[]", "expected a JSON object, got an array"),
        ("repo:push", b"\"\xff\"", "not JSON"),
        ("repo:push", nested.as_bytes(), "recursion limit"),
        ("Repo Push", b"{}", "is not a Bitbucket event key"),
        ("issue:updated", br#"{"issue":{"updated_on":"2500-01-01T00:00:00Z"}}"#, "out of range"),
    ] {
        let rejection = event(&intake(), key, Some("u1"), body).unwrap_err();
        assert!(rejection.reason.contains(reason), "{}", rejection.reason);
        assert_eq!((rejection.place.as_str(), rejection.source.as_str()), ("delivery u1", "bitbucket"));
    }
}

#[test]
fn fields_of_another_type_say_nothing() {
    let payload = json!({
        "actor": [], "repository": 7, "pullrequest": "x", "push": {"changes": {"new": 1}}, "issue": {"id": "1"},
        "comment": {"content": []}, "date": {}, "changes": [1, null, {"ref": 2}],
    });
    let found = normal("repo:push", &payload);
    let texts = [&found.repository, &found.actor, &found.subject, &found.title, &found.url];
    assert_eq!((texts, found.occurred_at), ([""; 5].map(String::from).each_ref(), time::UNKNOWN));
}
