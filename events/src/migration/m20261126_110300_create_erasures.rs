//! Creates `erasures`, one row per person who was erased, and `retention`, how long events are kept.
//!
//! `erasures` names nobody: it has the digest of tenant and actor, which is enough to know a redelivery by. A
//! row is written before anything is deleted, with the days whose counts have to be made anew, so that an
//! erasure that was interrupted can be ended.
//!
//! `retention` is what the TTL of the tables is made of; the tables themselves are left as they are here, and
//! keep everything until `archer events retention set` says otherwise.
//!
//! Locks: none, the tables are new. `down` loses both: erased people who are delivered again are no longer
//! known. The TTL that is set stays.

use super::{Migration, Statement, file_name};

pub(super) struct CreateErasures;

impl Migration for CreateErasures {
    fn name(&self) -> &'static str {
        file_name(module_path!())
    }

    fn up(&self) -> Vec<Statement> {
        vec![
            Statement::new("create table erasures", ERASURES),
            Statement::new("create table retention", RETENTION),
        ]
    }

    fn down(&self) -> Vec<Statement> {
        vec![
            Statement::new("drop table retention", "DROP TABLE IF EXISTS retention SYNC"),
            Statement::new("drop table erasures", "DROP TABLE IF EXISTS erasures SYNC"),
        ]
    }
}

const ERASURES: &str = "
CREATE TABLE IF NOT EXISTS erasures
(
    tenant LowCardinality(String) COMMENT 'Whose events were erased from.',
    actor_digest FixedString(64) COMMENT 'SHA-256, hexadecimal, over the tenant, a zero byte and the actor.' CODEC(NONE),
    requested_at DateTime64(3, 'UTC') COMMENT 'When the erasure was asked for.',
    finished_at DateTime64(3, 'UTC') COMMENT 'When it was done; 1970-01-01 00:00:00 until then.',
    days Array(Date32) COMMENT 'The days whose counts are made anew.',
    rows_deleted Map(LowCardinality(String), UInt64) COMMENT 'How many rows were deleted, by table.'
)
ENGINE = ReplacingMergeTree(finished_at)
ORDER BY (tenant, actor_digest, requested_at)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'Who was erased, as a digest, when, and how many rows that were; read it with FINAL.'
";

const RETENTION: &str = "
CREATE TABLE IF NOT EXISTS retention
(
    tenant String COMMENT 'For whose events it is; empty for all who have no row of their own.',
    events_days UInt32 COMMENT 'How many days an event is kept after it happened; 0 for ever.',
    payload_days UInt32 COMMENT 'How many days a payload and a rejected input are kept after they arrived; 0 for ever.',
    set_at DateTime64(3, 'UTC') COMMENT 'When it was set; the latest counts.'
)
ENGINE = ReplacingMergeTree(set_at)
ORDER BY tenant
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'How long the events of each tenant are kept; read it with FINAL.'
";
