//! The entities of identitydb.

use entity_identitydb::{
    OrganizationId, OrganizationUserId, Role, UserEmailId, UserId, organization, organization_user, user,
    user_email,
};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter,
    sea_query::{ExprTrait, IntoCondition},
};

use super::{stored, time};
use crate::harness::{Database, TestDb};

fn ada() -> user::Model {
    user::Model {
        id: UserId(20),
        name: "Ada-L".into(),
        display_name: "Ada ♥ 'Engines'".into(),
        created_at: time("2026-11-02T09:00:00Z"),
        updated_at: time("2026-11-02T09:00:01Z"),
        deleted_at: None,
    }
}

fn email() -> user_email::Model {
    user_email::Model {
        id: UserEmailId(21),
        user_id: UserId(20),
        email: "Ada@Example.org".into(),
        is_primary: true,
        verified_at: Some(time("2026-11-02T10:00:00Z")),
        created_at: time("2026-11-02T09:00:00Z"),
        updated_at: time("2026-11-02T09:00:01Z"),
        deleted_at: Some(time("2026-11-03T00:00:00Z")),
        bounced_at: Some(time("2026-11-02T11:00:00Z")),
    }
}

fn acme() -> organization::Model {
    organization::Model {
        id: OrganizationId(22),
        name: "Acme".into(),
        display_name: "Acme Corporation".into(),
        created_at: time("2026-11-02T09:00:00Z"),
        updated_at: time("2026-11-02T09:00:01Z"),
        deleted_at: None,
    }
}

fn membership() -> organization_user::Model {
    organization_user::Model {
        id: OrganizationUserId(23),
        organization_id: OrganizationId(22),
        user_id: UserId(20),
        role: Role::Admin,
        created_at: time("2026-11-02T09:00:00Z"),
        updated_at: time("2026-11-02T09:00:01Z"),
        deleted_at: None,
    }
}

#[tokio::test]
async fn every_entity_of_identitydb_reads_back_as_it_was_written_and_loads_its_relations() {
    let db = TestDb::migrated(Database::Identitydb).await;
    stored(&db, ada()).await;
    stored(&db, email()).await;
    stored(&db, acme()).await;
    stored(&db, membership()).await;

    let loaded = user::Entity::load()
        .with(user_email::Entity)
        .with(organization_user::Entity)
        .with(organization::Entity)
        .one(&*db)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(loaded.emails, [email()]);
    assert_eq!(loaded.memberships, [membership()]);
    assert_eq!(loaded.organizations, [acme()]);

    let loaded = user_email::Entity::load().with(user::Entity).one(&*db).await.unwrap().unwrap();
    assert_eq!(ada(), *loaded.user.as_ref().unwrap());

    let loaded = organization::Entity::load().with(organization_user::Entity).with(user::Entity);
    let loaded = loaded.one(&*db).await.unwrap().unwrap();
    assert_eq!(loaded.memberships, [membership()]);
    assert_eq!(loaded.users, [ada()]);

    let loaded = organization_user::Entity::load().with(organization::Entity).with(user::Entity);
    let loaded = loaded.one(&*db).await.unwrap().unwrap();
    assert_eq!(acme(), *loaded.organization.as_ref().unwrap());
    assert_eq!(ada(), *loaded.user.as_ref().unwrap());
}

/// The typed value reaches PostgreSQL as text, and `citext = text` compares as text: without the cast that the
/// entity asks for, none of these would find it.
#[tokio::test]
async fn a_citext_column_is_found_in_any_letter_case_and_keeps_its_own() {
    let db = TestDb::migrated(Database::Identitydb).await;
    stored(&db, ada()).await;
    stored(&db, email()).await;
    let conditions = [
        user::Column::Name.eq("ADA-l"),
        user::Column::Name.ne("ADA-L").not(),
        user::Column::Name.is_in(["bob", "ADA-l"]),
        user::COLUMN.name.eq("ADA-l"),
        user::Column::Name.starts_with("ADA"),
    ];
    for condition in conditions {
        let found = user::Entity::find().filter(condition.clone().into_condition()).one(&*db).await.unwrap();
        assert_eq!(found.as_ref(), Some(&ada()), "{condition:?}");
    }
    assert_eq!(user::Entity::find_by_name("ADA-l").one(&*db).await.unwrap(), Some(ada()));
    let by_email = user_email::Entity::find().filter(user_email::Column::Email.eq("ADA@EXAMPLE.ORG"));
    assert_eq!(by_email.one(&*db).await.unwrap(), Some(email()));
}
