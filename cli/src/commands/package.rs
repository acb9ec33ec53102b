//! `archer package`: what ardb knows of a package.

use anyhow::{anyhow, bail};
use clap::{Args, Subcommand};
use dev::endpoints::Needs;
use entity_ardb::{dependency, package, version};
use sea_orm::DatabaseConnection;
use serde::Serialize;
use service::ardb::{
    advisory::{self, About, Known},
    dependency as dependencies,
    dependent::{self, Dependent},
    package as packages,
    search::{self, Search},
    version as versions,
};
use service::purl::Purl;

use crate::Context;
use crate::output::{self, BAD, FAINT, GOOD, Outcome, STRONG, WARN, count, paint, plain, print};
use crate::stores::Stores;

/// How many near names are suggested for one that is not there.
const SUGGESTIONS: u64 = 3;

/// What to show.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Shows a package, or a version of it: newest versions, dependencies, advisories
    #[command(
        after_help = "Examples:\n  archer package show pkg:cargo/serde\n  archer package show pkg:cargo/serde@1.0.0"
    )]
    Show {
        /// A package URL
        #[arg(value_parser = purl)]
        purl: Purl,
    },
    /// Lists versions, newest first in the ecosystem's order
    #[command(after_help = "Example:\n  archer package versions pkg:cargo/serde --limit 10")]
    Versions {
        /// A package URL
        #[arg(value_parser = purl)]
        purl: Purl,
        /// At most so many
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..))]
        limit: u64,
    },
    /// Lists the packages that depend on one
    #[command(after_help = "Examples:\n  archer package dependents pkg:cargo/serde\n  \
        archer package dependents pkg:cargo/serde --depth 3")]
    Dependents(Dependents),
    /// Lists the advisories about a package, or those that affect a version of it
    #[command(after_help = "Examples:\n  archer package advisories pkg:cargo/time\n  \
        archer package advisories pkg:cargo/time@0.1.42")]
    Advisories {
        /// A package URL
        #[arg(value_parser = purl)]
        purl: Purl,
    },
}

/// `archer package dependents`
#[derive(Args, Clone, Debug)]
pub struct Dependents {
    /// A package URL
    #[arg(value_parser = purl)]
    purl: Purl,
    /// Over at most so many steps; 1: only those that ask for it themselves
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=i64::from(dependent::MAX_DEPTH)))]
    depth: u32,
    /// At most so many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=dependent::MAX_PAGE))]
    limit: u64,
}

fn purl(text: &str) -> Result<Purl, String> {
    text.parse().map_err(|error| {
        format!("{error}; a package URL is such as pkg:cargo/serde or pkg:npm/%40babel/core")
    })
}

/// Shows what is asked for.
///
/// # Errors
///
/// When the package or version is not known, with names that are near; when the database refuses.
pub async fn run(context: &Context, command: Command) -> anyhow::Result<Outcome> {
    let needs = Needs { ardb: true, ..Needs::default() };
    Stores::with_migrated(context, needs, async |stores| {
        let ardb = stores.ardb()?;
        match command {
            Command::Show { purl } => show(context, ardb, &purl).await,
            Command::Versions { purl, limit } => {
                let package = known(ardb, &purl).await?;
                let found = versions::newest(ardb, package.id, limit).await?;
                let found: Vec<_> = found.into_iter().map(Version::from).collect();
                print(context, &found, |found| table_of_versions(found))
            }
            Command::Dependents(Dependents { purl, depth, limit }) => {
                let package = known(ardb, &purl).await?;
                let found = dependent::nearest(ardb, package.id, depth, None, limit).await?;
                print(context, &found, |found| table_of_dependents(found))
            }
            Command::Advisories { purl } => advisories(context, ardb, &purl).await,
        }
    })
    .await
}

/// The package that `purl` names.
async fn known(ardb: &DatabaseConnection, purl: &Purl) -> anyhow::Result<package::Model> {
    match packages::by_purl(ardb, purl).await? {
        Some(package) => Ok(package),
        None => Err(unknown(ardb, purl).await?),
    }
}

/// Says that there is no package that `purl` names, and what is near.
async fn unknown(ardb: &DatabaseConnection, purl: &Purl) -> anyhow::Result<anyhow::Error> {
    let name = match purl.namespace() {
        Some(namespace) => format!("{namespace}/{}", purl.name()),
        None => purl.name().to_owned(),
    };
    let search = Search { text: &name, ..Search::default() };
    let near = search::packages(ardb, &search, SUGGESTIONS).await?;
    let near: Vec<String> = near.into_iter().filter_map(|hit| hit.purl).collect();
    Ok(match near.as_slice() {
        [] => anyhow!(
            "there is no package {purl} here, nor one with a name like it; `archer import` brings packages in"
        ),
        near => anyhow!("there is no package {purl} here; near it: {}", near.join(", ")),
    })
}

