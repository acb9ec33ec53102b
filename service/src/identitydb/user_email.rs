//! An email address that a user gave.

use entity_identitydb::{UserEmailId, UserId, user_email};
use sea_orm::ActiveValue::Set;
use sea_orm::prelude::DateTimeUtc;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    TransactionTrait,
};
use serde_json::json;

use super::audit_event::Entry;
use super::scope::Live;
use super::{Act, commit, conflict_on, is_primary, rule, user};
use crate::error::{Error, Result};

/// Adds an address to a live user, not verified; the primary one if the user has no other.
///
/// # Errors
///
/// [`Error::Invalid`] if it breaks [`rule::email`]; [`Error::NotFound`] if there is no such live user;
/// [`Error::Conflict`] if the user has the address already.
pub async fn add(
    db: &(impl ConnectionTrait + TransactionTrait),
    user: UserId,
    email: &str,
    act: &Act<'_>,
) -> Result<user_email::Model> {
    rule::email(email)?;
    let txn = db.begin().await?;
    user::lock_in_txn(&txn, user).await?;
    let is_first = of_user(&txn, user).await?.is_empty();
    let row = user_email::ActiveModel {
        user_id: Set(user),
        email: Set(email.to_owned()),
        is_primary: Set(is_first),
        ..Default::default()
    };
    let taken = || format!("email {email:?} of user {}", user.0);
    let row = row.insert(&txn).await.map_err(conflict_on(&["user_emails_user_id_email_key"], taken))?;
    let after = json!({ "user": user.0, "is_primary": is_first });
    Entry::new("add", "email", row.id.0).after(after).record_in_txn(&txn, act).await?;
    commit(txn).await?;
    Ok(row)
}

/// Notes that the user proved that the address is theirs. An address that is verified already keeps its time.
///
/// # Errors
///
/// [`Error::NotFound`] if there is no such live address; [`Error::Conflict`] if another user proved it first.
pub async fn verify(
    db: &(impl ConnectionTrait + TransactionTrait),
    email: UserEmailId,
    act: &Act<'_>,
) -> Result<user_email::Model> {
    let txn = db.begin().await?;
    let row = lock_in_txn(&txn, email).await?;
    let row = verify_in_txn(&txn, row, act).await?;
    commit(txn).await?;
    Ok(row)
}

pub(super) async fn verify_in_txn(
    txn: &impl ConnectionTrait,
    row: user_email::Model,
    act: &Act<'_>,
) -> Result<user_email::Model> {
    if row.verified_at.is_some() {
        return Ok(row);
    }
    let taken = format!("verified email {:?}", row.email);
    let row = user_email::ActiveModel { verified_at: Set(Some(act.at)), bounced_at: Set(None), ..row.into() };
    let row = row.update(txn).await.map_err(conflict_on(&["user_emails_email_key"], || taken))?;
    Entry::new("verify", "email", row.id.0).record_in_txn(txn, act).await?;
    Ok(row)
}

/// Makes an address the one that mail to its user goes to.
///
/// # Errors
///
/// [`Error::NotFound`] if there is no such live address.
pub async fn make_primary(
    db: &(impl ConnectionTrait + TransactionTrait),
    email: UserEmailId,
    act: &Act<'_>,
) -> Result<user_email::Model> {
    let txn = db.begin().await?;
    let row = lock_in_txn(&txn, email).await?;
    if row.is_primary {
        return Ok(row);
    }
    let before = of_user(&txn, row.user_id).await?.into_iter().find(|row| row.is_primary);
    let before_id = before.as_ref().map(|row| row.id.0);
    if let Some(before) = before {
        user_email::ActiveModel { is_primary: Set(false), ..before.into() }.update(&txn).await?;
    }
    let row = user_email::ActiveModel { is_primary: Set(true), ..row.into() }.update(&txn).await?;
    let entry = Entry::new("make-primary", "email", row.id.0).before(json!({ "primary": before_id }));
    entry.record_in_txn(&txn, act).await?;
    commit(txn).await?;
    Ok(row)
}

