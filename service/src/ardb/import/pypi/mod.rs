//! Imports PyPI's documents: packages with what is said of them, versions and dependencies of the ecosystem pypi.
//!
//! | document | of | says |
//! |---|---|---|
//! | `GET /pypi/<name>/json` | the package | which versions and files there are, and all of the newest one |
//! | `GET /pypi/<name>/<version>/json` | a version | all of that version |
//! | `GET /simple/<name>/` as JSON (PEP 691, 700, 792) | the package | which versions and files there are, and its status |
//!
//! The input is a file of one, a file with one per line (`.ndjson`, `.jsonl`), or a folder, zip or tar of those; each may
//! be packed by gzip. Other files in it are left alone.
//!
//! | of the document | becomes |
//! |---|---|
//! | `summary`, `home_page`, `docs_url`, `project_urls`, `keywords` | of the package |
//! | `ownership` | its maintainers, by their accounts, and its organization as a team; no addresses, and no authors |
//! | classifiers that begin with `Topic ::` | its categories |
//! | `Development Status :: 7 - Inactive`; `project-status` | its status; a quarantined project counts as removed |
//! | `license_expression`, else `license`, else classifiers | the licence |
//! | the files | yanked where all of them are, with the first reason; published with the first; checksums and size of the source archive or, where there is none, of the first by name; `attributes.files` has the SHA-256 of each |
//! | `requires_dist` | dependencies, with extras as features and the marker as target; optional where the marker needs an extra |
//! | `requires_python`, `provides_extra` | attributes of the version |
//!
//! The documents of a package may come in any order, from different times: of a version, the newer one (by `last_serial`)
//! says whether it is yanked and which files there are. Dependencies and licences are only in a version's own document,
//! and in the package's for its newest version.
//!
//! What can't be read is rejected with its line and its path, and the rest loaded: a version, or only a file or a
//! dependency. A document is rejected if it is not JSON, or none of the three. Memory is a few times the largest document
//! at most, and the largest is [`MAX_DOCUMENT_BYTES`] long; it does not depend on how many there are.

mod file;
mod licence;
mod project;
mod requirement;
mod simple;

use std::{ops::ControlFlow, path::Path};

use chrono::{DateTime, Utc};
use entity_ardb::DocumentKind;
use sea_orm::{DatabaseConnection, sqlx::PgConnection};
use sha2::{Digest as _, Sha256};

use super::{
    Progress, Rejection, Report,
    check::{self, BadJson},
    json::{self, At, Flaws, Object},
    listing,
    pipeline::{self, Document, Format, Found, Parsed, Raw, Sink, Tally},
    registry::{self, Dependencies, Extent, Package, Registry, Version},
    source::Entry,
};
use crate::{
    Result,
    ardb::{name, version::order},
};

/// The largest document that is read, in bytes; the largest of PyPI's are some half of it.
pub const MAX_DOCUMENT_BYTES: usize = 128 * 1024 * 1024;

/// To be raised when the same document would be loaded differently: documents that were imported before are then read
/// again.
const REVISION: u32 = 1;

const REGISTRY: Registry =
    Registry { ecosystem: "pypi", kind: DocumentKind::Pypi, has_documents_of_versions: true };

/// Imports the documents at `input`, see the [module](self).
///
/// # Errors
///
/// [`Error::Input`](crate::Error::Input) if `input` is not there or can't be read to its end;
/// [`Error::Database`](crate::Error::Database) if a statement fails. Batches that were written before stay.
pub async fn pypi(
    db: &DatabaseConnection,
    input: &Path,
    now: DateTime<Utc>,
    progress: &dyn Progress,
) -> Result<Report> {
    let input = pipeline::existing(input, "PyPI's documents of packages or versions as JSON, one or many")?;
    pipeline::run(db, Pypi, &input, now, progress).await
}

#[cfg(any(test, feature = "fuzzing"))]
pub(super) fn fuzz(data: &[u8]) {
    super::fuzzing::document(&Pypi, "project.json", data);
}

/// The importer's side of the pipeline.
#[derive(Clone, Copy)]
struct Pypi;

/// A document before it is taken apart.
struct Content {
    text: String,
    line: usize,
    head: Head,
}

/// Which document it is.
struct Head {
    form: Form,
    /// As published.
    name: String,
    /// The version that `info` is about; empty in the simple API.
    number: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Project,
    Version,
    Simple,
}

impl Head {
    fn normalized(&self) -> String {
        name::normalize(REGISTRY.ecosystem, &self.name)
    }

