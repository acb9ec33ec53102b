//! Trying every migration out on a throwaway database.

use super::catalog::{self, Catalog};
use super::effect;
use super::finding::{Finding, Verification};
use super::rows::{self, Contents};
use super::run::execute;
use super::scratch::Scratch;
use super::{Direction, Migration, Runner};
use crate::client::Client;
use crate::error::{Error, Result};

/// A throwaway database and what was found on it.
struct Trial<'a> {
    server: &'a Client,
    scratch: Scratch,
    found: Verification,
}

impl Runner {
    /// Tries every migration out on a throwaway database of the same server, which is dropped at the end.
    ///
    /// With made-up rows in every table that is there before it, each migration goes up, down and up again; the
    /// schema has to be the same each time, and the rows have to be there after `down`, but for what
    /// [`Migration::down_loses`] names. Then each statement runs twice, and all of them together once more, in
    /// both directions: nothing may change.
    ///
    /// # Errors
    ///
    /// [`Error::Server`] if the user may not create or drop databases, [`Error::Unreachable`]. What is wrong with
    /// a migration is a [`Finding`].
    pub async fn verify(&self) -> Result<Verification> {
        let scratch = Scratch::create(&self.client).await?;
        let mut trial = Trial { server: &self.client, scratch, found: Verification::default() };
        let outcome = trial.run(&self.migrations).await;
        let dropped = trial.scratch.drop().await;
        outcome?;
        dropped?;
        Ok(trial.found)
    }
}

