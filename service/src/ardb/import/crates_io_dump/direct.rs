//! Dependencies of a first import: rows of their table as they are read, since what they refer to will have the ids of the
//! dump, moved by as much as others have taken before.

use std::collections::{HashMap, HashSet};

use super::super::copy::CopyRows;

pub(super) const COPY: &str =
    "copy dependencies (version_id, package_id, name, normalized_name, alias, requirement, kind,
    is_optional, uses_default_features, features, target) from stdin (format binary)";

/// The largest id of a dump that is moved; crates.io is far from it.
pub(super) const MAX_ID: i64 = u32::MAX as i64;

/// What is added to an id of the dump.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moves {
    pub(super) packages: i64,
    pub(super) versions: i64,
}

/// A record of the dump's dependencies.
pub(super) struct Dependency<'a> {
    pub(super) version_id: i64,
    pub(super) crate_id: i64,
    pub(super) alias: &'a str,
    pub(super) requirement: &'a str,
    pub(super) kind: &'a str,
    pub(super) is_optional: bool,
    pub(super) uses_default_features: bool,
    pub(super) features: Vec<String>,
    pub(super) target: &'a str,
}

struct Named {
    name: Box<str>,
    normalized: Box<str>,
}

/// What was read before, and the rows that follow from it.
pub(super) struct Direct {
    moves: Moves,
    crates: HashMap<i64, Named>,
    /// Empty where the dump has versions after dependencies: then all are taken for known, and looked for in the end.
    versions: HashSet<i64>,
    pub(super) rows: CopyRows,
}

impl Direct {
    pub(super) fn new(moves: Moves) -> Self {
        Self { moves, crates: HashMap::new(), versions: HashSet::new(), rows: CopyRows::new() }
    }

    pub(super) fn see_crate(&mut self, id: i64, name: &str, normalized: &str) {
        self.crates.entry(id).or_insert_with(|| Named { name: name.into(), normalized: normalized.into() });
    }

    pub(super) fn see_version(&mut self, id: i64) {
        self.versions.insert(id);
    }

    /// Writes a row; `false`: what it refers to is not known here, so it is for the staging table.
    pub(super) fn write(&mut self, dependency: &Dependency<'_>) -> bool {
        let Dependency { version_id, crate_id, .. } = *dependency;
        let Some(known) = self.crates.get(&crate_id) else { return false };
        let is_known = self.versions.is_empty() || self.versions.contains(&version_id);
        if !is_known || ![version_id, crate_id].iter().all(|id| (1..=MAX_ID).contains(id)) {
            return false;
        }
        self.rows
            .row(11)
            .bigint(self.moves.versions + version_id)
            .bigint(self.moves.packages + crate_id)
            .text(&known.name)
            .text(&known.normalized)
            .text(dependency.alias)
            .text(dependency.requirement)
            .text(dependency.kind)
            .boolean(dependency.is_optional)
            .boolean(dependency.uses_default_features)
            .text_array(&dependency.features)
            .text(dependency.target);
        true
    }
}
