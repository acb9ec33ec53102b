//! What the documents of npm and PyPI become, and writing it: packages with all that is said of them, versions and
//! dependencies.
//!
//! A document need not say everything. What it says nothing of, a `None` here, is left as it is in the database. A
//! document may be one of several about a package:
//!
//! | | says which versions there are | is of |
//! |---|---|---|
//! | a listing | yes: others are gone | the package; of another form there may be another one |
//! | of a version | no | one version |
//!
//! Documents say how old they are by a number, the revision, that only grows over all documents of a package:
//!
//! - A listing that is older than a stored one is outdated. If that is of another form, it only adds what the other does
//!   not know; where there can be nothing of that kind, it is outdated, too.
//! - Of a version, the newer document says whether it is yanked and which files it has, the listing or its own; one that
//!   is older only adds what the other does not know. A version that a newer listing no longer has is outdated.
//! - What is said of the package is the listing's; as long as there is none, that of its newest version.
//!
//! So it does not matter in which order the documents come, in one import or in several.

mod merge;
mod sql;
mod stage;

use std::{collections::HashMap, ops::Range, sync::Arc};

use chrono::{DateTime, Utc};
use entity_ardb::{DependencyKind, MaintainerKind, PackageStatus};

pub(super) use merge::merge;

use super::{
    pipeline::{Document, Parsed},
    report::Rejections,
};
use crate::ardb::{licence::Licence, name::Name, repository::Repository, version::order};

/// The most versions that are read of one document; the packages with the most have some ten thousand.
pub(super) const MAX_VERSIONS: usize = 100_000;
/// The most dependencies that are read of one document; the packages with the most have some two million.
pub(super) const MAX_DEPENDENCIES: usize = 4_000_000;

/// The registry whose documents are merged.
#[derive(Clone, Copy)]
pub(super) struct Registry {
    pub(super) ecosystem: &'static str,
    pub(super) kind: entity_ardb::DocumentKind,
    /// Whether a version can have a document of its own.
    pub(super) has_documents_of_versions: bool,
}

/// What a document says.
pub(super) struct Package {
    pub(super) name: Name,
    pub(super) purl: String,
    /// Higher in a newer document; `None`: the document does not say, and is taken as the newest.
    pub(super) revision: Option<i64>,
    pub(super) extent: Extent,
    /// Whether all of it could be read, so that what is not here is no longer there.
    pub(super) is_complete: bool,
    pub(super) status: Option<PackageStatus>,
    pub(super) details: Option<Details>,
    /// In lower case, each once. So are the following lists.
    pub(super) keywords: Option<Vec<String>>,
    pub(super) categories: Option<Vec<Category>>,
    pub(super) maintainers: Option<Vec<Maintainer>>,
    /// Each number once.
    pub(super) versions: Vec<Version>,
    pub(super) dependencies: Dependencies,
}

/// What a document is about.
pub(super) enum Extent {
    /// The package. `forms` are the locators of all its listings.
    Listing { forms: Vec<String> },
    /// Its only version. `listings` are the locators of the package's listings, first the one that says most.
    Version { listings: Vec<String> },
}

/// What a publisher says of a package; empty where nothing is said.
#[derive(Default)]
pub(super) struct Details {
    pub(super) description: String,
    pub(super) homepage_url: String,
    pub(super) documentation_url: String,
    pub(super) repository: Option<Repository>,
}

/// A category of the registry's.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Category {
    pub(super) slug: String,
    pub(super) name: String,
}

/// An account that may publish the package.
pub(super) struct Maintainer {
    pub(super) kind: MaintainerKind,
    pub(super) login: String,
}

/// One version; the columns of `versions`.
pub(super) struct Version {
    pub(super) number: String,
    /// `None`: the number does not parse.
    pub(super) order: Option<order::Parsed>,
    pub(super) is_yanked: bool,
    pub(super) yanked_reason: Option<String>,
    pub(super) checksum_sha256: Option<[u8; 32]>,
    /// From the algorithm to hexadecimal digits.
    pub(super) checksums: serde_json::Map<String, serde_json::Value>,
    pub(super) size_bytes: Option<i64>,
    pub(super) published_at: Option<DateTime<Utc>>,
    pub(super) licence: Option<Published>,
    /// What a null stands for is taken away.
    pub(super) attributes: serde_json::Map<String, serde_json::Value>,
    /// Whether `attributes` is all that there is to say, and replaces what is stored.
    pub(super) is_described: bool,
    pub(super) requires: Option<Requires>,
}

