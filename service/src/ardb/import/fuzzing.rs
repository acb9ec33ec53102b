//! The formats of the importers as targets of the fuzzer: what a file holds is read and taken apart as an import does
//! it, up to where the database would come in, and held to what the database would hold it to. There, one row that a
//! CHECK refuses would undo the batch.

use std::ops::ControlFlow;

use chrono::{DateTime, Datelike as _, Utc};
use entity_ardb::{EcosystemId, VersionScheme, ecosystem};

use super::{
    Rejection, cargo_index as index, crates_io_dump as dump, inventory as components,
    inventory::{Component, Inventory, Key, Target},
    lockfile as locks, osv as advisories,
    pipeline::{Document, Format, Found, Parsed},
    sbom,
    source::Entry,
};
use crate::{ardb::version::order::MAX_KEY_BYTES, purl::Purl};

/// What an import would write of a file called `path`; the last document of it.
pub(super) fn document<F: Format>(format: &F, path: &str, mut data: &[u8]) -> Option<Document<F::Parsed>> {
    let mut kept = None;
    let _ = format.read(Entry { path, place: path, content: &mut data }, &mut |found| {
        match found {
            Found::Nothing => {}
            Found::Rejected(rejection) => assert_says_why(&rejection),
            Found::Document(raw) => {
                let Parsed { document, rejections, skipped } = format.parse(raw);
                rejections.listed.iter().for_each(assert_says_why);
                assert!(
                    document.is_some() || rejections.total + skipped > 0,
                    "nothing is lost without a word"
                );
                if let Some(document) = &document {
                    assert_text(&document.locator, 1..=2048);
                }
                kept = document;
            }
        }
        ControlFlow::Continue(())
    });
    kept
}

fn assert_says_why(Rejection { place, reason }: &Rejection) {
    assert!(!place.is_empty() && !reason.is_empty(), "{place:?}: {reason:?}");
}

/// That a column of that length takes `text`.
pub(super) fn assert_text(text: &str, bytes: std::ops::RangeInclusive<usize>) {
    assert!(bytes.contains(&text.len()), "{} bytes: {text:?}", text.len());
    assert!(!text.contains('\0'), "{text:?}");
}

/// That the column of a sort key takes `key`.
pub(super) fn assert_key(key: Option<&[u8]>, least: usize) {
    assert!(key.is_none_or(|key| (least..=MAX_KEY_BYTES).contains(&key.len())), "{key:?}");
}

/// That a column of type jsonb takes `json`, an object or an array.
pub(super) fn assert_json(json: &str) {
    let parsed: serde_json::Value = serde_json::from_str(json).expect("JSON is written");
    assert!(parsed.is_object() || parsed.is_array(), "{json}");
    assert!(!json.replace(r"\\", "").contains(r"\u0000"), "{json}");
}

/// That a column of type timestamptz takes `time`, and RFC 3339 can write it.
pub(super) fn assert_time(time: DateTime<Utc>) {
    assert!((1..=9999).contains(&time.year()), "{time}");
}

/// That `name` is one of an ecosystem.
pub(super) fn assert_ecosystem(name: &str) {
    let is_kept = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    assert_text(name, 1..=63);
    assert!(name.as_bytes()[0].is_ascii_lowercase() && name.bytes().all(is_kept), "{name:?}");
}

pub(super) fn assert_inventory(inventory: &Inventory) {
    for (key, component) in &inventory.components {
        let Key { ecosystem, namespace, normalized_name, number, source } = key;
        assert_ecosystem(ecosystem);
        assert_text(namespace, 0..=256);
        assert_text(normalized_name, 1..=256);
        assert_text(number, 0..=256);
        assert_text(source, 0..=1024);
        let Component { name, sort_key, purl, licence, .. } = component;
        assert_text(name, 1..=256);
        assert_key(sort_key.as_deref(), 1);
        if let Some(purl) = purl {
            assert_text(purl, 1..=2048);
            assert_eq!(purl.parse::<Purl>().map(|it| it.to_string()).as_ref(), Ok(purl));
        }
        licence.iter().for_each(|licence| assert_text(licence, 1..=4096));
    }
    assert!(inventory.components.len() <= components::MAX_COMPONENTS);
    assert!(inventory.relations.len() <= components::MAX_RELATIONS);
    for relation in &inventory.relations {
        let has = |key: &Key| inventory.components.contains_key(key);
        assert!(has(&relation.to) && relation.from.as_ref().is_none_or(has), "{relation:?}");
    }
}

pub(crate) fn cargo_index(data: &[u8]) {
    index::fuzz(data);
}

/// A line that names a table, then its file.
pub(crate) fn crates_io_dump(data: &[u8]) {
    dump::fuzz(data);
}

pub(crate) fn lockfile_cargo(data: &[u8]) {
    locks::fuzz("Cargo.lock", target(), data);
}

pub(crate) fn lockfile_gem(data: &[u8]) {
    locks::fuzz("Gemfile.lock", target(), data);
}

pub(crate) fn lockfile_go(data: &[u8]) {
    locks::fuzz("go.sum", target(), data);
}

pub(crate) fn lockfile_npm(data: &[u8]) {
    locks::fuzz("package-lock.json", target(), data);
}

pub(crate) fn lockfile_poetry(data: &[u8]) {
    locks::fuzz("poetry.lock", target(), data);
}

pub(crate) fn sbom_cyclonedx(data: &[u8]) {
    sbom::fuzz_cyclonedx(data);
}

pub(crate) fn sbom_spdx(data: &[u8]) {
    sbom::fuzz_spdx(data);
}

/// The kind of severity, a line, then a score or vector.
pub(crate) fn cvss(data: &[u8]) {
    advisories::fuzz_severity(data);
}

pub(crate) fn npm(data: &[u8]) {
    super::npm::fuzz(data);
}

pub(crate) fn pypi(data: &[u8]) {
    super::pypi::fuzz(data);
}

pub(crate) fn osv(data: &[u8]) {
    let known = |(id, name, osv_name, version_scheme): (i64, &str, &str, VersionScheme)| ecosystem::Model {
        id: EcosystemId(id),
        name: name.into(),
        osv_name: Some(osv_name.into()),
        purl_type: Some(name.into()),
        version_scheme,
        created_at: DateTime::UNIX_EPOCH,
        updated_at: DateTime::UNIX_EPOCH,
        deleted_at: None,
    };
    let ecosystems = [
        (1, "cargo", "crates.io", VersionScheme::Semver),
        (2, "pypi", "PyPI", VersionScheme::Pep440),
        (3, "maven", "Maven", VersionScheme::Maven),
        (4, "deb", "Debian", VersionScheme::Deb),
    ];
    advisories::fuzz(ecosystems.map(known).into(), data);
}

fn target() -> Target {
    Target { name: "product".into(), owner: None }
}
