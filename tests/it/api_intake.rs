//! Events that come in over HTTP: from every sender, with and without ClickHouse.

use std::time::Duration;

use serde_json::{Value, json};

use crate::api::{SECRET, Server, signature, signature_of};
use crate::harness::{Gate, TestEvents, deadline};

const TOKEN: (&str, &str) = ("Authorization", "Bearer hush-hush-token-of-the-tests");

fn taken(logged: u64, duplicate: u64, dead: u64) -> (u16, Value) {
    (202, json!({"logged": logged, "duplicate": duplicate, "dead": dead}))
}

#[tokio::test]
async fn every_sender_s_events_are_taken_once_and_nobody_s_without_proof() {
    let mut server = Server::start("auto").await;
    let gitlab =
        r#"{"object_kind":"push","user_username":"octo","project":{"path_with_namespace":"acme/rocket"}}"#;
    let bitbucket = r#"{"actor":{"nickname":"octo"},"repository":{"full_name":"acme/rocket"}}"#;
    let signed = signature_of(SECRET, bitbucket);
    let event = r#"{"kind":"build.finished","time":"2024-05-01T10:00:00Z","id":"1"}"#;
    let lines =
        format!("{event}\n{event}\n{{\"kind\":\"build.started\",\"time\":\"2024-05-01T09:00:00Z\"}}\nnone\n");
    let page =
        r#"{"kind":"page.viewed","time":"2024-05-01T10:00:00Z","url":"https://github.com/acme/rocket"}"#;
    let binary = [
        ("ce-specversion", "1.0"),
        ("ce-id", "1"),
        ("ce-source", "/ci"),
        ("ce-type", "com.acme.built"),
        TOKEN,
    ];
    let batch = r#"[{"specversion":"1.0","id":"2","source":"/ci","type":"com.acme.built"}]"#;
    let batched = [("Content-Type", "application/cloudevents-batch+json"), TOKEN];
    type Sent<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str, (u16, Value), (u16, Value));
    let gitlab_headers = [("X-Gitlab-Token", SECRET), ("Idempotency-Key", "1")];
    let bitbucket_headers =
        [("X-Event-Key", "repo:push"), ("X-Request-UUID", "1"), ("X-Hub-Signature", signed.as_str())];
    let all: [Sent<'_>; 6] = [
        ("POST /webhooks/gitlab", &gitlab_headers, gitlab, taken(1, 0, 0), taken(0, 1, 0)),
        ("POST /webhooks/bitbucket", &bitbucket_headers, bitbucket, taken(1, 0, 0), taken(0, 1, 0)),
        ("POST /events", &[TOKEN], &lines, taken(4, 0, 1), taken(0, 4, 1)),
        ("POST /events/browser", &[TOKEN], page, taken(1, 0, 0), taken(0, 1, 0)),
        ("POST /events/cloudevents", &binary, "", taken(1, 0, 0), taken(0, 1, 0)),
        ("POST /events/cloudevents", &batched, batch, taken(1, 0, 0), taken(0, 1, 0)),
    ];
    for (head, headers, body, first, again) in all {
        assert_eq!(server.send(head, headers, body).await, first, "{head}");
        assert_eq!(server.send(head, headers, body).await, again, "{head}");
        for wrong in
            [("X-Gitlab-Token", "x"), ("X-Hub-Signature", "sha256=00"), ("Authorization", "Bearer x")]
        {
            assert_eq!(
                server.send(head, &[wrong, ("X-Event-Key", "repo:push")], body).await.0,
                401,
                "{head}"
            );
        }
    }
    server.has_events(7).await;
    // What is in the log is sent by then, the dead letter too.
    assert_eq!(server.stop().await, Some(0));
    let letters = server.events.execute("SELECT count(), any(place) FROM dead_letters FINAL").await;
    assert_eq!(letters.trim(), "1\trequest:4");
    let viewer = server.events.execute("SELECT actor FROM events WHERE source = 'browser'").await;
    assert_eq!(viewer.trim(), "octo");
}

#[tokio::test]
async fn an_editor_gets_the_answers_that_it_knows_and_its_heartbeats_are_its_owner_s() {
    let server = Server::start("auto").await;
    // The token, as wakatime-cli sends it.
    let token = ("Authorization", "Basic aHVzaC1odXNoLXRva2VuLW9mLXRoZS10ZXN0cw==");
    let good =
        r#"{"entity":"/home/octo/rocket/src/main.rs","type":"file","time":1714557600.5,"category":"coding"}"#;
    let body = format!("[{good},{{\"type\":\"file\"}}]");
    let (status, answer) = server.send("POST /users/current/heartbeats.bulk", &[token], &body).await;
    assert_eq!((status, &answer["responses"][0]), (202, &json!([{"data": null}, 201])));
    assert_eq!(answer["responses"][1][1], 400);
    assert!(answer["responses"][1][0]["error"].as_str().unwrap().contains("entity"), "{answer}");
    let (status, answer) = server.send("POST /users/current/heartbeats", &[token], good).await;
    assert_eq!((status, answer), (201, json!({"data": null})));
    server.has_events(1).await;
    let row = server.events.execute("SELECT actor, subject FROM events").await;
    assert_eq!(row.trim(), "octo\t~/rocket/src/main.rs");
}

