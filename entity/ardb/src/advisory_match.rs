//! `advisory_matches`: which version is affected by which advisory.

use sea_orm::entity::prelude::*;

use crate::{AdvisoryId, AffectedPackageId, VersionId};

/// A row of `advisory_matches`. Imports derive it at their end; it is not to be written.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "advisory_matches")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub advisory_id: AdvisoryId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub version_id: VersionId,
    /// The entry of the advisory that matches.
    pub affected_package_id: AffectedPackageId,
    /// The lowest version that ends a matching interval, as published; null: none of them names one.
    pub fixed: Option<String>,
    /// The version's sort key lies in an interval.
    pub is_by_range: bool,
    /// The version's number is enumerated.
    pub is_by_enumeration: bool,
    #[sea_orm(belongs_to, from = "advisory_id", to = "id")]
    pub advisory: BelongsTo<super::advisory::Entity>,
    #[sea_orm(belongs_to, from = "version_id", to = "id")]
    pub version: BelongsTo<super::version::Entity>,
    #[sea_orm(belongs_to, from = "affected_package_id", to = "id")]
    pub affected_package: BelongsTo<super::affected_package::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
