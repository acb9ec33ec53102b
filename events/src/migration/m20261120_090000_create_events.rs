//! Creates `events`, one row per event.
//!
//! - `ReplacingMergeTree(precedence)`: two copies of an event have equal sort keys, since every column of it
//!   is made from the event's content, and collapse; `FINAL` shows one of them before the merge does. Of two
//!   copies the one that arrived first stays, so a redelivery cannot move an event past the watermark of a
//!   digest that has counted it.
//! - The day is `toDate32`, because `toDate` ends in 2149 and begins in 1970 and its overflow would make
//!   pruning by the key wrong.
//! - `repository` and `actor` are plain strings: a dictionary per part does not pay with millions of them, and
//!   sorted as they are they compress anyway.
//! - `non_replicated_deduplication_window`: without it a plain MergeTree ignores deduplication tokens.
//!
//! Locks: none, the table is new. `down` loses all events.

use super::{Migration, Statement, file_name};

pub(super) struct CreateEvents;

impl Migration for CreateEvents {
    fn name(&self) -> &'static str {
        file_name(module_path!())
    }

    fn up(&self) -> Vec<Statement> {
        vec![Statement::new("create table events", CREATE)]
    }

    fn down(&self) -> Vec<Statement> {
        vec![Statement::new("drop table events", "DROP TABLE IF EXISTS events SYNC")]
    }
}

const CREATE: &str = "
CREATE TABLE IF NOT EXISTS events
(
    tenant LowCardinality(String) COMMENT 'Whose event it is.',
    event_id UUID COMMENT '128 bits of the SHA-256 over tenant, source and idempotency key or content; the same for every delivery.' CODEC(NONE),
    source LowCardinality(String) COMMENT 'Where it comes from: github, git.',
    kind LowCardinality(String) COMMENT 'What happened, from general to special: pull_request.opened, push, commit.merge.',
    action LowCardinality(String) COMMENT 'The last part of kind; empty when the source says none.',
    repository String COMMENT 'owner/name; empty when the event belongs to no repository.' CODEC(ZSTD(1)),
    actor String COMMENT 'Who did it, as the source names them; empty when the source does not say.' CODEC(ZSTD(1)),
    occurred_at DateTime64(3, 'UTC') COMMENT 'When it happened; 1970-01-01 00:00:00 when the source does not say.' CODEC(Delta, ZSTD(1)),
    received_at DateTime64(3, 'UTC') COMMENT 'When it arrived here; digests cut by it.' CODEC(Delta, ZSTD(1)),
    subject String COMMENT 'What it is about: a ref, #12, a short commit id; empty when there is nothing to name.' CODEC(ZSTD(1)),
    title String COMMENT 'One line for people, without e-mail addresses and secrets.' CODEC(ZSTD(1)),
    url String COMMENT 'Where to look at it (http or https); empty when the source gives none.' CODEC(ZSTD(1)),
    attributes Map(LowCardinality(String), String) COMMENT 'What the source says beyond the columns, bounded and scrubbed; _cut counts what did not fit.' CODEC(ZSTD(1)),
    precedence UInt64 MATERIALIZED 18446744073709551615 - toUInt64(toUnixTimestamp64Milli(received_at)) COMMENT 'Larger for what arrived earlier: of two copies of an event the largest stays.' CODEC(Delta, ZSTD(1)),
    INDEX events_event_id_idx event_id TYPE bloom_filter(0.01) GRANULARITY 1,
    CONSTRAINT events_tenant_check CHECK tenant != '',
    CONSTRAINT events_kind_check CHECK kind != ''
)
ENGINE = ReplacingMergeTree(precedence)
PARTITION BY toYYYYMM(occurred_at)
ORDER BY (tenant, toDate32(occurred_at), kind, repository, actor, occurred_at, event_id)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'What happened, one row per event and delivery; read it with FINAL, which leaves one row per event.'
";
