//! A user who is signed in.

use chrono::TimeDelta;
use entity_identitydb::{SessionId, UserId, password, session};
use rand::CryptoRng;
use sea_orm::ActiveValue::Set;
use sea_orm::prelude::DateTimeUtc;
use sea_orm::sea_query::ExprTrait as _;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    Statement, TransactionTrait,
};
use secrecy::SecretString;
use serde_json::json;

use super::audit_event::{Entry, origin_in_txn};
use super::password::{Hasher, confirm_in_txn};
use super::scope::{Live, delete_all};
use super::secret::{self, Kind};
use super::{Act, Actor, commit, expiry, rule, user};
use crate::error::{Error, Result};

/// What somebody shows to sign in.
#[derive(Clone, Debug)]
pub struct Login<'a> {
    /// The user's name, or an address that the user has verified.
    pub login: &'a str,
    /// The password.
    pub password: &'a SecretString,
}

/// A session that has begun.
#[derive(Debug)]
pub struct SignedIn {
    /// Whose it is, and until when.
    pub session: session::Model,
    /// What the browser shows from now on. It is nowhere kept.
    pub secret: SecretString,
}

/// Who a session belongs to.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Bearer {
    /// The session.
    pub id: SessionId,
    /// Its user.
    pub user_id: UserId,
    /// The user's name.
    pub user_name: String,
}

/// Signs a user in for `lifetime`. A password that was hashed by an older scheme is hashed anew.
///
/// It takes the same time whether there is no such user, the user has no password, or it is wrong: one query,
/// one hash.
///
/// # Errors
///
/// [`Error::Refused`] if it is not the right password of a live user; [`Error::Invalid`] if `lifetime` is not
/// positive or ends beyond the calendar, or the origin breaks its rules.
pub async fn sign_in(
    db: &(impl ConnectionTrait + TransactionTrait),
    hasher: &Hasher,
    shown: &Login<'_>,
    lifetime: TimeDelta,
    rng: &mut impl CryptoRng,
    act: &Act<'_>,
) -> Result<SignedIn> {
    let expires_at = expiry(act.at, lifetime)?;
    let known = password_of(db, shown.login).await?;
    let is_right = hasher.is_right(shown.password, known.as_ref().map(|row| row.hash.as_str())).await;
    let (Some(known), true) = (known, is_right) else { return Err(Error::Refused) };
    let is_outdated = known.scheme < hasher.scheme().version;
    let anew = if is_outdated { Some(hasher.hash(shown.password, rng).await) } else { None };
    let secret = secret::generate(Kind::Session, rng);

    let act = Act { actor: Actor::User(known.user_id), ..*act };
    let txn = db.begin().await?;
    let is_there = user::find_held_in_txn(&txn, known.user_id).await?.is_some();
    if !is_there || !confirm_in_txn(&txn, hasher, &known, anew).await? {
        return Err(Error::Refused); // deleted, or another password, since it was checked
    }
    let row = session::ActiveModel {
        user_id: Set(known.user_id),
        origin_id: Set(origin_in_txn(&txn, &act).await?),
        secret_sha256: Set(secret::digest(Kind::Session, &secret)),
        expires_at: Set(expires_at),
        ..Default::default()
    };
    let session = row.insert(&txn).await?;
    Entry::new("sign-in", "session", session.id.0).record_in_txn(&txn, &act).await?;
    commit(txn).await?;
    Ok(SignedIn { session, secret })
}

/// The live password of the live user who is called `login`, or has verified it as an address.
async fn password_of(db: &impl ConnectionTrait, login: &str) -> Result<Option<password::Model>> {
    // What can't be a name or an address is looked up all the same, as nobody, for the time that it takes.
    let login = if rule::name(login).is_ok() || rule::email(login).is_ok() { login } else { "" };
    let sql = include_str!("sign_in.sql");
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, [login.into()]);
    Ok(password::Model::find_by_statement(statement).one(db).await?)
}

/// Who the session behind `secret` belongs to: one statement, and at most one write a minute.
///
/// # Errors
///
/// [`Error::Refused`] if it is wrong, expired or ended, or its user is deleted.
pub async fn authenticate(
    db: &impl ConnectionTrait,
    secret: &SecretString,
    at: DateTimeUtc,
) -> Result<Bearer> {
    let values = [secret::digest(Kind::Session, secret).into(), at.into()];
    let sql = include_str!("authenticate.sql");
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    Bearer::find_by_statement(statement).one(db).await?.ok_or(Error::Refused)
}

/// The sessions of a user that go on at `at`, newest first.
///
/// # Errors
///
/// [`Error::Database`] if the query does not run.
pub async fn of_user(
    db: &impl ConnectionTrait,
    user: UserId,
    at: DateTimeUtc,
) -> Result<Vec<session::Model>> {
    let found = session::Entity::find().filter(session::Column::UserId.eq(user)).live();
    let found = found.filter(session::Column::ExpiresAt.gt(at));
    Ok(found.order_by_desc(session::Column::Id).all(db).await?)
}

/// Ends every session of a user: signs out everywhere. How many there were; expired ones are not counted.
///
/// A sign-in at the same time is either among them or begins after.
///
/// # Errors
///
/// [`Error::NotFound`] if there is no such live user.
pub async fn end_all(
    db: &(impl ConnectionTrait + TransactionTrait),
    user: UserId,
    act: &Act<'_>,
) -> Result<u64> {
    let txn = db.begin().await?;
    user::lock_in_txn(&txn, user).await?;
    let which = session::Column::UserId.eq(user).and(session::Column::ExpiresAt.gt(act.at));
    let ended = delete_all::<session::Entity>(&txn, which, act.at).await?;
    let after = json!({ "sessions": ended });
    Entry::new("sign-out", "user", user.0).after(after).record_in_txn(&txn, act).await?;
    commit(txn).await?;
    Ok(ended)
}

/// Ends a session: signs out.
///
/// # Errors
///
/// [`Error::NotFound`] if there is no such session, or it has ended.
pub async fn end(
    db: &(impl ConnectionTrait + TransactionTrait),
    session: SessionId,
    act: &Act<'_>,
) -> Result<()> {
    let txn = db.begin().await?;
    if delete_all::<session::Entity>(&txn, session::Column::Id.eq(session), act.at).await? == 0 {
        return Err(Error::NotFound { what: "session", key: session.0.to_string() });
    }
    Entry::new("sign-out", "session", session.0).record_in_txn(&txn, act).await?;
    commit(txn).await
}
