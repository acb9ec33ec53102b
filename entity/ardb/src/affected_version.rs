//! `affected_versions`: a version that an advisory names one by one, beside its ranges.

use sea_orm::entity::prelude::*;

use crate::AffectedPackageId;

/// Id of a row in `affected_versions`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct AffectedVersionId(pub i64);

/// A row of `affected_versions`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "affected_versions")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: AffectedVersionId,
    #[sea_orm(unique_key = "number")]
    pub affected_package_id: AffectedPackageId,
    /// As published; compared for equality only.
    #[sea_orm(unique_key = "number")]
    pub number: String,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "affected_package_id", to = "id")]
    pub affected_package: BelongsTo<super::affected_package::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
