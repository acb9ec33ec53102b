//! An email address that a user gave.

use entity_identitydb::{UserEmailId, UserId, user_email};
use sea_orm::ActiveValue::Set;
use sea_orm::prelude::DateTimeUtc;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    TransactionSession, TransactionTrait,
};

use super::scope::Live;
use super::{conflict_on, rule, user};
use crate::error::{Error, Result};

/// Adds an address to a live user, not primary and not verified.
///
/// # Errors
///
/// [`Error::Invalid`] if it breaks [`rule::email`]; [`Error::NotFound`] if there is no such live user;
/// [`Error::Conflict`] if the user has the address already.
pub async fn add(
    db: &(impl ConnectionTrait + TransactionTrait),
    user: UserId,
    email: &str,
) -> Result<user_email::Model> {
    rule::email(email)?;
    let txn = db.begin().await?;
    user::hold_in_txn(&txn, user).await?;
    let row =
        user_email::ActiveModel { user_id: Set(user), email: Set(email.to_owned()), ..Default::default() };
    let taken = || format!("email {email:?} of user {}", user.0);
    let row = row.insert(&txn).await.map_err(conflict_on("user_emails_user_id_email_key", taken))?;
    txn.commit().await?;
    Ok(row)
}

/// Notes that the user proved, at `at`, that the address is theirs. An address that is verified already keeps
/// its time.
///
/// # Errors
///
/// [`Error::NotFound`] if there is no such live address; [`Error::Conflict`] if another user proved it first.
pub async fn verify(
    db: &(impl ConnectionTrait + TransactionTrait),
    email: UserEmailId,
    at: DateTimeUtc,
) -> Result<user_email::Model> {
    let txn = db.begin().await?;
    let row = user_email::Entity::find_by_id(email).live().lock_exclusive().one(&txn).await?;
    let row = row.ok_or_else(|| Error::NotFound { what: "email", key: email.0.to_string() })?;
    if row.verified_at.is_some() {
        return Ok(row);
    }
    let taken = format!("verified email {:?}", row.email);
    let row = user_email::ActiveModel { verified_at: Set(Some(at)), ..row.into() };
    let row = row.update(&txn).await.map_err(conflict_on("user_emails_email_key", || taken))?;
    txn.commit().await?;
    Ok(row)
}

/// The live addresses of a user, in the order in which they were given.
///
/// Empty when the user has none or does not exist.
///
/// # Errors
///
/// [`Error::Database`] if the query does not run.
pub async fn of_user(db: &impl ConnectionTrait, user: UserId) -> Result<Vec<user_email::Model>> {
    let found = user_email::Entity::find().filter(user_email::Column::UserId.eq(user)).live();
    Ok(found.order_by_asc(user_email::Column::Id).all(db).await?)
}
