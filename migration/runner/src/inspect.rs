//! What a runner makes of where a database stands: the state of each migration, whether a run may begin, and
//! what it would have to do.

use std::collections::HashSet;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend};
use sea_orm_migration::MigrationTrait;

use crate::run::Step;
use crate::runner::{Extent, Runner};
use crate::status::{self, Migration, Record, State, Status};
use crate::{Direction, Error, Result, lock, sql};

impl Runner {
    /// Where the database stands. Two statements, neither of which changes anything; a few more where a run was
    /// begun and not ended.
    ///
    /// # Errors
    ///
    /// [`Error::Database`] if the ledger can't be read, [`Error::NoSchema`] if the connection has none,
    /// [`Error::Backend`] off PostgreSQL.
    pub async fn status(&self, db: &DatabaseConnection) -> Result<Status> {
        let backend = db.get_database_backend();
        if backend != DbBackend::Postgres {
            return Err(Error::Backend { database: self.name.clone(), backend });
        }
        self.check_names()?;
        let (records, somebody_runs) = self.records(db).await?;

        let mut migrations = Vec::new();
        for migration in &self.migrations {
            let record = records.iter().find(|record| record.version == migration.name());
            migrations.push(match record {
                Some(record) => self.known(migration.as_ref(), record, somebody_runs).await,
                None => self.unheard_of(migration.as_ref()).await,
            });
        }
        let is_unknown = |record: &&Record| {
            record.applied_at.is_some()
                && record.runner.as_ref().is_none_or(|runner| *runner == self.name)
                && self.migrations.iter().all(|migration| migration.name() != record.version)
        };
        let unknown = records.iter().filter(is_unknown);
        migrations.extend(unknown.map(|record| described(record, State::Unknown, false)));
        let is_abandoned = !somebody_runs && records.iter().any(Record::is_open);
        Ok(Status { database: self.name.clone(), migrations, is_abandoned })
    }

    /// What ledger and log say, and whether a run is going on. A run that ends between the two questions must not
    /// look as if it had been killed, so the first is asked again.
    async fn records(&self, db: &DatabaseConnection) -> Result<(Vec<Record>, bool)> {
        let mut open_before = None;
        loop {
            let records = status::read(db, &self.ledger, &self.history).await.map_err(|e| self.failed(e))?;
            let Some(records) = records else { return Err(Error::NoSchema { database: self.name.clone() }) };
            let open: Vec<_> = records
                .iter()
                .filter(|one| one.is_open())
                .map(|one| (one.version.clone(), one.started_at))
                .collect();
            if open.is_empty() || open_before.as_ref() == Some(&open) {
                return Ok((records, false));
            }
            if lock::is_held(db, self.ledger()).await.map_err(|e| self.failed(e))? {
                return Ok((records, true));
            }
            open_before = Some(open);
        }
    }

    fn check_names(&self) -> Result<()> {
        let mut names = HashSet::new();
        match self.migrations.iter().find(|migration| !names.insert(migration.name())) {
            Some(twice) => {
                Err(Error::DuplicateName { database: self.name.clone(), migration: twice.name().to_owned() })
            }
            None => Ok(()),
        }
    }

    pub(crate) async fn check(&self, db: &DatabaseConnection, status: &Status) -> Result<()> {
        self.check_settled(status, Direction::Up)?;
        if let Some(changed) = status.first(State::Changed) {
            let migration = &self.migrations[self.find(&changed.name)?];
            self.check_unchanged(db, status, migration.as_ref()).await?;
        }
        if self.allow_late { Ok(()) } else { status.check_order() }
    }

    /// Refuses a migration whose SQL is no longer what it was applied from.
    pub(crate) async fn check_unchanged(
        &self,
        db: &DatabaseConnection,
        status: &Status,
        migration: &dyn MigrationTrait,
    ) -> Result<()> {
        let is_changed = |one: &Migration| one.name == migration.name() && one.state == State::Changed;
        if !status.migrations.iter().any(is_changed) {
            return Ok(());
        }
        Err(Error::Changed {
            database: self.name.clone(),
            migration: migration.name().to_owned(),
            difference: self.difference(db, migration).await?,
        })
    }

    /// Refuses to go on from what an interrupted run has left, unless a run in this direction can take it up.
    pub(crate) fn check_settled(&self, status: &Status, direction: Direction) -> Result<()> {
        let in_the_way = |one: &&Migration| one.state == State::Interrupted && one.resumes != Some(direction);
        match status.migrations.iter().find(in_the_way) {
            Some(migration) => Err(Error::Interrupted {
                database: self.name.clone(),
                migration: migration.name.clone(),
                error: migration
                    .error
                    .clone()
                    .unwrap_or_else(|| "the program ended in the middle".to_owned()),
            }),
            None => Ok(()),
        }
    }

