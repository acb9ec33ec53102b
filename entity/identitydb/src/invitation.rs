//! `invitations`: an address that was asked to join an organization.

use sea_orm::entity::prelude::*;

use crate::{OrganizationId, Role, UserId};

/// Id of a row in `invitations`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct InvitationId(pub i64);

/// A row of `invitations`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "invitations")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: InvitationId,
    pub organization_id: OrganizationId,
    #[sea_orm(column_type = "custom(\"citext\")", save_as = "citext")]
    pub email: String,
    /// What the member is going to be.
    pub role: Role,
    /// Who asked.
    pub inviter_user_id: UserId,
    /// Of the secret in the mail.
    pub secret_sha256: Vec<u8>,
    pub expires_at: DateTimeUtc,
    /// When somebody joined with it; null: not yet.
    pub accepted_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    /// When it was withdrawn; null: live.
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "organization_id", to = "id")]
    pub organization: BelongsTo<super::organization::Entity>,
    #[sea_orm(belongs_to, from = "inviter_user_id", to = "id")]
    pub inviter: BelongsTo<super::user::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
