//! The events on two shards, and the definition of a replicated cluster.

use events::migration::{self, Cluster};
use events::source::github;
use events::writer::{self, Options};
use events::{Intake, Normalised, erasure};

use crate::harness::{TestEvents, TestShards};

fn pushes() -> Vec<Normalised> {
    let intake = Intake::new("default", "2026-06-01T12:00:00Z".parse().unwrap());
    let push = |number: usize| {
        let body = format!(
            r#"{{"action":"opened","sender":{{"login":"person{}"}},"issue":{{"number":{number},"updated_at":"2026-05-01T00:00:00Z"}}}}"#,
            number % 20
        );
        github::event(&intake, "issues", None, body.as_bytes())
    };
    (0..600).map(push).collect()
}

const SPREAD: &str = "SELECT max(shards), min(total) > 0, sum(events), countIf(actor = '') FROM (
    SELECT actor, uniqExact(_shard_num) AS shards, count() AS events, 1 AS total FROM events GROUP BY actor)";

#[tokio::test]
async fn all_events_of_a_person_lie_on_one_shard_and_writing_twice_yields_each_once() {
    let mut shards = TestShards::migrated().await;
    let clients = shards.clients().await;
    // Once through each server, so that no known event keeps the second from being sent.
    for client in &clients {
        writer::write(client, pushes(), Options::default(), |_| {}).await.unwrap();
    }
    for shard in [0, 1] {
        assert_eq!(
            shards.execute(shard, "SELECT count(), uniqExact(event_id) FROM events FINAL").await.trim(),
            "600\t600"
        );
        assert_eq!(
            shards.execute(shard, "SELECT uniqExactMerge(events) FROM events_daily").await.trim(),
            "600"
        );
        assert_eq!(shards.execute(shard, SPREAD).await.trim(), "1\t1\t600\t0");
        let local: u64 =
            shards.execute(shard, "SELECT count() FROM events_local").await.trim().parse().unwrap();
        assert!((1..600).contains(&local), "shard {shard} has {local}");
    }
    shards.crash(1).await;
    assert_eq!(shards.execute(0, "SELECT count() FROM events FINAL").await.trim(), "600");

    for client in shards.clients().await {
        erasure::erase(&client, "default", "person7", "2026-06-02T00:00:00Z".parse().unwrap(), |_| {})
            .await
            .unwrap();
    }
    assert_eq!(shards.execute(0, "SELECT count() FROM events FINAL").await.trim(), "570");
    assert_eq!(shards.execute(0, "SELECT uniqExactMerge(events) FROM events_daily").await.trim(), "570");
}

#[tokio::test]
async fn the_definition_of_a_replicated_cluster_parses_on_the_server() {
    let database = TestEvents::empty().await;
    let mut parsed = 0;
    for migration in Cluster::new("main").migrations(&migration::all()).unwrap() {
        for statement in migration.up().into_iter().chain(migration.down()) {
            database.execute(&format!("EXPLAIN AST {}", statement.sql.trim())).await;
            parsed += 1;
        }
    }
    assert!(parsed > 30, "{parsed}");
}
