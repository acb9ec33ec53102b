//! The audit trail: who did what to what, from where. Every write of this module adds to it in its own
//! transaction, so that there is no change without its entry.
//!
//! An entry holds ids, roles, numbers and times, never a secret, a name, an address or words of a user's: the trail
//! can't be changed, and a person can be erased all the same. Where somebody acted from is a row of `origins`, which
//! the erasure empties.

use chrono::Datelike as _;
use entity_identitydb::{AuditEventId, OriginId, UserId, audit_event, origin};
use sea_orm::ActiveValue::Set;
use sea_orm::prelude::{Date, Json};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Statement};

use super::scope::{AtMost, Live};
use super::{Act, rule};
use crate::error::{Error, Result};

/// Which entries to read. None: all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter<'a> {
    /// What it was done to: kind, such as "user", and id.
    pub object: Option<(&'a str, i64)>,
    /// Who did it.
    pub actor: Option<UserId>,
}

/// Entries, newest first, at most `limit`. For the page after, give the id of the last one as `before`.
///
/// # Errors
///
/// [`Error::Database`] if the query does not run.
pub async fn read(
    db: &impl ConnectionTrait,
    filter: Filter<'_>,
    before: Option<AuditEventId>,
    limit: u64,
) -> Result<Vec<audit_event::Model>> {
    let mut found = audit_event::Entity::find();
    if let Some((kind, id)) = filter.object {
        if kind.contains('\0') {
            return Ok(Vec::new()); // nothing can be called that, and a NUL would be an error of the database
        }
        found = found
            .filter(audit_event::Column::ObjectKind.eq(kind))
            .filter(audit_event::Column::ObjectId.eq(id));
    }
    if let Some(actor) = filter.actor {
        found = found.filter(audit_event::Column::ActorUserId.eq(actor));
    }
    if let Some(before) = before {
        found = found.filter(audit_event::Column::Id.lt(before));
    }
    Ok(found.order_by_desc(audit_event::Column::Id).at_most(limit).all(db).await?)
}

/// Where the actors of some entries acted from, in no order; empty where it was erased.
///
/// # Errors
///
/// [`Error::Database`] if the query does not run.
pub async fn origins(
    db: &impl ConnectionTrait,
    entries: &[audit_event::Model],
) -> Result<Vec<origin::Model>> {
    let ids = entries.iter().filter_map(|entry| entry.origin_id);
    Ok(origin::Entity::find().filter(origin::Column::Id.is_in(ids)).all(db).await?)
}

/// Adds the partition for the month of `day`; false if it is there. A month that nobody prepared is kept in a
/// partition of its own, so this is housekeeping: call it once a month, for the next.
///
/// # Errors
///
/// [`Error::Invalid`] if the year has not four digits, which name the partition; [`Error::Database`] if the role
/// may not.
pub async fn add_month(db: &impl ConnectionTrait, day: Date) -> Result<bool> {
    if !(1_000..=9_999).contains(&day.year()) {
        let reason = "expected a year from 1000 to 9999".to_owned();
        return Err(Error::Invalid { field: "day", reason });
    }
    let sql = "select identitydb_add_audit_month($1) as added";
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, [day.into()]);
    let row = db.query_one_raw(statement).await?;
    Ok(row.map(|row| row.try_get("", "added")).transpose()?.unwrap_or(false))
}

/// An entry to be.
#[derive(Debug)]
pub(super) struct Entry {
    action: &'static str,
    object_kind: &'static str,
    object_id: i64,
    before: Option<Json>,
    after: Option<Json>,
}

impl Entry {
    pub(super) const fn new(action: &'static str, object_kind: &'static str, object_id: i64) -> Self {
        Self { action, object_kind, object_id, before: None, after: None }
    }

    pub(super) fn before(self, before: Json) -> Self {
        Self { before: Some(before), ..self }
    }

    pub(super) fn after(self, after: Json) -> Self {
        Self { after: Some(after), ..self }
    }

    pub(super) async fn record_in_txn(self, txn: &impl ConnectionTrait, act: &Act<'_>) -> Result<()> {
        let origin_id = origin_in_txn(txn, act).await?;
        let entry = audit_event::ActiveModel {
            occurred_at: Set(act.at),
            actor_user_id: Set(act.actor.user()),
            origin_id: Set(origin_id),
            action: Set(self.action.to_owned()),
            object_kind: Set(self.object_kind.to_owned()),
            object_id: Set(self.object_id),
            before: Set(self.before),
            after: Set(self.after),
            ..Default::default()
        };
        audit_event::Entity::insert(entry).exec_without_returning(txn).await?;
        Ok(())
    }
}

/// The row of where the actor acts from; none where either is not known.
pub(super) async fn origin_in_txn(txn: &impl ConnectionTrait, act: &Act<'_>) -> Result<Option<OriginId>> {
    let (Some(user), Some(origin)) = (act.actor.user(), act.origin) else { return Ok(None) };
    rule::address(origin.address)?;
    rule::agent(origin.agent)?;
    let known = origin::Entity::find()
        .filter(origin::Column::UserId.eq(user))
        .filter(origin::Column::Address.eq(origin.address))
        .filter(origin::Column::Agent.eq(origin.agent))
        .live();
    if let Some(known) = known.clone().one(txn).await? {
        return Ok(Some(known.id));
    }
    let row = origin::ActiveModel {
        user_id: Set(user),
        address: Set(origin.address.to_owned()),
        agent: Set(origin.agent.to_owned()),
        ..Default::default()
    };
    let insert = origin::Entity::insert(row);
    insert.on_conflict(OnConflict::new().do_nothing().to_owned()).exec_without_returning(txn).await?;
    Ok(known.one(txn).await?.map(|row| row.id))
}
