//! A person with an account.

use entity_identitydb::{UserId, organization_user, user, user_email};
use sea_orm::ActiveValue::Set;
use sea_orm::prelude::DateTimeUtc;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect,
    TransactionSession, TransactionTrait,
};

use super::organization::lock_in_txn as lock_organizations_in_txn;
use super::organization_user::refuse_without_owner_in_txn;
use super::scope::Live;
use super::{conflict_on, rule};
use crate::error::{Error, Result};

/// What a new user gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registration<'a> {
    /// By [`rule::name`].
    pub name: &'a str,
    /// By [`rule::display_name`]; empty: the name will do.
    pub display_name: &'a str,
    /// By [`rule::email`]; becomes the primary address, not verified yet.
    pub email: &'a str,
}

/// Adds a user with a primary email address.
///
/// # Errors
///
/// [`Error::Invalid`] if a value breaks its rule; [`Error::Conflict`] if the name is taken, in any letter
/// case, also by a deleted user.
pub async fn register(
    db: &(impl ConnectionTrait + TransactionTrait),
    registration: &Registration<'_>,
) -> Result<user::Model> {
    rule::name(registration.name)?;
    rule::display_name(registration.display_name)?;
    rule::email(registration.email)?;
    let txn = db.begin().await?;
    let user = user::ActiveModel {
        name: Set(registration.name.to_owned()),
        display_name: Set(registration.display_name.to_owned()),
        ..Default::default()
    };
    let taken = || format!("user {:?}", registration.name);
    let user = user.insert(&txn).await.map_err(conflict_on("users_name_key", taken))?;
    let email = user_email::ActiveModel {
        user_id: Set(user.id),
        email: Set(registration.email.to_owned()),
        is_primary: Set(true),
        ..Default::default()
    };
    email.insert(&txn).await?;
    txn.commit().await?;
    Ok(user)
}

/// The live user called `name`, in any letter case.
///
/// # Errors
///
/// [`Error::Database`] if the query does not run.
pub async fn by_name(db: &impl ConnectionTrait, name: &str) -> Result<Option<user::Model>> {
    if rule::name(name).is_err() {
        return Ok(None); // nobody can be called that, and a NUL would be an error of the database
    }
    Ok(user::Entity::find().filter(user::Column::Name.eq(name)).live().one(db).await?)
}

/// Deletes a user: first the email addresses, then the memberships, then the user. The name stays taken.
///
/// # Errors
///
/// [`Error::NotFound`] if there is no such live user; [`Error::Invalid`] if an organization would be left
/// without an owner.
pub async fn delete(
    db: &(impl ConnectionTrait + TransactionTrait),
    user: UserId,
    at: DateTimeUtc,
) -> Result<()> {
    let txn = db.begin().await?;
    let deleted = user::Entity::find_by_id(user).live().lock_exclusive().one(&txn).await?;
    let deleted = deleted.ok_or_else(|| not_found(user))?;

    let memberships =
        organization_user::Entity::find().filter(organization_user::Column::UserId.eq(user)).live();
    let organizations = memberships.all(&txn).await?.into_iter().map(|row| row.organization_id).collect();
    for organization in lock_organizations_in_txn(&txn, organizations).await? {
        refuse_without_owner_in_txn(&txn, &organization, user).await?;
    }

    let emails = user_email::ActiveModel { deleted_at: Set(Some(at)), ..Default::default() };
    let of_user = user_email::Column::UserId.eq(user);
    user_email::Entity::update_many().set(emails).filter(of_user).live().exec(&txn).await?;
    let memberships = organization_user::ActiveModel { deleted_at: Set(Some(at)), ..Default::default() };
    let of_user = organization_user::Column::UserId.eq(user);
    organization_user::Entity::update_many().set(memberships).filter(of_user).live().exec(&txn).await?;
    user::ActiveModel { deleted_at: Set(Some(at)), ..deleted.into() }.update(&txn).await?;
    txn.commit().await?;
    Ok(())
}

/// Holds a live user as it is until the transaction ends, so that nobody deletes it meanwhile.
pub(super) async fn hold_in_txn(txn: &impl ConnectionTrait, user: UserId) -> Result<user::Model> {
    let held = user::Entity::find_by_id(user).live().lock_shared().one(txn).await?;
    held.ok_or_else(|| not_found(user))
}

fn not_found(user: UserId) -> Error {
    Error::NotFound { what: "user", key: user.0.to_string() }
}
