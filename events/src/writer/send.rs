//! Sending a sealed batch until the server has it, and trying again in general.

use std::time::Duration;

use super::batch::Batch;
use crate::client::Client;
use crate::envelope::EventId;
use crate::error::{Class, Error, Result};

/// How long one attempt may wait for the socket, and then for the answer.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(180);

/// How much is compressed and sent at once: the server reads one chunk while the next is compressed.
const CHUNK_BYTES: usize = 1 << 20;

/// The first and the longest wait between attempts.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Sends `batch`, at most `attempts` times while the error may pass; how many it took.
pub(super) async fn send(client: &Client, batch: &Batch, fate: Fate, attempts: u32) -> Result<u32> {
    let mut attempt = 1;
    while let Err(error) = send_once(client, batch, fate).await {
        wait_or_fail(error, &mut attempt, attempts, batch.id).await.map_err(|error| Error::Batch {
            table: batch.destination.table.name,
            rows: batch.rows,
            source: Box::new(error),
        })?;
    }
    Ok(attempt)
}

/// Waits before the next attempt; fails with `error` if that cannot pass or `attempt` was the last. The `id` of
/// what is attempted shortens the wait.
pub(super) async fn wait_or_fail(error: Error, attempt: &mut u32, attempts: u32, id: EventId) -> Result<()> {
    if error.class() != Class::Transient || *attempt >= attempts {
        return Err(error);
    }
    let wait = wait_before(*attempt, id);
    tracing::warn!(%id, attempt, ?wait, "trying again: {error}");
    tokio::time::sleep(wait).await;
    *attempt += 1;
    Ok(())
}

/// What is known of a batch before it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It was not sent to a server that may have been killed since.
    Unsent,
    /// It was sent, nobody knows how far it got, and the server may have been killed. ClickHouse notes a token before
    /// it commits the rows (`MergeTreeSink`), so one that is killed between the two takes the token for known and has
    /// no rows. Such a batch is sent without a token: copies of its rows collapse in the table and count once in the
    /// rollup.
    Unknown,
}

pub(super) async fn send_once(client: &Client, batch: &Batch, fate: Fate) -> Result<()> {
    let insert = client
        .driver()
        .insert_formatted_with(batch.destination.table.insert())
        // 0 is the server's default: it spreads the rows itself, where there is anything to spread.
        .with_setting("insert_shard_id", batch.destination.shard.to_string())
        // The batch is formed already: left to the server, it would be merged with others and answered early.
        .with_setting("async_insert", "0")
        // The server would merge the rows with each other first, which takes a third of an insert. No event is in a
        // batch twice, and what the view makes of it is merged with the other parts anyway.
        .with_setting("optimize_on_insert", "0")
        .with_setting("insert_deduplicate", if fate == Fate::Unsent { "1" } else { "0" });
    let insert = match fate {
        Fate::Unsent => insert.with_setting("insert_deduplication_token", batch.id.to_string()),
        Fate::Unknown => insert,
    };
    let mut insert = insert
        // The answer comes when the rows are in the table, and its status tells whether they are.
        .with_setting("wait_end_of_query", "1")
        .with_timeouts(Some(SEND_TIMEOUT), Some(ANSWER_TIMEOUT));
    let sent = async {
        for from in (0..batch.bytes.len()).step_by(CHUNK_BYTES) {
            let until = batch.bytes.len().min(from + CHUNK_BYTES);
            insert.send(batch.bytes.slice(from..until)).await?;
        }
        insert.end().await
    };
    sent.await.map_err(|error| client.error(&error))
}

/// Doubles with every attempt. Shortened by up to half by what is random in the id, so that many
/// writers do not come back at the same moment.
pub(super) fn wait_before(attempt: u32, id: EventId) -> Duration {
    let doubled =
        FIRST_WAIT.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1))).min(LONGEST_WAIT);
    let share = (id.0.rotate_right(attempt % 16 * 8) & 0xff) as u32;
    doubled - doubled * share / 512
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_a_bound_and_differ_between_batches() {
        let waits: Vec<_> = (1..=8).map(|attempt| wait_before(attempt, EventId(0)).as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        let other = wait_before(1, EventId(u128::MAX));
        assert!(other < FIRST_WAIT && other > FIRST_WAIT / 2 - Duration::from_millis(1), "{other:?}");
    }
}
