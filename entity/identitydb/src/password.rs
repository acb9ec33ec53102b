//! `passwords`: what a user's password is checked against.

use sea_orm::entity::prelude::*;

use crate::{SessionId, UserId};

/// Id of a row in `passwords`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct PasswordId(pub i64);

/// A row of `passwords`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "passwords")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: PasswordId,
    pub user_id: UserId,
    /// PHC string: algorithm, parameters, salt and hash.
    pub hash: String,
    /// Version of the parameters; a lower one than the service's is hashed anew at sign-in.
    pub scheme: i32,
    /// When the user chose it; hashing it anew leaves that as it is.
    pub changed_at: DateTimeUtc,
    /// The session it was changed in, which goes on; null: in none.
    pub session_id: Option<SessionId>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    /// When it was given up; null: live.
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "user_id", to = "id")]
    pub user: BelongsTo<super::user::Entity>,
    #[sea_orm(belongs_to, from = "session_id", to = "id")]
    pub session: BelongsTo<Option<super::session::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
