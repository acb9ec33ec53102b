//! `external_accounts`: an account elsewhere that a user can sign in with.

use sea_orm::entity::prelude::*;

use crate::UserId;

/// Id of a row in `external_accounts`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct ExternalAccountId(pub i64);

/// A row of `external_accounts`. One that was unlinked is free for anybody who proves it.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "external_accounts")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: ExternalAccountId,
    pub user_id: UserId,
    /// What kind of service it is, such as `github`.
    pub provider: String,
    /// Where it runs, in lower case, such as `github.com`.
    pub host: String,
    /// What the service calls the account for ever; not a name that can change.
    pub subject: String,
    /// Nonce and ciphertext of what acts there for the user; null: none is kept.
    pub secret: Option<Vec<u8>>,
    /// Which key the secret is encrypted with; null: there is no secret.
    pub secret_key_name: Option<String>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    /// When it was unlinked; null: live.
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "user_id", to = "id")]
    pub user: BelongsTo<super::user::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
