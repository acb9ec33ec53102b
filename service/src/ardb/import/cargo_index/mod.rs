//! Imports an index of crates: packages, versions and dependencies of the ecosystem cargo.
//!
//! | input | form |
//! |---|---|
//! | `$CARGO_HOME/registry/index/*/.cache` | cargo's own cache files, see [`caches`] |
//! | a folder in the layout of the sparse index | a file per crate, a line of JSON per version; `config.json` is skipped |
//! | a `.tar`, `.tar.gz` or `.tar.xz` of such a folder | the same |
//!
//! The forms can be mixed; a crate's document is the same in each, so what was imported in one form is unchanged in
//! another. ardb has one package per name in cargo, and that is crates.io's: what is given here is taken as crates.io's
//! index or a mirror of it, under the document name `crates.io/<crate>`.
//!
//! A line is rejected, and the rest of its file loaded, where
//! - it is not what [the index format] says (JSON, the types of its fields, a kind of dependency),
//! - its version does not parse: cargo itself could never select it,
//! - it names another crate than its file does, a version that the file had already, or a value that is longer than
//!   the schema takes,
//! - it is over [`MAX_LINE_BYTES`] long.
//!
//! A line whose `v` is over 2 is of a newer form: it is skipped, as cargo skips it, counted, and read again by a
//! release that knows the form.
//!
//! A file that is older than what is stored counts as outdated and changes nothing: its newest version was published
//! before the newest stored one, or, where one of them has no times, it has fewer versions. Files with lines that were
//! left out are not judged, and delete nothing. So a version that crates.io removes stays while it is the crate's newest.
//!
//! The last line of a crate that could be read names the package. Dependencies on another registry's crates keep its
//! address and are never linked.
//!
//! [the index format]: https://doc.rust-lang.org/cargo/reference/registry-index.html

mod file;
mod line;
mod merge;

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::SystemTime,
};

use chrono::{DateTime, Utc};
use entity_ardb::DocumentKind;
use sea_orm::{DatabaseConnection, sqlx::PgConnection};
use sha2::Digest as _;

use super::{
    Progress, Rejection, Report,
    pipeline::{self, Document, Format, Found, Parsed, Raw, Sink, Tally},
    report::Rejections,
    source::Entry,
};
use crate::{Result, ardb::name};

/// The longest line that is read; the longest of crates.io are a tenth of it.
pub const MAX_LINE_BYTES: usize = 4 * 1024 * 1024;

/// The largest index file that is read; the largest of crates.io are a tenth of it.
pub const MAX_DOCUMENT_BYTES: u64 = 128 * 1024 * 1024;

/// The most lines that are read of one file, so that short ones can't fill the memory; crates have some thousand
/// versions at most.
pub const MAX_LINES: usize = 100_000;

/// To be raised when the same file would be loaded differently: files that were imported before are then read again.
const REVISION: u32 = 1;

/// The ecosystem that the index fills.
const ECOSYSTEM: &str = "cargo";

/// Imports the index at `input`, see the [module](self).
///
/// # Errors
///
/// [`Error::Input`](crate::Error::Input) if `input` is not there or can't be read to its end;
/// [`Error::Database`](crate::Error::Database) if a statement fails. Batches that were written before stay.
pub async fn cargo_index(
    db: &DatabaseConnection,
    input: &Path,
    now: DateTime<Utc>,
    progress: &dyn Progress,
) -> Result<Report> {
    let input = pipeline::existing(input, "cargo's .cache folder, a sparse index, or a tar of one")?;
    pipeline::run(db, CargoIndex, &input, now, progress).await
}

/// cargo's own caches of crates.io's index under `cargo_home` (`$CARGO_HOME`, else `~/.cargo`), best first.
///
/// The sparse index (`index.crates.io-…`) before the git index that cargo used until 2023 (`github.com-1ecc6299db9ec823`),
/// then the one used last: cargo makes a new folder when it hashes the registry's name differently, and leaves the old
/// one as it is. Import the first; an older one knows less. Other registries' folders are not listed.
#[must_use]
pub fn caches(cargo_home: &Path) -> Vec<PathBuf> {
    let Ok(folders) = cargo_home.join("registry/index").read_dir() else { return Vec::new() };
    let mut found: Vec<(bool, SystemTime, PathBuf)> = folders
        .filter_map(std::result::Result::ok)
        .filter_map(|folder| {
            let name = folder.file_name();
            let name = name.to_string_lossy();
            let is_sparse = name.starts_with("index.crates.io-");
            let cache = folder.path().join(".cache");
            (is_sparse || name == "github.com-1ecc6299db9ec823")
                .then(|| Some((is_sparse, last_used(&cache)?, cache)))
                .flatten()
        })
        .collect();
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, _, cache)| cache).collect()
}

/// When a crate was last added to `cache`, as the file system saw it; `None` when it is no folder.
fn last_used(cache: &Path) -> Option<SystemTime> {
    let prefixes = cache.read_dir().ok()?.filter_map(std::result::Result::ok);
    let changes = prefixes.filter_map(|prefix| prefix.metadata().ok()?.modified().ok());
    Some(changes.max().unwrap_or(SystemTime::UNIX_EPOCH))
}

