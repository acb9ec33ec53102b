//! `archer dev up | down | status | env | reset`, and the hidden commands behind them.
//!
//! Each command is a function that returns what it did; [`run`] prints that for people or as JSON.

mod report;

use std::fs::OpenOptions;
use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use tokio::time::{Instant, sleep};

use crate::claim::{self, Holder, Owner, POLL};
use crate::error::{Doing, Error, Result, length, log_tail, rotate};
use crate::hold::{HoldOptions, hold};
use crate::host::{self, HostArguments};
use crate::layout::Layout;
use crate::program::Program;
use crate::servers::{Needs, ServerEndpoints};
use crate::{clickhouse, postgres};

pub use report::{Down, Env, Reset, ServerStatus, Status, Up};

/// Embedded PostgreSQL and ClickHouse for development
#[derive(Debug, clap::Subcommand)]
pub enum DevCommand {
    /// Start the servers, or find them running, and leave them running
    #[command(after_help = "EXAMPLE:\n  archer dev up && eval \"$(archer dev env)\"")]
    Up(UpArguments),
    /// Stop the servers that `up` started, and wait until they are gone
    #[command(after_help = "EXAMPLE:\n  archer dev down")]
    Down(Place),
    /// Say which servers run, where, and since when; exit code 3 if one does not
    #[command(after_help = "EXAMPLE:\n  archer dev status --json")]
    Status(Place),
    /// Print `export NAME='url'` lines for a shell; exit code 3 if no server runs
    #[command(after_help = "EXAMPLE:\n  eval \"$(archer dev env)\" && psql \"$ARDB_URL\"")]
    Env(Place),
    /// Stop the servers and delete their data
    #[command(after_help = "EXAMPLE:\n  archer dev reset --yes")]
    Reset(ResetArguments),
    /// Own the servers until told to stop; what `up` runs in the background
    #[command(hide = true)]
    Hold(HoldArguments),
    /// Become a server
    #[command(hide = true)]
    Host(HostArguments),
}

/// Which pair of servers.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Place {
    /// Folder of the servers' files [else ARCHER_DIR, else .archer in the project]
    #[arg(long, value_name = "FOLDER")]
    pub dir: Option<PathBuf>,
}

impl Place {
    fn layout(&self) -> Result<Layout> {
        Layout::find(self.dir.as_deref())
    }
}

/// One of the two servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Server {
    /// PostgreSQL
    Postgres,
    /// ClickHouse
    Clickhouse,
}

/// Both servers, or one.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct Which {
    /// Just this server
    #[arg(long, value_enum)]
    pub only: Option<Server>,
}

impl Which {
    fn needs(self) -> Needs {
        Needs {
            postgres: self.only != Some(Server::Clickhouse),
            clickhouse: self.only != Some(Server::Postgres),
        }
    }
}

/// Arguments of `up`.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct UpArguments {
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// Which.
    #[command(flatten)]
    pub which: Which,
}

/// Arguments of `reset`.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ResetArguments {
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

/// Arguments of `hold`.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct HoldArguments {
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// Which.
    #[command(flatten)]
    pub which: Which,
    /// Data in a temporary folder, removed at the end
    #[arg(long)]
    pub ephemeral: bool,
    /// End when standard input does
    #[arg(long)]
    pub until_stdin_closes: bool,
    /// Leave the terminal's session
    #[arg(long)]
    pub detached: bool,
    /// Folder to keep the servers' logs in, where their data is not kept
    #[arg(long, value_name = "FOLDER", requires = "ephemeral")]
    pub logs: Option<PathBuf>,
}

/// The answer is "no": what was asked about is not running.
const NO: u8 = 3;

