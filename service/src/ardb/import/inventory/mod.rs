//! What the importers of inventories share: an inventory in the making, whichever document it comes from, and its way
//! into the database.
//!
//! A component is known by ecosystem, name, number and source. Where a document has it several times (npm installs
//! copies, Maven has an artefact per classifier), it is one component: with the scope that needs it most, and the first
//! checksum and licence.

mod merge;
mod sql;

use std::collections::{BTreeMap, BTreeSet, btree_map};

use entity_ardb::{ComponentScope, RelationKind};
use sha2::{Digest as _, Sha256};

use super::check::{self, MAX_NAME_BYTES};
use crate::{
    Error, Result,
    ardb::{
        inventory::{CRATES_IO, Owner, Product},
        name::Name,
        version::{ecosystem, order},
    },
    purl::Purl,
};

pub(super) use merge::merge;

const MAX_INVENTORY_NAME_BYTES: usize = 1024;
const MAX_SOURCE_BYTES: usize = 1024;
const MAX_PURL_BYTES: usize = 2048;
const MAX_LICENCE_BYTES: usize = 4096;

/// The most components that are read of one document, so that short ones can't fill the memory; the largest products
/// have some ten thousand.
pub(super) const MAX_COMPONENTS: usize = 200_000;

/// The most relations that are read of one document, of which few lines can make many: where each of a thousand versions
/// of a package needs that package, it is any of the thousand. The largest products have some ten thousand.
pub(super) const MAX_RELATIONS: usize = 500_000;

/// To be raised when the same document would be loaded differently: those that were imported before are then read
/// again.
const REVISION: u32 = 3;

/// Of a document, and of what its rows depend on beside it.
pub(super) fn hash(content: impl AsRef<[u8]>) -> [u8; 32] {
    let beside = Sha256::new_with_prefix(REVISION.to_le_bytes()).chain_update(order::REVISION.to_le_bytes());
    beside.chain_update(content).finalize().into()
}

/// Whose inventory a document becomes, by a name that was checked.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) name: String,
    pub(super) owner: Option<Owner>,
}

impl Target {
    /// # Errors
    ///
    /// [`Error::Invalid`] if the name is empty, too long, has a NUL, or looks as if it had an owner in it.
    pub(super) fn new(product: Product<'_>) -> Result<Self> {
        let Product { name, owner } = product;
        let checked = check::length("the name", name, MAX_INVENTORY_NAME_BYTES).and_then(|()| {
            if name.contains('\0') {
                Err("the name has a NUL".into())
            } else if name.starts_with("org:") || name.starts_with("user:") {
                Err("the name begins with org: or user:, as owners do".into())
            } else {
                Ok(())
            }
        });
        checked.map_err(|reason| Error::Invalid { field: "name", reason })?;
        Ok(Self { name: name.to_owned(), owner })
    }

    /// What its document is in `source_documents`.
    pub(super) fn locator(&self) -> String {
        match self.owner {
            Some(owner) => format!("{owner}/{}", self.name),
            None => self.name.clone(),
        }
    }
}

/// The components of a product and how they come to be in it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Inventory {
    pub(super) components: BTreeMap<Key, Component>,
    pub(super) relations: BTreeSet<Relation>,
}

/// The unique columns of `inventory_components`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    /// As a purl type.
    pub(super) ecosystem: String,
    pub(super) namespace: String,
    pub(super) normalized_name: String,
    /// Empty: none.
    pub(super) number: String,
    /// Empty: the ecosystem's own registry; of cargo a local path.
    pub(super) source: String,
}

/// The other columns.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Component {
    pub(super) name: String,
    pub(super) sort_key: Option<Vec<u8>>,
    pub(super) checksum_sha256: Option<[u8; 32]>,
    pub(super) purl: Option<String>,
    pub(super) scope: Option<ComponentScope>,
    pub(super) licence: Option<String>,
    /// Empty: unknown, or no distribution.
    pub(super) release: String,
    pub(super) upstream: Option<Upstream>,
}

/// The source package that a component was built from.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Upstream {
    pub(super) normalized_name: String,
    pub(super) number: String,
    pub(super) sort_key: Option<Vec<u8>>,
}

/// A row of `inventory_relations`.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Relation {
    /// `None`: the product itself.
    pub(super) from: Option<Key>,
    pub(super) to: Key,
    pub(super) kind: RelationKind,
}

/// A component as a document has it.
pub(super) struct Found {
    pub(super) ecosystem: String,
    pub(super) name: Name,
    pub(super) number: String,
    pub(super) source: String,
    pub(super) checksum_sha256: Option<[u8; 32]>,
    /// The document's own; where it has none, it is made of the other fields.
    pub(super) purl: Option<Purl>,
    pub(super) scope: Option<ComponentScope>,
    pub(super) licence: Option<String>,
    /// Of its distribution; empty: unknown, or no distribution.
    pub(super) release: String,
    /// Normalised name and version of the source package, where it has others.
    pub(super) upstream: Option<(String, String)>,
}

impl Found {
    /// A component of which a document says no more than this.
    pub(super) fn new(ecosystem: &str, name: Name, number: impl Into<String>) -> Self {
        Self {
            ecosystem: ecosystem.to_owned(),
            name,
            number: number.into(),
            source: String::new(),
            checksum_sha256: None,
            purl: None,
            scope: None,
            licence: None,
            release: String::new(),
            upstream: None,
        }
    }
}

