//! Lines that are events, and lines that are none.

use super::*;

fn intake() -> Intake {
    Intake::new("default", "2024-06-01T12:00:00Z".parse().unwrap())
}

fn of(json: &str) -> Event {
    event(&intake(), "here", json.as_bytes()).unwrap()
}

#[test]
fn every_field_has_its_column_and_what_there_is_more_becomes_attributes() {
    let found = of(
        r#"{"kind":"deploy.finished","id":"run-1","source":"ci","action":"finished","repository":"acme/rocket",
            "actor":"oc\u0074o","occurred_at":1714557600,"subject":"v1","title":"by jane@example.org","url":"https://example.org/1",
            "attributes":{"a":"1"},"stage":"production","took":[1,2],"client_secret":"hunter2","none":null,
            "tenant":"other","received_at":"2000-01-01T00:00:00Z"}"#,
    );
    let attributes: Vec<_> = found.attributes.iter().collect();
    assert_eq!(
        attributes,
        [("a", "1"), ("client_secret", "[secret]"), ("stage", "production"), ("took", "[1,2]")]
    );
    let expected = Event {
        tenant: "default".into(),
        event_id: EventId::of("default", "ci", &[b"id", b"run-1"]),
        source: "ci".into(),
        kind: "deploy.finished".into(),
        action: "finished".into(),
        repository: "acme/rocket".into(),
        actor: "octo".into(),
        occurred_at: "2024-05-01T10:00:00Z".parse().unwrap(),
        received_at: "2024-06-01T12:00:00Z".parse().unwrap(),
        subject: "v1".into(),
        title: "by [email]".into(),
        url: "https://example.org/1".into(),
        attributes: found.attributes.clone(),
    };
    assert_eq!(found, expected);
}

#[test]
fn an_event_that_was_written_out_reads_back_as_itself() {
    let one = of(r#"{"kind":"k","occurred_at":"2024-05-01T10:00:00.123Z","x":"y"}"#);
    assert_eq!(of(&serde_json::to_string(&one).unwrap()), one);
}

#[test]
fn without_an_id_the_content_is_the_identity_whatever_its_order() {
    let id = |json: &str| of(json).event_id;
    assert_eq!(id(r#"{"kind":"k","a":1}"#), id(r#"{ "a": 1, "kind": "k" }"#));
    assert_ne!(id(r#"{"kind":"k","a":1}"#), id(r#"{"kind":"k","a":2}"#));
    assert_eq!(id(r#"{"kind":"k","id":"1","a":1}"#), id(r#"{"kind":"l","id":"1"}"#));
}

#[test]
fn a_line_that_is_no_event_is_rejected_with_its_place_and_what_was_expected_and_the_rest_is_read() {
    let long = format!(r#"{{"kind":"{}"}}"#, "k".repeat(MAX_LINE_BYTES));
    let lines = [
        r#"{"kind":"k"}"#,
        "",
        "{",
        "[]",
        r#"{"kind":1}"#,
        r#"{"id":"1"}"#,
        r#"{"kind":"k","occurred_at":"soon"}"#,
        r#"{"kind":"k","event_id":"x"}"#,
        r#"{"kind":"k","attributes":1}"#,
        &long,
        r#"{"kind":"l"}"#,
    ];
    let input = lines.join("\n");
    let found: Vec<_> = read(intake(), "in.ndjson", input.as_bytes()).collect();
    let kinds: Vec<_> = found.iter().flatten().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["k", "l"]);
    let expected = [
        (3, "EOF while parsing"),
        (4, "expected a JSON object"),
        (5, "`kind`: expected a text"),
        (6, "expected `kind`, which says what happened"),
        (7, "`occurred_at`: expected a time"),
        (8, "an event id is 32 hexadecimal digits"),
        (9, "`attributes`: expected an object"),
        (10, "longer than 1 MiB"),
    ];
    let rejections: Vec<_> = found.iter().filter_map(|item| item.as_ref().err()).collect();
    assert_eq!(rejections.len(), expected.len());
    for (rejection, (line, reason)) in rejections.iter().zip(expected) {
        assert_eq!(rejection.place, format!("in.ndjson line {line}"));
        assert!(rejection.reason.contains(reason), "{line}: {}", rejection.reason);
    }
}
