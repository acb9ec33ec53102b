//! The long-running owner of servers: behind `archer dev up`, and behind a test run.

use std::io::Write;
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::claim::Holder;
use crate::error::{Error, Result};
use crate::layout::{Ephemeral, Layout};
use crate::postgres::Role;
use crate::program::Program;
use crate::servers::{Needs, Options, ServerEndpoints, Servers};

/// A ClickHouse that ends sooner than this after its start is not started again.
const LIVES_AT_LEAST: Duration = Duration::from_secs(5);

/// How to hold.
#[derive(Clone, Debug)]
pub struct HoldOptions {
    /// Data in a temporary folder that is removed at the end, and no waiting for the disk.
    pub ephemeral: bool,
    /// End when standard input does: whoever holds the other end of a pipe cannot be outlived.
    pub until_stdin_closes: bool,
    /// Leave the terminal's session, so that nothing typed there ends the servers.
    pub detached: bool,
    /// A folder that is there, for the logs of ephemeral servers: they stay when the rest is removed.
    pub logs: Option<PathBuf>,
}

/// The one line of JSON on standard output that says that the servers are ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// `postgres://user:password@host:port/ardb`; a superuser's; null if PostgreSQL was not wanted, as
    /// all but the last.
    pub ardb_url: Option<String>,
    /// `/identitydb`, for who serves from it.
    pub identitydb_url: Option<String>,
    /// The same for who migrates it.
    pub identitydb_owner_url: Option<String>,
    /// The same for who reports from it.
    pub identitydb_reader_url: Option<String>,
    /// As `ardb_url` with `/analyticsdb`.
    pub analyticsdb_url: Option<String>,
    /// `http://user:password@host:port/events`; null if ClickHouse was not wanted.
    pub clickhouse_url: Option<String>,
}

impl Ready {
    pub(crate) fn of(endpoints: &ServerEndpoints) -> Self {
        let postgres = |database, role| endpoints.postgres(database, role).map(|url| url.expose().to_owned());
        Self {
            ardb_url: postgres("ardb", Role::Writer),
            identitydb_url: postgres("identitydb", Role::Writer),
            identitydb_owner_url: postgres("identitydb", Role::Owner),
            identitydb_reader_url: postgres("identitydb", Role::Reader),
            analyticsdb_url: postgres("analyticsdb", Role::Writer),
            clickhouse_url: endpoints.clickhouse().map(|url| url.expose().to_owned()),
        }
    }
}

/// Starts servers, says where they are, keeps them until told to stop, stops them.
///
/// It ends on SIGTERM, SIGINT or SIGHUP, when standard input closes (if asked to), and at once if
/// every server that is wanted is already held by another process.
///
/// # Errors
///
/// Whatever keeps a server from starting; the end of a server that nobody stopped.
pub async fn hold(layout: &Layout, needs: Needs, options: HoldOptions, program: &Program) -> Result<()> {
    if options.detached {
        // Fails where we lead a process group already, and then there is no session to leave.
        let _ = rustix::process::setsid();
    }
    let mut end = pin!(told_to_end(options.until_stdin_closes)?);
    let ephemeral = match options.ephemeral {
        true => Some(Ephemeral::create().await?),
        false => None,
    };
    if let (Some(ephemeral), Some(logs)) = (&ephemeral, &options.logs) {
        ephemeral.keep_logs(logs)?;
    }
    let layout = ephemeral.as_ref().map_or(layout, Ephemeral::layout);
    let starting =
        Servers::start(layout, needs, Options { durable: !options.ephemeral, holder: Holder::Hold }, program);
    let mut servers = tokio::select! {
        servers = starting => servers?,
        () = &mut end => return Ok(()),
    };
    announce(servers.endpoints())?;
    if !servers.owns_any() {
        return Ok(());
    }
    let failed = tokio::select! {
        () = &mut end => None,
        error = keep(&mut servers, layout, program) => Some(error),
    };
    let stopped = servers.stop().await;
    // Removes its folder, now that nothing runs there.
    drop(ephemeral);
    match failed {
        Some(error) => Err(error),
        None => stopped,
    }
}

/// Waits until a server ends though nobody stopped it. ClickHouse is started again, since the embedded one ends itself for
/// what a client does (a connection that is reset between two statements, half a request); but not where it ends as soon
/// as it is started.
async fn keep(servers: &mut Servers, layout: &Layout, program: &Program) -> Error {
    loop {
        let since = Instant::now();
        let error = servers.failed().await;
        if !matches!(error, Error::ClickHouse { .. }) || since.elapsed() < LIVES_AT_LEAST {
            return error;
        }
        tracing::warn!("{error}; it is started again");
        if let Err(error) = servers.revive_clickhouse(layout, program).await {
            return error;
        }
    }
}

fn announce(endpoints: &ServerEndpoints) -> Result<()> {
    let mut line = serde_json::to_string(&Ready::of(endpoints)).expect("only text in it");
    line.push('\n');
    let mut out = std::io::stdout().lock();
    out.write_all(line.as_bytes()).and_then(|()| out.flush()).map_err(|source| Error::Io {
        doing: "cannot say on standard output that the servers are ready".into(),
        source,
    })
}

/// Resolves when this process is asked to end. Signals count from the call on.
fn told_to_end(until_stdin_closes: bool) -> Result<impl Future<Output = ()>> {
    let listen =
        |kind| signal(kind).map_err(|source| Error::Io { doing: "cannot listen for signals".into(), source });
    let mut terminate = listen(SignalKind::terminate())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut hang_up = listen(SignalKind::hangup())?;
    let (closed, stdin_closed) = oneshot::channel();
    if until_stdin_closes {
        // Not a task of the runtime, which would wait at the end for a read that may never return.
        std::thread::spawn(move || {
            drop(std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink()));
            // Nobody listens any more when a signal came first.
            let _ = closed.send(());
        });
    }
    Ok(async move {
        let stdin_closed = async {
            match until_stdin_closes {
                true => drop(stdin_closed.await),
                false => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hang_up.recv() => {}
            () = stdin_closed => {}
        }
    })
}
