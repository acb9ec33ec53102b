//! A group of users that owns things together.

use entity_identitydb::{OrganizationId, Role, UserId, organization, organization_user};
use sea_orm::ActiveValue::Set;
use sea_orm::prelude::DateTimeUtc;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    TransactionSession, TransactionTrait,
};

use super::scope::Live;
use super::{conflict_on, rule, user};
use crate::error::{Error, Result};

/// Adds an organization with its first owner.
///
/// # Errors
///
/// [`Error::Invalid`] if `name` breaks [`rule::name`] or `display_name` breaks [`rule::display_name`];
/// [`Error::NotFound`] if there is no such live user; [`Error::Conflict`] if the name is taken, in any letter
/// case, also by a deleted organization.
pub async fn create(
    db: &(impl ConnectionTrait + TransactionTrait),
    name: &str,
    display_name: &str,
    owner: UserId,
) -> Result<organization::Model> {
    rule::name(name)?;
    rule::display_name(display_name)?;
    let txn = db.begin().await?;
    user::hold_in_txn(&txn, owner).await?;
    let organization = organization::ActiveModel {
        name: Set(name.to_owned()),
        display_name: Set(display_name.to_owned()),
        ..Default::default()
    };
    let taken = || format!("organization {name:?}");
    let organization =
        organization.insert(&txn).await.map_err(conflict_on("organizations_name_key", taken))?;
    let membership = organization_user::ActiveModel {
        organization_id: Set(organization.id),
        user_id: Set(owner),
        role: Set(Role::Owner),
        ..Default::default()
    };
    membership.insert(&txn).await?;
    txn.commit().await?;
    Ok(organization)
}

/// The live organization called `name`, in any letter case.
///
/// # Errors
///
/// [`Error::Database`] if the query does not run.
pub async fn by_name(db: &impl ConnectionTrait, name: &str) -> Result<Option<organization::Model>> {
    if rule::name(name).is_err() {
        return Ok(None); // none can be called that, and a NUL would be an error of the database
    }
    Ok(organization::Entity::find().filter(organization::Column::Name.eq(name)).live().one(db).await?)
}

/// Deletes an organization: first the memberships, then the organization. The name stays taken.
///
/// # Errors
///
/// [`Error::NotFound`] if there is no such live organization.
pub async fn delete(
    db: &(impl ConnectionTrait + TransactionTrait),
    organization: OrganizationId,
    at: DateTimeUtc,
) -> Result<()> {
    let txn = db.begin().await?;
    let deleted = lock_one_in_txn(&txn, organization).await?;
    let memberships = organization_user::ActiveModel { deleted_at: Set(Some(at)), ..Default::default() };
    let of_organization = organization_user::Column::OrganizationId.eq(organization);
    organization_user::Entity::update_many()
        .set(memberships)
        .filter(of_organization)
        .live()
        .exec(&txn)
        .await?;
    organization::ActiveModel { deleted_at: Set(Some(at)), ..deleted.into() }.update(&txn).await?;
    txn.commit().await?;
    Ok(())
}

/// Locks one live organization until the transaction ends: who changes its members waits.
pub(super) async fn lock_one_in_txn(
    txn: &impl ConnectionTrait,
    organization: OrganizationId,
) -> Result<organization::Model> {
    let locked = lock_in_txn(txn, vec![organization]).await?.pop();
    locked.ok_or_else(|| Error::NotFound { what: "organization", key: organization.0.to_string() })
}

/// Locks the live ones of some organizations, in order of their ids.
pub(super) async fn lock_in_txn(
    txn: &impl ConnectionTrait,
    organizations: Vec<OrganizationId>,
) -> Result<Vec<organization::Model>> {
    let wanted = organization::Entity::find().filter(organization::Column::Id.is_in(organizations)).live();
    Ok(wanted.order_by_asc(organization::Column::Id).lock_exclusive().all(txn).await?)
}