/// Whether `source` says that a component is the package of that name in its ecosystem's registry.
fn is_registry(ecosystem: &str, source: &str) -> bool {
    source == if ecosystem == "cargo" { CRATES_IO } else { "" }
}

impl Inventory {
    /// Adds a component, or says which of its values can't be kept and why. The key is what relations name.
    pub(super) fn add(&mut self, found: Found) -> Result<Key, String> {
        let Found {
            ecosystem,
            name,
            number,
            source,
            checksum_sha256,
            purl,
            scope,
            licence,
            release,
            upstream,
        } = found;
        let Name { namespace, name, normalized } = name;
        check::length_or_empty("namespace", &namespace, MAX_NAME_BYTES)?;
        check::length("name", &name, MAX_NAME_BYTES)?;
        check::length("normalised name", &normalized, MAX_NAME_BYTES)?;
        check::length_or_empty("version", &number, MAX_NAME_BYTES)?;
        check::length_or_empty("source", &source, MAX_SOURCE_BYTES)?;
        let licence = licence.filter(|licence| !licence.is_empty());
        check::length_or_empty("licence", licence.as_deref().unwrap_or_default(), MAX_LICENCE_BYTES)?;
        check::length_or_empty("release", &release, MAX_NAME_BYTES)?;
        if let Some((name, number)) = &upstream {
            check::length("name of the source package", name, MAX_NAME_BYTES)?;
            check::length_or_empty("version of the source package", number, MAX_NAME_BYTES)?;
        }
        let upstream_texts = upstream.iter().flat_map(|(name, number)| [name, number]);
        let texts = [&namespace, &name, &number, &source, &release].into_iter().chain(&licence);
        if texts.chain(upstream_texts).any(|text| text.contains('\0')) {
            return Err("has a NUL character, which the database can't hold".into());
        }
        let purl = purl.or_else(|| {
            let version = (!number.is_empty()).then_some(number.as_str());
            let made = is_registry(&ecosystem, &source)
                .then(|| Purl::of_package(&ecosystem, &namespace, &name, version));
            made.and_then(Result::ok)
        });
        let purl = purl.map(|purl| purl.to_string()).filter(|purl| purl.len() <= MAX_PURL_BYTES);
        let scheme = ecosystem::find(&ecosystem).map(|known| known.scheme);
        let sort_key = |number: &str| scheme.and_then(|scheme| order::key(scheme, number));
        let upstream = upstream.map(|(normalized_name, number)| Upstream {
            sort_key: sort_key(&number),
            normalized_name,
            number,
        });
        let component = Component {
            name,
            sort_key: sort_key(&number),
            checksum_sha256,
            purl,
            scope,
            licence,
            release,
            upstream,
        };
        if self.components.len() >= MAX_COMPONENTS {
            return Err(format!("is one of more than {MAX_COMPONENTS} components"));
        }
        let key = Key { ecosystem, namespace, normalized_name: normalized, number, source };
        match self.components.entry(key.clone()) {
            btree_map::Entry::Vacant(vacant) => {
                vacant.insert(component);
            }
            btree_map::Entry::Occupied(mut kept) => kept.get_mut().absorb(component),
        }
        Ok(key)
    }

    /// That `from` (`None`: the product itself) depends on, or contains, `to`; or says that there are too many of those.
    pub(super) fn relate(&mut self, from: Option<&Key>, kind: RelationKind, to: &Key) -> Result<(), String> {
        let relation = Relation { from: from.cloned(), to: to.clone(), kind };
        if self.relations.len() >= MAX_RELATIONS && !self.relations.contains(&relation) {
            return Err(format!("is in one of more than {MAX_RELATIONS} relations"));
        }
        self.relations.insert(relation);
        Ok(())
    }
}

impl Component {
    fn absorb(&mut self, again: Self) {
        self.scope = match (self.scope, again.scope) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        self.checksum_sha256 = self.checksum_sha256.or(again.checksum_sha256);
        self.licence = self.licence.take().or(again.licence);
        self.purl = self.purl.take().or(again.purl);
        self.upstream = self.upstream.take().or(again.upstream);
        if self.release.is_empty() {
            self.release = again.release;
        }
    }
}

/// A line per component and per relation.
#[cfg(test)]
pub(super) fn lines(inventory: &Inventory) -> Vec<String> {
    use sea_orm::ActiveEnum as _;
    let key = |key: &Key| {
        let Key { namespace, normalized_name, number, source, .. } = key;
        let separator = if namespace.is_empty() { "" } else { "/" };
        let source = if source.is_empty() { String::new() } else { format!(" from {source}") };
        format!("{namespace}{separator}{normalized_name} {number}{source}")
    };
    let components = inventory.components.iter().map(|(component_key, component)| {
        let mut line = format!("{}, {}", key(component_key), component.name);
        let scope = component.scope.map(|scope| scope.to_value());
        let sum = component.checksum_sha256.map(|sum| format!("sha256 {:02x}…", sum[0]));
        for part in [scope, sum, component.licence.clone(), component.purl.clone()].into_iter().flatten() {
            line.push_str(", ");
            line.push_str(&part);
        }
        line
    });
    let relations = inventory.relations.iter().map(|relation| {
        let from = relation.from.as_ref().map_or("it".to_owned(), key);
        format!("{from} {} {}", relation.kind.to_value(), key(&relation.to))
    });
    components.chain(relations).collect()
}
