//! A person with an account.

use entity_identitydb::{
    UserId, api_token, erasure_request, external_account, one_time_code, organization_user, password,
    session, team, team_user, user, user_email,
};
use sea_orm::ActiveValue::Set;
use sea_orm::prelude::DateTimeUtc;
use sea_orm::sea_query::ExprTrait as _;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait as _, TransactionTrait,
};
use serde::Serialize;
use serde_json::json;

use super::audit_event::Entry;
use super::name::Taker;
use super::organization::lock_in_txn as lock_organizations_in_txn;
use super::organization_user::refuse_without_owner_in_txn;
use super::scope::{AtMost, Live, delete_all, restore_all};
use super::{Act, commit, conflict_on, external_account as account, name, rule, user_email as email};
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

/// Which users to list. By default: all who are live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter<'a> {
    /// Those with this in the name, in any letter case; by [`rule::name_part`].
    pub part: Option<&'a str>,
    /// Those who gave this address, verified or not; by [`rule::email`].
    pub email: Option<&'a str>,
    /// The deleted ones instead, erased ones among them; by any address that they had.
    pub deleted: bool,
}

/// What hung on a user and was deleted, or restored, with it: rows of each table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "a field that its name explains has no comment")]
pub struct Dependants {
    pub one_time_codes: u64,
    pub api_tokens: u64,
    pub sessions: u64,
    pub passwords: u64,
    pub external_accounts: u64,
    pub emails: u64,
    pub team_memberships: u64,
    pub memberships: u64,
}

/// Unique keys that a name can violate: within its table, and in the namespace.
const NAME_KEYS: &[&str] = &["users_name_key", "names_canonical_key_key"];

/// Adds a user with a primary email address.
///
/// # Errors
///
/// [`Error::Invalid`] if a value breaks its rule; [`Error::Conflict`] if the name is taken, reserved or in
/// quarantine, or looks like one that is: also by an organization, or by somebody who is deleted.
pub async fn register(
    db: &(impl ConnectionTrait + TransactionTrait),
    registration: &Registration<'_>,
    act: &Act<'_>,
) -> Result<user::Model> {
    rule::name(registration.name)?;
    rule::display_name(registration.display_name)?;
    rule::email(registration.email)?;
    let txn = db.begin().await?;
    name::free_in_txn(&txn, registration.name, Taker::Newcomer, act.at).await?;
    let user = user::ActiveModel {
        name: Set(registration.name.to_owned()),
        display_name: Set(registration.display_name.to_owned()),
        ..Default::default()
    };
    let taken = || format!("user {:?}", registration.name);
    let user = user.insert(&txn).await.map_err(conflict_on(NAME_KEYS, taken))?;
    let email = user_email::ActiveModel {
        user_id: Set(user.id),
        email: Set(registration.email.to_owned()),
        is_primary: Set(true),
        ..Default::default()
    };
    email.insert(&txn).await?;
    Entry::new("register", "user", user.id.0).record_in_txn(&txn, &act.known_as(user.id)).await?;
    commit(txn).await?;
    Ok(user)
}

/// The live user called `name`, in any letter case.
///
/// # Errors
///
/// [`Error::Database`] if the query does not run.
pub async fn by_name(db: &impl ConnectionTrait, name: &str) -> Result<Option<user::Model>> {
    Ok(by_name_with_deleted(db, name).await?.filter(|user| user.deleted_at.is_none()))
}

/// The user called `name`, in any letter case, deleted or not.
///
/// # Errors
///
/// [`Error::Database`] if the query does not run.
pub async fn by_name_with_deleted(db: &impl ConnectionTrait, name: &str) -> Result<Option<user::Model>> {
    if rule::name(name).is_err() {
        return Ok(None); // nobody can be called that, and a NUL would be an error of the database
    }
    Ok(user::Entity::find().filter(user::Column::Name.eq(name)).one(db).await?)
}

/// Some users, whatever has become of them, in no order: to name those whom ids refer to.
///
/// # Errors
///
/// [`Error::Database`] if the query does not run.
pub async fn by_ids_with_deleted(
    db: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = UserId>,
) -> Result<Vec<user::Model>> {
    Ok(user::Entity::find().filter(user::Column::Id.is_in(ids)).all(db).await?)
}

