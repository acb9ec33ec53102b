//! The migrations of every PostgreSQL database of the project.
//!
//! A service that starts applies what is pending to the databases it uses:
//!
//! ```no_run
//! # async fn start(url: &str) -> Result<(), Box<dyn std::error::Error>> {
//! let db = sea_orm::Database::connect(url).await?;
//! for name in migration::runner("ardb").expect("ardb is ours").up(&db).await? {
//!     println!("applied {name}");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The program of this crate is what a plain `sea-orm-cli migrate` runs from the root: every
//! database at its own URL, or all of them overlaid in the one that `-u` names.

use migration_runner::Runner;

/// The databases, in the order in which they are migrated.
pub const DATABASES: [&str; 3] = ["ardb", "identitydb", "analyticsdb"];

/// The migrations of the database called `name`; `None` for a name that is not in [`DATABASES`].
pub fn runner(name: &str) -> Option<Runner> {
    match name {
        "ardb" => Some(migration_ardb::runner()),
        "identitydb" => Some(migration_identitydb::runner()),
        "analyticsdb" => Some(migration_analyticsdb::runner()),
        _ => None,
    }
}

/// A runner for every database, in the order of [`DATABASES`].
pub fn runners() -> Vec<Runner> {
    DATABASES.into_iter().filter_map(runner).collect()
}
