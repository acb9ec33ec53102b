//! Where the embedded servers keep their files.
//!
//! ```text
//! .archer/
//!   gate                      held for an instant while a claim changes hands
//!   hold.log                  output of the process that `archer dev up` starts
//!   postgres/  clickhouse/    lock, users, alive, state.json, password, port, data/, *.log
//! ```

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::claim;
use crate::error::{Doing, Error, Result};

/// The variable that names the folder instead of the nearest project's `.archer`.
pub const FOLDER_VARIABLE: &str = "ARCHER_DIR";

/// The folder of one pair of servers.
#[derive(Clone, Debug)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// `folder` (a flag), else `ARCHER_DIR`, else `.archer` in the project that holds the working
    /// directory. Nothing is created yet.
    ///
    /// The project is the nearest ancestor that holds `.archer`, `.git` or a Cargo workspace; where
    /// there is none it is the working directory itself.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if there is no working directory any more.
    pub fn find(folder: Option<&Path>) -> Result<Self> {
        let here = std::env::current_dir()
            .map_err(|source| Error::Io { doing: "cannot find the working directory".into(), source })?;
        let named = folder.map(Path::to_owned).or_else(|| {
            std::env::var_os(FOLDER_VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from)
        });
        let root = named.unwrap_or_else(|| project(&here).join(".archer"));
        Ok(Self { root: here.join(root) })
    }

    /// The folder itself, absolute.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Creates the folder, readable by its owner only, and keeps it out of version control.
    pub(crate) fn create(&self) -> Result<()> {
        create_private(&self.root)?;
        let ignore = self.root.join(".gitignore");
        if !ignore.exists() {
            std::fs::write(&ignore, "*\n").doing("write", &ignore)?;
        }
        Ok(())
    }

    pub(crate) fn postgres(&self) -> PathBuf {
        self.root.join("postgres")
    }

    pub(crate) fn clickhouse(&self) -> PathBuf {
        self.root.join("clickhouse")
    }

    pub(crate) fn hold_log(&self) -> PathBuf {
        self.root.join("hold.log")
    }
}

/// The nearest ancestor of `here` that looks like a project, else `here`.
fn project(here: &Path) -> &Path {
    here.ancestors()
        .find(|folder| {
            folder.join(".archer").is_dir() || folder.join(".git").exists() || is_cargo_workspace(folder)
        })
        .unwrap_or(here)
}

fn is_cargo_workspace(folder: &Path) -> bool {
    std::fs::read_to_string(folder.join("Cargo.toml"))
        .is_ok_and(|manifest| manifest.lines().any(|line| line.trim() == "[workspace]"))
}

/// Creates `folder` and its parents; what is created, only the owner may enter.
pub(crate) fn create_private(folder: &Path) -> Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).doing("create", folder)
}

/// A layout in a temporary folder that is removed when this value is dropped.
///
/// A folder that a killed process left is removed by the next one that creates its own.
#[derive(Debug)]
pub(crate) struct Ephemeral {
    layout: Layout,
    _lock: File,
}

impl Ephemeral {
    /// Removes what dead owners left, then creates a folder of our own.
    pub(crate) async fn create() -> Result<Self> {
        let parent = std::env::temp_dir().join(format!("archer-{}", rustix::process::getuid().as_raw()));
        create_private(&parent)?;
        // The name can be guessed in a folder that everybody may write to.
        let metadata = std::fs::symlink_metadata(&parent).doing("inspect", &parent)?;
        if !metadata.is_dir()
            || metadata.uid() != rustix::process::getuid().as_raw()
            || metadata.mode() & 0o077 != 0
        {
            return Err(Error::Setting {
                setting: format!("the folder {}", parent.display()),
                problem: "is not ours alone".into(),
                expected: "a folder of this user with mode 0700; remove it, or set TMPDIR".into(),
            });
        }
        let _gate = claim::gate(&parent).await?;
        let cleared = parent.clone();
        tokio::task::spawn_blocking(move || remove_abandoned(&cleared)).await.ok();
        let root = tempfile::Builder::new()
            .prefix("servers-")
            .tempdir_in(&parent)
            .doing("create a folder in", &parent)?
            .keep();
        let lock = owner_file(&root)?;
        lock.try_lock().map_err(std::io::Error::from).doing("lock", &root)?;
        Ok(Self { layout: Layout { root }, _lock: lock })
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Has the servers write their logs to files in `folder`, which stay.
    pub(crate) fn keep_logs(&self, folder: &Path) -> Result<()> {
        let logs = [(self.layout.postgres(), "postgres.log"), (self.layout.clickhouse(), "clickhouse.log")];
        for (server, log) in logs {
            create_private(&server)?;
            let (kept, link) = (folder.join(log), server.join(log));
            std::os::unix::fs::symlink(&kept, &link).doing("link to", &kept)?;
        }
        Ok(())
    }
}

impl Drop for Ephemeral {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.layout.root) {
            tracing::warn!(folder = %self.layout.root.display(), %error, "a temporary folder stays behind");
        }
    }
}

fn owner_file(root: &Path) -> Result<File> {
    let path = root.join("owner");
    let mut file = claim::open(&path)?;
    writeln!(file, "{}", std::process::id()).doing("write", &path)?;
    Ok(file)
}

/// Removes the folders in `parent` whose owner and servers are gone. The gate is held.
fn remove_abandoned(parent: &Path) {
    let Ok(entries) = std::fs::read_dir(parent) else { return };
    for folder in entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()) {
        let still_used = ["owner", "postgres/alive", "clickhouse/alive"]
            .iter()
            .any(|name| File::open(folder.join(name)).is_ok_and(|file| file.try_lock().is_err()));
        if !still_used && let Err(error) = std::fs::remove_dir_all(&folder) {
            tracing::debug!(folder = %folder.display(), %error, "cannot remove an abandoned folder");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_project_is_the_nearest_ancestor_that_looks_like_one() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b/c");
        std::fs::create_dir_all(&inner).unwrap();
        std::fs::create_dir(folder.path().join(".git")).unwrap();
        assert_eq!(project(&inner), folder.path());
        std::fs::write(folder.path().join("a/Cargo.toml"), "[package]\nname = \"x\"\n").unwrap();
        assert_eq!(project(&inner), folder.path());
        std::fs::write(folder.path().join("a/Cargo.toml"), "[workspace]\nmembers = []\n").unwrap();
        assert_eq!(project(&inner), folder.path().join("a"));
        std::fs::create_dir(folder.path().join("a/b/.archer")).unwrap();
        assert_eq!(project(&inner), folder.path().join("a/b"));
    }
}
