//! `advisory_aliases`: another identifier of the same advisory, such as its CVE number.

use sea_orm::entity::prelude::*;

use crate::AdvisoryId;

/// Id of a row in `advisory_aliases`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct AdvisoryAliasId(pub i64);

/// A row of `advisory_aliases`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "advisory_aliases")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: AdvisoryAliasId,
    #[sea_orm(unique_key = "alias")]
    pub advisory_id: AdvisoryId,
    #[sea_orm(unique_key = "alias")]
    pub alias: String,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "advisory_id", to = "id")]
    pub advisory: BelongsTo<super::advisory::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
