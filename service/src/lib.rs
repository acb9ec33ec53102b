//! Queries, mutations and importers, by database and noun.
//!
//! What lives here: free functions, the connection first, one module per noun; and [`purl`], package URLs, which need no
//! database. What does not: the shape of tables (the `entity-*` crates), the schema (the `migration-*` crates), HTTP and
//! the command line.
//!
//! # How a service uses it
//!
//! ```no_run
//! use std::path::Path;
//!
//! use chrono::{DateTime, Utc};
//! use entity_ardb::InventoryKind;
//! use sea_orm::{Database, DatabaseConnection};
//! use service::ardb::{advisory, import, inventory, package, version};
//!
//! # async fn example(now: DateTime<Utc>) -> service::Result<()> {
//! let db: DatabaseConnection = Database::connect("postgres://localhost/ardb").await?;
//!
//! // Fill it: an index of crates, advisories, and a product's lockfile, in any order, as often as you like.
//! let index = import::cargo_index(&db, Path::new("index.tar.xz"), now, &()).await?;
//! let advisories = import::osv(&db, Path::new("crates.io.zip"), now, &()).await?;
//! let lockfile = import::lockfile(&db, Path::new("Cargo.lock"), "product", now, &()).await?;
//! for report in [index, advisories, lockfile] {
//!     println!("{report}");
//! }
//!
//! // Absent is no error.
//! if let Some(serde) = package::by_name(&db, "cargo", "serde").await? {
//!     for newest in version::newest(&db, serde.id, 3).await? {
//!         println!("serde {} of {:?}", newest.number, newest.published_at);
//!     }
//! }
//!
//! // What is known against the product, and the way out.
//! if let Some(product) = inventory::by_name(&db, InventoryKind::Lockfile, "product").await? {
//!     for exposure in advisory::exposure(&db, product.id).await? {
//!         println!("{} {}: {}, fixed in {:?}", exposure.name, exposure.number, exposure.advisory, exposure.fixed);
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Reads of what is absent are `Ok(None)` or empty; a write to it is [`Error::NotFound`]. Reads leave deleted rows out
//! (`.live()`, see [`scope`]). Reads take any [`ConnectionTrait`](sea_orm::ConnectionTrait), so they work within a
//! transaction of yours; importers take the connection, because they run transactions of their own. Time is an
//! argument.

pub mod analyticsdb;
pub mod ardb;
mod error;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod identitydb;
pub mod purl;
pub mod scope;

pub use error::{Error, Result};
