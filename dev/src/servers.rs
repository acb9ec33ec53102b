//! A pair of servers: those of a folder that already run, and those that this process starts.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::claim::{Claim, Claimed, Guest, Holder, State, claim};
use crate::error::{Error, Result};
use crate::layout::{Layout, create_private};
use crate::postgres::Role;
use crate::program::Program;
use crate::secret::SecretUrl;
use crate::{clickhouse, postgres};

/// Which servers are wanted. One that is not is neither started nor downloaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// PostgreSQL with its three databases.
    pub postgres: bool,
    /// ClickHouse.
    pub clickhouse: bool,
}

impl Needs {
    /// Both.
    pub const ALL: Self = Self { postgres: true, clickhouse: true };
}

/// How servers are run and when they stop.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Whether PostgreSQL waits for the disk. False is for data that nobody needs after the run.
    pub durable: bool,
    /// When the servers that we start are stopped.
    pub holder: Holder,
}

impl Default for Options {
    fn default() -> Self {
        Self { durable: true, holder: Holder::Command }
    }
}

/// Where ready servers are.
#[derive(Clone, Debug, Default)]
pub struct ServerEndpoints {
    postgres: Option<State>,
    clickhouse: Option<State>,
}

impl ServerEndpoints {
    pub(crate) const fn new(postgres: Option<State>, clickhouse: Option<State>) -> Self {
        Self { postgres, clickhouse }
    }

    /// The URL with which `role` connects to one database of PostgreSQL, `identitydb` say; the superuser's for a
    /// database without roles. `None` if PostgreSQL was not wanted.
    #[must_use]
    pub fn postgres(&self, database: &str, role: Role) -> Option<SecretUrl> {
        self.postgres.as_ref().map(|state| role.url(&state.url, database))
    }

    /// The URL of ClickHouse's `events`; `None` if ClickHouse was not wanted.
    #[must_use]
    pub fn clickhouse(&self) -> Option<SecretUrl> {
        self.clickhouse.as_ref().map(|state| state.url.clone())
    }
}

/// Servers that are ready: some started by this process, which stops them, some found running.
///
/// Call [`Self::stop`] at the end. Dropping this stops what was started too, without waiting for
/// others who use it.
#[derive(Debug)]
#[must_use = "the servers stop when this is dropped"]
pub struct Servers {
    endpoints: ServerEndpoints,
    postgres: Option<Held<postgres::Server>>,
    clickhouse: Option<Held<clickhouse::Server>>,
    holder: Holder,
    /// While these live, whoever owns what we use does not stop it.
    guests: Vec<Guest>,
}

/// A server with the claim on its folder, dropped in this order.
#[derive(Debug)]
struct Held<S> {
    server: S,
    claim: Claim,
}

impl Servers {
    /// Makes the servers of `layout` that `needs` names ready: finds those that run, waiting for
    /// those that another process is starting, and starts the others, both at once.
    ///
    /// # Errors
    ///
    /// Whatever keeps a server from being downloaded or started; nothing that was started is left.
    pub async fn start(layout: &Layout, needs: Needs, options: Options, program: &Program) -> Result<Self> {
        layout.create()?;
        let postgres = async {
            if !needs.postgres {
                return Ok(Part::none());
            }
            let folder = folder(layout.postgres())?;
            match claim(&folder, options.holder, "PostgreSQL").await? {
                Claimed::Another(state, guest) => Ok(Part::found(state, guest)),
                Claimed::Mine(claim) => {
                    let server = postgres::Server::start(&folder, options.durable, program).await?;
                    let state = ready(&server.url, server.pid(), &server.version);
                    claim.publish(&state).await?;
                    Ok(Part::started(state, server, claim))
                }
            }
        };
        let clickhouse = async {
            if !needs.clickhouse {
                return Ok(Part::none());
            }
            let folder = folder(layout.clickhouse())?;
            match claim(&folder, options.holder, "ClickHouse").await? {
                Claimed::Another(state, guest) => Ok(Part::found(state, guest)),
                Claimed::Mine(claim) => {
                    let (server, state) = start_clickhouse(&folder, &claim, program).await?;
                    Ok(Part::started(state, server, claim))
                }
            }
        };
        let (postgres, clickhouse): (Part<postgres::Server>, Part<clickhouse::Server>) =
            tokio::try_join!(postgres, clickhouse)?;
        Ok(Self {
            endpoints: ServerEndpoints::new(postgres.state, clickhouse.state),
            postgres: postgres.held,
            clickhouse: clickhouse.held,
            holder: options.holder,
            guests: postgres.guest.into_iter().chain(clickhouse.guest).collect(),
        })
    }

