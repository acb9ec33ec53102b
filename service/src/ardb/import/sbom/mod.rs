//! Imports a software bill of materials as an inventory: CycloneDX 1.2 to 1.6 and SPDX 2.3, as JSON.
//!
//! - A component is what its package URL says. One without a package URL, or with one that breaks the rules of its type,
//!   is rejected with its line, and the rest is loaded: ecosystem, name and version could only be guessed.
//! - The ecosystem is the one of the package URL's type; one that is not there yet is added, with its order where it is
//!   known. A qualifier that says where the component comes from (`vcs_url`, `repository_url`, `download_url`, in this
//!   order) is its source; without one it is its ecosystem's registry's.
//! - Nested components are components, and contained in the one around them. Dependencies and relationships are kept
//!   where both ends are components or the product itself; what names neither is rejected.
//! - The product that the document is about (`metadata.component`; the only package that an SPDX document describes) is
//!   no component of itself.
//! - A package of a Linux distribution has the distribution's release, from the qualifier `distro` or from the operating
//!   system among the components, which is none itself, and the source package that it was built from, from the
//!   qualifier `upstream` or what Trivy says in its properties (module `system`): advisories of distributions name those.
//! - Licences are kept as published, several joined by `AND`; of SPDX the declared one, else the concluded one.
//!
//! A document with rejections is read and reported again next time. What it no longer has is deleted all the same: a
//! component that was rejected before has no row. The largest document that is read is [`MAX_SBOM_BYTES`] long, and
//! memory is a small multiple of that.

mod cyclonedx;
mod spdx;
mod system;

#[cfg(test)]
mod tests;

use std::{collections::HashMap, ops::ControlFlow, path::Path};

use chrono::{DateTime, Utc};
use entity_ardb::DocumentKind;
use sea_orm::{DatabaseConnection, sqlx::PgConnection};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    Progress, Rejection, Report,
    check::{self, BadJson},
    inventory::{self, Inventory, Key, Target},
    pipeline::{self, Document, Format, Found, Parsed, Raw, Sink, Tally},
    report::Rejections,
    source::{self, Entry},
};
use crate::{
    Result,
    ardb::{
        inventory::{CRATES_IO, Product},
        name::{self, Name},
    },
    purl::Purl,
};

/// The largest document that is read; one of ten thousand components with all their hashes is half of it.
pub const MAX_SBOM_BYTES: u64 = 32 * 1024 * 1024;

/// Imports the document at `input` as the inventory of `product`, see the [module](self).
///
/// Importing another document of the same product replaces the inventory.
///
/// # Errors
///
/// [`Error::Invalid`](crate::Error::Invalid) if the product's name is empty, over 1,024 bytes, has a NUL or begins as an
/// owner does; [`Error::Input`](crate::Error::Input) if `input` is not there or can't be read;
/// [`Error::Database`](crate::Error::Database) if a statement fails.
pub async fn sbom<'a>(
    db: &DatabaseConnection,
    input: &Path,
    product: impl Into<Product<'a>>,
    now: DateTime<Utc>,
    progress: &dyn Progress,
) -> Result<Report> {
    let target = Target::new(product.into())?;
    let input = pipeline::existing(input, "a CycloneDX or SPDX document")?;
    pipeline::run(db, Sbom { target }, &input, now, progress).await
}

/// What one document turned out to hold.
struct Bill<'a> {
    inventory: Inventory,
    /// With the line as the place.
    rejections: Rejections,
    content: &'a [u8],
    /// Where each line but the first begins.
    lines: Vec<usize>,
}

impl<'a> Bill<'a> {
    fn new(content: &'a [u8]) -> Self {
        let breaks = content.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        let lines = breaks.map(|(at, _)| at + 1).collect();
        Self { inventory: Inventory::default(), rejections: Rejections::default(), content, lines }
    }

    /// Rejects `part`, which was borrowed from the content.
    fn reject(&mut self, part: &RawValue, reason: impl Into<String>) {
        let offset = (part.get().as_ptr() as usize).saturating_sub(self.content.as_ptr() as usize);
        let line = 1 + self.lines.partition_point(|start| *start <= offset);
        self.rejections.push(Rejection::new(line.to_string(), reason));
    }
}

/// What the document calls a component or the product.
enum Element {
    Product,
    Component(Key),
    /// It has been rejected, and what refers to it says nothing more.
    Rejected,
}

type Elements = HashMap<String, Element>;

/// By which a document is told apart.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "bomFormat")]
    bom_format: Option<String>,
    #[serde(rename = "spdxVersion")]
    spdx_version: Option<String>,
}

/// Reads a document of either kind.
fn parse(content: &[u8]) -> Result<Bill<'_>, BadJson> {
    let head: Head = check::json(content)?;
    match head {
        Head { bom_format: Some(format), .. } if format == "CycloneDX" => cyclonedx::parse(content),
        Head { spdx_version: Some(version), .. } if version == "SPDX-2.3" => spdx::parse(content),
        Head { spdx_version: Some(version), .. } => {
            Err(BadJson { line: 1, reason: format!("spdxVersion is {version:?}, expected \"SPDX-2.3\"") })
        }
        _ => Err(BadJson {
            line: 1,
            reason: "is neither CycloneDX (`bomFormat`) nor SPDX (`spdxVersion`)".into(),
        }),
    }
}

