//! Tests of every mode. The event is that of the specification's examples, with our own values.

use serde_json::json;

use super::*;
use crate::envelope::Event;

fn intake() -> Intake {
    Intake::new("default", "2024-06-01T12:00:00.5Z".parse().unwrap())
}

fn deployed() -> Value {
    json!({
        "specversion": "1.0", "type": "org.example.deployment.finished", "source": "/pipelines/1", "id": "A234-1234",
        "time": "2024-05-01T12:00:00+02:00", "subject": "production", "actor": "octo", "comexampleothervalue": 5,
        "datacontenttype": "application/json",
        "data": {"repository": {"full_name": "acme/rocket"}, "title": "Deploy 1.2", "url": "https://example.org/d/1", "ok": true},
    })
}

fn normal(value: &Value) -> Event {
    structured(&intake(), value.to_string().as_bytes()).unwrap()
}

fn binary_headers<'a>() -> Vec<(&'a str, &'a [u8])> {
    vec![
        ("Content-Type", b"application/json"),
        ("ce-specversion", b"1.0"),
        ("ce-type", b"org.example.deployment.finished"),
        ("CE-Source", b"/pipelines/1"),
        ("ce-id", b"A234-1234"),
        ("ce-time", b"2024-05-01T12:00:00+02:00"),
        ("ce-subject", b"production"),
        ("ce-actor", b"octo"),
        ("ce-comexampleothervalue", b"5"),
        ("Authorization", b"Bearer hunter2hunter2hunter2"),
    ]
}

#[test]
fn a_structured_event_becomes_an_event_with_every_column_filled() {
    let found = normal(&deployed());
    let mut attributes = Attributes::new();
    for (key, value) in [
        ("comexampleothervalue", "5"),
        ("data.ok", "true"),
        ("data.repository", r#"{"full_name":"acme/rocket"}"#),
        ("data.title", "Deploy 1.2"),
        ("data.url", "https://example.org/d/1"),
        ("datacontenttype", "application/json"),
        ("id", "A234-1234"),
        ("source", "/pipelines/1"),
    ] {
        attributes.set(key, value);
    }
    let expected = Event {
        tenant: "default".into(),
        event_id: found.event_id,
        source: "cloudevents".into(),
        kind: "org.example.deployment.finished".into(),
        action: "finished".into(),
        repository: "acme/rocket".into(),
        actor: "octo".into(),
        occurred_at: "2024-05-01T10:00:00Z".parse().unwrap(),
        received_at: "2024-06-01T12:00:00.5Z".parse().unwrap(),
        subject: "production".into(),
        title: "Deploy 1.2".into(),
        url: "https://example.org/d/1".into(),
        attributes,
    };
    assert_eq!(found, expected);
}

#[test]
fn every_mode_gives_the_same_event() {
    let expected = normal(&deployed());
    let body = deployed().to_string();
    let list = json!([deployed(), deployed()]).to_string();
    let data = deployed()["data"].to_string();
    let structured_mode = request(
        &intake(),
        [("content-type", &b"application/cloudevents+json; charset=utf-8"[..])],
        body.as_bytes(),
    );
    assert_eq!(structured_mode, [Ok(expected.clone())]);
    let batched =
        request(&intake(), [("Content-Type", &b"application/cloudevents-batch+json"[..])], list.as_bytes());
    assert_eq!(batched, [Ok(expected.clone()), Ok(expected.clone())]);
    assert_eq!(request(&intake(), binary_headers(), data.as_bytes()), [Ok(expected)]);
}

#[test]
fn source_and_id_are_the_identity_whatever_else_differs() {
    let id = |change: &dyn Fn(&mut Value)| {
        let mut value = deployed();
        change(&mut value);
        normal(&value).event_id
    };
    let one = id(&|_| ());
    assert_eq!(id(&|value| value["data"] = json!(7)), one);
    assert_ne!(id(&|value| value["id"] = json!("2")), one);
    assert_ne!(id(&|value| value["source"] = json!("/pipelines/2")), one);
}

#[test]
fn headers_are_percent_decoded_and_come_once() {
    let with = |name: &'static str, value: &'static [u8]| {
        let mut headers: Vec<_> =
            binary_headers().into_iter().filter(|(header, _)| *header != name).collect();
        headers.push((name, value));
        request(&intake(), headers, b"{}").pop().unwrap()
    };
    assert_eq!(with("ce-subject", b"Euro%20%E2%82%AC").unwrap().subject, "Euro €");
    for (name, value, reason) in [
        ("ce-subject", &b"%FF"[..], "header `ce-subject`: expected percent-encoded UTF-8"),
        ("ce-subject", b"\xff", "header `ce-subject`: expected percent-encoded UTF-8"),
        ("CE-ID", b"2", "header `ce-id` comes twice"),
        ("ce-data", b"2", "header `ce-data` is not an attribute of the binary mode"),
        ("ce-a_b", b"2", "`a_b` is not the name of an attribute"),
        ("Content-Type", b"application/cloudevents+avro", "is not a format that is read"),
        ("ce-specversion", b"0.3", "`specversion`: expected \"1.0\", got \"0.3\""),
    ] {
        let reason_found = with(name, value).unwrap_err().reason;
        assert!(reason_found.contains(reason), "{reason_found}");
    }
}

#[test]
fn data_that_is_not_json_is_a_text_or_counted() {
    let with = |content_type: &'static [u8], body: &[u8]| {
        let mut headers = binary_headers();
        headers[0] = ("content-type", content_type);
        request(&intake(), headers, body).pop().unwrap().unwrap().attributes
    };
    assert_eq!(with(b"text/plain", b"hello\n").get("data"), Some("hello"));
    assert_eq!(with(b"application/octet-stream", b"\xff\x00\x01").get("data_bytes"), Some("3"));
    let mut value = deployed();
    value["data"] = Value::Null;
    value["data_base64"] = json!("/wAB4A==");
    assert_eq!(normal(&value).attributes.get("data_bytes"), Some("4"));
}

