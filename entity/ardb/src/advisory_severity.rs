//! `advisory_severities`: how grave an advisory is by one measure.

use sea_orm::entity::prelude::*;

use crate::AdvisoryId;

/// Id of a row in `advisory_severities`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct AdvisorySeverityId(pub i64);

/// How grave, in CVSS's words; in that order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "kebab-case")]
pub enum SeverityRating {
    None,
    Low,
    Medium,
    High,
    Critical,
}

/// A row of `advisory_severities`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "advisory_severities")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: AdvisorySeverityId,
    #[sea_orm(unique_key = "severity")]
    pub advisory_id: AdvisoryId,
    /// The measure, by OSV's name: CVSS_V2, CVSS_V3, CVSS_V4, Ubuntu, …
    #[sea_orm(unique_key = "severity")]
    pub kind: String,
    /// As published: a CVSS vector, or a word.
    #[sea_orm(unique_key = "severity")]
    pub vector: String,
    /// The CVSS score times ten, 0 to 100; null: `vector` is no CVSS vector.
    pub score_tenths: Option<i32>,
    /// By the score or as published; null: neither says.
    pub rating: Option<SeverityRating>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "advisory_id", to = "id")]
    pub advisory: BelongsTo<super::advisory::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
