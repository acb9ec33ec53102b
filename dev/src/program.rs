//! The program that servers are started through.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use crate::error::{Error, Result};

/// A program whose `host` and `hold` subcommands are those of [`crate::commands`].
///
/// Servers are children of this program rather than of a library: it is the one that ties their
/// life to their owner's (see [`crate::host`]).
#[derive(Clone, Debug)]
pub struct Program {
    /// The executable.
    pub path: PathBuf,
    /// What comes before `host` or `hold` on its command line.
    pub leading: Vec<OsString>,
}

impl Program {
    /// The running executable, with its commands under `dev`: `archer dev …`.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the operating system does not tell the executable's path.
    pub fn current() -> Result<Self> {
        let path = std::env::current_exe()
            .map_err(|source| Error::Io { doing: "cannot find this program's own file".into(), source })?;
        Ok(Self { path, leading: vec!["dev".into()] })
    }

    /// A command line of this program, up to and with `subcommand`.
    pub(crate) fn command(&self, subcommand: &str) -> Command {
        let mut command = Command::new(&self.path);
        command.args(&self.leading).arg(subcommand);
        command
    }
}
