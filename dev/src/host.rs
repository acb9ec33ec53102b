//! The inside of a server's process, before the server itself runs there.
//!
//! Every server is started as `PROGRAM … host`, which ties the process to its owner, locks `alive`
//! and then becomes the server: PostgreSQL or a ClickHouse binary by `exec`, ClickHouse's library
//! by a call. So what follows is safe code that runs in a process of its own instead of unsafe
//! code between fork and exec.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Seek, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use rustix::process::Pid;

use crate::claim;
use crate::error::{Doing, Error, Result};
use crate::program::Program;

/// What a host is to become.
#[derive(Debug, clap::Args)]
pub struct HostArguments {
    /// The owner's process: if it is not this process's parent any more, do not start.
    #[arg(long)]
    parent: i32,
    /// What the kernel sends the server when its owner ends (Linux).
    #[arg(long, value_enum)]
    at_owners_end: AtOwnersEnd,
    /// File to lock for as long as the server lives.
    #[arg(long)]
    alive: Option<PathBuf>,
    /// ClickHouse's library to call, instead of a program to run.
    #[arg(long)]
    library: Option<PathBuf>,
    /// Become this user, in no group that owns anything.
    #[arg(long)]
    user: Option<u32>,
    /// The program and its arguments.
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

/// What the kernel sends to a server whose owner has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum AtOwnersEnd {
    /// PostgreSQL's fast shutdown.
    Interrupt,
    /// The end.
    Kill,
    /// The server reads its standard input and sees the end of it.
    Nothing,
}

impl AtOwnersEnd {
    const fn flag(self) -> &'static str {
        match self {
            Self::Interrupt => "interrupt",
            Self::Kill => "kill",
            Self::Nothing => "nothing",
        }
    }
}

/// How to start one host; see [`HostArguments`] for the fields.
#[derive(Debug)]
pub(crate) struct Host<'a> {
    pub(crate) at_owners_end: AtOwnersEnd,
    pub(crate) alive: Option<PathBuf>,
    pub(crate) library: Option<PathBuf>,
    pub(crate) user: Option<u32>,
    pub(crate) command: &'a [OsString],
}

impl Host<'_> {
    /// The command line of a host whose parent is this process.
    pub(crate) fn command(&self, program: &Program) -> Command {
        let mut host = program.command("host");
        host.arg("--parent").arg(std::process::id().to_string());
        host.arg("--at-owners-end").arg(self.at_owners_end.flag());
        if let Some(alive) = &self.alive {
            host.arg("--alive").arg(alive);
        }
        if let Some(library) = &self.library {
            host.arg("--library").arg(library);
        }
        if let Some(user) = self.user {
            host.arg("--user").arg(user.to_string());
        }
        host.arg("--").args(self.command);
        host
    }
}

/// Ties this process to its owner and becomes the server. Returns when ClickHouse's library is
/// done; otherwise only on failure.
///
/// # Errors
///
/// [`Error::Io`] if the owner is gone, the lock is held or the program does not run;
/// [`Error::ClickHouse`] if the library refuses what it is asked.
pub fn run(arguments: &HostArguments) -> Result<ExitCode> {
    // In this order: the lock is that of the owner's user, and giving up root takes the tie away.
    let alive = arguments.alive.as_deref().map(lock_alive).transpose()?;
    if let Some(user) = arguments.user {
        become_user(user)?;
    }
    end_with_owner(arguments)?;
    if let Some(library) = &arguments.library {
        crate::chdb::run(library, &arguments.command)?;
        drop(alive);
        return Ok(ExitCode::SUCCESS);
    }
    let [program, rest @ ..] = arguments.command.as_slice() else {
        return Err(gone(std::io::Error::other("no program was named")));
    };
    if let (Some(alive), Some(path)) = (&alive, &arguments.alive) {
        // The server and all that it starts keep the file open, and so the lock.
        rustix::io::fcntl_setfd(alive, rustix::io::FdFlags::empty())
            .map_err(std::io::Error::from)
            .doing("keep open", path)?;
    }
    Err(Command::new(program).args(rest).exec()).doing("run", program.as_ref())
}

fn gone(source: std::io::Error) -> Error {
    Error::Io { doing: "the server was not started".into(), source }
}

/// The signal at the owner's end survives `exec`; it is sent to us though another program runs.
fn end_with_owner(arguments: &HostArguments) -> Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        use rustix::process::Signal;
        let signal = match arguments.at_owners_end {
            AtOwnersEnd::Interrupt => Some(Signal::INT),
            AtOwnersEnd::Kill => Some(Signal::KILL),
            AtOwnersEnd::Nothing => None,
        };
        rustix::process::set_parent_process_death_signal(signal).map_err(|error| gone(error.into()))?;
    }
    // An owner that ended before the line above sends nothing any more.
    if rustix::process::getppid() != Pid::from_raw(arguments.parent) {
        return Err(gone(std::io::Error::other("its owner has ended")));
    }
    Ok(())
}

/// Locks `path` and writes our process id into it.
fn lock_alive(path: &std::path::Path) -> Result<File> {
    let mut file = claim::open(path)?;
    // The owner has made sure that no server holds it; whoever looks whether one does, holds it for
    // an instant.
    file.lock().doing("lock", path)?;
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| writeln!(file, "{}", std::process::id()))
        .doing("write", path)?;
    Ok(file)
}

/// The group of those who have none.
pub(crate) const NO_GROUP: u32 = 65534;

/// Gives up root for good. Where the process is a thread among others, `exec` leaves this one only.
fn become_user(user: u32) -> Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        use rustix::thread::{set_thread_gid, set_thread_groups, set_thread_uid};
        set_thread_groups(&[])
            .and_then(|()| set_thread_gid(rustix::process::Gid::from_raw(NO_GROUP)))
            .and_then(|()| set_thread_uid(rustix::process::Uid::from_raw(user)))
            .map_err(|error| gone(error.into()))
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    {
        let _ = user;
        Err(gone(std::io::Error::other("becoming another user is done on Linux only")))
    }
}
