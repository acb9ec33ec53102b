//! `roles`: what the role of a member is called.

use sea_orm::entity::prelude::*;

/// Id of a row in `roles`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct RoleId(pub i64);

/// A row of `roles`. What it may do is in `permissions`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "roles")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: RoleId,
    /// As in `organizations_users.role`.
    #[sea_orm(unique)]
    pub name: String,
    /// For people; may be empty.
    pub description: String,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    /// Null: live. A deleted role keeps the name, and grants nothing.
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(has_many)]
    pub permissions: HasMany<super::permission::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
