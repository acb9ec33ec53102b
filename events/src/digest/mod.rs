//! Digests: what happened in a scope during a period, on one page.
//!
//! A digest counts the events that had arrived by its *watermark*. Unless one is given, that is the arrival of
//! the newest event in it; so a digest made again is the same revision, and an event that arrives late makes a
//! new one. The old one can still be made from its watermark, once every ingest that began before it has ended:
//! an event arrives, by its `received_at`, when its ingest begins, though it is written later.
//!
//! It takes three statements, whatever the size of what it tells of.

mod period;
mod scope;
mod text;

use chrono::{DateTime, NaiveDate, Utc};
use clickhouse::Row;
use clickhouse::query::Query;
use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::envelope::{EventId, Intake, time};
use crate::error::Result;
use crate::query::{instant, refused_time_zone};

pub use period::Period;
pub use scope::Scope;

/// How many entries a list in a digest has at most; `totals` counts all.
pub const MAX_LISTED: usize = 10;

/// What to tell of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Whose events.
    pub tenant: String,
    /// Which of them.
    pub scope: Scope,
    /// How long.
    pub period: Period,
    /// The end of the period, itself excluded (UTC).
    pub until: DateTime<Utc>,
    /// Whose days, by the IANA name.
    pub time_zone: String,
    /// Only events that had arrived by then (UTC); `None`: all that have.
    pub watermark: Option<DateTime<Utc>>,
}

impl Request {
    /// A digest of `scope` over the `period` that ends at `until`, for the default tenant, in UTC, with all
    /// that has arrived.
    #[must_use]
    pub fn new(scope: Scope, period: Period, until: DateTime<Utc>) -> Self {
        let (tenant, time_zone) = (Intake::DEFAULT_TENANT.to_owned(), "UTC".to_owned());
        Self { tenant, scope, period, until, time_zone, watermark: None }
    }
}

/// What happened. `Display` makes a page of text of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Digest {
    /// Hash of everything here but `until`: the same content is the same revision.
    pub revision: EventId,
    /// Whose events.
    pub tenant: String,
    /// Which of them.
    pub scope: Scope,
    /// How long.
    pub period: Period,
    /// Whose days.
    pub time_zone: String,
    /// The beginning of the period (UTC).
    pub from: DateTime<Utc>,
    /// The end of the period, itself excluded (UTC).
    pub until: DateTime<Utc>,
    /// Arrival of the newest event that counts (UTC), or the watermark that was asked for; `None` if nothing
    /// has arrived.
    pub watermark: Option<DateTime<Utc>>,
    /// The numbers.
    pub totals: Totals,
    /// The most frequent kinds.
    pub kinds: Vec<Count>,
    /// The most active people.
    pub people: Vec<Count>,
    /// The days on which something happened, oldest first, in the time zone. Not the events whose time is
    /// unknown.
    pub days: Vec<Day>,
    /// The most notable events: releases, advisories and merges before what was opened, and that before pushes
    /// and commits; the newest first among equals.
    pub notable: Vec<Notable>,
}

/// The numbers of a digest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// How many events.
    pub events: u64,
    /// By how many named people.
    pub people: u64,
    /// In how many repositories.
    pub repositories: u64,
    /// Of how many kinds.
    pub kinds: u64,
    /// How many of the events have no known time; only in the period `all`.
    pub undated: u64,
    /// The first event of known time (UTC).
    pub first_at: Option<DateTime<Utc>>,
    /// The last event of known time (UTC).
    pub last_at: Option<DateTime<Utc>>,
}

/// A kind or a person, with the number of events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Count {
    /// The kind or the person.
    pub name: String,
    /// How many events.
    pub events: u64,
}

/// A day, with the number of events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Day {
    /// The day, in the digest's time zone.
    pub day: NaiveDate,
    /// How many events.
    pub events: u64,
}

/// An event worth its line.
#[derive(Clone, Debug, PartialEq, Eq, Row, Serialize, Deserialize)]
pub struct Notable {
    /// When it happened (UTC).
    #[serde(deserialize_with = "clickhouse::serde::chrono::datetime64::millis::deserialize")]
    pub occurred_at: DateTime<Utc>,
    /// What happened.
    pub kind: String,
    /// Who did it; empty when the source does not say.
    pub actor: String,
    /// In which repository; empty for none.
    pub repository: String,
    /// What it is about.
    pub subject: String,
    /// One line.
    pub title: String,
    /// Where to look at it.
    pub url: String,
}

