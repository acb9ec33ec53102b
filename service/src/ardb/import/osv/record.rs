//! An OSV record as JSON, and as rows.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use entity_ardb::{RangeKind, VersionScheme, ecosystem};
use serde::Deserialize;
use serde_json::Value;

use super::{
    super::check::{self, MAX_NAME_BYTES},
    Ecosystems,
    severity::{self, Severity},
};
use crate::ardb::{
    distribution,
    name::{self, Name},
    version::{
        ecosystem as known,
        range::{Event, Interval, evaluate},
    },
};

const MAX_REFERENCE_KIND_BYTES: usize = 64;
const MAX_URL_BYTES: usize = 2048;

/// The columns of `advisories`, and what hangs on one.
pub(super) struct Advisory {
    pub(super) identifier: String,
    pub(super) kind: String,
    pub(super) summary: String,
    pub(super) details: String,
    pub(super) severity: Option<String>,
    pub(super) published_at: Option<DateTime<Utc>>,
    pub(super) modified_at: DateTime<Utc>,
    pub(super) withdrawn_at: Option<DateTime<Utc>>,
    pub(super) aliases: BTreeSet<String>,
    pub(super) severities: BTreeSet<Severity>,
    /// Kind and URL.
    pub(super) references: BTreeSet<(String, String)>,
    pub(super) affected: BTreeMap<Package, Affected>,
}

/// A package of an ecosystem (`ecosystems.name`), or of one release of a distribution.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Package {
    pub(super) ecosystem: String,
    pub(super) namespace: String,
    pub(super) normalized_name: String,
    /// Empty: all, or no distribution.
    pub(super) release: String,
}

/// What is affected of a package.
pub(super) struct Affected {
    pub(super) name: String,
    /// OSV's name of the ecosystem, without a release, and its order, for an ecosystem that is not there yet.
    pub(super) osv_name: String,
    pub(super) scheme: VersionScheme,
    pub(super) ranges: Vec<Range>,
    pub(super) versions: BTreeSet<String>,
}

/// A range as published, and what follows from it.
pub(super) struct Range {
    pub(super) kind: RangeKind,
    pub(super) repository: String,
    /// JSON of an array.
    pub(super) events: String,
    pub(super) intervals: Vec<Interval>,
}

#[derive(Deserialize)]
pub(super) struct Record {
    id: String,
    modified: String,
    published: Option<String>,
    withdrawn: Option<String>,
    aliases: Option<Vec<String>>,
    summary: Option<String>,
    details: Option<String>,
    references: Option<Vec<RecordReference>>,
    severity: Option<Vec<severity::Given>>,
    affected: Option<Vec<RecordAffected>>,
}

#[derive(Deserialize)]
struct RecordReference {
    r#type: String,
    url: String,
}

#[derive(Deserialize)]
struct RecordAffected {
    package: Option<RecordPackage>,
    ranges: Option<Vec<RecordRange>>,
    versions: Option<Vec<String>>,
    severity: Option<Vec<severity::Given>>,
    /// Of any form; each database has its own.
    database_specific: Option<Value>,
}

#[derive(Deserialize)]
struct RecordPackage {
    ecosystem: String,
    name: String,
}

#[derive(Deserialize)]
struct RecordRange {
    r#type: String,
    repo: Option<String>,
    events: Vec<BTreeMap<String, String>>,
}

