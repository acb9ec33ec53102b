//! A data folder: made once, and run as a user that PostgreSQL accepts.

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::child::{Child, KillOnDrop};
use crate::error::{Doing, Result, log_tail};
use crate::host::{AtOwnersEnd, Host, NO_GROUP};
use crate::layout::create_private;
use crate::program::Program;
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
        let mut probe = tokio::process::Command::new("unshare");
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

    /// Lets the user that the server will be reach what is in `folder`, but not see what there is.
    fn let_through(self, folder: &Path) -> Result<()> {
        let Self::User(_) = self else { return Ok(()) };
        for folder in [Some(folder), folder.parent()].into_iter().flatten() {
            std::fs::set_permissions(folder, PermissionsExt::from_mode(0o711)).doing("open", folder)?;
        }
        Ok(())
    }

    /// Gives `path` to the user that the server will be.
    fn give(self, path: &Path) -> Result<()> {
        let Self::User(user) = self else { return Ok(()) };
        std::os::unix::fs::chown(path, Some(user), Some(NO_GROUP)).doing("change the owner of", path)
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

    /// Makes the data folder, `durable` or for one run. It appears in one step, so that what a kill
    /// interrupts is not found.
    pub(super) async fn initialise(
        &self,
        binaries: &Binaries,
        durable: bool,
        program: &Program,
    ) -> Result<()> {
        // Either way the password is needed and stored as a SCRAM secret. With the first the client
        // proves that it knows it, by 4,096 hashes that take an unoptimised test 20 ms for every
        // connection; with the second it sends it, over loopback.
        let auth = if durable { "--auth=scram-sha-256" } else { "--auth=password" };
        let new = self.folder.join("data.new");
        self.run_as.let_through(&self.folder)?;
        let mut failure = self.initdb(binaries, &new, &[auth, LC_CTYPE], program).await?;
        if failure.as_deref().is_some_and(|said| said.contains("locale name")) {
            failure = self.initdb(binaries, &new, &[auth, "--lc-ctype=C"], program).await?;
        }
        if let Some(said) = failure {
            return Err(failed(format!(
                "could not create a cluster in {}; {said}{}",
                new.display(),
                self.hint()
            )));
        }
        let data = self.data();
        std::fs::rename(&new, &data).doing("create", &data)
    }

    /// Runs `initdb` on the new folder `new`; what it said if it failed.
    async fn initdb(
        &self,
        binaries: &Binaries,
        new: &Path,
        options: &[&str],
        program: &Program,
    ) -> Result<Option<String>> {
        if new.exists() {
            std::fs::remove_dir_all(new).doing("remove", new)?;
        }
        create_private(new)?;
        self.run_as.give(new)?;
        // Another user could not read the password file that we keep.
        let password = self.folder.join("initdb.password");
        secret::write_private(&password, &secret::password(&self.folder.join("password"))?)?;
        self.run_as.give(&password)?;
        let log = self.folder.join("initdb.log");
        let output = File::create(&log).doing("create", &log)?;

        let mut words = self.run_as.prefix();
        words.push(binaries.folder.join("initdb").into());
        words.extend(["--no-sync", "--encoding=UTF8", "--locale=C", "--username", USER].map(Into::into));
        words.extend(options.iter().map(Into::into));
        words.extend(["--pwfile".into(), password.clone().into(), "-D".into(), new.into()]);
        let host = Host {
            at_owners_end: AtOwnersEnd::Kill,
            alive: Some(self.folder.join("alive")),
            library: None,
            user: self.run_as.user(),
            command: &words,
        };
        let mut command = host.command(program);
        command
            .env("LC_ALL", "C")
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(output.try_clone().doing("open", &log)?)
            .stderr(output);
        let status = KillOnDrop(Child::spawn(command)?).0.ended().await;
        crate::claim::remove(&password)?;
        Ok((status != "exit status: 0").then(|| format!("initdb: {status}; {}", log_tail(&log, 0, 4))))
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
const LC_CTYPE: &str = if cfg!(target_os = "macos") { "--lc-ctype=UTF-8" } else { "--lc-ctype=C.UTF-8" };
