//! `affected_intervals`: one stretch of affected versions, derived from the events of its range.

use sea_orm::entity::prelude::*;

use crate::AffectedRangeId;

/// Id of a row in `affected_intervals`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct AffectedIntervalId(pub i64);

/// A row of `affected_intervals`. A version matches when `lower_key <= sort_key` and `sort_key < upper_key`
/// (`<=` when `is_upper_inclusive`), bytes compared.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "affected_intervals")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: AffectedIntervalId,
    #[sea_orm(unique_key = "position")]
    pub affected_range_id: AffectedRangeId,
    /// Place among the intervals of the range, lowest first, from 0.
    #[sea_orm(unique_key = "position")]
    pub position: i32,
    /// First affected version, as published; `0`: from the beginning.
    pub introduced: String,
    /// First version that is not affected any more, as published; null: not given.
    pub fixed: Option<String>,
    /// Last affected version, as published; null: not given.
    pub last_affected: Option<String>,
    /// Sort key of `introduced`, empty for `0`; null: a bound does not parse, so nothing matches by this
    /// interval.
    pub lower_key: Option<Vec<u8>>,
    /// Sort key of `fixed` or `last_affected`; null: no upper bound, or nothing matches because `lower_key`
    /// is null.
    pub upper_key: Option<Vec<u8>>,
    /// True when the upper bound is `last_affected`.
    pub is_upper_inclusive: bool,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "affected_range_id", to = "id")]
    pub affected_range: BelongsTo<super::affected_range::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
