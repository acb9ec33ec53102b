//! Entities of analyticsdb: reports and their refresh history.
//!
//! An entity is the shape of a table: its columns, its typed id, its relations. What lives here has no
//! queries of its own, no rules and no clock; those are in `service`, under the same nouns. The schema is
//! made by `migration-analyticsdb`, and a test holds the two to each other.
//!
//! ```no_run
//! use entity_analyticsdb::{package_ranking, refresh_run};
//! use sea_orm::{DatabaseConnection, DbErr, QueryOrder, QuerySelect, entity::prelude::*};
//!
//! # async fn example(db: &DatabaseConnection) -> Result<(), DbErr> {
//! // The ten most depended-on packages, each with the run that computed it: one query.
//! let top: Vec<(package_ranking::Model, Option<refresh_run::Model>)> = package_ranking::Entity::find()
//!     .filter(package_ranking::Column::DeletedAt.is_null())
//!     .order_by_asc(package_ranking::Column::Rank)
//!     .limit(10)
//!     .find_also_related(refresh_run::Entity)
//!     .all(db)
//!     .await?;
//! # Ok(())
//! # }
//! ```
//!
//! Deleted rows stay in the table with `deleted_at` set, and an entity does not hide them; the scopes of
//! `service` do. A column that points into another database is a plain id whose name says which
//! (`ardb_package_id`).
//!
//! | noun | entities |
//! |---|---|
//! | refresh history | [`refresh_run`] |
//! | reports | [`package_ranking`] |
#![expect(
    missing_docs,
    reason = "a field that its name explains has no comment, nor has what sea-orm derives"
)]

pub mod package_ranking;
pub mod refresh_run;

pub use package_ranking::PackageRankingId;
pub use refresh_run::RefreshRunId;

use sea_orm::{DbBackend, Schema, sea_query::TableCreateStatement};

/// Every table of analyticsdb as its entity declares it, referenced tables first.
///
/// To compare with a database, not to create one: constraints, triggers and comments are in the migrations
/// alone.
#[must_use]
pub fn tables() -> Vec<TableCreateStatement> {
    let schema = Schema::new(DbBackend::Postgres);
    vec![
        schema.create_table_from_entity(refresh_run::Entity),
        schema.create_table_from_entity(package_ranking::Entity),
    ]
}
