//! `package_rankings`: packages by how many others depend on them.

use sea_orm::entity::prelude::*;

use crate::RefreshRunId;

/// Id of a row in `package_rankings`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct PackageRankingId(pub i64);

/// A row of `package_rankings`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "package_rankings")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: PackageRankingId,
    /// Name of the ecosystem in ardb.
    #[sea_orm(unique_key = "name")]
    pub ecosystem: String,
    /// The purl namespace; empty: none.
    #[sea_orm(unique_key = "name")]
    pub namespace: String,
    /// The package's normalized name, whether ardb has the package or not; ardb has the published spelling.
    #[sea_orm(unique_key = "name")]
    pub name: String,
    /// Id of the package in ardb, which is another database; null: others depend on it, but ardb does not
    /// have it.
    pub ardb_package_id: Option<i64>,
    /// From 1, the most depended-on; equals share a rank.
    pub rank: i32,
    /// Distinct packages with a version that depends on it.
    pub dependents_count: i64,
    /// Versions that depend on it.
    pub dependent_versions_count: i64,
    /// The run that wrote the row last.
    pub refresh_run_id: RefreshRunId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "refresh_run_id", to = "id")]
    pub refresh_run: BelongsTo<super::refresh_run::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
