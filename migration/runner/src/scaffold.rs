//! Adds a migration to a crate: a file from a template, and its two lines in the list.
//!
//! ```no_run
//! use std::path::Path;
//!
//! # fn new(now: chrono::DateTime<chrono::Utc>) -> Result<(), migration_runner::scaffold::Error> {
//! let added = migration_runner::scaffold::add(Path::new("migration/shop"), "create_orders", now)?;
//! println!("write {}", added.file.display());
//! # Ok(())
//! # }
//! ```

mod list;

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use serde::Serialize;

/// Of `m20261120_090000`, without the `m`.
const STAMP: &str = "%Y%m%d_%H%M%S";

/// How far the newest migration may be dated ahead of the clock: a day, as between two time zones.
const AHEAD: TimeDelta = TimeDelta::days(1);

/// What a new migration looks like. In `file` and `entry`, `%module%` becomes `m20261120_090000_create_events`,
/// `%Change%` `CreateEvents` and `%words%` `create events`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Template {
    /// The text of the new file.
    pub file: &'static str,
    /// The function that returns the migrations, in a `vec![…]`.
    pub function: &'static str,
    /// The migration in that vector, without a comma.
    pub entry: &'static str,
}

impl Template {
    /// SQL as text in a `MigrationTrait`, both directions of which fail until they are written.
    #[must_use]
    pub const fn sea_orm() -> Self {
        Self {
            file: include_str!("scaffold/migration.rs.txt"),
            function: "migrations",
            entry: "Box::new(%module%::Migration)",
        }
    }
}

/// A migration that was added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Added {
    /// `mYYYYMMDD_HHMMSS_<change>`.
    pub name: String,
    /// The file to write it in.
    pub file: PathBuf,
    /// Where it was entered.
    pub list: PathBuf,
}

/// Why no migration was added. Nothing is changed then.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The change would make no name of a module.
    #[error(
        "`{change}` doesn't name a change: that takes lower-case words, joined by `_`, such as `{suggestion}`"
    )]
    Change {
        /// As it was given.
        change: String,
        /// The same as it should be, or an example where nothing is left of it.
        suggestion: String,
    },

    /// The list of migrations is not of a form that can be added to.
    #[error("{path}: expected {expected}; add the migration by hand", path = path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        expected: String,
    },

    /// A migration is dated so far ahead that a later name would carry the mistake on.
    #[error(
        "{path}: {newest} is dated more than a day after now, {now} UTC, and a new migration has to come after it; set \
         the clock, or correct that name while it is applied nowhere",
        path = path.display()
    )]
    Clock {
        /// The list of migrations.
        path: PathBuf,
        /// The newest migration.
        newest: String,
        /// The time that was given, as in a name.
        now: String,
    },

    /// A file can't be read or written.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Adds the migration `change` to the crate in `crate_dir`, dated `at`, by [`Template::sea_orm`].
///
/// # Errors
///
/// As [`add_with`].
pub fn add(crate_dir: &Path, change: &str, at: DateTime<Utc>) -> Result<Added, Error> {
    add_with(&Template::sea_orm(), &crate_dir.join("src/lib.rs"), change, at)
}

