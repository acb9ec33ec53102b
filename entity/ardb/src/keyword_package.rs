//! `keywords_packages`: which package carries which keyword.

use sea_orm::entity::prelude::*;

use crate::{KeywordId, PackageId};

/// Id of a row in `keywords_packages`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct KeywordPackageId(pub i64);

/// A row of `keywords_packages`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "keywords_packages")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: KeywordPackageId,
    #[sea_orm(unique_key = "pair")]
    pub keyword_id: KeywordId,
    #[sea_orm(unique_key = "pair")]
    pub package_id: PackageId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "keyword_id", to = "id")]
    pub keyword: BelongsTo<super::keyword::Entity>,
    #[sea_orm(belongs_to, from = "package_id", to = "id")]
    pub package: BelongsTo<super::package::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
