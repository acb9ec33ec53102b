//! Tests of the normalisation of a line.

use serde_json::{Value, json};

use super::*;
use crate::envelope::{Attributes, Event};

fn intake() -> Intake {
    Intake::new("default", "2024-06-01T12:00:00.5Z".parse().unwrap())
}

fn normal(value: &Value) -> Event {
    event(&intake(), value.to_string().as_bytes()).unwrap()
}

fn finished() -> Value {
    json!({
        "id": "b1", "source": "ci", "kind": "build.finished", "time": "2024-05-01T10:00:00Z", "repository": "acme/rocket",
        "actor": "octo", "subject": "main", "title": "Nightly \"build\"", "url": "https://example.org/builds/1",
        "attributes": {"seconds": 12.5, "steps": ["a", "b"], "ok": true, "nothing": null, "large": u64::MAX}, "runner": "r1",
    })
}

#[test]
fn a_line_becomes_an_event_with_every_column_filled() {
    let found = normal(&finished());
    let mut attributes = Attributes::new();
    for (key, value) in [
        ("large", "18446744073709551615"),
        ("ok", "true"),
        ("runner", "r1"),
        ("seconds", "12.5"),
        ("steps", r#"["a","b"]"#),
    ] {
        attributes.set(key, value);
    }
    let expected = Event {
        tenant: "default".into(),
        event_id: found.event_id,
        source: "ci".into(),
        kind: "build.finished".into(),
        action: "finished".into(),
        repository: "acme/rocket".into(),
        actor: "octo".into(),
        occurred_at: "2024-05-01T10:00:00Z".parse().unwrap(),
        received_at: "2024-06-01T12:00:00.5Z".parse().unwrap(),
        subject: "main".into(),
        title: "Nightly \"build\"".into(),
        url: "https://example.org/builds/1".into(),
        attributes,
    };
    assert_eq!(found, expected);
}

#[test]
fn what_is_missing_or_null_is_empty_and_the_source_has_a_default() {
    let found =
        normal(&json!({"kind": "x", "occurred_at": 1_714_557_600, "actor": null, "attributes": null}));
    assert_eq!(
        (found.source.as_str(), found.kind.as_str(), found.action.as_str(), found.actor.as_str()),
        ("ndjson", "x", "", "")
    );
    assert_eq!(found.occurred_at.to_rfc3339(), "2024-05-01T10:00:00+00:00");
}

#[test]
fn an_event_that_was_written_out_reads_back_as_itself() {
    for (kind, action) in [("push", ""), ("issues.opened", ""), ("build.finished", "finished"), ("a", "b")] {
        let mut value = finished();
        (value["kind"], value["action"]) = (json!(kind), json!(action));
        let written = normal(&value);
        assert_eq!((written.kind.as_str(), written.action.as_str()), (kind, action));
        let elsewhere = Intake::new("default", "2024-06-01T12:00:00.5Z".parse().unwrap());
        let again = event(&elsewhere, &serde_json::to_vec(&written).unwrap());
        assert_eq!(again, Ok(written));
    }
}

#[test]
fn tenant_and_time_of_arrival_are_the_intakes_whatever_the_line_says() {
    let found = normal(&json!({"kind": "x", "time": 1, "tenant": "other", "received_at": 2}));
    assert_eq!((found.tenant.as_str(), found.received_at), ("default", intake().received_at));
    assert!(found.attributes.is_empty());
}

#[test]
fn a_line_that_is_sent_again_has_the_same_id() {
    let mut again = finished();
    again["title"] = json!("Another");
    assert_eq!(normal(&again).event_id, normal(&finished()).event_id);
    let id = |line: &[u8]| event(&intake(), line).unwrap().event_id;
    assert_eq!(id(br#"{"kind":"x","time":1,"a":"b"}"#), id(br#"{ "a": "b", "time": 1, "kind": "\u0078" }"#));
    assert_ne!(id(br#"{"kind":"x","time":1,"a":"b"}"#), id(br#"{"kind":"x","time":1,"a":"c"}"#));
    assert_ne!(
        id(br#"{"kind":"x","time":1,"id":"1","source":"a"}"#),
        id(br#"{"kind":"x","time":1,"id":"1","source":"b"}"#)
    );
}

#[test]
fn what_is_wrong_is_named_with_its_field() {
    let nested = format!("{{\"kind\":\"x\",\"a\":{}", "[".repeat(100_000));
    for (line, reason) in [
        (&b""[..], "not JSON: EOF"),
        (b"{\"kind\": \"x\",", "not JSON: EOF"),
        (nested.as_bytes(), "recursion limit"),
        (b"{\"kind\":\"\xff\"}", "not JSON"),
        (b"{\"kind\":\"a\0b\"}", "control character"),
        (b"{\"kind\":1e999}", "number out of range"),
        (b"7", "invalid type: integer `7`, expected an event, a JSON object"),
        (b"{}", "`kind` is missing"),
        (br#"{"kind":"x"}"#, "`time` is missing"),
        (br#"{"kind":["x"]}"#, "`kind`: expected a text, got an array"),
        (
            br#"{"kind":"x","time":"noon"}"#,
            "`time`: expected one such as 2024-05-01T10:00:00Z or seconds since 1970, got another text",
        ),
        (br#"{"kind":"x","time":true}"#, "got true or false"),
        (br#"{"kind":"x","time":18446744073709551615}"#, "out of range"),
        (br#"{"kind":"x","time":1,"actor":{}}"#, "`actor`: expected a text, got an object"),
        (br#"{"kind":"x","time":1,"attributes":[]}"#, "expected an object in `attributes`"),
        (br#"{"kind":"x","time":1,"event_id":"7"}"#, "`event_id`: an event id is 32 hexadecimal digits"),
        (br#"{"kind":"x","time":1,"kind":"y"}"#, "`kind` is there twice"),
        (br#"{"kind":"x","time":1,"occurred_at":2}"#, "`time` is there twice"),
        (br#"{"kind":"x","time":1,"source":"A b"}"#, "`source`: expected lower-case letters"),
        (br#"{"kind":"x","time":1} {}"#, "trailing characters"),
    ] {
        let rejection = event(&intake(), line).unwrap_err();
        assert!(rejection.reason.contains(reason), "{}", rejection.reason);
        assert_eq!((rejection.place.as_str(), rejection.source.as_str()), ("line", "ndjson"));
    }
}

#[test]
fn lines_of_a_file_and_lists_in_a_folder_are_read_with_their_places() {
    let folder = tempfile::tempdir().unwrap();
    let lines = folder.path().join("events.ndjson");
    std::fs::write(&lines, "{\"kind\":\"a\",\"time\":1}\n\n{\"kind\":\n{\"kind\":\"b\",\"time\":1}").unwrap();
    std::fs::create_dir(folder.path().join("in")).unwrap();
    std::fs::write(folder.path().join("in/list.json"), "[{\"kind\":\"a\",\"time\":1},\n7]").unwrap();
    let said = |path: &Path| -> Vec<_> {
        let items = read(intake(), path).unwrap();
        items.map(|item| item.map_or_else(|rejection| rejection.place, |event| event.kind)).collect()
    };
    assert_eq!(said(&lines), ["a", &format!("{}:3", lines.display()), "b"]);
    assert_eq!(said(&folder.path().join("in")), ["a", "list.json[1]"]);
}
