//! `categories`: a category that a registry sorts its packages into.

use sea_orm::entity::prelude::*;

use crate::EcosystemId;

/// Id of a row in `categories`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct CategoryId(pub i64);

/// A row of `categories`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "categories")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: CategoryId,
    #[sea_orm(unique_key = "slug")]
    pub ecosystem_id: EcosystemId,
    /// By which the registry tells categories apart; of one within another, the whole path.
    #[sea_orm(unique_key = "slug")]
    pub slug: String,
    /// As shown to people.
    pub name: String,
    /// As published; empty: none given.
    pub description: String,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "ecosystem_id", to = "id")]
    pub ecosystem: BelongsTo<super::ecosystem::Entity>,
    #[sea_orm(has_many)]
    pub sorted: HasMany<super::category_package::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
