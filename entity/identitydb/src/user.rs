//! `users`: a person with an account.

use sea_orm::entity::prelude::*;

/// Id of a row in `users`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct UserId(pub i64);

/// A row of `users`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: UserId,
    /// The handle as the user wrote it; compared without regard to letter case.
    #[sea_orm(column_type = "custom(\"citext\")", save_as = "citext", unique)]
    pub name: String,
    /// What people read; empty: the name will do.
    pub display_name: String,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    /// Null: live. A deleted user keeps the name.
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(has_many)]
    pub emails: HasMany<super::user_email::Entity>,
    #[sea_orm(has_many)]
    pub memberships: HasMany<super::organization_user::Entity>,
    #[sea_orm(has_many, via = "organization_user")]
    pub organizations: HasMany<super::organization::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
