//! `archer import`: documents into ardb.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use dev::endpoints::Needs;
use sea_orm::DatabaseConnection;
use service::ardb::import::{self, Report, crates_io_dump::Age};
use service::ardb::inventory::{Owner, Product};

use crate::output::{self, BAD, FAINT, GOOD, Outcome, STRONG, WARN, count, paint, plain, so_many};
use crate::progress::Bar;
use crate::stores::Stores;
use crate::{Context, now};

use super::import_runs;

/// What to import, or what to tell of imports.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Imports
    #[command(flatten)]
    Documents(Documents),
    /// Lists what was imported when, and how it ended
    #[command(after_help = "Example:\n  archer import runs --limit 5\n\n\
        A run that is unfinished is still running, or was killed.")]
    Runs(import_runs::Runs),
    /// Lists what a run rejected, with the place of each record
    #[command(after_help = "Example:\n  archer import errors 12")]
    Errors(import_runs::Errors),
}

/// What to import.
#[derive(Clone, Debug, Subcommand)]
pub enum Documents {
    /// Crates, versions and dependencies from cargo's index
    #[command(
        after_help = "Examples:\n  archer import cargo-index\n  archer import cargo-index sparse-index.tar.xz\n\n\
        Without a path, cargo's own cache: every crate that was ever resolved on this machine."
    )]
    CargoIndex {
        /// cargo's `.cache` folder, a sparse index, or a tar, tar.gz or tar.xz of one
        path: Option<PathBuf>,
    },
    /// Everything that crates.io publishes of its crates, from its database dump
    #[command(after_help = "Examples:\n  archer import crates-io-dump db-dump.tar.gz\n  \
            archer import crates-io-dump db-dump-of-last-week.tar.gz --older\n\n\
            A dump that was made before the one that was imported last is refused, because it would turn facts back.")]
    CratesIoDump {
        /// db-dump.tar.gz, or the folder that it unpacks to
        path: PathBuf,
        /// Also where the dump was made before the one that was imported last
        #[arg(long)]
        older: bool,
    },
    /// Advisories in the OSV format
    #[command(after_help = "Example:\n  archer import osv crates.io.zip")]
    Osv {
        /// A folder or a zip of JSON records
        path: PathBuf,
    },
    /// Packages, versions and dependencies from npm's documents, whole or abbreviated
    #[command(
        after_help = "Examples:\n  archer import npm left-pad.json\n  archer import npm all-docs.ndjson.gz\n\n\
        A document is what a registry answers to GET /left-pad. Files may hold one, one per line, or a listing of\n\
        CouchDB's with include_docs=true."
    )]
    Npm {
        /// A .json, .jsonl or .ndjson file, or a folder, zip or tar of them; each may be packed as .gz
        path: PathBuf,
    },
    /// Packages, versions and dependencies from PyPI's documents
    #[command(
        after_help = "Examples:\n  archer import pypi requests.json\n  archer import pypi documents.tar.gz\n\n\
        A document is what PyPI answers to GET /pypi/requests/json, /pypi/requests/2.32.0/json, or /simple/requests/ as\n\
        JSON. Only the first two have dependencies and licences; the first has them of the newest version."
    )]
    Pypi {
        /// A .json, .jsonl or .ndjson file, or a folder, zip or tar of them; each may be packed as .gz
        path: PathBuf,
    },
    /// A lockfile of cargo, npm, Poetry, Go or Bundler, as an inventory
    #[command(after_help = "Examples:\n  archer import lockfile Cargo.lock --name acme/rocket\n  \
        archer import lockfile package-lock.json --name acme/rocket --owner org:7")]
    Lockfile(Inventory),
    /// A software bill of materials, CycloneDX or SPDX, as an inventory
    #[command(after_help = "Example:\n  archer import sbom bom.json --name acme/rocket --owner org:7\n\n\
        CycloneDX 1.2 to 1.6 and SPDX 2.3, as JSON.")]
    Sbom(Inventory),
}

/// `archer import lockfile` and `archer import sbom`
#[derive(Args, Clone, Debug)]
pub struct Inventory {
    /// The document
    path: PathBuf,
    /// What to call the inventory, such as the repository's owner/name; the folder's name unless told
    #[arg(long)]
    name: Option<String>,

    /// Whose inventory it is, org:ID or user:ID by the id in identitydb; nobody's unless told
    #[arg(long)]
    owner: Option<Owner>,
}

/// Imports, and says what changed. The outcome is [`Outcome::Failed`] if a record was rejected, or
/// if there was nothing to import.
///
/// # Errors
///
/// When the input can't be read at all, or the database refuses.
pub async fn run(context: &Context, command: Command) -> anyhow::Result<Outcome> {
    let documents = match command {
        Command::Documents(documents) => documents,
        Command::Runs(arguments) => return import_runs::list(context, arguments).await,
        Command::Errors(arguments) => return import_runs::errors(context, arguments).await,
    };
    let needs = Needs { ardb: true, ..Needs::default() };
    let (report, seconds) = Stores::with_migrated(context, needs, async |stores| {
        let start = Instant::now();
        let report = import(stores.ardb()?, &documents, now()).await?;
        Ok((report, start.elapsed().as_secs_f64()))
    })
    .await?;
    if context.json {
        output::json(&report)?;
    } else {
        output::text(describe(&report, seconds))?;
    }
    let found_nothing = report.documents.total() == 0 && report.skipped == 0;
    Ok(if report.rejected_total == 0 && !found_nothing { Outcome::Done } else { Outcome::Failed })
}

