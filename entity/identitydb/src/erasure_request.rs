//! `erasure_requests`: a user who was erased here, and still is to be elsewhere.

use sea_orm::entity::prelude::*;

use crate::UserId;

/// Id of a row in `erasure_requests`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct ErasureRequestId(pub i64);

/// A row of `erasure_requests`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "erasure_requests")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: ErasureRequestId,
    pub user_id: UserId,
    /// SHA-256, in lower-case hex, of each name, address and external subject that the user went by, in
    /// lower case.
    pub actor_digests: Vec<String>,
    /// When the traces were gone everywhere; null: not yet.
    pub completed_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    /// Null: live.
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "user_id", to = "id")]
    pub user: BelongsTo<super::user::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
