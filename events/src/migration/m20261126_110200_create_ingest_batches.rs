//! Creates `ingest_batches`, one row per batch that was sent.
//!
//! Not partitioned: it is small, and a batch that is sent again has the same key and stays one row.
//!
//! Locks: none, the table is new. `down` loses the account of what was sent, and none of what was.

use super::{Migration, Statement, file_name};

pub(super) struct CreateIngestBatches;

impl Migration for CreateIngestBatches {
    fn name(&self) -> &'static str {
        file_name(module_path!())
    }

    fn up(&self) -> Vec<Statement> {
        vec![Statement::new("create table ingest_batches", CREATE)]
    }

    fn down(&self) -> Vec<Statement> {
        vec![Statement::new("drop table ingest_batches", "DROP TABLE IF EXISTS ingest_batches SYNC")]
    }
}

const CREATE: &str = "
CREATE TABLE IF NOT EXISTS ingest_batches
(
    destination LowCardinality(String) COMMENT 'The table it was sent to.',
    month UInt32 COMMENT 'Year and month of its rows as YYYYMM: the partition; 0 for a table without.',
    shard UInt32 COMMENT 'The shard it was sent to, counted from 1; 0 when the server distributes it.',
    token UUID COMMENT 'Hash of its content: its deduplication token.' CODEC(NONE),
    rows UInt64 COMMENT 'How many rows it has.' CODEC(Delta, ZSTD(1)),
    bytes UInt64 COMMENT 'How many bytes were sent, uncompressed.' CODEC(Delta, ZSTD(1)),
    sent_at DateTime64(3, 'UTC') COMMENT 'When the server said that it has it.' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(sent_at)
ORDER BY (destination, month, shard, token)
TTL toDateTime(sent_at) + toIntervalDay(90)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'Batches that were written, for ninety days; read it with FINAL.'
";
