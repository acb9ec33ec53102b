//! What the log says afterwards.

use migration_runner::{Extent, HistoryEntry};
use sea_orm::ConnectionTrait;

use super::{FirstTwo, Three, runner, value};
use crate::harness::{Database, TestDb};

#[tokio::test]
async fn every_run_is_told_with_its_direction_times_checksum_program_host_and_role() {
    let db = TestDb::empty(Database::Ardb).await;
    let runner = runner::<FirstTwo>().program("shop 2.1.0");
    runner.up(&db).await.unwrap();
    runner.down(&db, &Extent::Count(1)).await.unwrap();
    let history = runner.history(&db, 10).await.unwrap();
    let told: Vec<_> = history
        .iter()
        .rev()
        .map(|entry| (entry.migration.as_str(), entry.action.as_str(), entry.success))
        .collect();
    assert_eq!(told, [("m1_a", "up", Some(true)), ("m2_b", "up", Some(true)), ("m2_b", "down", Some(true))]);
    let role = value(&db, "select current_user").await;
    for HistoryEntry { started_at, finished_at, duration_ms, checksum, program, host, role: by, .. } in
        &history
    {
        assert!(finished_at.is_some_and(|end| end >= *started_at) && duration_ms.is_some());
        assert!(checksum.as_ref().is_some_and(|checksum| checksum.len() == 64), "{checksum:?}");
        assert_eq!((program.as_str(), by), ("shop 2.1.0", &role));
        assert!(!host.is_empty());
    }
    assert_eq!(history[0].checksum, history[1].checksum, "one checksum for both directions");
}

#[tokio::test]
async fn the_start_is_written_outside_the_transaction() {
    const LOOKS: super::Sql = super::sql(
        "m1_a",
        "create table m1_a as select migration, success is null as is_open from test_migrations_log",
        "drop table m1_a",
    );
    super::migrators! { Looks: [LOOKS] }
    use sea_orm::DynIden;
    use sea_orm_migration::sea_query::{Alias, IntoIden};
    use sea_orm_migration::{MigrationTrait, MigratorTrait};
    let db = TestDb::empty(Database::Ardb).await;
    runner::<Looks>().up(&db).await.unwrap();
    assert_eq!(
        value(&db, "select string_agg(migration || ' ' || is_open, ',') from m1_a").await,
        "m1_a true"
    );
}

#[tokio::test]
async fn a_role_that_may_only_write_rows_can_migrate_where_ledger_and_log_are() {
    let db = TestDb::empty(Database::Ardb).await;
    runner::<FirstTwo>().up(&db).await.unwrap();
    let role = format!("writer_of_{}", value(&db, "select current_database()").await);
    db.execute_unprepared(&format!(
        "create role {role}; grant {role} to current_user; grant create, usage on schema public to {role}; \
         grant select, insert, update, delete on test_migrations, test_migrations_log to {role}"
    ))
    .await
    .unwrap();
    let mut options = sea_orm::ConnectOptions::new(db.url());
    options.max_connections(1).sqlx_logging(false);
    let own = sea_orm::Database::connect(options).await.unwrap();
    own.execute_unprepared(&format!("set role {role}")).await.unwrap();
    assert_eq!(runner::<Three>().up(&own).await.unwrap(), ["m3_c"]);
    assert_eq!(value(&db, "select role from test_migrations_log order by id desc limit 1").await, role);
    own.close().await.unwrap();
    db.execute_unprepared(&format!("drop owned by {role}; drop role {role}")).await.unwrap();
}
