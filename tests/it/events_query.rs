//! Queries: each one on a migrated server, typed and by its catalogue entry, and SQL of one's own.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use events::query::{
    self, CATALOGUE, Filter, busiest_repositories, counts_by_kind_and_day, most_active_people, timeline,
};
use events::source::github;
use events::writer::{self, Options};
use events::{Client, Error, Intake};
use serde_json::json;

use crate::harness::TestEvents;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Five events of two people and a bot in two repositories, of which one was delivered twice.
async fn with_events() -> (TestEvents, Client) {
    let database = TestEvents::migrated().await;
    let client = Client::connect(database.url()).await.unwrap();
    let event = |delivery: &str, event_name: &str, repository: &str, actor: &str, time: &str| {
        let body = json!({
            "action": if event_name == "push" { json!(null) } else { json!("opened") },
            "issue": {"title": format!("Title {delivery}"), "number": 1, "updated_at": time},
            "repository": {"full_name": repository, "pushed_at": time},
            "sender": {"login": actor},
        });
        let intake = Intake::new("default", at("2024-06-01T12:00:00Z"));
        github::event(&intake, event_name, Some(delivery), body.to_string().as_bytes())
    };
    let items = vec![
        event("1", "push", "acme/rocket", "octo", "2024-05-01T10:00:00Z"),
        event("2", "issues", "acme/rocket", "octo", "2024-05-01T23:30:00Z"),
        event("3", "issues", "acme/rocket", "hubot[bot]", "2024-05-02T10:00:00Z"),
        event("4", "push", "acme/moon", "monalisa", "2024-05-02T10:00:00Z"),
        event("5", "push", "acme/rocket", "octo", "2024-05-02T10:00:00Z"),
    ];
    writer::write(&client, items, Options::default(), |_| {}).await.unwrap();
    database
        .execute(
            "INSERT INTO events (tenant, event_id, source, kind, action, repository, actor, occurred_at, received_at)
             SELECT tenant, event_id, source, kind, action, repository, actor, occurred_at, received_at + 1
             FROM events LIMIT 1 SETTINGS async_insert = 0",
        )
        .await;
    (database, client)
}

fn params(values: &[(&str, &str)]) -> BTreeMap<String, String> {
    values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test]
async fn every_query_of_the_catalogue_runs_and_its_columns_fit_its_row() {
    let (_database, client) = with_events().await;
    // The typed read checks every name and type against the row; it needs a row to do so.
    assert_eq!(busiest_repositories::fetch(&client, &Default::default()).await.unwrap().len(), 2);
    assert_eq!(counts_by_kind_and_day::fetch(&client, &Default::default()).await.unwrap().len(), 4);
    assert_eq!(most_active_people::fetch(&client, &Default::default()).await.unwrap().len(), 2);
    let filter = Filter { repository: Some("acme/rocket".into()), ..Filter::default() };
    let entries = timeline::Parameters { filter, ..Default::default() };
    assert_eq!(timeline::fetch(&client, &entries).await.unwrap().len(), 4);

    for query in CATALOGUE {
        let required = query.parameters.iter().filter(|parameter| parameter.default.is_none());
        let values =
            required.map(|parameter| (parameter.name.to_owned(), "acme/rocket".to_owned())).collect();
        let table = query::run(&client, query.name, &values).await.unwrap();
        assert!(!table.columns.is_empty() && !table.rows.is_empty(), "{}", query.name);
    }
}

#[tokio::test]
async fn counts_are_by_local_day_and_count_a_redelivery_once() {
    let (_database, client) = with_events().await;
    let of = async |time_zone: &str| {
        let parameters =
            counts_by_kind_and_day::Parameters { time_zone: Some(time_zone.into()), ..Default::default() };
        let rows = counts_by_kind_and_day::fetch(&client, &parameters).await.unwrap();
        rows.into_iter()
            .map(|row| format!("{} {} {} {}", row.day, row.kind, row.events, row.people))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        of("UTC").await,
        [
            "2024-05-02 push 2 2",
            "2024-05-02 issues.opened 1 1",
            "2024-05-01 issues.opened 1 1",
            "2024-05-01 push 1 1"
        ]
    );
    assert_eq!(
        of("Europe/Paris").await,
        ["2024-05-02 issues.opened 2 2", "2024-05-02 push 2 2", "2024-05-01 push 1 1"]
    );
}

