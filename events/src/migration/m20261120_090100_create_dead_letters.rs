//! Creates `dead_letters`, one row per input that did not become an event.
//!
//! Not partitioned: it is small, and the month of arrival would keep two deliveries of one broken input from
//! collapsing. Which copy stays is decided as in `events`.
//!
//! Locks: none, the table is new. `down` loses all rejected inputs.

use super::{Migration, Statement, file_name};

pub(super) struct CreateDeadLetters;

impl Migration for CreateDeadLetters {
    fn name(&self) -> &'static str {
        file_name(module_path!())
    }

    fn up(&self) -> Vec<Statement> {
        vec![Statement::new("create table dead_letters", CREATE)]
    }

    fn down(&self) -> Vec<Statement> {
        vec![Statement::new("drop table dead_letters", "DROP TABLE IF EXISTS dead_letters SYNC")]
    }
}

const CREATE: &str = "
CREATE TABLE IF NOT EXISTS dead_letters
(
    tenant LowCardinality(String) COMMENT 'Whose input it was.',
    letter_id UUID COMMENT '128 bits of the SHA-256 over tenant, source, place and input; the same for every delivery.' CODEC(NONE),
    source LowCardinality(String) COMMENT 'Where it comes from: github, git.',
    place String COMMENT 'File and entry, or delivery, where the input was found.' CODEC(ZSTD(1)),
    reason String COMMENT 'What is wrong with it and what was expected.' CODEC(ZSTD(1)),
    payload String COMMENT 'The input, scrubbed, at most 64 KiB, invalid UTF-8 replaced.' CODEC(ZSTD(3)),
    event_id Nullable(UUID) COMMENT 'The id of the event; null when the input did not get far enough to have one.' CODEC(NONE),
    received_at DateTime64(3, 'UTC') COMMENT 'When it arrived here.' CODEC(Delta, ZSTD(1)),
    precedence UInt64 MATERIALIZED 18446744073709551615 - toUInt64(toUnixTimestamp64Milli(received_at)) COMMENT 'Larger for what arrived earlier: of two copies the largest stays.' CODEC(Delta, ZSTD(1)),
    CONSTRAINT dead_letters_tenant_check CHECK tenant != ''
)
ENGINE = ReplacingMergeTree(precedence)
ORDER BY (tenant, source, letter_id)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'Inputs that did not become events, with the reason; read it with FINAL.'
";