/// Makes the digest that `request` asks for. A scope in which nothing happened gives an empty digest.
///
/// # Errors
///
/// [`crate::Error::TimeZone`] if the server does not know the time zone, else what the server says.
pub async fn digest(client: &Client, request: &Request) -> Result<Digest> {
    let until = request.until.min(time::END);
    let from = begin(client, request, until).await?;
    // Nothing arrives after the end of time, so this is no watermark.
    let cut = request.watermark.unwrap_or(time::END);
    let within = |sql: &str| {
        let (repository, owner, actor) = request.scope.filters();
        client
            .query(sql)
            .with_setting("do_not_merge_across_partitions_select_final", "1")
            .param("tenant", &request.tenant)
            .param("from", instant(from))
            .param("until", instant(until))
            .param("watermark", instant(cut))
            .param("repository", repository)
            .param("owner", owner)
            .param("actor", actor)
            .param("limit", MAX_LISTED as u32)
    };
    let counted = within(include_str!("counts.sql")).param("time_zone", &request.time_zone);
    let counts: Vec<Counted> = client.rows(counted).await.map_err(|error| zone(error, request))?;
    let total = counts.iter().find(|row| row.part == Counted::TOTAL);
    let watermark = request.watermark.or(total.and_then(|row| row.arrived_at));
    // The second look sees no more than the first: what arrived in between is past the watermark.
    let notable: Query =
        within(include_str!("notable.sql")).param("watermark", instant(watermark.unwrap_or(cut)));
    let notable: Vec<Notable> = client.rows(notable).await?;

    let listed = |part: u8| {
        let rows = counts.iter().filter(move |row| row.part == part);
        rows.map(|row| Count { name: row.name.clone(), events: row.events }).collect()
    };
    let days = counts.iter().filter(|row| row.part == Counted::DAY && row.events > row.undated);
    let mut days: Vec<Day> = days.map(|row| Day { day: row.day, events: row.events - row.undated }).collect();
    days.sort_by_key(|day| day.day);
    let mut digest = Digest {
        revision: EventId(0),
        tenant: request.tenant.clone(),
        scope: request.scope.clone(),
        period: request.period,
        time_zone: request.time_zone.clone(),
        from,
        until,
        watermark,
        totals: total.map(Counted::totals).unwrap_or_default(),
        kinds: listed(Counted::KIND),
        people: listed(Counted::PERSON),
        days,
        notable,
    };
    digest.revision = revision(&digest);
    Ok(digest)
}

/// A row of `counts.sql`: the total, a kind, a person or a day.
#[derive(Row, Deserialize)]
struct Counted {
    part: u8,
    name: String,
    #[serde(with = "clickhouse::serde::chrono::date32")]
    day: NaiveDate,
    events: u64,
    people: u64,
    repositories: u64,
    kinds: u64,
    undated: u64,
    #[serde(with = "clickhouse::serde::chrono::datetime64::millis::option")]
    first_at: Option<DateTime<Utc>>,
    #[serde(with = "clickhouse::serde::chrono::datetime64::millis::option")]
    last_at: Option<DateTime<Utc>>,
    #[serde(with = "clickhouse::serde::chrono::datetime64::millis::option")]
    arrived_at: Option<DateTime<Utc>>,
}

impl Counted {
    const TOTAL: u8 = 0;
    const KIND: u8 = 1;
    const PERSON: u8 = 2;
    const DAY: u8 = 3;

    fn totals(&self) -> Totals {
        Totals {
            events: self.events,
            people: self.people,
            repositories: self.repositories,
            kinds: self.kinds,
            undated: self.undated,
            first_at: self.first_at,
            last_at: self.last_at,
        }
    }
}

/// The beginning of the period: the server knows the time zones.
async fn begin(client: &Client, request: &Request, until: DateTime<Utc>) -> Result<DateTime<Utc>> {
    #[derive(Row, Deserialize)]
    struct Begin {
        #[serde(with = "clickhouse::serde::chrono::datetime64::millis")]
        from_at: DateTime<Utc>,
    }
    let query = client
        .query(include_str!("period.sql"))
        .param("period", request.period.as_str())
        .param("until", instant(until))
        .param("time_zone", &request.time_zone);
    let begin: Begin = client.row(query).await.map_err(|error| zone(error, request))?;
    Ok(begin.from_at)
}

fn zone(error: crate::Error, request: &Request) -> crate::Error {
    refused_time_zone(error, &request.time_zone)
}

/// Made of the content alone: asked for a minute later, with nothing new, it is the same.
fn revision(digest: &Digest) -> EventId {
    let undated = Digest { revision: EventId(0), until: DateTime::UNIX_EPOCH, ..digest.clone() };
    let content = serde_json::to_vec(&undated).expect("a digest is plain data");
    EventId::of(&digest.tenant, "digest", &[&content])
}
