//! The migrations of this repository.

use std::time::{Duration, Instant};

use crate::harness::{Database, TestDb};

#[tokio::test]
async fn every_migration_of_ours_is_sound_and_was_verified_with_rows_in_every_table() {
    let db = TestDb::empty(Database::Ardb).await;
    for runner in migration::runners() {
        let verification = runner.verify(&db).await.unwrap();
        assert!(verification.is_sound(), "{verification:#?}");
        for migration in &verification.migrations {
            assert_eq!(migration.tables_without_rows, [""; 0], "{}", migration.name);
        }
    }
}

#[tokio::test]
async fn the_database_that_names_the_server_stays_as_it_is_and_the_throwaway_ones_are_gone() {
    let db = TestDb::empty(Database::Ardb).await;
    let runner = migration::runner("analyticsdb").unwrap();
    let began = Instant::now();
    runner.verify(&db).await.unwrap();
    assert!(runner.catalog(&*db).await.unwrap().is_empty());
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
}
