//! What a program shows instead of a password.

use entity_identitydb::{ApiTokenId, UserId, api_token};
use rand::CryptoRng;
use sea_orm::ActiveValue::Set;
use sea_orm::prelude::DateTimeUtc;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    Statement, TransactionTrait,
};
use secrecy::SecretString;
use serde_json::json;

use super::audit_event::Entry;
use super::scope::{Live, delete_all};
use super::secret::{self, Kind};
use super::{Act, commit, rule, user};
use crate::error::{Error, Result};

/// What a new token is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// What its user calls it, by [`rule::token_name`].
    pub name: &'a str,
    /// What it is good for, by [`rule::scopes`]; empty: what needs no scope.
    pub scopes: &'a [String],
    /// From when on it is refused; none: it does not expire.
    pub expires_at: Option<DateTimeUtc>,
}

/// A token that was made.
#[derive(Debug)]
pub struct Minted {
    /// What is kept of it.
    pub token: api_token::Model,
    /// What the program shows. This is the only time that anybody sees it.
    pub secret: SecretString,
}

/// Who a token belongs to, and what it is good for.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Bearer {
    /// The token.
    pub id: ApiTokenId,
    /// Its user.
    pub user_id: UserId,
    /// The user's name.
    pub user_name: String,
    /// As they were given.
    pub scopes: Vec<String>,
}

/// Makes a token for a live user.
///
/// # Errors
///
/// [`Error::Invalid`] if the name or the scopes break their rules, or it would be expired already;
/// [`Error::NotFound`] if there is no such live user.
pub async fn mint(
    db: &(impl ConnectionTrait + TransactionTrait),
    user: UserId,
    request: &Request<'_>,
    rng: &mut impl CryptoRng,
    act: &Act<'_>,
) -> Result<Minted> {
    rule::token_name(request.name)?;
    rule::scopes(request.scopes)?;
    if request.expires_at.is_some_and(|expires_at| expires_at <= act.at) {
        let reason = "expected a time that is still to come".to_owned();
        return Err(Error::Invalid { field: "expires_at", reason });
    }
    let secret = secret::generate(Kind::ApiToken, rng);
    let txn = db.begin().await?;
    user::hold_in_txn(&txn, user).await?;
    let row = api_token::ActiveModel {
        user_id: Set(user),
        name: Set(request.name.to_owned()),
        hint: Set(secret::hint(&secret)),
        secret_sha256: Set(secret::digest(Kind::ApiToken, &secret)),
        scopes: Set(request.scopes.to_vec()),
        expires_at: Set(request.expires_at),
        ..Default::default()
    };
    let token = row.insert(&txn).await?;
    // How many scopes, and not which: they are words of the user's, and the trail outlives the user.
    let after = json!({ "scopes": request.scopes.len(), "expires_at": request.expires_at, "user": user.0 });
    Entry::new("mint", "token", token.id.0).after(after).record_in_txn(&txn, act).await?;
    commit(txn).await?;
    Ok(Minted { token, secret })
}

/// Who the token behind `secret` belongs to: one statement, and at most one write a minute and token.
///
/// # Errors
///
/// [`Error::Refused`] if it is wrong, truncated, expired or revoked, or its user is deleted: one error for all,
/// and the same work.
pub async fn authenticate(
    db: &impl ConnectionTrait,
    secret: &SecretString,
    at: DateTimeUtc,
) -> Result<Bearer> {
    let values = [secret::digest(Kind::ApiToken, secret).into(), at.into()];
    let statement = Statement::from_sql_and_values(db.get_database_backend(), AUTHENTICATE, values);
    Bearer::find_by_statement(statement).one(db).await?.ok_or(Error::Refused)
}

/// What [`authenticate`] runs, to measure it against: `$1` is the SHA-256 of the token, `$2` the time.
pub const AUTHENTICATE: &str = include_str!("authenticate.sql");

/// The tokens of a user that are not revoked, also expired ones, newest first.
///
/// # Errors
///
/// [`Error::Database`] if the query does not run.
pub async fn of_user(db: &impl ConnectionTrait, user: UserId) -> Result<Vec<api_token::Model>> {
    let found = api_token::Entity::find().filter(api_token::Column::UserId.eq(user)).live();
    Ok(found.order_by_desc(api_token::Column::Id).all(db).await?)
}

/// A token, revoked or not.
///
/// # Errors
///
/// [`Error::Database`] if the query does not run.
pub async fn by_id_with_deleted(
    db: &impl ConnectionTrait,
    token: ApiTokenId,
) -> Result<Option<api_token::Model>> {
    Ok(api_token::Entity::find_by_id(token).one(db).await?)
}

/// The token behind `secret`, revoked, expired or not, without using it: whose one that has leaked is.
///
/// # Errors
///
/// [`Error::Database`] if the query does not run.
pub async fn by_secret_with_deleted(
    db: &impl ConnectionTrait,
    secret: &SecretString,
) -> Result<Option<api_token::Model>> {
    let digest = secret::digest(Kind::ApiToken, secret);
    Ok(api_token::Entity::find().filter(api_token::Column::SecretSha256.eq(digest)).one(db).await?)
}

/// Revokes every token of a user, also expired ones; how many.
///
/// # Errors
///
/// [`Error::NotFound`] if there is no such live user.
pub async fn revoke_all(
    db: &(impl ConnectionTrait + TransactionTrait),
    user: UserId,
    act: &Act<'_>,
) -> Result<u64> {
    let txn = db.begin().await?;
    user::lock_in_txn(&txn, user).await?;
    let revoked = delete_all::<api_token::Entity>(&txn, api_token::Column::UserId.eq(user), act.at).await?;
    let after = json!({ "tokens": revoked });
    Entry::new("revoke-tokens", "user", user.0).after(after).record_in_txn(&txn, act).await?;
    commit(txn).await?;
    Ok(revoked)
}

/// Revokes a token. It never comes back.
///
/// # Errors
///
/// [`Error::NotFound`] if there is no such token, or it is revoked already.
pub async fn revoke(
    db: &(impl ConnectionTrait + TransactionTrait),
    token: ApiTokenId,
    act: &Act<'_>,
) -> Result<()> {
    let txn = db.begin().await?;
    if delete_all::<api_token::Entity>(&txn, api_token::Column::Id.eq(token), act.at).await? == 0 {
        return Err(Error::NotFound { what: "token", key: token.0.to_string() });
    }
    Entry::new("revoke", "token", token.0).record_in_txn(&txn, act).await?;
    commit(txn).await
}
