//! Tests of the normalisation of a request.

use serde_json::json;

use super::*;
use crate::envelope::Event;

fn intake() -> Intake {
    Intake::new("default", "2024-06-01T12:00:00.5Z".parse().unwrap())
}

fn normal(value: &Value) -> Event {
    events(&intake(), "octo", value.to_string().as_bytes()).pop().unwrap().unwrap()
}

fn viewed() -> Value {
    json!({
        "id": "e1", "kind": "page.viewed", "time": 1_714_557_600_250_u64, "title": "acme/rocket: Rockets",
        "url": "https://github.com/acme/rocket/issues?q=secret#top", "subject": "pkg:github/acme/rocket",
        "browser": "firefox", "seconds": 12.5,
    })
}

#[test]
fn a_page_becomes_an_event_with_every_column_filled() {
    let found = normal(&viewed());
    let mut attributes = Attributes::new();
    attributes.set("browser", "firefox");
    attributes.set("seconds", "12.5");
    let expected = Event {
        tenant: "default".into(),
        event_id: found.event_id,
        source: "browser".into(),
        kind: "page.viewed".into(),
        action: "viewed".into(),
        repository: "acme/rocket".into(),
        actor: "octo".into(),
        occurred_at: "2024-05-01T10:00:00.25Z".parse().unwrap(),
        received_at: "2024-06-01T12:00:00.5Z".parse().unwrap(),
        subject: "pkg:github/acme/rocket".into(),
        title: "acme/rocket: Rockets".into(),
        url: "https://github.com/acme/rocket/issues".into(),
        attributes,
    };
    assert_eq!(found, expected);
}

#[test]
fn only_the_page_of_a_forge_tells_a_repository() {
    for (url, repository) in [
        ("https://github.com/acme/rocket", "acme/rocket"),
        ("https://www.gitlab.com/acme/rocket/-/issues", "acme/rocket"),
        ("https://bitbucket.org/acme/rocket/src", "acme/rocket"),
        ("https://github.com/acme", ""),
        ("https://github.com/settings/profile", ""),
        ("https://github.com//x", ""),
        ("https://crates.io/crates/serde", ""),
        ("https://example.org/github.com/acme/rocket", ""),
        ("", ""),
    ] {
        assert_eq!(repository_of(url), repository, "{url}");
    }
    let given =
        json!({"kind": "x", "time": 1, "url": "https://github.com/acme/rocket", "repository": "acme/engine"});
    assert_eq!(normal(&given).repository, "acme/engine");
}

#[test]
fn a_list_comes_bare_or_in_an_object_and_what_is_no_event_costs_itself_only() {
    for body in [json!([viewed(), {"kind": "x"}]), json!({"events": [viewed(), {"kind": "x"}]})] {
        let found = events(&intake(), "octo", body.to_string().as_bytes());
        assert_eq!(found[0].as_ref().unwrap(), &normal(&viewed()));
        let rejection = found[1].as_ref().unwrap_err();
        assert_eq!(
            (rejection.place.as_str(), rejection.reason.as_str()),
            ("request[1]", "`time` is missing: expected one such as 2024-05-01T10:00:00Z")
        );
    }
}

#[test]
fn an_event_that_is_sent_again_has_the_same_id() {
    let mut again = viewed();
    again["seconds"] = json!(99);
    assert_eq!(normal(&again).event_id, normal(&viewed()).event_id);
    let bare = |seconds: u64| normal(&json!({"kind": "x", "time": 1, "seconds": seconds})).event_id;
    assert_eq!(bare(1), bare(1));
    assert_ne!(bare(1), bare(2));
}

#[test]
fn what_is_wrong_is_named_with_its_field() {
    let nested = "{\"events\":".repeat(100_000);
    for (body, reason) in [
        (&b"{"[..], "not JSON: EOF"),
        (nested.as_bytes(), "recursion limit"),
        (b"\"\xff\"", "not JSON"),
        (b"{}", "`kind` is missing"),
        (br#"{"kind": ["x"]}"#, "`kind`: expected a text, got an array"),
        (br#"{"kind": "x", "time": true}"#, "`time`: expected a time such as"),
        (br#"{"kind": "x", "time": 1, "url": 7}"#, "`url`: expected a text, got a number"),
        (br#"{"kind": "x", "time": "2500-01-01T00:00:00Z"}"#, "out of range"),
        (br#"{"events": 7}"#, "`kind` is missing"),
    ] {
        let rejection = events(&intake(), "octo", body).pop().unwrap().unwrap_err();
        assert!(rejection.reason.contains(reason), "{}", rejection.reason);
        assert_eq!((rejection.place.as_str(), rejection.source.as_str()), ("request", "browser"));
    }
}

#[test]
fn a_page_that_is_no_web_page_is_not_stored() {
    let found = normal(&json!({"kind": "x", "time": 1, "url": "javascript:alert(1)"}));
    assert_eq!((found.url.as_str(), found.attributes.len()), ("", 0));
}
