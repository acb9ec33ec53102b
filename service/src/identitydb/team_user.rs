//! Who belongs to which team.

use entity_identitydb::{TeamId, UserId, organization, organization_user, team, team_user, user};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait as _, QueryFilter,
    QueryOrder, TransactionTrait,
};
use serde_json::json;

use super::audit_event::Entry;
use super::scope::{AtMost, Live};
use super::team::lock_in_txn as lock_team_in_txn;
use super::user::hold_in_txn;
use super::{Act, commit};
use crate::error::{Error, Result};

/// Makes a member of the organization a member of its team. Who was one before gets the old row back.
///
/// # Errors
///
/// [`Error::NotFound`] if there is no such live team or user; [`Error::Invalid`] if the user is no member of the
/// team's organization; [`Error::Conflict`] if the user is in the team now.
pub async fn add(
    db: &(impl ConnectionTrait + TransactionTrait),
    team: TeamId,
    user: UserId,
    act: &Act<'_>,
) -> Result<team_user::Model> {
    let txn = db.begin().await?;
    hold_in_txn(&txn, user).await?;
    let organization = lock_team_in_txn(&txn, team).await?.organization_id;
    let memberships = organization_user::Entity::find()
        .filter(organization_user::Column::OrganizationId.eq(organization))
        .filter(organization_user::Column::UserId.eq(user))
        .live();
    if memberships.count(&txn).await? == 0 {
        let reason = "is no member of the team's organization; add them there first".to_owned();
        return Err(Error::Invalid { field: "user", reason });
    }
    let row = match of_pair(team, user).one(&txn).await? {
        Some(member) if member.deleted_at.is_none() => {
            return Err(Error::Conflict { what: pair(team, user) });
        }
        Some(former) => {
            team_user::ActiveModel { deleted_at: Set(None), ..former.into() }.update(&txn).await?
        }
        None => {
            let member =
                team_user::ActiveModel { team_id: Set(team), user_id: Set(user), ..Default::default() };
            member.insert(&txn).await?
        }
    };
    let after = json!({ "user": user.0 });
    Entry::new("add-member", "team", team.0).after(after).record_in_txn(&txn, act).await?;
    commit(txn).await?;
    Ok(row)
}

/// Ends a membership in a team; that in the organization goes on.
///
/// # Errors
///
/// [`Error::NotFound`] if there is no such live team or member.
pub async fn remove(
    db: &(impl ConnectionTrait + TransactionTrait),
    team: TeamId,
    user: UserId,
    act: &Act<'_>,
) -> Result<()> {
    let txn = db.begin().await?;
    lock_team_in_txn(&txn, team).await?;
    let member = of_pair(team, user).live().one(&txn).await?;
    let member = member.ok_or_else(|| Error::NotFound { what: "member", key: pair(team, user) })?;
    team_user::ActiveModel { deleted_at: Set(Some(act.at)), ..member.into() }.update(&txn).await?;
    let before = json!({ "user": user.0 });
    Entry::new("remove-member", "team", team.0).before(before).record_in_txn(&txn, act).await?;
    commit(txn).await
}

/// The members of a team, by name, at most `limit`.
///
/// # Errors
///
/// [`Error::Database`] if the query does not run.
pub async fn members(db: &impl ConnectionTrait, team: TeamId, limit: u64) -> Result<Vec<user::Model>> {
    let rows = team_user::Entity::find()
        .find_both_related(user::Entity)
        .filter(team_user::Column::TeamId.eq(team))
        .filter(team_user::Column::DeletedAt.is_null())
        .order_by_asc(user::Column::Name)
        .at_most(limit)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|(_, user)| user).collect())
}

/// The live teams of a user, each with its organization, by the names of both.
///
/// # Errors
///
/// [`Error::Database`] if the query does not run.
pub async fn of_user(
    db: &impl ConnectionTrait,
    user: UserId,
) -> Result<Vec<(team::Model, organization::Model)>> {
    let found = team::Entity::find()
        .inner_join(team_user::Entity)
        .find_both_related(organization::Entity)
        .filter(team_user::Column::UserId.eq(user))
        .filter(team_user::Column::DeletedAt.is_null())
        .filter(team::Column::DeletedAt.is_null())
        .filter(organization::Column::DeletedAt.is_null())
        .order_by_asc(organization::Column::Name)
        .order_by_asc(team::Column::Name);
    Ok(found.all(db).await?)
}

/// The membership of a pair, deleted or not.
fn of_pair(team: TeamId, user: UserId) -> sea_orm::Select<team_user::Entity> {
    team_user::Entity::find()
        .filter(team_user::Column::TeamId.eq(team))
        .filter(team_user::Column::UserId.eq(user))
}

fn pair(team: TeamId, user: UserId) -> String {
    format!("user {} in team {}", user.0, team.0)
}
