//! A code that is mailed, to prove an address or to choose a password without the old one. It is good once, and
//! five wrong guesses use it up.

use chrono::TimeDelta;
use entity_identitydb::{Purpose, UserEmailId, UserId, one_time_code, user_email};
use rand::CryptoRng;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::ExprTrait as _;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, TransactionTrait,
};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use super::audit_event::Entry;
use super::password::{Hasher, store_in_txn};
use super::scope::{Live, delete_all};
use super::user_email::{lock_in_txn as lock_email_in_txn, verify_in_txn};
use super::{Act, commit, expiry, rule, secret, user};
use crate::error::{Error, Result};

/// Wrong guesses that use a code up.
pub const ATTEMPTS: i32 = 5;

/// A code to mail to an address, which proves it. One that was mailed before is no good any more.
///
/// # Errors
///
/// [`Error::NotFound`] if there is no such live address; [`Error::Invalid`] if `lifetime` is not positive.
pub async fn to_verify(
    db: &(impl ConnectionTrait + TransactionTrait),
    email: UserEmailId,
    lifetime: TimeDelta,
    rng: &mut impl CryptoRng,
    act: &Act<'_>,
) -> Result<SecretString> {
    let txn = db.begin().await?;
    let email = lock_email_in_txn(&txn, email).await?;
    let code = issue_in_txn(&txn, Purpose::VerifyEmail, &email, lifetime, rng, act).await?;
    commit(txn).await?;
    Ok(code)
}

/// A code to mail to a user who has forgotten the password, and the address that it goes to: the primary one.
///
/// None if the user has no verified primary address; a caller who asks must not learn which it was.
///
/// # Errors
///
/// [`Error::NotFound`] if there is no such live user; [`Error::Invalid`] if `lifetime` is not positive.
pub async fn to_reset(
    db: &(impl ConnectionTrait + TransactionTrait),
    user: UserId,
    lifetime: TimeDelta,
    rng: &mut impl CryptoRng,
    act: &Act<'_>,
) -> Result<Option<(user_email::Model, SecretString)>> {
    let txn = db.begin().await?;
    user::lock_in_txn(&txn, user).await?;
    let primary = user_email::Entity::find()
        .filter(user_email::Column::UserId.eq(user))
        .filter(user_email::Column::IsPrimary.eq(true))
        .filter(user_email::Column::VerifiedAt.is_not_null())
        .live();
    let Some(email) = primary.one(&txn).await? else { return Ok(None) };
    let code = issue_in_txn(&txn, Purpose::ResetPassword, &email, lifetime, rng, act).await?;
    commit(txn).await?;
    Ok(Some((email, code)))
}

/// Shows a code that was mailed to an address, and so verifies the address.
///
/// # Errors
///
/// [`Error::Refused`] if it is not the code, or it is expired, used, replaced or used up;
/// [`Error::Conflict`] if another user proved the address first.
pub async fn verify(
    db: &(impl ConnectionTrait + TransactionTrait),
    user: UserId,
    code: &SecretString,
    act: &Act<'_>,
) -> Result<user_email::Model> {
    let txn = db.begin().await?;
    let Some(found) = redeem_in_txn(&txn, user, Purpose::VerifyEmail, code, act).await? else {
        commit(txn).await?; // the wrong guess counts
        return Err(Error::Refused);
    };
    let email = found.user_email_id.ok_or(Error::Refused)?;
    let email = user_email::Entity::find_by_id(email).live().one(&txn).await?.ok_or(Error::Refused)?;
    let email = verify_in_txn(&txn, email, act).await?;
    commit(txn).await?;
    Ok(email)
}

/// Shows a code that was mailed for it, and chooses a password. Every session of the user ends.
///
/// # Errors
///
/// [`Error::Invalid`] if `new` breaks [`rule::password`]; [`Error::Refused`] as for [`verify`].
pub async fn reset(
    db: &(impl ConnectionTrait + TransactionTrait),
    hasher: &Hasher,
    user: UserId,
    code: &SecretString,
    new: &SecretString,
    rng: &mut impl CryptoRng,
    act: &Act<'_>,
) -> Result<()> {
    rule::password(new.expose_secret())?;
    let hash = hasher.hash(new, rng).await;
    let txn = db.begin().await?;
    if redeem_in_txn(&txn, user, Purpose::ResetPassword, code, act).await?.is_none() {
        commit(txn).await?; // the wrong guess counts
        return Err(Error::Refused);
    }
    store_in_txn(&txn, hasher, user, hash, None, act).await?;
    commit(txn).await
}

async fn issue_in_txn(
    txn: &impl ConnectionTrait,
    purpose: Purpose,
    email: &user_email::Model,
    lifetime: TimeDelta,
    rng: &mut impl CryptoRng,
    act: &Act<'_>,
) -> Result<SecretString> {
    let expires_at = expiry(act.at, lifetime)?;
    let code = secret::generate_code(rng);
    let before =
        one_time_code::Column::UserId.eq(email.user_id).and(one_time_code::Column::Purpose.eq(purpose));
    delete_all::<one_time_code::Entity>(txn, before, act.at).await?;
    let row = one_time_code::ActiveModel {
        user_id: Set(email.user_id),
        user_email_id: Set(Some(email.id)),
        purpose: Set(purpose),
        code_sha256: Set(digest(purpose, email.user_id, &code)),
        expires_at: Set(expires_at),
        ..Default::default()
    };
    let row = row.insert(txn).await?;
    Entry::new("mail", "code", row.id.0).record_in_txn(txn, act).await?;
    Ok(code)
}

/// The code if it is right, used from now on. A wrong one is counted.
async fn redeem_in_txn(
    txn: &impl ConnectionTrait,
    user: UserId,
    purpose: Purpose,
    code: &SecretString,
    act: &Act<'_>,
) -> Result<Option<one_time_code::Model>> {
    let shown = digest(purpose, user, code);
    if user::find_locked_in_txn(txn, user).await?.is_none() {
        return Ok(None);
    }
    let live = one_time_code::Entity::find()
        .filter(one_time_code::Column::UserId.eq(user))
        .filter(one_time_code::Column::Purpose.eq(purpose))
        .filter(one_time_code::Column::ExpiresAt.gt(act.at))
        .filter(one_time_code::Column::Attempts.lt(ATTEMPTS))
        .live();
    let Some(row) = live.lock_exclusive().one(txn).await? else { return Ok(None) };
    if row.code_sha256 != shown {
        let attempts = row.attempts + 1;
        one_time_code::ActiveModel { attempts: Set(attempts), ..row.into() }.update(txn).await?;
        return Ok(None);
    }
    let used = one_time_code::ActiveModel { deleted_at: Set(Some(act.at)), ..row.into() };
    Ok(Some(used.update(txn).await?))
}

fn digest(purpose: Purpose, user: UserId, code: &SecretString) -> Vec<u8> {
    let mut sha256 = Sha256::new();
    sha256.update(format!("{purpose:?} {} ", user.0));
    sha256.update(code.expose_secret());
    sha256.finalize().to_vec()
}
