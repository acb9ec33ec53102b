//! What is applied, what is pending, up and down.

use serde::Serialize;

use super::checksum::{Recorded, difference};
use super::event::{Event, Observer};
use super::history::{HistoryEntry, Ledger};
use super::status::{MigrationStatus, Record, Standing, State, Status};
use super::{Cluster, Direction, Extent, Migration, all};
use crate::client::Client;
use crate::error::{Error, Result};

/// What a run of [`Runner::up`] or [`Runner::down`] did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Which way.
    pub direction: Direction,
    /// The migrations that it ran, in the order in which it did.
    pub migrations: Vec<String>,
}

/// The migrations of one database, and what can be done with them.
///
/// ```no_run
/// use events::migration::{Event, Extent, Runner};
///
/// # async fn example(client: events::Client) -> events::Result<()> {
/// let runner = Runner::new(&client).program("shop 1.4.0").observe(|event| {
///     if let Event::Step { about, step, of } = event {
///         println!("{step}/{of} {about}");
///     }
/// });
/// runner.up(&Extent::All).await?;
/// println!("{} runs so far", runner.history(100).await?.len());
/// # Ok(())
/// # }
/// ```
pub struct Runner {
    pub(super) client: Client,
    pub(super) ledger: Ledger,
    pub(super) migrations: Vec<Box<dyn Migration>>,
    pub(super) observer: Observer,
    allow_late: bool,
}

/// A migration that is to run, and what is known of it.
pub(super) struct Todo<'a> {
    pub migration: &'a dyn Migration,
    pub status: &'a MigrationStatus,
    pub record: Option<&'a Record>,
}

impl Runner {
    /// This crate's migrations ([`all`]) on the database of `client`.
    #[must_use]
    pub fn new(client: &Client) -> Self {
        Self::of(client, all())
    }

    /// Other migrations, oldest first.
    #[must_use]
    pub fn of(client: &Client, migrations: Vec<Box<dyn Migration>>) -> Self {
        Self {
            client: client.clone(),
            ledger: Ledger::new(client),
            migrations,
            observer: Observer::default(),
            allow_late: false,
        }
    }

    /// Name and version of the program, for the history; the name of its file unless told.
    #[must_use]
    pub fn program(mut self, program: impl Into<String>) -> Self {
        self.ledger.set_program(program.into());
        self
    }

    /// Whether `up` also applies a migration that comes before an applied one, or beside applied ones that this
    /// program does not know. Refused unless told.
    #[must_use]
    pub fn allow_late(mut self, allow: bool) -> Self {
        self.allow_late = allow;
        self
    }

    /// The migrations as `cluster` runs them.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] for a statement that has no form for a cluster.
    pub fn cluster(mut self, cluster: &Cluster) -> Result<Self> {
        self.migrations = cluster.migrations(&self.migrations)?;
        Ok(self)
    }

    /// Tells `observer` what goes on, from within the run: it should be quick.
    #[must_use]
    pub fn observe(mut self, observer: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.observer = Observer::new(observer);
        self
    }

    /// Says which migrations are applied. Changes nothing, and needs no ledger to be there.
    ///
    /// # Errors
    ///
    /// [`Error::Server`] or [`Error::Unreachable`] if the ledger cannot be read.
    pub async fn status(&self) -> Result<Status> {
        Ok(self.standing().await?.status)
    }

    /// The latest `limit` runs, newest first. Changes nothing, and needs no ledger to be there.
    ///
    /// # Errors
    ///
    /// As [`Runner::status`].
    pub async fn history(&self, limit: u64) -> Result<Vec<HistoryEntry>> {
        let mut entries = self.ledger.read().await?;
        entries.reverse();
        entries.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(entries)
    }

    /// Applies what is not applied, oldest first, as far as `extent` says.
    ///
    /// Several starters at once are safe. Nothing is done, and said to be done, if nothing is pending.
    ///
    /// # Errors
    ///
    /// [`Error::Migration`] with the failed step; the ledger has how far it got, and the next `up` goes on there.
    /// Before anything is done: [`Error::Changed`], [`Error::OutOfOrder`], [`Error::Diverged`],
    /// [`Error::NoSuchMigration`].
    pub async fn up(&self, extent: &Extent) -> Result<Change> {
        self.ledger.create().await?;
        self.run(Direction::Up, extent).await
    }

    /// Takes back what is applied, the last applied first, as far as `extent` says. Their data is lost.
    ///
    /// Nothing is done if none is applied.
    ///
    /// # Errors
    ///
    /// [`Error::Migration`] with the failed step; the next `down` goes on there. Before anything is done:
    /// [`Error::Unknown`], [`Error::Changed`], [`Error::NoSuchMigration`], [`Error::NotApplied`], and
    /// [`Error::Production`] for more than one where that is refused.
    pub async fn down(&self, extent: &Extent) -> Result<Change> {
        let standing = self.standing().await?;
        if !self.todo(&standing, Direction::Down, extent).await?.is_empty() {
            self.ledger.create().await?;
        }
        self.run(Direction::Down, extent).await
    }

