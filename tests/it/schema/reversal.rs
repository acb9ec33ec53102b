//! Every `down` undoes its `up`.

use migration_runner::{Extent, Runner, catalog};
use sea_orm::{ConnectionTrait, DbErr};

use super::{DATABASES, LEDGERS, texts};
use crate::harness::{Database, TestDb};

fn runner(name: &str) -> Runner {
    migration::runner(name).expect("every database has migrations")
}

#[tokio::test]
async fn every_down_restores_the_catalog_that_its_up_found_and_up_again_gives_the_same() {
    for (database, name) in DATABASES {
        let db = TestDb::empty(database).await;
        let runner = runner(name);
        let mut catalogs = vec![runner.catalog(&*db).await.unwrap()];
        for migration in runner.status(&db).await.unwrap().migrations {
            let before = catalogs.last().expect("begins with one");
            runner.up_by(&db, &Extent::Count(1)).await.unwrap();
            let after = runner.catalog(&*db).await.unwrap();
            assert_ne!(&after, before, "{} changes nothing", migration.name);
            runner.down(&db, &Extent::Count(1)).await.unwrap();
            let undone = runner.catalog(&*db).await.unwrap();
            assert_eq!(before.difference(&undone), [""; 0], "after down of {}", migration.name);
            runner.up_by(&db, &Extent::Count(1)).await.unwrap();
            let again = runner.catalog(&*db).await.unwrap();
            assert_eq!(after.difference(&again), [""; 0], "after up, down, up of {}", migration.name);
            catalogs.push(after);
        }
        while let Some(expected) = catalogs.pop() {
            assert_eq!(expected.difference(&runner.catalog(&*db).await.unwrap()), [""; 0]);
            if !catalogs.is_empty() {
                runner.down(&db, &Extent::Count(1)).await.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn all_three_overlaid_go_up_and_down_and_leave_an_empty_catalog() {
    let ledgers = LEDGERS.map(|(table, _)| table);
    let db = TestDb::empty(Database::Ardb).await;
    let before = catalog::snapshot(&*db, &ledgers).await.unwrap();
    assert!(before.is_empty());
    for runner in migration::runners() {
        runner.up(&db).await.unwrap();
    }
    for runner in migration::runners().into_iter().rev() {
        runner.down(&db, &Extent::All).await.unwrap();
    }
    let after = catalog::snapshot(&*db, &ledgers).await.unwrap();
    assert_eq!(before.difference(&after), [""; 0]);
}

async fn undo_all(db: &TestDb, name: &str) -> Result<(), migration_runner::Error> {
    runner(name).down(db, &Extent::All).await.map(drop)
}

#[tokio::test]
async fn down_leaves_a_citext_alone_that_was_there_before() -> Result<(), DbErr> {
    let db = TestDb::empty(Database::Identitydb).await;
    db.execute_unprepared("create extension citext; create table shops (name citext)").await?;
    runner("identitydb").up(&db).await.unwrap();
    undo_all(&db, "identitydb").await.unwrap();
    assert_eq!(
        texts(&db, "select extname::text as text from pg_extension order by 1").await,
        ["citext", "plpgsql"]
    );
    Ok(())
}

#[tokio::test]
async fn down_is_refused_while_another_table_uses_the_citext_that_up_created() -> Result<(), DbErr> {
    let db = TestDb::migrated(Database::Identitydb).await;
    db.execute_unprepared("create table shops (name citext)").await?;
    let refused = undo_all(&db, "identitydb").await.unwrap_err();
    assert!(
        format!("{refused:?}").contains("column name of table shops depends on type citext"),
        "{refused:?}"
    );
    db.execute_unprepared("insert into shops values ('Corner')").await?;
    assert_eq!(texts(&db, "select name::text as text from shops where name = 'CORNER'").await, ["Corner"]);
    Ok(())
}

#[tokio::test]
async fn down_leaves_a_pg_trgm_alone_that_was_there_before() -> Result<(), DbErr> {
    let db = TestDb::empty(Database::Ardb).await;
    db.execute_unprepared("create extension pg_trgm").await?;
    runner("ardb").up(&db).await.unwrap();
    undo_all(&db, "ardb").await.unwrap();
    assert_eq!(
        texts(&db, "select extname::text as text from pg_extension order by 1").await,
        ["pg_trgm", "plpgsql"]
    );
    Ok(())
}

#[tokio::test]
async fn down_is_refused_while_another_index_uses_the_pg_trgm_that_up_created() -> Result<(), DbErr> {
    let db = TestDb::migrated(Database::Ardb).await;
    db.execute_unprepared(
        "create table shops (name text); create index shops_name_idx on shops using gin (name gin_trgm_ops)",
    )
    .await?;
    let refused = undo_all(&db, "ardb").await.unwrap_err();
    assert!(format!("{refused:?}").contains("index shops_name_idx depends on"), "{refused:?}");
    Ok(())
}

#[tokio::test]
async fn the_migration_seeds_every_ecosystem_with_the_names_that_osv_and_purl_use() {
    let db = TestDb::migrated(Database::Ardb).await;
    let query = "select concat_ws(' ', name, coalesce(osv_name, '-'), coalesce(purl_type, '-'), version_scheme) as text
                 from ecosystems order by id";
    let expected = [
        "cargo crates.io cargo semver",
        "npm npm npm semver",
        "pypi PyPI pypi pep440",
        "golang Go golang semver",
        "maven Maven maven maven",
        "gem RubyGems gem gem",
        "nuget NuGet nuget nuget",
        "composer Packagist composer composer",
        "pub Pub pub pub",
        "hex Hex hex semver",
        "hackage Hackage hackage hackage",
        "cran CRAN cran cran",
        "deb Debian deb deb",
        "rpm - rpm rpm",
        "apk Alpine apk apk",
    ];
    assert_eq!(texts(&db, query).await, expected);
}
