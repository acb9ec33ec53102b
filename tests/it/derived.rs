//! The derived tables: kept by triggers and imports, held against what they follow from, and repaired.

use sea_orm::{DatabaseConnection, TransactionTrait};
use service::ardb::{
    derived::{self, TABLES, Verified},
    import::{cargo_index, osv},
};

use crate::harness::{Database, TestDb, archer, run};
use crate::import_support::{execute, fixture, lines, now};

async fn imported() -> TestDb {
    let db = TestDb::migrated(Database::Ardb).await;
    cargo_index(&db, &fixture("index"), now(), &()).await.unwrap();
    osv(&db, &fixture("osv"), now(), &()).await.unwrap();
    db
}

/// Rows that are missing, superfluous and different, by table; only tables that are wrong.
async fn wrong(db: &DatabaseConnection) -> Vec<(&'static str, u64, u64, u64)> {
    let verified = derived::verify(db).await.unwrap();
    assert_eq!(verified.len(), TABLES.len());
    let counts = |found: Verified| (found.table, found.missing, found.superfluous, found.different);
    verified.into_iter().filter(|found| !found.is_right()).map(counts).collect()
}

/// Package, newest version, newest stable version, number of versions.
async fn latest(db: &DatabaseConnection) -> Vec<String> {
    let select = "
        select concat_ws(' ', package.name, coalesce(newest.number, '-'), coalesce(stable.number, '-'), versions_count)
            as line
        from latest_versions latest
        join packages package on package.id = latest.package_id
        left join versions newest on newest.id = newest_version_id
        left join versions stable on stable.id = newest_stable_version_id
        order by 1";
    lines(db, select).await
}

async fn dependents(db: &DatabaseConnection) -> Vec<String> {
    let select = "
        select format('%s <- %s %s', package.name, dependent.name, dependencies_count) as line
        from dependents
        join packages package on package.id = package_id
        join packages dependent on dependent.id = dependent_package_id
        order by 1";
    lines(db, select).await
}

/// The packages a, b and c, of which a has the versions 1.0.0, 1.1.0 and 2.0.0-rc.1.
async fn three_packages(db: &DatabaseConnection) {
    execute(
        db,
        r"insert into packages (ecosystem_id, name, normalized_name) values (1, 'a', 'a'), (1, 'b', 'b'), (1, 'c', 'c');
          insert into versions (package_id, number, sort_key, is_prerelease) values
              (1, '1.0.0', '\x01', false), (1, '2.0.0-rc.1', '\x03', true), (1, '1.1.0', '\x02', false),
              (2, '1.0.0', '\x01', false)",
    )
    .await;
}

#[tokio::test]
async fn imports_leave_every_derived_table_as_it_should_be() {
    let db = imported().await;
    assert_eq!(wrong(&db).await, []);
    for table in TABLES {
        let select = format!("select 'some' as line from {} limit 1", table.name());
        assert_eq!(lines(&db, &select).await, ["some"], "{}", table.name());
    }
}

#[tokio::test]
async fn the_newest_version_follows_every_change_of_versions() {
    let db = TestDb::migrated(Database::Ardb).await;
    three_packages(&db).await;
    assert_eq!(latest(&db).await, ["a 2.0.0-rc.1 1.1.0 3", "b 1.0.0 1.0.0 1"]);
    for (change, expected) in [
        ("update versions set is_yanked = true where number = '1.1.0'", "a 2.0.0-rc.1 1.0.0 3"),
        ("update versions set deleted_at = now() where number = '2.0.0-rc.1'", "a 1.0.0 1.0.0 2"),
        ("update versions set deleted_at = null", "a 2.0.0-rc.1 1.0.0 3"),
        (r"update versions set sort_key = '\x00', is_yanked = false", "a 2.0.0-rc.1 1.1.0 3"),
        ("update versions set sort_key = null", "a - - 3"),
        ("delete from versions where package_id = 1 and number <> '1.0.0'", "a - - 1"),
        (r"update versions set sort_key = '\x05' where package_id = 1", "a 1.0.0 1.0.0 1"),
    ] {
        execute(&db, change).await;
        assert_eq!(latest(&db).await[0], expected, "{change}");
        assert_eq!(wrong(&db).await, [], "{change}");
    }
    execute(&db, "delete from versions where package_id = 1").await;
    assert_eq!(latest(&db).await.len(), 1);
    execute(&db, "delete from packages where id = 1").await;
    assert_eq!(wrong(&db).await, []);
}

