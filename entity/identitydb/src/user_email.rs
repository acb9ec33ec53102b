//! `user_emails`: an email address that a user gave.

use sea_orm::entity::prelude::*;

use crate::UserId;

/// Id of a row in `user_emails`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct UserEmailId(pub i64);

/// A row of `user_emails`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user_emails")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: UserEmailId,
    pub user_id: UserId,
    /// As given; compared without regard to letter case.
    #[sea_orm(column_type = "custom(\"citext\")", save_as = "citext")]
    pub email: String,
    /// Where mail to the user goes; at most one live address of a user.
    pub is_primary: bool,
    /// Null: not proven, and then other users may have given the address, too.
    pub verified_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    /// Null: live. A deleted address is free again.
    pub deleted_at: Option<DateTimeUtc>,
    /// When mail to the address came back for good; null: not since it was given or verified.
    pub bounced_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "user_id", to = "id")]
    pub user: BelongsTo<super::user::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
