//! Who belongs to which organization, and as what.

use entity_identitydb::{OrganizationId, Role, UserId, organization, organization_user, user};
use sea_orm::ActiveValue::Set;
use sea_orm::prelude::DateTimeUtc;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, TransactionSession, TransactionTrait,
};

use super::organization::lock_one_in_txn;
use super::scope::Live;
use super::user::hold_in_txn;
use crate::error::{Error, Result};

/// Makes a user a member. Who was one before gets the old row back, with the new role.
///
/// # Errors
///
/// [`Error::NotFound`] if there is no such live organization or user; [`Error::Conflict`] if the user is a
/// member now.
pub async fn add(
    db: &(impl ConnectionTrait + TransactionTrait),
    organization: OrganizationId,
    user: UserId,
    role: Role,
) -> Result<organization_user::Model> {
    let txn = db.begin().await?;
    hold_in_txn(&txn, user).await?;
    lock_one_in_txn(&txn, organization).await?;
    let row = match of_pair(organization, user).one(&txn).await? {
        Some(member) if member.deleted_at.is_none() => {
            return Err(Error::Conflict { what: pair(organization, user) });
        }
        Some(former) => {
            let restored =
                organization_user::ActiveModel { role: Set(role), deleted_at: Set(None), ..former.into() };
            restored.update(&txn).await?
        }
        None => {
            let member = organization_user::ActiveModel {
                organization_id: Set(organization),
                user_id: Set(user),
                role: Set(role),
                ..Default::default()
            };
            member.insert(&txn).await?
        }
    };
    txn.commit().await?;
    Ok(row)
}

/// Gives a member another role.
///
/// # Errors
///
/// [`Error::NotFound`] if there is no such live organization or member; [`Error::Invalid`] if the
/// organization would be left without an owner.
pub async fn change_role(
    db: &(impl ConnectionTrait + TransactionTrait),
    organization: OrganizationId,
    user: UserId,
    role: Role,
) -> Result<organization_user::Model> {
    let txn = db.begin().await?;
    let locked = lock_one_in_txn(&txn, organization).await?;
    let member = of_pair(organization, user).live().one(&txn).await?;
    let member = member.ok_or_else(|| not_found(organization, user))?;
    if member.role == role {
        return Ok(member);
    }
    if role != Role::Owner {
        refuse_without_owner_in_txn(&txn, &locked, user).await?;
    }
    let changed = organization_user::ActiveModel { role: Set(role), ..member.into() }.update(&txn).await?;
    txn.commit().await?;
    Ok(changed)
}

/// Ends a membership.
///
/// # Errors
///
/// [`Error::NotFound`] if there is no such live organization or member; [`Error::Invalid`] if the
/// organization would be left without an owner.
pub async fn remove(
    db: &(impl ConnectionTrait + TransactionTrait),
    organization: OrganizationId,
    user: UserId,
    at: DateTimeUtc,
) -> Result<()> {
    let txn = db.begin().await?;
    let locked = lock_one_in_txn(&txn, organization).await?;
    let member = of_pair(organization, user).live().one(&txn).await?;
    let member = member.ok_or_else(|| not_found(organization, user))?;
    refuse_without_owner_in_txn(&txn, &locked, user).await?;
    organization_user::ActiveModel { deleted_at: Set(Some(at)), ..member.into() }.update(&txn).await?;
    txn.commit().await?;
    Ok(())
}

/// The members of an organization with their roles, by name, at most `limit`.
///
/// Empty when the organization does not exist.
///
/// # Errors
///
/// [`Error::Database`] if the query does not run.
pub async fn members(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    limit: u64,
) -> Result<Vec<(user::Model, Role)>> {
    let rows = user::Entity::find()
        .find_both_related(organization_user::Entity)
        .filter(organization_user::Column::OrganizationId.eq(organization))
        .filter(organization_user::Column::DeletedAt.is_null())
        .order_by_asc(user::Column::Name)
        .limit(limit)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|(user, membership)| (user, membership.role)).collect())
}

/// Refuses a change that takes the role of owner from `user` while nobody else has it. The caller holds the
/// lock of the organization, so that the last two owners can't leave at once.
pub(super) async fn refuse_without_owner_in_txn(
    txn: &impl ConnectionTrait,
    organization: &organization::Model,
    user: UserId,
) -> Result<()> {
    let owners = organization_user::Entity::find()
        .filter(organization_user::Column::OrganizationId.eq(organization.id))
        .filter(organization_user::Column::Role.eq(Role::Owner))
        .live();
    let is_owner =
        owners.clone().filter(organization_user::Column::UserId.eq(user)).one(txn).await?.is_some();
    if is_owner && owners.count(txn).await? == 1 {
        let reason =
            format!("is the last owner of {:?}; make another member an owner first", organization.name);
        return Err(Error::Invalid { field: "user", reason });
    }
    Ok(())
}

/// The membership of a pair, deleted or not.
fn of_pair(organization: OrganizationId, user: UserId) -> sea_orm::Select<organization_user::Entity> {
    organization_user::Entity::find()
        .filter(organization_user::Column::OrganizationId.eq(organization))
        .filter(organization_user::Column::UserId.eq(user))
}

fn pair(organization: OrganizationId, user: UserId) -> String {
    format!("user {} in organization {}", user.0, organization.0)
}

fn not_found(organization: OrganizationId, user: UserId) -> Error {
    Error::NotFound { what: "member", key: pair(organization, user) }
}
