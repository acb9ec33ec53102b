//! `names`: a name that nobody else can take.

use sea_orm::entity::prelude::*;

use crate::{OrganizationId, UserId};

/// Id of a row in `names`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct NameId(pub i64);

/// A row of `names`: of a user, of an organization, reserved (neither), or released and in quarantine.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "names")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: NameId,
    /// As its holder wrote it; null: the holder was erased, and only the key is left.
    #[sea_orm(column_type = "custom(\"citext\")", save_as = "citext")]
    pub name: Option<String>,
    /// SHA-256 of what the name looks like; names that look alike have the same.
    pub canonical_key: Vec<u8>,
    /// Who holds it, or held it last; null: no user.
    pub user_id: Option<UserId>,
    /// The organization that holds it, or held it last; null: none.
    pub organization_id: Option<OrganizationId>,
    /// When a released name may be taken by others; null: it is not released.
    pub available_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    /// When a released name was taken again, in a new row; null: live.
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "user_id", to = "id")]
    pub user: BelongsTo<Option<super::user::Entity>>,
    #[sea_orm(belongs_to, from = "organization_id", to = "id")]
    pub organization: BelongsTo<Option<super::organization::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
