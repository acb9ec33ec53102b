//! Which ClickHouse to run: the system's, or the library from npm.

use std::path::PathBuf;
use std::process::Command;

use crate::error::{Error, Result};
use crate::program::Program;
use crate::{cache, package};

use super::{PRODUCT, VARIABLES};

/// The oldest release whose `clickhouse local` can listen.
const MINIMUM: (u32, u32) = (26, 6);

/// What runs ClickHouse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Binary {
    /// The `clickhouse` program.
    Program(PathBuf),
    /// `libchdb.so`.
    Library(PathBuf),
}

/// `clickhouse` on PATH if it is new enough, else the library, downloaded if it is not in the cache.
///
/// # Errors
///
/// Those of [`cache::ensure`]; [`Error::Platform`] where there is nothing to download.
pub async fn find(program: &Program) -> Result<Binary> {
    if let Some(found) = system() {
        return Ok(Binary::Program(found));
    }
    let Some(package) = package::chdb() else {
        return Err(Error::Platform {
            product: PRODUCT,
            platform: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
            variables: VARIABLES,
        });
    };
    let missing_npm = Error::NpmMissing { product: PRODUCT, variables: VARIABLES };
    Ok(Binary::Library(cache::ensure(&package, program, missing_npm).await?.join("libchdb.so")))
}

fn system() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join("clickhouse")).filter(|file| file.is_file()).find(
        |file| {
            let output = Command::new(file).args(["local", "--version"]).output();
            output.is_ok_and(|output| release_of(&String::from_utf8_lossy(&output.stdout)) >= Some(MINIMUM))
        },
    )
}

/// From `ClickHouse local version 26.7.1.5 (official build).`
fn release_of(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split("version").nth(1)?.trim().split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_is_read_from_what_clickhouse_says() {
        let said = ["ClickHouse local version 26.7.1.5 (official build).", "command not found"];
        assert_eq!(said.map(release_of), [Some((26, 7)), None]);
    }
}
