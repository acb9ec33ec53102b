//! The running server: started through a host, ready when it takes a connection.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::Signal;
use sea_orm::sqlx::{self, Connection, PgConnection, Row};
use tokio::time::{Instant, sleep, timeout};

use crate::child::Child;
use crate::claim::{self, POLL};
use crate::error::{Doing, Error, Result, length, log_tail, rotate};
use crate::host::{AtOwnersEnd, Host};
use crate::port;
use crate::program::Program;
use crate::secret::{self, SecretUrl};

use super::cluster::{Cluster, RunAs, existing_release};
use super::{Binaries, DATABASES, USER, failed};

/// A server that does not answer after this long has failed; recovery after a crash is included.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// How long a fast shutdown may take before an immediate one.
const STOP_WITHIN: Duration = Duration::from_secs(10);
/// How often another port is tried when somebody takes the one that was free.
const ATTEMPTS: u32 = 5;

/// A server of ours. Dropping it stops it, waiting for at most [`STOP_WITHIN`].
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) url: SecretUrl,
    pub(crate) version: String,
    log: PathBuf,
    log_start: u64,
}

impl Server {
    /// Starts the server of `folder`, creating its cluster if there is none.
    pub(crate) async fn start(folder: &Path, durable: bool, program: &Program) -> Result<Self> {
        let cluster = Cluster { folder: folder.to_owned(), run_as: RunAs::detect().await };
        end_orphan(folder).await?;
        let existing = existing_release(folder)?;
        let binaries = super::find(existing, program).await?;
        if existing.is_none() {
            cluster.initialise(&binaries, durable, program).await?;
        }
        // No process of the cluster is alive, so what this says is stale; left in place it would
        // stop the server if another process has been given the same id.
        claim::remove(&cluster.data().join("postmaster.pid"))?;
        let mut preferred =
            std::fs::read_to_string(folder.join("port")).ok().and_then(|text| text.trim().parse().ok());
        let mut attempt = 0;
        loop {
            attempt += 1;
            let port = port::free(preferred.take())?;
            let mut server = Self::spawn(&cluster, &binaries, port, durable, program)?;
            match server.ready().await {
                Ok(version) => {
                    secret::write_private(&folder.join("port"), &port.to_string())?;
                    server.version = version;
                    return Ok(server);
                }
                Err(ended) => {
                    let tail = log_tail(&server.log, server.log_start, 12);
                    if attempt < ATTEMPTS && tail.contains("could not bind") {
                        continue;
                    }
                    return Err(failed(format!("{ended}; {tail}{}", cluster.hint())));
                }
            }
        }
    }

    fn spawn(
        cluster: &Cluster,
        binaries: &Binaries,
        port: u16,
        durable: bool,
        program: &Program,
    ) -> Result<Self> {
        let path = cluster.folder.join("password");
        let password = std::fs::read_to_string(&path).doing("read", &path)?;
        let url = format!("postgres://{USER}:{}@127.0.0.1:{port}/postgres", password.trim());
        let url = url
            .parse()
            .map(SecretUrl::new)
            .map_err(|_| failed(format!("has a damaged password file {}", path.display())))?;
        let log = cluster.folder.join("postgres.log");
        rotate(&log)?;
        let log_start = length(&log);
        let output = OpenOptions::new().create(true).append(true).open(&log).doing("open", &log)?;

        let mut words = cluster.run_as.prefix();
        words.push(binaries.folder.join("postgres").into());
        words.extend(["-D".into(), cluster.data().into(), "-p".into(), OsString::from(port.to_string())]);
        for setting in SETTINGS.iter().chain(if durable { [].iter() } else { FORGETFUL.iter() }) {
            words.extend(["-c".into(), OsString::from(setting)]);
        }
        let host = Host {
            at_owners_end: AtOwnersEnd::Interrupt,
            alive: Some(cluster.folder.join("alive")),
            library: None,
            user: cluster.run_as.user(),
            command: &words,
        };
        let mut command = host.command(program);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
            command.env_remove(name);
        }
        command
            .env("LC_ALL", "C")
            .current_dir(&cluster.folder)
            .stdin(Stdio::null())
            .stdout(output.try_clone().doing("open", &log)?)
            .stderr(output);
        Ok(Self { child: Child::spawn(command)?, url, version: String::new(), log, log_start })
    }

    /// Waits until the server takes a connection and has our databases; its version. The error is
    /// what became of it instead.
    async fn ready(&self) -> std::result::Result<String, String> {
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            let attempt = timeout(Duration::from_secs(5), prepare(&self.url));
            let refused = tokio::select! {
                status = self.child.ended() => return Err(format!("did not start ({status})")),
                answer = attempt => match answer {
                    Ok(Ok(version)) => return Ok(version),
                    Ok(Err(error)) => error.to_string(),
                    Err(_) => "no answer within 5 s".into(),
                },
            };
            if Instant::now() > deadline {
                return Err(format!("was not ready within {} s ({refused})", READY_WITHIN.as_secs()));
            }
            sleep(POLL).await;
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the end of the server that nobody asked for; what happened.
    pub(crate) async fn failed(&self) -> Error {
        let status = self.child.ended().await;
        failed(format!("ended by itself ({status}); {}", log_tail(&self.log, self.log_start, 6)))
    }

    /// Fast shutdown, then an immediate one, then the kernel's.
    pub(crate) async fn stop(&self) -> Result<()> {
        for (signal, within) in [
            (Signal::INT, STOP_WITHIN),
            (Signal::QUIT, Duration::from_secs(5)),
            (Signal::KILL, Duration::from_secs(5)),
        ] {
            self.child.signal(signal);
            if self.child.ended_within(within).await {
                return Ok(());
            }
        }
        Err(failed(format!("process {} does not end", self.pid())))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.signal(Signal::INT);
        if !self.child.blocking_ended_within(STOP_WITHIN) {
            self.child.signal(Signal::KILL);
        }
    }
}