    fn locator(&self) -> String {
        match self.form {
            Form::Project => self.normalized(),
            Form::Version => format!("{}/{}", self.normalized(), self.number),
            Form::Simple => format!("{} simple", self.normalized()),
        }
    }

    /// A package of which nothing is known yet but its name.
    fn package(&self) -> std::result::Result<Package, String> {
        let name = name::split(REGISTRY.ecosystem, &self.name);
        let purl = name
            .purl(REGISTRY.ecosystem)
            .map_err(|error| format!("{}: {error}", json::Quoted(&self.name)))?;
        let listings = vec![name.normalized.clone(), format!("{} simple", name.normalized)];
        let extent = match self.form {
            Form::Version => Extent::Version { listings },
            Form::Project | Form::Simple => Extent::Listing { forms: listings },
        };
        Ok(Package {
            name,
            purl: purl.to_string(),
            revision: None,
            extent,
            is_complete: false,
            status: None,
            details: None,
            keywords: None,
            categories: None,
            maintainers: None,
            versions: Vec::new(),
            dependencies: Dependencies::default(),
        })
    }
}

impl Format for Pypi {
    type Content = Content;
    type Parsed = Package;
    const KIND: DocumentKind = DocumentKind::Pypi;

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
        let Content { text, line, head } = &content;
        let mut flaws = Flaws::new(text, &place, *line);
        let package = match (head.package(), Object::parse(text)) {
            (Ok(package), Ok(object)) => match head.form {
                Form::Project | Form::Version => project::read(&mut flaws, &object, head, package),
                Form::Simple => simple::read(&mut flaws, &object, package),
            },
            (Err(reason), _) => {
                flaws.push(text, At::Root, format_args!("name: {reason}"));
                None
            }
            (_, Err(error)) => {
                flaws.push(text, At::Root, format_args!("is not what was expected: {error}"));
                None
            }
        };
        registry::parsed((package, flaws.into_rejections()), locator, sha256, size_bytes)
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

fn document(place: &str, text: listing::Text) -> Found<Content> {
    let listing::Text { text, line } = text;
    let read = check::utf8(text).and_then(|text| Ok((head(&text)?, text)));
    match read {
        Ok((head, text)) => {
            let hash = Sha256::new_with_prefix(REVISION.to_le_bytes())
                .chain_update(order::REVISION.to_le_bytes())
                .chain_update(&text);
            Found::Document(Raw {
                locator: head.locator(),
                place: place.to_owned(),
                sha256: hash.finalize().into(),
                size_bytes: text.len() as u64,
                content: Content { text, line, head },
            })
        }
        Err(BadJson { line: within, reason }) => {
            Found::Rejected(Rejection::new(format!("{place}:{}", line + within - 1), reason))
        }
    }
}

/// Which document `text` is.
fn head(text: &str) -> std::result::Result<Head, BadJson> {
    let bad = |reason: String| BadJson { line: 1, reason };
    let object = check::object(text)?;
    let text_of = |object: &Object<'_>, field: &str| {
        let raw =
            object.get(field).ok_or_else(|| bad(format!("is no document of PyPI's: it has no {field}")))?;
        let text = json::text(raw).map_err(|reason| bad(format!("{field}: {reason}")))?;
        check::length(field, &text, check::MAX_NAME_BYTES).map_err(bad)?;
        Ok(text.into_owned())
    };
    let head = match object.get("info") {
        Some(info) => {
            let reason = || bad(format!("info: is {}, expected an object", json::kind(info)));
            let info = Object::parse(info.get()).map_err(|_| reason())?;
            let form = if object.has("releases") { Form::Project } else { Form::Version };
            Head { form, name: text_of(&info, "name")?, number: text_of(&info, "version")? }
        }
        None if object.has("files") => {
            Head { form: Form::Simple, name: text_of(&object, "name")?, number: String::new() }
        }
        None => return Err(bad("is no document of PyPI's: it has neither info nor files".into())),
    };
    Ok(head)
}

/// A version that nothing is known of yet but its number; `Err` with the reason why it is none.
fn version(number: &str) -> std::result::Result<Version, String> {
    check::length("the number", number, check::MAX_NAME_BYTES)?;
    if number.contains('\0') {
        return Err("the number has a NUL character, which the database can't hold".into());
    }
    Ok(Version {
        number: number.to_owned(),
        order: order::parse(entity_ardb::VersionScheme::Pep440, number),
        is_yanked: false,
        yanked_reason: None,
        checksum_sha256: None,
        checksums: serde_json::Map::new(),
        size_bytes: None,
        published_at: None,
        licence: None,
        attributes: serde_json::Map::new(),
        is_described: false,
        requires: None,
    })
}
