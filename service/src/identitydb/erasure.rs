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
use sea_orm::sea_query::{Expr, IntoCondition};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, TransactionTrait,
};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::audit_event::Entry;
use super::scope::{AtMost, Live, delete_all};
use super::user::{delete_dependants_in_txn, not_found, refuse_last_owner_in_txn};
use super::{Act, commit};
use crate::error::{Error, Result};

/// Digests that one request holds; a user who went by more names keeps the newest.
const DIGESTS_MAX: usize = 1_000;

/// What was done to erase a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erased {
    /// What other stores are asked for.
    pub request: erasure_request::Model,
    /// What was done here.
    pub rows: Rows,
}

/// How many rows an erasure changed, by table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rows {
    /// Removed: to one of the user's addresses.
    pub invitations: u64,
    /// Removed.
    pub passwords: u64,
    /// Removed.
    pub sessions: u64,
    /// Removed.
    pub api_tokens: u64,
    /// Removed.
    pub one_time_codes: u64,
    /// Removed.
    pub external_accounts: u64,
    /// Removed.
    pub emails: u64,
    /// Ended.
    pub team_memberships: u64,
    /// Ended.
    pub memberships: u64,
    /// Kept, without address and agent.
    pub origins: u64,
    /// Kept in quarantine, by their keys alone.
    pub names: u64,
}

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
) -> Result<Erased> {
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
    let ended = delete_dependants_in_txn(&txn, user, act.at).await?;
    let mut rows = remove_in_txn(&txn, user).await?;
    (rows.team_memberships, rows.memberships) = (ended.team_memberships, ended.memberships);
    rows.origins = blank_origins_in_txn(&txn, user, act).await?;

    let deleted_at = row.deleted_at.unwrap_or(act.at);
    let row = user::ActiveModel {
        name: Set(pseudonym),
        display_name: Set(String::new()),
        deleted_at: Set(Some(deleted_at)),
        ..row.into()
    };
    row.update(&txn).await?;
    let names = name::Entity::update_many()
        .col_expr(name::Column::Name, Expr::value(None::<String>))
        .filter(name::Column::UserId.eq(user))
        .exec(&txn)
        .await?;
    rows.names = names.rows_affected.saturating_sub(1); // but for the pseudonym
    let request = erasure_request::ActiveModel {
        user_id: Set(user),
        actor_digests: Set(digests),
        ..Default::default()
    };
    let request = request.insert(&txn).await?;
    let entry = Entry::new("erase", "user", user.0).after(json!(rows));
    entry.record_in_txn(&txn, &Act { origin: None, ..*act }).await?;
    commit(txn).await?;
    Ok(Erased { request, rows })
}

/// The requests for those of `users` who were erased, in no order.
///
/// # Errors
///
/// [`Error::Database`] if the query does not run.
pub async fn of_users(
    db: &impl ConnectionTrait,
    users: impl IntoIterator<Item = UserId>,
) -> Result<Vec<erasure_request::Model>> {
    let found = erasure_request::Entity::find().filter(erasure_request::Column::UserId.is_in(users)).live();
    Ok(found.all(db).await?)
}

/// Requests that are still to be carried out elsewhere, oldest first, at most `limit`.
///
/// # Errors
///
/// [`Error::Database`] if the query does not run.
pub async fn pending(db: &impl ConnectionTrait, limit: u64) -> Result<Vec<erasure_request::Model>> {
    let found = erasure_request::Entity::find().filter(erasure_request::Column::CompletedAt.is_null()).live();
    Ok(found.order_by_asc(erasure_request::Column::Id).at_most(limit).all(db).await?)
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
async fn remove_in_txn(txn: &impl ConnectionTrait, user: UserId) -> Result<Rows> {
    let emails = user_email::Entity::find().filter(user_email::Column::UserId.eq(user)).all(txn).await?;
    let to_emails = invitation::Column::Email.is_in(emails.into_iter().map(|row| row.email));
    Ok(Rows {
        invitations: remove_all::<invitation::Entity>(txn, to_emails).await?,
        passwords: remove_all::<password::Entity>(txn, password::Column::UserId.eq(user)).await?,
        sessions: remove_all::<session::Entity>(txn, session::Column::UserId.eq(user)).await?,
        api_tokens: remove_all::<api_token::Entity>(txn, api_token::Column::UserId.eq(user)).await?,
        one_time_codes: remove_all::<one_time_code::Entity>(txn, one_time_code::Column::UserId.eq(user))
            .await?,
        external_accounts: remove_all::<external_account::Entity>(
            txn,
            external_account::Column::UserId.eq(user),
        )
        .await?,
        emails: remove_all::<user_email::Entity>(txn, user_email::Column::UserId.eq(user)).await?,
        ..Rows::default()
    })
}

async fn remove_all<E: EntityTrait>(txn: &impl ConnectionTrait, which: impl IntoCondition) -> Result<u64> {
    Ok(E::delete_many().filter(which).exec(txn).await?.rows_affected)
}

/// Empties the origins, which the audit trail refers to; how many.
async fn blank_origins_in_txn(txn: &impl ConnectionTrait, user: UserId, act: &Act<'_>) -> Result<u64> {
    let of_user = origin::Column::UserId.eq(user);
    delete_all::<origin::Entity>(txn, of_user.clone(), act.at).await?;
    let blanked = origin::Entity::update_many()
        .col_expr(origin::Column::Address, Expr::value(""))
        .col_expr(origin::Column::Agent, Expr::value(""))
        .filter(of_user)
        .exec(txn)
        .await?;
    Ok(blanked.rows_affected)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
