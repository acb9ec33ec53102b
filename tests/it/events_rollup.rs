//! `events_daily` counts what `events` holds, whatever came in how often and in which order.

use crate::harness::{ROLLUP_DIFFERENCES, TestEvents};

/// Rows `from` to `to` of a made-up stream in which every event comes up to three times, days apart, in no order.
fn insert(seed: u32, from: u32, to: u32) -> String {
    format!(
        "INSERT INTO events (tenant, event_id, source, kind, repository, actor, occurred_at, received_at)
         SELECT concat('t', toString(id % 3)), reinterpret(toUInt128(id), 'UUID'), if(id % 5 = 0, 'git', 'github'),
             concat('kind', toString(id % 7)), '', concat('person', toString(id % 11)),
             toDateTime64('1969-12-30 00:00:00', 3, 'UTC') + toIntervalSecond(id * 3011 + (id % 4) * 1500000000 * (id % 2)),
             toDateTime64('2026-01-01 00:00:00', 3, 'UTC') + number
         FROM (SELECT number, sipHash64({seed}, number) % 4000 AS id FROM numbers({from}, {}))
         SETTINGS max_partitions_per_insert_block = 0, throw_on_max_partitions_per_insert_block = 0",
        to - from
    )
}

#[tokio::test]
async fn the_rollup_counts_duplicated_late_and_unordered_events_as_the_events_do() {
    let database = TestEvents::migrated().await;
    database.execute("SYSTEM STOP MERGES events").await;
    for seed in 1..=4 {
        for portion in 0..3 {
            database.execute(&insert(seed, portion * 1000, (portion + 1) * 1000)).await;
        }
        assert_eq!(database.execute(ROLLUP_DIFFERENCES).await.trim(), "0", "seed {seed}");
    }
    let copies: u64 = database.execute("SELECT count() FROM events").await.trim().parse().unwrap();
    let events: u64 = database.execute("SELECT count() FROM events FINAL").await.trim().parse().unwrap();
    assert!(copies > events, "{copies} rows of {events} events");
    let counted = "SELECT sum(n) FROM (SELECT uniqExactMerge(events) AS n FROM events_daily GROUP BY tenant, day, kind, source)";
    assert_eq!(database.execute(counted).await.trim(), events.to_string());
    database.execute("SYSTEM START MERGES events").await;
    database.execute("OPTIMIZE TABLE events FINAL").await;
    database.execute("OPTIMIZE TABLE events_daily FINAL").await;
    assert_eq!(database.execute(ROLLUP_DIFFERENCES).await.trim(), "0");
}

#[tokio::test]
async fn events_that_were_there_before_the_rollup_are_counted_by_its_migration() {
    use events::migration::{self, Extent};
    let database = TestEvents::empty().await;
    let client = events::Client::connect(database.url()).await.unwrap();
    migration::up(&client, &Extent::Count(3)).await.unwrap();
    database.execute(&insert(1, 0, 2000)).await;
    migration::up(&client, &Extent::All).await.unwrap();
    database.execute(&insert(1, 1000, 3000)).await;
    assert_eq!(database.execute(ROLLUP_DIFFERENCES).await.trim(), "0");
    migration::down(&client, &Extent::To("m20261126_110000_create_event_payloads".into())).await.unwrap();
    migration::up(&client, &Extent::All).await.unwrap();
    assert_eq!(database.execute(ROLLUP_DIFFERENCES).await.trim(), "0");
}

#[tokio::test]
async fn a_batch_that_is_sent_again_under_its_token_adds_no_row_to_either_table() {
    let database = TestEvents::migrated().await;
    let rows = "SELECT (SELECT count() FROM events), (SELECT count() FROM events_daily)";
    let insert = "INSERT INTO events (tenant, event_id, source, kind, occurred_at)
        SETTINGS insert_deduplication_token = 'x', async_insert = 0
        VALUES ('t', '00000000-0000-0000-0000-000000000001', 's', 'k', '2026-01-01 00:00:00')";
    database.execute(insert).await;
    let once = database.execute(rows).await;
    database.execute(insert).await;
    assert_eq!((database.execute(rows).await.as_str(), once.trim()), (once.as_str(), "1\t1"));
}

#[tokio::test]
async fn a_batch_that_reached_the_events_and_not_the_rollup_reaches_it_when_it_is_sent_again() {
    let database = TestEvents::migrated().await;
    let insert = "INSERT INTO events (tenant, event_id, source, kind, occurred_at)
        SETTINGS insert_deduplication_token = 'x', async_insert = 0
        VALUES ('t', '00000000-0000-0000-0000-000000000001', 's', 'k', '2026-01-01 00:00:00')";
    // As if the server had died between the two.
    let view = database.execute("SHOW CREATE TABLE events_daily_view FORMAT TSVRaw").await;
    database.execute("DROP VIEW events_daily_view SYNC").await;
    database.execute(insert).await;
    database.execute(&view).await;
    database.execute(insert).await;
    assert_eq!(database.execute(ROLLUP_DIFFERENCES).await.trim(), "0");
    assert_eq!(database.execute("SELECT count() FROM events").await.trim(), "1");
}
