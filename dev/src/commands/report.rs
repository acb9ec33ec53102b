//! What the commands did, for people and for programs.

use std::fmt;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::claim::{Holder, Owner};
use crate::endpoints::{IDENTITYDB_OWNER_URL, Store};
use crate::hold::Ready;
use crate::servers::{Needs, ServerEndpoints};

/// One server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ServerStatus {
    /// Whether it takes connections.
    pub running: bool,
    /// Its address without the password; null unless it runs, as all that follows.
    pub url: Option<String>,
    /// As the server says, `15.18` or `26.7.3.1`.
    pub version: Option<String>,
    /// The server's process.
    pub pid: Option<u32>,
    /// When it became ready (UTC).
    pub since: Option<DateTime<Utc>>,
    /// The process that owns it; also set while the server starts or stops.
    pub owner_pid: Option<u32>,
    /// When the owner stops it; set as `owner_pid` is.
    pub holder: Option<Holder>,
}

impl ServerStatus {
    pub(super) fn of(owner: Option<Owner>) -> Self {
        let Some(owner) = owner else { return Self::default() };
        let held = Self { owner_pid: Some(owner.pid), holder: Some(owner.holder), ..Self::default() };
        let Some(state) = owner.state else { return held };
        Self {
            running: true,
            url: Some(state.url.to_string()),
            version: Some(state.version),
            pid: Some(state.server_pid),
            since: Some(state.since),
            ..held
        }
    }

    fn describe(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Some(url), Some(version), Some(pid), Some(since)) =
            (&self.url, &self.version, self.pid, self.since)
        else {
            let what = if self.owner_pid.is_some() { "starting or stopping" } else { "not running" };
            return writeln!(f, "{name:<11}{what}");
        };
        writeln!(
            f,
            "{name:<11}{version}  {url}  (process {pid}, since {})",
            since.format("%Y-%m-%d %H:%M:%S UTC")
        )?;
        if let (Some(Holder::Command), Some(owner)) = (self.holder, self.owner_pid) {
            writeln!(f, "           stops when process {owner} ends")?;
        }
        Ok(())
    }
}

/// Both servers of a folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The folder.
    pub dir: PathBuf,
    /// PostgreSQL.
    pub postgres: ServerStatus,
    /// ClickHouse.
    pub clickhouse: ServerStatus,
}

impl Status {
    pub(super) const fn all_run(&self) -> bool {
        self.run(Needs::ALL)
    }

    pub(super) const fn run(&self, needs: Needs) -> bool {
        (self.postgres.running || !needs.postgres) && (self.clickhouse.running || !needs.clickhouse)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.postgres.describe("PostgreSQL", f)?;
        self.clickhouse.describe("ClickHouse", f)?;
        writeln!(f, "files in {}", self.dir.display())
    }
}

/// What `up` did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Up {
    /// False if everything that was asked for ran already.
    pub started: bool,
    /// The servers now.
    #[serde(flatten)]
    pub status: Status,
}

impl fmt::Display for Up {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.started { "The servers are up." } else { "The servers were up already." };
        writeln!(f, "{what}")?;
        write!(f, "{}", self.status)?;
        writeln!(f, "`archer dev env` prints the URLs, `archer dev down` stops them.")
    }
}

/// What `down` did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Down {
    /// The folder.
    pub dir: PathBuf,
    /// False if nothing ran.
    pub stopped: bool,
}

impl fmt::Display for Down {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.stopped { "The servers are down" } else { "No server was running" };
        writeln!(f, "{what} ({}).", self.dir.display())
    }
}

/// What `reset` did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reset {
    /// Whether servers were running.
    pub stopped: bool,
    /// The folders that are gone.
    pub deleted: Vec<PathBuf>,
}

impl fmt::Display for Reset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.stopped {
            writeln!(f, "Stopped the servers.")?;
        }
        if self.deleted.is_empty() {
            return writeln!(f, "There was nothing to delete.");
        }
        self.deleted.iter().try_for_each(|folder| writeln!(f, "Deleted {}.", folder.display()))
    }
}

/// Who looks at people without changing them. Nothing of ours connects with it.
const IDENTITYDB_READER_URL: &str = "IDENTITYDB_READER_URL";

/// URLs with their passwords, for a shell or a program.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Env {
    /// (variable, URL), of the servers that run.
    #[serde(flatten)]
    variables: std::collections::BTreeMap<&'static str, String>,
}

impl Env {
    pub(super) fn of(endpoints: &ServerEndpoints) -> Self {
        let ready = Ready::of(endpoints);
        let variables = [
            (Store::Ardb.variable(), ready.ardb_url),
            (Store::Identitydb.variable(), ready.identitydb_url),
            (IDENTITYDB_OWNER_URL, ready.identitydb_owner_url),
            (IDENTITYDB_READER_URL, ready.identitydb_reader_url),
            (Store::Analyticsdb.variable(), ready.analyticsdb_url),
            (Store::Events.variable(), ready.clickhouse_url),
        ];
        let variables = variables.into_iter().filter_map(|(name, url)| Some((name, url?)));
        Self { variables: variables.collect() }
    }
}

/// The names only.
impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.variables.keys()).finish()
    }
}

impl fmt::Display for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A URL holds no quote: the parser encodes it.
        self.variables
            .iter()
            .try_for_each(|(name, url)| writeln!(f, "export {name}='{}'", url.replace('\'', "%27")))
    }
}
