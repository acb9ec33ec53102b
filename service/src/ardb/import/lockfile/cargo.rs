//! `Cargo.lock`, by cargo-lock. A component's source is cargo's own spelling of it; a local path has none.

use std::collections::HashMap;

use cargo_lock::{Lockfile, Name as CrateName, SourceId, Version};
use entity_ardb::RelationKind;
use serde::Deserialize;
use toml::Spanned;

use super::{
    super::inventory::{Found, Inventory, Key},
    Flaw, Kind,
};
use crate::ardb::{inventory::CRATES_IO, name};

const ECOSYSTEM: &str = "cargo";

pub(super) fn parse(content: &str) -> Result<Inventory, Flaw> {
    refuse_checksums_beyond_ascii(content)?;
    let lockfile: Lockfile = content.parse().map_err(|error| flaw(content, &error))?;
    if lockfile.packages.is_empty() {
        let reason =
            "is no Cargo.lock: it names no package, and cargo's own names at least that of its project";
        return Err(Flaw::new(1, reason));
    }
    let mut inventory = Inventory::default();
    let mut keys = Vec::with_capacity(lockfile.packages.len());
    for package in &lockfile.packages {
        let name = package.name.to_string();
        let found = Found {
            source: source(package.source.as_ref()),
            checksum_sha256: package.checksum.as_ref().and_then(|checksum| checksum.as_sha256()),
            ..Found::new(ECOSYSTEM, name::split(ECOSYSTEM, &name), package.version.to_string())
        };
        let refused = |reason| Flaw::at(content, line_of(content, &name), format!("{name}: {reason}"));
        keys.push(inventory.add(found).map_err(refused)?);
    }
    let mut by_name = HashMap::<(&str, &Version), Vec<&Key>>::new();
    for (package, key) in lockfile.packages.iter().zip(&keys) {
        by_name.entry((package.name.as_str(), &package.version)).or_default().push(key);
    }
    for (package, key) in lockfile.packages.iter().zip(&keys) {
        for dependency in &package.dependencies {
            let Some(candidates) = by_name.get(&(dependency.name.as_str(), &dependency.version)) else {
                continue;
            };
            // Written without a source, it is the only one of that name and version, or the local one.
            let source = source(dependency.source.as_ref());
            let target = candidates.iter().find(|candidate| candidate.source == source);
            if let Some(target) = target.or(candidates.first()) {
                let name = dependency.name.as_str();
                let related = inventory.relate(Some(key), RelationKind::DependsOn, target);
                related.map_err(|reason| {
                    Flaw::at(content, line_of(content, name), format!("{name}: {reason}"))
                })?;
            }
        }
    }
    Ok(inventory)
}

/// cargo-lock 11 cuts a checksum into pairs of bytes, and panics where a cut is within a character.
fn refuse_checksums_beyond_ascii(content: &str) -> Result<(), Flaw> {
    fn find<'a>(key: &str, value: &'a toml::Value) -> Option<&'a str> {
        match value {
            toml::Value::String(text) => (key.starts_with("checksum") && !text.is_ascii()).then_some(text),
            toml::Value::Array(values) => values.iter().find_map(|value| find(key, value)),
            toml::Value::Table(table) => table.iter().find_map(|(key, value)| find(key, value)),
            _ => None,
        }
    }
    if content.is_ascii() && !content.contains('\\') {
        return Ok(());
    }
    // What is no TOML is for cargo-lock to refuse.
    let Ok(table) = content.parse::<toml::Table>() else { return Ok(()) };
    match find("", &toml::Value::Table(table)) {
        None => Ok(()),
        Some(text) => {
            let reason = format!("is no Cargo.lock: checksum {text:?} is not hexadecimal");
            Err(Flaw::at(content, content.find(text).unwrap_or(0), reason))
        }
    }
}

/// crates.io is spelt in two ways, for its git and its sparse index.
fn source(source: Option<&SourceId>) -> String {
    match source {
        None => String::new(),
        Some(source) if source.is_default_registry() => CRATES_IO.into(),
        Some(source) => source.to_string(),
    }
}

fn line_of(content: &str, name: &str) -> usize {
    content.find(&format!("name = \"{name}\"")).unwrap_or(0)
}

#[derive(Deserialize)]
struct Raw {
    #[serde(default)]
    package: Vec<RawPackage>,
}

#[derive(Deserialize)]
struct RawPackage {
    name: Spanned<String>,
    version: Spanned<String>,
    source: Option<Spanned<String>>,
}

/// Finds the place of what cargo-lock only names.
fn flaw(content: &str, error: &cargo_lock::Error) -> Flaw {
    let raw: Raw = match toml::from_str(content) {
        Ok(raw) => raw,
        Err(error) => return Flaw::toml(content, Kind::Cargo, &error),
    };
    let bad = |value: &Spanned<String>, what: &str, reason: &dyn std::fmt::Display| {
        let reason = format!("is no Cargo.lock: {what} {:?}: {reason}", value.get_ref());
        Flaw::at(content, value.span().start, reason)
    };
    for package in &raw.package {
        if let Err(error) = package.name.get_ref().parse::<CrateName>() {
            return bad(&package.name, "name", &error);
        }
        if let Err(error) = Version::parse(package.version.get_ref()) {
            return bad(&package.version, "version", &error);
        }
        if let Some(source) = &package.source
            && let Err(error) = source.get_ref().parse::<SourceId>()
        {
            return bad(source, "source", &error);
        }
    }
    let reason = error.to_string();
    Flaw::new(1, format!("is no Cargo.lock: {}", reason.lines().next().unwrap_or_default()))
}