/// The version that `purl` names of `package`.
async fn known_version(
    ardb: &DatabaseConnection,
    package: &package::Model,
    number: &str,
) -> anyhow::Result<version::Model> {
    if let Some(found) = versions::by_number(ardb, package.id, number).await? {
        return Ok(found);
    }
    let newest = versions::newest(ardb, package.id, SUGGESTIONS).await?;
    let newest: Vec<_> = newest.into_iter().map(|version| version.number).collect();
    match newest.as_slice() {
        [] => bail!("{} has no version {number} here, nor any other", package.name),
        newest => bail!("{} has no version {number} here; its newest: {}", package.name, newest.join(", ")),
    }
}

#[derive(Serialize)]
struct Shown {
    namespace: String,
    name: String,
    newest: Option<String>,
    newest_stable: Option<String>,
    /// The one that its registry shows when none is asked for.
    default: Option<String>,
    versions: u64,
    /// Of all versions together, since its registry counts.
    downloads: Option<u64>,
    /// The version that was asked for, else the default one, else the newest stable one, else the newest.
    version: Option<Version>,
    dependencies: Vec<Dependency>,
    advisories: Vec<Known>,
}

#[derive(Serialize)]
struct Version {
    number: String,
    is_prerelease: bool,
    is_yanked: bool,
    published_at: Option<chrono::DateTime<chrono::Utc>>,
}

impl From<version::Model> for Version {
    fn from(version: version::Model) -> Self {
        let version::Model { number, is_prerelease, is_yanked, published_at, .. } = version;
        Self { number, is_prerelease, is_yanked, published_at }
    }
}

#[derive(Serialize)]
struct Dependency {
    namespace: String,
    name: String,
    requirement: String,
    kind: String,
    is_optional: bool,
    target: String,
}

impl From<dependency::Model> for Dependency {
    fn from(dependency: dependency::Model) -> Self {
        let dependency::Model { namespace, name, requirement, kind, is_optional, target, .. } = dependency;
        let kind = sea_orm::ActiveEnum::to_value(&kind);
        Self { namespace, name, requirement, kind, is_optional, target }
    }
}

async fn show(context: &Context, ardb: &DatabaseConnection, purl: &Purl) -> anyhow::Result<Outcome> {
    let package = known(ardb, purl).await?;
    let latest = versions::latest(ardb, package.id).await?;
    let number = |version: &Option<version::Model>| version.as_ref().map(|version| version.number.clone());
    let (newest, newest_stable) = (number(&latest.newest), number(&latest.newest_stable));
    let default = number(&latest.default);
    let version = match purl.version() {
        Some(number) => Some(known_version(ardb, &package, number).await?),
        None => latest.shown().cloned(),
    };
    let (dependencies, advisories) = match &version {
        Some(version) => {
            (dependencies::of_version(ardb, version.id).await?, advisory::of_version(ardb, version.id).await?)
        }
        None => (Vec::new(), Vec::new()),
    };
    let shown = Shown {
        namespace: package.namespace,
        name: package.name,
        newest,
        newest_stable,
        default,
        downloads: packages::downloads(ardb, package.id).await?,
        versions: latest.versions_count,
        version: version.map(Version::from),
        dependencies: dependencies.into_iter().map(Dependency::from).collect(),
        advisories,
    };
    print(context, &shown, describe)
}

async fn advisories(context: &Context, ardb: &DatabaseConnection, purl: &Purl) -> anyhow::Result<Outcome> {
    let Some(package) = packages::by_purl(ardb, purl).await? else {
        return advisories_about_a_name(context, ardb, purl).await;
    };
    match purl.version() {
        Some(number) => {
            let version = known_version(ardb, &package, number).await?;
            let found = advisory::of_version(ardb, version.id).await?;
            print(context, &found, |found| table_of_known(found))
        }
        None => {
            let found = advisory::of_package(ardb, package.id).await?;
            print(context, &found, |found| table_of_about(found))
        }
    }
}

