//! Migrations of ardb: packages, versions, dependencies, advisories, inventories.
//!
//! One file per migration, `mYYYYMMDD_HHMMSS_<change>.rs`. Each opens with what changes, which locks it
//! takes and what `down` loses, and holds its SQL as text, so that what runs is what was reviewed. No
//! entity is imported: a migration means the same when the entities have moved on.
//!
//! `sea-orm-cli migrate generate <change> -d migration/ardb` adds a file and enters it below. The
//! command finds the two lists by their form: the `mod` lines stay together, and the vector's is the
//! last closing bracket of this file that ends a line.

use migration_runner::Runner;
use sea_orm_migration::prelude::*;

mod m20261102_090000_create_ardb_set_updated_at;
mod m20261102_090100_create_ecosystems;
mod m20261102_090200_create_packages;
mod m20261102_090300_create_source_documents;
mod m20261102_090400_create_advisories;
mod m20261102_090500_create_inventories;
mod m20261121_090000_add_version_scheme_pub;
mod m20261126_090000_create_licences;
mod m20261126_090100_create_repositories;
mod m20261126_090200_create_maintainers;
mod m20261126_090300_create_keywords_and_categories;
mod m20261126_090400_create_version_downloads;
mod m20261126_090500_add_document_kinds;
mod m20261126_092000_describe_inventories;
mod m20261126_092100_create_import_runs;
mod m20261126_092200_create_advisory_details;
mod m20261126_093000_create_latest_versions;
mod m20261126_093100_create_dependents;
mod m20261126_093200_create_advisory_matches;
mod m20261126_093300_create_pg_trgm;
mod m20261126_093400_create_package_search_entries;
mod m20261126_093500_add_updated_at_indexes;
mod m20261126_094000_describe_registries;
mod m20261126_180000_add_distribution_releases;
mod m20261126_180100_create_standing_advisories;
mod m20261126_180200_search_keywords_and_descriptions;
mod m20261127_000000_create_default_versions;
mod m20261127_000100_create_package_downloads;
mod m20261127_000200_describe_revisions_of_dumps;

/// What applies and reverts them, with what they claim.
pub fn runner() -> Runner {
    Runner::new::<Migrator>("ardb")
        .claim(
            m20261121_090000_add_version_scheme_pub::Migration.name(),
            m20261121_090000_add_version_scheme_pub::CLAIMS,
        )
        .claim(
            m20261126_180200_search_keywords_and_descriptions::Migration.name(),
            m20261126_180200_search_keywords_and_descriptions::CLAIMS,
        )
}

/// Every migration of ardb, oldest first.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migration_table_name() -> DynIden {
        "ardb_migrations".into_iden()
    }

    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261102_090000_create_ardb_set_updated_at::Migration),
            Box::new(m20261102_090100_create_ecosystems::Migration),
            Box::new(m20261102_090200_create_packages::Migration),
            Box::new(m20261102_090300_create_source_documents::Migration),
            Box::new(m20261102_090400_create_advisories::Migration),
            Box::new(m20261102_090500_create_inventories::Migration),
            Box::new(m20261121_090000_add_version_scheme_pub::Migration),
            Box::new(m20261126_090000_create_licences::Migration),
            Box::new(m20261126_090100_create_repositories::Migration),
            Box::new(m20261126_090200_create_maintainers::Migration),
            Box::new(m20261126_090300_create_keywords_and_categories::Migration),
            Box::new(m20261126_090400_create_version_downloads::Migration),
            Box::new(m20261126_090500_add_document_kinds::Migration),
            Box::new(m20261126_092000_describe_inventories::Migration),
            Box::new(m20261126_092100_create_import_runs::Migration),
            Box::new(m20261126_092200_create_advisory_details::Migration),
            Box::new(m20261126_093000_create_latest_versions::Migration),
            Box::new(m20261126_093100_create_dependents::Migration),
            Box::new(m20261126_093200_create_advisory_matches::Migration),
            Box::new(m20261126_093300_create_pg_trgm::Migration),
            Box::new(m20261126_093400_create_package_search_entries::Migration),
            Box::new(m20261126_093500_add_updated_at_indexes::Migration),
            Box::new(m20261126_094000_describe_registries::Migration),
            Box::new(m20261126_180000_add_distribution_releases::Migration),
            Box::new(m20261126_180100_create_standing_advisories::Migration),
            Box::new(m20261126_180200_search_keywords_and_descriptions::Migration),
            Box::new(m20261127_000000_create_default_versions::Migration),
            Box::new(m20261127_000100_create_package_downloads::Migration),
            Box::new(m20261127_000200_describe_revisions_of_dumps::Migration),
        ]
    }
}
