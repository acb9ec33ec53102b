//! A group of users that owns things together.

use entity_identitydb::{
    OrganizationId, Role, UserId, invitation, organization, organization_user, team, team_user, user,
};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::ExprTrait as _;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait as _, TransactionTrait,
};
use serde::Serialize;
use serde_json::json;

use super::audit_event::Entry;
use super::name::Taker;
use super::organization_user::owners_of;
use super::scope::{AtMost, Live, delete_all, restore_all};
use super::{Act, commit, conflict_on, name as names, rule, user as user_of};
use crate::error::{Error, Result};

/// Which organizations to list. By default: all that are live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter<'a> {
    /// Those with this in the name, in any letter case; by [`rule::name_part`].
    pub part: Option<&'a str>,
    /// The deleted ones instead.
    pub deleted: bool,
}

/// What hung on an organization and was deleted, or restored, with it: rows of each table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "a field that its name explains has no comment")]
pub struct Dependants {
    pub invitations: u64,
    pub team_memberships: u64,
    pub teams: u64,
    pub memberships: u64,
}

/// Unique keys that a name can violate: within its table, and in the namespace.
const NAME_KEYS: &[&str] = &["organizations_name_key", "names_canonical_key_key"];

/// Adds an organization with its first owner.
///
/// # Errors
///
/// [`Error::Invalid`] if `name` breaks [`rule::name`] or `display_name` breaks [`rule::display_name`];
/// [`Error::NotFound`] if there is no such live user; [`Error::Conflict`] if the name is taken, reserved or in
/// quarantine, or looks like one that is: also by a user, or by what is deleted.
pub async fn create(
    db: &(impl ConnectionTrait + TransactionTrait),
    name: &str,
    display_name: &str,
    owner: UserId,
    act: &Act<'_>,
) -> Result<organization::Model> {
    rule::name(name)?;
    rule::display_name(display_name)?;
    let txn = db.begin().await?;
    user_of::hold_in_txn(&txn, owner).await?;
    names::free_in_txn(&txn, name, Taker::Newcomer, act.at).await?;
    let organization = organization::ActiveModel {
        name: Set(name.to_owned()),
        display_name: Set(display_name.to_owned()),
        ..Default::default()
    };
    let taken = || format!("organization {name:?}");
    let organization = organization.insert(&txn).await.map_err(conflict_on(NAME_KEYS, taken))?;
    let membership = organization_user::ActiveModel {
        organization_id: Set(organization.id),
        user_id: Set(owner),
        role: Set(Role::Owner),
        ..Default::default()
    };
    membership.insert(&txn).await?;
    let after = json!({ "owner": owner.0 });
    Entry::new("create", "organization", organization.id.0).after(after).record_in_txn(&txn, act).await?;
    commit(txn).await?;
    Ok(organization)
}

/// The live organization called `name`, in any letter case.
///
/// # Errors
///
/// [`Error::Database`] if the query does not run.
pub async fn by_name(db: &impl ConnectionTrait, name: &str) -> Result<Option<organization::Model>> {
    Ok(by_name_with_deleted(db, name).await?.filter(|organization| organization.deleted_at.is_none()))
}

/// The organization called `name`, in any letter case, deleted or not.
///
/// # Errors
///
/// [`Error::Database`] if the query does not run.
pub async fn by_name_with_deleted(
    db: &impl ConnectionTrait,
    name: &str,
) -> Result<Option<organization::Model>> {
    if rule::name(name).is_err() {
        return Ok(None); // none can be called that, and a NUL would be an error of the database
    }
    Ok(organization::Entity::find().filter(organization::Column::Name.eq(name)).one(db).await?)
}

/// Some organizations, deleted or not, in no order: to name those that ids refer to.
///
/// # Errors
///
/// [`Error::Database`] if the query does not run.
pub async fn by_ids_with_deleted(
    db: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = OrganizationId>,
) -> Result<Vec<organization::Model>> {
    Ok(organization::Entity::find().filter(organization::Column::Id.is_in(ids)).all(db).await?)
}

/// Organizations by name, at most `limit`. For the page after, give the name of the last one as `after`.
///
/// # Errors
///
/// [`Error::Invalid`] if `after` can't be a name, or the filter breaks its rules.
pub async fn list(
    db: &impl ConnectionTrait,
    filter: Filter<'_>,
    after: Option<&str>,
    limit: u64,
) -> Result<Vec<organization::Model>> {
    let found = organization::Entity::find();
    let mut found = if filter.deleted {
        found.filter(organization::Column::DeletedAt.is_not_null())
    } else {
        found.live()
    };
    if let Some(part) = filter.part {
        rule::name_part(part)?;
        found = found.filter(organization::Column::Name.contains(part));
    }
    if let Some(after) = after {
        rule::name(after)?;
        found = found.filter(organization::Column::Name.gt(after));
    }
    Ok(found.order_by_asc(organization::Column::Name).at_most(limit).all(db).await?)
}

