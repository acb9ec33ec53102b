//! `archer demo`: the whole path, from empty servers to a digest, on what this machine has.
//!
//! Each step says what is in the databases after it, so a second run, which loads nothing, prints the
//! same counts.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use entity_analyticsdb::package_ranking;
use entity_ardb::PackageId;
use events::digest::{Period, Request, Scope};
use events::{Intake, source, writer};
use serde::Serialize;
use service::analyticsdb::package_ranking as ranking;
use service::ardb::import::{self, Report};
use service::ardb::package;

use super::digest::{self, Page};
use super::import::cargo_cache;
use crate::output::{self, BAD, FAINT, GOOD, Outcome, STRONG, WARN, count, paint, plain};
use crate::progress::Bar;
use crate::stores::Stores;
use crate::{Context, now};

/// How many of the most depended-on packages are shown.
const TOP: u64 = 10;

/// `archer demo`
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = "Examples:\n  archer demo\n  archer demo --osv crates.io.zip\n\n\
    It reads cargo's index cache, the Cargo.lock and the Git history of the folder it is run in, and \
    OSV advisories where they are given. It loads into the embedded servers, never into a database that is \
    configured. The data stays under .archer/; `archer dev reset` removes it.")]
pub struct Arguments {
    /// A folder or a zip of OSV records for crates.io
    #[arg(long, value_name = "PATH")]
    osv: Option<PathBuf>,
}

/// One step of the way, as it is told.
#[derive(Debug, Serialize)]
struct Step {
    name: &'static str,
    /// What the stores hold after it.
    holds: String,
    /// What it loaded and how fast.
    loaded: String,
    seconds: f64,
    /// Inputs that were refused, with their places.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refused: Vec<String>,
}

/// All that the demo has to tell.
#[derive(Debug, Serialize)]
struct Summary {
    steps: Vec<Step>,
    most_depended_on: Vec<Ranked>,
    digest: Page,
    seconds: f64,
}

#[derive(Debug, Serialize)]
struct Ranked {
    rank: i32,
    name: String,
    dependents: i64,
}

/// Runs the demo. The outcome is [`Outcome::Failed`] if an input was refused.
///
/// # Errors
///
/// When a server can't be started or an input can't be read at all.
pub async fn run(context: &Context, arguments: Arguments) -> anyhow::Result<Outcome> {
    anyhow::ensure!(!context.urls.any(), "the demo loads into the embedded servers only; leave out the URL");
    let start = Instant::now();
    let mut story = Story { json: context.json, steps: Vec::new() };
    let (most_depended_on, digest, has_started) = Stores::with_embedded(context, async |stores| {
        story.tell("servers", start, servers(stores).await?, String::new(), Vec::new())?;
        let (most_depended_on, digest) = load(stores, &mut story, &arguments).await?;
        Ok((most_depended_on, digest, stores.has_started_servers()))
    })
    .await?;
    let seconds = start.elapsed().as_secs_f64();
    let summary = Summary { steps: story.steps, most_depended_on, digest, seconds };
    if context.json {
        output::json(&summary)?;
    } else {
        let servers = if has_started {
            "the servers are down again"
        } else {
            "the servers run on, since others use them"
        };
        let data = dev::Layout::find(None)?.root().display().to_string();
        let end = format!("{seconds:.1} s in all; {servers}; the data stays in {data}");
        output::text(format!("{}\n\n{}", describe(&summary), paint(FAINT, end)))?;
    }
    let refused = summary.steps.iter().any(|step| !step.refused.is_empty());
    Ok(if refused { Outcome::Failed } else { Outcome::Done })
}

/// The steps so far, each told as soon as it is done.
struct Story {
    json: bool,
    steps: Vec<Step>,
}

