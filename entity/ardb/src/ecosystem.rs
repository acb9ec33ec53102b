//! `ecosystems`: a world of packages with one registry form and one order of versions.

use sea_orm::entity::prelude::*;

/// Id of a row in `ecosystems`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct EcosystemId(pub i64);

/// How two version numbers of an ecosystem compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "lowercase")]
pub enum VersionScheme {
    /// Semantic Versioning 2.0.0.
    Semver,
    /// Of Dart's pub: Semantic Versioning, but build metadata counts.
    Pub,
    /// PEP 440, of Python.
    Pep440,
    /// `ComparableVersion` of Maven.
    Maven,
    /// `Gem::Version` of RubyGems.
    Gem,
    /// `NuGetVersion`: SemVer with a fourth number.
    Nuget,
    /// `version_compare` as Composer uses it.
    Composer,
    /// `deb-version(7)` of Debian.
    Deb,
    /// `rpmvercmp` with epoch and release.
    Rpm,
    /// Of apk, Alpine's package manager.
    Apk,
    /// `package_version` of R.
    Cran,
    /// `Version` of Cabal.
    Hackage,
    /// Equal or not, without an order.
    Opaque,
}

/// A row of `ecosystems`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ecosystems")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: EcosystemId,
    /// In lower case; for most the purl type.
    #[sea_orm(unique)]
    pub name: String,
    /// Without the part after a colon (`Debian` for `Debian:12`); null: OSV has none for it.
    #[sea_orm(unique)]
    pub osv_name: Option<String>,
    /// Null: the purl specification has none for it.
    pub purl_type: Option<String>,
    pub version_scheme: VersionScheme,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(has_many)]
    pub packages: HasMany<super::package::Entity>,
    #[sea_orm(has_many)]
    pub affected_packages: HasMany<super::affected_package::Entity>,
    #[sea_orm(has_many)]
    pub inventory_components: HasMany<super::inventory_component::Entity>,
    #[sea_orm(has_many)]
    pub maintainers: HasMany<super::maintainer::Entity>,
    #[sea_orm(has_many)]
    pub categories: HasMany<super::category::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
