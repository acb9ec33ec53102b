//! What the server has to be asked before rows are cut into batches: its shards, and who was erased.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use clickhouse::Row;
use serde::Deserialize;
use tokio::time::Instant;

use super::batch::Batch;
use super::decode;
use super::encode::{EVENTS, Table};
use super::spread::Spread;
use crate::client::Client;
use crate::erasure;
use crate::error::{Class, Error, Result};
use crate::topology::place;

/// How long an answer is good for: so long may the events of a person still be written who has just been erased.
const GOOD_FOR: Duration = Duration::from_secs(10);

/// What was known before is asked again from so long before the newest erasure, in milliseconds: another machine's
/// clock may be behind.
const OVERLAP_MS: i64 = 600_000;

/// The people who were erased, by their digests.
#[derive(Clone, Debug, Default)]
pub(super) struct Erased(HashSet<[u8; 32]>);

impl Erased {
    /// Whether `actor` was erased. An empty actor is nobody.
    fn has(&self, tenant: &[u8], actor: &[u8]) -> bool {
        !actor.is_empty() && self.0.contains(&erasure::digest_bytes(tenant, actor))
    }

    /// Whether the person that `row` is of was erased. A row of a table without actors is nobody's.
    pub(super) fn has_row(&self, table: &Table, row: &[u8]) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let column = |name| decode::value(table, row, name);
        column("tenant").zip(column("actor")).is_some_and(|(tenant, actor)| self.has(tenant, actor))
    }

    /// `batch` without the rows of people who were erased, and how many events that were; as it is, under its token, if
    /// there are none, and `None` if there is nothing else.
    pub(super) fn leave_out(&self, batch: Batch) -> (Option<Batch>, u64) {
        let table = batch.destination.table;
        let kept: Vec<usize> = (0..batch.rows).filter(|row| !self.has_row(table, batch.row(*row))).collect();
        let left_out = batch.rows - kept.len();
        let events = if table.name == EVENTS.name { left_out as u64 } else { 0 };
        match left_out {
            0 => (Some(batch), 0),
            _ if kept.is_empty() => (None, events),
            _ => (Some(batch.part(kept.into_iter())), events),
        }
    }
}

/// The answers. Cloning shares them.
#[derive(Clone, Debug, Default)]
pub(super) struct Survey {
    pub spread: Spread,
    pub erased: Arc<Erased>,
}

/// Asks, and asks again once an answer is no longer good.
#[derive(Debug, Default)]
pub(super) struct Surveyor {
    last: Option<(Instant, Survey)>,
    /// When the newest erasure that is known was asked for.
    newest_ms: Option<i64>,
}

impl Surveyor {
    /// The answers, from the server unless they are good still.
    pub(super) async fn survey(&mut self, client: &Client) -> Result<Survey> {
        if let Some((at, survey)) = &self.last
            && at.elapsed() < GOOD_FOR
        {
            return Ok(survey.clone());
        }
        client.check().await?;
        let asked_at = Instant::now();
        let spread = Spread::fetch(client).await.or_else(when_not_there)?;
        let people = self.erasures_since(client).await.or_else(when_not_there)?;
        let mut erased = self.last.take().map(|(_, last)| last.erased).unwrap_or_default();
        let known = Arc::make_mut(&mut erased);
        for Erasure { actor_digest, requested_ms } in people {
            known.0.extend(bytes(&actor_digest));
            self.newest_ms = self.newest_ms.max(Some(requested_ms));
        }
        let survey = Survey { spread, erased };
        self.last = Some((asked_at, survey.clone()));
        Ok(survey)
    }

    async fn erasures_since(&self, client: &Client) -> Result<Vec<Erasure>> {
        let sql = format!(
            "SELECT toString(actor_digest) AS actor_digest, toUnixTimestamp64Milli(max(requested_at)) AS requested_ms
             FROM {} WHERE toUnixTimestamp64Milli(requested_at) >= {} GROUP BY actor_digest",
            place(client, "erasures").await?.read,
            self.newest_ms.map_or(i64::MIN, |newest| newest.saturating_sub(OVERLAP_MS)),
        );
        client.rows(client.query(&sql)).await
    }
}

#[derive(Row, Deserialize)]
struct Erasure {
    actor_digest: String,
    requested_ms: i64,
}

/// Where a table is missing, inserting says so, and parks what it can't insert.
fn when_not_there<T: Default>(error: Error) -> Result<T> {
    if error.class() == Class::Schema { Ok(T::default()) } else { Err(error) }
}

/// The digest that 64 hexadecimal digits stand for.
fn bytes(hexadecimal: &str) -> Option<[u8; 32]> {
    let mut out = [0; 32];
    if hexadecimal.len() != 64 || !hexadecimal.is_ascii() {
        return None;
    }
    for (at, byte) in out.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hexadecimal[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_known_by_the_digest_and_nobody_is_not() {
        let digest = erasure::digest("acme", "octocat");
        let erased = Erased(bytes(&digest).into_iter().collect());
        assert!(erased.has(b"acme", b"octocat"));
        assert!(!erased.has(b"acme", b"octodog") && !erased.has(b"other", b"octocat"));
        assert!(!erased.has(b"acme", b"") && !Erased::default().has(b"acme", b"octocat"));
        assert_eq!(bytes(&digest[1..]), None);
        assert_eq!(bytes(&"zz".repeat(32)), None);
    }
}
