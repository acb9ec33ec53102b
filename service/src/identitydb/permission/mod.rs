//! What a role may do, and so whether a user may.

use entity_identitydb::{OrganizationId, Role, RoleId, TeamId, UserId, permission, role};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveEnum as _, ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, Statement, TransactionTrait,
};
use serde_json::json;

use super::audit_event::Entry;
use super::scope::Live;
use super::{Act, commit, rule};
use crate::error::{Error, Result};

/// What something is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    /// A user: they may do everything to themselves, and nobody else anything.
    User(UserId),
    /// An organization, by the role of the user there.
    Organization(OrganizationId),
    /// A team, by the role of the user in its organization.
    Team(TeamId),
}

/// What permissions are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectKind {
    /// The organization itself.
    Organization,
    /// Any team of it.
    Team,
}

impl ObjectKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::Team => "team",
        }
    }
}

/// Whether a live user may do `action` to `object`. No, if any of them is not there.
///
/// # Errors
///
/// [`Error::Database`] if the query does not run.
pub async fn can(db: &impl ConnectionTrait, user: UserId, action: &str, object: Object) -> Result<bool> {
    if rule::action(action).is_err() {
        return Ok(false); // nobody may do what nobody can have been granted
    }
    let (kind, id) = match object {
        Object::User(other) => {
            let oneself = entity_identitydb::user::Entity::find_by_id(user).live().one(db).await?;
            return Ok(oneself.is_some_and(|oneself| oneself.id == other));
        }
        Object::Organization(id) => (ObjectKind::Organization, id.0),
        Object::Team(id) => (ObjectKind::Team, id.0),
    };
    let values = [user.0.into(), action.into(), kind.name().into(), id.into()];
    let statement =
        Statement::from_sql_and_values(db.get_database_backend(), include_str!("can.sql"), values);
    let row = db.query_one_raw(statement).await?;
    Ok(row.map(|row| row.try_get("", "can")).transpose()?.unwrap_or(false))
}

/// What a role may do, by object and action.
///
/// # Errors
///
/// [`Error::Database`] if the query does not run.
pub async fn of_role(db: &impl ConnectionTrait, role: Role) -> Result<Vec<permission::Model>> {
    let Some(role) = by_role(role).one(db).await? else { return Ok(Vec::new()) };
    let found = permission::Entity::find().filter(permission::Column::RoleId.eq(role.id)).live();
    let found = found.order_by_asc(permission::Column::Object).order_by_asc(permission::Column::Action);
    Ok(found.all(db).await?)
}

/// Lets a role do `action` to objects of a kind. What was granted before is restored; granting twice is no error.
///
/// # Errors
///
/// [`Error::Invalid`] if `action` breaks [`rule::action`]; [`Error::NotFound`] if the role is deleted.
pub async fn grant(
    db: &(impl ConnectionTrait + TransactionTrait),
    role: Role,
    action: &str,
    object: ObjectKind,
    act: &Act<'_>,
) -> Result<permission::Model> {
    rule::action(action)?;
    let txn = db.begin().await?;
    let id = lock_in_txn(&txn, role).await?;
    let row = match of_triple(id, action, object).one(&txn).await? {
        Some(granted) if granted.deleted_at.is_none() => return Ok(granted),
        Some(withdrawn) => {
            permission::ActiveModel { deleted_at: Set(None), ..withdrawn.into() }.update(&txn).await?
        }
        None => {
            let row = permission::ActiveModel {
                role_id: Set(id),
                action: Set(action.to_owned()),
                object: Set(object.name().to_owned()),
                ..Default::default()
            };
            row.insert(&txn).await?
        }
    };
    let after = json!({ "action": action, "object": object.name() });
    Entry::new("grant", "role", id.0).after(after).record_in_txn(&txn, act).await?;
    commit(txn).await?;
    Ok(row)
}

/// Takes a permission from a role.
///
/// # Errors
///
/// [`Error::Invalid`] if `action` breaks [`rule::action`]; [`Error::NotFound`] if the role has no such permission.
pub async fn withdraw(
    db: &(impl ConnectionTrait + TransactionTrait),
    role: Role,
    action: &str,
    object: ObjectKind,
    act: &Act<'_>,
) -> Result<()> {
    rule::action(action)?;
    let txn = db.begin().await?;
    let id = lock_in_txn(&txn, role).await?;
    let granted = of_triple(id, action, object).live().one(&txn).await?;
    let key = || format!("{action} of {} for {}", object.name(), role.to_value());
    let granted = granted.ok_or_else(|| Error::NotFound { what: "permission", key: key() })?;
    permission::ActiveModel { deleted_at: Set(Some(act.at)), ..granted.into() }.update(&txn).await?;
    let before = json!({ "action": action, "object": object.name() });
    Entry::new("withdraw", "role", id.0).before(before).record_in_txn(&txn, act).await?;
    commit(txn).await
}

fn by_role(role: Role) -> sea_orm::Select<role::Entity> {
    role::Entity::find().filter(role::Column::Name.eq(role.to_value())).live()
}

async fn lock_in_txn(txn: &impl ConnectionTrait, role: Role) -> Result<RoleId> {
    let locked = by_role(role).lock_exclusive().one(txn).await?;
    let not_found = || Error::NotFound { what: "role", key: role.to_value() };
    Ok(locked.ok_or_else(not_found)?.id)
}

/// The permission of a role, withdrawn or not.
fn of_triple(role: RoleId, action: &str, object: ObjectKind) -> sea_orm::Select<permission::Entity> {
    permission::Entity::find()
        .filter(permission::Column::RoleId.eq(role))
        .filter(permission::Column::Action.eq(action))
        .filter(permission::Column::Object.eq(object.name()))
}
