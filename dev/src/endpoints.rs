//! Which server a command talks to: flags, then the environment, then `.env`, then the embedded
//! servers; a URL of a database's own before `DATABASE_URL`, unless that is a flag. And as whom: who migrates
//! may have a URL apart from who serves.
//!
//! ```no_run
//! # async fn example() -> dev::Result<()> {
//! use dev::{Needs, Overrides, Program, Store};
//!
//! let resolved = dev::resolve(&Overrides::default(), Needs::of(&[Store::Ardb]), &Program::current()?).await?;
//! let url = resolved.endpoints.get(Store::Ardb).expect("it was asked for");
//! println!("connecting to {url}"); // without the password; `url.expose()` has it
//! resolved.finish().await
//! # }
//! ```

mod dotenv;

use url::Url;

use crate::error::{Error, Result};
use crate::layout::Layout;
use crate::postgres::Role;
use crate::program::Program;
use crate::secret::SecretUrl;
use crate::servers::{self, Options, Servers};

use dotenv::DotEnv;

/// A database that a command may need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Store {
    /// PostgreSQL `ardb`.
    Ardb,
    /// PostgreSQL `identitydb`.
    Identitydb,
    /// PostgreSQL `analyticsdb`.
    Analyticsdb,
    /// ClickHouse `events`.
    Events,
}

impl Store {
    /// Every store.
    pub const ALL: [Self; 4] = [Self::Ardb, Self::Identitydb, Self::Analyticsdb, Self::Events];

    /// The variable that holds its URL, `ARDB_URL` say.
    #[must_use]
    pub const fn variable(self) -> &'static str {
        match self {
            Self::Ardb => "ARDB_URL",
            Self::Identitydb => "IDENTITYDB_URL",
            Self::Analyticsdb => "ANALYTICSDB_URL",
            Self::Events => "CLICKHOUSE_URL",
        }
    }

    /// The name of the database on an embedded server.
    #[must_use]
    pub const fn database(self) -> &'static str {
        match self {
            Self::Ardb => "ardb",
            Self::Identitydb => "identitydb",
            Self::Analyticsdb => "analyticsdb",
            Self::Events => "events",
        }
    }

    /// The variable that holds the URL of who migrates it, where that may be somebody else.
    const fn owner_variable(self) -> Option<&'static str> {
        match self {
            Self::Identitydb => Some(IDENTITYDB_OWNER_URL),
            Self::Ardb | Self::Analyticsdb | Self::Events => None,
        }
    }

    const fn is_postgres(self) -> bool {
        !matches!(self, Self::Events)
    }
}

/// Who migrates identitydb, where who serves from it may not.
pub(crate) const IDENTITYDB_OWNER_URL: &str = "IDENTITYDB_OWNER_URL";

/// Where a PostgreSQL database has no URL of its own: all of them in this one.
const DATABASE_URL: &str = "DATABASE_URL";

/// URLs given as flags; each comes before the variable of the same name.
#[derive(Clone, Default, clap::Args)]
#[command(next_help_heading = "Servers")]
pub struct Overrides {
    /// PostgreSQL database of packages [else ARDB_URL]
    #[arg(long, global = true, value_name = "URL")]
    pub ardb_url: Option<String>,
    /// PostgreSQL database of people [else IDENTITYDB_URL]
    #[arg(long, global = true, value_name = "URL")]
    pub identitydb_url: Option<String>,
    /// The same for who migrates it [else IDENTITYDB_OWNER_URL, else the same URL]
    #[arg(long, global = true, value_name = "URL")]
    pub identitydb_owner_url: Option<String>,
    /// PostgreSQL database of reports [else ANALYTICSDB_URL]
    #[arg(long, global = true, value_name = "URL")]
    pub analyticsdb_url: Option<String>,
    /// One PostgreSQL database for all that have none of their own [else DATABASE_URL]
    #[arg(long, global = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// ClickHouse database of events [else CLICKHOUSE_URL]
    #[arg(long, global = true, value_name = "URL")]
    pub clickhouse_url: Option<String>,
}

/// Says which are given, not what they are: they may hold passwords.
impl std::fmt::Debug for Overrides {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let given = |url: &Option<String>| url.as_ref().map(|_| "***");
        f.debug_struct("Overrides")
            .field("ardb_url", &given(&self.ardb_url))
            .field("identitydb_url", &given(&self.identitydb_url))
            .field("identitydb_owner_url", &given(&self.identitydb_owner_url))
            .field("analyticsdb_url", &given(&self.analyticsdb_url))
            .field("database_url", &given(&self.database_url))
            .field("clickhouse_url", &given(&self.clickhouse_url))
            .finish()
    }
}

