//! Who joins, leaves and owns.

use entity_identitydb::{OrganizationId, Role, UserId, organization_user as membership};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use service::identitydb::organization_user::{add, change_role, members, remove};
use service::identitydb::{organization, user};

use super::{act, create, register, said};
use crate::harness::TestDb;

const LAST_OWNER: &str = r#"user: is the last owner of "acme"; make another member an owner first"#;

async fn owners(db: &TestDb, organization: OrganizationId) -> u64 {
    let owners = membership::Entity::find()
        .filter(membership::Column::OrganizationId.eq(organization))
        .filter(membership::Column::Role.eq(Role::Owner))
        .filter(membership::Column::DeletedAt.is_null());
    owners.count(db.connection()).await.expect("the query runs")
}

#[tokio::test]
async fn members_are_listed_by_name_as_far_as_the_limit() {
    let db = TestDb::served().await;
    let (zoe, ada, bob) =
        (register(&db, "Zoe").await, register(&db, "ada").await, register(&db, "Bob").await);
    let acme = create(&db, "acme", zoe.id).await;
    add(&*db, acme.id, ada.id, Role::Member, &act()).await.unwrap();
    add(&*db, acme.id, bob.id, Role::Admin, &act()).await.unwrap();
    let listed = members(&*db, acme.id, 2).await.unwrap();
    assert_eq!(listed, [(ada, Role::Member), (bob, Role::Admin)]);
}

#[tokio::test]
async fn who_comes_back_gets_the_old_row_with_the_new_role() {
    let db = TestDb::served().await;
    let (ada, bob) = (register(&db, "ada").await, register(&db, "bob").await);
    let acme = create(&db, "acme", ada.id).await;
    let first = add(&*db, acme.id, bob.id, Role::Admin, &act()).await.unwrap();
    remove(&*db, acme.id, bob.id, &act()).await.unwrap();
    assert_eq!(members(&*db, acme.id, 10).await.unwrap(), [(ada, Role::Owner)]);
    let second = add(&*db, acme.id, bob.id, Role::Member, &act()).await.unwrap();
    let expected = membership::Model { role: Role::Member, updated_at: second.updated_at, ..first };
    assert_eq!(second, expected);
}

#[tokio::test]
async fn a_member_is_not_added_twice() {
    let db = TestDb::served().await;
    let ada = register(&db, "ada").await;
    let acme = create(&db, "acme", ada.id).await;
    let refused = add(&*db, acme.id, ada.id, Role::Member, &act()).await;
    assert_eq!(said(refused), format!("user {} in organization {} is there already", ada.id.0, acme.id.0));
}

#[tokio::test]
async fn what_is_deleted_takes_and_becomes_no_member() {
    let db = TestDb::served().await;
    let (ada, bob) = (register(&db, "ada").await, register(&db, "bob").await);
    let (acme, gone) = (create(&db, "acme", ada.id).await, create(&db, "gone", ada.id).await);
    user::delete(&*db, bob.id, &act()).await.unwrap();
    organization::delete(&*db, gone.id, &act()).await.unwrap();
    assert_eq!(
        said(add(&*db, acme.id, bob.id, Role::Member, &act()).await),
        format!(r#"there is no user "{}""#, bob.id.0)
    );
    let refused = add(&*db, gone.id, ada.id, Role::Member, &act()).await;
    assert_eq!(said(refused), format!(r#"there is no organization "{}""#, gone.id.0));
}

#[tokio::test]
async fn a_write_to_who_is_no_member_is_not_found() {
    let db = TestDb::served().await;
    let ada = register(&db, "ada").await;
    let acme = create(&db, "acme", ada.id).await;
    let nobody = format!(r#"there is no member "user -1 in organization {}""#, acme.id.0);
    assert_eq!(said(remove(&*db, acme.id, UserId(-1), &act()).await), nobody);
    assert_eq!(said(change_role(&*db, acme.id, UserId(-1), Role::Admin, &act()).await), nobody);
}

#[tokio::test]
async fn the_last_owner_neither_leaves_nor_steps_down() {
    let db = TestDb::served().await;
    let (ada, bob) = (register(&db, "ada").await, register(&db, "bob").await);
    let acme = create(&db, "acme", ada.id).await;
    add(&*db, acme.id, bob.id, Role::Admin, &act()).await.unwrap();
    assert_eq!(said(remove(&*db, acme.id, ada.id, &act()).await), LAST_OWNER);
    assert_eq!(said(change_role(&*db, acme.id, ada.id, Role::Member, &act()).await), LAST_OWNER);

    change_role(&*db, acme.id, bob.id, Role::Owner, &act()).await.unwrap();
    assert_eq!(change_role(&*db, acme.id, ada.id, Role::Member, &act()).await.unwrap().role, Role::Member);
    assert_eq!(said(remove(&*db, acme.id, bob.id, &act()).await), LAST_OWNER);
}

#[tokio::test]
async fn of_two_owners_who_go_at_once_by_any_way_one_stays() {
    let db = TestDb::served().await;
    for round in 0..8 {
        let ada = register(&db, &format!("ada{round}")).await;
        let bob = register(&db, &format!("bob{round}")).await;
        let organization = create(&db, &format!("acme{round}"), ada.id).await.id;
        add(&*db, organization, bob.id, Role::Owner, &act()).await.unwrap();
        let bob_leaves = async {
            if round % 2 == 0 {
                remove(&*db, organization, bob.id, &act()).await
            } else {
                change_role(&*db, organization, bob.id, Role::Member, &act()).await.map(drop)
            }
        };
        let by = act();
        let (first, second) = tokio::join!(user::delete(&*db, ada.id, &by), bob_leaves);
        assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
        assert_eq!(owners(&db, organization).await, 1);
    }
}
