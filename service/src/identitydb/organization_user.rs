//! Who belongs to which organization, and as what.

use entity_identitydb::{OrganizationId, Role, UserId, organization, organization_user, team_user, user};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::ExprTrait as _;
use sea_orm::{
    ActiveEnum as _, ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait,
    QueryFilter, QueryOrder, TransactionTrait,
};
use serde_json::json;

use super::audit_event::Entry;
use super::organization::{lock_one_in_txn, teams};
use super::scope::{AtMost, Live, delete_all};
use super::user::hold_in_txn;
use super::{Act, commit};
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
    act: &Act<'_>,
) -> Result<organization_user::Model> {
    let txn = db.begin().await?;
    hold_in_txn(&txn, user).await?;
    lock_one_in_txn(&txn, organization).await?;
    let row = add_in_txn(&txn, organization, user, role, act).await?;
    commit(txn).await?;
    Ok(row)
}

/// The caller holds the user and the lock of the organization.
pub(super) async fn add_in_txn(
    txn: &impl ConnectionTrait,
    organization: OrganizationId,
    user: UserId,
    role: Role,
    act: &Act<'_>,
) -> Result<organization_user::Model> {
    let row = match of_pair(organization, user).one(txn).await? {
        Some(member) if member.deleted_at.is_none() => {
            return Err(Error::Conflict { what: pair(organization, user) });
        }
        Some(former) => {
            let restored =
                organization_user::ActiveModel { role: Set(role), deleted_at: Set(None), ..former.into() };
            restored.update(txn).await?
        }
        None => {
            let member = organization_user::ActiveModel {
                organization_id: Set(organization),
                user_id: Set(user),
                role: Set(role),
                ..Default::default()
            };
            member.insert(txn).await?
        }
    };
    let after = json!({ "user": user.0, "role": role.to_value() });
    Entry::new("add-member", "organization", organization.0).after(after).record_in_txn(txn, act).await?;
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
    act: &Act<'_>,
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
    let before = json!({ "user": user.0, "role": member.role.to_value() });
    let changed = organization_user::ActiveModel { role: Set(role), ..member.into() }.update(&txn).await?;
    let entry = Entry::new("change-role", "organization", organization.0).before(before);
    entry.after(json!({ "user": user.0, "role": role.to_value() })).record_in_txn(&txn, act).await?;
    commit(txn).await?;
    Ok(changed)
}

/// Ends a membership, and first those in the organization's teams.
///
/// # Errors
///
/// [`Error::NotFound`] if there is no such live organization or member; [`Error::Invalid`] if the
/// organization would be left without an owner.
pub async fn remove(
    db: &(impl ConnectionTrait + TransactionTrait),
    organization: OrganizationId,
    user: UserId,
    act: &Act<'_>,
) -> Result<()> {
    let txn = db.begin().await?;
    let locked = lock_one_in_txn(&txn, organization).await?;
    let member = of_pair(organization, user).live().one(&txn).await?;
    let member = member.ok_or_else(|| not_found(organization, user))?;
    refuse_without_owner_in_txn(&txn, &locked, user).await?;
    let of_teams =
        team_user::Column::UserId.eq(user).and(team_user::Column::TeamId.in_subquery(teams(organization)));
    delete_all::<team_user::Entity>(&txn, of_teams, act.at).await?;
    let before = json!({ "user": user.0, "role": member.role.to_value() });
    organization_user::ActiveModel { deleted_at: Set(Some(act.at)), ..member.into() }.update(&txn).await?;
    let entry = Entry::new("remove-member", "organization", organization.0).before(before);
    entry.record_in_txn(&txn, act).await?;
    commit(txn).await
}

/// The live organizations of a user with the roles there, by name.
///
/// Empty when the user has none or does not exist.
///
/// # Errors
///
/// [`Error::Database`] if the query does not run.
pub async fn of_user(db: &impl ConnectionTrait, user: UserId) -> Result<Vec<(organization::Model, Role)>> {
    let rows = organization::Entity::find()
        .find_both_related(organization_user::Entity)
        .filter(organization_user::Column::UserId.eq(user))
        .filter(organization_user::Column::DeletedAt.is_null())
        .filter(organization::Column::DeletedAt.is_null())
        .order_by_asc(organization::Column::Name)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|(organization, membership)| (organization, membership.role)).collect())
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
        .at_most(limit)
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
    let owners = owners_of(organization.id);
    let is_owner =
        owners.clone().filter(organization_user::Column::UserId.eq(user)).one(txn).await?.is_some();
    if is_owner && owners.count(txn).await? == 1 {
        let reason =
            format!("is the last owner of {:?}; make another member an owner first", organization.name);
        return Err(Error::Invalid { field: "user", reason });
    }
    Ok(())
}

/// The memberships of those who own an organization.
pub(super) fn owners_of(organization: OrganizationId) -> sea_orm::Select<organization_user::Entity> {
    organization_user::Entity::find()
        .filter(organization_user::Column::OrganizationId.eq(organization))
        .filter(organization_user::Column::Role.eq(Role::Owner))
        .live()
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
