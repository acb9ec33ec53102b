//! Teams, permissions, invitations, and deletion and its undoing.

use chrono::TimeDelta;
use entity_identitydb::{Role, TeamId};
use service::Error;
use service::identitydb::organization_user::{add, change_role, members, of_user, remove};
use service::identitydb::permission::{Object, ObjectKind, can, grant, withdraw};
use service::identitydb::{Act, invitation, organization, team, team_user, user, user_email};

use super::{act, create, noon, register, rng, said, shown as guess};
use crate::harness::TestDb;

fn later(seconds: i64) -> Act<'static> {
    Act::system(noon() + TimeDelta::seconds(seconds))
}

#[tokio::test]
async fn a_team_takes_members_of_its_organization_and_loses_them_with_it() {
    let db = TestDb::served().await;
    let (ada, bob) = (register(&db, "ada").await, register(&db, "bob").await);
    let acme = create(&db, "acme", ada.id).await;
    let core = team::create(&*db, acme.id, "Core", "", &act()).await.unwrap();
    let refused = team_user::add(&*db, core.id, bob.id, &act()).await;
    assert_eq!(said(refused), "user: is no member of the team's organization; add them there first");
    add(&*db, acme.id, bob.id, Role::Member, &act()).await.unwrap();
    let first = team_user::add(&*db, core.id, bob.id, &act()).await.unwrap();
    assert_eq!(team_user::members(&*db, core.id, 10).await.unwrap(), std::slice::from_ref(&bob));
    remove(&*db, acme.id, bob.id, &act()).await.unwrap();
    assert!(team_user::members(&*db, core.id, 10).await.unwrap().is_empty());
    add(&*db, acme.id, bob.id, Role::Member, &act()).await.unwrap();
    assert_eq!(team_user::add(&*db, core.id, bob.id, &act()).await.unwrap().id, first.id);
    assert_eq!(team::delete(&*db, core.id, &act()).await.unwrap(), 1);
    assert_eq!(team::by_name(&*db, acme.id, "core").await.unwrap(), None);
    team::create(&*db, acme.id, "core", "", &act()).await.unwrap();
}

#[tokio::test]
async fn what_a_member_may_do_follows_the_role_and_ends_with_it() {
    let db = TestDb::served().await;
    let (ada, bob) = (register(&db, "ada").await, register(&db, "bob").await);
    let acme = create(&db, "acme", ada.id).await;
    let core = team::create(&*db, acme.id, "core", "", &act()).await.unwrap();
    let (here, there) = (Object::Organization(acme.id), Object::Team(core.id));
    let may = async |action: &str, object| can(db.connection(), bob.id, action, object).await.unwrap();

    assert!(!may("read", here).await && !may("read", there).await);
    add(&*db, acme.id, bob.id, Role::Member, &act()).await.unwrap();
    assert!(may("read", here).await && may("read", there).await && !may("update", there).await);
    change_role(&*db, acme.id, bob.id, Role::Admin, &act()).await.unwrap();
    assert!(may("update", there).await && !may("delete", here).await);
    grant(&*db, Role::Admin, "delete", ObjectKind::Organization, &act()).await.unwrap();
    assert!(may("delete", here).await);
    withdraw(&*db, Role::Admin, "delete", ObjectKind::Organization, &act()).await.unwrap();
    assert!(!may("delete", here).await);
    assert!(can(&*db, bob.id, "anything", Object::User(bob.id)).await.unwrap());
    assert!(!can(&*db, bob.id, "read", Object::User(ada.id)).await.unwrap());
    assert!(!may("read", Object::Team(TeamId(-1))).await);
    organization::delete(&*db, acme.id, &act()).await.unwrap();
    assert!(!may("read", here).await && !may("read", there).await);
}

