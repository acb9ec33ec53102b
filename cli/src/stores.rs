//! Opens the databases that a command needs.

use std::time::Duration;

use anyhow::{Context as _, bail};
use dev::SecretUrl;
use dev::endpoints::{Endpoints, Needs, Resolved, Store};
use events::migration::{Event, Extent};
use migration_runner::{Runner, cli};
use sea_orm::sqlx::{self, Connection as _, PgConnection};
use sea_orm::{ConnectOptions, Database, DatabaseConnection};

use crate::progress::Board;
use crate::{Context, output};

/// Connections of one command to one database. A command does one thing at a time, and an import reads
/// on one connection while it writes on another.
const CONNECTIONS: u32 = 4;

/// A statement that takes longer is logged as slow (with `-vv`).
const SLOW: Duration = Duration::from_secs(1);

/// What the logs of the migrations call this program.
const PROGRAM: &str = concat!("archer ", env!("CARGO_PKG_VERSION"));

/// The migrations of the PostgreSQL database `name`, which show on `board` what they are at; `doing` is the
/// command's word.
pub fn runner(name: &'static str, board: &Board, doing: &'static str) -> Runner {
    let line = board.line(name);
    migration::runner(name)
        .expect("the open databases are the ones with migrations")
        .program(PROGRAM)
        .observe(move |event| line.say(cli::describe(doing, event)))
}

/// The migrations of ClickHouse, likewise.
pub fn events_runner(client: &events::Client, board: &Board) -> events::migration::Runner {
    let line = board.line("events");
    events::migration::Runner::new(client).program(PROGRAM).observe(move |event| match event {
        Event::Started { migration, position, of } => line.say(format!("{migration} ({position} of {of})")),
        Event::Step { about, step, of } => line.say(format!("{about} (step {step} of {of})")),
        _ => {}
    })
}

/// As whom a command connects, where that makes a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    /// Who serves: reads and writes rows.
    Service,
    /// Who migrates.
    Owner,
}

impl Access {
    fn url(self, endpoints: &Endpoints, store: Store) -> Option<&SecretUrl> {
        match self {
            Self::Service => endpoints.get(store),
            Self::Owner => endpoints.owner(store),
        }
    }
}

/// The databases of one command.
pub struct Stores {
    resolved: Resolved,
    access: Access,
    open: Open,
    unreachable: Vec<(&'static str, anyhow::Error)>,
}

#[derive(Default)]
struct Open {
    ardb: Option<DatabaseConnection>,
    identitydb: Option<DatabaseConnection>,
    analyticsdb: Option<DatabaseConnection>,
    events: Option<events::Client>,
}

impl Stores {
    /// Finds the servers of `needs`, starting embedded ones where no URL is given, runs `work` on them,
    /// and stops what was started, whether or not the work succeeded.
    ///
    /// # Errors
    ///
    /// When a server can't be found, started or reached, or is older than what is supported; and
    /// whatever `work` says.
    pub async fn with<T>(
        context: &Context,
        needs: Needs,
        work: impl AsyncFnOnce(&Self) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        Self::run(dev::endpoints::resolve(&context.urls, needs, &context.program).await?, work).await
    }

    /// As [`Stores::with`], for who migrates, and also where only some of the databases can be reached;
    /// [`Stores::unreachable`] has the others.
    ///
    /// # Errors
    ///
    /// When a server can't be found or started; and whatever `work` says.
    pub async fn to_migrate<T>(
        context: &Context,
        needs: Needs,
        work: impl AsyncFnOnce(&Self) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let resolved = dev::endpoints::resolve(&context.urls, needs, &context.program).await?;
        Self::run_reachable(resolved, Access::Owner, work).await
    }

    /// As [`Stores::with`], also where only some of the databases can be reached; see [`Stores::all`] and
    /// [`Stores::all_but_absent_events`].
    ///
    /// # Errors
    ///
    /// When a server can't be found or started; and whatever `work` says.
    pub async fn with_reachable<T>(
        context: &Context,
        needs: Needs,
        work: impl AsyncFnOnce(&Self) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let resolved = dev::endpoints::resolve(&context.urls, needs, &context.program).await?;
        Self::run_reachable(resolved, Access::Service, work).await
    }

    /// As [`Stores::with`], on the embedded servers, whatever is configured.
    ///
    /// # Errors
    ///
    /// As [`Stores::with`].
    pub async fn with_embedded<T>(
        context: &Context,
        work: impl AsyncFnOnce(&Self) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        Self::run(dev::endpoints::embedded(&context.program).await?, work).await
    }

    async fn run<T>(
        resolved: Resolved,
        work: impl AsyncFnOnce(&Self) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        Self::run_reachable(resolved, Access::Service, async |stores| {
            stores.all()?;
            work(stores).await
        })
        .await
    }

    async fn run_reachable<T>(
        resolved: Resolved,
        access: Access,
        work: impl AsyncFnOnce(&Self) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let mut stores = Self { resolved, access, open: Open::default(), unreachable: Vec::new() };
        stores.connect().await;
        let done = work(&stores).await;
        let closed = stores.close().await;
        let done = done?;
        closed?;
        Ok(done)
    }