/// Users by name, at most `limit`. For the page after, give the name of the last one as `after`.
///
/// # Errors
///
/// [`Error::Invalid`] if `after` can't be a name, or the filter breaks its rules.
pub async fn list(
    db: &impl ConnectionTrait,
    filter: Filter<'_>,
    after: Option<&str>,
    limit: u64,
) -> Result<Vec<user::Model>> {
    let found = user::Entity::find();
    let mut found =
        if filter.deleted { found.filter(user::Column::DeletedAt.is_not_null()) } else { found.live() };
    if let Some(part) = filter.part {
        rule::name_part(part)?;
        found = found.filter(user::Column::Name.contains(part));
    }
    if let Some(address) = filter.email {
        rule::email(address)?;
        let given = user_email::Entity::find().filter(user_email::Column::Email.eq(address));
        let given = if filter.deleted { given } else { given.live() };
        let given = given.select_only().column(user_email::Column::UserId).into_query();
        found = found.filter(user::Column::Id.in_subquery(given));
    }
    if let Some(after) = after {
        rule::name(after)?;
        found = found.filter(user::Column::Name.gt(after));
    }
    Ok(found.order_by_asc(user::Column::Name).at_most(limit).all(db).await?)
}

/// Gives a user another name. The one before stays taken for [`name::QUARANTINE_DAYS`] days, for everybody else.
///
/// # Errors
///
/// [`Error::Invalid`] if `to` breaks [`rule::name`]; [`Error::NotFound`] if there is no such live user;
/// [`Error::Conflict`] as for [`register`].
pub async fn rename(
    db: &(impl ConnectionTrait + TransactionTrait),
    user: UserId,
    to: &str,
    act: &Act<'_>,
) -> Result<user::Model> {
    rule::name(to)?;
    let txn = db.begin().await?;
    let row = lock_in_txn(&txn, user).await?;
    name::free_in_txn(&txn, to, Taker::User(user), act.at).await?;
    let row = user::ActiveModel { name: Set(to.to_owned()), ..row.into() };
    let row = row.update(&txn).await.map_err(conflict_on(NAME_KEYS, || format!("user {to:?}")))?;
    Entry::new("rename", "user", user.0).record_in_txn(&txn, act).await?;
    commit(txn).await?;
    Ok(row)
}

/// Deletes a user, and first all that hangs on it, in this order: codes, tokens, sessions, the password, external
/// accounts, addresses, memberships in teams, in organizations. The name stays taken, so that [`undelete`] can
/// bring the user back.
///
/// # Errors
///
/// [`Error::NotFound`] if there is no such live user; [`Error::Invalid`] if an organization would be left
/// without an owner.
pub async fn delete(
    db: &(impl ConnectionTrait + TransactionTrait),
    user: UserId,
    act: &Act<'_>,
) -> Result<Dependants> {
    let txn = db.begin().await?;
    let deleted = lock_in_txn(&txn, user).await?;
    refuse_last_owner_in_txn(&txn, user).await?;
    let done = delete_dependants_in_txn(&txn, user, act.at).await?;
    user::ActiveModel { deleted_at: Set(Some(act.at)), ..deleted.into() }.update(&txn).await?;
    Entry::new("delete", "user", user.0).after(json!(done)).record_in_txn(&txn, act).await?;
    commit(txn).await?;
    Ok(done)
}

/// Refuses while the user is the last owner of an organization. Locks the organizations, in order of their ids.
pub(super) async fn refuse_last_owner_in_txn(txn: &impl ConnectionTrait, user: UserId) -> Result<()> {
    let memberships =
        organization_user::Entity::find().filter(organization_user::Column::UserId.eq(user)).live();
    let organizations = memberships.all(txn).await?.into_iter().map(|row| row.organization_id).collect();
    for organization in lock_organizations_in_txn(txn, organizations).await? {
        refuse_without_owner_in_txn(txn, &organization, user).await?;
    }
    Ok(())
}

pub(super) async fn delete_dependants_in_txn(
    txn: &impl ConnectionTrait,
    user: UserId,
    at: DateTimeUtc,
) -> Result<Dependants> {
    Ok(Dependants {
        one_time_codes: delete_all::<one_time_code::Entity>(txn, one_time_code::Column::UserId.eq(user), at)
            .await?,
        api_tokens: delete_all::<api_token::Entity>(txn, api_token::Column::UserId.eq(user), at).await?,
        sessions: delete_all::<session::Entity>(txn, session::Column::UserId.eq(user), at).await?,
        passwords: delete_all::<password::Entity>(txn, password::Column::UserId.eq(user), at).await?,
        external_accounts: delete_all::<external_account::Entity>(
            txn,
            external_account::Column::UserId.eq(user),
            at,
        )
        .await?,
        emails: delete_all::<user_email::Entity>(txn, user_email::Column::UserId.eq(user), at).await?,
        team_memberships: delete_all::<team_user::Entity>(txn, team_user::Column::UserId.eq(user), at)
            .await?,
        memberships: delete_all::<organization_user::Entity>(
            txn,
            organization_user::Column::UserId.eq(user),
            at,
        )
        .await?,
    })
}

