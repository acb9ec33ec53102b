//! `poetry.lock`. A package's source is empty for PyPI, else the kind and address that Poetry gives it.

use std::collections::{BTreeMap, HashMap};

use entity_ardb::{ComponentScope, RelationKind};
use serde::Deserialize;
use toml::{Spanned, Value};

use super::{
    super::{
        check,
        inventory::{Found, Inventory, Key},
    },
    Flaw, Kind,
};
use crate::ardb::name;

const ECOSYSTEM: &str = "pypi";

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Spanned<Package>>,
    /// Every version of Poetry writes it; what has none is another tool's.
    #[serde(rename = "metadata")]
    _metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "content-hash")]
    _content_hash: String,
    /// Where Poetry up to 1.2 lists the files, by package.
    #[serde(default)]
    files: BTreeMap<String, Vec<File>>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    #[serde(default)]
    optional: bool,
    /// Of Poetry 2: the dependency groups that ask for it.
    groups: Option<Vec<String>>,
    /// Of Poetry 1: main or dev.
    category: Option<String>,
    #[serde(default)]
    files: Vec<File>,
    #[serde(default)]
    dependencies: BTreeMap<String, Value>,
    source: Option<Source>,
}

#[derive(Deserialize)]
struct File {
    hash: String,
}

#[derive(Deserialize)]
struct Source {
    r#type: String,
    url: String,
    resolved_reference: Option<String>,
}

pub(super) fn parse(content: &str) -> Result<Inventory, Flaw> {
    let lock: Lock = toml::from_str(content).map_err(|error| Flaw::toml(content, Kind::Poetry, &error))?;
    let mut inventory = Inventory::default();
    let mut by_name = HashMap::<String, Vec<Key>>::new();
    let mut keys = Vec::with_capacity(lock.package.len());
    for package in &lock.package {
        let files_of_metadata = lock._metadata.files.get(&package.get_ref().name);
        let found = component(package.get_ref(), files_of_metadata.map(Vec::as_slice));
        let added = found.and_then(|found| inventory.add(found));
        let refused =
            |reason| Flaw::at(content, package.span().start, format!("{}: {reason}", package.get_ref().name));
        let key = added.map_err(refused)?;
        by_name.entry(key.normalized_name.clone()).or_default().push(key.clone());
        keys.push(key);
    }
    for (package, key) in lock.package.iter().zip(&keys) {
        for dependency in package.get_ref().dependencies.keys() {
            // Of several versions, each is for platforms of its own; what is only in an extra need not be there.
            let targets = by_name.get(&name::normalize(ECOSYSTEM, dependency));
            for target in targets.into_iter().flatten() {
                let related = inventory.relate(Some(key), RelationKind::DependsOn, target);
                related.map_err(|reason| {
                    Flaw::at(content, package.span().start, format!("{dependency}: {reason}"))
                })?;
            }
        }
    }
    Ok(inventory)
}

fn component(package: &Package, files_of_metadata: Option<&[File]>) -> Result<Found, String> {
    let is_main = match (&package.groups, &package.category) {
        (Some(groups), _) => groups.iter().any(|group| group == "main"),
        (None, Some(category)) => category == "main",
        (None, None) => true,
    };
    let scope = match (&package.groups, &package.category) {
        _ if package.optional => Some(ComponentScope::Optional),
        _ if !is_main => Some(ComponentScope::Dev),
        (None, None) => None,
        _ => Some(ComponentScope::Required),
    };
    let files = if package.files.is_empty() { files_of_metadata.unwrap_or_default() } else { &package.files };
    let checksum_sha256 = match files {
        [only] => {
            only.hash.strip_prefix("sha256:").map(|sum| check::sha256("hash of a file", sum)).transpose()?
        }
        _ => None,
    };
    let source = package.source.as_ref().map_or_else(String::new, |source| {
        let Source { r#type, url, resolved_reference } = source;
        match resolved_reference {
            Some(reference) => format!("{type}+{url}#{reference}"),
            None => format!("{type}+{url}"),
        }
    });
    Ok(Found {
        source,
        checksum_sha256,
        scope,
        ..Found::new(ECOSYSTEM, name::split(ECOSYSTEM, &package.name), &package.version)
    })
}