#[tokio::test]
async fn an_invitation_is_accepted_once_and_the_newest_counts() {
    let db = TestDb::served().await;
    let (ada, bob) = (register(&db, "ada").await, register(&db, "bob").await);
    let acme = create(&db, "acme", ada.id).await;
    let mut rng = rng();
    let week = TimeDelta::weeks(1);
    let to = ("Bob@example.org", Role::Admin);
    let (_, old) = invitation::invite(&*db, acme.id, to, ada.id, week, &mut rng, &act()).await.unwrap();
    let (_, new) = invitation::invite(&*db, acme.id, to, ada.id, week, &mut rng, &act()).await.unwrap();
    assert_eq!(invitation::open(&*db, acme.id, noon()).await.unwrap().len(), 1);
    for shown in [&old, &guess("archer_inv_guess"), &guess("")] {
        assert!(matches!(invitation::accept(&*db, shown, bob.id, &act()).await, Err(Error::Refused)));
    }
    let late = Act::system(noon() + week);
    assert!(matches!(invitation::accept(&*db, &new, bob.id, &late).await, Err(Error::Refused)));
    assert_eq!(invitation::accept(&*db, &new, bob.id, &act()).await.unwrap().role, Role::Admin);
    assert!(matches!(invitation::accept(&*db, &new, bob.id, &act()).await, Err(Error::Refused)));
}

#[tokio::test]
async fn a_deleted_user_comes_back_with_what_went_at_the_same_time() {
    let db = TestDb::served().await;
    let (ada, bob) = (register(&db, "ada").await, register(&db, "bob").await);
    let (acme, other) = (create(&db, "acme", ada.id).await, create(&db, "other", ada.id).await);
    add(&*db, acme.id, bob.id, Role::Admin, &act()).await.unwrap();
    add(&*db, other.id, bob.id, Role::Member, &act()).await.unwrap();
    let core = team::create(&*db, acme.id, "core", "", &act()).await.unwrap();
    team_user::add(&*db, core.id, bob.id, &act()).await.unwrap();
    remove(&*db, other.id, bob.id, &later(1)).await.unwrap();

    let gone = user::delete(&*db, bob.id, &later(2)).await.unwrap();
    assert_eq!((gone.emails, gone.memberships, gone.team_memberships), (1, 1, 1));
    let back = user::undelete(&*db, bob.id, &later(3)).await.unwrap();
    assert_eq!(back, gone);
    let organizations = of_user(&*db, bob.id).await.unwrap();
    assert_eq!(organizations, [(acme.clone(), Role::Admin)]);
    assert_eq!(team_user::members(&*db, core.id, 10).await.unwrap().len(), 1);
    assert!(user_email::of_user(&*db, bob.id).await.unwrap()[0].is_primary);
    let refused = user::undelete(&*db, bob.id, &later(4)).await;
    assert_eq!(said(refused), format!(r#"there is no deleted user "{}""#, bob.id.0));
}

#[tokio::test]
async fn a_deleted_organization_comes_back_with_its_teams_if_an_owner_is_left() {
    let db = TestDb::served().await;
    let (ada, bob) = (register(&db, "ada").await, register(&db, "bob").await);
    let acme = create(&db, "acme", ada.id).await;
    add(&*db, acme.id, bob.id, Role::Member, &act()).await.unwrap();
    let core = team::create(&*db, acme.id, "core", "", &act()).await.unwrap();
    team_user::add(&*db, core.id, bob.id, &act()).await.unwrap();
    let gone = organization::delete(&*db, acme.id, &later(1)).await.unwrap();
    assert_eq!((gone.memberships, gone.teams, gone.team_memberships), (2, 1, 1));
    assert_eq!(organization::undelete(&*db, acme.id, &later(2)).await.unwrap(), gone);
    assert_eq!(members(&*db, acme.id, 10).await.unwrap().len(), 2);

    organization::delete(&*db, acme.id, &later(3)).await.unwrap();
    user::delete(&*db, ada.id, &later(4)).await.unwrap();
    let refused = organization::undelete(&*db, acme.id, &later(5)).await;
    let last = r#"user: nobody who owns "acme" is there any more; bring one of them back first"#;
    assert_eq!(said(refused), last);
    assert_eq!(organization::by_name(&*db, "acme").await.unwrap(), None);
}