#[test]
fn what_breaks_a_rule_is_rejected_with_the_rule() {
    let nested = "[".repeat(100_000);
    for (body, reason) in [
        (&b""[..], "not JSON: EOF"),
        (nested.as_bytes(), "recursion limit"),
        (b"\"\xff\"", "not JSON"),
        (b"7", "expected an event, a JSON object, got a number"),
        (b"{}", "`specversion` is missing"),
        (br#"{"specversion": 1.0}"#, "`specversion`: expected \"1.0\", got 1.0"),
        (br#"{"specversion": "1.0", "source": "s", "type": "t"}"#, "`id` is missing"),
        (br#"{"specversion": "1.0", "id": "", "source": "s", "type": "t"}"#, "`id` is missing"),
        (br#"{"specversion": "1.0", "id": 7, "source": "s", "type": "t"}"#, "`id`: expected a text, got a number"),
        (br#"{"specversion": "1.0", "id": "1", "source": "s", "type": "t", "time": "noon"}"#, "`time`: expected RFC 3339"),
        (br#"{"specversion": "1.0", "id": "1", "source": "s", "type": "t", "A-b": 1}"#, "`A-b` is not the name"),
        (br#"{"specversion": "1.0", "id": "1", "source": "s", "type": "t", "x": {}}"#, "`x`: expected a text, a number"),
        (br#"{"specversion": "1.0", "data": 1, "data_base64": ""}"#, "are both there"),
        (br#"{"specversion": "1.0", "data_base64": 1}"#, "`data_base64`: expected a text, got a number"),
        (br#"{"specversion": "1.0", "id": "1", "source": "s", "type": "t", "time": "2500-01-01T00:00:00Z"}"#, "out of range"),
    ] {
        let rejection = structured(&intake(), body).unwrap_err();
        assert!(rejection.reason.contains(reason), "{}", rejection.reason);
        assert_eq!((rejection.place.as_str(), rejection.source.as_str()), ("request", "cloudevents"));
    }
    assert!(batch(&intake(), b"{}")[0].as_ref().unwrap_err().reason.contains("expected a JSON array"));
    let of_list = batch(&intake(), json!([deployed(), 7]).to_string().as_bytes());
    assert_eq!(of_list[1].as_ref().unwrap_err().place, "request[1]");
}
