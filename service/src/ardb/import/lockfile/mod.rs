//! Imports a lockfile as an inventory: what a product is made of, by exact version.
//!
//! `Cargo.lock` of every format that cargo ever wrote. The document is the inventory, by the name that the caller gives
//! it, wherever the file lies. A lockfile is loaded whole or rejected whole: an inventory that misses components would
//! be taken for one that has nothing wrong with them.

mod merge;

use std::{collections::BTreeMap, path::Path, str::FromStr as _};

use cargo_lock::Lockfile;
use chrono::{DateTime, Utc};
use entity_ardb::{DocumentKind, VersionScheme};
use sea_orm::{DatabaseConnection, sqlx::PgConnection};
use sha2::{Digest as _, Sha256};

use super::{
    Progress, Rejection, Report, check, link,
    pipeline::{self, Document, Format, Found, Parsed, Raw, Tally},
    report::Rejections,
    source::{self, Entry},
};
use crate::{
    Error, Result,
    ardb::{inventory::CRATES_IO, name, version::order},
};

/// The largest lockfile that is read; those of the largest workspaces are a tenth of it.
pub const MAX_LOCKFILE_BYTES: u64 = 16 * 1024 * 1024;

/// The ecosystem of a `Cargo.lock`.
const ECOSYSTEM: &str = "cargo";
const MAX_INVENTORY_NAME_BYTES: usize = 1024;
const MAX_SOURCE_BYTES: usize = 1024;

/// Imports the `Cargo.lock` at `input`, or in the folder `input`, as the inventory `name` (1 to 1,024 bytes).
///
/// Importing another lockfile under the same name replaces the inventory.
///
/// # Errors
///
/// [`Error::Invalid`] if `name` is empty or too long or has a NUL; [`Error::Input`] if `input` is not there or can't be
/// read; [`Error::Database`] if a statement fails.
pub async fn lockfile(
    db: &DatabaseConnection,
    input: &Path,
    name: &str,
    now: DateTime<Utc>,
    progress: &dyn Progress,
) -> Result<Report> {
    check::length("the name", name, MAX_INVENTORY_NAME_BYTES)
        .and_then(|()| if name.contains('\0') { Err("the name has a NUL".into()) } else { Ok(()) })
        .map_err(|reason| Error::Invalid { field: "name", reason })?;
    let input = if input.is_dir() { input.join("Cargo.lock") } else { input.to_owned() };
    let input = pipeline::existing(&input, "a Cargo.lock")?;
    let format = CargoLock { name: name.to_owned() };
    let mut report = pipeline::run(db, format, &input, now, progress).await?;
    link::link(db, &mut report).await?;
    Ok(report)
}

/// An inventory; the columns of `inventory_components` by their unique key.
struct Inventory {
    components: BTreeMap<Key, Component>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    normalized_name: String,
    number: String,
    /// Empty: a local path.
    source: String,
}

struct Component {
    name: String,
    sort_key: Option<Vec<u8>>,
    checksum_sha256: Option<[u8; 32]>,
}

/// The importer's side of the pipeline.
#[derive(Clone)]
struct CargoLock {
    name: String,
}

impl Format for CargoLock {
    type Content = String;
    type Parsed = Inventory;
    const KIND: DocumentKind = DocumentKind::Lockfile;

    fn read(&self, entry: Entry<'_>) -> Found<String> {
        let content = source::read_bounded(entry.content, MAX_LOCKFILE_BYTES)
            .and_then(|bytes| String::from_utf8(bytes).map_err(|error| format!("is not UTF-8: {error}")));
        match content {
            Ok(content) => Found::Document(Raw {
                locator: self.name.clone(),
                place: entry.place.to_owned(),
                sha256: Sha256::digest(&content).into(),
                size_bytes: content.len() as u64,
                content,
            }),
            Err(reason) => Found::Rejected(Rejection::new(entry.place, reason)),
        }
    }

    fn parse(&self, raw: Raw<String>) -> Parsed<Inventory> {
        let Raw { locator, place, sha256, size_bytes, content } = raw;
        let (document, rejections) = match inventory(&content) {
            Ok(parsed) => (Some(Document { locator, sha256, size_bytes, parsed }), Rejections::default()),
            Err(reason) => (None, Rejection::new(place, reason).into()),
        };
        Parsed { document, rejections, skipped: 0 }
    }

    async fn merge(
        &self,
        connection: &mut PgConnection,
        batch: &[Document<Inventory>],
        now: DateTime<Utc>,
    ) -> Result<Tally> {
        merge::merge(connection, batch, now).await
    }
}

fn inventory(content: &str) -> Result<Inventory, String> {
    let lockfile = Lockfile::from_str(content).map_err(|error| format!("is no Cargo.lock: {error}"))?;
    if lockfile.packages.is_empty() {
        return Err(
            "is no Cargo.lock: it names no package, and cargo's own names at least that of its project"
                .into(),
        );
    }
    let mut components = BTreeMap::new();
    for package in lockfile.packages {
        let name = package.name.to_string();
        let key = Key {
            normalized_name: name::normalize(ECOSYSTEM, &name),
            number: package.version.to_string(),
            source: match &package.source {
                None => String::new(),
                // Spelt in two ways, for the git and the sparse index of the same registry.
                Some(source) if source.is_default_registry() => CRATES_IO.into(),
                Some(source) => source.to_string(),
            },
        };
        check::length("name", &name, check::MAX_NAME_BYTES)?;
        check::length("version", &key.number, check::MAX_NAME_BYTES)?;
        check::length_or_empty("source", &key.source, MAX_SOURCE_BYTES)?;
        if [&name, &key.source].iter().any(|text| text.contains('\0')) {
            return Err(format!("package {name:?} has a NUL character, which the database can't hold"));
        }
        let component = Component {
            name,
            sort_key: order::key(VersionScheme::Semver, &key.number),
            checksum_sha256: package.checksum.and_then(|checksum| checksum.as_sha256()),
        };
        components.insert(key, component);
    }
    Ok(Inventory { components })
}