/// Advisories come from elsewhere than packages, so there can be some about a package that is not here.
async fn advisories_about_a_name(
    context: &Context,
    ardb: &DatabaseConnection,
    purl: &Purl,
) -> anyhow::Result<Outcome> {
    let found = advisory::of_purl(ardb, purl).await?;
    if found.is_empty() {
        return Err(unknown(ardb, purl).await?);
    }
    if let Some(number) = purl.version() {
        bail!("no version of {} is here; without @{number}, all advisories about it are listed", purl.name());
    }
    print(context, &found, |found| table_of_about(found))
}

fn full_name(namespace: &str, name: &str) -> String {
    plain(&if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") })
}

fn describe(shown: &Shown) -> String {
    let none = || "none".to_owned();
    let mut text = format!(
        "{}: {} versions, newest {}, newest stable {}",
        paint(STRONG, full_name(&shown.namespace, &shown.name)),
        count(shown.versions),
        shown.newest.clone().unwrap_or_else(none),
        shown.newest_stable.clone().unwrap_or_else(none),
    );
    if let Some(default) =
        shown.default.as_ref().filter(|default| Some(*default) != shown.newest_stable.as_ref())
    {
        text.push_str(&format!(", default {default}"));
    }
    if let Some(downloads) = shown.downloads {
        text.push_str(&format!(", {} downloads", count(downloads)));
    }
    let Some(version) = &shown.version else { return text };
    text.push_str(&format!("\n\n{}{}", paint(STRONG, plain(&version.number)), remarks(version)));
    if !shown.dependencies.is_empty() {
        let rows = shown.dependencies.iter().map(|dependency| {
            let optional = if dependency.is_optional { "optional" } else { "" };
            vec![
                full_name(&dependency.namespace, &dependency.name),
                plain(&dependency.requirement),
                dependency.kind.clone(),
                optional.to_owned(),
                plain(&dependency.target),
            ]
        });
        text.push_str(&format!(
            "\n{}",
            output::table(&["depends on", "accepts", "kind", "", "for"], rows, &[])
        ));
    }
    text.push_str(&format!("\n{}", table_of_known(&shown.advisories)));
    text
}

fn remarks(version: &Version) -> String {
    let published =
        version.published_at.map(|at| format!(" of {}", at.format("%Y-%m-%d"))).unwrap_or_default();
    let prerelease = if version.is_prerelease { ", a prerelease" } else { "" };
    let yanked = if version.is_yanked { paint(WARN, ", yanked") } else { String::new() };
    format!("{published}{prerelease}{yanked}")
}

fn table_of_versions(found: &[Version]) -> String {
    if found.is_empty() {
        return paint(FAINT, "no versions are known");
    }
    let rows = found.iter().map(|version| {
        let published = version.published_at.map(|at| at.format("%Y-%m-%d").to_string());
        let mut remarks = Vec::new();
        if version.is_prerelease {
            remarks.push("prerelease".to_owned());
        }
        if version.is_yanked {
            remarks.push(paint(WARN, "yanked"));
        }
        vec![plain(&version.number), published.unwrap_or_default(), remarks.join(", ")]
    });
    output::table(&["version", "published", ""], rows, &[])
}

fn table_of_dependents(found: &[Dependent]) -> String {
    if found.is_empty() {
        return paint(FAINT, "nothing here depends on it");
    }
    let rows = found.iter().map(|dependent| {
        let name = full_name(&dependent.namespace, &dependent.name);
        vec![name, dependent.depth.to_string(), count(dependent.popularity.unsigned_abs())]
    });
    output::table(&["package", "steps", "dependents of its own"], rows, &[1, 2])
}

fn table_of_known(found: &[Known]) -> String {
    if found.is_empty() {
        return paint(GOOD, "no advisory is known against it");
    }
    let rows = found.iter().map(|known| {
        let fixed = known.fixed.as_deref().map_or_else(|| paint(BAD, "no fix"), plain);
        vec![plain(&known.advisory), plain(&known.kind), fixed, plain(&known.summary)]
    });
    output::table(&["advisory", "kind", "fixed in", ""], rows, &[])
}

fn table_of_about(found: &[About]) -> String {
    if found.is_empty() {
        return paint(GOOD, "no advisory is known about it");
    }
    let rows = found.iter().map(|about| {
        let fixed =
            if about.fixed.is_empty() { paint(BAD, "no fix") } else { plain(&about.fixed.join(", ")) };
        let newest = if about.is_newest_affected { paint(BAD, "also the newest") } else { String::new() };
        let affected = count(about.affected_versions.unsigned_abs());
        vec![plain(&about.advisory), plain(&about.kind), affected, newest, fixed, plain(&about.summary)]
    });
    output::table(&["advisory", "kind", "versions here", "", "fixed in", ""], rows, &[2])
}
