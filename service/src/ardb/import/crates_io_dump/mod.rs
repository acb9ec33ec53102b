//! Imports crates.io's database dump: packages with what is said of them, versions, dependencies, maintainers, keywords,
//! categories and downloads of the ecosystem cargo.
//!
//! The input is the public `db-dump.tar.gz`, or the folder that it unpacks to: `metadata.json`, which says when the dump
//! was made, and `data/*.csv` with a header each. Columns are found by their names, others are ignored, and the files can
//! come in any order. The dump is one document. The tables that are read are those of `table.rs`, of which dumps of some
//! years ago lack `default_versions` and `crate_downloads`.
//!
//! Rows go by COPY into temporary tables as they are read, and when all are there, package by package and version by
//! version, in transactions of bounded size, into the real ones. Nothing is written before the dump has been read to its
//! end, and a dump that was imported before is left at that. A first import, where the tables have no rows, is one
//! transaction, in which what is done for each row otherwise is done once for all of them; see `bulk.rs`.
//!
//! A record is rejected, with `data/<table>.csv:<line>` as its place, and the rest loaded, where
//! - a field is not of the type that the dump has there, or longer than the schema takes,
//! - a version is none that cargo could select,
//! - it is there twice, or what it refers to is not in the dump or was itself rejected.
//!
//! A dump that was made before the one that was imported last is refused, unless [`Age::Any`] is asked for.
//!
//! What a crate of the dump no longer has is deleted softly, but nothing of a dump with rejected records is deleted. A
//! crate that is not in the dump is left as it is; and so is one of which a version is stored that was published after
//! the dump was made. It counts as outdated.
//!
//! A crate's versions are the same rows, whether they came from the dump or from the index; the dump's times of
//! publication are cut to the second for that.

mod age;
mod bulk;
mod chunk;
mod direct;
mod field;
mod merge;
mod pairs;
mod read;
mod stage;
mod summary;
mod table;

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use entity_ardb::DocumentKind;
use sea_orm::{DatabaseConnection, sqlx::PgConnection};
use tokio::{sync::mpsc, task};

pub use age::Age;

use super::{Progress, Report, pipeline, run::Run, source};
use crate::Result;
use age::Which;
use bulk::Bulk;
use direct::Moves;
use read::Dump;
use stage::Steps;

/// The ecosystem that the dump fills.
const ECOSYSTEM: &str = "cargo";
/// The dump in `source_documents`.
const LOCATOR: &str = "crates.io/db-dump";

/// Imports the dump at `input`, see the [module](self), unless it is older than the one that was imported last.
///
/// It holds a connection of its own beside those of `db` for as long as it runs.
///
/// # Errors
///
/// [`Error::Input`](crate::Error::Input) if `input` is not there, can't be read to its end, lacks a file or a column, or
/// is older; [`Error::Database`](crate::Error::Database) if a statement fails. Transactions that were committed before
/// stay, and the next import goes on from them.
pub async fn crates_io_dump(
    db: &DatabaseConnection,
    input: &Path,
    now: DateTime<Utc>,
    progress: &dyn Progress,
) -> Result<Report> {
    crates_io_dump_of(db, input, Age::NotOlder, now, progress).await
}

/// As [`crates_io_dump()`], where `age` says which dumps are imported.
///
/// # Errors
///
/// Those of [`crates_io_dump()`].
pub async fn crates_io_dump_of(
    db: &DatabaseConnection,
    input: &Path,
    age: Age,
    now: DateTime<Utc>,
    progress: &dyn Progress,
) -> Result<Report> {
    let input = pipeline::existing(input, "crates.io's db-dump.tar.gz, or the folder that it unpacks to")?;
    let run = Run::start(db, DocumentKind::CratesIoDump, &input, now).await?;
    let loaded = async {
        let report = load(db, input, age, now, progress).await?;
        run.reject(&report.rejected).await?;
        Ok(report)
    };
    let loaded = loaded.await;
    run.finish(loaded).await
}

#[cfg(any(test, feature = "fuzzing"))]
pub(super) fn fuzz(data: &[u8]) {
    read::fuzz(data);
}

/// Reads the dump, and merges it once all of it is read; a first one as it is read, where that is possible.
async fn load(
    db: &DatabaseConnection,
    input: PathBuf,
    age: Age,
    now: DateTime<Utc>,
    progress: &dyn Progress,
) -> Result<Report> {
    let path = input.clone();
    let size = task::spawn_blocking(move || source::size(&path)).await.map_err(pipeline::panicked)??;
    // Temporary tables and the lock are the session's: it is closed with its end, however that comes.
    let mut connection = db.get_postgres_connection_pool().acquire().await?.detach();
    let which = Which { age, stored: age::stored(&mut connection).await? };
    let mut report = Report::default();
    match bulk::load(&mut connection, &input, which, now, &mut Steps::new(progress, size)).await? {
        Bulk::Done(report) => return Ok(report),
        Bulk::NotFirst => {}
        Bulk::Refused(reason) => report.notes.push(format!("a first import, but row by row: {reason}")),
    }
    let mut progress = Steps::new(progress, size);
    let dump = read_into(&mut connection, &input, which, None, &mut report, &mut progress).await?;
    merge::merge(&mut connection, &dump, age, now, &mut report, &mut progress).await?;
    Ok(report)
}

/// Reads the dump into staging tables; with `moves`, dependencies into their own.
async fn read_into(
    connection: &mut PgConnection,
    input: &Path,
    which: Which,
    moves: Option<Moves>,
    report: &mut Report,
    progress: &mut Steps<'_>,
) -> Result<Dump> {
    let (sender, receiver) = mpsc::channel(1);
    let input = input.to_owned();
    let reading = task::spawn_blocking(move || read::read(&input, which, moves, sender));
    stage::stage(connection, receiver, report, progress).await?;
    reading.await.map_err(pipeline::panicked)?
}
