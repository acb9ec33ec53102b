//! Changed SQL, baselines, and what accepts them.

use migration_runner::{Error, State};
use sea_orm::{ConnectionTrait, DbErr, DynIden};
use sea_orm_migration::sea_query::{Alias, IntoIden};
use sea_orm_migration::{MigrationName, MigrationTrait, MigratorTrait, SchemaManager, async_trait};

use super::{A, C, FirstTwo, Sql, Three, migrators, runner, sql, states, tables, value};
use crate::harness::{Database, TestDb};

const CHANGED_B: Sql = sql("m2_b", "create table m2_b (id bigint,\n  note text)", "drop table m2_b");
const REFORMATTED_B: Sql = sql("m2_b", "create  table m2_b\n  (id bigint) -- two\n", "drop table m2_b");
const OTHER_DOWN: Sql = sql("m2_b", "create table m2_b (id bigint)", "drop table if exists m2_b");

migrators! {
    Changed: [A, CHANGED_B, C];
    Reformatted: [A, REFORMATTED_B, C];
    WithOtherDown: [A, OTHER_DOWN, C];
    LooksFirst: [A, AddsWhatIsMissing];
}

/// Sends what it finds to be missing.
struct AddsWhatIsMissing;

impl MigrationName for AddsWhatIsMissing {
    fn name(&self) -> &str {
        "m2_b"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for AddsWhatIsMissing {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if !manager.has_column("m1_a", "note").await? {
            manager.get_connection().execute_unprepared("alter table m1_a add column note text").await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("alter table m1_a drop column note").await.map(drop)
    }
}

#[tokio::test]
async fn changed_sql_of_an_applied_migration_is_refused_with_the_difference_until_it_is_accepted() {
    let db = TestDb::empty(Database::Ardb).await;
    runner::<FirstTwo>().up(&db).await.unwrap();
    assert_eq!(states::<Changed>(&db).await, [State::Applied, State::Changed, State::Pending]);
    let error = runner::<Changed>().up(&db).await.unwrap_err();
    let Error::Changed { migration, difference, .. } = &error else { panic!("{error}") };
    assert_eq!(migration, "m2_b");
    assert_eq!(
        difference,
        "up:\n--- applied\n+++ now\n@@ -1 +1,2 @@\n-create table m2_b (id bigint);\n+create table m2_b (id bigint,\n+  note text);\n"
    );
    assert!(error.to_string().contains("`migrate repair`"), "{error}");
    assert_eq!(tables(&db).await, ["m1_a", "m2_b"]);

    let accepted = runner::<Changed>().repair(&db).await.unwrap();
    assert_eq!(accepted.iter().map(|one| one.migration.as_str()).collect::<Vec<_>>(), ["m2_b"]);
    assert_eq!(runner::<Changed>().up(&db).await.unwrap(), ["m3_c"]);
    assert_eq!(runner::<Changed>().repair(&db).await.unwrap(), []);
    assert_eq!(
        value(&db, "select string_agg(action, ',' order by id) from test_migrations_log").await,
        "up,up,repair,up"
    );
}

#[tokio::test]
async fn a_changed_down_is_noticed_as_well() {
    let db = TestDb::empty(Database::Ardb).await;
    runner::<FirstTwo>().up(&db).await.unwrap();
    let error = runner::<WithOtherDown>().up(&db).await.unwrap_err();
    assert!(error.to_string().contains("+drop table if exists m2_b"), "{error}");
}

#[tokio::test]
async fn layout_and_comments_are_no_change() {
    let db = TestDb::empty(Database::Ardb).await;
    runner::<FirstTwo>().up(&db).await.unwrap();
    assert_eq!(runner::<Reformatted>().up(&db).await.unwrap(), ["m3_c"]);
}

#[tokio::test]
async fn sql_that_depends_on_data_has_no_checksum_and_is_marked() {
    let db = TestDb::empty(Database::Ardb).await;
    runner::<LooksFirst>().up(&db).await.unwrap();
    let marked: Vec<_> = runner::<LooksFirst>()
        .status(&db)
        .await
        .unwrap()
        .migrations
        .into_iter()
        .map(|migration| (migration.depends_on_data, migration.checksum.is_some()))
        .collect();
    assert_eq!(marked, [(false, true), (true, false)]);
    assert_eq!(
        value(&db, "select string_agg(depends_on_data::text, ',' order by id) from test_migrations_log")
            .await,
        "false,true"
    );
}

#[tokio::test]
async fn a_baseline_marks_what_is_there_and_the_rest_is_applied() {
    let db = TestDb::empty(Database::Ardb).await;
    db.execute_unprepared(
        "create table m1_a (id bigint); create table m2_b (id bigint); create table other ()",
    )
    .await
    .unwrap();
    assert_eq!(runner::<Three>().baseline(&db, "m2_b", false).await.unwrap(), ["m1_a", "m2_b"]);
    assert_eq!(runner::<Three>().up(&db).await.unwrap(), ["m3_c"]);
    assert_eq!(
        value(&db, "select string_agg(action, ',' order by id) from test_migrations_log").await,
        "baseline,baseline,up"
    );
}

#[tokio::test]
async fn a_baseline_over_another_schema_is_refused_with_what_differs() {
    let db = TestDb::empty(Database::Ardb).await;
    db.execute_unprepared("create table m1_a (id integer)").await.unwrap();
    let error = runner::<Three>().baseline(&db, "m2_b", false).await.unwrap_err();
    let Error::BaselineDiffers { difference, .. } = &error else { panic!("{error}") };
    assert_eq!(
        *difference,
        [
            "- column m1_a.id: position 1, bigint, null",
            "- column m2_b.id: position 1, bigint, null",
            "- table m2_b: permanent",
            "+ column m1_a.id: position 1, integer, null",
        ]
    );
    assert_eq!(states::<Three>(&db).await, [State::Pending; 3]);
    assert_eq!(runner::<Three>().baseline(&db, "m1_a", true).await.unwrap(), ["m1_a"]);
}

#[tokio::test]
async fn a_role_that_may_not_create_databases_is_told_what_to_grant() {
    let db = TestDb::empty(Database::Ardb).await;
    let name = value(&db, "select current_database()").await;
    let role = format!("small_in_{name}");
    db.execute_unprepared(&format!(
        "create role {role} login password 'small'; grant create, usage on schema public to {role}; \
         grant connect on database {name} to {role}"
    ))
    .await
    .unwrap();
    let mut url = url::Url::parse(db.url()).unwrap();
    url.set_username(&role).unwrap();
    url.set_password(Some("small")).unwrap();
    let own = sea_orm::Database::connect(url.as_str()).await.unwrap();
    let error = runner::<Three>().baseline(&own, "m1_a", false).await.unwrap_err();
    assert!(matches!(&error, Error::Scratch { .. }) && error.to_string().contains("createdb"), "{error}");
    own.close().await.unwrap();
    db.execute_unprepared(&format!("drop owned by {role}; drop role {role}")).await.unwrap();
}
