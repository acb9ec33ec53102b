//! `keywords`: a word that publishers give their packages, in any ecosystem.

use sea_orm::entity::prelude::*;

/// Id of a row in `keywords`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct KeywordId(pub i64);

/// A row of `keywords`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "keywords")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: KeywordId,
    /// In lower case.
    #[sea_orm(unique)]
    pub name: String,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(has_many)]
    pub carried: HasMany<super::keyword_package::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
