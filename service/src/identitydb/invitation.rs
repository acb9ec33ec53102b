//! An address that is asked to join an organization.

use chrono::TimeDelta;
use entity_identitydb::{InvitationId, OrganizationId, Role, UserId, invitation, organization_user};
use rand::CryptoRng;
use sea_orm::ActiveValue::Set;
use sea_orm::prelude::DateTimeUtc;
use sea_orm::sea_query::ExprTrait as _;
use sea_orm::{
    ActiveEnum as _, ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, Select, TransactionTrait,
};
use secrecy::SecretString;
use serde_json::json;

use super::audit_event::Entry;
use super::organization::lock_one_in_txn;
use super::organization_user::add_in_txn;
use super::scope::{Live, delete_all};
use super::secret::{self, Kind};
use super::user::{find_held_in_txn, hold_in_txn};
use super::{Act, commit, expiry, rule};
use crate::error::{Error, Result};

/// Asks an address to join; the secret goes into the mail. An open invitation of the same address is withdrawn.
///
/// # Errors
///
/// [`Error::Invalid`] if `email` breaks [`rule::email`] or `lifetime` is not positive; [`Error::NotFound`] if there
/// is no such live organization or inviter.
pub async fn invite(
    db: &(impl ConnectionTrait + TransactionTrait),
    organization: OrganizationId,
    (email, role): (&str, Role),
    inviter: UserId,
    lifetime: TimeDelta,
    rng: &mut impl CryptoRng,
    act: &Act<'_>,
) -> Result<(invitation::Model, SecretString)> {
    rule::email(email)?;
    let expires_at = expiry(act.at, lifetime)?;
    let secret = secret::generate(Kind::Invitation, rng);
    let txn = db.begin().await?;
    hold_in_txn(&txn, inviter).await?;
    lock_one_in_txn(&txn, organization).await?;
    let before = invitation::Column::OrganizationId
        .eq(organization)
        .and(invitation::Column::Email.eq(email))
        .and(invitation::Column::AcceptedAt.is_null());
    delete_all::<invitation::Entity>(&txn, before, act.at).await?;
    let row = invitation::ActiveModel {
        organization_id: Set(organization),
        email: Set(email.to_owned()),
        role: Set(role),
        inviter_user_id: Set(inviter),
        secret_sha256: Set(secret::digest(Kind::Invitation, &secret)),
        expires_at: Set(expires_at),
        ..Default::default()
    };
    let row = row.insert(&txn).await?;
    let after = json!({ "organization": organization.0, "role": role.to_value(), "expires_at": expires_at });
    Entry::new("invite", "invitation", row.id.0).after(after).record_in_txn(&txn, act).await?;
    commit(txn).await?;
    Ok((row, secret))
}

/// Makes a live user a member with an invitation. Who has the mail may join: the address need not be the user's.
///
/// # Errors
///
/// [`Error::Refused`] if the secret is wrong, expired, withdrawn or used, the organization is deleted, or there is
/// no such live user; [`Error::Conflict`] if the user is a member now.
pub async fn accept(
    db: &(impl ConnectionTrait + TransactionTrait),
    secret: &SecretString,
    user: UserId,
    act: &Act<'_>,
) -> Result<organization_user::Model> {
    let txn = db.begin().await?;
    if find_held_in_txn(&txn, user).await?.is_none() {
        return Err(Error::Refused);
    }
    let open = open_at(act.at);
    let open = open.filter(invitation::Column::SecretSha256.eq(secret::digest(Kind::Invitation, secret)));
    let found = open.clone().one(&txn).await?.ok_or(Error::Refused)?;
    match lock_one_in_txn(&txn, found.organization_id).await {
        Err(Error::NotFound { .. }) => return Err(Error::Refused),
        locked => drop(locked?),
    }
    let row = open.lock_exclusive().one(&txn).await?.ok_or(Error::Refused)?;
    let member = add_in_txn(&txn, row.organization_id, user, row.role, act).await?;
    Entry::new("accept", "invitation", row.id.0).record_in_txn(&txn, act).await?;
    invitation::ActiveModel { accepted_at: Set(Some(act.at)), ..row.into() }.update(&txn).await?;
    commit(txn).await?;
    Ok(member)
}

/// Withdraws an open invitation.
///
/// # Errors
///
/// [`Error::NotFound`] if there is no such open invitation.
pub async fn withdraw(
    db: &(impl ConnectionTrait + TransactionTrait),
    invitation: InvitationId,
    act: &Act<'_>,
) -> Result<()> {
    let txn = db.begin().await?;
    let which = invitation::Column::Id.eq(invitation).and(invitation::Column::AcceptedAt.is_null());
    if delete_all::<invitation::Entity>(&txn, which, act.at).await? == 0 {
        return Err(Error::NotFound { what: "open invitation", key: invitation.0.to_string() });
    }
    Entry::new("withdraw", "invitation", invitation.0).record_in_txn(&txn, act).await?;
    commit(txn).await
}

/// The invitations of an organization that can be accepted at `at`, oldest first.
///
/// # Errors
///
/// [`Error::Database`] if the query does not run.
pub async fn open(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    at: DateTimeUtc,
) -> Result<Vec<invitation::Model>> {
    let found = open_at(at).filter(invitation::Column::OrganizationId.eq(organization));
    Ok(found.order_by_asc(invitation::Column::Id).all(db).await?)
}

fn open_at(at: DateTimeUtc) -> Select<invitation::Entity> {
    let found = invitation::Entity::find().filter(invitation::Column::AcceptedAt.is_null());
    found.filter(invitation::Column::ExpiresAt.gt(at)).live()
}
