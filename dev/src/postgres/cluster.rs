//! A data folder: made once, and run as a user that PostgreSQL accepts.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use crate::error::{Doing, Result};
use crate::secret;

use super::{Binaries, USER, failed};

/// Who runs the server. PostgreSQL refuses to run as root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RunAs {
    /// We are not root.
    Ourselves,
    /// We are root and look like another user to PostgreSQL, in a user namespace of its own.
    Namespace,
    /// We are root, may not make namespaces, and become this user.
    User(u32),
}

impl RunAs {
    /// The way that works here.
    pub(super) async fn detect() -> Self {
        if !rustix::process::geteuid().is_root() {
            return Self::Ourselves;
        }
        let mut probe = Command::new("unshare");
        probe.args(NAMESPACE).arg("true").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if probe.status().await.is_ok_and(|status| status.success()) {
            return Self::Namespace;
        }
        Self::User(unprivileged_user())
    }

    /// What comes before the program.
    pub(super) fn prefix(self) -> Vec<OsString> {
        match self {
            Self::Namespace => std::iter::once("unshare").chain(NAMESPACE).map(Into::into).collect(),
            Self::Ourselves | Self::User(_) => Vec::new(),
        }
    }

    pub(super) const fn user(self) -> Option<u32> {
        match self {
            Self::User(user) => Some(user),
            Self::Ourselves | Self::Namespace => None,
        }
    }

    /// Gives `path` to the user that the server will be.
    fn give(self, path: &Path) -> Result<()> {
        let Self::User(user) = self else { return Ok(()) };
        std::os::unix::fs::chown(path, Some(user), Some(user)).doing("change the owner of", path)
    }
}

/// To PostgreSQL we are user 1000; to the file system we stay who we are.
const NAMESPACE: [&str; 3] = ["--user", "--map-user=1000", "--map-group=1000"];

/// The user `postgres` where there is one, else nobody.
fn unprivileged_user() -> u32 {
    const NOBODY: u32 = 65534;
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let mut fields = users.lines().map(|line| line.split(':'));
    let postgres =
        fields.find_map(|mut fields| (fields.next()? == "postgres").then(|| fields.nth(1)?.parse().ok())?);
    postgres.unwrap_or(NOBODY)
}

/// A folder with `data`, `password` and a log.
#[derive(Clone, Debug)]
pub(super) struct Cluster {
    pub(super) folder: PathBuf,
    pub(super) run_as: RunAs,
}

impl Cluster {
    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Makes the data folder, `durable` or for one run. It appears in one step, so that what a kill interrupts is not found.
    pub(super) async fn initialise(&self, binaries: &Binaries, durable: bool) -> Result<()> {
        let password = self.folder.join("password");
        secret::password(&password)?;
        let new = self.folder.join("data.new");
        // Either way the password is needed and stored as a SCRAM secret. With the first the client
        // proves that it knows it, by 4,096 hashes that take an unoptimised test 20 ms for every
        // connection; with the second it sends it, over loopback.
        let auth = if durable { "--auth=scram-sha-256" } else { "--auth=password" };
        let mut output = self.initdb(binaries, &new, &password, LC_CTYPE, auth).await?;
        if !output.status.success() && String::from_utf8_lossy(&output.stderr).contains("locale name") {
            output = self.initdb(binaries, &new, &password, "C", auth).await?;
        }
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "\n  ");
            return Err(failed(format!(
                "could not create a cluster in {} ({}):\n  {said}{}",
                new.display(),
                output.status,
                self.hint()
            )));
        }
        let data = self.data();
        std::fs::rename(&new, &data).doing("create", &data)
    }

    async fn initdb(
        &self,
        binaries: &Binaries,
        new: &Path,
        password: &Path,
        ctype: &str,
        auth: &str,
    ) -> Result<std::process::Output> {
        if new.exists() {
            std::fs::remove_dir_all(new).doing("remove", new)?;
        }
        crate::layout::create_private(new)?;
        self.run_as.give(new)?;
        // A user other than ours could not read our password file.
        let pwfile = new.with_extension("password");
        secret::write_private(&pwfile, &std::fs::read_to_string(password).doing("read", password)?)?;
        self.run_as.give(&pwfile)?;
        let mut words = self.run_as.prefix();
        words.push(binaries.folder.join("initdb").into());
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .args(["--no-sync", "--encoding=UTF8", "--locale=C", auth, "--username", USER])
            .arg(format!("--lc-ctype={ctype}"))
            .arg("--pwfile")
            .arg(&pwfile)
            .arg("-D")
            .arg(new)
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        if let Some(user) = self.run_as.user() {
            command.uid(user).gid(user);
        }
        let output = command.output().await.doing("run", &binaries.folder.join("initdb"));
        crate::claim::remove(&pwfile)?;
        output
    }

    /// What else to try, where being root is part of the trouble.
    pub(super) fn hint(&self) -> String {
        match self.run_as {
            RunAs::Ourselves | RunAs::Namespace => String::new(),
            RunAs::User(user) => format!(
                "\nPostgreSQL does not run as root, this system lets root make no user namespace (`unshare --user`), and \
                 user {user} was tried instead: run as a normal user, or set ARCHER_DIR and ARCHER_CACHE to folders \
                 that user {user} can reach, or set {}",
                super::VARIABLES
            ),
        }
    }
}

/// The major release that made the data in a server's folder; `None` if there is none yet.
pub(crate) fn existing_release(folder: &Path) -> Result<Option<u32>> {
    let path = folder.join("data/PG_VERSION");
    match std::fs::read_to_string(&path) {
        Ok(text) => text
            .trim()
            .parse()
            .map(Some)
            .map_err(|_| failed(format!("data is damaged: {} holds no release", path.display()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).doing("read", &path),
    }
}

/// Letters are letters of Unicode, while the order stays that of the bytes.
const LC_CTYPE: &str = if cfg!(target_os = "macos") { "UTF-8" } else { "C.UTF-8" };
