//! How a cluster spreads the rows of a table over its shards, and batches of one shard each.
//!
//! A batch goes to one shard, named by `insert_shard_id`, through the `Distributed` table of whatever server this
//! client talks to. Why so:
//!
//! - Left to spread a batch itself, the server sends each shard its part under the batch's token. With another number
//!   of shards, the parts of the same batch are others, and a shard that knows the token swallows rows that it does
//!   not have. A batch of one shard has a token of its own content.
//! - The shards' own servers can't be talked to: `system.clusters` has their ports for the native protocol only.
//!
//! So the shard of a row is computed here, by the key that the migrations shard by and the server's own hash. The
//! spread that a window was cut by is written down with it: after a crash the same batches go to the same shards, also
//! where the cluster has grown since. What was sealed for a shard that is gone is cut anew, over those that are there.

use clickhouse::Row;
use serde::Deserialize;

use super::batch::{Batch, Destination};
use super::city_hash;
use super::decode;
use super::encode::{EVENTS, Table};
use crate::client::Client;
use crate::error::Result;
use crate::migration::sharding_key;

/// The weight of each shard, in order; none where there is no cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Spread {
    weights: Vec<u32>,
}

impl Spread {
    pub(super) fn new(weights: Vec<u32>) -> Self {
        Self { weights }
    }

    /// What the server says.
    pub(super) async fn fetch(client: &Client) -> Result<Self> {
        #[derive(Row, Deserialize)]
        struct Shard {
            weight: u32,
        }
        // The cluster's name is the first of what the engine is given.
        let query = client.query(
            "SELECT any(shard_weight) AS weight FROM system.clusters
             WHERE cluster IN (
                 SELECT extract(engine_full, '^Distributed\\\\(\\'?([^\\', )]+)') FROM system.tables
                 WHERE database = {database:String} AND name = {table:String} AND engine = 'Distributed')
             GROUP BY shard_num ORDER BY shard_num",
        );
        let query = query.param("database", client.database()).param("table", EVENTS.name);
        let shards: Vec<Shard> = client.rows(query).await?;
        Ok(Self::new(shards.into_iter().map(|shard| shard.weight).collect()))
    }

    pub(super) fn weights(&self) -> &[u32] {
        &self.weights
    }

    /// The shard of a row, counted from 1; 0 where the server need not be told.
    pub(super) fn shard_of(&self, table: &Table, row: &[u8]) -> u32 {
        let total: u64 = self.weights.iter().map(|weight| u64::from(*weight)).sum();
        let Some(hash) = (if total > 0 { key_hash(table, row) } else { None }) else { return 0 };
        let mut slot = hash % total;
        for (shard, weight) in (1..).zip(&self.weights) {
            match slot.checked_sub(u64::from(*weight)) {
                Some(rest) => slot = rest,
                None => return shard,
            }
        }
        0
    }

    /// `batch` in batches of one shard each; as it is, under its token, if it is of one shard.
    pub(super) fn split(&self, batch: Batch) -> Vec<Batch> {
        let Batch { destination, rows, .. } = batch;
        let shards: Vec<u32> =
            (0..rows).map(|row| self.shard_of(destination.table, batch.row(row))).collect();
        let Some(first) = shards.first().copied() else { return Vec::new() };
        if shards.iter().all(|shard| *shard == first) {
            return vec![batch.to(Destination { shard: first, ..destination })];
        }
        let mut distinct = shards.clone();
        distinct.sort_unstable();
        distinct.dedup();
        let part = |shard: u32| {
            let rows = (0..rows).filter(|row| shards[*row] == shard);
            batch.part(rows).to(Destination { shard, ..destination })
        };
        distinct.into_iter().map(part).collect()
    }
}

/// What the sharding key of `table` makes of `row`.
fn key_hash(table: &Table, row: &[u8]) -> Option<u64> {
    let columns = sharding_key(table.name)?.strip_prefix("cityHash64(")?.strip_suffix(')')?;
    let mut hash = None;
    for column in columns.split(", ") {
        let next = city_hash::hash(decode::value(table, row, column)?);
        hash = Some(hash.map_or(next, |before| city_hash::combine(before, next)));
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::writer::batch::tests::event;
    use crate::writer::encode;

    fn batch(count: u128) -> Batch {
        let events = (0..count).map(|number| {
            let mut event = event(number, "2024-05-01T00:00:00Z");
            event.actor = format!("person{}", number % 10);
            event
        });
        Batch::of_events(events.collect()).unwrap()
    }

    #[test]
    fn a_batch_is_split_by_person_and_one_of_one_shard_stays_as_it_is() {
        let whole = batch(1000);
        let id = whole.id;
        let parts = Spread::new(vec![1, 1]).split(whole);
        assert_eq!(parts.iter().map(|part| part.destination.shard).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(parts.iter().map(|part| part.rows).sum::<usize>(), 1000);
        for part in parts {
            let id = part.id;
            let again = Spread::new(vec![1, 1]).split(part);
            assert_eq!(again.iter().map(|part| part.id).collect::<Vec<_>>(), [id]);
        }
        for weights in [Vec::new(), vec![1]] {
            let same = Spread::new(weights).split(batch(1000));
            assert_eq!(same.iter().map(|part| part.id).collect::<Vec<_>>(), [id]);
        }
    }

    #[test]
    fn a_shard_gets_as_many_of_the_slots_as_it_weighs() {
        let mut row = Vec::new();
        let mut event = event(1, "2024-05-01T00:00:00Z");
        (event.tenant, event.actor) = ("acme".to_owned(), "octocat".to_owned());
        encode::event(&event, &mut row);
        // The hash is 5487830680544213669, which is 1 modulo 4.
        for (weights, shard) in [(vec![1, 3], 2), (vec![2, 2], 1), (vec![0, 1, 3], 3), (vec![0, 0], 0)] {
            assert_eq!(Spread::new(weights.clone()).shard_of(&EVENTS, &row), shard, "{weights:?}");
        }
    }
}
