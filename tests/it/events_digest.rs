//! Digests: what they count, and when they are a new revision.

use chrono::{DateTime, Utc};
use events::digest::{Digest, Period, Request, Scope, digest};
use events::source::github;
use events::writer::{self, Options};
use events::{Client, Error, Intake, Normalised};
use serde_json::json;

use crate::harness::TestEvents;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn issue(number: u32, repository: &str, actor: &str, time: Option<&str>, received_at: &str) -> Normalised {
    let body = json!({
        "action": "opened",
        "issue": {"number": number, "title": format!("Issue {number}"), "updated_at": time},
        "repository": {"full_name": repository},
        "sender": {"login": actor},
    });
    github::event(&Intake::new("default", at(received_at)), "issues", None, body.to_string().as_bytes())
}

async fn with_events(items: Vec<Normalised>) -> (TestEvents, Client) {
    let database = TestEvents::migrated().await;
    let client = Client::connect(database.url()).await.unwrap();
    writer::write(&client, items, Options::default(), |_| {}).await.unwrap();
    (database, client)
}

fn week(scope: &str) -> Request {
    Request::new(scope.parse().unwrap(), Period::Week, at("2024-05-08T12:00:00Z"))
}

/// Three events in the week to 2024-05-08, one before it, one of another repository, one of no known time.
fn events() -> Vec<Normalised> {
    vec![
        issue(1, "acme/rocket", "octo", Some("2024-05-08T11:59:59.999Z"), "2024-05-08T12:00:01Z"),
        issue(2, "acme/rocket", "octo", Some("2024-05-02T00:00:00Z"), "2024-05-08T12:00:02Z"),
        issue(3, "acme/rocket", "mona", Some("2024-05-02T23:30:00Z"), "2024-05-08T12:00:03Z"),
        issue(4, "acme/rocket", "octo", Some("2024-05-01T23:59:59.999Z"), "2024-05-08T12:00:04Z"),
        issue(5, "acme/moon", "octo", Some("2024-05-03T00:00:00Z"), "2024-05-08T12:00:05Z"),
        issue(6, "acme/rocket", "", None, "2024-05-08T12:00:06Z"),
        issue(7, "acme/rocket", "octo", Some("2024-05-08T12:00:00Z"), "2024-05-08T12:00:07Z"),
    ]
}

