//! `permissions`: what a role may do.

use sea_orm::entity::prelude::*;

use crate::RoleId;

/// Id of a row in `permissions`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct PermissionId(pub i64);

/// A row of `permissions`: one per role, action and object for ever, what is granted again is restored.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "permissions")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: PermissionId,
    #[sea_orm(unique_key = "permission")]
    pub role_id: RoleId,
    /// Such as `read`, `update`, `manage-members`.
    #[sea_orm(unique_key = "permission")]
    pub action: String,
    /// What it is done to: `organization` or `team`.
    #[sea_orm(unique_key = "permission")]
    pub object: String,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    /// When it was withdrawn; null: granted.
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "role_id", to = "id")]
    pub role: BelongsTo<super::role::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
