//! `maintainers`: who may publish packages of an ecosystem; email addresses are not stored.

use sea_orm::entity::prelude::*;

use crate::EcosystemId;

/// Id of a row in `maintainers`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct MaintainerId(pub i64);

/// What kind of account it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "kebab-case")]
pub enum MaintainerKind {
    /// A person, or a bot.
    User,
    /// Several of them.
    Team,
}

/// A row of `maintainers`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "maintainers")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: MaintainerId,
    #[sea_orm(unique_key = "login")]
    pub ecosystem_id: EcosystemId,
    #[sea_orm(unique_key = "login")]
    pub kind: MaintainerKind,
    /// By which the registry tells them apart.
    #[sea_orm(unique_key = "login")]
    pub login: String,
    /// As published; empty: none given.
    pub name: String,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "ecosystem_id", to = "id")]
    pub ecosystem: BelongsTo<super::ecosystem::Entity>,
    #[sea_orm(has_many)]
    pub maintained: HasMany<super::maintainer_package::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