impl Story {
    fn tell(
        &mut self,
        name: &'static str,
        start: Instant,
        holds: String,
        loaded: String,
        refused: Vec<String>,
    ) -> anyhow::Result<()> {
        let step = Step { name, holds, loaded, seconds: start.elapsed().as_secs_f64(), refused };
        if !self.json {
            let seconds = paint(FAINT, format!("{:>5.1} s", step.seconds));
            let loaded = paint(FAINT, &step.loaded);
            output::text(format!(
                "{} {:<10} {seconds}  {}  {loaded}",
                paint(GOOD, "✓"),
                step.name,
                step.holds
            ))?;
            for refused in &step.refused {
                output::text(format!("  {} {}", paint(BAD, "refused"), plain(refused)))?;
            }
        }
        self.steps.push(step);
        Ok(())
    }

    fn skip(&self, why: &str) -> anyhow::Result<()> {
        if self.json { Ok(()) } else { output::text(format!("{} {why}", paint(WARN, "–"))) }
    }
}

async fn load(
    stores: &Stores,
    story: &mut Story,
    arguments: &Arguments,
) -> anyhow::Result<(Vec<Ranked>, Page)> {
    let (ardb, analyticsdb, client) = (stores.ardb()?, stores.analyticsdb()?, stores.events()?);
    let here = std::env::current_dir()?;

    let start = Instant::now();
    let migrated = stores.migrate().await?;
    let total: usize = migrated.iter().map(|(_, applied)| applied).sum();
    let databases = migrated.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let applied =
        if total == 0 { "nothing pending".to_owned() } else { format!("{total} migrations applied") };
    story.tell("schema", start, databases, applied, Vec::new())?;

    match cargo_cache() {
        Ok(cache) => {
            let start = Instant::now();
            let report = import::cargo_index(ardb, &cache, now(), &Bar::bytes("cargo's cache")).await?;
            import_step(story, stores, start, Import::Packages, &report).await?;
        }
        Err(error) => story.skip(&error.to_string())?,
    }
    if let Some(osv) = &arguments.osv {
        let start = Instant::now();
        let report = import::osv(ardb, osv, now(), &Bar::bytes("advisories")).await?;
        import_step(story, stores, start, Import::Advisories, &report).await?;
    }

    let repository = git_step(story, client, &here).await?;
    let lockfile = here.join("Cargo.lock");
    if lockfile.is_file() {
        let start = Instant::now();
        let report = import::lockfile(ardb, &lockfile, &repository, now(), &()).await?;
        import_step(story, stores, start, Import::Inventory, &report).await?;
    } else {
        story.skip("there is no Cargo.lock here, so there is no inventory to show")?;
    }

    let start = Instant::now();
    ranking::refresh(ardb, analyticsdb, now()).await?;
    let top = ranking::top(analyticsdb, "cargo", TOP).await?;
    story.tell("report", start, "most depended-on packages".to_owned(), String::new(), Vec::new())?;

    let request = Request::new(Scope::Repository(repository), Period::All, now());
    let page = digest::page(ardb, client, &request).await?;
    let known: Vec<_> = top.iter().filter_map(|row| row.ardb_package_id).map(PackageId).collect();
    let names = package::published_names(ardb, &known).await?;
    Ok((top.into_iter().map(|row| ranked(row, &names)).collect(), page))
}

/// Which servers these are.
async fn servers(stores: &Stores) -> anyhow::Result<String> {
    use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
    let select = "select split_part(current_setting('server_version'), ' ', 1) as version";
    let row = stores.ardb()?.query_one_raw(Statement::from_string(DbBackend::Postgres, select)).await?;
    let postgres: String = row.map(|row| row.try_get("", "version")).transpose()?.unwrap_or_default();
    Ok(format!("PostgreSQL {postgres}, ClickHouse {}", stores.events()?.version()))
}

/// What is imported.
#[derive(Clone, Copy)]
enum Import {
    Packages,
    Advisories,
    Inventory,
}

