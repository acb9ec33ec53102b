//! `dependencies`: what a version asks for, in the ecosystem of its own package.

use sea_orm::entity::prelude::*;

use crate::{PackageId, VersionId};

/// Id of a row in `dependencies`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct DependencyId(pub i64);

/// When a dependency is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "kebab-case")]
pub enum DependencyKind {
    /// To run.
    Normal,
    /// To build.
    Build,
    /// To develop and test.
    Dev,
    /// To run, and to be brought along by whoever depends on the version (npm).
    Peer,
}

/// A row of `dependencies`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "dependencies")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: DependencyId,
    /// The version that depends.
    #[sea_orm(unique_key = "requirement")]
    pub version_id: VersionId,
    /// The package depended on; null: not known here, until it is imported.
    pub package_id: Option<PackageId>,
    /// Of the package depended on; empty: none.
    #[sea_orm(unique_key = "requirement")]
    pub namespace: String,
    /// Of the package depended on, as published.
    pub name: String,
    #[sea_orm(unique_key = "requirement")]
    pub normalized_name: String,
    /// The name in the manifest; empty: the package's own.
    #[sea_orm(unique_key = "requirement")]
    pub alias: String,
    /// The accepted versions, in the ecosystem's own notation.
    pub requirement: String,
    #[sea_orm(unique_key = "requirement")]
    pub kind: DependencyKind,
    /// Only there when a feature or an extra of the depending version asks for it; of npm: done without where it is
    /// missing.
    pub is_optional: bool,
    pub uses_default_features: bool,
    /// Features (cargo) or extras (PyPI) asked of the package depended on.
    pub features: Vec<String>,
    /// The environments it is for, a triple, a `cfg` expression or a marker (PyPI); empty: all.
    #[sea_orm(unique_key = "requirement")]
    pub target: String,
    /// Where else the package is: the index of another registry, `jsr`, or `git`, `url`, `file`, `workspace` where the
    /// requirement is an address; empty: in the registry that the depending version is in.
    #[sea_orm(unique_key = "requirement")]
    pub registry: String,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "version_id", to = "id")]
    pub version: BelongsTo<super::version::Entity>,
    /// The package depended on.
    #[sea_orm(belongs_to, from = "package_id", to = "id")]
    pub package: BelongsTo<Option<super::package::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
