//! However often, in whatever order and by however many writers a delivery comes in, it is one event, and the tables
//! are the same as if all had come once and in order.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use events::digest::{Digest, Period, Request, digest};
use events::query::{self, CATALOGUE};
use events::source::github;
use events::writer::{DurableOptions, EventWriter};
use events::{Client, Event, Intake, Normalised};

use crate::harness::{
    OWN_EVENTS, OWN_REJECTIONS, ROLLUP_DIFFERENCES, RealDeliveries, TestEvents, TestShards, ask,
    own_deliveries, shuffled,
};

const TIMES: i64 = 10;
const TASKS: usize = 4;

fn intake(minute: i64) -> Intake {
    let start: DateTime<Utc> = "2024-06-01T12:00:00Z".parse().unwrap();
    Intake::new("default", start + TimeDelta::minutes(minute))
}

/// Every delivery ten times, each time at a later time of arrival, in random order from four tasks, which share as
/// many writers as there are `urls`.
async fn redeliver(urls: &[String]) {
    let real = RealDeliveries::find();
    let all: Vec<_> = (0..TIMES)
        .flat_map(|time| {
            let mut all = own_deliveries(&intake(time));
            all.extend(real.iter().flat_map(|real| real.at(&intake(time))));
            all
        })
        .collect();
    let distinct = OWN_EVENTS + real.map_or(0, |real| real.distinct());
    let all = shuffled(all, 1);

    let folders: Vec<_> = urls.iter().map(|_| tempfile::tempdir().unwrap()).collect();
    let mut writers = Vec::new();
    for (folder, url) in folders.iter().zip(urls) {
        let client = Client::connect(url).await.unwrap();
        let writer = EventWriter::open(folder.path(), &client, DurableOptions::default()).unwrap();
        writers.push(Arc::new(writer));
    }
    let tasks: Vec<_> = all
        .chunks(all.len().div_ceil(TASKS))
        .enumerate()
        .map(|(number, part)| {
            let (writer, part) = (writers[number % writers.len()].clone(), part.to_vec());
            tokio::spawn(async move {
                for (number, few) in part.chunks(7).enumerate() {
                    let _ = writer.append(few.to_vec()).await.unwrap();
                    // So that there are several batches with copies of the same events.
                    if number % 50 == 49 {
                        writer.flush().await.unwrap();
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    for writer in &writers {
        writer.flush().await.unwrap();
    }
    for url in urls {
        assert_eq!(ask(url, "SELECT count() FROM events FINAL").await, distinct.to_string());
        assert_eq!(ask(url, "SELECT uniqExactMerge(events) FROM events_daily").await, distinct.to_string());
        assert_eq!(ask(url, ROLLUP_DIFFERENCES).await, "0");
        let letters = "SELECT count() FROM dead_letters FINAL";
        assert_eq!(ask(url, letters).await, OWN_REJECTIONS.to_string());
    }
}

#[tokio::test]
async fn every_delivery_of_every_source_ten_times_in_any_order_from_four_tasks_is_one_event() {
    let database = TestEvents::migrated().await;
    redeliver(&[database.url().to_owned()]).await;
}

#[tokio::test]
async fn every_delivery_of_every_source_ten_times_through_both_of_two_shards_is_one_event() {
    let shards = TestShards::migrated().await;
    redeliver(&shards.urls()).await;
}

/// Events of three months, of which some happened long before they arrived; each has its own time of arrival.
fn events() -> Vec<Event> {
    let issue = |number: i64| {
        let at: DateTime<Utc> = "2024-05-01T00:00:00Z".parse().unwrap();
        let late = if number % 10 == 0 { TimeDelta::days(40) } else { TimeDelta::zero() };
        let at = at + TimeDelta::minutes(number * 7919 % 80_000) - late;
        let body = serde_json::json!({
            "action": if number % 3 == 0 { "closed" } else { "opened" },
            "issue": {"number": number, "title": format!("Part {number}"), "updated_at": at},
            "repository": {"full_name": format!("acme/rocket{}", number % 3)},
            "sender": {"login": format!("person{}", number % 7)},
        });
        github::event(&intake(number), "issues", None, body.to_string().as_bytes()).unwrap()
    };
    let own = own_deliveries(&intake(0)).into_iter().flatten();
    let real = RealDeliveries::find().map(|real| real.at(&intake(0))).unwrap_or_default();
    (0..2000).map(issue).chain(own).chain(real.into_iter().flatten()).collect()
}

/// What everybody who reads can see.
#[derive(Debug, PartialEq)]
struct Seen {
    events: String,
    daily: String,
    digests: Vec<Digest>,
    queries: BTreeMap<&'static str, query::Table>,
}

async fn written(url: &str, portions: impl IntoIterator<Item = Vec<Event>>) -> Seen {
    let folder = tempfile::tempdir().unwrap();
    let client = Client::connect(url).await.unwrap();
    let writer = EventWriter::open(folder.path(), &client, DurableOptions::default()).unwrap();
    for portion in portions {
        let items: Vec<Normalised> = portion.into_iter().map(Ok).collect();
        let _ = writer.append(items).await.unwrap();
        writer.flush().await.unwrap();
    }
    let mut digests = Vec::new();
    for (scope, period) in [("repo:acme/rocket1", Period::Week), ("org:acme", Period::All)] {
        let request = Request::new(scope.parse().unwrap(), period, "2024-06-20T00:00:00Z".parse().unwrap());
        digests.push(digest(&client, &request).await.unwrap());
    }
    let mut queries = BTreeMap::new();
    for query in CATALOGUE {
        let required = query.parameters.iter().filter(|parameter| parameter.default.is_none());
        let values =
            required.map(|parameter| (parameter.name.to_owned(), "acme/rocket1".to_owned())).collect();
        queries.insert(query.name, query::run(&client, query.name, &values).await.unwrap());
    }
    let daily = "SELECT tenant, day, kind, source, uniqExactMerge(events) FROM events_daily GROUP BY ALL ORDER BY ALL";
    Seen {
        events: ask(url, "SELECT * FROM events FINAL ORDER BY event_id").await,
        daily: ask(url, daily).await,
        digests,
        queries,
    }
}

#[tokio::test]
async fn late_and_unordered_input_gives_the_same_tables_digests_and_queries_as_ordered_input() {
    let mut ordered = events();
    ordered.sort_by_key(|event| (event.occurred_at, event.event_id));
    ordered.dedup_by_key(|event| event.event_id);
    let in_order = TestEvents::migrated().await;
    let expected = written(in_order.url(), [ordered.clone()]).await;
    assert_eq!(expected.events.lines().count(), ordered.len());

    // Each twice, and in portions that are sent one by one.
    let twice = shuffled([ordered.clone(), ordered].concat(), 2);
    let in_no_order = TestEvents::migrated().await;
    let portions: Vec<_> = twice.chunks(twice.len().div_ceil(6)).map(<[Event]>::to_vec).collect();
    let found = written(in_no_order.url(), portions).await;
    assert_eq!(found, expected);

    let shards = TestShards::migrated().await;
    let found = written(&shards.urls()[1], [twice]).await;
    assert_eq!(found, expected);
}
