//! Erasure of a person from every table.
//!
//! A person is a tenant and an actor, spelled as the events spell it. What goes: their events, the payloads of
//! these, and every rejected input that belongs to one of them or has the name as a word in it. The counts of
//! the days concerned are made anew. What stays: events of others whose title or attributes mention the name,
//! and a row in `erasures` that names nobody, because a digest is enough to know a redelivery by.
//!
//! Whoever was erased may be delivered again. The [writer](crate::writer) leaves such events out before anything is
//! written, and learns of an erasure within ten seconds. What it wrote meanwhile, and what others insert, [`again`]
//! erases; it is to be run as often as such rows may be there at most.
//!
//! In a cluster with replicas one run serves all shards. On shards without, it is run on each of them.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use clickhouse::Row;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::client::Client;
use crate::error::{Error, Result};
use crate::query::instant;
use crate::topology::{Place, place};

/// What one erasure did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whose events.
    pub tenant: String,
    /// What `erasures` knows the person by.
    pub actor_digest: String,
    /// The days whose counts were made anew (UTC).
    pub days: Vec<NaiveDate>,
    /// How many rows were deleted, by table; copies that had not collapsed yet count.
    pub rows_deleted: BTreeMap<&'static str, u64>,
}

/// The SHA-256, hexadecimal, that `erasures` has of a person.
#[must_use]
pub fn digest(tenant: &str, actor: &str) -> String {
    let digest = digest_bytes(tenant.as_bytes(), actor.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As [`digest`], the bytes themselves.
pub(crate) fn digest_bytes(tenant: &[u8], actor: &[u8]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(tenant);
    hasher.update([0]);
    hasher.update(actor);
    hasher.finalize().into()
}

/// Rows of the person, in terms of `{tenant}` and `{actor}`.
const OWN: &str = "tenant = {tenant:String} AND actor = {actor:String}";

/// The name as a word, in any case: a rejected input has no actor yet.
const NAMED: &str = "match(concat(place, '\\n', reason, '\\n', payload), \
     concat('(?i)(^|[^\\\\pL\\\\pN_-])', regexpQuoteMeta({actor:String}), '([^\\\\pL\\\\pN_-]|$)'))";

#[derive(Row, Deserialize)]
struct Day {
    #[serde(deserialize_with = "clickhouse::serde::chrono::date32::deserialize")]
    day: NaiveDate,
}

/// Erases the events of `actor`, asked for at `now`; `progress` is told each step before it is taken.
///
/// An erasure that was interrupted is ended by running it again, and one that finds nothing still says that the
/// person is erased.
///
/// # Errors
///
/// [`Error::Input`] for an empty actor, which stands for everybody whom no source named; else what the server says.
pub async fn erase(
    client: &Client,
    tenant: &str,
    actor: &str,
    now: DateTime<Utc>,
    mut progress: impl FnMut(&'static str),
) -> Result<Report> {
    if actor.is_empty() {
        let reason = "is empty; expected the name of a person as their events spell it".to_owned();
        return Err(Error::Input { place: "actor".to_owned(), reason });
    }
    let events = place(client, "events").await?;
    let letters = place(client, "dead_letters").await?;
    let own = |sql: &str| client.query(sql).param("tenant", tenant).param("actor", actor);
    let letters_condition = format!(
        "tenant = {{tenant:String}} AND (event_id IN (SELECT event_id FROM {} WHERE {OWN}) OR {NAMED})",
        events.read
    );
    let payloads = place(client, "event_payloads").await?;
    let targets = [
        ("dead_letters", &letters, letters_condition.as_str()),
        ("event_payloads", &payloads, OWN),
        ("events", &events, OWN),
    ];

    progress("counting");
    let mut rows_deleted = BTreeMap::new();
    for (table, place, condition) in &targets {
        let count: u64 =
            client.row(own(&format!("SELECT count() FROM {} WHERE {condition}", place.read))).await?;
        rows_deleted.insert(*table, count);
    }
    let erasures = place(client, "erasures").await?.read;
    let actor_digest = digest(tenant, actor);
    let days = days(client, &events, &erasures, tenant, actor, &actor_digest).await?;
    begin(client, &erasures, tenant, &actor_digest, now, &days, &rows_deleted).await?;

    // The events last: which letters are theirs is asked of them.
    for (table, place, condition) in &targets {
        if rows_deleted[table] > 0 {
            progress(match *table {
                "events" => "deleting events",
                "event_payloads" => "deleting payloads",
                _ => "deleting rejected inputs",
            });
            let delete = own(&format!("DELETE FROM {} WHERE {condition}", place.write));
            client.execute(delete.with_setting("allow_nondeterministic_mutations", "1")).await?;
        }
    }
    if !days.is_empty() {
        progress("counting the days anew");
        recount(client, &events, tenant, &days).await?;
    }
    finish(client, &erasures, tenant, &actor_digest, now).await?;
    Ok(Report { tenant: tenant.to_owned(), actor_digest, days, rows_deleted })
}

/// Erases everybody again whom `erasures` has and who was delivered since.
///
/// # Errors
///
/// As [`erase`].
pub async fn again(
    client: &Client,
    now: DateTime<Utc>,
    mut progress: impl FnMut(&'static str),
) -> Result<Vec<Report>> {
    #[derive(Row, Deserialize)]
    struct Person {
        tenant: String,
        actor: String,
    }
    progress("looking for people who were erased");
    let (events, payloads) =
        (place(client, "events").await?.read, place(client, "event_payloads").await?.read);
    let erasures = place(client, "erasures").await?.read;
    let people = format!(
        "SELECT DISTINCT toString(tenant) AS tenant, actor
         FROM (SELECT DISTINCT tenant, actor FROM {events} UNION ALL SELECT DISTINCT tenant, actor FROM {payloads})
         WHERE (tenant, lower(hex(SHA256(concat(tenant, '\\0', actor)))))
             IN (SELECT tenant, toString(actor_digest) FROM {erasures})
         ORDER BY tenant, actor"
    );
    let people: Vec<Person> =
        client.rows(client.query(&people).with_setting("distributed_product_mode", "global")).await?;
    let mut reports = Vec::new();
    for Person { tenant, actor } in people {
        reports.push(erase(client, &tenant, &actor, now, &mut progress).await?);
    }
    Ok(reports)
}

/// Whether `actor` was erased, so that a redelivery is to be refused.
///
/// # Errors
///
/// What the server says.
pub async fn is_erased(client: &Client, tenant: &str, actor: &str) -> Result<bool> {
    let erasures = place(client, "erasures").await?.read;
    let query = format!(
        "SELECT count() FROM {erasures} WHERE tenant = {{tenant:String}} AND actor_digest = {{digest:String}}"
    );
    let query = client.query(&query).param("tenant", tenant).param("digest", digest(tenant, actor));
    Ok(client.row::<u64>(query).await? > 0)
}

/// The days that the person has events on, and those of erasures of theirs that were not ended.
async fn days(
    client: &Client,
    events: &Place,
    erasures: &str,
    tenant: &str,
    actor: &str,
    digest: &str,
) -> Result<Vec<NaiveDate>> {
    let sql = format!(
        "SELECT DISTINCT day FROM (
             SELECT toDate32(occurred_at) AS day FROM {} WHERE {OWN}
             UNION ALL
             SELECT arrayJoin(days) AS day FROM {erasures} FINAL
             WHERE tenant = {{tenant:String}} AND actor_digest = {{digest:String}} AND toUnixTimestamp64Milli(finished_at) = 0
         ) ORDER BY day",
        events.read
    );
    let query = client.query(&sql).param("tenant", tenant).param("actor", actor).param("digest", digest);
    Ok(client.rows::<Day>(query).await?.into_iter().map(|Day { day }| day).collect())
}

async fn begin(
    client: &Client,
    erasures: &str,
    tenant: &str,
    digest: &str,
    now: DateTime<Utc>,
    days: &[NaiveDate],
    rows: &BTreeMap<&'static str, u64>,
) -> Result<()> {
    let rows: Vec<_> = rows.iter().map(|(table, count)| format!("'{table}', {count}")).collect();
    let sql = format!(
        "INSERT INTO {erasures} (tenant, actor_digest, requested_at, finished_at, days, rows_deleted)
         SELECT {{tenant:String}}, '{digest}', toDateTime64('{}', 3, 'UTC'), toDateTime64(0, 3, 'UTC'), {}, map({})",
        instant(now),
        dates(days),
        rows.join(", "),
    );
    client.execute(unguarded(client.query(&sql).param("tenant", tenant))).await
}

/// Also ends what earlier runs began.
async fn finish(
    client: &Client,
    erasures: &str,
    tenant: &str,
    digest: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    let sql = format!(
        "INSERT INTO {erasures} (tenant, actor_digest, requested_at, finished_at, days, rows_deleted)
         SELECT tenant, actor_digest, requested_at, toDateTime64('{}', 3, 'UTC'), days, rows_deleted
         FROM {erasures} FINAL
         WHERE tenant = {{tenant:String}} AND actor_digest = '{digest}' AND toUnixTimestamp64Milli(finished_at) = 0",
        instant(now)
    );
    client.execute(unguarded(client.query(&sql).param("tenant", tenant))).await
}

/// Makes the counts of `days` anew. An event that arrives meanwhile is counted by the view and here, once.
async fn recount(client: &Client, events: &Place, tenant: &str, days: &[NaiveDate]) -> Result<()> {
    let daily = place(client, "events_daily").await?;
    let days = dates(days);
    let delete = format!("DELETE FROM {} WHERE tenant = {{tenant:String}} AND has({days}, day)", daily.write);
    client.execute(client.query(&delete).param("tenant", tenant)).await?;
    let insert = format!(
        "INSERT INTO {} (tenant, day, kind, source, events)
         SELECT tenant, toDate32(occurred_at) AS day, kind, source, uniqExactState(event_id)
         FROM {} WHERE tenant = {{tenant:String}} AND toDate32(occurred_at) IN {days}
         GROUP BY tenant, day, kind, source",
        daily.read, events.read
    );
    let insert = unguarded(client.query(&insert).param("tenant", tenant));
    client.execute(insert.with_setting("max_partitions_per_insert_block", "0")).await
}

/// Without the deduplication of inserts, which would swallow the same rows written after they were deleted.
fn unguarded(query: clickhouse::query::Query) -> clickhouse::query::Query {
    query.with_setting("async_insert", "0").with_setting("insert_deduplicate", "0")
}

fn dates(days: &[NaiveDate]) -> String {
    let days: Vec<_> = days.iter().map(|day| format!("toDate32('{day}')")).collect();
    format!("CAST([{}] AS Array(Date32))", days.join(", "))
}

#[cfg(test)]
mod tests {
    use super::digest;

    #[test]
    fn a_digest_never_changes_between_releases() {
        // Who was erased must be known for good.
        assert_eq!(digest("default", "octocat").len(), 64);
        assert_ne!(digest("a", "bc"), digest("ab", "c"));
    }
}