    /// What has changed in the SQL of `migration` since it was accepted.
    pub(crate) async fn difference(
        &self,
        db: &impl ConnectionTrait,
        migration: &dyn MigrationTrait,
    ) -> Result<String> {
        let accepted = self.history.accepted_sql(db, migration.name()).await.map_err(|e| self.failed(e))?;
        let (up, down) = accepted.unwrap_or_default();
        let now = self.record(migration).await;
        let parts = [("up", up, now.up.statements), ("down", down, now.down.statements)];
        let parts = parts.into_iter().filter_map(|(direction, before, now)| {
            let difference = sql::difference(&before, &now);
            (!difference.is_empty()).then(|| format!("{direction}:\n{difference}"))
        });
        Ok(parts.collect::<Vec<_>>().join("\n"))
    }

    async fn known(&self, migration: &dyn MigrationTrait, record: &Record, somebody_runs: bool) -> Migration {
        let recorded = self.record(migration).await;
        let claims = self.claims_of(migration.name());
        let resumes = match record.last_action.as_deref() {
            Some("up") if recorded.up.rerunnable() || claims.is_rerunnable() => Some(Direction::Up),
            Some("down") if recorded.down.rerunnable() => Some(Direction::Down),
            _ => None,
        };
        let abandoned = record.is_open() && record.transactional == Some(false);
        let state = if record.is_open() && somebody_runs {
            State::Running
        } else if (abandoned || record.is_interrupted()) && resumes != Some(Direction::Up) {
            State::Interrupted
        } else if record.applied_at.is_none() {
            State::Pending
        } else if record.checksum.is_some() && record.checksum != recorded.checksum() {
            State::Changed
        } else {
            State::Applied
        };
        Migration { resumes, ..described(record, state, recorded.depends_on_data()) }
    }

    async fn unheard_of(&self, migration: &dyn MigrationTrait) -> Migration {
        Migration {
            name: migration.name().to_owned(),
            state: State::Pending,
            applied_at: None,
            started_at: None,
            finished_at: None,
            error: None,
            depends_on_data: self.record(migration).await.depends_on_data(),
            checksum: None,
            order: (None, None),
            resumes: None,
        }
    }

    pub(crate) fn to_apply(&self, status: &Status, extent: &Extent) -> Result<Vec<Step<'_>>> {
        let (end, limit) = match extent {
            Extent::All => (self.migrations.len(), usize::MAX),
            Extent::Count(count) => (self.migrations.len(), usize::try_from(*count).unwrap_or(usize::MAX)),
            Extent::To(name) => (self.find(name)? + 1, usize::MAX),
        };
        let known = self.migrations.iter().zip(&status.migrations).take(end);
        let pending = known.filter(|(_, known)| !known.is_applied());
        Ok(pending.map(|(migration, _)| self.step(migration.as_ref())).take(limit).collect())
    }

    pub(crate) fn to_revert(&self, status: &Status, extent: &Extent) -> Result<Vec<Step<'_>>> {
        let applied = status.migrations.iter().enumerate().filter(|(_, known)| known.is_applied());
        let mut applied: Vec<_> = applied.collect();
        applied.sort_by_key(|(position, known)| (known.order, *position));
        applied.reverse();
        let count = match extent {
            Extent::All => applied.len(),
            Extent::Count(count) => usize::try_from(*count).unwrap_or(usize::MAX),
            Extent::To(name) => {
                self.find(name)?;
                let newer = applied.iter().position(|(_, known)| known.name == *name);
                newer.ok_or_else(|| Error::NotApplied {
                    database: self.name.clone(),
                    migration: name.clone(),
                })?
            }
        };
        let known = applied.into_iter().take(count).map(|(position, known)| {
            self.migrations
                .get(position)
                .map(|migration| self.step(migration.as_ref()))
                .ok_or_else(|| Error::Unknown { database: self.name.clone(), migration: known.name.clone() })
        });
        known.collect()
    }

    fn step<'a>(&self, migration: &'a dyn MigrationTrait) -> Step<'a> {
        Step { migration, claims: self.claims_of(migration.name()) }
    }
}

fn described(record: &Record, state: State, depends_on_data: bool) -> Migration {
    Migration {
        name: record.version.clone(),
        state,
        applied_at: record.applied_at,
        started_at: record.started_at,
        finished_at: record.finished_at,
        error: record.error.clone(),
        depends_on_data,
        checksum: record.checksum.clone(),
        order: (record.applied_at, record.applied_id),
        resumes: None,
    }
}