fn summary(digest: &Digest) -> (u64, Vec<String>, Vec<String>) {
    let people = digest.people.iter().map(|count| format!("{} {}", count.name, count.events)).collect();
    let days = digest.days.iter().map(|day| format!("{} {}", day.day, day.events)).collect();
    (digest.totals.events, people, days)
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[tokio::test]
async fn a_week_is_its_seven_local_days_up_to_the_end() {
    let (_database, client) = with_events(events()).await;
    let found = digest(&client, &week("repo:acme/rocket")).await.unwrap();
    assert_eq!(summary(&found), (3, texts(&["octo 2", "mona 1"]), texts(&["2024-05-02 2", "2024-05-08 1"])));
    assert_eq!((found.from, found.until), (at("2024-05-02T00:00:00Z"), at("2024-05-08T12:00:00Z")));
    assert_eq!(found.totals.first_at, Some(at("2024-05-02T00:00:00Z")));
    assert_eq!(found.totals.last_at, Some(at("2024-05-08T11:59:59.999Z")));
    assert_eq!(found.watermark, Some(at("2024-05-08T12:00:03Z")));
    let titles: Vec<_> = found.notable.iter().map(|event| event.title.as_str()).collect();
    assert_eq!(titles, ["Issue 1", "Issue 3", "Issue 2"]);

    let paris = Request { time_zone: "Europe/Paris".into(), ..week("repo:acme/rocket") };
    let found = digest(&client, &paris).await.unwrap();
    assert_eq!(found.from, at("2024-05-01T22:00:00Z"));
    assert_eq!(summary(&found).2, ["2024-05-02 2", "2024-05-03 1", "2024-05-08 1"]);
}

#[tokio::test]
async fn a_scope_is_a_repository_an_owner_or_a_person() {
    let (_database, client) = with_events(events()).await;
    let count = async |scope: &str| digest(&client, &week(scope)).await.unwrap().totals.events;
    assert_eq!(count("repo:acme/moon").await, 1);
    assert_eq!(count("org:acme").await, 4);
    assert_eq!(count("org:acm").await, 0);
    assert_eq!(count("user:octo").await, 3);
    assert_eq!(count("user:nobody").await, 0);
}

#[tokio::test]
async fn every_period_begins_at_the_right_local_midnight() {
    let (_database, client) = with_events(Vec::new()).await;
    let from = async |period: Period, until: &str, time_zone: &str| {
        let scope = Scope::User("octo".into());
        let request = Request { time_zone: time_zone.into(), ..Request::new(scope, period, at(until)) };
        digest(&client, &request).await.unwrap().from.to_rfc3339()
    };
    assert_eq!(from(Period::Day, "2024-05-08T12:00:00Z", "UTC").await, "2024-05-08T00:00:00+00:00");
    // A period that ends at midnight has the day before as its last.
    assert_eq!(from(Period::Day, "2024-05-08T00:00:00Z", "UTC").await, "2024-05-07T00:00:00+00:00");
    assert_eq!(from(Period::Day, "2024-05-08T12:00:00Z", "Asia/Tokyo").await, "2024-05-07T15:00:00+00:00");
    // Summer time began on 2024-03-31 in Paris.
    assert_eq!(from(Period::Week, "2024-04-01T12:00:00Z", "Europe/Paris").await, "2024-03-25T23:00:00+00:00");
    assert_eq!(from(Period::Month, "2024-03-31T12:00:00Z", "UTC").await, "2024-03-01T00:00:00+00:00");
    assert_eq!(from(Period::Month, "2024-05-15T12:00:00Z", "UTC").await, "2024-04-16T00:00:00+00:00");
    assert_eq!(from(Period::All, "2024-05-15T12:00:00Z", "UTC").await, "1900-01-01T00:00:00+00:00");
    let zone = Request { time_zone: "Mars/Base".into(), ..week("user:octo") };
    let error = digest(&client, &zone).await.unwrap_err();
    assert!(matches!(&error, Error::TimeZone { given } if given == "Mars/Base"), "{error:?}");
}

#[tokio::test]
async fn events_of_no_known_time_are_counted_apart_and_only_in_all_time() {
    let (_database, client) = with_events(events()).await;
    let request = Request { period: Period::All, ..week("repo:acme/rocket") };
    let found = digest(&client, &request).await.unwrap();
    assert_eq!((found.totals.events, found.totals.undated), (5, 1));
    assert_eq!(found.totals.first_at, Some(at("2024-05-01T23:59:59.999Z")));
    assert_eq!(found.days[0].day.to_string(), "2024-05-01");
    assert!(found.to_string().contains("1 event without a known time"), "{found}");
}

#[tokio::test]
async fn made_again_it_is_the_same_revision_and_a_late_event_makes_a_new_one() {
    let (_database, client) = with_events(events()).await;
    let request = week("repo:acme/rocket");
    let first = digest(&client, &request).await.unwrap();
    assert_eq!(digest(&client, &request).await.unwrap(), first);
    // A redelivery changes nothing.
    let again =
        vec![issue(1, "acme/rocket", "octo", Some("2024-05-08T11:59:59.999Z"), "2024-05-09T00:00:00Z")];
    writer::write(&client, again, Options::default(), |_| {}).await.unwrap();
    assert_eq!(digest(&client, &request).await.unwrap(), first);

    let late = vec![issue(8, "acme/rocket", "mona", Some("2024-05-03T00:00:00Z"), "2024-05-09T00:00:00Z")];
    writer::write(&client, late, Options::default(), |_| {}).await.unwrap();
    let second = digest(&client, &request).await.unwrap();
    assert_ne!(second.revision, first.revision);
    assert_eq!((second.totals.events, second.watermark), (4, Some(at("2024-05-09T00:00:00Z"))));

    let old = Request { watermark: first.watermark, ..request };
    assert_eq!(digest(&client, &old).await.unwrap(), first);
}

#[tokio::test]
async fn asking_later_when_nothing_has_happened_since_is_the_same_revision() {
    let (_database, client) = with_events(events()).await;
    let of = async |until: &str| {
        let request = Request { until: at(until), ..week("repo:acme/rocket") };
        digest(&client, &request).await.unwrap()
    };
    let (early, late) = (of("2024-05-08T13:00:00Z").await, of("2024-05-08T14:00:00Z").await);
    assert_ne!(early, late);
    assert_eq!(early.revision, late.revision);
}

#[tokio::test]
async fn lists_are_cut_and_days_and_totals_are_whole() {
    let items = (0..30).map(|number| {
        let time = format!("2024-04-{:02}T10:00:00Z", number + 1);
        issue(number, "acme/rocket", &format!("person {number:02}"), Some(&time), "2024-05-01T00:00:00Z")
    });
    let (_database, client) = with_events(items.collect()).await;
    let request = Request { until: at("2024-05-01T00:00:00Z"), period: Period::Month, ..week("org:acme") };
    let found = digest(&client, &request).await.unwrap();
    assert_eq!(
        (found.people.len(), found.totals.people, found.days.len(), found.notable.len()),
        (10, 30, 30, 10)
    );
    assert_eq!(found.people[0].name, "person 00");
}

#[tokio::test]
async fn a_digest_of_nothing_is_empty_and_says_so() {
    let (_database, client) = with_events(Vec::new()).await;
    let found = digest(&client, &week("repo:acme/rocket")).await.unwrap();
    assert_eq!(summary(&found), (0, Vec::new(), Vec::new()));
    assert_eq!((found.watermark, found.totals.first_at), (None, None));
    assert!(found.to_string().contains("Nothing happened."), "{found}");
    let json = serde_json::to_value(&found).unwrap();
    assert_eq!((&json["scope"], &json["period"]), (&json!("repo:acme/rocket"), &json!("week")));
}