    /// Where the servers are.
    #[must_use]
    pub const fn endpoints(&self) -> &ServerEndpoints {
        &self.endpoints
    }

    /// Whether this process started any of them, and so has to stop it.
    #[must_use]
    pub const fn owns_any(&self) -> bool {
        self.postgres.is_some() || self.clickhouse.is_some()
    }

    /// Waits until a server that we started ends though nobody stopped it, and says how. Never
    /// returns if we started none.
    pub async fn failed(&self) -> Error {
        let postgres = async {
            match &self.postgres {
                Some(held) => held.server.failed().await,
                None => std::future::pending().await,
            }
        };
        let clickhouse = async {
            match &self.clickhouse {
                Some(held) => held.server.failed().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! { error = postgres => error, error = clickhouse => error }
    }

    /// Starts ClickHouse in the folder of `layout` again, after it ended though nobody stopped it; at the same port, if
    /// that is free still.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from being started.
    pub(crate) async fn revive_clickhouse(&mut self, layout: &Layout, program: &Program) -> Result<()> {
        let Some(held) = &mut self.clickhouse else { return Ok(()) };
        let (server, state) = start_clickhouse(&layout.clickhouse(), &held.claim, program).await?;
        held.server = server;
        self.endpoints.clickhouse = Some(state);
        Ok(())
    }

    /// Stops what this process started; what it found keeps running.
    ///
    /// Unless the servers are held, it first waits until no other process uses them.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Postgres`] or [`crate::Error::ClickHouse`] if a process does not end.
    pub async fn stop(mut self) -> Result<()> {
        let holder = self.holder;
        // Two commands may each own what the other uses; kept, these locks would have them wait for each other.
        self.guests.clear();
        let (postgres, clickhouse) = (self.postgres.take(), self.clickhouse.take());
        let postgres = async {
            let Some(held) = postgres else { return Ok(()) };
            withdraw(&held.claim, holder, "PostgreSQL").await?;
            held.server.stop().await
        };
        let clickhouse = async {
            let Some(mut held) = clickhouse else { return Ok(()) };
            withdraw(&held.claim, holder, "ClickHouse").await?;
            held.server.stop().await
        };
        let (postgres, clickhouse) = tokio::join!(postgres, clickhouse);
        postgres.and(clickhouse)
    }
}

/// Starts ClickHouse in the folder that is claimed, and says where it is.
async fn start_clickhouse(
    folder: &Path,
    claim: &Claim,
    program: &Program,
) -> Result<(clickhouse::Server, State)> {
    let server = clickhouse::Server::start(folder, program).await?;
    let state = ready(&server.url, server.pid(), &server.version);
    claim.publish(&state).await?;
    Ok((server, state))
}

async fn withdraw(claim: &Claim, holder: Holder, product: &str) -> Result<()> {
    match holder {
        Holder::Hold => claim.withdraw().await,
        Holder::Command => claim.withdraw_when_unused(product).await,
    }
}

/// One server as [`Servers::start`] found or made it.
struct Part<S> {
    state: Option<State>,
    held: Option<Held<S>>,
    guest: Option<Guest>,
}

impl<S> Part<S> {
    const fn none() -> Self {
        Self { state: None, held: None, guest: None }
    }

    fn found(state: State, guest: Guest) -> Self {
        Self { state: Some(state), held: None, guest: Some(guest) }
    }

    fn started(state: State, server: S, claim: Claim) -> Self {
        Self { state: Some(state), held: Some(Held { server, claim }), guest: None }
    }
}

fn folder(path: PathBuf) -> Result<PathBuf> {
    create_private(&path)?;
    Ok(path)
}

fn ready(url: &SecretUrl, server_pid: u32, version: &str) -> State {
    State { url: url.clone(), server_pid, version: version.to_owned(), since: now() }
}

#[expect(clippy::disallowed_methods, reason = "the time that `archer dev status` shows starts here")]
fn now() -> DateTime<Utc> {
    Utc::now()
}
