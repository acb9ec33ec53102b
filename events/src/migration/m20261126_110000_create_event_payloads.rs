//! Creates `event_payloads`, what a source sent, for as long as a look at it may be needed.
//!
//! - In the same partition as its event, which `occurred_at` decides, so that a redelivery collapses and one
//!   month of the writer is one partition here too. `actor` is there for the erasure of a person and, in a
//!   cluster, for the shard.
//! - Thirty days from arrival, unless `archer events retention set` says otherwise.
//!
//! Locks: none, the table is new. `down` loses all payloads.

use super::{Migration, Statement, file_name};

pub(super) struct CreateEventPayloads;

impl Migration for CreateEventPayloads {
    fn name(&self) -> &'static str {
        file_name(module_path!())
    }

    fn up(&self) -> Vec<Statement> {
        vec![Statement::new("create table event_payloads", CREATE)]
    }

    fn down(&self) -> Vec<Statement> {
        vec![Statement::new("drop table event_payloads", "DROP TABLE IF EXISTS event_payloads SYNC")]
    }
}

const CREATE: &str = "
CREATE TABLE IF NOT EXISTS event_payloads
(
    tenant LowCardinality(String) COMMENT 'Whose event it is.',
    event_id UUID COMMENT 'The event that was made of it.' CODEC(NONE),
    source LowCardinality(String) COMMENT 'Where it comes from: github, git.',
    actor String COMMENT 'The actor of the event; empty when the source does not say.' CODEC(ZSTD(1)),
    occurred_at DateTime64(3, 'UTC') COMMENT 'When the event happened; 1970-01-01 00:00:00 when the source does not say.' CODEC(Delta, ZSTD(1)),
    received_at DateTime64(3, 'UTC') COMMENT 'When it arrived here; what it expires by.' CODEC(Delta, ZSTD(1)),
    payload String COMMENT 'What the source sent, scrubbed.' CODEC(ZSTD(3)),
    precedence UInt64 MATERIALIZED 18446744073709551615 - toUInt64(toUnixTimestamp64Milli(received_at)) COMMENT 'Larger for what arrived earlier: of two copies the largest stays.' CODEC(Delta, ZSTD(1)),
    CONSTRAINT event_payloads_tenant_check CHECK tenant != ''
)
ENGINE = ReplacingMergeTree(precedence)
PARTITION BY toYYYYMM(occurred_at)
ORDER BY (tenant, event_id)
TTL toDateTime(received_at) + toIntervalDay(30)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'What sources sent, one row per event; read it with FINAL.'
";
