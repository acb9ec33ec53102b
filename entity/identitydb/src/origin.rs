//! `origins`: where a user acted from.

use sea_orm::entity::prelude::*;

use crate::UserId;

/// Id of a row in `origins`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct OriginId(pub i64);

/// A row of `origins`, apart from what happened, so that it can be erased alone.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "origins")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: OriginId,
    pub user_id: UserId,
    /// Network address as the service saw it; empty: unknown or erased.
    pub address: String,
    /// The program, as it called itself; empty: unknown or erased.
    pub agent: String,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    /// When it was erased; null: live.
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "user_id", to = "id")]
    pub user: BelongsTo<super::user::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
