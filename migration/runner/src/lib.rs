//! Applies and reverts SeaORM migrations under a lock, in one transaction.
//!
//! `sea-orm-migration` has no lock, so services that start together fail or apply a migration
//! twice, and it commits after every migration, so a failure leaves half a release. A [`Runner`]
//! takes the same, unchanged [`MigrationTrait`] code and closes both gaps: whoever comes second
//! waits, and everything pending is applied or nothing is.
//!
//! ```no_run
//! # mod migration_shop {
//! #     pub struct Migrator;
//! #     impl sea_orm_migration::MigratorTrait for Migrator {
//! #         fn migrations() -> Vec<Box<dyn sea_orm_migration::MigrationTrait>> { Vec::new() }
//! #     }
//! # }
//! use migration_runner::Runner;
//!
//! # async fn start() -> Result<(), Box<dyn std::error::Error>> {
//! let db = sea_orm::Database::connect("postgres://shop@localhost/shop").await?;
//! let applied = Runner::new::<migration_shop::Migrator>("shop").up(&db).await?;
//! println!("{} applied", applied.len());
//! # Ok(())
//! # }
//! ```
//!
//! What lives where:
//! - [`Runner`]: what is applied, what is pending, up, down;
//! - [`catalog`]: everything a schema holds, as values that can be compared, to prove that a `down`
//!   undoes its `up`;
//! - [`index`]: indexes that are built and dropped while their table is in use;
//! - [`scaffold`]: adds a migration to a crate;
//! - [`cli`]: the command line that `sea-orm-cli migrate` expects of a migration crate, for one
//!   database or several.
//!
//! The ledger is the table that `sea-orm-migration` itself keeps, so a project can change over and
//! back without a step in between. This crate knows no migration and no database of its own, and it
//! speaks PostgreSQL only.
//!
//! [`MigrationTrait`]: sea_orm_migration::MigrationTrait

mod capture;
pub mod catalog;
mod claims;
pub mod cli;
mod direction;
mod driver;
mod error;
mod event;
mod history;
pub mod index;
mod inspect;
mod ledger;
mod lock;
mod plan;
mod repair;
mod rows;
mod run;
mod runner;
pub mod scaffold;
mod scratch;
mod session;
mod sql;
mod status;
mod verify;

pub use claims::Claims;
pub use direction::Direction;
pub use error::{Error, Result};
pub use event::Event;
pub use history::HistoryEntry;
pub use index::ConcurrentIndex;
pub use plan::{Blocks, LockMode, Plan, PlannedMigration, PlannedStatement, Reversible, TableLock};
pub use repair::{Accepted, Settled};
pub use runner::{DryRun, Extent, Runner};
pub use status::{Migration, State, Status};
pub use verify::{Finding, Verification, VerifiedMigration};
