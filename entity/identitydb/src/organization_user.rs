//! `organizations_users`: a user's membership in an organization.

use sea_orm::entity::prelude::*;

use crate::{OrganizationId, UserId};

/// Id of a row in `organizations_users`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct OrganizationUserId(pub i64);

/// What a member may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "kebab-case")]
pub enum Role {
    /// Everything; an organization has at least one.
    Owner,
    /// Manages members.
    Admin,
    /// Belongs to it.
    Member,
}

/// A row of `organizations_users`: one per pair for ever, who comes back gets the old row restored.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "organizations_users")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: OrganizationUserId,
    #[sea_orm(unique_key = "organization_user")]
    pub organization_id: OrganizationId,
    #[sea_orm(unique_key = "organization_user")]
    pub user_id: UserId,
    pub role: Role,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    /// When the user left or was removed; null: a member now.
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "organization_id", to = "id")]
    pub organization: BelongsTo<super::organization::Entity>,
    #[sea_orm(belongs_to, from = "user_id", to = "id")]
    pub user: BelongsTo<super::user::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
