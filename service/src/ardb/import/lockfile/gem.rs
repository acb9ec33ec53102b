//! `Gemfile.lock`. A gem of a registry has no source; one of a git repository or a folder has that.
//!
//! ```text
//! GEM
//!   remote: https://rubygems.example/
//!   specs:
//!     rack-test (2.1.0)
//!       rack (>= 1.3)
//! ```
//!
//! Behind a version may follow the platform that a copy is for, after a hyphen, which no gem's version has; the copies
//! are one component.

use std::collections::HashMap;

use entity_ardb::RelationKind;

use super::{
    super::{
        check,
        inventory::{Found, Inventory, Key},
    },
    Flaw,
};
use crate::ardb::name;

const ECOSYSTEM: &str = "gem";

/// What gems come from, each with `specs:`.
pub(super) const SECTIONS_OF_SOURCES: [&str; 4] = ["GEM", "GIT", "PATH", "PLUGIN SOURCE"];

/// What has been read of a source's section.
#[derive(Default)]
struct Source {
    section: String,
    remote: String,
    revision: String,
}

impl Source {
    fn as_component_source(&self) -> String {
        match self.section.as_str() {
            "GEM" => String::new(),
            "PATH" => format!("path+{}", self.remote),
            "GIT" => format!("git+{}#{}", self.remote, self.revision),
            _ => format!("plugin+{}", self.remote),
        }
    }
}

/// A gem and the line of what is known of it.
struct Spec {
    line: usize,
    found: Found,
    dependencies: Vec<String>,
}

pub(super) fn parse(content: &str) -> Result<Inventory, Flaw> {
    let mut specs = Vec::<Spec>::new();
    let mut checksums = HashMap::new();
    let mut wanted = Vec::new();
    let mut source = Source::default();
    for (line, text) in (1..).zip(content.lines()) {
        let entry = text.trim_start_matches(' ');
        let depth = text.len() - entry.len();
        let section = source.section.as_str();
        match (depth, section) {
            _ if entry.is_empty() => {}
            (0, _) if entry.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b' ') => {
                source = Source { section: entry.to_owned(), ..Source::default() };
            }
            (2, section) if SECTIONS_OF_SOURCES.contains(&section) => {
                if let Some(remote) = entry.strip_prefix("remote: ") {
                    remote.clone_into(&mut source.remote);
                } else if let Some(revision) = entry.strip_prefix("revision: ") {
                    revision.clone_into(&mut source.revision);
                }
            }
            (4, section) if SECTIONS_OF_SOURCES.contains(&section) => {
                let (name, version) = name_and_parentheses(entry);
                let Some(version) = version else {
                    return Err(Flaw::new(line, format!("expected `name (version)`, found {entry:?}")));
                };
                let number = version.split('-').next().unwrap_or(version);
                let found = Found {
                    source: source.as_component_source(),
                    ..Found::new(ECOSYSTEM, name::split(ECOSYSTEM, name), number)
                };
                specs.push(Spec { line, found, dependencies: Vec::new() });
            }
            (6, section) if SECTIONS_OF_SOURCES.contains(&section) => {
                let Some(spec) = specs.last_mut() else {
                    return Err(Flaw::new(line, format!("expected a gem before its dependency {entry:?}")));
                };
                spec.dependencies.push(name_and_parentheses(entry).0.to_owned());
            }
            (2, "DEPENDENCIES") => {
                // An exclamation mark says that it comes from a source of its own.
                wanted.push(name_and_parentheses(entry).0.trim_end_matches('!').to_owned());
            }
            (2, "CHECKSUMS") => {
                if let Some((gem, sum)) = entry.split_once(" sha256=") {
                    let sum = check::sha256("checksum", sum).map_err(|reason| Flaw::new(line, reason))?;
                    checksums.insert(gem.to_owned(), sum);
                }
            }
            // Of the platforms, of Ruby and of Bundler itself.
            (1.., section) if !section.is_empty() => {}
            _ => {
                let reason = format!("is no Gemfile.lock: expected a section such as GEM, found {entry:?}");
                return Err(Flaw::new(line, reason));
            }
        }
    }
    inventory(specs, &checksums, &wanted)
}

fn inventory(
    specs: Vec<Spec>,
    checksums: &HashMap<String, [u8; 32]>,
    wanted: &[String],
) -> Result<Inventory, Flaw> {
    let mut inventory = Inventory::default();
    let mut keys = HashMap::<String, Key>::new();
    let mut dependencies = Vec::with_capacity(specs.len());
    for Spec { line, mut found, dependencies: names } in specs {
        let name = found.name.name.clone();
        found.checksum_sha256 = checksums.get(&format!("{name} ({})", found.number)).copied();
        let key = inventory.add(found).map_err(|reason| Flaw::new(line, format!("{name}: {reason}")))?;
        keys.insert(name, key.clone());
        dependencies.push((key, names));
    }
    for (key, names) in &dependencies {
        // Bundler itself is a dependency that no section lists.
        for target in names.iter().filter_map(|name| keys.get(name)) {
            relate(&mut inventory, Some(key), target)?;
        }
    }
    for target in wanted.iter().filter_map(|name| keys.get(name)) {
        relate(&mut inventory, None, target)?;
    }
    Ok(inventory)
}

fn relate(inventory: &mut Inventory, from: Option<&Key>, to: &Key) -> Result<(), Flaw> {
    let related = inventory.relate(from, RelationKind::DependsOn, to);
    related.map_err(|reason| Flaw::new(1, format!("{}: {reason}", to.normalized_name)))
}

/// `name (text)` taken apart.
fn name_and_parentheses(entry: &str) -> (&str, Option<&str>) {
    match entry.split_once(" (") {
        Some((name, rest)) => (name, rest.trim_end_matches('!').strip_suffix(')')),
        None => (entry, None),
    }
}
