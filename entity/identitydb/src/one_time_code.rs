//! `one_time_codes`: a code that was mailed, good once.

use sea_orm::entity::prelude::*;

use crate::{UserEmailId, UserId};

/// Id of a row in `one_time_codes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct OneTimeCodeId(pub i64);

/// What a code is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "kebab-case")]
pub enum Purpose {
    /// Proves that an address is the user's.
    VerifyEmail,
    /// Lets the user choose a password without the old one.
    ResetPassword,
}

/// A row of `one_time_codes`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "one_time_codes")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: OneTimeCodeId,
    pub user_id: UserId,
    /// The address that it was mailed to; null: the primary one at that time.
    pub user_email_id: Option<UserEmailId>,
    pub purpose: Purpose,
    /// Of purpose, user and code.
    pub code_sha256: Vec<u8>,
    /// Wrong guesses; the fifth is the last.
    pub attempts: i32,
    pub expires_at: DateTimeUtc,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    /// When it was used or replaced by a newer one; null: live.
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "user_id", to = "id")]
    pub user: BelongsTo<super::user::Entity>,
    #[sea_orm(belongs_to, from = "user_email_id", to = "id")]
    pub email: BelongsTo<Option<super::user_email::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