impl Overrides {
    /// Whether any is given.
    #[must_use]
    pub const fn any(&self) -> bool {
        self.ardb_url.is_some()
            || self.identitydb_url.is_some()
            || self.identitydb_owner_url.is_some()
            || self.analyticsdb_url.is_some()
            || self.database_url.is_some()
            || self.clickhouse_url.is_some()
    }

    fn of(&self, variable: &str) -> Option<&str> {
        match variable {
            "ARDB_URL" => self.ardb_url.as_deref(),
            "IDENTITYDB_URL" => self.identitydb_url.as_deref(),
            IDENTITYDB_OWNER_URL => self.identitydb_owner_url.as_deref(),
            "ANALYTICSDB_URL" => self.analyticsdb_url.as_deref(),
            DATABASE_URL => self.database_url.as_deref(),
            "CLICKHOUSE_URL" => self.clickhouse_url.as_deref(),
            _ => None,
        }
    }
}

/// The stores that a command is going to use. No server is started for the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// PostgreSQL `ardb`.
    pub ardb: bool,
    /// PostgreSQL `identitydb`.
    pub identitydb: bool,
    /// PostgreSQL `analyticsdb`.
    pub analyticsdb: bool,
    /// ClickHouse.
    pub clickhouse: bool,
}

impl Needs {
    /// Every store.
    pub const ALL: Self = Self { ardb: true, identitydb: true, analyticsdb: true, clickhouse: true };

    /// Just these.
    #[must_use]
    pub fn of(stores: &[Store]) -> Self {
        Self {
            ardb: stores.contains(&Store::Ardb),
            identitydb: stores.contains(&Store::Identitydb),
            analyticsdb: stores.contains(&Store::Analyticsdb),
            clickhouse: stores.contains(&Store::Events),
        }
    }

    /// Whether `store` is among them.
    #[must_use]
    pub const fn includes(self, store: Store) -> bool {
        match store {
            Store::Ardb => self.ardb,
            Store::Identitydb => self.identitydb,
            Store::Analyticsdb => self.analyticsdb,
            Store::Events => self.clickhouse,
        }
    }
}

/// Where each store that was asked for is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// `postgres://user:password@host:port/database`
    pub ardb: Option<SecretUrl>,
    /// As `ardb`; the same URL where all databases are overlaid in one.
    pub identitydb: Option<SecretUrl>,
    /// Of who migrates identitydb; `None` if that is who serves from it, too.
    pub identitydb_owner: Option<SecretUrl>,
    /// As `identitydb`.
    pub analyticsdb: Option<SecretUrl>,
    /// `http(s)://user:password@host:port/database`
    pub clickhouse: Option<SecretUrl>,
}

impl Endpoints {
    /// The URL of `store`; `None` if it was not asked for.
    #[must_use]
    pub const fn get(&self, store: Store) -> Option<&SecretUrl> {
        match store {
            Store::Ardb => self.ardb.as_ref(),
            Store::Identitydb => self.identitydb.as_ref(),
            Store::Analyticsdb => self.analyticsdb.as_ref(),
            Store::Events => self.clickhouse.as_ref(),
        }
    }

    /// The URL to migrate `store` with; [`Self::get`] where nobody else does.
    #[must_use]
    pub const fn owner(&self, store: Store) -> Option<&SecretUrl> {
        match (store, &self.identitydb_owner) {
            (Store::Identitydb, Some(url)) => Some(url),
            _ => self.get(store),
        }
    }

    fn set(&mut self, store: Store, url: SecretUrl) {
        let place = match store {
            Store::Ardb => &mut self.ardb,
            Store::Identitydb => &mut self.identitydb,
            Store::Analyticsdb => &mut self.analyticsdb,
            Store::Events => &mut self.clickhouse,
        };
        *place = Some(url);
    }
}

/// URLs, and the embedded servers behind them where there are any.
#[derive(Debug)]
#[must_use = "embedded servers stop when this is dropped"]
pub struct Resolved {
    /// Where each store is.
    pub endpoints: Endpoints,
    /// The embedded servers in use, found or started; `None` if every URL was configured.
    pub servers: Option<Servers>,
}

impl Resolved {
    /// Stops the embedded servers that [`resolve`] started; those it found keep running.
    ///
    /// # Errors
    ///
    /// Those of [`Servers::stop`].
    pub async fn finish(self) -> Result<()> {
        match self.servers {
            Some(servers) => servers.stop().await,
            None => Ok(()),
        }
    }
}

