//! Tests of the normalisation of a request; `tests/it/events_sources.rs` has real ones.

use serde_json::json;

use super::*;
use crate::envelope::{Event, Rejection};

fn intake() -> Intake {
    Intake::new("default", "2024-06-01T12:00:00.5Z".parse().unwrap())
}

fn normal(value: &Value) -> Event {
    events(&intake(), "octo", value.to_string().as_bytes()).pop().unwrap().unwrap()
}

fn rejected(body: &[u8]) -> Box<Rejection> {
    events(&intake(), "octo", body).pop().unwrap().unwrap_err()
}

fn of_wakatime() -> Value {
    json!({
        "entity": "/home/jane/rocket/src/main.rs", "type": "file", "category": "debugging", "time": 1_714_557_600.25,
        "project": "rocket", "branch": "main", "language": "Rust", "is_write": true, "lineno": 42, "cursorpos": null,
        "dependencies": ["serde", "tokio"], "user_agent": "editor/1.0",
    })
}

#[test]
fn a_heartbeat_of_wakatime_becomes_an_event_with_every_column_filled() {
    let found = normal(&of_wakatime());
    let mut attributes = Attributes::new();
    for (key, value) in [
        ("branch", "main"),
        ("dependencies", r#"["serde","tokio"]"#),
        ("is_write", "true"),
        ("language", "Rust"),
        ("lineno", "42"),
        ("type", "file"),
        ("user_agent", "editor/1.0"),
    ] {
        attributes.set(key, value);
    }
    let expected = Event {
        tenant: "default".into(),
        event_id: found.event_id,
        source: "heartbeats".into(),
        kind: "heartbeat.debugging".into(),
        action: "debugging".into(),
        repository: "rocket".into(),
        actor: "octo".into(),
        occurred_at: "2024-05-01T10:00:00.25Z".parse().unwrap(),
        received_at: "2024-06-01T12:00:00.5Z".parse().unwrap(),
        subject: "~/rocket/src/main.rs".into(),
        title: "main.rs (Rust)".into(),
        url: String::new(),
        attributes,
    };
    assert_eq!(found, expected);
}

#[test]
fn our_own_form_says_who_and_which_repository() {
    let found = normal(&json!({
        "id": "h1", "file": "src/lib.rs", "at": "2024-05-01T10:00:00Z", "actor": "hubot", "repository": "acme/rocket",
        "editor": "vscode",
    }));
    assert_eq!(
        [&found.kind, &found.actor, &found.repository, &found.subject, &found.title],
        ["heartbeat.coding", "hubot", "acme/rocket", "src/lib.rs", "lib.rs"]
    );
    assert_eq!(found.attributes.get("editor"), Some("vscode"));
}

#[test]
fn in_a_list_what_is_no_heartbeat_costs_itself_only() {
    let body = json!([of_wakatime(), 7, {"entity": "a.rs"}, of_wakatime()]).to_string();
    let found = events(&intake(), "octo", body.as_bytes());
    let said: Vec<_> = found
        .iter()
        .map(|item| match item {
            Ok(event) => event.kind.clone(),
            Err(rejection) => format!("{}: {} ({})", rejection.place, rejection.reason, rejection.payload),
        })
        .collect();
    assert_eq!(
        said,
        [
            "heartbeat.debugging",
            "request[1]: expected a heartbeat, a JSON object, got a number (7)",
            "request[2]: `time` is missing: expected seconds since 1970 ({\"entity\":\"a.rs\"})",
            "heartbeat.debugging",
        ]
    );
}

#[test]
fn a_heartbeat_that_is_sent_again_in_another_list_has_the_same_id() {
    let alone = normal(&of_wakatime()).event_id;
    let listed =
        events(&intake(), "octo", json!([{"entity": "x", "time": 1}, of_wakatime()]).to_string().as_bytes());
    assert_eq!(listed[1].as_ref().unwrap().event_id, alone);
    let of_another = events(&intake(), "hubot", of_wakatime().to_string().as_bytes());
    assert_ne!(of_another[0].as_ref().unwrap().event_id, alone);
    let named = |line: u64| normal(&json!({"id": "h1", "entity": "x", "time": 1, "lineno": line})).event_id;
    assert_eq!(named(1), named(2));
}

#[test]
fn home_folders_lose_whose_they_are() {
    for (path, expected) in [
        ("/home/jane/x/y.rs", "~/x/y.rs"),
        ("/Users/jane/x.rs", "~/x.rs"),
        (r"C:\Users\jane\x\y.rs", "~/x/y.rs"),
        ("/home/jane", "~"),
        ("/srv/home/jane/x", "/srv/home/jane/x"),
        (r"D:\work\x.rs", r"D:\work\x.rs"),
        ("HIDDEN.py", "HIDDEN.py"),
    ] {
        assert_eq!(without_home(path), expected);
    }
}

#[test]
fn what_is_wrong_is_named_with_its_field() {
    let nested = "[".repeat(100_000);
    for (body, reason) in [
        (&b""[..], "not JSON: EOF"),
        (nested.as_bytes(), "recursion limit"),
        (b"\"\xff\"", "not JSON"),
        (b"true", "got true or false"),
        (br#"{"entity": 7, "time": 1}"#, "`entity`: expected a text, got a number"),
        (br#"{"entity": " ", "time": 1}"#, "`entity` is missing"),
        (br#"{"entity": "x", "time": "soon"}"#, "`time`: expected a time such as"),
        (
            br#"{"entity": "x", "time": [1]}"#,
            "`time`: expected a time such as 2024-05-01T10:00:00Z or seconds since 1970, got an array",
        ),
        (br#"{"entity": "x", "time": 1, "project": {}}"#, "`project`: expected a text, got an object"),
        (br#"{"entity": "x", "time": 1e300}"#, "out of range"),
    ] {
        let rejection = rejected(body);
        assert!(rejection.reason.contains(reason), "{}", rejection.reason);
        assert_eq!(rejection.place, "request");
    }
}

#[test]
fn an_empty_list_is_no_event() {
    assert_eq!(events(&intake(), "octo", b"[]"), []);
}
