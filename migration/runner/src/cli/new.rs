//! `new`: a migration to write.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::args::New;
use super::report::{self, GOOD, Report, Row};
use crate::scaffold::{self, Added};

/// Adds the migration that `new` names to the crate in its `dir`: by default the crate that cargo runs, else
/// the current folder.
#[must_use]
pub fn add(new: &New, at: DateTime<Utc>) -> Report {
    let folder = new.dir.clone().or_else(|| std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from));
    let folder = folder.unwrap_or_else(|| PathBuf::from("."));
    let name = folder.canonicalize().ok();
    let name = name.as_deref().and_then(Path::file_name).unwrap_or(folder.as_os_str());
    let name = name.to_string_lossy().into_owned();
    match scaffold::add(&folder, &new.change, at) {
        Ok(added) => added_to(name, &added, "verify"),
        Err(error) => Report::failed(name, error),
    }
}

/// Says what was added, and that `verify` (the whole command) comes once it is written.
#[must_use]
pub fn added_to(database: String, added: &Added, verify: &str) -> Report {
    let lines = [
        Row::new("added", GOOD).column(added.file.display().to_string()),
        Row::new("entered", GOOD).column(added.list.display().to_string()),
    ];
    let next = format!("write `up` and `down`, then try them out with `{verify}`\n");
    Report::new(database).with_all(added).saying(report::rows(&lines)).saying(next)
}