    async fn run(&self, direction: Direction, extent: &Extent) -> Result<Change> {
        let standing = self.standing().await?;
        let todo = self.todo(&standing, direction, extent).await?;
        if direction == Direction::Down && todo.len() > 1 {
            self.refuse_production("reverting more than one migration").await?;
        }
        let mut done = Vec::new();
        for (position, one) in (1..).zip(&todo) {
            let name = one.migration.name().to_owned();
            self.observer.tell(&Event::Started { migration: name.clone(), position, of: todo.len() });
            self.run_one(direction, one.migration, one.status, one.record).await?;
            done.push(name);
        }
        Ok(Change { direction, migrations: done })
    }

    pub(super) async fn standing(&self) -> Result<Standing> {
        Ok(Standing::new(&self.migrations, self.ledger.read().await?))
    }

    /// What has to run, in order; refuses what must not.
    pub(super) async fn todo<'a>(
        &'a self,
        standing: &'a Standing,
        direction: Direction,
        extent: &Extent,
    ) -> Result<Vec<Todo<'a>>> {
        let positions = match direction {
            Direction::Up => self.positions_up(standing, extent)?,
            Direction::Down => self.positions_down(standing, extent)?,
        };
        let todo = |position: usize| {
            let migration = self.migrations[position].as_ref();
            let record = standing.records.get(migration.name());
            Todo { migration, status: &standing.status.migrations[position], record }
        };
        match direction {
            Direction::Up => {
                for position in 0..self.migrations.len() {
                    self.check_unchanged(&todo(position)).await?;
                }
                if !self.allow_late {
                    standing.check_order()?;
                }
            }
            Direction::Down => {
                for position in &positions {
                    self.check_unchanged(&todo(*position)).await?;
                }
            }
        }
        Ok(positions.into_iter().map(todo).collect())
    }

    fn positions_up(&self, standing: &Standing, extent: &Extent) -> Result<Vec<usize>> {
        let last = match extent {
            Extent::To(name) => self.position(name)?,
            Extent::All | Extent::Count(_) => usize::MAX,
        };
        let pending = standing.status.migrations.iter().enumerate();
        let pending = pending.filter(|(position, status)| !status.applied && *position <= last);
        Ok(pending.map(|(position, _)| position).take(limit(extent)).collect())
    }

    fn positions_down(&self, standing: &Standing, extent: &Extent) -> Result<Vec<usize>> {
        let applied = standing.applied();
        let after = match extent {
            Extent::To(name) => match applied.iter().position(|applied| applied == name) {
                Some(position) => position + 1,
                None => {
                    let migration = self.migrations[self.position(name)?].name().to_owned();
                    return Err(Error::NotApplied { migration });
                }
            },
            Extent::All | Extent::Count(_) => 0,
        };
        let names = applied[after..].iter().rev().take(limit(extent));
        let position = |name: &&str| {
            let position = self.migrations.iter().position(|migration| migration.name() == *name);
            position.ok_or_else(|| Error::Unknown { migration: (*name).to_owned() })
        };
        names.map(position).collect()
    }

    /// Where the migration `name` is among the program's; names the nearest if there is none.
    pub(super) fn position(&self, name: &str) -> Result<usize> {
        let names = || self.migrations.iter().map(|migration| migration.name());
        if let Some(position) = names().position(|known| known == name) {
            return Ok(position);
        }
        let change = |name: &str| name.trim_start_matches(|c: char| "m_0123456789".contains(c)).to_owned();
        let near = names().map(|known| {
            let whole = strsim::normalized_damerau_levenshtein(known, name);
            let part = strsim::normalized_damerau_levenshtein(&change(known), &change(name));
            (whole.max(part), known)
        });
        let nearest = near.max_by(|one, other| one.0.total_cmp(&other.0)).filter(|(near, _)| *near >= 0.5);
        Err(Error::NoSuchMigration {
            name: name.to_owned(),
            closest: nearest.map(|(_, known)| known.to_owned()),
            known: names().map(ToOwned::to_owned).collect(),
        })
    }

    async fn check_unchanged(&self, one: &Todo<'_>) -> Result<()> {
        match self.change_of(one.migration, one.status, one.record).await? {
            Some(difference) => Err(Error::Changed { migration: one.status.name.clone(), difference }),
            None => Ok(()),
        }
    }

    /// How the SQL of a migration differs from what it was applied from; `None` where it does not.
    pub(super) async fn change_of(
        &self,
        migration: &dyn Migration,
        status: &MigrationStatus,
        record: Option<&Record>,
    ) -> Result<Option<String>> {
        let (State::Changed, Some(record)) = (status.state, record) else { return Ok(None) };
        let before = self.ledger.sql_of(&record.last).await?;
        Ok(Some(difference(&before, &Recorded::of(migration).sql)))
    }
}

fn limit(extent: &Extent) -> usize {
    match extent {
        Extent::Count(count) => *count as usize,
        Extent::All | Extent::To(_) => usize::MAX,
    }
}

/// [`Runner::status`] of this crate's migrations.
///
/// # Errors
///
/// As [`Runner::status`].
pub async fn status(client: &Client) -> Result<Status> {
    Runner::new(client).status().await
}

/// [`Runner::up`] with this crate's migrations.
///
/// # Errors
///
/// As [`Runner::up`].
pub async fn up(client: &Client, extent: &Extent) -> Result<Change> {
    Runner::new(client).up(extent).await
}

/// [`Runner::down`] with this crate's migrations.
///
/// # Errors
///
/// As [`Runner::down`].
pub async fn down(client: &Client, extent: &Extent) -> Result<Change> {
    Runner::new(client).down(extent).await
}
