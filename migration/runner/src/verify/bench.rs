//! The throwaway database, and one migration run in it.

use rand::SeedableRng;
use rand::rngs::StdRng;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr};
use sea_orm_migration::MigrationTrait;

use super::lost::{Keys, Rows};
use crate::catalog::{self, Catalog};
use crate::rows;
use crate::scratch::Scratch;
use crate::{Claims, Direction, Runner};

/// Rows that go into every table each time.
const ROWS: usize = 3;

/// Fixed, so that a finding can be found again.
const SEED: u64 = 1;

/// A throwaway database in which migrations are tried.
pub(super) struct Bench<'a> {
    pub(super) runner: &'a Runner,
    /// Says on which server.
    server: &'a DatabaseConnection,
    scratch: Scratch,
    rng: StdRng,
}

impl<'a> Bench<'a> {
    pub(super) async fn new(runner: &'a Runner, server: &'a DatabaseConnection) -> Result<Self, DbErr> {
        let scratch = Scratch::create(server).await?;
        Ok(Self { runner, server, scratch, rng: StdRng::seed_from_u64(SEED) })
    }

    pub(super) async fn drop(self) -> Result<(), DbErr> {
        self.scratch.drop().await
    }

    /// Begins anew with the first `count` migrations applied, and no rows but theirs and those that their
    /// authors give. An inner error is a migration's, with its position.
    pub(super) async fn rebuild(&mut self, count: usize) -> Result<Result<(), (usize, DbErr)>, DbErr> {
        let fresh = Scratch::create(self.server).await?;
        std::mem::replace(&mut self.scratch, fresh).drop().await?;
        for at in 0..count {
            if let Some(sql) = self.claims(at).sql_of_rows_before()
                && let Err(error) = self.execute(sql).await
            {
                tracing::debug!(%error, "rows_before were refused, which is a finding already");
            }
            if let Err(error) = self.run(at, Direction::Up).await {
                return Ok(Err((at, error)));
            }
        }
        Ok(Ok(()))
    }

    pub(super) fn migration(&self, at: usize) -> &'a dyn MigrationTrait {
        self.runner.migrations[at].as_ref()
    }

    pub(super) fn claims(&self, at: usize) -> Claims {
        self.runner.claims_of(self.migration(at).name())
    }

    pub(super) async fn run(&self, at: usize, direction: Direction) -> Result<(), DbErr> {
        self.scratch.run(self.migration(at), direction).await
    }

    /// Runs SQL of the migration's author.
    pub(super) async fn execute(&self, sql: &str) -> Result<(), DbErr> {
        self.scratch.db().execute_unprepared(sql).await.map(drop)
    }

    /// Puts rows into every table; those that took none, with why.
    pub(super) async fn fill(&mut self) -> Result<Vec<String>, DbErr> {
        let filled = rows::fill(self.scratch.db(), &mut self.rng, ROWS).await?;
        tracing::debug!(database = self.runner.name, rows = filled.rows, "made up rows");
        Ok(filled.skipped.into_iter().map(|skipped| format!("{}: {}", skipped.table, skipped.why)).collect())
    }

    pub(super) async fn catalog(&self) -> Result<Catalog, DbErr> {
        catalog::snapshot_of_every_schema(self.scratch.db(), &[self.runner.ledger()]).await
    }

    pub(super) async fn rows(&self) -> Result<Rows, DbErr> {
        rows::snapshot(self.scratch.db()).await
    }

    pub(super) async fn keys(&self) -> Result<Keys, DbErr> {
        rows::primary_keys(self.scratch.db()).await
    }
}
