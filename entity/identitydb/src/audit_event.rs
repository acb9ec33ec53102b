//! `audit_events`: who did what to what, from where. Partitioned by month; it only grows.

use sea_orm::entity::prelude::*;

use crate::{OriginId, UserId};

/// Id of a row in `audit_events`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct AuditEventId(pub i64);

/// A row of `audit_events`. The database refuses to change or delete one.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_events")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: AuditEventId,
    /// When it was done. Part of the key, because the partitions are by month.
    #[sea_orm(primary_key, auto_increment = false)]
    pub occurred_at: DateTimeUtc,
    /// Who did it; null: an operator, the system, or somebody who was not signed in.
    pub actor_user_id: Option<UserId>,
    /// From where; null: not known.
    pub origin_id: Option<OriginId>,
    /// Such as `register`, `rename`, `add-member`, `change-role`.
    pub action: String,
    /// What it was done to: `user`, `organization`, `team` and so on.
    pub object_kind: String,
    /// The id of the row that it was done to.
    pub object_id: i64,
    /// What has changed, as it was; null: nothing to tell.
    #[sea_orm(column_type = "JsonBinary")]
    pub before: Option<Json>,
    /// The same, as it became; null: nothing to tell.
    #[sea_orm(column_type = "JsonBinary")]
    pub after: Option<Json>,
    #[sea_orm(belongs_to, from = "actor_user_id", to = "id")]
    pub actor: BelongsTo<Option<super::user::Entity>>,
    #[sea_orm(belongs_to, from = "origin_id", to = "id")]
    pub origin: BelongsTo<Option<super::origin::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
