//! Imports npm's documents of packages, which its tools call packuments: packages with what is said of them, versions and
//! dependencies of the ecosystem npm.
//!
//! A document is what a registry answers to `GET /<name>`, whole, or abbreviated as installers ask for it. The input is a
//! file of one, a file with one per line (`.ndjson`, `.jsonl`), a listing of CouchDB's with `include_docs=true`
//! (`_all_docs` or `_changes`, a row per line as CouchDB writes them), or a folder, zip or tar of those; each may be packed
//! by gzip. Other files in it are left alone.
//!
//! | of the document | becomes |
//! |---|---|
//! | `description`, `homepage`, `repository`, `keywords`, of the package or else of its latest version | of the package |
//! | `maintainers` | its maintainers, by their accounts; no addresses |
//! | the latest version is `deprecated`, or every one | the status deprecated |
//! | `time.unpublished`, a deleted document, or no version | the status removed; its versions are gone |
//! | a version's `deprecated` | yanked, with the reason: npm, too, chooses another version where it can |
//! | `dist.integrity`, `dist.shasum` | the checksums |
//! | `license`, `licenses` in any of their forms | the licence |
//! | `dependencies`, `devDependencies`, `peerDependencies` | dependencies of kind normal, dev and peer |
//! | `optionalDependencies`, `peerDependenciesMeta` | which of those are optional |
//! | `npm:other@^1` | a dependency on `other`, with an alias |
//! | a dependency on git, a URL, a file, a workspace or another registry | one by name, with its text; never linked |
//! | `dist-tags`, `engines`, `os`, `cpu`, `libc`, bundled dependencies, install scripts, unpacked size, number of files | attributes of the version |
//!
//! An abbreviated document leaves what it does not say as it is: description, maintainers, licences, times. A document
//! that was modified before the stored one counts as outdated and changes nothing; a whole one that was modified before a
//! stored abbreviated one adds what that does not say. Registries of others and mirrors are taken as npm's: there is one
//! package per name.
//!
//! What can't be read is rejected with its line and its path, and the rest loaded: a version, or only a field or a
//! dependency of it. A document is rejected if it is not JSON, has no name that npm could know, or no versions and no
//! word of where they are. Memory is a few times the largest document at most, and the largest is
//! [`MAX_DOCUMENT_BYTES`] long, with at most 100,000 versions and 4 million dependencies; it does not depend on how many
//! there are.

mod dependency;
mod licence;
mod manifest;
mod packument;
mod repository;

use std::{ops::ControlFlow, path::Path};

use chrono::{DateTime, Utc};
use entity_ardb::DocumentKind;
use sea_orm::{DatabaseConnection, sqlx::PgConnection};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::{
    Progress, Rejection, Report, check, json, listing,
    pipeline::{self, Document, Format, Found, Parsed, Raw, Sink, Tally},
    registry::{self, Package, Registry},
    source::Entry,
};
use crate::{Result, ardb::version::order};

/// The largest document that is read, in bytes; the largest of npm's are some half of it.
pub const MAX_DOCUMENT_BYTES: usize = 128 * 1024 * 1024;

/// To be raised when the same document would be loaded differently: documents that were imported before are then read
/// again.
const REVISION: u32 = 1;

const REGISTRY: Registry =
    Registry { ecosystem: "npm", kind: DocumentKind::Npm, has_documents_of_versions: false };

/// Imports the documents at `input`, see the [module](self).
///
/// # Errors
///
/// [`Error::Input`](crate::Error::Input) if `input` is not there or can't be read to its end;
/// [`Error::Database`](crate::Error::Database) if a statement fails. Batches that were written before stay.
pub async fn npm(
    db: &DatabaseConnection,
    input: &Path,
    now: DateTime<Utc>,
    progress: &dyn Progress,
) -> Result<Report> {
    let input = pipeline::existing(input, "npm's documents of packages as JSON, one or many")?;
    pipeline::run(db, Npm, &input, now, progress).await
}

#[cfg(any(test, feature = "fuzzing"))]
pub(super) fn fuzz(data: &[u8]) {
    super::fuzzing::document(&Npm, "packument.json", data);
}

