//! In which repositories most happened.

use chrono::{DateTime, Utc};
use clickhouse::Row;
use serde::{Deserialize, Serialize};

use super::parameter::{ACTOR, FROM, KIND, TENANT, UNTIL, limit};
use super::{Filter, Query};
use crate::client::Client;
use crate::error::Result;

/// The catalogue entry.
pub static QUERY: Query = Query {
    name: "busiest_repositories",
    about: "in which repositories most happened, and by how many people",
    sql: include_str!("query.sql"),
    parameters: &[TENANT, FROM, UNTIL, ACTOR, KIND, limit("20")],
};

/// What to rank.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// Which events; not by repository.
    pub filter: Filter,
    /// At most so many rows; by default 20.
    pub limit: Option<u32>,
}

/// A repository.
#[derive(Clone, Debug, PartialEq, Eq, Row, Serialize, Deserialize)]
pub struct Repository {
    /// `owner/name`.
    pub repository: String,
    /// How many events.
    pub events: u64,
    /// By how many named people.
    pub people: u64,
    /// Of how many kinds.
    pub kinds: u64,
    /// The last event (UTC).
    #[serde(deserialize_with = "clickhouse::serde::chrono::datetime64::millis::deserialize")]
    pub last_at: DateTime<Utc>,
}

/// Runs the query: most events first. Events without a repository do not count.
///
/// # Errors
///
/// [`crate::Error::UnknownParameter`] if the filter has a repository, [`crate::Error::Parameter`] for a limit out
/// of range, else what the server says.
pub async fn fetch(client: &Client, parameters: &Parameters) -> Result<Vec<Repository>> {
    let own = [("limit", parameters.limit.map(|limit| limit.to_string()))];
    super::fetch(client, &QUERY, &parameters.filter.values_and(own)).await
}
