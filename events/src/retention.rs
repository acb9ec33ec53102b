//! How long events are kept, by tenant.
//!
//! The rule of each tenant is a row of table `retention`, and all of them together are the TTL of the tables:
//! `transform(tenant, …)` in one expression. A TTL may not look into a dictionary or another table, because it
//! has to be deterministic; and a column with each row's expiry would have to be rewritten in every row when a
//! rule changes. Setting a rule so changes the description of five tables and lets the server rewrite in the
//! background what is due.
//!
//! | table | expires by |
//! |---|---|
//! | `events`, `events_daily` | the day it happened on; where that is unknown the day of arrival, and the counts stay |
//! | `dead_letters` | the day of arrival, as long as events |
//! | `event_payloads` | the day of arrival, by a rule of its own |

use chrono::{DateTime, Utc};
use clickhouse::Row;
use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::error::{Error, Result};
use crate::migration::literal;
use crate::query::instant;
use crate::topology::place;

/// How many days a payload is kept where no rule says otherwise.
pub const PAYLOAD_DAYS: u32 = 30;

/// The most days of a rule; that many after any day that an event can have, the calendar of ClickHouse has ended.
pub const MAX_DAYS: u32 = 150_000;

/// The rule of one tenant.
#[derive(Clone, Debug, PartialEq, Eq, Row, Serialize, Deserialize)]
pub struct Retention {
    /// For whose events; empty for all who have no rule of their own.
    pub tenant: String,
    /// Days that an event is kept after it happened, at most [`MAX_DAYS`]; 0 for ever.
    pub events_days: u32,
    /// Days that a payload is kept after it arrived, at most [`MAX_DAYS`]; 0 for ever.
    pub payload_days: u32,
}

impl Retention {
    /// What holds for all who have no rule of their own, until it is set.
    #[must_use]
    pub fn default_rule() -> Self {
        Self { tenant: String::new(), events_days: 0, payload_days: PAYLOAD_DAYS }
    }
}

/// Every rule, the one for all others first.
///
/// # Errors
///
/// What the server says.
pub async fn rules(client: &Client) -> Result<Vec<Retention>> {
    let table = place(client, "retention").await?.read;
    let query = format!("SELECT tenant, events_days, payload_days FROM {table} FINAL ORDER BY tenant");
    let mut rules: Vec<Retention> = client.rows(client.query(&query)).await?;
    if rules.first().is_none_or(|rule| !rule.tenant.is_empty()) {
        rules.insert(0, Retention::default_rule());
    }
    Ok(rules)
}

/// Sets `rule` at `now`. What is due by it is removed by the server in the background, and cannot be had back.
///
/// # Errors
///
/// [`Error::Input`] for more than [`MAX_DAYS`], which the server would count round to less. What the server says;
/// the rule is kept first, so setting it again ends what an error interrupted.
pub async fn set(client: &Client, rule: &Retention, now: DateTime<Utc>) -> Result<()> {
    if rule.events_days.max(rule.payload_days) > MAX_DAYS {
        let reason = format!("expected at most {MAX_DAYS} days; 0 keeps for ever");
        return Err(Error::Input { place: format!("the rule of {:?}", rule.tenant), reason });
    }
    let table = place(client, "retention").await?.read;
    let Retention { tenant, events_days, payload_days } = rule;
    let insert = format!(
        "INSERT INTO {table} (tenant, events_days, payload_days, set_at)
         SELECT {{tenant:String}}, {events_days}, {payload_days}, toDateTime64('{}', 3, 'UTC')",
        instant(now)
    );
    let insert = client.query(&insert).param("tenant", tenant);
    client.execute(insert.with_setting("async_insert", "0").with_setting("insert_deduplicate", "0")).await?;
    let rules = rules(client).await?;
    for (table, ttl) in ttls(&rules) {
        let alter = format!("ALTER TABLE {} MODIFY TTL {ttl}", place(client, table).await?.write);
        client.execute(client.query(&alter)).await?;
    }
    Ok(())
}

/// The TTL of every table.
fn ttls(rules: &[Retention]) -> [(&'static str, String); 4] {
    let events = days(rules, |rule| rule.events_days);
    let payloads = days(rules, |rule| rule.payload_days);
    let by = |day: &str, days: &str, also: &str| {
        format!("{day} + toIntervalDay({days}) DELETE WHERE {days} > 0{also}")
    };
    [
        (
            "events",
            by(
                "toDate32(if(toUnixTimestamp64Milli(occurred_at) = 0, received_at, occurred_at))",
                &events,
                "",
            ),
        ),
        ("events_daily", by("day", &events, " AND day != toDate32('1970-01-01')")),
        ("dead_letters", by("toDate32(received_at)", &events, "")),
        ("event_payloads", by("toDate32(received_at)", &payloads, "")),
    ]
}

/// The days of a row's tenant, as an expression.
fn days(rules: &[Retention], of: impl Fn(&Retention) -> u32) -> String {
    let (own, others): (Vec<_>, Vec<_>) = rules.iter().partition(|rule| !rule.tenant.is_empty());
    let other = others.first().map_or(0, |rule| of(rule));
    if own.is_empty() {
        // Of a column, since a condition without one is refused.
        return format!("if(tenant = '', 0, {other})");
    }
    let tenants: Vec<_> = own.iter().map(|rule| literal(&rule.tenant)).collect();
    let days: Vec<_> = own.iter().map(|rule| of(rule).to_string()).collect();
    format!("transform(tenant, [{}], [{}], {other})", tenants.join(", "), days.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_are_one_expression_and_a_tenant_cannot_break_out_of_it() {
        let rule =
            |tenant: &str, events_days| Retention { tenant: tenant.into(), events_days, payload_days: 7 };
        let all = [rule("", 0), rule("acme", 90), rule("o'x\\", 30)];
        assert_eq!(
            days(&all, |rule| rule.events_days),
            r"transform(tenant, ['acme', 'o\'x\\'], [90, 30], 0)"
        );
        assert_eq!(days(&all[..1], |rule| rule.payload_days), "if(tenant = '', 0, 7)");
    }
}