    /// As [`Stores::with`], on databases that are migrated. Embedded ones are brought up to date; those
    /// behind a URL are somebody's to migrate, and are refused while anything is pending.
    ///
    /// # Errors
    ///
    /// As [`Stores::with`], and when a database is behind.
    pub async fn with_migrated<T>(
        context: &Context,
        needs: Needs,
        work: impl AsyncFnOnce(&Self) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        Self::with(context, needs, async |stores| {
            stores.migrate_or_refuse().await?;
            work(stores).await
        })
        .await
    }

    /// The package database.
    ///
    /// # Errors
    ///
    /// If the command did not ask for it.
    pub fn ardb(&self) -> anyhow::Result<&DatabaseConnection> {
        self.open.ardb.as_ref().context("this command did not ask for ardb")
    }

    /// The identity database.
    ///
    /// # Errors
    ///
    /// If the command did not ask for it.
    pub fn identitydb(&self) -> anyhow::Result<&DatabaseConnection> {
        self.open.identitydb.as_ref().context("this command did not ask for identitydb")
    }

    /// The reporting database.
    ///
    /// # Errors
    ///
    /// If the command did not ask for it.
    pub fn analyticsdb(&self) -> anyhow::Result<&DatabaseConnection> {
        self.open.analyticsdb.as_ref().context("this command did not ask for analyticsdb")
    }

    /// ClickHouse.
    ///
    /// # Errors
    ///
    /// If the command did not ask for it.
    pub fn events(&self) -> anyhow::Result<&events::Client> {
        self.open.events.as_ref().context("this command did not ask for ClickHouse")
    }

    /// ClickHouse, also where it is away just now.
    ///
    /// # Errors
    ///
    /// If the command did not ask for it.
    pub fn events_or_later(&self) -> anyhow::Result<events::Client> {
        if let Some(client) = &self.open.events {
            return Ok(client.clone());
        }
        let url =
            self.resolved.endpoints.get(Store::Events).context("this command did not ask for ClickHouse")?;
        Ok(events::Client::unchecked(url.expose())?)
    }

    /// Fails with why a database can't be used.
    ///
    /// # Errors
    ///
    /// As it says.
    pub fn all(&self) -> anyhow::Result<()> {
        self.all_but(|_, _| false)
    }

    /// Fails with why a database can't be used, unless that is ClickHouse being away: what comes in waits in a log.
    ///
    /// # Errors
    ///
    /// As it says.
    pub fn all_but_absent_events(&self) -> anyhow::Result<()> {
        let is_away = |error: &anyhow::Error| {
            let error = error.downcast_ref::<events::Error>();
            error.is_some_and(|error| error.class() == events::Class::Transient)
        };
        self.all_but(|name, error| name == "events" && is_away(error))
    }

    /// Fails with why a database can't be used, of those that may not be missing.
    fn all_but(&self, may_be_missing: impl Fn(&str, &anyhow::Error) -> bool) -> anyhow::Result<()> {
        match self.unreachable.iter().find(|(name, error)| !may_be_missing(name, error)) {
            Some((_, error)) => Err(anyhow::anyhow!(output::told(error))),
            None => Ok(()),
        }
    }

    /// Whether the servers are this command's to migrate: embedded ones.
    pub fn are_embedded(&self) -> bool {
        self.resolved.servers.is_some()
    }

    /// Whether this command has started a server, and is going to stop it.
    pub fn has_started_servers(&self) -> bool {
        self.resolved.servers.as_ref().is_some_and(dev::Servers::owns_any)
    }

    /// The open PostgreSQL databases by name, in the order in which they are migrated.
    pub fn postgres(&self) -> impl Iterator<Item = (&'static str, &DatabaseConnection)> {
        let open = &self.open;
        let named =
            [("ardb", &open.ardb), ("identitydb", &open.identitydb), ("analyticsdb", &open.analyticsdb)];
        named.into_iter().filter_map(|(name, db)| db.as_ref().map(|db| (name, db)))
    }

