//! Users, organizations and members through the service, as `identitydb_writer`, in a database that `identitydb_owner`
//! has migrated.

mod audit;
mod credentials;
mod erasure;
mod hostile;
mod members;
mod model;
mod names;
mod races;
mod roles;
mod rules;
mod secrets;
mod teams;
mod timing;
mod tokens;

use std::time::Duration;

use chrono::{DateTime, Utc};
use entity_identitydb::{UserId, organization, user};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use sea_orm::EntityTrait;
use secrecy::SecretString;
use service::Error;
use service::identitydb::password::{Hasher, Scheme};
use service::identitydb::user::Registration;
use service::identitydb::{self, Act, organization_user, user_email};

use crate::harness::{TestDb, planted};

/// When things are deleted or verified in these tests; not now, so that it can't come from the clock.
fn noon() -> DateTime<Utc> {
    "2026-11-02T12:00:00Z".parse().expect("an RFC 3339 time")
}

/// An operator's, at noon.
fn act() -> Act<'static> {
    Act::system(noon())
}

/// The same numbers every time.
fn rng() -> StdRng {
    StdRng::seed_from_u64(20_261_126)
}

/// Passwords in a thousandth of the time.
fn hasher() -> Hasher {
    Hasher::new(Scheme { version: 1, memory_kib: 8, passes: 1 }, 2).expect("argon2 has such parameters")
}

/// A secret, which no log may have.
fn secret(text: &str) -> SecretString {
    planted(text)
}

/// What somebody shows that is no secret: hostile, empty, cut off.
fn shown(text: &str) -> SecretString {
    text.to_owned().into()
}

async fn register(db: &TestDb, name: &str) -> user::Model {
    let email = format!("{name}@example.org");
    let registration = Registration { name, display_name: "", email: &email };
    identitydb::user::register(db.connection(), &registration, &act())
        .await
        .expect("the registration is valid")
}

async fn create(db: &TestDb, name: &str, owner: UserId) -> organization::Model {
    identitydb::organization::create(db.connection(), name, "", owner, &act())
        .await
        .expect("the organization is valid")
}

/// An error as people read it, to compare whole.
fn said<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    result.expect_err("it is refused").to_string()
}

#[tokio::test]
async fn a_user_registers_with_a_primary_address_that_is_not_verified() {
    let db = TestDb::served().await;
    let registration = Registration { name: "Ada", display_name: "Ada Lovelace", email: "Ada@Example.org" };
    let ada = identitydb::user::register(&*db, &registration, &act()).await.unwrap();
    assert_eq!((ada.name.as_str(), ada.display_name.as_str(), ada.deleted_at), ("Ada", "Ada Lovelace", None));
    let emails = user_email::of_user(&*db, ada.id).await.unwrap();
    let emails: Vec<_> =
        emails.iter().map(|row| (row.email.as_str(), row.is_primary, row.verified_at)).collect();
    assert_eq!(emails, [("Ada@Example.org", true, None)]);
}

#[tokio::test]
async fn a_user_is_found_by_name_in_any_letter_case() {
    let db = TestDb::served().await;
    let ada = register(&db, "Ada").await;
    assert_eq!(identitydb::user::by_name(&*db, "aDA").await.unwrap(), Some(ada));
    assert_eq!(identitydb::user::by_name(&*db, "bob").await.unwrap(), None);
    assert_eq!(identitydb::user::by_name(&*db, "a\0b").await.unwrap(), None);
}