async fn import(
    ardb: &DatabaseConnection,
    documents: &Documents,
    now: DateTime<Utc>,
) -> anyhow::Result<Report> {
    Ok(match documents {
        Documents::CargoIndex { path: Some(path) } => {
            import::cargo_index(ardb, path, now, &Bar::bytes("index")).await?
        }
        Documents::CargoIndex { path: None } => {
            import::cargo_index(ardb, &cargo_cache()?, now, &Bar::bytes("cargo's cache")).await?
        }
        Documents::CratesIoDump { path, older } => {
            let age = if *older { Age::Any } else { Age::NotOlder };
            import::crates_io_dump_of(ardb, path, age, now, &Bar::records("dump")).await?
        }
        Documents::Npm { path } => import::npm(ardb, path, now, &Bar::bytes("packages")).await?,
        Documents::Pypi { path } => import::pypi(ardb, path, now, &Bar::bytes("packages")).await?,
        Documents::Osv { path } => import::osv(ardb, path, now, &Bar::bytes("advisories")).await?,
        Documents::Lockfile(Inventory { path, name, owner }) => {
            let name = name_or_folder(name.as_deref(), path)?;
            let product = Product { name: &name, owner: *owner };
            import::lockfile(ardb, path, product, now, &Bar::bytes("lockfile")).await?
        }
        Documents::Sbom(Inventory { path, name, owner }) => {
            let name = name_or_folder(name.as_deref(), path)?;
            let product = Product { name: &name, owner: *owner };
            import::sbom(ardb, path, product, now, &Bar::bytes("components")).await?
        }
    })
}

/// The folder in which cargo keeps what it knows of crates.io, on this machine.
///
/// # Errors
///
/// When there is none: cargo has not resolved anything here yet.
pub fn cargo_cache() -> anyhow::Result<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::home_dir().map(|home| home.join(".cargo")));
    let home =
        home.context("neither CARGO_HOME nor HOME is set, so cargo's cache can't be found; give its path")?;
    import::cargo_index::caches(&home).into_iter().next().with_context(|| {
        format!("cargo has no index cache in {} yet; `cargo fetch` in any project fills it", home.display())
    })
}

/// `name` or, without one, that of the folder that `document` is, or is in.
fn name_or_folder(name: Option<&str>, document: &Path) -> anyhow::Result<String> {
    if let Some(name) = name {
        return Ok(name.to_owned());
    }
    let path = document.canonicalize().with_context(|| format!("{} can't be read", document.display()))?;
    let folder = if path.is_dir() { Some(path.as_path()) } else { path.parent() };
    let name = folder.and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    name.context("the document is in no folder; give --name")
}

/// What became of the documents and rows, and what was rejected where.
pub fn describe(report: &Report, seconds: f64) -> String {
    let documents = &report.documents;
    let mut parts = Vec::new();
    for (number, what) in [
        (documents.new, "new"),
        (documents.changed, "changed"),
        (documents.unchanged, "unchanged"),
        (documents.outdated, "older than what is stored"),
        (documents.rejected, "rejected"),
    ] {
        if number > 0 {
            parts.push(format!("{} {what}", count(number)));
        }
    }
    if parts.is_empty() {
        parts.push("there is nothing here that this import reads".to_owned());
    }
    let total = paint(STRONG, so_many(documents.total(), "document"));
    let mut text = format!("{total}: {} {}", parts.join(", "), paint(FAINT, format!("in {seconds:.1} s")));
    if report.changed_nothing() {
        text.push_str(&format!("\n{}", paint(GOOD, "nothing changed")));
    } else {
        let rows = report.rows.iter().map(|(table, rows)| {
            vec![(*table).to_owned(), count(rows.inserted), count(rows.updated), count(rows.deleted)]
        });
        text.push('\n');
        text.push_str(&output::table(&["table", "inserted", "updated", "deleted"], rows, &[1, 2, 3]));
    }
    for rejection in &report.rejected {
        text.push_str(&format!(
            "\n{} {}: {}",
            paint(BAD, "rejected"),
            plain(&rejection.place),
            plain(&rejection.reason)
        ));
    }
    for note in &report.notes {
        text.push_str(&format!("\n{} {}", paint(WARN, "note"), plain(note)));
    }
    if report.skipped > 0 {
        let note = format!("{} records are in a form newer than this release reads", count(report.skipped));
        text.push_str(&format!("\n{} {note}; cargo skips them, too", paint(WARN, "skipped")));
    }
    let unlisted = report.rejected_total - report.rejected.len() as u64;
    if unlisted > 0 {
        text.push_str(&format!("\n… and {} more rejected", count(unlisted)));
    }
    text
}
