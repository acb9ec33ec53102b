//! The formats of the importers as targets of the fuzzer: what a file holds is read and taken apart as an import does
//! it, up to where the database would come in.

use entity_ardb::{EcosystemId, VersionScheme, ecosystem};

use super::{
    inventory::Target,
    pipeline::{Format, Found},
    source::Entry,
};

pub(super) fn document<F: Format>(format: &F, path: &str, mut data: &[u8]) {
    if let Found::Document(raw) = format.read(Entry { path, place: path, content: &mut data }) {
        let _ = format.parse(raw);
    }
}

pub(crate) fn cargo_index(data: &[u8]) {
    super::cargo_index::fuzz(data);
}

pub(crate) fn lockfile_cargo(data: &[u8]) {
    lockfile("Cargo.lock", data);
}

pub(crate) fn lockfile_gem(data: &[u8]) {
    lockfile("Gemfile.lock", data);
}

pub(crate) fn lockfile_go(data: &[u8]) {
    lockfile("go.sum", data);
}

pub(crate) fn lockfile_npm(data: &[u8]) {
    lockfile("package-lock.json", data);
}

pub(crate) fn lockfile_poetry(data: &[u8]) {
    lockfile("poetry.lock", data);
}

fn lockfile(name: &str, data: &[u8]) {
    super::lockfile::fuzz(name, target(), data);
}

pub(crate) fn sbom(data: &[u8]) {
    super::sbom::fuzz(target(), data);
}

pub(crate) fn osv(data: &[u8]) {
    let known = |(id, name, osv_name, version_scheme): (i64, &str, &str, VersionScheme)| ecosystem::Model {
        id: EcosystemId(id),
        name: name.into(),
        osv_name: Some(osv_name.into()),
        purl_type: Some(name.into()),
        version_scheme,
        created_at: chrono::DateTime::UNIX_EPOCH,
        updated_at: chrono::DateTime::UNIX_EPOCH,
        deleted_at: None,
    };
    let ecosystems = [
        (1, "cargo", "crates.io", VersionScheme::Semver),
        (2, "pypi", "PyPI", VersionScheme::Pep440),
        (3, "maven", "Maven", VersionScheme::Maven),
        (4, "deb", "Debian", VersionScheme::Deb),
    ];
    super::osv::fuzz(ecosystems.map(known).into(), data);
}

fn target() -> Target {
    Target { name: "product".into(), owner: None }
}
