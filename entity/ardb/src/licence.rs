//! `licences`: a licence, or several combined, under which versions are published.

use sea_orm::entity::prelude::*;

/// Id of a row in `licences`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct LicenceId(pub i64);

/// A row of `licences`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "licences")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: LicenceId,
    /// An SPDX licence expression in its canonical spelling; where what was published is none, that text.
    #[sea_orm(unique)]
    pub expression: String,
    /// Whether `expression` is an SPDX licence expression.
    pub is_spdx: bool,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(has_many)]
    pub versions: HasMany<super::version::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
