//! Proves on a throwaway database that every migration does what its `down` and its claims promise.
//!
//! For each migration: rows into every table, `up`, rows again, `down`, `up`, and `up` once more where it
//! claims to be rerunnable; at the end everything down and up again with rows in. Catalogs and rows are
//! compared after each step. What is wrong becomes a [`Finding`]; the verification goes on from a database
//! built anew.
//!
//! - [`finding`]: what can be wrong, in words;
//! - [`bench`]: the throwaway database, and one migration run in it;
//! - [`steps`]: the steps above;
//! - [`lost`]: which rows are no longer what they were.

mod bench;
mod finding;
mod lost;
mod steps;

use sea_orm::{DatabaseConnection, DbBackend};
use serde::Serialize;

pub use finding::Finding;

use crate::{Error, Result, Runner};
use bench::Bench;

/// What [`Runner::verify`] found of one database's migrations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// The runner's name for the database.
    pub database: String,
    /// In the migrator's order; ends at the first one whose `up` fails.
    pub migrations: Vec<VerifiedMigration>,
}

/// What was found of one migration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VerifiedMigration {
    /// Its name.
    pub name: String,
    /// Rows that its `up` met, in all tables together.
    pub rows: usize,
    /// Tables that no row could be made for, each with why: `orders: 200 rows were refused, …`. What
    /// becomes of their rows was not seen.
    pub tables_without_rows: Vec<String>,
    /// What is wrong; empty: nothing.
    pub findings: Vec<Finding>,
    /// Milliseconds.
    pub took_ms: u64,
}

impl Verification {
    /// Whether nothing was found.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.migrations.iter().all(|migration| migration.findings.is_empty())
    }
}

impl Runner {
    /// Verifies every migration in a database of its own on the server of `db`, whose role must be allowed
    /// to create databases. `db` itself stays as it is. Equal migrations give equal findings: the rows come
    /// from a fixed seed.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchMigration`] for a claim about a migration that there is not; [`Error::Scratch`] if the role
    /// may not create databases, [`Error::Database`] if the throwaway one can't be made, read or dropped,
    /// [`Error::Backend`] off PostgreSQL. A migration that fails is a finding, not an error.
    pub async fn verify(&self, db: &DatabaseConnection) -> Result<Verification> {
        let backend = db.get_database_backend();
        if backend != DbBackend::Postgres {
            return Err(Error::Backend { database: self.name.clone(), backend });
        }
        for migration in self.claims.keys() {
            self.find(migration)?;
        }
        let failed = |source| Error::from_scratch(&self.name, source);
        let mut bench = Bench::new(self, db).await.map_err(failed)?;
        let verified = bench.verify().await;
        let dropped = bench.drop().await;
        let migrations = verified.map_err(failed)?;
        dropped.map_err(failed)?;
        Ok(Verification { database: self.name.clone(), migrations })
    }
}
