//! Trying migrations out: good ones, and each way to be bad.

use events::Error;
use events::migration::{Direction, Extent, Finding, Migration, Runner, Verification};

use super::{Made, a, connect, made, tables};
use crate::harness::TestEvents;

const PEOPLE: &str = "CREATE TABLE IF NOT EXISTS people (id UInt64, name String, \
     CONSTRAINT named CHECK name != '') ENGINE = MergeTree ORDER BY id";

fn people() -> Box<dyn Migration> {
    made("m0_people", &[PEOPLE], &["DROP TABLE IF EXISTS people SYNC"])
}

async fn verify(migrations: Vec<Box<dyn Migration>>) -> Verification {
    let database = TestEvents::empty().await;
    let client = connect(&database).await;
    let found = Runner::of(&client, migrations).verify().await.unwrap();
    assert_eq!(tables(&client).await, [""; 0]);
    found
}

/// What is found of `migration` after one that makes a table; of the others nothing may be.
async fn findings(migration: Box<dyn Migration>) -> Vec<Finding> {
    let found = verify(vec![people(), migration, a()]).await;
    assert_eq!(found.unfilled, []);
    assert_eq!(found.tried.len(), 3);
    let found = found.findings;
    assert!(found.iter().all(|finding| !finding.to_string().starts_with("m0_people")), "{found:?}");
    assert!(found.iter().all(|finding| !finding.to_string().starts_with("m1_a")), "{found:?}");
    found
}

#[tokio::test]
async fn the_migrations_of_this_release_are_sound() {
    let database = TestEvents::empty().await;
    let runner = Runner::new(&connect(&database).await);
    let found = runner.verify().await.unwrap();
    assert_eq!(
        (found.findings, found.unfilled, found.tried.len()),
        (vec![], vec![], events::migration::all().len())
    );
}

#[tokio::test]
async fn sound_changes_of_every_kind_are_found_sound() {
    let found = verify(vec![
        people(),
        made(
            "m2_column",
            &["ALTER TABLE people ADD COLUMN IF NOT EXISTS age UInt8 DEFAULT 7 COMMENT 'x'"],
            &["ALTER TABLE people DROP COLUMN IF EXISTS age"],
        ),
        made(
            "m3_index",
            &[
                "ALTER TABLE people ADD INDEX IF NOT EXISTS i name TYPE bloom_filter GRANULARITY 1",
                "ALTER TABLE people MATERIALIZE INDEX IF EXISTS i",
            ],
            &["ALTER TABLE people DROP INDEX IF EXISTS i"],
        ),
        made(
            "m4_view",
            &[
                "CREATE TABLE IF NOT EXISTS counts (name String, n SimpleAggregateFunction(sum, UInt64)) \
                 ENGINE = AggregatingMergeTree ORDER BY name",
                "CREATE MATERIALIZED VIEW IF NOT EXISTS v TO counts AS SELECT name, count() AS n FROM people GROUP BY name",
            ],
            &["DROP VIEW IF EXISTS v SYNC", "DROP TABLE IF EXISTS counts SYNC"],
        ),
        made(
            "m5_inner",
            &["CREATE MATERIALIZED VIEW IF NOT EXISTS w ENGINE = MergeTree ORDER BY id AS SELECT id FROM people"],
            &["DROP VIEW IF EXISTS w SYNC"],
        ),
        made(
            "m6_type",
            &["ALTER TABLE people MODIFY COLUMN age UInt16 DEFAULT 7 COMMENT 'x'"],
            &["ALTER TABLE people MODIFY COLUMN age UInt8 DEFAULT 7 COMMENT 'x'"],
        ),
        made(
            "m7_types",
            &["CREATE TABLE IF NOT EXISTS types (a Nullable(Decimal(18, 4)), b Enum8('x' = 1, 'y' = 2), \
               c Array(Nullable(String)), d Map(LowCardinality(String), UInt8), e Tuple(x Int32, y UUID), \
               f FixedString(4), g IPv4, h DateTime64(3, 'UTC'), i Bool, j Date, \
               sign Int8, k UInt64 MATERIALIZED 5, l UInt64 ALIAS k + 1) \
               ENGINE = CollapsingMergeTree(sign) ORDER BY b TTL j + INTERVAL 1 DAY"],
            &["DROP TABLE IF EXISTS types SYNC"],
        ),
        a(),
    ])
    .await;
    assert_eq!((found.findings, found.unfilled), (vec![], vec![]));
}

#[tokio::test]
async fn a_down_that_forgets_a_table_is_found() {
    let found = findings(made(
        "m1",
        &[
            "CREATE TABLE IF NOT EXISTS s (x UInt8) ENGINE = Memory",
            "CREATE TABLE IF NOT EXISTS t (x UInt8) ENGINE = Memory",
        ],
        &["DROP TABLE IF EXISTS s SYNC"],
    ))
    .await;
    let difference =
        vec!["+ table t: Memory, comment ''".to_owned(), "+ column t.x: UInt8, comment ''".to_owned()];
    assert_eq!(found, [Finding::DownLeaves { migration: "m1".to_owned(), difference }]);
}