    /// The same, those together that share a URL.
    pub fn postgres_by_url(&self) -> Vec<Vec<(&'static str, &DatabaseConnection)>> {
        let url = |name| self.access.url(&self.resolved.endpoints, store_of(name)?).map(SecretUrl::expose);
        let mut groups: Vec<Vec<(&'static str, &DatabaseConnection)>> = Vec::new();
        for (name, db) in self.postgres() {
            match groups.iter_mut().find(|group| url(group[0].0) == url(name)) {
                Some(group) => group.push((name, db)),
                None => groups.push(vec![(name, db)]),
            }
        }
        groups
    }

    /// The databases that the command asked for and that can't be used, and why.
    pub fn unreachable(&self) -> &[(&'static str, anyhow::Error)] {
        &self.unreachable
    }

    /// Applies what is pending everywhere, as who migrates it, and says how many migrations that were, by database.
    ///
    /// # Errors
    ///
    /// If a migration fails.
    pub async fn migrate(&self) -> anyhow::Result<Vec<(&'static str, usize)>> {
        let board = Board::new(false);
        let mut applied = Vec::new();
        for (name, db) in self.postgres() {
            let owner = self.owner(name).await?;
            let done = runner(name, &board, "up").up(owner.as_ref().unwrap_or(db)).await;
            if let Some(owner) = owner {
                owner.close().await?;
            }
            applied.push((name, done.map_err(|error| explained(error, name))?.len()));
        }
        if let Some(client) = &self.open.events {
            let change = events_runner(client, &board).up(&Extent::All).await?;
            applied.push(("events", change.migrations.len()));
        }
        Ok(applied)
    }

    /// A connection of who migrates the database, where that is somebody else.
    async fn owner(&self, name: &'static str) -> anyhow::Result<Option<DatabaseConnection>> {
        let Some(store) = store_of(name) else { return Ok(None) };
        let url = |access: Access| access.url(&self.resolved.endpoints, store);
        match url(Access::Owner) {
            Some(owner) if Some(owner) != url(self.access) => open(store.variable(), owner).await.map(Some),
            _ => Ok(None),
        }
    }

    /// Migrates what is embedded, and refuses what is behind.
    ///
    /// # Errors
    ///
    /// When a database is behind, or a migration fails.
    pub async fn migrate_or_refuse(&self) -> anyhow::Result<()> {
        if self.resolved.servers.is_some() {
            self.migrate().await?;
            return Ok(());
        }
        let mut behind = Vec::new();
        for (name, db) in self.postgres() {
            let runner = migration::runner(name).context("every database has migrations")?;
            if runner.status(db).await?.is_pending() {
                behind.push(name);
            }
        }
        if let Some(client) = &self.open.events
            && events::migration::status(client).await?.pending() > 0
        {
            behind.push("events");
        }
        if !behind.is_empty() {
            let behind = behind.join(",");
            bail!("migrations are pending on {behind}; run `archer migrate up --db {behind}`");
        }
        Ok(())
    }

    async fn connect(&mut self) {
        let (endpoints, access) = (&self.resolved.endpoints, self.access);
        let unreachable = &mut self.unreachable;
        let mut take = |name, opened| match opened {
            Ok(db) => db,
            Err(error) => {
                unreachable.push((name, error));
                None
            }
        };
        self.open.ardb = take("ardb", connect(endpoints, access, Store::Ardb).await);
        self.open.identitydb = take("identitydb", connect(endpoints, access, Store::Identitydb).await);
        self.open.analyticsdb = take("analyticsdb", connect(endpoints, access, Store::Analyticsdb).await);
        if let Some(url) = endpoints.get(Store::Events) {
            match events::Client::connect(url.expose()).await {
                Ok(client) => self.open.events = Some(client),
                Err(error) => self.unreachable.push(("events", error.into())),
            }
        }
    }

    async fn close(self) -> anyhow::Result<()> {
        let Open { ardb, identitydb, analyticsdb, events } = self.open;
        // A ClickHouse that is told to end waits for its clients, so ours goes first.
        drop(events);
        for db in [ardb, identitydb, analyticsdb].into_iter().flatten() {
            db.close().await?;
        }
        Ok(self.resolved.finish().await?)
    }
}

/// With the way out where who serves may not migrate.
fn explained(error: migration_runner::Error, name: &str) -> anyhow::Error {
    let is_refused = name == "identitydb" && error.to_string().contains("permission denied");
    let error = anyhow::Error::new(error);
    if !is_refused {
        return error;
    }
    error.context(
        "IDENTITYDB_URL is of who serves, and migrations are pending: set IDENTITYDB_OWNER_URL to who migrates, or run \
         `archer migrate up` as that, and start with --migrate check",
    )
}

fn store_of(name: &str) -> Option<Store> {
    Store::ALL.into_iter().find(|store| store.database() == name)
}

/// Connects to one PostgreSQL database, if the command needs it.
async fn connect(
    endpoints: &Endpoints,
    access: Access,
    store: Store,
) -> anyhow::Result<Option<DatabaseConnection>> {
    match access.url(endpoints, store) {
        Some(url) => open(store.variable(), url).await.map(Some),
        None => Ok(None),
    }
}

/// Connects to the PostgreSQL database that `variable` could name.
async fn open(variable: &str, url: &SecretUrl) -> anyhow::Result<DatabaseConnection> {
    let unreachable = || format!("{variable} at {url} can't be reached");
    // One connection first: a pool tries until its patience ends, and then does not say why.
    let mut probe = PgConnection::connect(url.expose()).await.with_context(unreachable)?;
    let version: String = sqlx::query_scalar("show server_version_num").fetch_one(&mut probe).await?;
    probe.close().await?;
    dev::endpoints::check_postgres_version(version.parse()?)?;

    let mut options = ConnectOptions::new(url.expose());
    options.max_connections(CONNECTIONS).sqlx_logging_level(tracing::log::LevelFilter::Debug);
    // An import takes the time it takes; its bar says so.
    options.sqlx_slow_statements_logging_settings(tracing::log::LevelFilter::Debug, SLOW);
    Database::connect(options).await.with_context(unreachable)
}