/// Why a part of the document is not what was expected; where in the part, which serde adds, would be taken for where in
/// the document.
fn unexpected(what: &str, error: &serde_json::Error) -> String {
    let error = error.to_string();
    let reason = error.rsplit_once(" at line ").map_or(error.as_str(), |(reason, _)| reason);
    format!("{what} is not what was expected: {reason}")
}

/// A component by its package URL; `version` is the document's own, for a package URL without one, and `system` the
/// operating system that the document is about, such as `debian-12`.
fn component(
    purl: Option<&str>,
    version: Option<&str>,
    system: Option<&str>,
) -> Result<inventory::Found, String> {
    let text = purl.ok_or("has no package URL, by which components are known")?;
    let purl: Purl = text.parse().map_err(|error| format!("purl {text:?}: {error}"))?;
    let ecosystem = purl.kind();
    let is_name = ecosystem.len() <= 63
        && ecosystem.starts_with(|first: char| first.is_ascii_lowercase())
        && ecosystem.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !is_name {
        return Err(format!(
            "purl {text:?}: the type is no name of an ecosystem: up to 63 letters, digits and hyphens"
        ));
    }
    let qualifiers = purl.qualifiers();
    let source = ["vcs_url", "repository_url", "download_url"].iter().find_map(|key| qualifiers.get(*key));
    let source = match source {
        Some(source) => source.clone(),
        None if ecosystem == "cargo" => CRATES_IO.into(),
        None => String::new(),
    };
    let name = Name {
        namespace: purl.namespace().unwrap_or_default().to_owned(),
        name: purl.name().to_owned(),
        normalized: name::normalize(ecosystem, purl.name()),
    };
    let number = purl.version().or(version).unwrap_or_default();
    let found = inventory::Found::new(ecosystem, name, number);
    let found = system::describe(inventory::Found { source, ..found }, &purl, system);
    Ok(inventory::Found { purl: Some(purl), ..found })
}

#[cfg(any(test, feature = "fuzzing"))]
pub(super) fn fuzz_cyclonedx(data: &[u8]) {
    fuzz(cyclonedx::parse(data));
}

#[cfg(any(test, feature = "fuzzing"))]
pub(super) fn fuzz_spdx(data: &[u8]) {
    fuzz(spdx::parse(data));
}

#[cfg(any(test, feature = "fuzzing"))]
fn fuzz(parsed: Result<Bill<'_>, BadJson>) {
    match parsed {
        Ok(Bill { inventory, rejections, content, lines }) => {
            super::fuzzing::assert_inventory(&inventory);
            for rejection in rejections.listed {
                let line: usize = rejection.place.parse().expect("the place is a line");
                assert!((1..=lines.len() + 1).contains(&line), "{rejection:?} of {} bytes", content.len());
                assert!(!rejection.reason.is_empty());
            }
        }
        Err(BadJson { line, reason }) => assert!(line > 0 && !reason.is_empty()),
    }
}

/// The importer's side of the pipeline.
#[derive(Clone)]
struct Sbom {
    target: Target,
}

impl Sbom {
    /// What a file holds: at most one document.
    fn document(&self, entry: &mut Entry<'_>) -> Found<Vec<u8>> {
        match source::read_bounded(entry.content, MAX_SBOM_BYTES) {
            Ok(content) => Found::Document(Raw {
                locator: self.target.locator(),
                place: entry.place.to_owned(),
                sha256: inventory::hash(&content),
                size_bytes: content.len() as u64,
                content,
            }),
            Err(reason) => Found::Rejected(Rejection::new(entry.place, reason)),
        }
    }
}

impl Format for Sbom {
    type Content = Vec<u8>;
    type Parsed = Inventory;
    const KIND: DocumentKind = DocumentKind::Sbom;

    fn read(&self, mut entry: Entry<'_>, found: &mut Sink<'_, Vec<u8>>) -> ControlFlow<()> {
        found(self.document(&mut entry))
    }

    fn parse(&self, raw: Raw<Vec<u8>>) -> Parsed<Inventory> {
        let Raw { locator, place, mut sha256, size_bytes, content } = raw;
        let Bill { inventory, mut rejections, .. } = match parse(&content) {
            Ok(bill) => bill,
            Err(BadJson { line, reason }) => {
                let rejections = Rejection::new(format!("{place}:{line}"), reason).into();
                return Parsed { document: None, rejections, skipped: 0 };
            }
        };
        for rejection in &mut rejections.listed {
            rejection.place = format!("{place}:{}", rejection.place);
        }
        if rejections.total > 0 {
            // Else it would pass for known next time, and its rejections would not be heard of again.
            sha256 = inventory::hash(sha256);
        }
        let document = Document { locator, sha256, size_bytes, parsed: inventory };
        Parsed { document: Some(document), rejections, skipped: 0 }
    }

    async fn merge(
        &self,
        connection: &mut PgConnection,
        batch: &[Document<Inventory>],
        now: DateTime<Utc>,
    ) -> Result<Tally> {
        inventory::merge(connection, DocumentKind::Sbom, &self.target, batch, now).await
    }
}