/// Takes a record apart; `Err` with the reason why it can't be loaded.
pub(super) fn advisory(record: Record, ecosystems: &Ecosystems) -> Result<Advisory, String> {
    let affected = record.affected.unwrap_or_default();
    let time =
        |field: &str, value: &Option<String>| value.as_deref().map(|at| check::time(field, at)).transpose();
    let aliases: BTreeSet<_> =
        record.aliases.unwrap_or_default().into_iter().filter(|alias| *alias != record.id).collect();
    for alias in &aliases {
        check::length("alias", alias, MAX_NAME_BYTES)?;
    }
    let given =
        record.severity.iter().chain(affected.iter().filter_map(|affected| affected.severity.as_ref()));
    let severities = severity::severities(given.flatten())?;
    Ok(Advisory {
        kind: affected.iter().find_map(informational).unwrap_or_else(|| "vulnerability".into()),
        severity: severity::main_vector(&severities).map(str::to_owned),
        published_at: time("published", &record.published)?,
        modified_at: check::time("modified", &record.modified)?,
        withdrawn_at: time("withdrawn", &record.withdrawn)?,
        identifier: record.id,
        summary: record.summary.unwrap_or_default(),
        details: record.details.unwrap_or_default(),
        aliases,
        severities,
        references: references(record.references.unwrap_or_default())?,
        affected: packages(affected, ecosystems)?,
    })
}

