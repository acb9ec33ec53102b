//! Tests of the normalisation of one delivery, and of folders and zips of them.

use std::io::Write as _;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::*;
use crate::envelope::{Event, MAX_PAYLOAD_BYTES, time};

fn intake() -> Intake {
    Intake::new("default", "2024-06-01T12:00:00.5Z".parse().unwrap())
}

fn normal(event_name: &str, payload: &Value) -> Event {
    event(&intake(), event_name, None, payload.to_string().as_bytes()).unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn opened() -> Value {
    json!({
        "action": "opened",
        "pull_request": {
            "number": 7, "title": "Add a parser", "state": "open", "draft": false, "merged": false,
            "html_url": "https://example.org/acme/rocket/pull/7", "body": "long text",
            "created_at": "2024-05-01T10:00:00Z", "updated_at": "2024-05-01T10:00:01Z",
            "head": {"ref": "parser"}, "base": {"ref": "main"}, "user": {"login": "octo"}
        },
        "repository": {"id": 1, "full_name": "acme/rocket", "updated_at": "2024-05-31T00:00:00Z"},
        "organization": {"login": "acme"},
        "sender": {"login": "octo", "type": "User"}
    })
}

#[test]
fn a_pull_request_becomes_an_event_with_every_column_filled() {
    let event = normal("pull_request", &opened());
    let attributes: Vec<_> = event.attributes.iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(
        attributes,
        [
            "base=main",
            "head=parser",
            "organization=acme",
            "pull_request.created_at=2024-05-01T10:00:00Z",
            "pull_request.draft=false",
            "pull_request.merged=false",
            "pull_request.number=7",
            "pull_request.state=open",
            "pull_request.updated_at=2024-05-01T10:00:01Z",
            "repository_id=1",
            "sender_type=User",
        ]
    );
    let expected = Event {
        tenant: "default".into(),
        event_id: event.event_id,
        source: "github".into(),
        kind: "pull_request.opened".into(),
        action: "opened".into(),
        repository: "acme/rocket".into(),
        actor: "octo".into(),
        occurred_at: at("2024-05-01T10:00:01Z"),
        received_at: at("2024-06-01T12:00:00.5Z"),
        subject: "#7".into(),
        title: "Add a parser".into(),
        url: "https://example.org/acme/rocket/pull/7".into(),
        attributes: event.attributes.clone(),
    };
    assert_eq!(event, expected);
}

#[test]
fn key_order_and_white_space_make_no_other_event() {
    let one = event(&intake(), "push", None, br#"{"ref":"refs/heads/main","before":"0"}"#).unwrap();
    let other =
        event(&intake(), "push", None, b"{ \"before\": \"0\",\n \"ref\": \"refs\\/heads\\/main\" }").unwrap();
    assert_eq!(one, other);
}

#[test]
fn the_event_name_the_tenant_and_the_content_make_another_event() {
    let ids = [
        normal("push", &json!({})).event_id,
        normal("create", &json!({})).event_id,
        normal("push", &json!({"a": 1})).event_id,
        event(&Intake::new("acme", at("2024-06-01T12:00:00Z")), "push", None, b"{}").unwrap().event_id,
        event(&intake(), "push", Some("1"), b"{}").unwrap().event_id,
    ];
    let distinct: std::collections::HashSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len());
}

#[test]
fn a_delivery_id_is_the_identity_whatever_the_body() {
    let one = event(&intake(), "push", Some("72d3162e"), br#"{"a":1}"#).unwrap();
    let other = event(&intake(), "push", Some("72d3162e"), br#"{"a":2}"#).unwrap();
    assert_eq!(one.event_id, other.event_id);
    assert_eq!(one.attributes.get("delivery"), Some("72d3162e"));
}

#[test]
fn what_a_payload_does_not_say_is_empty_and_its_time_is_unknown() {
    let event = normal("invented_tomorrow", &json!({"sender": null, "repository": []}));
    let texts = [&event.repository, &event.actor, &event.subject, &event.title, &event.url, &event.action];
    assert_eq!(texts, [""; 6]);
    assert_eq!((event.kind.as_str(), event.occurred_at), ("invented_tomorrow", time::UNKNOWN));
}

#[test]
fn the_actor_falls_back_to_the_pusher_and_the_author() {
    assert_eq!(normal("push", &json!({"pusher": {"name": "octo"}})).actor, "octo");
    assert_eq!(normal("issue_comment", &json!({"comment": {"user": {"login": "octo"}}})).actor, "octo");
    assert_eq!(
        normal("push", &json!({"sender": {"login": "hubot"}, "pusher": {"name": "octo"}})).actor,
        "hubot"
    );
}

#[test]
fn the_time_is_taken_from_the_table_then_the_main_object_then_the_newest_field() {
    let push = json!({"repository": {"pushed_at": 1_714_557_600}, "head_commit": {"timestamp": "2001-01-01T00:00:00Z"}});
    assert_eq!(normal("push", &push).occurred_at, at("2024-05-01T10:00:00Z"));
    let push = json!({"head_commit": {"timestamp": "2024-05-01T12:00:00+02:00"}});
    assert_eq!(normal("push", &push).occurred_at, at("2024-05-01T10:00:00Z"));
    assert_eq!(normal("pull_request", &opened()).occurred_at, at("2024-05-01T10:00:01Z"));
    let unlisted = json!({"a": [{"b": {"x_at": "2020-01-01T00:00:00Z"}}, {"date": "2021-01-01T00:00:00Z"}],
        "expires_at": "2099-01-01T00:00:00Z", "format": "2098-01-01T00:00:00Z"});
    assert_eq!(normal("invented", &unlisted).occurred_at, at("2021-01-01T00:00:00Z"));
}

#[test]
fn a_time_out_of_range_is_rejected_with_the_id_it_would_have_had() {
    for absurd in [
        json!("1899-12-31T23:59:59Z"),
        json!("2299-12-31T00:00:00Z"),
        json!("99999-01-01T00:00:00Z"),
        json!(u64::MAX),
    ] {
        let payload = json!({"issue": {"updated_at": absurd}});
        let rejection = event(&intake(), "issues", None, payload.to_string().as_bytes()).unwrap_err();
        assert!(rejection.reason.contains("out of range"), "{}", rejection.reason);
        assert!(rejection.event_id.is_some());
    }
    let early = json!({"issue": {"updated_at": "1969-12-31T23:59:59Z"}});
    assert_eq!(normal("issues", &early).occurred_at, at("1969-12-31T23:59:59Z"));
}

#[test]
fn what_is_no_json_object_is_rejected_with_its_place() {
    for (body, reason) in [
        (&b""[..], "not JSON: EOF"),
        (b"{\n  \"a\": }", "line 2 column 8"),
        (b"[]", "expected a JSON object"),
        (b"\"\xff\"", "not JSON"),
        (b"{\"a\":1e999}", "not JSON: number out of range"),
    ] {
        let rejection = event(&intake(), "push", Some("d1"), body).unwrap_err();
        assert!(rejection.reason.contains(reason), "{}", rejection.reason);
        assert_eq!(rejection.place, "delivery d1");
    }
    let nested = [b"{\"a\":".repeat(100_000), b"1".to_vec()].concat();
    let rejection = event(&intake(), "push", None, &nested).unwrap_err();
    assert!(rejection.reason.contains("recursion limit"), "{}", rejection.reason);
    assert!(rejection.payload.len() <= MAX_PAYLOAD_BYTES);
}

#[test]
fn an_event_name_that_is_no_name_is_rejected() {
    for name in ["", "Push", "pull request", "../push", "push\0", "1", &"x".repeat(65)] {
        let rejection = event(&intake(), name, None, b"{}").unwrap_err();
        assert!(rejection.reason.contains("is not the name of a GitHub event"), "{name}");
    }
}

#[test]
fn long_texts_nul_bytes_addresses_and_secrets_do_not_get_through() {
    let payload = json!({
        "action": "opened\u{0}",
        "issue": {"number": 1, "title": format!("jane@example.org \u{0}{}", "x".repeat(1 << 20)), "state": "o\u{0}pen"},
        "sender": {"login": "octo\u{1b}[31m"},
        "client_secret": "hunter2",
    });
    let event = normal("issues", &payload);
    assert!(event.title.starts_with("[email]  xxx") && event.title.ends_with('…'), "{}", event.title);
    assert_eq!(event.title.len(), limit::TITLE);
    assert_eq!((event.actor.as_str(), event.kind.as_str()), ("octo [31m", "issues.opened"));
    assert_eq!(event.attributes.get("issues.state"), Some("o\u{fffd}pen"));
    assert_eq!(event.attributes.get("client_secret"), Some("[secret]"));
}

#[test]
fn a_folder_and_a_zip_of_the_same_payloads_give_the_same_events() {
    let folder = tempfile::tempdir().unwrap();
    let zip_path = folder.path().join("all.zip");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&zip_path).unwrap());
    let options = zip::write::SimpleFileOptions::default();
    for (name, body) in [
        ("issues/1.payload.json", "{\"action\":\"closed\"}"),
        ("issues/broken.payload.json", "{"),
        ("LICENSE", "text"),
        ("push.payload.json", "{}"),
        ("1.json", "{}"),
    ] {
        let path = folder.path().join("in").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, body).unwrap();
        zip.start_file(name, options).unwrap();
        zip.write_all(body.as_bytes()).unwrap();
    }
    zip.finish().unwrap();

    let summary = |path: &std::path::Path| {
        let mut found: Vec<_> = read(intake(), path)
            .unwrap()
            .map(|item| match item {
                Ok(event) => (event.kind, event.event_id),
                Err(rejection) => (rejection.place.clone(), rejection.letter_id),
            })
            .collect();
        found.sort();
        found
    };
    let from_folder = summary(&folder.path().join("in"));
    let names: Vec<_> = from_folder.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["1.json", "issues.closed", "issues/broken.payload.json", "push"]);
    assert_eq!(summary(&zip_path), from_folder);
}

