//! Imports advisories in the Open Source Vulnerability format (<https://ossf.github.io/osv-schema/>): a folder or a zip
//! of JSON files, a record per file, of any ecosystem.
//!
//! - A document is an advisory, by its `id`, whatever its file is called. One whose `modified` is older than what is
//!   stored is not loaded and counts as outdated.
//! - `informational` in RustSec's `database_specific` becomes the advisory's kind; without it, it is a vulnerability.
//! - Severities and references are kept, those of affected packages among the advisory's; what a CVSS vector scores
//!   follows from it. The advisory's own vector is the one of the highest CVSS version.
//! - A range's events are kept as published; the intervals that follow from them get keys by the ecosystem's version
//!   order (module `interval`). Where the scheme has no key yet, only enumerated versions match.
//! - `Debian:12` is the ecosystem of the package format, `deb`, with the namespace and the release that package URLs have
//!   for it ([`distribution`](crate::ardb::distribution)), so that the ranges of two releases are not mixed. What
//!   follows a colon elsewhere is kept as a release, too, but where packages have namespaces, such as Maven's.
//! - An ecosystem that is not in `ecosystems` is added, its name in lower case with hyphens, and its order where that is
//!   known, else `opaque`: its advisories match by enumeration until its `version_scheme` is set: the next import reads
//!   every record again, since the schemes are hashed with it, and its ranges get keys. A name that is another
//!   ecosystem's, be it one that came before in the same import, is rejected.
//! - An entry of `affected` without a package (commits only) names nothing that a version or component could match and
//!   is left out.
//!
//! A record is loaded whole or, where any of it is not what the format says, rejected whole: half an advisory would be
//! a wrong one. Details: <https://ossf.github.io/osv-schema/#affectedrangesevents-fields>.

mod merge;
mod record;
mod severity;
mod sql;