#[tokio::test]
async fn filters_narrow_by_half_open_period_kind_family_actor_and_tenant() {
    let (_database, client) = with_events().await;
    let count = async |filter: Filter| {
        let parameters = busiest_repositories::Parameters { filter, limit: None };
        let rows = busiest_repositories::fetch(&client, &parameters).await.unwrap();
        rows.iter().map(|row| row.events).sum::<u64>()
    };
    assert_eq!(count(Filter::default()).await, 5);
    assert_eq!(count(Filter { until: Some(at("2024-05-02T10:00:00Z")), ..Default::default() }).await, 2);
    assert_eq!(count(Filter { from: Some(at("2024-05-02T10:00:00Z")), ..Default::default() }).await, 3);
    assert_eq!(count(Filter { kind: Some("issues".into()), ..Default::default() }).await, 2);
    assert_eq!(count(Filter { kind: Some("issues.opened".into()), ..Default::default() }).await, 2);
    assert_eq!(count(Filter { kind: Some("issue".into()), ..Default::default() }).await, 0);
    assert_eq!(count(Filter { actor: Some("octo".into()), ..Default::default() }).await, 3);
    assert_eq!(count(Filter { tenant: Some("other".into()), ..Default::default() }).await, 0);
    assert_eq!(
        count(Filter { actor: Some("'; DROP TABLE events; --\t\\".into()), ..Default::default() }).await,
        0
    );
}

#[tokio::test]
async fn people_are_ranked_without_bots_unless_they_are_asked_for() {
    let (_database, client) = with_events().await;
    let names = async |bots: Option<bool>| {
        let parameters = most_active_people::Parameters { bots, ..Default::default() };
        let rows = most_active_people::fetch(&client, &parameters).await.unwrap();
        rows.into_iter().map(|row| (row.actor, row.events, row.repositories)).collect::<Vec<_>>()
    };
    assert_eq!(names(None).await, [("octo".to_owned(), 3, 1), ("monalisa".to_owned(), 1, 1)]);
    assert_eq!(names(Some(true)).await.len(), 3);
}

#[tokio::test]
async fn the_pages_of_a_timeline_join_without_a_gap_or_an_overlap() {
    let (_database, client) = with_events().await;
    let page = async |until, before_id, limit| {
        let filter = Filter { repository: Some("acme/rocket".into()), until, ..Filter::default() };
        timeline::fetch(&client, &timeline::Parameters { filter, before_id, limit: Some(limit) })
            .await
            .unwrap()
    };
    let whole = page(None, None, 100).await;
    assert_eq!(whole.len(), 4);
    let mut joined = page(None, None, 1).await;
    while let Some(last) = joined.last().cloned() {
        let next = page(Some(last.occurred_at), Some(last.event_id), 1).await;
        if next.is_empty() {
            break;
        }
        joined.extend(next);
    }
    assert_eq!(joined, whole);
}

