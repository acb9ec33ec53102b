//! The entities of analyticsdb.

use entity_analyticsdb::{PackageRankingId, RefreshRunId, package_ranking, refresh_run};
use sea_orm::EntityTrait;

use super::{stored, time};
use crate::harness::{Database, TestDb};

fn run() -> refresh_run::Model {
    refresh_run::Model {
        id: RefreshRunId(10),
        report: "package_rankings".into(),
        started_at: time("2026-11-02T09:00:00.000001Z"),
        finished_at: Some(time("2026-11-02T09:00:01Z")),
        watermark: Some(time("2026-11-02T08:59:59.999999Z")),
        rows_changed: Some(i64::MAX),
        error: Some("out of breath".into()),
        created_at: time("2026-11-02T09:00:00Z"),
        updated_at: time("2026-11-02T09:00:01Z"),
        deleted_at: Some(time("2026-11-03T00:00:00Z")),
    }
}

fn ranking() -> package_ranking::Model {
    package_ranking::Model {
        id: PackageRankingId(11),
        ecosystem: "npm".into(),
        namespace: "@example".into(),
        name: "left-pad".into(),
        ardb_package_id: Some(4),
        rank: 1,
        dependents_count: 3,
        dependent_versions_count: 5,
        refresh_run_id: RefreshRunId(10),
        created_at: time("2026-11-02T09:00:00Z"),
        updated_at: time("2026-11-02T09:00:01Z"),
        deleted_at: None,
    }
}

#[tokio::test]
async fn every_entity_of_analyticsdb_reads_back_as_it_was_written_and_loads_its_relations() {
    let db = TestDb::migrated(Database::Analyticsdb).await;
    stored(&db, run()).await;
    stored(&db, ranking()).await;

    let loaded = refresh_run::Entity::load().with(package_ranking::Entity).one(&*db).await.unwrap().unwrap();
    assert_eq!(loaded.package_rankings, [ranking()]);

    let loaded = package_ranking::Entity::load().with(refresh_run::Entity).one(&*db).await.unwrap().unwrap();
    assert_eq!(run(), *loaded.refresh_run.as_ref().unwrap());

    let joined =
        package_ranking::Entity::find().find_also_related(refresh_run::Entity).all(&*db).await.unwrap();
    assert_eq!(joined, [(ranking(), Some(run()))]);
}
