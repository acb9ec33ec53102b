//! The running server: started through a host, ready when it has our database.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::Signal;
use tokio::time::{Instant, sleep};
use url::Url;

use crate::child::Child;
use crate::claim::{self, POLL};
use crate::error::{Doing, Error, Result, length, log_tail, rotate};
use crate::host::{AtOwnersEnd, Host};
use crate::port;
use crate::program::Program;
use crate::secret::{self, SecretUrl};

use super::config::{self, Config, Peer};
use super::{Binary, DATABASE, USER, execute, failed, http};

/// A server that does not answer after this long has failed.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// How long it may take to end once its standard input is closed.
const STOP_WITHIN: Duration = Duration::from_secs(10);
/// How often other ports are tried when somebody takes those that were free.
const ATTEMPTS: u32 = 5;

/// A server of ours. Dropping it stops it, waiting for at most [`STOP_WITHIN`].
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) url: SecretUrl,
    pub(crate) version: String,
    /// Its standard output and error: what is said before the log is open, and the reason of an end.
    output: PathBuf,
    output_start: u64,
}

impl Server {
    /// Starts the server of `folder`.
    pub(crate) async fn start(folder: &Path, program: &Program) -> Result<Self> {
        Self::start_among(folder, &[], None, program).await
    }

    /// Starts the server of `folder` as one of a cluster of `peers`, which expect it at `tcp_port`.
    pub(super) async fn start_among(
        folder: &Path,
        peers: &[Peer],
        tcp_port: Option<u16>,
        program: &Program,
    ) -> Result<Self> {
        end_orphan(folder).await?;
        let binary = super::find(program).await?;
        let config = config::write(folder, peers)?;
        let mut preferred =
            std::fs::read_to_string(folder.join("port")).ok().and_then(|text| text.trim().parse().ok());
        let mut attempt = 0;
        loop {
            attempt += 1;
            let port = port::free(preferred.take())?;
            let ports = (port, tcp_port.map_or_else(|| port::free(None), Ok)?);
            let mut server = Self::spawn(folder, &binary, &config, ports, program)?;
            match server.ready().await {
                Ok(version) => {
                    secret::write_private(&folder.join("port"), &port.to_string())?;
                    server.version = version;
                    return Ok(server);
                }
                Err(ended) => {
                    let tail = log_tail(&server.output, server.output_start, 12);
                    if attempt < ATTEMPTS && tail.contains("Address already in use") {
                        continue;
                    }
                    return Err(failed(format!("{ended}; {tail}")));
                }
            }
        }
    }

    /// The ports are those of HTTP and of TCP.
    fn spawn(
        folder: &Path,
        binary: &Binary,
        config: &Config,
        (port, tcp_port): (u16, u16),
        program: &Program,
    ) -> Result<Self> {
        let url = format!("http://{USER}:{}@127.0.0.1:{port}/{DATABASE}", config.password);
        let url = url.parse().map(SecretUrl::new).map_err(|_| failed("has a damaged password file"))?;
        let output = folder.join("clickhouse.out");
        rotate(&output)?;
        let output_start = length(&output);
        let out = OpenOptions::new().create(true).append(true).open(&output).doing("open", &output)?;

        let with = |option: &str, value: &Path| {
            let mut word = OsString::from(option);
            word.push(value);
            word
        };
        let mut words: Vec<OsString> = match binary {
            Binary::Program(path) => vec![path.into(), "local".into()],
            Binary::Library(_) => vec!["clickhouse".into()],
        };
        words.extend([
            with("--config-file=", &config.file),
            with("--path=", &config.data),
            // The level in the configuration file is overruled by this option's default.
            "--log-level=warning".into(),
            "--listen_host=127.0.0.1".into(),
            format!("--http_port={port}").into(),
            format!("--tcp_port={tcp_port}").into(),
            format!("--query={}", config::START).into(),
        ]);
        let host = Host {
            at_owners_end: AtOwnersEnd::Nothing,
            alive: Some(folder.join("alive")),
            library: match binary {
                Binary::Program(_) => None,
                Binary::Library(path) => Some(path.clone()),
            },
            user: None,
            command: &words,
        };
        let mut command = host.command(program);
        command
            .env("TZ", "UTC")
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(out.try_clone().doing("open", &output)?)
            .stderr(out);
        Ok(Self { child: Child::spawn(command)?, url, version: String::new(), output, output_start })
    }