impl Import {
    fn name(self) -> &'static str {
        match self {
            Self::Packages => "packages",
            Self::Advisories => "advisories",
            Self::Inventory => "inventory",
        }
    }

    /// The table whose new rows tell how much was loaded.
    fn table(self) -> &'static str {
        match self {
            Self::Packages => "versions",
            Self::Advisories => "advisories",
            Self::Inventory => "inventory_components",
        }
    }

    /// What ardb holds of it, where `of` counts a table.
    fn holds(self, of: impl Fn(&str) -> String) -> String {
        match self {
            Self::Packages => format!(
                "{} packages, {} versions, {} dependencies",
                of("packages"),
                of("versions"),
                of("dependencies")
            ),
            Self::Advisories => {
                format!("{} advisories with {} aliases", of("advisories"), of("advisory_aliases"))
            }
            Self::Inventory => {
                format!("{} components of lockfiles", of("inventory_components"))
            }
        }
    }
}

/// Tells an import: what ardb holds after it, what of that is new, and how fast that came.
async fn import_step(
    story: &mut Story,
    stores: &Stores,
    start: Instant,
    import: Import,
    report: &Report,
) -> anyhow::Result<()> {
    let inserted = report.rows.get(import.table()).map_or(0, |rows| rows.inserted);
    let loaded = loaded(inserted, &import.table().replace('_', " "), start);
    let live = service::ardb::summary(stores.ardb()?).await?;
    let holds = import.holds(|table| count(live.get(table).copied().unwrap_or_default()));
    let refused =
        report.rejected.iter().map(|rejection| format!("{}: {}", rejection.place, rejection.reason));
    story.tell(import.name(), start, holds, loaded, refused.collect())
}

/// `1,206 advisories new, 1,600/s`
fn loaded(new: u64, what: &str, start: Instant) -> String {
    if new == 0 {
        return "nothing new".to_owned();
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a figure for people"
    )]
    let rate = (new as f64 / start.elapsed().as_secs_f64().max(0.001)) as u64;
    format!("{} {what} new, {}/s", count(new), count(rate))
}

/// Ingests the history of the repository around `folder`; its name, or the folder's where there is none.
async fn git_step(story: &mut Story, client: &events::Client, folder: &Path) -> anyhow::Result<String> {
    let start = Instant::now();
    let commits = match source::git::read(Intake::new(Intake::DEFAULT_TENANT, now()), folder) {
        Ok(commits) => commits,
        Err(error) => {
            story.skip(&format!("no history is ingested: {error}"))?;
            return Ok(folder.file_name().unwrap_or_default().to_string_lossy().into_owned());
        }
    };
    let repository = commits.repository().name.clone();
    let bar = Bar::counter("commits", "read");
    let report =
        writer::write(client, commits, writer::Options::default(), |report| bar.count(report.read)).await?;
    let loaded = loaded(report.written, "events", start);
    let refused = report.dead_letters.iter().map(|letter| format!("{}: {}", letter.place, letter.reason));
    let holds = format!("{} commits of {repository}", count(report.written + report.duplicate));
    story.tell("history", start, holds, loaded, refused.collect())?;
    Ok(repository)
}

/// A row under the name that people know, where ardb knows the package.
fn ranked(row: package_ranking::Model, names: &HashMap<PackageId, String>) -> Ranked {
    let published = row.ardb_package_id.and_then(|id| names.get(&PackageId(id)).cloned());
    Ranked { rank: row.rank, name: published.unwrap_or(row.name), dependents: row.dependents_count }
}

fn describe(summary: &Summary) -> String {
    let most = summary.most_depended_on.iter().map(|row| row.dependents).max().unwrap_or(1).max(1);
    let rows = summary.most_depended_on.iter().map(|row| {
        let width = usize::try_from(row.dependents * 30 / most).unwrap_or(0).max(1);
        vec![row.rank.to_string(), row.name.clone(), count(row.dependents.unsigned_abs()), "▇".repeat(width)]
    });
    format!(
        "\n{}\n{}\n\n{}",
        paint(STRONG, "Most depended-on packages"),
        output::table(&["rank", "package", "dependents", ""], rows, &[0, 2]),
        digest::describe(&summary.digest),
    )
}