/// Runs one command and prints what it did; exit code 0 done, 3 not running.
///
/// `host` blocks the calling thread: that thread becomes the server.
///
/// # Errors
///
/// Whatever kept the command from being done (exit code 1); nothing is printed about it here.
pub async fn run(command: DevCommand, json: bool, program: &Program) -> Result<ExitCode> {
    match command {
        DevCommand::Up(arguments) => {
            let done = up(&arguments.place.layout()?, arguments.which.needs(), program).await?;
            print(&done, json)?;
        }
        DevCommand::Down(place) => print(&down(&place.layout()?).await?, json)?,
        DevCommand::Status(place) => {
            let status = status(&place.layout()?).await?;
            print(&status, json)?;
            if !status.all_run() {
                return Ok(ExitCode::from(NO));
            }
        }
        DevCommand::Env(place) => {
            let Some(found) = env(&place.layout()?).await? else {
                eprintln!("no server runs here: start them with `archer dev up`");
                return Ok(ExitCode::from(NO));
            };
            print(&found, json)?;
        }
        DevCommand::Reset(arguments) => {
            let layout = arguments.place.layout()?;
            if !arguments.yes && !confirm(&layout)? {
                eprintln!("nothing was deleted");
                return Ok(ExitCode::from(NO));
            }
            print(&reset(&layout).await?, json)?;
        }
        DevCommand::Hold(arguments) => {
            let options = HoldOptions {
                ephemeral: arguments.ephemeral,
                until_stdin_closes: arguments.until_stdin_closes,
                detached: arguments.detached,
                logs: arguments.logs,
            };
            hold(&arguments.place.layout()?, arguments.which.needs(), options, program).await?;
        }
        DevCommand::Host(arguments) => return host::run(&arguments),
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes the servers ready and leaves them running, in a process of their own.
///
/// # Errors
///
/// Whatever keeps a server from being downloaded or started, with the end of its log.
pub async fn up(layout: &Layout, needs: Needs, program: &Program) -> Result<Up> {
    let before = status(layout).await?;
    if before.run(needs) {
        return Ok(Up { started: false, status: before });
    }
    // Here, where there may be a terminal to show progress on.
    if needs.postgres && !before.postgres.running {
        let existing = postgres::existing_release(&layout.postgres())?;
        postgres::find(existing, program).await?;
    }
    if needs.clickhouse && !before.clickhouse.running {
        clickhouse::find(program).await?;
    }
    layout.create()?;
    let log = layout.hold_log();
    rotate(&log)?;
    let log_start = length(&log);
    let output = OpenOptions::new().create(true).append(true).open(&log).doing("open", &log)?;
    let mut command = program.command("hold");
    command.arg("--dir").arg(layout.root()).arg("--detached");
    match (needs.postgres, needs.clickhouse) {
        (true, false) => drop(command.args(["--only", "postgres"])),
        (false, true) => drop(command.args(["--only", "clickhouse"])),
        _ => {}
    }
    // Its one line of JSON holds passwords, so it does not go to the log.
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(output).current_dir("/");
    let mut holder = command.spawn().doing("run", &program.path)?;
    loop {
        let now = status(layout).await?;
        if now.run(needs) {
            return Ok(Up { started: true, status: now });
        }
        if let Some(ended) = holder.try_wait().doing("wait for", &program.path)? {
            // It ends well when another process holds the servers; those may be ready by now.
            let now = status(layout).await?;
            if ended.success() && now.run(needs) {
                return Ok(Up { started: false, status: now });
            }
            return Err(Error::Busy {
                detail: format!("the servers did not start ({ended}); {}", log_tail(&log, log_start, 12)),
            });
        }
        sleep(POLL).await;
    }
}

/// Stops the servers that `up` started and waits until they are gone.
///
/// # Errors
///
/// [`Error::Busy`] if another command owns a server, or one does not end.
pub async fn down(layout: &Layout) -> Result<Down> {
    let mut asked = Vec::new();
    for folder in [layout.postgres(), layout.clickhouse()] {
        let Some(owner) = claim::ask_to_end(&folder, Signal::TERM).await? else { continue };
        if owner.holder == Holder::Command {
            return Err(Error::Busy { detail: belongs_to_a_command(&owner) });
        }
        if !asked.contains(&owner.pid) {
            asked.push(owner.pid);
        }
    }
    let deadline = Instant::now() + Duration::from_secs(40);
    for folder in [layout.postgres(), layout.clickhouse()] {
        while claim::owner(&folder).await?.is_some() {
            if Instant::now() > deadline {
                return Err(Error::Busy {
                    detail: format!("a server of {} does not end; see the logs there", folder.display()),
                });
            }
            sleep(POLL).await;
        }
    }
    // What an owner left that was killed.
    postgres::end_orphan(&layout.postgres()).await?;
    clickhouse::end_orphan(&layout.clickhouse()).await?;
    Ok(Down { dir: layout.root().to_owned(), stopped: !asked.is_empty() })
}

fn belongs_to_a_command(owner: &Owner) -> String {
    format!("process {} started these servers and stops them when it ends: let it end first", owner.pid)
}

/// Which servers run.
///
/// # Errors
///
/// [`Error::Io`] if the folder cannot be read.
pub async fn status(layout: &Layout) -> Result<Status> {
    Ok(Status {
        dir: layout.root().to_owned(),
        postgres: ServerStatus::of(claim::owner(&layout.postgres()).await?),
        clickhouse: ServerStatus::of(claim::owner(&layout.clickhouse()).await?),
    })
}

/// The URLs of the servers that run; `None` if none does.
///
/// # Errors
///
/// [`Error::Io`] if the folder cannot be read.
pub async fn env(layout: &Layout) -> Result<Option<Env>> {
    let state = |owner: Option<Owner>| owner.and_then(|owner| owner.state);
    let postgres = state(claim::owner(&layout.postgres()).await?);
    let clickhouse = state(claim::owner(&layout.clickhouse()).await?);
    if postgres.is_none() && clickhouse.is_none() {
        return Ok(None);
    }
    Ok(Some(Env::of(&ServerEndpoints::new(postgres, clickhouse))))
}

/// Stops the servers and deletes everything in their folders.
///
/// # Errors
///
/// As [`down`]; [`Error::Io`] if something cannot be deleted.
pub async fn reset(layout: &Layout) -> Result<Reset> {
    let Down { stopped, .. } = down(layout).await?;
    let mut deleted = Vec::new();
    for folder in [layout.postgres(), layout.clickhouse()] {
        if folder.is_dir() {
            std::fs::remove_dir_all(&folder).doing("delete", &folder)?;
            deleted.push(folder);
        }
    }
    Ok(Reset { stopped, deleted })
}

/// Asks on a terminal; where there is none, nobody can agree.
fn confirm(layout: &Layout) -> Result<bool> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Err(Error::Busy {
            detail: format!(
                "nothing was deleted: `reset` deletes {}, so agree with --yes where nobody can be asked",
                layout.root().display()
            ),
        });
    }
    let asking = |source| Error::Io { doing: "cannot ask".into(), source };
    eprint!("Delete the databases in {}? [y/N] ", layout.root().display());
    std::io::stderr().flush().map_err(asking)?;
    let mut answer = String::new();
    stdin.lock().read_line(&mut answer).map_err(asking)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// To standard output; a reader that has gone away is no error.
fn print(value: &(impl std::fmt::Display + serde::Serialize), json: bool) -> Result<()> {
    let mut text = match json {
        true => serde_json::to_string_pretty(value).expect("only string keys in it"),
        false => value.to_string(),
    };
    if !text.ends_with('\n') {
        text.push('\n');
    }
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::Io { doing: "cannot write to standard output".into(), source: error })
        }
        _ => Ok(()),
    }
}
