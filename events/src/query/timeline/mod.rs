//! What happened in a repository, page by page.

use chrono::{DateTime, Utc};
use clickhouse::Row;
use serde::{Deserialize, Serialize};

use super::parameter::{ACTOR, FROM, KIND, TENANT, UNTIL, limit};
use super::{Filter, Kind, Parameter, Query};
use crate::client::Client;
use crate::envelope::EventId;
use crate::error::Result;

/// The catalogue entry.
pub static QUERY: Query = Query {
    name: "timeline",
    about: "what happened in a repository, newest first",
    sql: include_str!("query.sql"),
    parameters: &[
        TENANT,
        Parameter {
            name: "repository",
            kind: Kind::Text,
            default: None,
            about: "the repository (owner/name)",
        },
        FROM,
        UNTIL,
        Parameter {
            name: "before_id",
            kind: Kind::Id,
            default: Some("00000000-0000-0000-0000-000000000000"),
            about: "for the next page: the event_id of the last row, with its occurred_at as `until`",
        },
        ACTOR,
        KIND,
        limit("50"),
    ],
};

/// What to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// Which events; `repository` must be set.
    pub filter: Filter,
    /// For the next page: the `event_id` of the last row of this one, with its `occurred_at` as the filter's
    /// `until`. Without it the period ends before `until`.
    pub before_id: Option<EventId>,
    /// At most so many rows; by default 50.
    pub limit: Option<u32>,
}

/// An event of the repository.
#[derive(Clone, Debug, PartialEq, Eq, Row, Serialize, Deserialize)]
pub struct Entry {
    /// When it happened (UTC).
    #[serde(deserialize_with = "clickhouse::serde::chrono::datetime64::millis::deserialize")]
    pub occurred_at: DateTime<Utc>,
    /// What happened.
    pub kind: String,
    /// Who did it; empty when the source does not say.
    pub actor: String,
    /// What it is about.
    pub subject: String,
    /// One line for people.
    pub title: String,
    /// Where to look at it.
    pub url: String,
    /// The event.
    pub event_id: EventId,
}

/// Runs the query: newest first, events of the same millisecond by id.
///
/// # Errors
///
/// [`crate::Error::Parameter`] if the repository is missing or the limit out of range, else what the server
/// says.
pub async fn fetch(client: &Client, parameters: &Parameters) -> Result<Vec<Entry>> {
    let before_id = parameters.before_id.map(|id| id.to_string());
    let own = [("before_id", before_id), ("limit", parameters.limit.map(|limit| limit.to_string()))];
    super::fetch(client, &QUERY, &parameters.filter.values_and(own)).await
}
