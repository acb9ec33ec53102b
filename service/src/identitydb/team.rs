//! Members of an organization who are addressed together.

use entity_identitydb::{OrganizationId, TeamId, team, team_user};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, TransactionTrait,
};
use serde_json::json;

use super::audit_event::Entry;
use super::organization::lock_one_in_txn as lock_organization_in_txn;
use super::scope::{Live, delete_all};
use super::{Act, commit, conflict_on, rule};
use crate::error::{Error, Result};

/// Adds a team to a live organization.
///
/// # Errors
///
/// [`Error::Invalid`] if `name` breaks [`rule::name`] or `display_name` breaks [`rule::display_name`];
/// [`Error::NotFound`] if there is no such live organization; [`Error::Conflict`] if it has a live team of that
/// name, in any letter case.
pub async fn create(
    db: &(impl ConnectionTrait + TransactionTrait),
    organization: OrganizationId,
    name: &str,
    display_name: &str,
    act: &Act<'_>,
) -> Result<team::Model> {
    rule::name(name)?;
    rule::display_name(display_name)?;
    let txn = db.begin().await?;
    lock_organization_in_txn(&txn, organization).await?;
    let row = team::ActiveModel {
        organization_id: Set(organization),
        name: Set(name.to_owned()),
        display_name: Set(display_name.to_owned()),
        ..Default::default()
    };
    let taken = || format!("team {name:?} of organization {}", organization.0);
    let team = row.insert(&txn).await.map_err(conflict_on(&["teams_organization_id_name_key"], taken))?;
    let after = json!({ "organization": organization.0 });
    Entry::new("create", "team", team.id.0).after(after).record_in_txn(&txn, act).await?;
    commit(txn).await?;
    Ok(team)
}

/// The live team of an organization called `name`, in any letter case.
///
/// # Errors
///
/// [`Error::Database`] if the query does not run.
pub async fn by_name(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    name: &str,
) -> Result<Option<team::Model>> {
    if rule::name(name).is_err() {
        return Ok(None); // none can be called that, and a NUL would be an error of the database
    }
    let found = team::Entity::find().filter(team::Column::OrganizationId.eq(organization)).live();
    Ok(found.filter(team::Column::Name.eq(name)).one(db).await?)
}

/// The live teams of an organization, by name.
///
/// # Errors
///
/// [`Error::Database`] if the query does not run.
pub async fn of_organization(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
) -> Result<Vec<team::Model>> {
    let found = team::Entity::find().filter(team::Column::OrganizationId.eq(organization)).live();
    Ok(found.order_by_asc(team::Column::Name).all(db).await?)
}

/// Deletes a team: first its memberships, of which there were as many as is returned. The name is free again.
///
/// # Errors
///
/// [`Error::NotFound`] if there is no such live team.
pub async fn delete(
    db: &(impl ConnectionTrait + TransactionTrait),
    team: TeamId,
    act: &Act<'_>,
) -> Result<u64> {
    let txn = db.begin().await?;
    let row = lock_in_txn(&txn, team).await?;
    let members = delete_all::<team_user::Entity>(&txn, team_user::Column::TeamId.eq(team), act.at).await?;
    team::ActiveModel { deleted_at: Set(Some(act.at)), ..row.into() }.update(&txn).await?;
    let after = json!({ "team_memberships": members });
    Entry::new("delete", "team", team.0).after(after).record_in_txn(&txn, act).await?;
    commit(txn).await?;
    Ok(members)
}

/// A live team, with the lock of its organization until the transaction ends.
pub(super) async fn lock_in_txn(txn: &impl ConnectionTrait, team: TeamId) -> Result<team::Model> {
    let not_found = || Error::NotFound { what: "team", key: team.0.to_string() };
    let found = team::Entity::find_by_id(team).live();
    let organization = found.clone().one(txn).await?.ok_or_else(not_found)?.organization_id;
    lock_organization_in_txn(txn, organization).await.map_err(|error| match error {
        Error::NotFound { .. } => not_found(), // the organization was deleted, and so was its team
        other => other,
    })?;
    found.one(txn).await?.ok_or_else(not_found)
}
