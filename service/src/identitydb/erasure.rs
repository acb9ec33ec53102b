//! The right to be forgotten (GDPR, article 17): a user becomes a number that nobody can be told by.
//!
//! Rows that are nothing but the person's (addresses, credentials, external accounts) are removed; rows that
//! others need (the user, memberships, origins, the audit trail) stay, without what tells who it was. What other
//! stores know is asked for in `erasure_requests`: identitydb can't reach the events, and records digests by
//! which they can be found.

use entity_identitydb::{
    ErasureRequestId, UserId, api_token, erasure_request, external_account, invitation, name, one_time_code,
    origin, password, session, user, user_email,
};
use rand::{CryptoRng, RngExt as _};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, TransactionTrait,
};
use sha2::{Digest as _, Sha256};

use super::audit_event::Entry;
use super::scope::{Live, delete_all};
use super::user::{delete_dependants_in_txn, not_found, refuse_last_owner_in_txn};
use super::{Act, commit};
use crate::error::{Error, Result};

/// Digests that one request holds; a user who went by more names keeps the newest.
const DIGESTS_MAX: usize = 1_000;

/// Erases a user, deleted or not, for good, and asks for the same elsewhere. The names are released into
/// quarantine, by their keys alone.
///
/// # Errors
///
/// [`Error::NotFound`] if there is no such user; [`Error::Conflict`] if the user is erased already;
/// [`Error::Invalid`] if an organization would be left without an owner.
pub async fn erase(
    db: &(impl ConnectionTrait + TransactionTrait),
    user: UserId,
    rng: &mut impl CryptoRng,
    act: &Act<'_>,
) -> Result<erasure_request::Model> {
    // 39 characters, so that nobody can have taken the name before.
    let pseudonym = format!("erased-{}", hex(&rng.random::<[u8; 16]>()));
    let txn = db.begin().await?;
    let row = user::Entity::find_by_id(user).lock_exclusive().one(&txn).await?;
    let row = row.ok_or_else(|| not_found(user))?;
    let requests = erasure_request::Entity::find().filter(erasure_request::Column::UserId.eq(user));
    if requests.count(&txn).await? > 0 {
        return Err(Error::Conflict { what: format!("erasure of user {}", user.0) });
    }
    refuse_last_owner_in_txn(&txn, user).await?;
    let digests = digests_in_txn(&txn, user).await?;
    delete_dependants_in_txn(&txn, user, act.at).await?;
    remove_in_txn(&txn, user).await?;
    blank_origins_in_txn(&txn, user, act).await?;

    let deleted_at = row.deleted_at.unwrap_or(act.at);
    let row = user::ActiveModel {
        name: Set(pseudonym),
        display_name: Set(String::new()),
        deleted_at: Set(Some(deleted_at)),
        ..row.into()
    };
    row.update(&txn).await?;
    name::Entity::update_many()
        .col_expr(name::Column::Name, Expr::value(None::<String>))
        .filter(name::Column::UserId.eq(user))
        .exec(&txn)
        .await?;
    let request = erasure_request::ActiveModel {
        user_id: Set(user),
        actor_digests: Set(digests),
        ..Default::default()
    };
    let request = request.insert(&txn).await?;
    Entry::new("erase", "user", user.0).record_in_txn(&txn, &Act { origin: None, ..*act }).await?;
    commit(txn).await?;
    Ok(request)
}

/// Requests that are still to be carried out elsewhere, oldest first, at most `limit`.
///
/// # Errors
///
/// [`Error::Database`] if the query does not run.
pub async fn pending(db: &impl ConnectionTrait, limit: u64) -> Result<Vec<erasure_request::Model>> {
    let found = erasure_request::Entity::find().filter(erasure_request::Column::CompletedAt.is_null()).live();
    Ok(found.order_by_asc(erasure_request::Column::Id).limit(limit).all(db).await?)
}