/// Takes an address from its user; it is free again. The primary one goes last.
///
/// # Errors
///
/// [`Error::NotFound`] if there is no such live address; [`Error::Invalid`] if it is the primary one and the user
/// has others.
pub async fn remove(
    db: &(impl ConnectionTrait + TransactionTrait),
    email: UserEmailId,
    act: &Act<'_>,
) -> Result<()> {
    let txn = db.begin().await?;
    let row = lock_in_txn(&txn, email).await?;
    if row.is_primary && of_user(&txn, row.user_id).await?.len() > 1 {
        return Err(is_primary());
    }
    user_email::ActiveModel { deleted_at: Set(Some(act.at)), ..row.into() }.update(&txn).await?;
    Entry::new("remove", "email", email.0).record_in_txn(&txn, act).await?;
    commit(txn).await
}

/// Notes that mail to the address came back for good. Verifying it again takes the note away.
///
/// # Errors
///
/// [`Error::NotFound`] if there is no such live address.
pub async fn bounced(
    db: &(impl ConnectionTrait + TransactionTrait),
    email: UserEmailId,
    act: &Act<'_>,
) -> Result<user_email::Model> {
    let txn = db.begin().await?;
    let row = lock_in_txn(&txn, email).await?;
    let row = user_email::ActiveModel { bounced_at: Set(Some(act.at)), verified_at: Set(None), ..row.into() };
    let row = row.update(&txn).await?;
    Entry::new("bounce", "email", email.0).record_in_txn(&txn, act).await?;
    commit(txn).await?;
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

/// The live address that a user has verified, whoever it is.
///
/// # Errors
///
/// [`Error::Database`] if the query does not run.
pub async fn verified(db: &impl ConnectionTrait, email: &str) -> Result<Option<user_email::Model>> {
    if rule::email(email).is_err() {
        return Ok(None); // none can look like that, and a NUL would be an error of the database
    }
    let found = user_email::Entity::find().filter(user_email::Column::Email.eq(email)).live();
    Ok(found.filter(user_email::Column::VerifiedAt.is_not_null()).one(db).await?)
}

/// Restores the addresses that were deleted at `deleted_at` and that nobody else has verified since, and makes
/// one of them the primary one; how many. The caller holds the lock of the user.
pub(super) async fn restore_in_txn(
    txn: &impl ConnectionTrait,
    user: UserId,
    deleted_at: DateTimeUtc,
) -> Result<u64> {
    let gone = user_email::Entity::find()
        .filter(user_email::Column::UserId.eq(user))
        .filter(user_email::Column::DeletedAt.eq(deleted_at))
        .order_by_desc(user_email::Column::IsPrimary)
        .order_by_asc(user_email::Column::Id);
    let mut restored = 0;
    for row in gone.all(txn).await? {
        if row.verified_at.is_some() && verified(txn, &row.email).await?.is_some() {
            continue;
        }
        let is_first = restored == 0;
        let row = user_email::ActiveModel { deleted_at: Set(None), is_primary: Set(is_first), ..row.into() };
        row.update(txn).await?;
        restored += 1;
    }
    Ok(restored)
}

/// Locks the user of a live address, then the address, until the transaction ends.
pub(super) async fn lock_in_txn(txn: &impl ConnectionTrait, email: UserEmailId) -> Result<user_email::Model> {
    let not_found = || Error::NotFound { what: "email", key: email.0.to_string() };
    let found = user_email::Entity::find_by_id(email).live();
    let owner = found.clone().one(txn).await?.ok_or_else(not_found)?.user_id;
    user::lock_in_txn(txn, owner).await.map_err(|error| match error {
        Error::NotFound { .. } => not_found(), // its user was deleted, and so was it
        other => other,
    })?;
    found.lock_exclusive().one(txn).await?.ok_or_else(not_found)
}
