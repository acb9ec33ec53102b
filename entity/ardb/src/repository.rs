//! `repositories`: a repository that packages are developed in.

use sea_orm::entity::prelude::*;

/// Id of a row in `repositories`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct RepositoryId(pub i64);

/// A row of `repositories`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "repositories")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: RepositoryId,
    /// Its page: https, host in lower case, no user, no port, no `.git`, no query, no trailing slash.
    #[sea_orm(unique)]
    pub url: String,
    /// Of the URL.
    pub host: String,
    /// Of the URL, without the leading slash.
    pub path: String,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(has_many)]
    pub packages: HasMany<super::package::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
