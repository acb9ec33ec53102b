//! `organizations`: a group of users that owns things together.

use sea_orm::entity::prelude::*;

/// Id of a row in `organizations`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct OrganizationId(pub i64);

/// A row of `organizations`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "organizations")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: OrganizationId,
    /// The handle as its founder wrote it; compared without regard to letter case.
    #[sea_orm(column_type = "custom(\"citext\")", save_as = "citext", unique)]
    pub name: String,
    /// What people read; empty: the name will do.
    pub display_name: String,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    /// Null: live. A deleted organization keeps the name.
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(has_many)]
    pub memberships: HasMany<super::organization_user::Entity>,
    #[sea_orm(has_many, via = "organization_user")]
    pub users: HasMany<super::user::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