#[tokio::test]
async fn a_down_that_forgets_a_column_is_found() {
    let found = findings(made(
        "m1",
        &["ALTER TABLE people ADD COLUMN IF NOT EXISTS p UInt8, ADD COLUMN IF NOT EXISTS q UInt8"],
        &["ALTER TABLE people DROP COLUMN IF EXISTS p"],
    ))
    .await;
    let difference = vec!["+ column people.q: UInt8, comment ''".to_owned()];
    assert_eq!(found, [Finding::DownLeaves { migration: "m1".to_owned(), difference }]);
}

#[tokio::test]
async fn a_down_that_leaves_a_view_is_found() {
    let found =
        findings(made("m1", &["CREATE VIEW IF NOT EXISTS v AS SELECT 1 AS one"], &["SELECT 1"])).await;
    let [Finding::DownLeaves { migration, difference }] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((migration.as_str(), difference.len()), ("m1", 2));
    assert_eq!(difference[1], "+ column v.one: UInt8, comment ''");
}

#[tokio::test]
async fn lost_rows_are_found_unless_the_migration_says_so() {
    let drop_name = |loses| Made {
        name: "m2",
        up: &[
            "ALTER TABLE people DROP CONSTRAINT IF EXISTS named",
            "ALTER TABLE people DROP COLUMN IF EXISTS name",
        ],
        down: &[
            "ALTER TABLE people ADD COLUMN IF NOT EXISTS name String",
            "ALTER TABLE people ADD CONSTRAINT IF NOT EXISTS named CHECK name != ''",
        ],
        loses,
    };
    let found = findings(Box::new(drop_name(&[]))).await;
    let [Finding::RowsLost { migration, table, count: 3, example }] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!((migration.as_str(), table.as_str()), ("m2", "people"));
    assert!(example.contains("row "), "{example}");
    assert_eq!(findings(Box::new(drop_name(&["people.name"]))).await, []);
    assert_eq!(findings(Box::new(drop_name(&["people"]))).await, []);
}

#[tokio::test]
async fn an_up_that_deletes_rows_is_found() {
    let found = findings(made("m2", &["ALTER TABLE people DELETE WHERE id > 5"], &["SELECT 1"])).await;
    let [Finding::RowsLost { count: 1, example, .. }] = found.as_slice() else { panic!("{found:?}") };
    assert!(example.contains("row 6"), "{example}");
}

#[tokio::test]
async fn a_statement_that_can_not_be_run_again_is_found() {
    let found =
        findings(made("m2", &["CREATE TABLE t (x UInt8) ENGINE = Memory"], &["DROP TABLE IF EXISTS t SYNC"]))
            .await;
    let [Finding::RerunFailed { migration, direction: Direction::Up, about, error }] = found.as_slice()
    else {
        panic!("{found:?}")
    };
    assert_eq!((migration.as_str(), *about), ("m2", "CREATE TABLE t (x UInt8) ENGINE = Memory"));
    assert!(error.contains("code 57"), "{error}");

    let found = findings(made(
        "m2",
        &["CREATE TABLE IF NOT EXISTS t (x UInt8) ENGINE = Memory"],
        &["DROP TABLE t SYNC"],
    ))
    .await;
    assert!(
        matches!(found.as_slice(), [Finding::RerunFailed { direction: Direction::Down, .. }]),
        "{found:?}"
    );
}

#[tokio::test]
async fn a_statement_that_writes_its_rows_again_is_found() {
    const FILL: &str = "INSERT INTO t SELECT id FROM people";
    let found = findings(made(
        "m2",
        &["CREATE TABLE IF NOT EXISTS t (x UInt64) ENGINE = MergeTree ORDER BY x", FILL],
        &["DROP TABLE IF EXISTS t SYNC"],
    ))
    .await;
    let difference = vec!["~ rows of t".to_owned()];
    let migration = "m2".to_owned();
    let expected =
        Finding::RerunDiffers { migration, direction: Direction::Up, about: Some(FILL), difference };
    assert_eq!(found, [expected]);
}

#[tokio::test]
async fn statements_that_can_be_run_again_one_by_one_but_not_together_are_found() {
    let found = findings(made(
        "m2",
        &[
            "CREATE TABLE IF NOT EXISTS t (x UInt8) ENGINE = Memory",
            "CREATE TABLE IF NOT EXISTS u (x UInt8) ENGINE = Memory",
            "CREATE TABLE IF NOT EXISTS v AS t",
            "ALTER TABLE u ADD COLUMN IF NOT EXISTS y UInt8",
            "RENAME TABLE IF EXISTS t TO w",
        ],
        &[
            "DROP TABLE IF EXISTS u SYNC",
            "DROP TABLE IF EXISTS v SYNC",
            "DROP TABLE IF EXISTS w SYNC",
            "DROP TABLE IF EXISTS t SYNC",
        ],
    ))
    .await;
    let [Finding::RerunFailed { direction: Direction::Up, about, .. }] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert!(about.starts_with("RENAME"), "{about}");

    let found = findings(made(
        "m2",
        &[
            "CREATE TABLE IF NOT EXISTS t (x UInt8) ENGINE = Memory",
            "DROP TABLE IF EXISTS u SYNC",
            "CREATE TABLE IF NOT EXISTS u EMPTY AS t",
            "ALTER TABLE t ADD COLUMN IF NOT EXISTS y UInt8",
        ],
        &["DROP TABLE IF EXISTS u SYNC", "DROP TABLE IF EXISTS t SYNC"],
    ))
    .await;
    let [Finding::RerunDiffers { direction: Direction::Up, about: None, difference, .. }] = found.as_slice()
    else {
        panic!("{found:?}")
    };
    assert_eq!(*difference, ["+ column u.y: UInt8, comment ''"]);
}