/// The URLs of the stores in `needs`, starting embedded servers where nothing is configured.
///
/// # Errors
///
/// [`Error::Setting`] for a URL that cannot be one, naming the flag or variable; whatever keeps an
/// embedded server from starting.
pub async fn resolve(overrides: &Overrides, needs: Needs, program: &Program) -> Result<Resolved> {
    let here = std::env::current_dir()
        .map_err(|source| Error::Io { doing: "cannot find the working directory".into(), source })?;
    let dotenv = DotEnv::nearest(&here)?;
    let environment = |name: &str| std::env::var(name).ok();
    let (mut endpoints, missing) = assign(needs, |store| {
        let url = configured(store, overrides, &environment, &dotenv);
        let owner = configured_owner(store, url.as_ref(), overrides, &environment, &dotenv)?;
        Ok((url, owner))
    })?;
    if missing.is_empty() {
        return Ok(Resolved { endpoints, servers: None });
    }
    let servers = start(&mut endpoints, &missing, program).await?;
    Ok(Resolved { endpoints, servers: Some(servers) })
}

/// Every store on the embedded servers, whatever is configured.
///
/// # Errors
///
/// Whatever keeps an embedded server from starting.
pub async fn embedded(program: &Program) -> Result<Resolved> {
    let mut endpoints = Endpoints::default();
    let servers = start(&mut endpoints, &Store::ALL, program).await?;
    Ok(Resolved { endpoints, servers: Some(servers) })
}

/// Finds or starts the embedded servers of `stores` and enters their URLs.
async fn start(endpoints: &mut Endpoints, stores: &[Store], program: &Program) -> Result<Servers> {
    let wanted = servers::Needs {
        postgres: stores.iter().any(|store| store.is_postgres()),
        clickhouse: stores.contains(&Store::Events),
    };
    let servers = Servers::start(&Layout::find(None)?, wanted, Options::default(), program).await?;
    for &store in stores {
        let found = servers.endpoints();
        let postgres = |role| found.postgres(store.database(), role);
        let url = if store.is_postgres() { postgres(Role::Writer) } else { found.clickhouse() };
        if let Some(url) = url {
            endpoints.set(store, url);
        }
        if store.owner_variable().is_some() {
            endpoints.identitydb_owner = postgres(Role::Owner);
        }
    }
    Ok(servers)
}

/// A configured value and where it comes from.
struct Setting {
    level: Level,
    source: String,
    value: String,
}

/// What a setting comes from; the later ones come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    DotEnv,
    Environment,
    Flag,
}

/// The URL of `store`: a flag, else its own variable, else `DATABASE_URL`; of a variable, the
/// environment's value comes before that in `.env`. Empty values count as absent.
///
/// So a flag for all databases is not undone by a variable for one, and a `DATABASE_URL` that another
/// project has left in the environment does not come before a URL that names the database.
fn configured(
    store: Store,
    overrides: &Overrides,
    environment: &dyn Fn(&str) -> Option<String>,
    dotenv: &DotEnv,
) -> Option<Setting> {
    let variables = [store.variable(), DATABASE_URL];
    let variables = if store.is_postgres() { &variables[..] } else { &variables[..1] };
    first(variables, overrides, environment, dotenv)
}

/// The URL of who migrates `store`, where it comes from where `url` does or from what comes before that: a URL for
/// one database is not to send its migrations to another one, which somebody configured elsewhere.
fn configured_owner(
    store: Store,
    url: Option<&Setting>,
    overrides: &Overrides,
    environment: &dyn Fn(&str) -> Option<String>,
    dotenv: &DotEnv,
) -> Result<Option<Setting>> {
    let Some(variable) = store.owner_variable() else { return Ok(None) };
    let Some(owner) = first(&[variable], overrides, environment, dotenv) else { return Ok(None) };
    match url {
        Some(url) => Ok(Some(owner).filter(|owner| owner.level >= url.level)),
        None => Err(Error::Setting {
            setting: owner.source,
            problem: format!("is given without {}", store.variable()),
            expected: "both: who serves and who migrates, or the same URL twice".into(),
        }),
    }
}

/// The first of `variables` that is given: as a flag any of them, else as a variable.
fn first(
    variables: &[&str],
    overrides: &Overrides,
    environment: &dyn Fn(&str) -> Option<String>,
    dotenv: &DotEnv,
) -> Option<Setting> {
    let is_given = |setting: &Setting| !setting.value.trim().is_empty();
    let flag = |variable: &str| {
        let source = format!("--{}", variable.to_lowercase().replace('_', "-"));
        Some(Setting { level: Level::Flag, source, value: overrides.of(variable)?.to_owned() })
            .filter(is_given)
    };
    let environment = |variable: &str| {
        let (level, source) = (Level::Environment, variable.to_owned());
        Some(Setting { level, source, value: environment(variable)? }).filter(is_given)
    };
    let dotenv = |variable: &str| {
        let source = format!("{variable} in {}", dotenv.path.display());
        Some(Setting { level: Level::DotEnv, source, value: dotenv.values.get(variable)?.clone() })
            .filter(is_given)
    };
    let variable = |variable: &&str| environment(variable).or_else(|| dotenv(variable));
    variables.iter().find_map(|variable| flag(variable)).or_else(|| variables.iter().find_map(variable))
}