/// A licence as published, empty where none is given, and what it is.
pub(super) struct Published {
    pub(super) text: String,
    pub(super) licence: Option<Licence>,
}

/// The dependencies of a version.
pub(super) struct Requires {
    pub(super) range: Range<usize>,
    /// Whether each could be read, so that others are gone.
    pub(super) is_complete: bool,
}

/// Where else than in the registry a dependency's package is held; `dependencies.registry`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Origin {
    /// It is the registry's.
    Registry,
    Git,
    Url,
    /// A file or folder of the publisher's.
    File,
    /// Another package of the publisher's own workspace.
    Workspace,
    /// The registry of JavaScript and TypeScript modules.
    Jsr,
}

impl Origin {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Registry => "",
            Self::Git => "git",
            Self::Url => "url",
            Self::File => "file",
            Self::Workspace => "workspace",
            Self::Jsr => "jsr",
        }
    }
}

/// A dependency as it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dependency<'a> {
    /// Of the package, as published.
    pub(super) name: &'a str,
    pub(super) alias: &'a str,
    /// Never empty.
    pub(super) requirement: &'a str,
    pub(super) kind: DependencyKind,
    pub(super) is_optional: bool,
    /// Joined by commas.
    pub(super) features: &'a str,
    pub(super) target: &'a str,
    pub(super) origin: Origin,
}

/// The dependencies of all versions of a document. Versions of a package depend on much the same again and again, so
/// each text is kept once: 24 bytes per dependency, and some 70 per text.
#[derive(Default)]
pub(super) struct Dependencies {
    known: HashMap<Arc<str>, u32>,
    texts: Vec<Arc<str>>,
    all: Vec<Packed>,
}

struct Packed {
    name: u32,
    alias: u32,
    requirement: u32,
    features: u32,
    target: u32,
    kind: DependencyKind,
    origin: Origin,
    is_optional: bool,
}

impl Dependencies {
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn push(&mut self, dependency: &Dependency<'_>) {
        let packed = Packed {
            name: self.text(dependency.name),
            alias: self.text(dependency.alias),
            requirement: self.text(dependency.requirement),
            features: self.text(dependency.features),
            target: self.text(dependency.target),
            kind: dependency.kind,
            origin: dependency.origin,
            is_optional: dependency.is_optional,
        };
        self.all.push(packed);
    }

    /// Those in `range`, in the order in which they were pushed.
    pub(super) fn get(&self, range: Range<usize>) -> impl Iterator<Item = Dependency<'_>> {
        let text = |index: u32| &*self.texts[index as usize];
        self.all[range].iter().map(move |packed| Dependency {
            name: text(packed.name),
            alias: text(packed.alias),
            requirement: text(packed.requirement),
            kind: packed.kind,
            is_optional: packed.is_optional,
            features: text(packed.features),
            target: text(packed.target),
            origin: packed.origin,
        })
    }

    /// Frees what only pushing needs.
    pub(super) fn finish(&mut self) {
        self.known = HashMap::new();
        self.texts.shrink_to_fit();
        self.all.shrink_to_fit();
    }

    fn text(&mut self, text: &str) -> u32 {
        if let Some(index) = self.known.get(text) {
            return *index;
        }
        let index = u32::try_from(self.texts.len()).expect("a document has fewer bytes than that");
        let text: Arc<str> = text.into();
        self.texts.push(text.clone());
        self.known.insert(text, index);
        index
    }
}

/// What an importer makes of what it has read of a document.
pub(super) fn parsed(
    read: (Option<Package>, Rejections),
    locator: String,
    mut sha256: [u8; 32],
    size_bytes: u64,
) -> Parsed<Package> {
    let (package, rejections) = read;
    if rejections.total > 0 {
        // By another hash, so that it is read again next time.
        sha256.iter_mut().for_each(|byte| *byte = !*byte);
    }
    let document = package.map(|mut parsed| {
        parsed.dependencies.finish();
        Document { locator, sha256, size_bytes, parsed }
    });
    Parsed { document, rejections, skipped: 0 }
}