#[test]
fn a_zip_bomb_is_refused_entry_by_entry_and_the_rest_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bomb.zip");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    let options = zip::write::SimpleFileOptions::default();
    zip.start_file("push/bomb.payload.json", options).unwrap();
    let zeros = vec![b' '; 1 << 20];
    for _ in 0..=(MAX_ENTRY_BYTES >> 20) {
        zip.write_all(&zeros).unwrap();
    }
    zip.start_file("push/payload.json", options).unwrap();
    zip.write_all(b"{}").unwrap();
    zip.finish().unwrap();

    let found: Vec<_> = read(intake(), &path).unwrap().collect();
    assert_eq!(found.len(), 2);
    let bomb = found[0].as_ref().unwrap_err();
    assert_eq!(bomb.place, "push/bomb.payload.json");
    assert_eq!(bomb.reason, "larger than 32 MiB, which no webhook payload is");
    assert_eq!(found[1].as_ref().unwrap().kind, "push");
}

#[test]
fn what_is_neither_a_folder_nor_a_zip_is_an_error_that_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.json");
    std::fs::write(&path, "{}").unwrap();
    let said = read(intake(), &path).map(drop).unwrap_err().to_string();
    assert!(said.contains("x.json: expected a folder or a zip of webhook payloads"), "{said}");
    let said = read(intake(), &folder.path().join("absent")).map(drop).unwrap_err().to_string();
    assert!(said.contains("absent: cannot be read"), "{said}");
}

#[test]
fn neither_the_action_nor_the_event_name_carries_a_secret_into_the_kind() {
    let payload = json!({"action": "opened by jane@example.org"});
    let opened = normal("issues", &payload);
    assert_eq!(
        (opened.action.as_str(), opened.kind.as_str()),
        ("opened by [email]", "issues.opened by [email]")
    );
    let named = normal("ghp_a1b2c3d4e5f6g7h8i9j0", &payload);
    assert_eq!(named.kind, "[secret].opened by [email]");
    let straddling = format!("{} ghp_A1b2C3d4E5f6G7h8I9j0", "a".repeat(50));
    let cut = normal("issues", &json!({"action": straddling}));
    assert_eq!(cut.action, format!("{} [secret]", "a".repeat(50)));
}