/// Notes that the traces are gone everywhere. A request that is completed already keeps its time.
///
/// # Errors
///
/// [`Error::NotFound`] if there is no such request.
pub async fn complete(
    db: &(impl ConnectionTrait + TransactionTrait),
    request: ErasureRequestId,
    act: &Act<'_>,
) -> Result<erasure_request::Model> {
    let txn = db.begin().await?;
    let row = erasure_request::Entity::find_by_id(request).live().lock_exclusive().one(&txn).await?;
    let row = row.ok_or_else(|| Error::NotFound { what: "erasure request", key: request.0.to_string() })?;
    if row.completed_at.is_some() {
        return Ok(row);
    }
    let row = erasure_request::ActiveModel { completed_at: Set(Some(act.at)), ..row.into() };
    let row = row.update(&txn).await?;
    Entry::new("complete", "erasure-request", request.0).record_in_txn(&txn, act).await?;
    commit(txn).await?;
    Ok(row)
}

/// SHA-256, in lower-case hex, of what an actor is called, in lower case: what
/// [`erasure_request::Model::actor_digests`] holds, and what an actor elsewhere is compared by.
#[must_use]
pub fn digest(actor: &str) -> String {
    hex(&Sha256::digest(actor.to_lowercase()))
}

/// Of everything the user went by: names, addresses, external subjects.
async fn digests_in_txn(txn: &impl ConnectionTrait, user: UserId) -> Result<Vec<String>> {
    let names = name::Entity::find().filter(name::Column::UserId.eq(user));
    let names = names.order_by_desc(name::Column::Id).all(txn).await?.into_iter().filter_map(|row| row.name);
    let emails = user_email::Entity::find().filter(user_email::Column::UserId.eq(user)).all(txn).await?;
    let accounts =
        external_account::Entity::find().filter(external_account::Column::UserId.eq(user)).all(txn).await?;
    let known = names
        .chain(emails.into_iter().map(|row| row.email))
        .chain(accounts.into_iter().map(|row| row.subject));
    let mut digests: Vec<String> = known.map(|actor| digest(&actor)).collect();
    digests.truncate(DIGESTS_MAX);
    digests.sort_unstable();
    digests.dedup();
    Ok(digests)
}

/// Removes what is nothing but the person's, what refers to something first.
async fn remove_in_txn(txn: &impl ConnectionTrait, user: UserId) -> Result<()> {
    let emails = user_email::Entity::find().filter(user_email::Column::UserId.eq(user)).all(txn).await?;
    let emails = emails.into_iter().map(|row| row.email);
    invitation::Entity::delete_many().filter(invitation::Column::Email.is_in(emails)).exec(txn).await?;
    password::Entity::delete_many().filter(password::Column::UserId.eq(user)).exec(txn).await?;
    session::Entity::delete_many().filter(session::Column::UserId.eq(user)).exec(txn).await?;
    api_token::Entity::delete_many().filter(api_token::Column::UserId.eq(user)).exec(txn).await?;
    one_time_code::Entity::delete_many().filter(one_time_code::Column::UserId.eq(user)).exec(txn).await?;
    external_account::Entity::delete_many()
        .filter(external_account::Column::UserId.eq(user))
        .exec(txn)
        .await?;
    user_email::Entity::delete_many().filter(user_email::Column::UserId.eq(user)).exec(txn).await?;
    Ok(())
}

/// Empties the origins, which the audit trail refers to.
async fn blank_origins_in_txn(txn: &impl ConnectionTrait, user: UserId, act: &Act<'_>) -> Result<()> {
    let of_user = origin::Column::UserId.eq(user);
    delete_all::<origin::Entity>(txn, of_user.clone(), act.at).await?;
    origin::Entity::update_many()
        .col_expr(origin::Column::Address, Expr::value(""))
        .col_expr(origin::Column::Agent, Expr::value(""))
        .filter(of_user)
        .exec(txn)
        .await?;
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
