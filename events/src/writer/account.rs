//! The account of what was sent: a row of `ingest_batches` per batch.

use std::fmt::Write as _;

use super::batch::{Batch, Destination};
use crate::client::Client;
use crate::envelope::EventId;
use crate::error::Result;

/// How many rows one statement has, at the most; each is some hundred bytes, and a statement may have 256 KiB.
const PORTION: usize = 1000;

/// A batch that the server has.
pub(super) struct Entry {
    destination: Destination,
    id: EventId,
    rows: usize,
    bytes: usize,
}

impl Entry {
    pub(super) fn of(batch: &Batch) -> Self {
        Self { destination: batch.destination, id: batch.id, rows: batch.rows, bytes: batch.bytes.len() }
    }
}

/// Writes `entries`. The server says when that is, so that nobody's clock has to be right. Written twice, the later
/// one stays.
pub(super) async fn write(client: &Client, entries: &[Entry]) -> Result<()> {
    for portion in entries.chunks(PORTION) {
        let mut sql = "INSERT INTO ingest_batches (destination, month, shard, token, rows, bytes, sent_at)
            SELECT row.1, row.2, row.3, toUUID(row.4), row.5, row.6, now64(3) FROM (SELECT arrayJoin(["
            .to_owned();
        let mut separator = "";
        for Entry { destination: Destination { table, month, shard }, id, rows, bytes } in portion {
            let name = table.name;
            write!(sql, "{separator}('{name}', {month}, {shard}, '{id}', {rows}, {bytes})")
                .expect("a string takes what is written");
            separator = ", ";
        }
        sql.push_str("]) AS row)");
        // Its time makes every row another, so there is nothing to deduplicate.
        let insert =
            client.query(&sql).with_setting("async_insert", "0").with_setting("insert_deduplicate", "0");
        client.execute(insert).await?;
    }
    Ok(())
}
