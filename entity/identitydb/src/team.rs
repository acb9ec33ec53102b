//! `teams`: members of an organization who are addressed together.

use sea_orm::entity::prelude::*;

use crate::OrganizationId;

/// Id of a row in `teams`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct TeamId(pub i64);

/// A row of `teams`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "teams")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: TeamId,
    pub organization_id: OrganizationId,
    /// Unique within the organization without regard to letter case.
    #[sea_orm(column_type = "custom(\"citext\")", save_as = "citext")]
    pub name: String,
    /// What people read; empty: the name will do.
    pub display_name: String,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    /// Null: live. The name of a deleted team is free again.
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "organization_id", to = "id")]
    pub organization: BelongsTo<super::organization::Entity>,
    #[sea_orm(has_many)]
    pub memberships: HasMany<super::team_user::Entity>,
    #[sea_orm(has_many, via = "team_user")]
    pub users: HasMany<super::user::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