impl Trial<'_> {
    async fn run(&mut self, migrations: &[Box<dyn Migration>]) -> Result<()> {
        for (position, migration) in migrations.iter().enumerate() {
            let migration = migration.as_ref();
            if let Some(about) = names_database(migration) {
                self.report(Finding::NamesDatabase { migration: migration.name().to_owned(), about });
                return Ok(());
            }
            self.found.tried.push(migration.name().to_owned());
            let findings = self.found.findings.len();
            if !self.there_and_back(migration, position).await? {
                return Ok(());
            }
            if self.found.findings.len() > findings {
                self.start_over(&migrations[..position]).await?;
            }
            self.again(migration).await?;
            if self.found.findings.len() > findings {
                self.start_over(&migrations[..position]).await?;
            }
            apply(self.client(), Direction::Up, migration).await?;
        }
        Ok(())
    }

    /// Up, down and up again, and down again if that went well; whether `up` works at all.
    async fn there_and_back(&mut self, migration: &dyn Migration, position: usize) -> Result<bool> {
        let name = || migration.name().to_owned();
        let unfilled = rows::fill(self.client(), position as u64).await?;
        self.found.unfilled.extend(unfilled);
        self.found.unfilled.sort_by(|one, other| one.table.cmp(&other.table));
        self.found.unfilled.dedup_by(|one, other| one.table == other.table);

        let before = catalog::snapshot(self.client()).await?;
        let loses = migration.down_loses();
        let is_lost = |table: &str, column: &str| {
            loses.iter().any(|lost| *lost == table || lost.split_once('.') == Some((table, column)))
        };
        let rows = Contents::read(self.client(), is_lost).await?;

        if let Err(error) = refused(apply(self.client(), Direction::Up, migration).await)? {
            self.report(Finding::UpFailed { migration: name(), error });
            return Ok(false);
        }
        let after = catalog::snapshot(self.client()).await?;
        if let Err(error) = refused(apply(self.client(), Direction::Down, migration).await)? {
            self.report(Finding::DownFailed { migration: name(), error });
            return Ok(true);
        }
        let difference = before.difference(&catalog::snapshot(self.client()).await?);
        for (table, lost) in rows.lost(self.client()).await? {
            let example = lost.first().cloned().unwrap_or_default();
            self.report(Finding::RowsLost { migration: name(), table, count: lost.len(), example });
        }
        if !difference.is_empty() {
            self.report(Finding::DownLeaves { migration: name(), difference });
            return Ok(true);
        }
        if let Err(error) = refused(apply(self.client(), Direction::Up, migration).await)? {
            self.report(Finding::UpAgainFailed { migration: name(), error });
            return Ok(true);
        }
        let difference = after.difference(&catalog::snapshot(self.client()).await?);
        if !difference.is_empty() {
            self.report(Finding::UpAgainDiffers { migration: name(), difference });
        }
        if let Err(error) = refused(apply(self.client(), Direction::Down, migration).await)? {
            self.report(Finding::DownFailed { migration: name(), error });
        }
        Ok(true)
    }

    /// Runs every statement twice, then all of them once more, in both directions.
    async fn again(&mut self, migration: &dyn Migration) -> Result<()> {
        for direction in [Direction::Up, Direction::Down] {
            let findings = self.found.findings.len();
            for statement in direction.statements(migration) {
                let name = migration.name().to_owned();
                let about = statement.about;
                if refused(execute(self.client(), &statement).await)?.is_err() {
                    // Found before, and said then.
                    return Ok(());
                }
                let state = self.state().await?;
                match refused(execute(self.client(), &statement).await)? {
                    Err(error) => {
                        self.report(Finding::RerunFailed { migration: name, direction, about, error });
                    }
                    Ok(()) => self.compare(&state, name, direction, Some(about)).await?,
                }
            }
            if self.found.findings.len() > findings {
                continue;
            }
            let state = self.state().await?;
            for statement in direction.statements(migration) {
                let name = migration.name().to_owned();
                if let Err(error) = refused(execute(self.client(), &statement).await)? {
                    let about = statement.about;
                    self.report(Finding::RerunFailed { migration: name, direction, about, error });
                }
            }
            if self.found.findings.len() == findings {
                self.compare(&state, migration.name().to_owned(), direction, None).await?;
            }
        }
        Ok(())
    }

    async fn state(&self) -> Result<(Catalog, Contents)> {
        let catalog = catalog::snapshot(self.client()).await?;
        Ok((catalog, Contents::read(self.client(), |_, _| false).await?))
    }

    async fn compare(
        &mut self,
        before: &(Catalog, Contents),
        migration: String,
        direction: Direction,
        about: Option<&'static str>,
    ) -> Result<()> {
        let now = self.state().await?;
        let mut difference = before.0.difference(&now.0);
        if difference.is_empty() {
            let tables = before.1.differing(&now.1).into_iter();
            difference.extend(tables.map(|table| format!("~ rows of {table}")));
        }
        if !difference.is_empty() {
            self.report(Finding::RerunDiffers { migration, direction, about, difference });
        }
        Ok(())
    }

    /// Takes another database, with `migrations` applied and rows in it.
    async fn start_over(&mut self, migrations: &[Box<dyn Migration>]) -> Result<()> {
        let fresh = Scratch::create(self.server).await?;
        std::mem::replace(&mut self.scratch, fresh).drop().await?;
        for migration in migrations {
            apply(self.client(), Direction::Up, migration.as_ref()).await?;
        }
        rows::fill(self.client(), migrations.len() as u64).await.map(drop)
    }

    fn client(&self) -> &Client {
        self.scratch.client()
    }

    fn report(&mut self, finding: Finding) {
        self.found.findings.push(finding);
    }
}

/// The first step that would reach beyond the throwaway database.
pub(super) fn names_database(migration: &dyn Migration) -> Option<&'static str> {
    let statements = migration.up().into_iter().chain(migration.down());
    statements.into_iter().find(|one| effect::names_database(&one.sql)).map(|one| one.about)
}

/// Runs the statements of `migration` on a throwaway database, which has no ledger.
pub(super) async fn apply(client: &Client, direction: Direction, migration: &dyn Migration) -> Result<()> {
    let statements = direction.statements(migration);
    let steps = super::run::count(statements.len());
    for (step, statement) in (1..).zip(&statements) {
        execute(client, statement).await.map_err(|source| Error::Migration {
            migration: migration.name().to_owned(),
            direction,
            step,
            steps,
            about: statement.about,
            source: Box::new(source),
        })?;
    }
    Ok(())
}

/// Tells what the server refused, which says something about a migration, from what kept it from being asked.
fn refused(outcome: Result<()>) -> Result<Result<(), String>> {
    match outcome {
        Ok(()) => Ok(Ok(())),
        Err(error) if error.code().is_some() => Ok(Err(error.to_string())),
        Err(error) => Err(error),
    }
}
