//! Entities of ardb: packages, versions, dependencies, advisories, inventories.
//!
//! An entity is the shape of a table: its columns, its typed id, its relations. What lives here has no
//! queries of its own, no rules and no clock; those are in `service`, under the same nouns. The schema is
//! made by `migration-ardb`, and a test holds the two to each other.
//!
//! ```no_run
//! use entity_ardb::{PackageId, ecosystem, package, version};
//! use sea_orm::{ActiveValue::Set, DatabaseConnection, DbErr, EntityLoaderTrait, entity::prelude::*};
//!
//! # async fn example(db: &DatabaseConnection) -> Result<(), DbErr> {
//! // A row is written through its ActiveModel. What is not set, the database fills in.
//! let cargo = ecosystem::Entity::find_by_name("cargo").one(db).await?.expect("the migration adds it");
//! let serde = package::ActiveModel {
//!     ecosystem_id: Set(cargo.id),
//!     name: Set("serde".into()),
//!     normalized_name: Set("serde".into()),
//!     ..Default::default()
//! };
//! let serde: package::Model = serde.insert(db).await?;
//!
//! // Ids are types: a PackageId fits only where a package is meant.
//! let id: PackageId = serde.id;
//! let published: Vec<version::Model> = version::Entity::find()
//!     .filter(version::Column::PackageId.eq(id))
//!     .filter(version::Column::DeletedAt.is_null())
//!     .all(db)
//!     .await?;
//! assert!(published.is_empty());
//!
//! // A package with its ecosystem and its versions, those with their dependencies: three queries.
//! let serde: Option<package::ModelEx> = package::Entity::load()
//!     .filter_by_id(id)
//!     .with(ecosystem::Entity)
//!     .with((version::Entity, entity_ardb::dependency::Entity))
//!     .one(db)
//!     .await?;
//! # Ok(())
//! # }
//! ```
//!
//! Deleted rows stay in the table with `deleted_at` set, and an entity does not hide them; the scopes of
//! `service` do. `created_at` and `updated_at` are set by the database: leave them out.
//!
//! | noun | entities |
//! |---|---|
//! | packages | [`ecosystem`], [`package`], [`version`], [`default_version`], [`dependency`], [`package_download`], [`version_download`] |
//! | what is said of packages | [`licence`], [`repository`], [`maintainer`], [`maintainer_package`], [`keyword`], [`keyword_package`], [`category`], [`category_package`] |
//! | advisories | [`advisory`], [`advisory_alias`], [`advisory_severity`], [`advisory_reference`], [`affected_package`], [`affected_version`], [`affected_range`], [`affected_interval`] |
//! | inventories | [`inventory`], [`inventory_component`], [`inventory_relation`] |
//! | imports | [`source_document`], [`import_run`], [`import_error`] |
//! | derived | [`latest_version`], [`dependent`], [`advisory_match`], [`package_search_entry`] |
//!
//! What is derived follows from the rest: triggers and imports write it, nobody else. It has no `id` and is not
//! softly deleted.
#![expect(
    missing_docs,
    reason = "a field that its name explains has no comment, nor has what sea-orm derives"
)]

pub mod advisory;
pub mod advisory_alias;
pub mod advisory_match;
pub mod advisory_reference;
pub mod advisory_severity;
pub mod affected_interval;
pub mod affected_package;
pub mod affected_range;
pub mod affected_version;
pub mod category;
pub mod category_package;
pub mod default_version;
pub mod dependency;
pub mod dependent;
pub mod ecosystem;
pub mod import_error;
pub mod import_run;
pub mod inventory;
pub mod inventory_component;
pub mod inventory_relation;
pub mod keyword;
pub mod keyword_package;
pub mod latest_version;
pub mod licence;
pub mod maintainer;
pub mod maintainer_package;
pub mod package;
pub mod package_download;
pub mod package_search_entry;
pub mod repository;
pub mod source_document;
pub mod version;
pub mod version_download;

pub use advisory::AdvisoryId;
pub use advisory_alias::AdvisoryAliasId;
pub use advisory_reference::AdvisoryReferenceId;
pub use advisory_severity::{AdvisorySeverityId, SeverityRating};
pub use affected_interval::AffectedIntervalId;
pub use affected_package::AffectedPackageId;
pub use affected_range::{AffectedRangeId, RangeKind};
pub use affected_version::AffectedVersionId;
pub use category::CategoryId;
pub use category_package::CategoryPackageId;
pub use default_version::DefaultVersionId;
pub use dependency::{DependencyId, DependencyKind};
pub use ecosystem::{EcosystemId, VersionScheme};
pub use import_error::ImportErrorId;
pub use import_run::{ImportOutcome, ImportRunId};
pub use inventory::{InventoryId, InventoryKind};
pub use inventory_component::{ComponentScope, InventoryComponentId};
pub use inventory_relation::{InventoryRelationId, RelationKind};
pub use keyword::KeywordId;
pub use keyword_package::KeywordPackageId;
pub use licence::LicenceId;
pub use maintainer::{MaintainerId, MaintainerKind};
pub use maintainer_package::MaintainerPackageId;
pub use package::{PackageId, PackageStatus};
pub use package_download::PackageDownloadId;
pub use repository::RepositoryId;
pub use source_document::{DocumentKind, SourceDocumentId};
pub use version::VersionId;

use sea_orm::{DbBackend, Schema, sea_query::TableCreateStatement};

/// Every table of ardb as its entity declares it, referenced tables first.
///
/// To compare with a database, not to create one: constraints, triggers and comments are in the migrations
/// alone.
#[must_use]
pub fn tables() -> Vec<TableCreateStatement> {
    let schema = Schema::new(DbBackend::Postgres);
    vec![
        schema.create_table_from_entity(ecosystem::Entity),
        schema.create_table_from_entity(repository::Entity),
        schema.create_table_from_entity(package::Entity),
        schema.create_table_from_entity(maintainer::Entity),
        schema.create_table_from_entity(maintainer_package::Entity),
        schema.create_table_from_entity(keyword::Entity),
        schema.create_table_from_entity(keyword_package::Entity),
        schema.create_table_from_entity(category::Entity),
        schema.create_table_from_entity(category_package::Entity),
        schema.create_table_from_entity(licence::Entity),
        schema.create_table_from_entity(version::Entity),
        schema.create_table_from_entity(version_download::Entity),
        schema.create_table_from_entity(default_version::Entity),
        schema.create_table_from_entity(package_download::Entity),
        schema.create_table_from_entity(dependency::Entity),
        schema.create_table_from_entity(source_document::Entity),
        schema.create_table_from_entity(advisory::Entity),
        schema.create_table_from_entity(advisory_alias::Entity),
        schema.create_table_from_entity(advisory_severity::Entity),
        schema.create_table_from_entity(advisory_reference::Entity),
        schema.create_table_from_entity(affected_package::Entity),
        schema.create_table_from_entity(affected_version::Entity),
        schema.create_table_from_entity(affected_range::Entity),
        schema.create_table_from_entity(affected_interval::Entity),
        schema.create_table_from_entity(inventory::Entity),
        schema.create_table_from_entity(inventory_component::Entity),
        schema.create_table_from_entity(inventory_relation::Entity),
        schema.create_table_from_entity(import_run::Entity),
        schema.create_table_from_entity(import_error::Entity),
        schema.create_table_from_entity(latest_version::Entity),
        schema.create_table_from_entity(dependent::Entity),
        schema.create_table_from_entity(advisory_match::Entity),
        schema.create_table_from_entity(package_search_entry::Entity),
    ]
}