use std::{
    collections::HashMap,
    ops::ControlFlow,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use entity_ardb::{DocumentKind, ecosystem};
use sea_orm::{ActiveEnum as _, DatabaseConnection, EntityTrait as _, sqlx::PgConnection};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::{
    Progress, Rejection, Report, check,
    pipeline::{self, Document, Format, Found, Parsed, Raw, Sink, Tally},
    report::Rejections,
    source::{self, Entry},
};
use crate::{Result, ardb::version::order, scope::Live as _};

/// The largest record that is read.
pub const MAX_RECORD_BYTES: u64 = 16 * 1024 * 1024;

/// To be raised when the same record would be loaded differently, for instance since a version scheme got keys: records
/// that were imported before are then read again.
const REVISION: u32 = 3;

/// Imports the records in `input`, see the [module](self).
///
/// # Errors
///
/// [`Error::Input`](crate::Error::Input) if `input` is not there or can't be read to its end;
/// [`Error::Database`](crate::Error::Database) if a statement fails. Batches that were written before stay.
pub async fn osv(
    db: &DatabaseConnection,
    input: &Path,
    now: DateTime<Utc>,
    progress: &dyn Progress,
) -> Result<Report> {
    let input = pipeline::existing(input, "a folder or a zip of OSV records, or one record")?;
    let ecosystems = ecosystem::Entity::find().live().all(db).await?;
    pipeline::run(db, Osv::new(ecosystems), &input, now, progress).await
}

/// The ecosystems that were known when the import began.
struct Ecosystems {
    by_osv_name: HashMap<String, ecosystem::Model>,
    by_name: HashMap<String, ecosystem::Model>,
    /// From the platform's name to OSV's, of those that the import has come across and will add.
    added: Mutex<HashMap<String, String>>,
}

impl Ecosystems {
    fn new(known: Vec<ecosystem::Model>) -> Self {
        let by_name = known.iter().map(|known| (known.name.clone(), known.clone())).collect();
        let by_osv_name =
            known.into_iter().filter_map(|known| Some((known.osv_name.clone()?, known))).collect();
        Self { by_osv_name, by_name, added: Mutex::default() }
    }

    /// Adds an ecosystem by its `name`, unless that was added for another of OSV's names, which it returns.
    fn added(&self, name: &str, osv_name: &str) -> Option<String> {
        let mut added = self.added.lock().unwrap_or_else(PoisonError::into_inner);
        let first = added.entry(name.to_owned()).or_insert_with(|| osv_name.to_owned());
        (first != osv_name).then(|| first.clone())
    }

    /// What a record's rows depend on beside the record: [`REVISION`], [`order::REVISION`] and how ecosystems sort.
    /// Those that sort as they would be added are left out, so that one that an import adds makes no record look
    /// changed.
    fn hash(&self) -> Sha256 {
        let sorts_otherwise = |known: &&ecosystem::Model| {
            known.version_scheme != record::default_scheme(known.osv_name.as_deref().unwrap_or(&known.name))
        };
        let mut schemes: Vec<_> = self
            .by_name
            .values()
            .filter(sorts_otherwise)
            .map(|known| format!("{}\0{}\0", known.name, known.version_scheme.to_value()))
            .collect();
        schemes.sort_unstable();
        Sha256::new_with_prefix(REVISION.to_le_bytes())
            .chain_update(order::REVISION.to_le_bytes())
            .chain_update(schemes.concat())
    }
}

#[cfg(any(test, feature = "fuzzing"))]
pub(super) fn fuzz(ecosystems: Vec<ecosystem::Model>, data: &[u8]) {
    use super::fuzzing::{assert_ecosystem, assert_json, assert_key, assert_text, assert_time};
    let osv = Osv::new(ecosystems);
    let Some(document) = super::fuzzing::document(&osv, "record.json", data) else { return };
    let advisory = document.parsed;
    assert_text(&advisory.identifier, 1..=256);
    assert_text(&advisory.kind, 1..=64);
    assert_text(&advisory.summary, 0..=usize::MAX);
    assert_text(&advisory.details, 0..=usize::MAX);
    advisory.severity.iter().for_each(|vector| assert_text(vector, 1..=1024));
    let times = [Some(advisory.modified_at), advisory.published_at, advisory.withdrawn_at];
    times.into_iter().flatten().for_each(assert_time);
    advisory.aliases.iter().for_each(|alias| assert_text(alias, 1..=256));
    advisory.severities.iter().for_each(severity::Severity::assert_kept);
    for (kind, url) in &advisory.references {
        assert_text(kind, 1..=64);
        assert_text(url, 1..=2048);
    }
    for (package, affected) in &advisory.affected {
        assert_text(&package.ecosystem, 1..=256);
        if !osv.ecosystems.by_name.contains_key(&package.ecosystem) {
            assert_ecosystem(&package.ecosystem);
        }
        assert_text(&package.namespace, 0..=256);
        assert_text(&package.release, 0..=256);
        assert_text(&package.normalized_name, 1..=256);
        assert_text(&affected.name, 1..=256);
        affected.versions.iter().for_each(|number| assert_text(number, 1..=256));
        for range in &affected.ranges {
            assert_json(&range.events);
            assert_text(&range.repository, 0..=usize::MAX);
            for interval in &range.intervals {
                assert_text(&interval.introduced, 1..=256);
                for end in [&interval.fixed, &interval.last_affected].into_iter().flatten() {
                    assert_text(end, 1..=256);
                }
                assert_key(interval.lower_key.as_deref(), 0);
                assert_key(interval.upper_key.as_deref(), 1);
            }
        }
    }
}

#[cfg(any(test, feature = "fuzzing"))]
pub(super) fn fuzz_severity(data: &[u8]) {
    severity::fuzz(data);
}

/// The importer's side of the pipeline.
#[derive(Clone)]
struct Osv {
    /// Continued with a record, what its document is known by.
    hash: Sha256,
    ecosystems: Arc<Ecosystems>,
}

impl Osv {
    fn new(ecosystems: Vec<ecosystem::Model>) -> Self {
        let ecosystems = Ecosystems::new(ecosystems);
        Self { hash: ecosystems.hash(), ecosystems: Arc::new(ecosystems) }
    }
}

/// All that has to be known of a record before it is parsed.
#[derive(Deserialize)]
struct Head {
    id: String,
}

impl Osv {
    /// What a file holds: at most one document.
    fn document(&self, entry: &mut Entry<'_>) -> Found<Vec<u8>> {
        let name = entry.path.rsplit('/').next().unwrap_or(entry.path);
        if name.starts_with('.') || !name.to_ascii_lowercase().ends_with(".json") {
            return Found::Nothing;
        }
        let content = match source::read_bounded(entry.content, MAX_RECORD_BYTES) {
            Ok(content) => content,
            Err(reason) => return Found::Rejected(Rejection::new(entry.place, reason)),
        };
        let head: Head = match check::json(&content) {
            Ok(head) => head,
            Err(bad) => {
                return Found::Rejected(Rejection::new(format!("{}:{}", entry.place, bad.line), bad.reason));
            }
        };
        if let Err(reason) = check::length("id", &head.id, check::MAX_NAME_BYTES) {
            return Found::Rejected(Rejection::new(entry.place, reason));
        }
        Found::Document(Raw {
            locator: head.id,
            place: entry.place.to_owned(),
            sha256: self.hash.clone().chain_update(&content).finalize().into(),
            size_bytes: content.len() as u64,
            content,
        })
    }
}

impl Format for Osv {
    type Content = Vec<u8>;
    type Parsed = record::Advisory;
    const KIND: DocumentKind = DocumentKind::Osv;

    fn read(&self, mut entry: Entry<'_>, found: &mut Sink<'_, Vec<u8>>) -> ControlFlow<()> {
        found(self.document(&mut entry))
    }

    fn parse(&self, raw: Raw<Vec<u8>>) -> Parsed<record::Advisory> {
        let Raw { locator, place, sha256, size_bytes, content } = raw;
        let parsed = match check::json(&content) {
            Ok(record) => {
                record::advisory(record, &self.ecosystems).map_err(|reason| Rejection::new(place, reason))
            }
            Err(bad) => Err(Rejection::new(format!("{place}:{}", bad.line), bad.reason)),
        };
        let (document, rejections) = match parsed {
            Ok(parsed) => (Some(Document { locator, sha256, size_bytes, parsed }), Rejections::default()),
            Err(rejection) => (None, rejection.into()),
        };
        Parsed { document, rejections, skipped: 0 }
    }

    async fn merge(
        &self,
        connection: &mut PgConnection,
        batch: &[Document<record::Advisory>],
        now: DateTime<Utc>,
    ) -> Result<Tally> {
        merge::merge(connection, batch, now).await
    }
}