/// What is configured of `needs`, and what is left for the embedded servers.
fn assign(
    needs: Needs,
    configured: impl Fn(Store) -> Result<(Option<Setting>, Option<Setting>)>,
) -> Result<(Endpoints, Vec<Store>)> {
    let mut endpoints = Endpoints::default();
    let mut missing = Vec::new();
    for store in Store::ALL.into_iter().filter(|store| needs.includes(*store)) {
        let (url, owner) = configured(store)?;
        match url {
            Some(setting) => endpoints.set(store, parse(&setting, store.is_postgres())?),
            None => missing.push(store),
        }
        if let Some(setting) = owner {
            endpoints.identitydb_owner = Some(parse(&setting, true)?);
        }
    }
    Ok((endpoints, missing))
}

/// What `sea-orm-cli migrate` was told, as flags. It passes `-u` on as `DATABASE_URL`, together with all
/// that `.env` says, so a URL that was typed can't be told from one that was configured, except by being
/// another one.
///
/// # Errors
///
/// [`Error::Setting`] if a database of `stores` has a URL of its own and `database_url` is not the one in
/// `.env`: somebody might have meant either.
pub(crate) fn of_sea_orm_cli(database_url: Option<String>, stores: &[Store]) -> Result<Overrides> {
    let here = std::env::current_dir()
        .map_err(|source| Error::Io { doing: "cannot find the working directory".into(), source })?;
    let dotenv = DotEnv::nearest(&here)?;
    typed(database_url, stores, &|name| std::env::var(name).ok(), &dotenv)
}

fn typed(
    database_url: Option<String>,
    stores: &[Store],
    environment: &dyn Fn(&str) -> Option<String>,
    dotenv: &DotEnv,
) -> Result<Overrides> {
    let is_configured = database_url.as_ref() == dotenv.values.get(DATABASE_URL);
    let Some(url) = database_url.filter(|_| !is_configured) else { return Ok(Overrides::default()) };
    let own = |variable: &&str| {
        let configured = environment(variable).or_else(|| dotenv.values.get(*variable).cloned());
        configured.is_some_and(|own| own != url)
    };
    let mut variables = stores.iter().flat_map(|store| [Some(store.variable()), store.owner_variable()]);
    match variables.by_ref().flatten().find(own) {
        Some(variable) => Err(Error::Setting {
            setting: format!("-u (DATABASE_URL) and {variable}"),
            problem: "name two databases".into(),
            expected: format!("only one of them: leave out -u, or unset {variable}"),
        }),
        None => Ok(Overrides { database_url: Some(url), ..Overrides::default() }),
    }
}

fn parse(setting: &Setting, is_postgres: bool) -> Result<SecretUrl> {
    let (schemes, expected): (&[&str], _) = if is_postgres {
        (&["postgres", "postgresql"], "postgres://user:password@host:5432/database")
    } else {
        (&["http", "https"], "http(s)://user:password@host:8123/database")
    };
    // The value itself stays out of the message: what cannot be parsed cannot be redacted.
    let refuse = |problem: String| Error::Setting {
        setting: setting.source.clone(),
        problem,
        expected: expected.into(),
    };
    let url = Url::parse(setting.value.trim()).map_err(|error| refuse(format!("is not a URL ({error})")))?;
    if !schemes.contains(&url.scheme()) {
        return Err(refuse(format!("starts with {}://", url.scheme())));
    }
    // PostgreSQL's host may also be a parameter: a socket folder.
    if url.host_str().is_none_or(str::is_empty) && !url.query_pairs().any(|(name, _)| name == "host") {
        return Err(refuse("names no host".into()));
    }
    if url.path().trim_matches('/').is_empty() {
        return Err(refuse("names no database".into()));
    }
    Ok(SecretUrl::new(url))
}

/// Refuses a PostgreSQL older than 15; `version` is what `show server_version_num` says, 150018 say.
///
/// # Errors
///
/// [`Error::TooOld`].
pub fn check_postgres_version(version: u32) -> Result<()> {
    if version >= crate::postgres::MINIMUM_MAJOR * 10_000 {
        return Ok(());
    }
    Err(Error::TooOld {
        product: "PostgreSQL",
        found: format!("{}.{}", version / 10_000, version % 10_000),
        minimum: "15",
        reason: "the oldest release that PostgreSQL itself supports",
    })
}

#[cfg(test)]
mod tests;
