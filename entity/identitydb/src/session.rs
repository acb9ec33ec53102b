//! `sessions`: a user who is signed in.

use sea_orm::entity::prelude::*;

use crate::{OriginId, UserId};

/// Id of a row in `sessions`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct SessionId(pub i64);

/// A row of `sessions`. An ended one never comes back.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: SessionId,
    pub user_id: UserId,
    /// Where it began; null: unknown.
    pub origin_id: Option<OriginId>,
    /// Of the secret that only the browser has.
    pub secret_sha256: Vec<u8>,
    pub expires_at: DateTimeUtc,
    /// To the minute; null: never.
    pub last_used_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    /// When it was ended; null: it goes on until it expires.
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "user_id", to = "id")]
    pub user: BelongsTo<super::user::Entity>,
    #[sea_orm(belongs_to, from = "origin_id", to = "id")]
    pub origin: BelongsTo<Option<super::origin::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