#[tokio::test]
async fn the_payload_of_a_webhook_is_kept_without_addresses() {
    let mut server = Server::start("auto").await;
    let body = r#"{"action":"opened","sender":{"login":"octo"},"issue":{"number":1,"body":"mail octo@example.org"}}"#;
    let signed = signature_of(SECRET, body);
    let headers =
        [("X-GitHub-Event", "issues"), ("X-GitHub-Delivery", "9"), ("X-Hub-Signature-256", &*signed)];
    assert_eq!(server.send("POST /webhooks/github", &headers, body).await, taken(1, 0, 0));
    assert_eq!(server.stop().await, Some(0));
    let kept = server
        .events
        .execute("SELECT p.payload, p.actor, e.kind FROM event_payloads AS p FINAL JOIN events AS e USING (tenant, event_id)")
        .await;
    let expected = body.replace("octo@example.org", "[email]");
    assert_eq!(kept.trim(), format!("{expected}\tocto\tissues.opened"));
}

#[tokio::test]
async fn while_clickhouse_is_away_from_the_start_events_are_acknowledged_and_are_sent_once_it_is_there() {
    let events = TestEvents::empty().await;
    let gate = Gate::open(events.url()).await;
    gate.set_open(false);
    let mut server = Server::start_with(events, &gate.url, &[], &[]).await;
    assert_eq!(server.deliver(&signature(SECRET)).await, taken(1, 0, 0));
    let (status, readiness) = server.send("GET /health/ready", &[], "").await;
    let stores = readiness["stores"].as_array().unwrap();
    let is_ready = |name: &str| stores.iter().find(|store| store["name"] == name).unwrap()["ready"] == true;
    assert_eq!((status, is_ready("log"), is_ready("events")), (200, true, false), "{readiness}");
    gate.set_open(true);
    server.has_events(1).await;
    // The table has them a moment before the writer knows.
    deadline(Duration::from_secs(60), "the metrics tell that it is sent", async || {
        let (_, metrics) = server.send("GET /metrics", &[], "").await;
        let lines = ["sent_total 1", "acknowledged_total 1", "parked_rows 0", "lag_seconds 0"];
        let is_told = |line: &&str| metrics.as_str().unwrap().contains(&format!("archer_events_{line}\n"));
        lines.iter().all(is_told).then_some(())
    })
    .await;
    gate.set_open(false);
    assert_eq!(server.deliver(&signature(SECRET)).await, taken(0, 1, 0));
    assert_eq!(server.stop().await, Some(0));
}

#[tokio::test]
async fn what_there_is_no_room_for_is_refused_with_when_to_try_again_and_what_is_too_large_or_packed_at_all()
{
    let events = TestEvents::empty().await;
    let gate = Gate::open(events.url()).await;
    gate.set_open(false);
    let server = Server::start_with(events, &gate.url, &["--events-log-max", "1", "--grace", "1"], &[]).await;
    let mut state = 1_u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("{state:x}")
    };
    let mut refused = None;
    for round in 0..200 {
        let lines: String = (0..100)
            .map(|number| {
                let title: String = (0..25).map(|_| noise()).collect();
                format!(
                    "{{\"kind\":\"k\",\"time\":\"2024-05-01T10:00:00Z\",\"id\":\"{round}/{number}\",\"title\":\"{title}\"}}\n"
                )
            })
            .collect();
        let (status, head, answer) = server.ask("POST /events", &[TOKEN], &lines).await;
        if status != 202 {
            refused = Some((status, head, answer));
            break;
        }
    }
    let (status, head, answer) = refused.expect("a log of a MiB gets full");
    assert_eq!(status, 503, "{answer}");
    assert!(head.contains("retry-after: 5"), "{head}");
    assert!(answer["error"].as_str().unwrap().starts_with("the log is full"), "{answer}");
    let (status, _) = server.send("POST /events", &[TOKEN], &"x".repeat((25 << 20) + 1)).await;
    assert_eq!(status, 413);
    let (status, answer) = server.send("POST /events", &[TOKEN, ("Content-Encoding", "gzip")], "x").await;
    assert_eq!(status, 415, "{answer}");
}

#[tokio::test]
async fn what_was_acknowledged_just_before_it_is_told_to_stop_is_sent_at_its_end() {
    let mut server = Server::start("auto").await;
    assert_eq!(server.deliver(&signature(SECRET)).await, taken(1, 0, 0));
    assert_eq!(server.stop().await, Some(0));
    assert_eq!(server.events.execute("SELECT count() FROM events").await.trim(), "1");
}

#[tokio::test]
async fn where_gitlab_signs_its_webhooks_a_secret_alone_is_not_enough() {
    let events = TestEvents::empty().await;
    let url = events.url().to_owned();
    let token = ("GITLAB_SIGNING_TOKEN", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let server = Server::start_with(events, &url, &[], &[token]).await;
    let body = r#"{"object_kind":"push","user_username":"octo"}"#;
    let (id, time) = (("webhook-id", "9"), ("webhook-timestamp", "1714557600"));
    let signature = ("webhook-signature", "v1,Dc0g5Zqow3uOISa115LQnZ6MsmEqpYaENC/dAv4kKx4=");
    let secret = ("X-Gitlab-Token", SECRET);
    let path = "POST /webhooks/gitlab";
    assert_eq!(server.send(path, &[id, time, signature], body).await, taken(1, 0, 0));
    assert_eq!(server.send(path, &[id, time, signature], body).await, taken(0, 1, 0));
    for wrong in [&[secret][..], &[secret, id, time], &[secret, ("webhook-id", "8"), time, signature]] {
        assert_eq!(server.send(path, wrong, body).await.0, 401);
    }
    server.has_events(1).await;
    let delivery = server.events.execute("SELECT attributes['delivery'] FROM events").await;
    assert_eq!(delivery.trim(), "9");
}
