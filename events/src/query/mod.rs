//! Queries: one folder each, with a `query.sql`, a parameter struct and a row struct.
//!
//! A service calls the typed `fetch` of a query's module. A tool that gets names and values as text calls
//! [`run`], which knows the queries by their [`CATALOGUE`], or [`raw`] for SQL of its own. Both ways send the
//! same SQL with the same server-side parameters, `{name:Type}`.
//!
//! Every query reads with `FINAL`, so an event that was delivered twice counts once, and covers the half-open
//! period from `from` to before `until`, by default all time.

mod filter;
mod parameter;
mod raw;
mod table;

pub mod busiest_repositories;
pub mod counts_by_kind_and_day;
pub mod most_active_people;
pub mod timeline;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::client::Client;
use crate::error::{Error, Result};

pub use filter::Filter;
pub(crate) use parameter::instant;
pub use parameter::{Kind, Parameter};
pub use raw::raw;
pub use table::{Column, MAX_BYTES, MAX_ROW_BYTES, MAX_ROWS, MAX_SECONDS, Table};

/// A query that the crate offers.
#[derive(Debug, Serialize)]
pub struct Query {
    /// What it is called, like its module.
    pub name: &'static str,
    /// What it tells, in one line.
    pub about: &'static str,
    /// The SQL, with `{name:Type}` where a parameter goes.
    pub sql: &'static str,
    /// Its parameters, each of which the SQL uses.
    pub parameters: &'static [Parameter],
}

/// Every query, by name.
pub static CATALOGUE: [&Query; 4] = [
    &busiest_repositories::QUERY,
    &counts_by_kind_and_day::QUERY,
    &most_active_people::QUERY,
    &timeline::QUERY,
];

/// The query called `name`.
///
/// # Errors
///
/// [`Error::UnknownQuery`], with the name that is nearest.
pub fn find(name: &str) -> Result<&'static Query> {
    CATALOGUE.into_iter().find(|query| query.name == name).ok_or_else(|| {
        let known: Vec<_> = CATALOGUE.iter().map(|query| query.name).collect();
        Error::UnknownQuery { name: name.to_owned(), closest: closest(name, &known), known }
    })
}

/// Runs the query called `name`. A parameter that is not given has its default.
///
/// At most [`MAX_ROWS`] rows and [`MAX_BYTES`] come back, within [`MAX_SECONDS`]; the table says when there is more.
///
/// # Errors
///
/// [`Error::UnknownQuery`], [`Error::UnknownParameter`], [`Error::Parameter`] for a value that is missing or not
/// of its type; [`Error::TimeZone`] if the server does not know one; else what the server says.
pub async fn run(client: &Client, name: &str, params: &BTreeMap<String, String>) -> Result<Table> {
    let query = find(name)?;
    let bound = bind(client, query, params)?;
    table::fetch(client, bound).await.map_err(|error| of_time_zone(error, params))
}

/// Runs `query` for its typed rows.
async fn fetch<R>(client: &Client, query: &'static Query, params: &BTreeMap<String, String>) -> Result<Vec<R>>
where
    R: clickhouse::RowOwned + clickhouse::RowRead,
{
    let bound = bind(client, query, params)?;
    client.rows(bound).await.map_err(|error| of_time_zone(error, params))
}

/// Checks every value and puts it, or its parameter's default, into the statement.
fn bind(
    client: &Client,
    query: &'static Query,
    params: &BTreeMap<String, String>,
) -> Result<clickhouse::query::Query> {
    for name in params.keys() {
        if !query.parameters.iter().any(|parameter| parameter.name == name) {
            let known: Vec<_> = query.parameters.iter().map(|parameter| parameter.name).collect();
            let closest = closest(name, &known);
            return Err(Error::UnknownParameter { query: query.name, name: name.clone(), closest, known });
        }
    }
    let mut bound = client.query(query.sql).with_setting("do_not_merge_across_partitions_select_final", "1");
    for parameter in query.parameters {
        let given = params.get(parameter.name).map(String::as_str);
        bound = bound.param(parameter.name, parameter.value(query.name, given)?);
    }
    Ok(bound)
}

/// The server refuses an unknown time zone in words only (under a number that many errors share).
fn of_time_zone(error: Error, params: &BTreeMap<String, String>) -> Error {
    let given = params.get("time_zone").cloned().unwrap_or_default();
    refused_time_zone(error, &given)
}

/// Turns the server's refusal of the time zone `given` into [`Error::TimeZone`]; other errors stay.
pub(crate) fn refused_time_zone(error: Error, given: &str) -> Error {
    match &error {
        Error::Server { message, .. } if message.to_ascii_lowercase().contains("time zone") => {
            Error::TimeZone { given: given.to_owned() }
        }
        _ => error,
    }
}

/// The one of `known` that `name` was probably meant to be.
fn closest(name: &str, known: &[&str]) -> Option<String> {
    let near = |candidate: &&str| {
        let distance = strsim::osa_distance(name, candidate);
        (distance <= candidate.len() / 3 || candidate.starts_with(name))
            .then(|| (distance, (*candidate).to_owned()))
    };
    known.iter().filter_map(near).min().map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_is_used_and_every_placeholder_is_a_parameter() {
        for query in CATALOGUE {
            let mut placeholders: Vec<_> = query
                .sql
                .split('{')
                .skip(1)
                .filter_map(|rest| rest.split_once(':'))
                .map(|(name, _)| name)
                .collect();
            placeholders.sort_unstable();
            placeholders.dedup();
            let mut names: Vec<_> = query.parameters.iter().map(|parameter| parameter.name).collect();
            names.sort_unstable();
            assert_eq!(placeholders, names, "{}", query.name);
        }
    }

    #[test]
    fn every_default_is_a_value_of_its_type_and_the_catalogue_is_sorted() {
        for query in CATALOGUE {
            for parameter in query.parameters.iter().filter(|parameter| parameter.default.is_some()) {
                parameter.value(query.name, None).unwrap();
            }
        }
        assert!(CATALOGUE.is_sorted_by_key(|query| query.name));
    }

    #[test]
    fn every_query_reads_deduplicated_rows_of_one_tenant_in_a_half_open_period() {
        for query in CATALOGUE {
            for part in [
                "FROM events FINAL",
                "tenant = {tenant:String}",
                "occurred_at >= {from:",
                "LIMIT {limit:UInt32}",
            ] {
                assert!(query.sql.contains(part), "{}: {part}", query.name);
            }
            let ends = ["occurred_at < {until:", "(occurred_at, event_id) < ({until:"];
            assert!(ends.iter().any(|end| query.sql.contains(end)), "{}", query.name);
        }
    }

    #[test]
    fn an_unknown_query_suggests_the_closest() {
        let said = find("timelin").unwrap_err().to_string();
        assert!(said.starts_with("there is no query `timelin` (did you mean `timeline`?)"), "{said}");
        let said = find("weather").unwrap_err().to_string();
        assert!(
            said.starts_with("there is no query `weather`; the queries are busiest_repositories"),
            "{said}"
        );
        assert_eq!(closest("most_active", &["most_active_people"]).as_deref(), Some("most_active_people"));
    }
}
