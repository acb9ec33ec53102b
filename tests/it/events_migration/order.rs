//! How far up and down go, and which histories they refuse.

use events::Error;
use events::migration::{Extent, Runner, State};

use super::{a, applied, b, c, connect, tables};
use crate::harness::TestEvents;

fn to(name: &str) -> Extent {
    Extent::To(name.to_owned())
}

#[tokio::test]
async fn up_to_a_name_applies_it_and_what_comes_before() {
    let database = TestEvents::empty().await;
    let runner = Runner::of(&connect(&database).await, vec![a(), b(), c()]);
    assert_eq!(runner.up(&to("m2_b")).await.unwrap().migrations, ["m1_a", "m2_b"]);
    assert_eq!(runner.up(&to("m1_a")).await.unwrap().migrations, [""; 0]);
    assert_eq!(runner.up(&Extent::Count(5)).await.unwrap().migrations, ["m3_c"]);
}

#[tokio::test]
async fn down_to_a_name_reverts_everything_applied_after_it_and_down_all_the_rest() {
    let database = TestEvents::empty().await;
    let runner = Runner::of(&connect(&database).await, vec![a(), b(), c()]);
    runner.up(&Extent::All).await.unwrap();
    assert_eq!(runner.down(&to("m1_a")).await.unwrap().migrations, ["m3_c", "m2_b"]);
    let refused = runner.down(&to("m2_b")).await.unwrap_err();
    assert!(matches!(&refused, Error::NotApplied { migration } if migration == "m2_b"), "{refused}");
    assert_eq!(runner.down(&Extent::All).await.unwrap().migrations, ["m1_a"]);
}

#[tokio::test]
async fn a_mistyped_name_is_refused_with_the_nearest_one() {
    let database = TestEvents::empty().await;
    let runner = Runner::new(&connect(&database).await);
    for typed in ["m20261120_090100_create_dead_leters", "create_dead_letters", "dead_letters"] {
        let refused = runner.up(&to(typed)).await.unwrap_err();
        let said = refused.to_string();
        assert!(said.contains("did you mean `m20261120_090100_create_dead_letters`?"), "{said}");
    }
    let refused = runner.down(&to("elephant")).await.unwrap_err();
    assert!(matches!(&refused, Error::NoSuchMigration { closest: None, .. }), "{refused}");
}

#[tokio::test]
async fn a_late_migration_is_refused_unless_allowed_and_down_goes_by_the_order_of_application() {
    let database = TestEvents::empty().await;
    let client = connect(&database).await;
    Runner::of(&client, vec![b(), c()]).up(&Extent::All).await.unwrap();
    let runner = Runner::of(&client, vec![a(), b(), c()]);
    let refused = runner.up(&Extent::All).await.unwrap_err();
    assert!(
        matches!(&refused, Error::OutOfOrder { late, applied } if late == "m1_a" && applied == "m3_c"),
        "{refused}"
    );
    assert_eq!(tables(&client).await, ["b", "c"]);

    let runner = runner.allow_late(true);
    assert_eq!(runner.up(&Extent::All).await.unwrap().migrations, ["m1_a"]);
    assert_eq!(runner.down(&Extent::Count(2)).await.unwrap().migrations, ["m1_a", "m3_c"]);
    assert_eq!(applied(&runner).await, ["m2_b"]);
}

#[tokio::test]
async fn a_parted_history_is_refused_and_an_unknown_migration_is_not_reverted() {
    let database = TestEvents::empty().await;
    let client = connect(&database).await;
    Runner::of(&client, vec![a(), b()]).up(&Extent::All).await.unwrap();
    let runner = Runner::of(&client, vec![a(), c()]);
    let refused = runner.up(&Extent::All).await.unwrap_err();
    assert!(
        matches!(&refused, Error::Diverged { unknown, pending } if unknown == "m2_b" && pending == "m3_c"),
        "{refused}"
    );
    let refused = runner.down(&Extent::Count(1)).await.unwrap_err();
    assert!(matches!(&refused, Error::Unknown { migration } if migration == "m2_b"), "{refused}");
    let refused = runner.down(&to("m1_a")).await.unwrap_err();
    assert!(matches!(&refused, Error::Unknown { .. }), "{refused}");
    assert_eq!(tables(&client).await, ["a", "b"]);

    // A program that only lacks what is applied, and wants nothing, is let in.
    let older = Runner::of(&client, vec![a()]);
    assert_eq!(older.up(&Extent::All).await.unwrap().migrations, [""; 0]);
    assert_eq!(older.status().await.unwrap().unknown, ["m2_b"]);
    assert_eq!(runner.allow_late(true).up(&Extent::All).await.unwrap().migrations, ["m3_c"]);
}

#[tokio::test]
async fn an_application_keeps_its_place_when_its_sql_is_accepted_later() {
    let database = TestEvents::empty().await;
    let client = connect(&database).await;
    let runner = Runner::of(&client, vec![a(), b()]);
    runner.up(&Extent::All).await.unwrap();
    let other = super::made("m1_a", &["SELECT 1"], &["DROP TABLE IF EXISTS a SYNC"]);
    let runner = Runner::of(&client, vec![other, b()]);
    assert_eq!(runner.status().await.unwrap().migrations[0].state, State::Changed);
    runner.repair().await.unwrap();
    assert_eq!(runner.down(&Extent::Count(1)).await.unwrap().migrations, ["m2_b"]);
}

#[tokio::test]
async fn a_database_marked_as_production_refuses_to_lose_more_than_one_migration() {
    let db = TestEvents::empty().await;
    let client = connect(&db).await;
    let runner = Runner::of(&client, vec![a(), b(), c()]);
    runner.up(&Extent::All).await.unwrap();
    let mark = format!("ALTER DATABASE {} MODIFY COMMENT 'production'", client.database());
    client.driver().query(&mark).execute().await.unwrap();
    let refusals =
        [runner.down(&Extent::All).await.map(drop).unwrap_err(), runner.drop_everything().await.unwrap_err()];
    for refused in refusals {
        assert!(matches!(refused, Error::Production { .. }), "{refused}");
    }
    assert_eq!(runner.down(&Extent::Count(1)).await.unwrap().migrations.len(), 1);
}

#[tokio::test]
async fn dropping_everything_drops_what_no_migration_made_as_well() {
    let db = TestEvents::empty().await;
    let client = connect(&db).await;
    let runner = Runner::of(&client, vec![a(), b()]);
    runner.up(&Extent::All).await.unwrap();
    let stray = "CREATE TABLE `a ? stray``` (id UInt8) ENGINE = Memory".replace('?', "??");
    client.driver().query(&stray).execute().await.unwrap();
    runner.drop_everything().await.unwrap();
    assert_eq!(tables(&client).await, [""; 0]);
}