/// Brings a deleted user back, with what was deleted together with it: password, external accounts and addresses
/// that nobody else has proven since, memberships of organizations and teams that are still there. Sessions,
/// tokens and codes stay deleted.
///
/// # Errors
///
/// [`Error::NotFound`] if there is no such deleted user, or it was erased.
pub async fn undelete(
    db: &(impl ConnectionTrait + TransactionTrait),
    user: UserId,
    act: &Act<'_>,
) -> Result<Dependants> {
    let txn = db.begin().await?;
    let row = user::Entity::find_by_id(user).lock_exclusive().one(&txn).await?;
    let row = row.ok_or_else(|| not_found(user))?;
    let deleted_at = row.deleted_at.ok_or_else(|| not_deleted(user))?;
    let erased = erasure_request::Entity::find().filter(erasure_request::Column::UserId.eq(user));
    if erased.count(&txn).await? > 0 {
        return Err(not_deleted(user));
    }
    let organizations = organization_user::Entity::find()
        .filter(organization_user::Column::UserId.eq(user))
        .filter(organization_user::Column::DeletedAt.eq(deleted_at));
    let organizations = organizations.all(&txn).await?.into_iter().map(|row| row.organization_id).collect();
    let organizations: Vec<_> =
        lock_organizations_in_txn(&txn, organizations).await?.into_iter().map(|row| row.id).collect();
    user::ActiveModel { deleted_at: Set(None), ..row.into() }.update(&txn).await?;

    let of_password = password::Column::UserId.eq(user);
    let of_membership = organization_user::Column::UserId
        .eq(user)
        .and(organization_user::Column::OrganizationId.is_in(organizations.iter().copied()));
    let teams = team::Entity::find()
        .select_only()
        .column(team::Column::Id)
        .filter(team::Column::OrganizationId.is_in(organizations))
        .live()
        .into_query();
    let of_team = team_user::Column::UserId.eq(user).and(team_user::Column::TeamId.in_subquery(teams));
    let done = Dependants {
        passwords: restore_all::<password::Entity>(&txn, of_password, deleted_at).await?,
        external_accounts: account::restore_in_txn(&txn, user, deleted_at).await?,
        emails: email::restore_in_txn(&txn, user, deleted_at).await?,
        memberships: restore_all::<organization_user::Entity>(&txn, of_membership, deleted_at).await?,
        team_memberships: restore_all::<team_user::Entity>(&txn, of_team, deleted_at).await?,
        ..Dependants::default()
    };
    Entry::new("undelete", "user", user.0).after(json!(done)).record_in_txn(&txn, act).await?;
    commit(txn).await?;
    Ok(done)
}

/// Locks a live user until the transaction ends: who changes what hangs on it waits.
pub(super) async fn lock_in_txn(txn: &impl ConnectionTrait, user: UserId) -> Result<user::Model> {
    find_locked_in_txn(txn, user).await?.ok_or_else(|| not_found(user))
}

/// The same, where it is no mistake that there is none.
pub(super) async fn find_locked_in_txn(
    txn: &impl ConnectionTrait,
    user: UserId,
) -> Result<Option<user::Model>> {
    Ok(user::Entity::find_by_id(user).live().lock_exclusive().one(txn).await?)
}

/// Holds a live user as it is until the transaction ends, so that nobody deletes it meanwhile.
pub(super) async fn hold_in_txn(txn: &impl ConnectionTrait, user: UserId) -> Result<user::Model> {
    find_held_in_txn(txn, user).await?.ok_or_else(|| not_found(user))
}

/// The same, where it is no mistake that there is none.
pub(super) async fn find_held_in_txn(
    txn: &impl ConnectionTrait,
    user: UserId,
) -> Result<Option<user::Model>> {
    Ok(user::Entity::find_by_id(user).live().lock_shared().one(txn).await?)
}

pub(super) fn not_found(user: UserId) -> Error {
    Error::NotFound { what: "user", key: user.0.to_string() }
}

fn not_deleted(user: UserId) -> Error {
    Error::NotFound { what: "deleted user", key: user.0.to_string() }
}
