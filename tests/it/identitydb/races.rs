//! Two hundred pairs of owners, each removing the other at the same time.

use entity_identitydb::{OrganizationId, Role, UserId, organization_user};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, PaginatorTrait, QueryFilter,
    TransactionTrait,
};
use service::identitydb::organization_user::{add, remove};

use super::{act, create, noon, register};
use crate::harness::TestDb;

const PAIRS: usize = 200;

/// An organization with two owners.
async fn pair(db: &TestDb, ada: UserId, bob: UserId, at: usize) -> OrganizationId {
    // Digits that look like letters would make some of these names one.
    let name = format!("acme-{}", "abcdefghjk".chars().nth(at / 20).expect("ten letters"));
    let name = format!("{name}{}", "abcdefghjkopqstuvwxy".chars().nth(at % 20).expect("twenty letters"));
    let organization = create(db, &name, ada).await.id;
    add(db.connection(), organization, bob, Role::Owner, &act()).await.expect("bob is no member yet");
    organization
}

async fn owners(db: &DatabaseConnection, organization: OrganizationId) -> u64 {
    let owners = organization_user::Entity::find()
        .filter(organization_user::Column::OrganizationId.eq(organization))
        .filter(organization_user::Column::Role.eq(Role::Owner))
        .filter(organization_user::Column::DeletedAt.is_null());
    owners.count(db).await.expect("the query runs")
}

/// What a program does that knows nothing of the service: it looks whether another owner is there, and removes
/// `user` if so.
async fn remove_after_a_look(
    db: &DatabaseConnection,
    organization: OrganizationId,
    user: UserId,
) -> Result<(), DbErr> {
    let txn = db.begin().await?;
    let live = organization_user::Entity::find()
        .filter(organization_user::Column::OrganizationId.eq(organization))
        .filter(organization_user::Column::DeletedAt.is_null());
    if live.count(&txn).await? < 2 {
        return txn.rollback().await;
    }
    organization_user::Entity::update_many()
        .col_expr(organization_user::Column::DeletedAt, Expr::value(noon()))
        .filter(organization_user::Column::OrganizationId.eq(organization))
        .filter(organization_user::Column::UserId.eq(user))
        .exec(&txn)
        .await?;
    txn.commit().await
}

/// Races that many pairs by bare statements; how many organizations are left without an owner.
async fn ownerless_after_bare_races(db: &TestDb) -> usize {
    let (ada, bob) = (register(db, "ada").await.id, register(db, "bob").await.id);
    let mut ownerless = 0;
    for at in 0..PAIRS {
        let organization = pair(db, ada, bob, at).await;
        let (first, second) = tokio::join!(
            remove_after_a_look(db.connection(), organization, ada),
            remove_after_a_look(db.connection(), organization, bob),
        );
        let refused = [first, second].into_iter().filter_map(Result::err).map(|error| error.to_string());
        for error in refused {
            assert!(error.contains("would be left without an owner"), "{error}");
        }
        ownerless += usize::from(owners(db.connection(), organization).await == 0);
    }
    ownerless
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_hundred_pairs_of_owners_who_remove_each_other_one_stays_every_time() {
    let db = TestDb::served().await;
    let (ada, bob) = (register(&db, "ada").await.id, register(&db, "bob").await.id);
    for at in 0..PAIRS {
        let organization = pair(&db, ada, bob, at).await;
        let by = (act(), act());
        let (first, second) = tokio::join!(
            remove(db.connection(), organization, ada, &by.0),
            remove(db.connection(), organization, bob, &by.1),
        );
        assert!(first.is_ok() != second.is_ok(), "{at}: {first:?} {second:?}");
        assert_eq!(owners(&db, organization).await, 1, "{at}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_hundred_pairs_whose_statements_know_no_lock_the_trigger_leaves_an_owner_every_time() {
    let db = TestDb::served().await;
    assert_eq!(ownerless_after_bare_races(&db).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_trigger_the_same_races_leave_organizations_without_an_owner() {
    let db = TestDb::served().await;
    let drop = "drop trigger organizations_users_keep_owner on organizations_users";
    db.superuser().execute_unprepared(drop).await.unwrap();
    let ownerless = ownerless_after_bare_races(&db).await;
    println!("{ownerless} of {PAIRS} organizations are left without an owner");
    assert!(ownerless > 0, "of {PAIRS} pairs none lost both owners");
}

/// A snapshot that is older than the wait would show the owner who has gone meanwhile.
#[tokio::test]
async fn the_trigger_holds_in_a_repeatable_read_as_well() {
    let db = TestDb::served().await;
    let (ada, bob) = (register(&db, "ada").await.id, register(&db, "bob").await.id);
    let organization = pair(&db, ada, bob, 0).await;
    let level = Some(sea_orm::IsolationLevel::RepeatableRead);
    let (first, second) =
        (db.begin_with_config(level, None).await.unwrap(), db.begin_with_config(level, None).await.unwrap());
    for (txn, user) in [(&first, ada), (&second, bob)] {
        let update = organization_user::Entity::update_many()
            .col_expr(organization_user::Column::DeletedAt, Expr::value(noon()))
            .filter(organization_user::Column::UserId.eq(user));
        update.exec(txn).await.unwrap();
    }
    first.commit().await.unwrap();
    let refused = second.commit().await.unwrap_err().to_string();
    assert!(refused.contains("could not serialize access"), "{refused}");
    assert_eq!(owners(&db, organization).await, 1);
}
