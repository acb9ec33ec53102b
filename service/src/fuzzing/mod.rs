//! What the fuzz targets call, and what replays their findings as a test. Not for anybody else.
//!
//! Each target reads whatever bytes it is given; it must not panic, and what it reads must hold what is asserted. The
//! formats of the importers are in `ardb::import::fuzzing`, beside what they take apart.

mod identity;
mod text;
mod version;

use crate::ardb::{import::fuzzing as documents, version::order::Scheme};

/// A target: its name, which is that of its file and of its corpus, and what it runs.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: &[Target] = &[
    ("cargo_index", documents::cargo_index),
    ("crates_io_dump", documents::crates_io_dump),
    ("cvss", documents::cvss),
    ("identity", identity::identity),
    ("licence", text::licence),
    ("lockfile_cargo", documents::lockfile_cargo),
    ("lockfile_gem", documents::lockfile_gem),
    ("lockfile_go", documents::lockfile_go),
    ("lockfile_npm", documents::lockfile_npm),
    ("lockfile_poetry", documents::lockfile_poetry),
    ("name", text::name),
    ("npm", documents::npm),
    ("osv", documents::osv),
    ("purl", text::purl),
    ("pypi", documents::pypi),
    ("ranges", version::ranges),
    ("repository", text::repository),
    ("sbom_cyclonedx", documents::sbom_cyclonedx),
    ("sbom_spdx", documents::sbom_spdx),
    ("version_apk", |data| version::versions(Scheme::Apk, data)),
    ("version_composer", |data| version::versions(Scheme::Composer, data)),
    ("version_cran", |data| version::versions(Scheme::Cran, data)),
    ("version_deb", |data| version::versions(Scheme::Deb, data)),
    ("version_gem", |data| version::versions(Scheme::Gem, data)),
    ("version_hackage", |data| version::versions(Scheme::Hackage, data)),
    ("version_maven", |data| version::versions(Scheme::Maven, data)),
    ("version_nuget", |data| version::versions(Scheme::Nuget, data)),
    ("version_pep440", |data| version::versions(Scheme::Pep440, data)),
    ("version_pub", |data| version::versions(Scheme::Pub, data)),
    ("version_rpm", |data| version::versions(Scheme::Rpm, data)),
    ("version_semver", |data| version::versions(Scheme::Semver, data)),
];

/// Runs the target `name` over `data`.
///
/// # Panics
///
/// If there is no such target, or it found something.
pub fn run(name: &str, data: &[u8]) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).expect("the target is in the list");
    target(data);
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn every_finding_in_the_corpus_is_read_and_holds_what_its_target_asserts() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
        for (name, target) in TARGETS {
            assert!(fuzz.join("fuzz_targets").join(format!("{name}.rs")).exists(), "{name} has a target");
            let words = fs::read_to_string(fuzz.join("dictionaries").join(format!("{name}.dict")));
            assert!(words.is_ok_and(|words| !words.is_empty()), "{name} has a dictionary");
            let findings = fs::read_dir(fuzz.join("corpus").join(name)).unwrap();
            let mut read = 0;
            for finding in findings {
                target(&fs::read(finding.unwrap().path()).unwrap());
                read += 1;
            }
            assert!(read > 0, "{name} has a corpus");
        }
    }
}
