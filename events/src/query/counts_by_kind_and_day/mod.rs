//! How many events of each kind happened on each day.

use chrono::NaiveDate;
use clickhouse::Row;
use serde::{Deserialize, Serialize};

use super::parameter::{ACTOR, FROM, KIND, REPOSITORY, TENANT, TIME_ZONE, UNTIL, limit};
use super::{Filter, Query};
use crate::client::Client;
use crate::error::Result;

/// The catalogue entry.
pub static QUERY: Query = Query {
    name: "counts_by_kind_and_day",
    about: "how many events of each kind happened on each day, newest day first",
    sql: include_str!("query.sql"),
    parameters: &[TENANT, FROM, UNTIL, REPOSITORY, ACTOR, KIND, TIME_ZONE, limit("1000")],
};

/// What to count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// Which events.
    pub filter: Filter,
    /// Whose days; by default those of UTC.
    pub time_zone: Option<String>,
    /// At most so many rows; by default 1,000.
    pub limit: Option<u32>,
}

/// A day and a kind.
#[derive(Clone, Debug, PartialEq, Eq, Row, Serialize, Deserialize)]
pub struct Counts {
    /// The day, in the time zone asked for. 1970-01-01 has the events whose time is unknown.
    #[serde(deserialize_with = "clickhouse::serde::chrono::date32::deserialize")]
    pub day: NaiveDate,
    /// The kind.
    pub kind: String,
    /// How many events.
    pub events: u64,
    /// By how many named people.
    pub people: u64,
}

/// Runs the query: newest day first, then by number of events.
///
/// # Errors
///
/// [`crate::Error::TimeZone`] if the server does not know it, [`crate::Error::Parameter`] for a limit out of
/// range, else what the server says.
pub async fn fetch(client: &Client, parameters: &Parameters) -> Result<Vec<Counts>> {
    let limit = parameters.limit.map(|limit| limit.to_string());
    let own = [("time_zone", parameters.time_zone.clone()), ("limit", limit)];
    super::fetch(client, &QUERY, &parameters.filter.values_and(own)).await
}