/// The importer's side of the pipeline.
#[derive(Clone, Copy)]
struct Npm;

/// A document before it is taken apart.
struct Content {
    text: String,
    line: usize,
    name: String,
    /// CouchDB says that it is gone.
    is_deleted: bool,
}

impl Format for Npm {
    type Content = Content;
    type Parsed = Package;
    const KIND: DocumentKind = DocumentKind::Npm;

    fn read(&self, entry: Entry<'_>, found: &mut Sink<'_, Content>) -> ControlFlow<()> {
        if !listing::is_json(entry.path) {
            return found(Found::Nothing);
        }
        let place = entry.place.to_owned();
        listing::read(entry, MAX_DOCUMENT_BYTES, &mut |text| {
            found(match text {
                Ok(text) => document(&place, text),
                Err(rejection) => Found::Rejected(rejection),
            })
        })
    }

    fn parse(&self, raw: Raw<Content>) -> Parsed<Package> {
        let Raw { locator, place, sha256, size_bytes, content } = raw;
        let read = if content.is_deleted {
            packument::deleted(&content.name)
        } else {
            packument::packument(&content.text, &content.name, &place, content.line)
        };
        registry::parsed(read, locator, sha256, size_bytes)
    }

    async fn merge(
        &self,
        connection: &mut PgConnection,
        batch: &[Document<Package>],
        now: DateTime<Utc>,
    ) -> Result<Tally> {
        registry::merge(connection, REGISTRY, batch, now).await
    }
}

/// What a text is: a document, a row of CouchDB's with a document in it, or nothing that is read.
fn document(place: &str, text: listing::Text) -> Found<Content> {
    let listing::Text { text, line } = text;
    match head(text) {
        Ok(None) => Found::Nothing,
        Ok(Some(Head { text, name, is_deleted })) => {
            let form = if packument::is_abbreviated(&text) { " abbreviated" } else { "" };
            let hash = Sha256::new_with_prefix(REVISION.to_le_bytes())
                .chain_update(order::REVISION.to_le_bytes())
                .chain_update(&text);
            Found::Document(Raw {
                locator: format!("{name}{form}"),
                place: place.to_owned(),
                sha256: hash.finalize().into(),
                size_bytes: text.len() as u64,
                content: Content { text, line, name, is_deleted },
            })
        }
        Err(check::BadJson { line: within, reason }) => {
            Found::Rejected(Rejection::new(format!("{place}:{}", line + within - 1), reason))
        }
    }
}

struct Head {
    text: String,
    name: String,
    is_deleted: bool,
}

/// The document's text, without what CouchDB puts around it, and its name; `None`: it is CouchDB's own.
fn head(text: Vec<u8>) -> std::result::Result<Option<Head>, check::BadJson> {
    let mut text = check::utf8(text)?;
    let bad = |reason: String| check::BadJson { line: 1, reason };
    let is_true = |raw: Option<&RawValue>| raw.is_some_and(|raw| raw.get() == "true");
    let object = check::object(&text)?;
    let is_row = object.has("id") && !object.has("versions") && (object.has("doc") || object.has("changes"));
    let mut is_deleted = false;
    if is_row {
        is_deleted = is_true(object.get("deleted"));
        match object.get("doc") {
            Some(doc) => {
                let start = doc.get().as_ptr().addr() - text.as_ptr().addr();
                let end = start + doc.get().len();
                text.truncate(end);
                text.drain(..start);
            }
            // Only its id is needed.
            None if is_deleted => {}
            None => {
                return Err(bad("is a row without its document; list them with include_docs=true".into()));
            }
        }
    }
    let object = check::object(&text)?;
    is_deleted |= is_true(object.get("_deleted"));
    let name = ["name", "_id", "id"].into_iter().find_map(|field| object.get(field));
    let name = name.ok_or_else(|| bad("is no document of npm's: it has no name".into()))?;
    let name = json::text(name).map_err(|reason| bad(format!("name: {reason}")))?.into_owned();
    if name.starts_with("_design/") {
        return Ok(None);
    }
    check::length("name", &name, check::MAX_NAME_BYTES).map_err(bad)?;
    Ok(Some(Head { text, name, is_deleted }))
}