/// Connects, creates the databases, roles and logins that are missing, and asks for the version.
async fn prepare(url: &SecretUrl) -> sqlx::Result<String> {
    let mut connection = PgConnection::connect(&format!("{}?sslmode=disable", url.expose())).await?;
    let existing: Vec<String> = sqlx::query("select datname::text from pg_database")
        .fetch_all(&mut connection)
        .await?
        .iter()
        .map(|row| row.try_get(0))
        .collect::<sqlx::Result<_>>()?;
    for database in DATABASES {
        if !existing.iter().any(|name| name == database) {
            sqlx::raw_sql(sqlx::AssertSqlSafe(format!("create database {database}")))
                .execute(&mut connection)
                .await?;
        }
    }
    super::logins::prepare(url, &mut connection).await?;
    let version = sqlx::query("show server_version").fetch_one(&mut connection).await?.try_get(0)?;
    connection.close().await?;
    Ok(version)
}

/// Ends a server of `folder` whose owner ended without it: where the kernel does not tell a child
/// that its parent has died, or while it is still shutting down. Nobody may own the folder but us.
pub(crate) async fn end_orphan(folder: &Path) -> Result<()> {
    if claim::no_server_alive(folder, Duration::from_secs(1)).await? {
        return Ok(());
    }
    for signal in [Signal::INT, Signal::QUIT, Signal::KILL] {
        // The lock is held, and the id in it is of the process that took it or, if that one was
        // killed, of a postmaster whose last children are ending; those need no signal.
        if let Some(pid) = claim::server_pid(folder).filter(|pid| is_postmaster(*pid, folder)) {
            // Failing means that it has ended by now.
            let _ = rustix::process::kill_process(pid, signal);
        }
        if claim::no_server_alive(folder, Duration::from_secs(5)).await? {
            return Ok(());
        }
    }
    let alive = folder.join("alive");
    Err(failed(format!("of an earlier run still runs: end the processes that hold {} open", alive.display())))
}

/// Whether process `pid` is the postmaster that wrote `postmaster.pid` in `folder`.
fn is_postmaster(pid: rustix::process::Pid, folder: &Path) -> bool {
    let Ok(text) = std::fs::read_to_string(folder.join("data/postmaster.pid")) else { return false };
    text.lines().next().and_then(|line| line.trim().parse().ok()) == Some(pid.as_raw_pid())
}

const SETTINGS: &[&str] = &[
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=200",
    "timezone=UTC",
    "log_timezone=UTC",
    "log_min_messages=warning",
    "log_checkpoints=off",
    "jit=off",
];

/// Durability off, for data that nobody needs after the run.
const FORGETFUL: &[&str] = &[
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "wal_level=minimal",
    "max_wal_senders=0",
];