/// Gives an organization another name. The one before stays taken for
/// [`QUARANTINE_DAYS`](super::name::QUARANTINE_DAYS) days.
///
/// # Errors
///
/// [`Error::Invalid`] if `to` breaks [`rule::name`]; [`Error::NotFound`] if there is no such live organization;
/// [`Error::Conflict`] as for [`create`].
pub async fn rename(
    db: &(impl ConnectionTrait + TransactionTrait),
    organization: OrganizationId,
    to: &str,
    act: &Act<'_>,
) -> Result<organization::Model> {
    rule::name(to)?;
    let txn = db.begin().await?;
    let row = lock_one_in_txn(&txn, organization).await?;
    names::free_in_txn(&txn, to, Taker::Organization(organization), act.at).await?;
    let row = organization::ActiveModel { name: Set(to.to_owned()), ..row.into() };
    let row = row.update(&txn).await.map_err(conflict_on(NAME_KEYS, || format!("organization {to:?}")))?;
    Entry::new("rename", "organization", organization.0).record_in_txn(&txn, act).await?;
    commit(txn).await?;
    Ok(row)
}

/// Deletes an organization, and first all that hangs on it, in this order: invitations, memberships in teams,
/// teams, memberships. The name stays taken, so that [`undelete`] can bring the organization back.
///
/// # Errors
///
/// [`Error::NotFound`] if there is no such live organization.
pub async fn delete(
    db: &(impl ConnectionTrait + TransactionTrait),
    organization: OrganizationId,
    act: &Act<'_>,
) -> Result<Dependants> {
    let txn = db.begin().await?;
    let deleted = lock_one_in_txn(&txn, organization).await?;
    let of_invitation = invitation::Column::OrganizationId.eq(organization);
    let of_team_user = team_user::Column::TeamId.in_subquery(teams(organization));
    let of_team = team::Column::OrganizationId.eq(organization);
    let of_membership = organization_user::Column::OrganizationId.eq(organization);
    let done = Dependants {
        invitations: delete_all::<invitation::Entity>(&txn, of_invitation, act.at).await?,
        team_memberships: delete_all::<team_user::Entity>(&txn, of_team_user, act.at).await?,
        teams: delete_all::<team::Entity>(&txn, of_team, act.at).await?,
        memberships: delete_all::<organization_user::Entity>(&txn, of_membership, act.at).await?,
    };
    organization::ActiveModel { deleted_at: Set(Some(act.at)), ..deleted.into() }.update(&txn).await?;
    let entry = Entry::new("delete", "organization", organization.0).after(json!(done));
    entry.record_in_txn(&txn, act).await?;
    commit(txn).await?;
    Ok(done)
}

/// Brings a deleted organization back, with what was deleted together with it: teams, and memberships of users
/// who are still there. Invitations stay withdrawn.
///
/// # Errors
///
/// [`Error::NotFound`] if there is no such deleted organization; [`Error::Invalid`] if none of its owners is
/// there any more.
pub async fn undelete(
    db: &(impl ConnectionTrait + TransactionTrait),
    organization: OrganizationId,
    act: &Act<'_>,
) -> Result<Dependants> {
    let txn = db.begin().await?;
    let not_found = || Error::NotFound { what: "deleted organization", key: organization.0.to_string() };
    let found = organization::Entity::find_by_id(organization);
    let members =
        organization_user::Entity::find().filter(organization_user::Column::OrganizationId.eq(organization));
    let members = members.select_only().column(organization_user::Column::UserId).into_query();
    // Users first, as everywhere; nobody who is held is deleted meanwhile.
    let users = user::Entity::find().filter(user::Column::Id.in_subquery(members)).live();
    let users = users.order_by_asc(user::Column::Id).lock_shared().all(&txn).await?;
    let users: Vec<UserId> = users.into_iter().map(|user| user.id).collect();
    let row = found.lock_exclusive().one(&txn).await?.ok_or_else(not_found)?;
    let deleted_at = row.deleted_at.ok_or_else(not_found)?;
    let row = organization::ActiveModel { deleted_at: Set(None), ..row.into() }.update(&txn).await?;

    let of_team = team::Column::OrganizationId.eq(organization);
    let of_membership = organization_user::Column::OrganizationId
        .eq(organization)
        .and(organization_user::Column::UserId.is_in(users.iter().copied()));
    let of_team_user = team_user::Column::TeamId
        .in_subquery(teams(organization))
        .and(team_user::Column::UserId.is_in(users));
    let done = Dependants {
        invitations: 0,
        teams: restore_all::<team::Entity>(&txn, of_team, deleted_at).await?,
        memberships: restore_all::<organization_user::Entity>(&txn, of_membership, deleted_at).await?,
        team_memberships: restore_all::<team_user::Entity>(&txn, of_team_user, deleted_at).await?,
    };
    if owners_of(organization).count(&txn).await? == 0 {
        let reason =
            format!("nobody who owns {:?} is there any more; bring one of them back first", row.name);
        return Err(Error::Invalid { field: "user", reason });
    }
    let entry = Entry::new("undelete", "organization", organization.0).after(json!(done));
    entry.record_in_txn(&txn, act).await?;
    commit(txn).await?;
    Ok(done)
}

/// The ids of an organization's teams, deleted or not.
pub(super) fn teams(organization: OrganizationId) -> sea_orm::sea_query::SelectStatement {
    let teams = team::Entity::find().filter(team::Column::OrganizationId.eq(organization));
    teams.select_only().column(team::Column::Id).into_query()
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
