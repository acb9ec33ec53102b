//! What the fuzz targets call, and what replays their findings as a test. Not for anybody else.
//!
//! Each function reads whatever bytes it is given; it must not panic, and what it reads must hold what is asserted.

use std::cmp::Ordering;

use sea_orm::Iterable as _;

use crate::{
    ardb::version::{
        order::{self, Scheme},
        range::{self, Event},
    },
    purl::Purl,
};

/// A target: its name, which is that of its file and of its corpus, and what it runs.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 11] = [
    ("cargo_index", documents::cargo_index),
    ("lockfile_cargo", documents::lockfile_cargo),
    ("lockfile_gem", documents::lockfile_gem),
    ("lockfile_go", documents::lockfile_go),
    ("lockfile_npm", documents::lockfile_npm),
    ("lockfile_poetry", documents::lockfile_poetry),
    ("osv", documents::osv),
    ("purl", purl),
    ("ranges", ranges),
    ("sbom", documents::sbom),
    ("versions", versions),
];

use crate::ardb::import::fuzzing as documents;

/// Runs the target `name` over `data`.
///
/// # Panics
///
/// If there is no such target, or it found something.
pub fn run(name: &str, data: &[u8]) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).expect("the target is in the list");
    target(data);
}

/// The scheme that the first byte chooses, and the rest as text.
fn scheme_and_text(data: &[u8]) -> Option<(Scheme, &str)> {
    let (first, rest) = data.split_first()?;
    let schemes: Vec<Scheme> = Scheme::iter().collect();
    Some((schemes[usize::from(*first) % schemes.len()], str::from_utf8(rest).ok()?))
}

/// Two versions, a line each: comparing them is comparing their keys, the other way round is the other answer, and each
/// is itself.
fn versions(data: &[u8]) {
    let Some((scheme, text)) = scheme_and_text(data) else { return };
    let (a, b) = text.split_once('\n').unwrap_or((text, text));
    let compared = order::compare(scheme, a, b);
    assert_eq!(order::compare(scheme, b, a), compared.map(Ordering::reverse), "{scheme:?} {a:?} {b:?}");
    let (key_a, key_b) = (order::key(scheme, a), order::key(scheme, b));
    if let (Some(key_a), Some(key_b)) = (&key_a, &key_b)
        && scheme != Scheme::Maven
    {
        assert_eq!(compared, Some(key_a.cmp(key_b)), "{scheme:?} {a:?} {b:?}");
    }
    if key_a.is_some() {
        assert_eq!(order::compare(scheme, a, a), Some(Ordering::Equal), "{scheme:?} {a:?}");
    }
}

/// A version and events, a line each: it is never affected by a range without one, and always where it is enumerated.
fn ranges(data: &[u8]) {
    let Some((scheme, text)) = scheme_and_text(data) else { return };
    let mut lines = text.lines();
    let Some(number) = lines.next() else { return };
    let event = |line: &str| {
        let (kind, version) = line.split_once(' ')?;
        Event::new(kind, version.to_owned())
    };
    let events: Vec<Event> = lines.filter_map(event).collect();
    let intervals = range::evaluate(&events, scheme);
    let key = order::key(scheme, number);
    let is_within = key.is_some_and(|key| intervals.iter().any(|interval| interval.contains(&key)));
    assert_eq!(range::affects(scheme, number, &[events], &[]), is_within);
    assert!(!range::affects(scheme, number, &[], &[]));
    assert!(range::affects(scheme, number, &[], &[number.to_owned()]));
}

/// What a package URL prints parses to itself.
fn purl(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    if let Ok(purl) = text.parse::<Purl>() {
        let printed = purl.to_string();
        assert_eq!(printed.parse::<Purl>().as_ref(), Ok(&purl), "{printed}");
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn every_finding_in_the_corpus_is_read_without_a_panic() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
        for (name, target) in TARGETS {
            assert!(fuzz.join("fuzz_targets").join(format!("{name}.rs")).exists(), "{name} has a target");
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