fn references(given: Vec<RecordReference>) -> Result<BTreeSet<(String, String)>, String> {
    let reference = |RecordReference { r#type, url }| {
        check::length("type of a reference", &r#type, MAX_REFERENCE_KIND_BYTES)?;
        check::length("url of a reference", &url, MAX_URL_BYTES)?;
        Ok((r#type, url))
    };
    given.into_iter().map(reference).collect()
}

/// RustSec's word for what is no vulnerability, as a slug.
fn informational(affected: &RecordAffected) -> Option<String> {
    let kind = affected.database_specific.as_ref()?.get("informational")?.as_str()?;
    let slug = slug(kind);
    (1..=64).contains(&slug.len()).then_some(slug)
}

/// Lower case, a run of anything but letters and digits one hyphen.
fn slug(text: &str) -> String {
    let text = text.to_ascii_lowercase();
    let words =
        text.split(|character: char| !character.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}

fn packages(
    given: Vec<RecordAffected>,
    ecosystems: &Ecosystems,
) -> Result<BTreeMap<Package, Affected>, String> {
    let mut packages = BTreeMap::<Package, Affected>::new();
    for RecordAffected { package, ranges, versions, .. } in given {
        let Some(package) = package else { continue };
        let (key, found) = self::package(&package, ecosystems)?;
        let scheme = found.scheme;
        let affected = packages.entry(key).or_insert(found);
        for range in ranges.unwrap_or_default() {
            affected.ranges.push(self::range(range, scheme)?);
        }
        for number in versions.unwrap_or_default() {
            check::length("a version", &number, MAX_NAME_BYTES)?;
            affected.versions.insert(number);
        }
    }
    Ok(packages)
}

fn package(given: &RecordPackage, ecosystems: &Ecosystems) -> Result<(Package, Affected), String> {
    let (osv_name, release) = given.ecosystem.split_once(':').unwrap_or((&given.ecosystem, ""));
    let distribution = distribution::of_osv(osv_name);
    let known = match distribution {
        Some(distribution) => ecosystems.by_name.get(distribution.ecosystem),
        None => ecosystems.by_osv_name.get(osv_name),
    };
    let (ecosystem, scheme) = match known {
        Some(known) => (known.name.clone(), known.version_scheme),
        None => {
            check::length("ecosystem", osv_name, MAX_NAME_BYTES)?;
            (unknown_ecosystem(osv_name, ecosystems)?, default_scheme(osv_name))
        }
    };
    let Name { mut namespace, name, normalized } = name::split(&ecosystem, &given.name);
    let release = match distribution {
        Some(distribution) => {
            namespace = distribution.namespace.to_owned();
            distribution.release(release)
        }
        // Where names have namespaces, what follows the colon is no release: Maven's is a repository.
        None if namespace.is_empty() => release.to_owned(),
        None => String::new(),
    };
    check::length_or_empty("namespace of a package", &namespace, MAX_NAME_BYTES)?;
    check::length_or_empty("release of an ecosystem", &release, MAX_NAME_BYTES)?;
    check::length("name of a package", &name, MAX_NAME_BYTES)?;
    check::length("normalised name of a package", &normalized, MAX_NAME_BYTES)?;
    Ok((
        Package { ecosystem, namespace, normalized_name: normalized, release },
        Affected {
            name,
            osv_name: osv_name.to_owned(),
            scheme,
            ranges: Vec::new(),
            versions: BTreeSet::new(),
        },
    ))
}

/// The order of an ecosystem that an import adds.
pub(super) fn default_scheme(osv_name: &str) -> VersionScheme {
    known::find(osv_name).map_or(VersionScheme::Opaque, |known| known.scheme)
}

/// The name that an ecosystem gets which is not there yet.
pub(super) fn unknown_ecosystem(osv_name: &str, ecosystems: &Ecosystems) -> Result<String, String> {
    let name = slug(osv_name);
    let begins_well = name.starts_with(|first: char| first.is_ascii_lowercase());
    if !begins_well || name.len() > 63 {
        return Err(format!(
            "ecosystem {osv_name:?} is no name of one: 1 to 63 letters and digits, a letter first"
        ));
    }
    match ecosystems.by_name.get(&name) {
        Some(ecosystem::Model { osv_name: Some(known), .. }) => {
            Err(format!("ecosystem {osv_name:?} is unknown; its name is that of {known:?}"))
        }
        Some(_) => Err(format!("ecosystem {osv_name:?} is unknown to OSV; its name is taken")),
        None => match ecosystems.added(&name, osv_name) {
            Some(other) => Err(format!("ecosystem {osv_name:?} is unknown; its name is that of {other:?}")),
            None => Ok(name),
        },
    }
}

fn range(given: RecordRange, scheme: VersionScheme) -> Result<Range, String> {
    let kind = match given.r#type.as_str() {
        "SEMVER" => RangeKind::Semver,
        "ECOSYSTEM" => RangeKind::Ecosystem,
        "GIT" => RangeKind::Git,
        other => return Err(format!("range type {other:?} is none of SEMVER, ECOSYSTEM, GIT")),
    };
    let events = given.events.iter().flatten().map(event).collect::<Result<Vec<_>, _>>()?;
    let intervals = match kind {
        // Commits have an order only in their repository's history.
        RangeKind::Git => Vec::new(),
        RangeKind::Semver | RangeKind::Ecosystem => evaluate(&events, scheme),
    };
    let events = serde_json::to_string(&given.events).map_err(|error| error.to_string())?;
    Ok(Range { kind, repository: given.repo.unwrap_or_default(), events, intervals })
}

fn event((kind, version): (&String, &String)) -> Result<Event, String> {
    check::length("version of an event", version, MAX_NAME_BYTES)?;
    let version = version.clone();
    Event::new(kind, version)
        .ok_or_else(|| format!("event {kind:?} is none of introduced, fixed, last_affected, limit"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_unknown_ecosystem_of_one_name_is_refused_and_the_first_can_come_again() {
        let ecosystems = Ecosystems::new(Vec::new());
        let name = |osv_name| unknown_ecosystem(osv_name, &ecosystems);
        assert_eq!(name("Foo Bar"), Ok("foo-bar".into()));
        let reason = "ecosystem \"foo bar\" is unknown; its name is that of \"Foo Bar\"";
        assert_eq!(name("foo bar"), Err(reason.into()));
        assert_eq!(name("Foo Bar"), Ok("foo-bar".into()));
    }

    #[test]
    fn an_unknown_ecosystem_whose_name_is_too_long_is_refused() {
        let given = RecordPackage { ecosystem: format!("a{}", "!".repeat(256)), name: "a".into() };
        let refused = package(&given, &Ecosystems::new(Vec::new())).err();
        assert_eq!(refused.as_deref(), Some("ecosystem is 257 bytes long, at most 256 are kept"));
    }
}
