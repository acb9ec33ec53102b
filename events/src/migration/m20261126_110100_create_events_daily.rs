//! Creates `events_daily`, the number of events by tenant, day, kind and source, and fills it.
//!
//! - It holds the state of `uniqExact` over the events' ids, so that an event counts once however often, in
//!   whatever order and in however many batches it comes. A sum would count every copy: the view sees what is
//!   inserted, and not what merges make of it. 16 bytes per event of a day, tenant, kind and source.
//! - The view is made before the events that are there are counted. What arrives in between is counted by
//!   both, once.
//! - Counting twice changes nothing, so the step can be run again. It opts out of the deduplication of inserts,
//!   which would swallow it where it was done before and the rows are gone since.
//!
//! Locks: none, the table is new. The last step reads four columns of every event. `down` loses the counts,
//! which `up` makes again of `events`.

use super::{Migration, Statement, file_name};

pub(super) struct CreateEventsDaily;

impl Migration for CreateEventsDaily {
    fn name(&self) -> &'static str {
        file_name(module_path!())
    }

    fn up(&self) -> Vec<Statement> {
        vec![
            Statement::new("create table events_daily", CREATE),
            Statement::new("create view events_daily_view", VIEW),
            Statement::new("count the events that are there", FILL),
        ]
    }

    fn down(&self) -> Vec<Statement> {
        vec![
            Statement::new("drop view events_daily_view", "DROP VIEW IF EXISTS events_daily_view SYNC"),
            Statement::new("drop table events_daily", "DROP TABLE IF EXISTS events_daily SYNC"),
        ]
    }
}

const CREATE: &str = "
CREATE TABLE IF NOT EXISTS events_daily
(
    tenant LowCardinality(String) COMMENT 'Whose events they are.',
    day Date32 COMMENT 'The day they happened on (UTC); 1970-01-01 when the source does not say.',
    kind LowCardinality(String) COMMENT 'What happened, from general to special.',
    source LowCardinality(String) COMMENT 'Where they come from: github, git.',
    events AggregateFunction(uniqExact, UUID) COMMENT 'Their ids; uniqExactMerge(events) counts each once.' CODEC(NONE),
    CONSTRAINT events_daily_tenant_check CHECK tenant != ''
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (tenant, day, kind, source)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'How many events there are by day; read it with uniqExactMerge(events) and GROUP BY.'
";

const VIEW: &str = "
CREATE MATERIALIZED VIEW IF NOT EXISTS events_daily_view TO events_daily
AS SELECT tenant, toDate32(occurred_at) AS day, kind, source, uniqExactState(event_id) AS events
FROM events
GROUP BY tenant, day, kind, source
COMMENT 'Counts what is inserted into events.'
";

const FILL: &str = "
INSERT INTO events_daily (tenant, day, kind, source, events)
SELECT tenant, toDate32(occurred_at) AS day, kind, source, uniqExactState(event_id)
FROM events
GROUP BY tenant, day, kind, source
SETTINGS insert_deduplicate = 0, max_partitions_per_insert_block = 0
";