#[tokio::test]
async fn a_name_that_is_taken_is_a_conflict_and_leaves_nothing_behind() {
    let db = TestDb::served().await;
    register(&db, "ada").await;
    let registration = Registration { name: "ADA", display_name: "", email: "other@example.org" };
    let refused = identitydb::user::register(&*db, &registration, &act()).await;
    assert_eq!(said(refused), r#"user "ADA" is there already"#);
    assert_eq!(entity_identitydb::user_email::Entity::find().all(&*db).await.unwrap().len(), 1);
}

#[tokio::test]
async fn of_many_who_register_one_name_at_once_one_succeeds() {
    let db = TestDb::served().await;
    let registration = Registration { name: "ada", display_name: "", email: "ada@example.org" };
    let by = act();
    let register = || identitydb::user::register(db.connection(), &registration, &by);
    let results: [_; 4] = tokio::join!(register(), register(), register(), register()).into();
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    for result in results.into_iter().filter(Result::is_err) {
        assert_eq!(said(result), r#"user "ada" is there already"#);
    }
}

#[tokio::test]
async fn deleting_a_user_deletes_addresses_and_memberships_and_keeps_the_name() {
    let db = TestDb::served().await;
    let (ada, bob) = (register(&db, "ada").await, register(&db, "bob").await);
    let acme = create(&db, "acme", ada.id).await;
    organization_user::add(&*db, acme.id, bob.id, entity_identitydb::Role::Member, &act()).await.unwrap();

    identitydb::user::delete(&*db, bob.id, &act()).await.unwrap();

    assert_eq!(identitydb::user::by_name(&*db, "bob").await.unwrap(), None);
    assert!(user_email::of_user(&*db, bob.id).await.unwrap().is_empty());
    let members = organization_user::members(&*db, acme.id, 10).await.unwrap();
    assert_eq!(members, [(ada, entity_identitydb::Role::Owner)]);
    let row = user::Entity::find_by_id(bob.id).one(&*db).await.unwrap().unwrap();
    assert_eq!(row.deleted_at, Some(noon()));
    let registration = Registration { name: "bob", display_name: "", email: "bob@example.org" };
    let refused = identitydb::user::register(&*db, &registration, &act()).await;
    assert_eq!(said(refused), r#"user "bob" is there already"#);
    let refused = identitydb::user::delete(&*db, bob.id, &act()).await;
    assert_eq!(said(refused), format!(r#"there is no user "{}""#, bob.id.0));
}

#[tokio::test]
async fn the_last_owner_of_an_organization_is_not_deleted() {
    let db = TestDb::served().await;
    let ada = register(&db, "ada").await;
    let acme = create(&db, "acme", ada.id).await;
    let refused = identitydb::user::delete(&*db, ada.id, &act()).await;
    assert_eq!(said(refused), r#"user: is the last owner of "acme"; make another member an owner first"#);
    assert_eq!(user_email::of_user(&*db, ada.id).await.unwrap().len(), 1);
    identitydb::organization::delete(&*db, acme.id, &act()).await.unwrap();
    identitydb::user::delete(&*db, ada.id, &act()).await.unwrap();
}

#[tokio::test]
async fn an_address_is_verified_once_and_by_one_user() {
    let db = TestDb::served().await;
    let (ada, bob) = (register(&db, "ada").await, register(&db, "bob").await);
    let of_ada = user_email::add(&*db, ada.id, "shared@example.org", &act()).await.unwrap();
    let of_bob = user_email::add(&*db, bob.id, "Shared@Example.org", &act()).await.unwrap();

    let verified = user_email::verify(&*db, of_ada.id, &act()).await.unwrap();
    assert_eq!(verified.verified_at, Some(noon()));
    let again =
        user_email::verify(&*db, of_ada.id, &Act::system(noon() + Duration::from_secs(1))).await.unwrap();
    assert_eq!(again, verified);
    let refused = user_email::verify(&*db, of_bob.id, &act()).await;
    assert_eq!(said(refused), r#"verified email "Shared@Example.org" is there already"#);

    identitydb::user::delete(&*db, ada.id, &act()).await.unwrap();
    user_email::verify(&*db, of_bob.id, &act()).await.unwrap();
    let refused = user_email::verify(&*db, of_ada.id, &act()).await;
    assert_eq!(said(refused), format!(r#"there is no email "{}""#, of_ada.id.0));
}

#[tokio::test]
async fn a_user_gives_an_address_once() {
    let db = TestDb::served().await;
    let ada = register(&db, "ada").await;
    let refused = user_email::add(&*db, ada.id, "ADA@example.org", &act()).await;
    assert_eq!(said(refused), format!(r#"email "ADA@example.org" of user {} is there already"#, ada.id.0));
    let refused = user_email::add(&*db, UserId(-1), "nobody@example.org", &act()).await;
    assert_eq!(said(refused), r#"there is no user "-1""#);
}

#[tokio::test]
async fn an_organization_begins_with_its_first_owner() {
    let db = TestDb::served().await;
    let ada = register(&db, "ada").await;
    let acme =
        identitydb::organization::create(&*db, "Acme", "Acme Corporation", ada.id, &act()).await.unwrap();
    assert_eq!(identitydb::organization::by_name(&*db, "ACME").await.unwrap(), Some(acme.clone()));
    let members = organization_user::members(&*db, acme.id, 10).await.unwrap();
    assert_eq!(members, [(ada, entity_identitydb::Role::Owner)]);
}

#[tokio::test]
async fn an_organization_without_a_live_owner_or_with_a_taken_name_is_refused_and_leaves_nothing_behind() {
    let db = TestDb::served().await;
    let ada = register(&db, "ada").await;
    let refused = identitydb::organization::create(&*db, "acme", "", UserId(-1), &act()).await;
    assert_eq!(said(refused), r#"there is no user "-1""#);
    assert_eq!(identitydb::organization::by_name(&*db, "acme").await.unwrap(), None);
    create(&db, "acme", ada.id).await;
    let refused = identitydb::organization::create(&*db, "ACME", "", ada.id, &act()).await;
    assert_eq!(said(refused), r#"organization "ACME" is there already"#);
}

#[tokio::test]
async fn deleting_an_organization_deletes_its_memberships_and_keeps_the_name() {
    let db = TestDb::served().await;
    let ada = register(&db, "ada").await;
    let acme = create(&db, "acme", ada.id).await;
    identitydb::organization::delete(&*db, acme.id, &act()).await.unwrap();
    assert_eq!(identitydb::organization::by_name(&*db, "acme").await.unwrap(), None);
    assert_eq!(organization_user::members(&*db, acme.id, 10).await.unwrap(), []);
    let refused = identitydb::organization::create(&*db, "acme", "", ada.id, &act()).await;
    assert_eq!(said(refused), r#"organization "acme" is there already"#);
    let refused = identitydb::organization::delete(&*db, acme.id, &act()).await;
    assert_eq!(said(refused), format!(r#"there is no organization "{}""#, acme.id.0));
}

#[tokio::test]
async fn a_write_through_the_service_moves_updated_at_and_keeps_created_at() {
    let db = TestDb::served().await;
    let ada = register(&db, "ada").await;
    assert_eq!(ada.updated_at, ada.created_at);
    identitydb::user::delete(&*db, ada.id, &act()).await.unwrap();
    let row = user::Entity::find_by_id(ada.id).one(&*db).await.unwrap().unwrap();
    assert!(row.updated_at > ada.updated_at);
    assert_eq!(row, user::Model { updated_at: row.updated_at, deleted_at: Some(noon()), ..ada });
}
