//! Erasing a person, and how long events are kept.

use chrono::{DateTime, Utc};
use events::erasure::{self, digest};
use events::retention::{self, Retention};
use events::{Client, Error};
use serde_json::Value;

use crate::harness::{TestEvents, archer, run as process};

fn now() -> DateTime<Utc> {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

/// Three events on two days, two of them octocat's, with payloads, and rejected inputs that name octocat or not.
async fn filled() -> (TestEvents, Client) {
    let database = TestEvents::migrated().await;
    deliver(&database, "octocat", "2026-01-03").await;
    database
        .execute(
            "INSERT INTO dead_letters (tenant, letter_id, source, place, reason, payload, received_at) VALUES
             ('acme', generateUUIDv4(), 'github', 'a', 'bad', '{\"login\":\"Octocat\"}', '2026-01-03 00:00:00'),
             ('acme', generateUUIDv4(), 'github', 'b', 'bad', '{\"login\":\"octocat-bot\"}', '2026-01-03 00:00:00'),
             ('other', generateUUIDv4(), 'github', 'c', 'bad', 'octocat', '2026-01-03 00:00:00')",
        )
        .await;
    let client = Client::connect(database.url()).await.unwrap();
    (database, client)
}

/// What arrives on `day`; the same rows once more would be taken for the same batch.
async fn deliver(database: &TestEvents, actor: &str, day: &str) {
    database
        .execute(&format!(
            "INSERT INTO events (tenant, event_id, source, kind, actor, occurred_at, received_at) VALUES
             ('acme', '00000000-0000-0000-0000-000000000001', 'github', 'push', '{actor}', '2026-01-01 00:00:00', '{day}'),
             ('acme', '00000000-0000-0000-0000-000000000002', 'github', 'push', '{actor}', '2026-01-02 00:00:00', '{day}'),
             ('acme', '00000000-0000-0000-0000-000000000003', 'github', 'push', 'hubot', '2026-01-02 00:00:00', '{day}'),
             ('other', '00000000-0000-0000-0000-000000000004', 'github', 'push', '{actor}', '2026-01-02 00:00:00', '{day}')"
        ))
        .await;
    database
        .execute(
            "INSERT INTO event_payloads (tenant, event_id, source, actor, occurred_at, received_at, payload)
             SELECT tenant, event_id, source, actor, occurred_at, now(), '{}' FROM events FINAL",
        )
        .await;
}

const LEFT: &str = "
SELECT (SELECT groupArray(concat(tenant, ':', actor)) FROM (SELECT tenant, actor FROM events FINAL ORDER BY tenant, actor)),
       (SELECT groupArray(concat(tenant, ':', actor)) FROM (SELECT tenant, actor FROM event_payloads FINAL ORDER BY tenant, actor)),
       (SELECT groupArray(place) FROM (SELECT place FROM dead_letters FINAL ORDER BY place)),
       (SELECT groupArray(concat(toString(day), ':', toString(n))) FROM (
            SELECT day, uniqExactMerge(events) AS n FROM events_daily WHERE tenant = 'acme' GROUP BY day ORDER BY day))";

const WITHOUT_OCTOCAT: &str =
    "['acme:hubot','other:octocat']\t['acme:hubot','other:octocat']\t['b','c']\t['2026-01-02:1']";

#[tokio::test]
async fn a_person_is_erased_from_every_table_and_others_are_not() {
    let (database, client) = filled().await;
    let mut steps = Vec::new();
    let report = erasure::erase(&client, "acme", "octocat", now(), |step| steps.push(step)).await.unwrap();
    assert_eq!(
        report.rows_deleted.into_iter().collect::<Vec<_>>(),
        [("dead_letters", 1), ("event_payloads", 2), ("events", 2)]
    );
    assert_eq!(report.days.iter().map(ToString::to_string).collect::<Vec<_>>(), ["2026-01-01", "2026-01-02"]);
    assert_eq!(database.execute(LEFT).await.trim(), WITHOUT_OCTOCAT);
    assert_eq!(steps.last(), Some(&"counting the days anew"));

    let row = database.execute("SELECT tenant, actor_digest, finished_at > requested_at OR finished_at = requested_at, rows_deleted FROM erasures FINAL").await;
    assert_eq!(
        row.trim(),
        format!("acme\t{}\t1\t{{'dead_letters':1,'event_payloads':2,'events':2}}", digest("acme", "octocat"))
    );
}

#[tokio::test]
async fn a_redelivery_of_an_erased_person_is_known_and_erased_again() {
    let (database, client) = filled().await;
    erasure::erase(&client, "acme", "octocat", now(), |_| {}).await.unwrap();
    assert!(erasure::is_erased(&client, "acme", "octocat").await.unwrap());
    assert!(!erasure::is_erased(&client, "other", "octocat").await.unwrap());
    assert_eq!(erasure::again(&client, now(), |_| {}).await.unwrap(), []);

    deliver(&database, "octocat", "2026-01-04").await;
    let again = erasure::again(&client, now() + chrono::TimeDelta::hours(1), |_| {}).await.unwrap();
    assert_eq!(again.len(), 1);
    assert_eq!(database.execute(LEFT).await.trim(), WITHOUT_OCTOCAT);
}

#[tokio::test]
async fn an_erasure_that_was_interrupted_before_the_counts_is_ended_by_the_next() {
    let (database, client) = filled().await;
    database
        .execute(&format!(
            "INSERT INTO erasures (tenant, actor_digest, requested_at, finished_at, days, rows_deleted)
             SELECT 'acme', '{}', '2026-05-01 00:00:00', toDateTime64(0, 3), [toDate32('2026-01-01'), toDate32('2026-01-02')], map('events', 2)",
            digest("acme", "octocat")
        ))
        .await;
    database.execute("DELETE FROM events WHERE tenant = 'acme' AND actor = 'octocat'").await;
    let report = erasure::erase(&client, "acme", "octocat", now(), |_| {}).await.unwrap();
    assert_eq!((report.rows_deleted["events"], report.days.len()), (0, 2));
    assert_eq!(database.execute(LEFT).await.trim(), WITHOUT_OCTOCAT);
    assert_eq!(
        database.execute("SELECT countIf(toUnixTimestamp(finished_at) = 0) FROM erasures FINAL").await.trim(),
        "0"
    );
}

#[tokio::test]
async fn nobody_is_no_person_to_erase() {
    let (_database, client) = filled().await;
    let refused = erasure::erase(&client, "acme", "", now(), |_| {}).await.unwrap_err();
    assert!(matches!(refused, Error::Input { .. }), "{refused}");
}

#[tokio::test]
async fn retention_is_by_tenant_and_what_is_due_goes() {
    let (database, client) = filled().await;
    assert_eq!(retention::rules(&client).await.unwrap(), [Retention::default_rule()]);
    let rule = |tenant: &str, events_days, payload_days| Retention {
        tenant: tenant.into(),
        events_days,
        payload_days,
    };
    let beyond = retention::set(&client, &rule("", retention::MAX_DAYS + 1, 0), now()).await;
    assert!(beyond.unwrap_err().to_string().contains("expected at most 150000 days"));
    retention::set(&client, &rule("", 0, 0), now()).await.unwrap();
    assert_eq!(database.execute("SELECT count() FROM events").await.trim(), "4");
    // Of unknown time: kept by its arrival.
    database
        .execute("INSERT INTO events (tenant, event_id, source, kind, received_at) VALUES ('acme', generateUUIDv4(), 's', 'k', '2100-01-01 00:00:00')")
        .await;
    retention::set(&client, &rule("acme", retention::MAX_DAYS, 0), now()).await.unwrap();
    for table in ["events", "dead_letters"] {
        database.execute(&format!("OPTIMIZE TABLE {table} FINAL")).await;
    }
    let kept = "SELECT (SELECT count() FROM events FINAL), (SELECT count() FROM dead_letters FINAL)";
    let before = database.execute(kept).await;
    assert_eq!(before.split('\t').next(), Some("5"));
    retention::set(&client, &rule("acme", 1, 1), now()).await.unwrap();
    assert_eq!(retention::rules(&client).await.unwrap(), [rule("", 0, 0), rule("acme", 1, 1)]);
    for table in ["events", "events_daily", "dead_letters"] {
        database.execute(&format!("OPTIMIZE TABLE {table} FINAL")).await;
    }
    let left = "SELECT (SELECT groupArray(tenant || ':' || kind) FROM (SELECT tenant, kind FROM events FINAL ORDER BY tenant)),
                       (SELECT groupArray(place) FROM dead_letters FINAL),
                       (SELECT groupArray(tenant || ':' || kind) FROM (SELECT DISTINCT tenant, kind FROM events_daily ORDER BY tenant))";
    assert_eq!(
        database.execute(left).await.trim(),
        "['acme:k','other:push']\t['c']\t['acme:k','other:push']"
    );
}

#[tokio::test]
async fn the_commands_ask_erase_and_tell() {
    let (database, _client) = filled().await;
    let run = async |arguments: &[&str]| {
        let mut arguments = arguments.to_vec();
        arguments.extend(["--clickhouse-url", database.url()]);
        process(archer(&arguments)).await
    };
    let erase = ["events", "erase", "--tenant", "acme", "--actor", "octocat"];
    let refused = run(&erase).await;
    assert!(refused.code == 1 && refused.stderr.contains("--yes"), "{refused:?}");
    let done = run(&[&erase[..], &["--yes", "--json"]].concat()).await;
    let report: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!((done.code, &report[0]["rows_deleted"]["events"]), (0, &Value::from(2)), "{done:?}");
    assert_eq!(database.execute(LEFT).await.trim(), WITHOUT_OCTOCAT);
    let again = run(&["events", "erase", "--again"]).await;
    assert_eq!(
        (again.code, again.stdout.as_str()),
        (0, "nobody who was erased has come back\n"),
        "{again:?}"
    );

    let set = run(&["events", "retention", "set", "--tenant", "acme", "--events-days", "90", "--yes"]).await;
    assert_eq!(set.code, 0, "{set:?}");
    let shown = run(&["events", "retention", "show", "--json"]).await;
    let rules: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(
        rules[1],
        serde_json::json!({"tenant": "acme", "events_days": 90, "payload_days": 30}),
        "{shown:?}"
    );
    let ddl = run(&["events", "ddl", "--cluster", "main"]).await;
    assert!(ddl.code == 0 && ddl.stdout.contains("events_local ON CLUSTER 'main'"), "{ddl:?}");
}