#[tokio::test]
async fn a_version_that_is_touched_without_consequence_leaves_the_newest_alone() {
    let db = TestDb::migrated(Database::Ardb).await;
    three_packages(&db).await;
    let row = "select latest::text as line from latest_versions latest where package_id = 1";
    let before = lines(&db, row).await;
    execute(&db, "update versions set attributes = '{\"links\": \"z\"}'").await;
    assert_eq!(lines(&db, row).await, before);
}

#[tokio::test]
async fn a_version_stays_with_its_package() {
    let db = TestDb::migrated(Database::Ardb).await;
    three_packages(&db).await;
    let moved = sea_orm::ConnectionTrait::execute_unprepared(
        &*db,
        "update versions set package_id = 3 where package_id = 2",
    );
    let refused = moved.await.unwrap_err().to_string();
    assert!(refused.contains("a version stays with its package"), "{refused}");
}

#[tokio::test]
async fn dependents_are_counted_with_every_change_of_dependencies() {
    let db = TestDb::migrated(Database::Ardb).await;
    three_packages(&db).await;
    execute(
        &db,
        "insert into dependencies (version_id, package_id, name, normalized_name, requirement, kind)
         select version.id, 2, 'b', 'b', '1', kind
         from versions version, unnest(array['normal', 'dev']) as kind where version.package_id = 1;
         insert into dependencies (version_id, name, normalized_name, requirement, kind) values (1, 'c', 'c', '1', 'dev')",
    )
    .await;
    assert_eq!(dependents(&db).await, ["b <- a 6"]);
    for (change, expected) in [
        ("update dependencies set requirement = '2'", vec!["b <- a 6"]),
        ("update dependencies set package_id = 3 where name = 'c'", vec!["b <- a 6", "c <- a 1"]),
        ("update dependencies set deleted_at = now() where kind = 'dev'", vec!["b <- a 3"]),
        ("update dependencies set package_id = 3 where package_id = 2 and kind = 'normal'", vec!["c <- a 3"]),
        ("update dependencies set deleted_at = null", vec!["b <- a 3", "c <- a 4"]),
        ("delete from dependencies where kind = 'normal'", vec!["b <- a 3", "c <- a 1"]),
        ("delete from dependencies", vec![]),
    ] {
        execute(&db, change).await;
        assert_eq!(dependents(&db).await, expected, "{change}");
        let wrong: Vec<_> =
            wrong(&db).await.into_iter().filter(|(table, ..)| *table == "dependents").collect();
        assert_eq!(wrong, [], "{change}");
    }
}

#[tokio::test]
async fn matches_follow_advisories_and_versions_at_the_end_of_the_next_import() {
    let db = imported().await;
    let matched = "
        select format('%s %s %s %s', identifier, number, coalesce(fixed, '-'), is_by_range) as line
        from advisory_matches join advisories advisory on advisory.id = advisory_id
        join versions version on version.id = version_id order by 1";
    let before = lines(&db, matched).await;
    assert!(before.contains(&"EXAMPLE-2024-0001 0.1.0 0.2.0 t".to_owned()), "{before:?}");
    execute(&db, "update advisories set withdrawn_at = now() where identifier = 'EXAMPLE-2024-0001'").await;
    let report = osv(&db, &fixture("osv"), now(), &()).await.unwrap();
    let after = lines(&db, matched).await;
    assert!(!after.is_empty() && after.len() < before.len(), "{after:?}");
    assert!(after.iter().all(|line| !line.starts_with("EXAMPLE-2024-0001")), "{after:?}");
    assert_eq!(report.rows["advisory_matches"].deleted, (before.len() - after.len()) as u64);
    assert_eq!(wrong(&db).await, []);
}

#[tokio::test]
async fn inserts_at_the_same_time_leave_the_newest_of_all() {
    let db = TestDb::migrated(Database::Ardb).await;
    three_packages(&db).await;
    let pool = db.get_postgres_connection_pool();
    for round in 0..5 {
        let insert = async |writer: i32| {
            let mut transaction = pool.begin().await.unwrap();
            for step in 0..10 {
                let place = 1_000 + round * 100 + step * 10 + writer;
                sea_orm::sqlx::query(
                    "insert into versions (package_id, number, sort_key)
                     select id, $1, decode(lpad(to_hex($2), 8, '0'), 'hex') from packages order by id",
                )
                .bind(place.to_string())
                .bind(place)
                .execute(&mut *transaction)
                .await
                .unwrap();
            }
            transaction.commit().await.unwrap();
        };
        tokio::join!(insert(1), insert(2), insert(3), insert(4), insert(5), insert(6));
    }
    let expected = ["a 2.0.0-rc.1 1.1.0 303", "b 1.0.0 1.0.0 301", "c 1496 1496 300"];
    assert_eq!(latest(&db).await, expected);
    assert_eq!(wrong(&db).await, []);
}

