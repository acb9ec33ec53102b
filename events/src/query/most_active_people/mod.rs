//! Who did most.

use chrono::{DateTime, Utc};
use clickhouse::Row;
use serde::{Deserialize, Serialize};

use super::parameter::{FROM, KIND, REPOSITORY, TENANT, UNTIL, limit};
use super::{Filter, Kind, Parameter, Query};
use crate::client::Client;
use crate::error::Result;

/// The catalogue entry.
pub static QUERY: Query = Query {
    name: "most_active_people",
    about: "who did most, and in how many repositories",
    sql: include_str!("query.sql"),
    parameters: &[
        TENANT,
        FROM,
        UNTIL,
        REPOSITORY,
        KIND,
        Parameter {
            name: "bots",
            kind: Kind::Flag,
            default: Some("false"),
            about: "whether actors count whose name ends in [bot]",
        },
        limit("20"),
    ],
};

/// Whom to rank.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// Which events; not by person.
    pub filter: Filter,
    /// Whether actors count whose name ends in `[bot]`; by default they do not.
    pub bots: Option<bool>,
    /// At most so many rows; by default 20.
    pub limit: Option<u32>,
}

/// A person.
#[derive(Clone, Debug, PartialEq, Eq, Row, Serialize, Deserialize)]
pub struct Person {
    /// The name that the source gives.
    pub actor: String,
    /// How many events.
    pub events: u64,
    /// Of how many kinds.
    pub kinds: u64,
    /// In how many repositories.
    pub repositories: u64,
    /// The first event (UTC).
    #[serde(deserialize_with = "clickhouse::serde::chrono::datetime64::millis::deserialize")]
    pub first_at: DateTime<Utc>,
    /// The last event (UTC).
    #[serde(deserialize_with = "clickhouse::serde::chrono::datetime64::millis::deserialize")]
    pub last_at: DateTime<Utc>,
}

/// Runs the query: most events first. Events without an actor do not count.
///
/// # Errors
///
/// [`crate::Error::UnknownParameter`] if the filter has an actor, [`crate::Error::Parameter`] for a limit out of
/// range, else what the server says.
pub async fn fetch(client: &Client, parameters: &Parameters) -> Result<Vec<Person>> {
    let bots = parameters.bots.map(|bots| bots.to_string());
    let own = [("bots", bots), ("limit", parameters.limit.map(|limit| limit.to_string()))];
    super::fetch(client, &QUERY, &parameters.filter.values_and(own)).await
}
