//! Creates `events_daily`, the number of events by tenant, day, kind and source, and the view that keeps it.
//!
//! - The state is the set of event ids (`uniqExact`), not a count: an event that is inserted twice, in two batches
//!   or after its token is forgotten, counts once, and one that comes late counts on its day.
//! - By hour, or by repository or actor too, it would be as large as `events` itself and slower; and so it says
//!   nothing of a person.
//! - The view is there before the events that were there already are counted, so that none falls between; those
//!   that are counted by both count once.
//! - The window of deduplication tokens is as long as that of `events`: the view hands the token on.
//!
//! Locks: none. `up` reads all of `events`. `down` loses nothing that `events` does not have.

use super::{Migration, Statement, file_name};

pub(super) struct CreateEventsDaily;

impl Migration for CreateEventsDaily {
    fn name(&self) -> &'static str {
        file_name(module_path!())
    }

    fn up(&self) -> Vec<Statement> {
        vec![
            Statement::new("create table events_daily", CREATE),
            Statement::new("create view events_daily_view", format!("{CREATE_VIEW} {SELECT}")),
            Statement::new("count what is there", format!("INSERT INTO events_daily {SELECT}")),
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
    day Date32 COMMENT 'The day in UTC on which they happened; 1970-01-01 when their source does not say.',
    kind LowCardinality(String) COMMENT 'What happened, as in events.',
    source LowCardinality(String) COMMENT 'Where they come from, as in events.',
    events AggregateFunction(uniqExact, UUID) COMMENT 'The events: uniqExactMerge(events) is how many.'
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (tenant, day, kind, source)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'How many events there were, by tenant, day, kind and source; each counts once however often it came.'
";

const CREATE_VIEW: &str = "CREATE MATERIALIZED VIEW IF NOT EXISTS events_daily_view TO events_daily AS";

const SELECT: &str = "
SELECT tenant, toDate32(occurred_at) AS day, kind, source, uniqExactState(event_id) AS events
FROM events
GROUP BY tenant, day, kind, source";
