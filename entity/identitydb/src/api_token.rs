//! `api_tokens`: what a program shows instead of a password.

use sea_orm::entity::prelude::*;

use crate::UserId;

/// Id of a row in `api_tokens`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct ApiTokenId(pub i64);

/// A row of `api_tokens`. A revoked one never comes back.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_tokens")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: ApiTokenId,
    pub user_id: UserId,
    /// What its user calls it.
    pub name: String,
    /// The last characters of the token, to tell it by.
    pub hint: String,
    /// Of the token, which is nowhere kept.
    pub secret_sha256: Vec<u8>,
    /// What it is good for, such as `packages:read`.
    pub scopes: Vec<String>,
    /// From when on it is refused; null: it does not expire.
    pub expires_at: Option<DateTimeUtc>,
    /// To the minute; null: never.
    pub last_used_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    /// When it was revoked; null: live.
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "user_id", to = "id")]
    pub user: BelongsTo<super::user::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