/// Adds the migration `change` beside `list`, the file that has the `mod` lines and the vector.
///
/// Where the newest migration is dated as late as `at` or up to a day later, the new one comes a second after
/// it. The rest of `list` stays as it is, but that a vector on one line may be broken into lines.
///
/// # Errors
///
/// [`Error::Change`] for a name that isn't lower-case words, [`Error::Form`] for a list that can't be added to,
/// [`Error::Clock`] where the newest migration is dated far ahead, [`Error::File`] for a file that can't be read
/// or written.
pub fn add_with(template: &Template, list: &Path, change: &str, at: DateTime<Utc>) -> Result<Added, Error> {
    check(change)?;
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::File { path, source }
    };
    // Renamed over below, which would replace a link and not what it leads to.
    let target = fs::canonicalize(list).map_err(failed(list))?;
    let folder = list.parent().unwrap_or(Path::new(""));
    let text = fs::read_to_string(list).map_err(failed(list))?;

    let mut names = list::modules(&text);
    for entry in fs::read_dir(target.parent().unwrap_or(&target)).map_err(failed(folder))? {
        let file = entry.map_err(failed(folder))?.file_name();
        let file = file.to_string_lossy();
        let name = file.strip_suffix(".rs").unwrap_or(&file);
        if list::is_migration(name) {
            names.push(name.to_owned());
        }
    }
    let stamp = stamp(list, names.into_iter().max(), at)?;
    let name = format!("m{stamp}_{change}");
    let fill = |text: &str| {
        text.replace("%module%", &name)
            .replace("%Change%", &camel_case(change))
            .replace("%words%", &change.replace('_', " "))
    };
    let edited = list::enter(&text, &name, template.function, &fill(template.entry))
        .map_err(|expected| Error::Form { path: list.to_owned(), expected })?;

    let file = folder.join(format!("{name}.rs"));
    write_new(&file, &fill(template.file)).map_err(failed(&file))?;
    if let Err(source) = replace(&target, &edited, &name) {
        return Err(match fs::remove_file(&file) {
            Ok(()) => Error::File { path: list.to_owned(), source },
            Err(source) => Error::File { path: file, source },
        });
    }
    Ok(Added { name, file, list: list.to_owned() })
}

fn check(change: &str) -> Result<(), Error> {
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if change.starts_with(|first: char| first.is_ascii_lowercase()) && change.split('_').all(is_word) {
        return Ok(());
    }
    Err(Error::Change { change: change.to_owned(), suggestion: suggestion(change) })
}

/// `AddUsers`, `add users` and `Add-Users!` are all `add_users`.
fn suggestion(change: &str) -> String {
    let mut words = String::new();
    let mut before = ' ';
    for letter in change.chars() {
        let begins_word = letter.is_ascii_uppercase() && !before.is_ascii_uppercase();
        if letter.is_ascii_alphanumeric() {
            if (begins_word || !before.is_ascii_alphanumeric()) && !words.is_empty() {
                words.push('_');
            }
            words.push(letter.to_ascii_lowercase());
        }
        before = letter;
    }
    match words.chars().next() {
        None => "create_users".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("add_{words}"),
        Some(_) => words,
    }
}

fn camel_case(change: &str) -> String {
    let mut name = String::new();
    for word in change.split('_') {
        let (first, rest) = word.split_at(word.len().min(1));
        name.push_str(&first.to_ascii_uppercase());
        name.push_str(rest);
    }
    name
}

/// The date of a migration that comes after `newest`, and if it can, is made `at`.
fn stamp(list: &Path, newest: Option<String>, at: DateTime<Utc>) -> Result<String, Error> {
    let now = at.format(STAMP).to_string();
    let Some(newest) = newest else { return Ok(now) };
    let taken = &newest[1..][..now.len()];
    if taken < now.as_str() {
        return Ok(now);
    }
    match NaiveDateTime::parse_from_str(taken, STAMP) {
        Ok(taken) if taken - at.naive_utc() <= AHEAD => {
            Ok((taken + TimeDelta::seconds(1)).format(STAMP).to_string())
        }
        _ => Err(Error::Clock { path: list.to_owned(), newest, now }),
    }
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = fs::File::create_new(path)?;
    file.write_all(text.as_bytes()).inspect_err(|_| drop(fs::remove_file(path)))
}

/// As a whole or not at all, with the permissions that it has.
fn replace(path: &Path, text: &str, name: &str) -> io::Result<()> {
    let permissions = fs::metadata(path)?.permissions();
    let beside = path.with_file_name(format!(".{name}.new"));
    write_new(&beside, text)?;
    fs::set_permissions(&beside, permissions)
        .and_then(|()| fs::rename(&beside, path))
        .inspect_err(|_| drop(fs::remove_file(&beside)))
}

#[cfg(test)]
mod tests;