#[tokio::test]
async fn a_down_that_fails_is_found_and_the_others_are_tried() {
    let found = findings(made(
        "m2",
        &["CREATE TABLE IF NOT EXISTS t (x UInt8) ENGINE = Memory"],
        &["DROP TABLE IF EXISTS tt SYNC", "DROP TABLE absent SYNC"],
    ))
    .await;
    let [Finding::DownFailed { migration, error }] = found.as_slice() else { panic!("{found:?}") };
    assert!(migration == "m2" && error.contains("step 2 of 2"), "{error}");
}

#[tokio::test]
async fn an_up_that_fails_is_found_and_ends_the_trial() {
    let found = verify(vec![people(), made("m2", &["SELECT nothing"], &["SELECT 1"]), a()]).await;
    assert_eq!(found.tried, ["m0_people", "m2"]);
    let [Finding::UpFailed { migration, error }] = found.findings.as_slice() else { panic!("{found:?}") };
    assert!(migration == "m2" && error.contains("nothing"), "{error}");
}

#[tokio::test]
async fn an_up_that_works_only_once_is_found() {
    let found = findings(made(
        "m2",
        &[
            "CREATE TABLE IF NOT EXISTS t (x UInt8) ENGINE = Memory",
            "ALTER TABLE people DROP CONSTRAINT named",
        ],
        &["DROP TABLE IF EXISTS t SYNC"],
    ))
    .await;
    assert!(matches!(found.first(), Some(Finding::DownLeaves { .. })), "{found:?}");
    assert!(matches!(found.last(), Some(Finding::RerunFailed { .. })), "{found:?}");
    assert_eq!(found.len(), 2);
}

#[tokio::test]
async fn a_table_that_takes_no_made_up_rows_is_named() {
    let found = verify(vec![
        made(
            "m1_strict",
            &["CREATE TABLE IF NOT EXISTS strict (x String, CONSTRAINT c CHECK x = 'one of a kind') ENGINE = Memory"],
            &["DROP TABLE IF EXISTS strict SYNC"],
        ),
        a(),
    ])
    .await;
    assert_eq!((found.findings.len(), found.unfilled.len()), (0, 1));
    assert_eq!(found.unfilled[0].table, "strict");
    assert!(found.unfilled[0].reason.contains("Constraint"), "{found:?}");
}

#[tokio::test]
async fn a_throwaway_database_is_dropped_and_so_is_one_that_was_left_over() {
    let database = TestEvents::empty().await;
    database.execute("CREATE DATABASE IF NOT EXISTS migration_scratch_1_0000000a ENGINE = Atomic").await;
    database.execute("CREATE DATABASE IF NOT EXISTS migration_scratch_keep ENGINE = Atomic").await;
    let client = connect(&database).await;
    Runner::of(&client, vec![a()]).verify().await.unwrap();
    Runner::of(&client, vec![made("m", &["SELECT nothing"], &[])]).verify().await.unwrap();
    let left = "SELECT name FROM system.databases WHERE name IN ('migration_scratch_1_0000000a', 'migration_scratch_keep')";
    assert_eq!(database.execute(left).await.trim(), "migration_scratch_keep");
    database.execute("DROP DATABASE migration_scratch_keep SYNC").await;
}

#[tokio::test]
async fn a_statement_that_names_a_database_is_found_and_not_run() {
    let database = TestEvents::empty().await;
    database.execute("CREATE TABLE keep (x UInt8) ENGINE = Memory").await;
    let client = connect(&database).await;
    let drop: &'static str =
        Box::leak(format!("DROP TABLE IF EXISTS {}.keep", client.database()).into_boxed_str());
    let runner =
        Runner::of(&client, vec![people(), made("m2", &["SELECT 1"], Box::leak(Box::new([drop]))), a()]);
    let found = runner.verify().await.unwrap();
    assert_eq!(found.findings, [Finding::NamesDatabase { migration: "m2".to_owned(), about: drop }]);
    assert_eq!(found.tried, ["m0_people"]);
    let refused = runner.baseline(&Extent::All).await.unwrap_err();
    assert!(matches!(refused, Error::NamesDatabase { .. }), "{refused}");
    assert_eq!(tables(&client).await, ["keep"]);
}