    /// Waits until the server answers and has our database; its version. The error is what became
    /// of it instead.
    async fn ready(&self) -> std::result::Result<String, String> {
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            let refused = tokio::select! {
                status = self.child.ended() => return Err(format!("did not start ({status})")),
                answer = prepare(&self.url) => match answer {
                    Ok(version) => return Ok(version),
                    Err(error) => error.to_string(),
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
        failed(format!("ended by itself ({status}); {}", log_tail(&self.output, self.output_start, 6)))
    }

    /// Ends it as a crash does, without a chance to write anything down.
    pub(super) async fn kill(&mut self) -> Result<()> {
        self.child.signal(Signal::KILL);
        if self.child.ended_within(Duration::from_secs(5)).await {
            return Ok(());
        }
        Err(failed(format!("process {} does not end", self.pid())))
    }

    /// Closes its standard input; if that does not end it, the kernel does.
    pub(crate) async fn stop(&mut self) -> Result<()> {
        drop(self.child.stdin.take());
        if self.child.ended_within(STOP_WITHIN).await {
            return Ok(());
        }
        self.child.signal(Signal::KILL);
        if self.child.ended_within(Duration::from_secs(5)).await {
            return Ok(());
        }
        Err(failed(format!("process {} does not end", self.pid())))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        if !self.child.blocking_ended_within(STOP_WITHIN) {
            self.child.signal(Signal::KILL);
        }
    }
}

/// Ends a server of `folder` whose owner ended without it and that has not noticed, kept by a
/// statement. Nobody may own the folder but us.
pub(crate) async fn end_orphan(folder: &Path) -> Result<()> {
    if claim::no_server_alive(folder, Duration::from_secs(5)).await? {
        return Ok(());
    }
    // The lock is held by the process whose id it holds: the library starts no others.
    if let Some(pid) = claim::server_pid(folder) {
        // Failing means that it has ended by now.
        let _ = rustix::process::kill_process(pid, Signal::KILL);
    }
    if claim::no_server_alive(folder, Duration::from_secs(5)).await? {
        return Ok(());
    }
    let alive = folder.join("alive");
    Err(failed(format!("of an earlier run still runs: end the process that holds {} open", alive.display())))
}

/// Creates our database, closes the door behind the starting session, and asks for the version.
async fn prepare(url: &SecretUrl) -> Result<String> {
    if !http::ping(url.as_url()).await {
        return Err(failed("does not answer /ping yet"));
    }
    let server: &Url = url.as_url();
    let mut no_database = server.clone();
    no_database.set_path("");
    // Its own default database has an engine that refuses refreshable materialized views.
    execute(&no_database, &format!("CREATE DATABASE IF NOT EXISTS {DATABASE} ENGINE = Atomic")).await?;
    let running = "SELECT count() FROM system.processes WHERE query LIKE '%/dev/stdin%' AND query NOT LIKE '%system.processes%'";
    if execute(server, running).await? == "0" {
        return Err(failed("has not come to the end of its first statements yet"));
    }
    use_up_the_quota(&no_database).await?;
    execute(server, "SELECT version()").await
}

/// See `users_xml`: after this nobody gets in without the password.
async fn use_up_the_quota(url: &Url) -> Result<()> {
    const QUOTA_EXCEEDED: &str = "Code: 201";
    let mut anonymous = url.clone();
    if anonymous.set_username("").is_err() || anonymous.set_password(None).is_err() {
        return Err(failed(format!("has a strange address {}", SecretUrl::new(url.clone()))));
    }
    for _ in 0..8 {
        // Not `SELECT 1`: a statement that reads no table is not counted.
        if let Err(error) = execute(&anonymous, "SELECT 1 FROM numbers(1)").await
            && error.to_string().contains(QUOTA_EXCEEDED)
        {
            return Ok(());
        }
    }
    Err(failed("answers without a password"))
}
