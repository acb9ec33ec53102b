//! `affected_ranges`: a range of versions that an advisory is about, as published.

use sea_orm::entity::prelude::*;

use crate::AffectedPackageId;

/// Id of a row in `affected_ranges`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct AffectedRangeId(pub i64);

/// In which order the events of a range are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "kebab-case")]
pub enum RangeKind {
    /// Semantic Versioning 2.0.0.
    Semver,
    /// The ecosystem's own.
    Ecosystem,
    /// The history of a git repository; such a range has no intervals.
    Git,
}

/// A row of `affected_ranges`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "affected_ranges")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: AffectedRangeId,
    #[sea_orm(unique_key = "position")]
    pub affected_package_id: AffectedPackageId,
    /// Place among the ranges of the affected package, from 0.
    #[sea_orm(unique_key = "position")]
    pub position: i32,
    pub kind: RangeKind,
    /// Address of the git repository; empty: none given.
    pub repository: String,
    /// The array of OSV events as published, so not always sorted; `intervals` is what follows from it.
    #[sea_orm(column_type = "JsonBinary")]
    pub events: Json,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "affected_package_id", to = "id")]
    pub affected_package: BelongsTo<super::affected_package::Entity>,
    #[sea_orm(has_many)]
    pub intervals: HasMany<super::affected_interval::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