/// What changes the rows that each table follows from, and the trigger or the table itself, around it.
const AROUND: [(&str, &str); 4] = [
    (
        "latest_versions",
        "alter table versions disable trigger versions_derive_latest_versions_of_updated;
         update versions set is_yanked = true where number = '0.10.0';
         alter table versions enable trigger versions_derive_latest_versions_of_updated;",
    ),
    (
        "dependents",
        "alter table dependencies disable trigger user;
         update dependencies set deleted_at = now() where package_id is not null;
         alter table dependencies enable trigger user;",
    ),
    ("advisory_matches", "update versions set sort_key = '\\xff' where number = '0.1.0'"),
    (
        "package_search_entries",
        "alter table packages disable trigger user;
         update packages set name = 'Alpha' where name = 'alpha';
         insert into packages (ecosystem_id, name, normalized_name) values (1, 'delta', 'delta');
         alter table packages enable trigger user;
         update package_search_entries set name = 'gamm' where name = 'gam'",
    ),
];

#[tokio::test]
async fn what_changed_behind_a_trigger_is_found_and_repaired_and_nothing_else_written() {
    for (table, change) in AROUND {
        let db = imported().await;
        execute(&db, change).await;
        let found = derived::verify(&*db).await.unwrap();
        let found = found.iter().find(|found| found.table == table).unwrap();
        assert!(!found.is_right() && !found.examples.is_empty(), "{table}: {found:?}");
        let of_table = TABLES.iter().find(|derived| derived.name() == table).unwrap();
        let rows = derived::repair(&db, of_table).await.unwrap();
        assert_eq!(
            (rows.inserted, rows.deleted, rows.updated),
            (found.missing, found.superfluous, found.different),
            "{table}"
        );
        let again = derived::repair(&db, of_table).await.unwrap();
        assert_eq!((again.inserted, again.deleted, again.updated), (0, 0, 0), "{table}");
    }
}

#[tokio::test]
async fn a_repair_waits_for_writers_and_sees_what_they_wrote() {
    let db = TestDb::migrated(Database::Ardb).await;
    three_packages(&db).await;
    execute(&db, "update latest_versions set versions_count = 99").await;
    let writer = db.begin().await.unwrap();
    let insert = r"insert into versions (package_id, number, sort_key) values (3, '7.0.0', '\x07')";
    sea_orm::ConnectionTrait::execute_unprepared(&writer, insert).await.unwrap();
    let repairing = tokio::spawn({
        let db = db.connection().clone();
        async move { derived::repair(&db, &TABLES[0]).await.unwrap() }
    });
    let waiting = "select 'waiting' as line from pg_locks where not granted limit 1";
    crate::harness::deadline(std::time::Duration::from_secs(20), "the repair waits", async || {
        lines(&db, waiting).await.pop()
    })
    .await;
    writer.commit().await.unwrap();
    assert_eq!(repairing.await.unwrap().updated, 2);
    assert_eq!(wrong(&db).await, []);
    assert_eq!(latest(&db).await[2], "c 7.0.0 7.0.0 1");
}

#[tokio::test]
async fn the_command_says_what_differs_with_exit_code_3_and_repairs_it() {
    let db = imported().await;
    let derived = async |words: &[&str]| {
        let mut command = archer(&["derived", "verify"]);
        command.args(words).env("ARDB_URL", db.url());
        run(command).await
    };
    assert_eq!(derived(&[]).await.code, 0);
    execute(&db, AROUND[0].1).await;
    let ran = derived(&[]).await;
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stdout.contains("latest_versions") && ran.stdout.contains("--repair"), "{}", ran.stdout);
    let ran = derived(&["--json"]).await;
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.code, report[0]["different"].as_u64()), (3, Some(1)), "{report:#}");
    let ran = derived(&["--repair"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(derived(&[]).await.code, 0);
    assert_eq!(wrong(&db).await, []);
}