#[cfg(any(test, feature = "fuzzing"))]
pub(super) fn fuzz(data: &[u8]) {
    use super::fuzzing::{assert_json, assert_key, assert_text, assert_time, document};
    let Some(document) = document(&CargoIndex, "al/ph/alpha", data) else { return };
    let line::Crate { normalized_name, name, purl, versions, .. } = document.parsed;
    assert_eq!(name::normalize(ECOSYSTEM, &name), normalized_name);
    assert_text(&purl, 1..=2048);
    let numbers: std::collections::BTreeSet<_> = versions.iter().map(|version| &version.number).collect();
    assert_eq!(numbers.len(), versions.len(), "each version is there once");
    for line::Version { number, order, published_at, attributes, dependencies, .. } in &versions {
        assert_text(number, 1..=256);
        assert_key(Some(&order.key), 1);
        published_at.iter().for_each(|time| assert_time(*time));
        assert_json(attributes);
        for dependency in dependencies {
            assert_text(&dependency.name, 1..=256);
            assert_text(&dependency.normalized_name, 1..=256);
            assert_text(&dependency.alias, 0..=256);
            assert_text(&dependency.requirement, 1..=usize::MAX);
            assert_text(&dependency.target, 0..=1024);
            assert_text(&dependency.registry, 0..=512);
            assert!(matches!(dependency.kind.as_str(), "normal" | "build" | "dev"));
        }
    }
}

/// The importer's side of the pipeline.
#[derive(Clone, Copy)]
struct CargoIndex;

impl CargoIndex {
    /// What a file holds: at most one document.
    fn document(&self, entry: &mut Entry<'_>) -> Found<file::Content> {
        let Some(file_name) = file::crate_name(entry.path) else { return Found::Nothing };
        if !file::is_in_layout(entry.path) {
            let reason = "is not where an index has a file of that name (1/a, 2/ab, 3/a/abc, ab/cd/abcdef)";
            return Found::Rejected(Rejection::new(entry.place, reason));
        }
        let normalized_name = name::normalize(ECOSYSTEM, file_name);
        match file::read(entry.content) {
            Ok(read) => Found::Document(Raw {
                locator: format!("crates.io/{normalized_name}"),
                place: entry.place.to_owned(),
                sha256: read.sha256,
                size_bytes: read.size_bytes,
                content: file::Content { normalized_name, records: read.records },
            }),
            Err(reason) => Found::Rejected(Rejection::new(entry.place, reason)),
        }
    }
}

impl Format for CargoIndex {
    type Content = file::Content;
    type Parsed = line::Crate;
    const KIND: DocumentKind = DocumentKind::CargoIndex;

    fn read(&self, mut entry: Entry<'_>, found: &mut Sink<'_, file::Content>) -> ControlFlow<()> {
        found(self.document(&mut entry))
    }

    fn parse(&self, raw: Raw<file::Content>) -> Parsed<line::Crate> {
        let Raw { locator, place, size_bytes, content, .. } = raw;
        let mut parsed = line::Crate::new(content.normalized_name);
        let (mut rejections, mut skipped) = (Rejections::default(), 0);
        let mut loaded = file::hash();
        for file::Record { number, text } in content.records {
            match text.and_then(|text| Ok((parsed.add(&text)?, text))) {
                Ok((line::Added::Loaded, text)) => file::hash_line(&mut loaded, &text),
                Ok((line::Added::Skipped, _)) => skipped += 1,
                Err(reason) => rejections.push(Rejection::new(format!("{place}:{number}"), reason)),
            }
        }
        parsed.is_complete = rejections.total == 0 && skipped == 0;
        if !parsed.is_complete {
            // Else a later file without these lines would pass for known, and their rows would stay.
            loaded.update(b"and lines that were left out");
        }
        if parsed.versions.is_empty() {
            if parsed.is_complete {
                rejections.push(Rejection::new(place, "holds no version"));
            }
            return Parsed { document: None, rejections, skipped };
        }
        let document = Document { locator, sha256: loaded.finalize().into(), size_bytes, parsed };
        Parsed { document: Some(document), rejections, skipped }
    }

    async fn merge(
        &self,
        connection: &mut PgConnection,
        batch: &[Document<line::Crate>],
        now: DateTime<Utc>,
    ) -> Result<Tally> {
        merge::merge(connection, batch, now).await
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::caches;

    #[test]
    fn only_crates_ios_caches_are_found_and_the_sparse_one_comes_first() {
        let home = tempfile::tempdir().unwrap();
        let index = home.path().join("registry/index");
        assert!(caches(home.path()).is_empty());
        for folder in [
            "github.com-1ecc6299db9ec823",
            "index.crates.io-0123456789abcdef",
            "example.org-0123456789abcdef",
        ] {
            fs::create_dir_all(index.join(folder).join(".cache/se/rd")).unwrap();
        }
        fs::create_dir_all(index.join("index.crates.io-without-a-cache")).unwrap();
        let expected = ["index.crates.io-0123456789abcdef/.cache", "github.com-1ecc6299db9ec823/.cache"];
        assert_eq!(caches(home.path()), expected.map(|folder| index.join(folder)));
    }
}