#[tokio::test]
async fn a_query_by_name_takes_texts_and_gives_typed_columns() {
    let (_database, client) = with_events().await;
    let table =
        query::run(&client, "busiest_repositories", &params(&[("limit", "1"), ("from", "2024-05-01")]))
            .await
            .unwrap();
    let columns: Vec<_> =
        table.columns.iter().map(|column| format!("{} {}", column.name, column.r#type)).collect();
    assert_eq!(
        columns,
        [
            "repository String",
            "events UInt64",
            "people UInt64",
            "kinds UInt64",
            "last_at DateTime64(3, 'UTC')"
        ]
    );
    assert_eq!(
        table.rows,
        [vec![json!("acme/rocket"), json!(4), json!(2), json!(2), json!("2024-05-02 10:00:00.000")]]
    );
    assert!(!table.is_truncated);
}

#[tokio::test]
async fn a_wrong_name_or_value_says_what_was_expected() {
    let database = TestEvents::migrated().await;
    let client = Client::connect(database.url()).await.unwrap();
    let said = async |name: &str, values: &[(&str, &str)]| {
        query::run(&client, name, &params(values)).await.unwrap_err().to_string()
    };
    assert!(said("timelines", &[]).await.contains("did you mean `timeline`?"));
    assert!(
        said("timeline", &[])
            .await
            .contains("`repository` of query `timeline`: expected a text, but it is missing")
    );
    assert!(
        said("timeline", &[("repo", "x")]).await.contains("no parameter `repo` (did you mean `repository`?)")
    );
    assert!(
        said("timeline", &[("repository", "x"), ("limit", "many")])
            .await
            .contains("whole number from 1 to 10000, got \"many\"")
    );
    let error = query::run(&client, "counts_by_kind_and_day", &params(&[("time_zone", "Mars/Base")]))
        .await
        .unwrap_err();
    assert!(matches!(&error, Error::TimeZone { given } if given == "Mars/Base"), "{error:?}");
}

#[tokio::test]
async fn raw_sql_reads_whatever_its_types_and_question_marks() {
    let database = TestEvents::migrated().await;
    let client = Client::connect(database.url()).await.unwrap();
    let sql = "SELECT '?' AS a, toUInt64(18446744073709551615) AS b, toUInt256('115792089237316195423570985008687907853269984665640564039457584007913129639935') AS c,
               [1, NULL] AS d, map('k', 'v') AS e, toDecimal64('1.10', 2) AS f, unhex('ff') AS g, nan AS h, NULL AS i;";
    let table = query::raw(&client, sql).await.unwrap();
    let big = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
    let expected = [
        json!("?"),
        json!(u64::MAX),
        json!(big),
        json!([1, null]),
        json!({"k": "v"}),
        json!("1.10"),
        json!("\u{fffd}"),
        json!("nan"),
        json!(null),
    ];
    assert_eq!(table.rows, [expected.to_vec()]);
    let tables = query::raw(&client, "SHOW TABLES").await.unwrap().rows;
    assert!(tables.contains(&vec![json!("events")]), "{tables:?}");
    assert_eq!(query::raw(&client, "SELECT 1 WHERE 0").await.unwrap().columns.len(), 1);
}

#[tokio::test]
async fn raw_sql_cannot_write_reach_out_or_lift_its_bounds() {
    let database = TestEvents::migrated().await;
    let client = Client::connect(database.url()).await.unwrap();
    for sql in [
        "INSERT INTO events (tenant) VALUES ('x')",
        "DROP TABLE events",
        "CREATE TABLE x (a UInt8) ENGINE = Memory",
        "SET max_execution_time = 0",
        "KILL QUERY WHERE 1",
        "BACKUP TABLE events TO Memory('copy')",
    ] {
        let error = query::raw(&client, sql).await.unwrap_err();
        assert!(matches!(error, Error::NoQuestion { .. }), "{sql}: {error}");
    }
    let lifted = query::raw(&client, "SELECT 1 SETTINGS max_result_rows = 0").await;
    assert_eq!(lifted.unwrap_err().code(), Some(164));
    for sql in [
        "SELECT * FROM url('http://127.0.0.1:1/', LineAsString)",
        "SELECT * FROM file('/etc/hostname', LineAsString)",
        "SELECT * FROM remote('127.0.0.1:1', system.one)",
    ] {
        let error = query::raw(&client, sql).await.unwrap_err();
        // Not granted, or to one who is granted it, not read-only.
        assert!(matches!(error.code(), Some(497 | 164)), "{sql}: {error}");
    }
    assert_eq!(query::raw(&client, "SELECT (").await.unwrap_err().code(), Some(62));
    let many = query::raw(&client, "SELECT number FROM numbers(1000000)").await.unwrap();
    assert_eq!((many.rows.len(), many.is_truncated), (query::MAX_ROWS, true));
    let exactly = query::raw(&client, "SELECT number FROM numbers(10000)").await.unwrap();
    assert_eq!((exactly.rows.len(), exactly.is_truncated), (query::MAX_ROWS, false));
    let late = query::raw(
        &client,
        "SELECT throwIf(number = 900000) FROM numbers(1000000) SETTINGS max_block_size = 1000",
    )
    .await;
    assert_eq!(late.unwrap_err().code(), Some(164));
    let error = query::raw(&client, "SELECT 1 FORMAT CSV").await.unwrap_err();
    assert!(error.to_string().contains("leave FORMAT out"), "{error}");
}

#[tokio::test]
async fn a_result_of_too_many_bytes_is_cut_at_a_row_and_says_so() {
    let database = TestEvents::migrated().await;
    let client = Client::connect(database.url()).await.unwrap();
    let bytes = |table: &query::Table| {
        table.rows.iter().flatten().map(|value| value.as_str().unwrap().len() as u64).sum::<u64>()
    };
    for text in ["repeat('x', 100000)", "materialize(repeat('x', 100000))"] {
        let sql = format!("SELECT {text} AS text FROM numbers(5000)");
        let table = query::raw(&client, &sql).await.unwrap();
        assert!(table.is_truncated, "{sql}");
        let room = query::MAX_BYTES - bytes(&table);
        assert!(room < 200_000, "{sql}: {room}");
    }
    let long = "SELECT if(number = 1, repeat(repeat('x', 100), 200000), 'y') AS text FROM numbers(3)";
    let table = query::raw(&client, long).await.unwrap();
    assert_eq!((table.rows, table.is_truncated), (vec![vec![json!("y")]], true));
    let whole = query::raw(&client, "SELECT repeat('x', 1000) AS text FROM numbers(9000)").await.unwrap();
    assert_eq!((bytes(&whole), whole.is_truncated), (9_000_000, false));
}
