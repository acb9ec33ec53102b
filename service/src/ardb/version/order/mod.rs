//! Order-preserving keys of version numbers: comparing the bytes of two keys is comparing the versions.
//!
//! A key is computed once, when a version is imported; from then on order, newest and "is it in this range" are
//! plain comparisons of `bytea` that an index answers. One file per scheme, which names the rule's source. Keys of
//! different schemes don't compare. There is no query in here and no database.
//!
//! Numbers have any length. Keys don't say all that the ecosystems' tools do: Maven's comparison goes round in circles
//! (see `maven.rs`), and some tools put an order on what they call no version (`pep440.rs`, `apk.rs`, `gem.rs`).
//! [`compare`] knows both; ranges know keys only.

mod apk;
mod bytes;
mod composer;
#[cfg(test)]
mod corpus;
mod deb;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod direct;
#[cfg(test)]
mod fixture;
mod gem;
mod maven;
mod nuget;
mod numeric;
mod pep440;
#[cfg(test)]
mod properties;
mod pub_dev;
mod rpm;
mod semver;

use std::cmp::Ordering;

pub use entity_ardb::VersionScheme as Scheme;

/// A version number that was understood by its scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// Compares bytewise with the keys of the same scheme; never empty, so the empty key is below all.
    pub key: Vec<u8>,
    /// Whether the scheme calls it a prerelease. Debian, RPM, R and Haskell call nothing so.
    pub is_prerelease: bool,
}

/// The longest key, in bytes, as the database holds it. Every number of up to 223 bytes has a shorter one: the most that
/// a byte of one takes is nine.
pub const MAX_KEY_BYTES: usize = 2048;

/// Changes whenever a version may get another key, or one where it had none: what was keyed before is to be keyed anew.
pub const REVISION: u32 = 3;

/// Reads `number` by the rules of `scheme`.
///
/// `None`: the number does not parse, its key would be longer than [`MAX_KEY_BYTES`], or the scheme has no order. Such
/// a version never matches by range, only where an advisory enumerates it.
///
/// ```
/// use service::ardb::version::order::{Scheme::{Pep440, Semver}, parse};
///
/// let key = |number| parse(Semver, number).map(|parsed| parsed.key);
/// assert!(key("1.0.0-rc.2") < key("1.0.0-rc.10"));
/// assert!(key("1.0.0-rc.10") < key("1.0.0"));
/// assert_eq!(key("1.0.0+a"), key("1.0.0+b"));
/// assert_eq!(key("one"), None);
/// assert_eq!(parse(Pep440, "1.0"), parse(Pep440, "1.0.0"));
/// ```
#[must_use]
pub fn parse(scheme: Scheme, number: &str) -> Option<Parsed> {
    parse_any_length(scheme, number).filter(|parsed| parsed.key.len() <= MAX_KEY_BYTES)
}

/// Only the key of [`parse`].
#[must_use]
pub fn key(scheme: Scheme, number: &str) -> Option<Vec<u8>> {
    parse(scheme, number).map(|parsed| parsed.key)
}

/// Whether `scheme` calls `number` a prerelease; `None` where [`parse`] is.
#[must_use]
pub fn is_prerelease(scheme: Scheme, number: &str) -> Option<bool> {
    parse(scheme, number).map(|parsed| parsed.is_prerelease)
}

/// How `a` compares with `b` by the ecosystem's own tools; of versions that both have a key, as the keys do, but for
/// Maven's circles (see `maven.rs`). `None`: the tools would not compare them.
///
/// Beyond [`parse`] it takes numbers of any length; for [`Scheme::Pep440`], names that were versions before
/// `packaging` 22, which are below all that still are; for [`Scheme::Gem`] and [`Scheme::Apk`], what their tools
/// refuse to publish and yet have an order for. Sort by keys: this is not transitive.
///
/// ```
/// use service::ardb::version::order::{Scheme::Deb, compare};
///
/// assert_eq!(compare(Deb, "1.0~rc1-1", "1.0-1"), Some(std::cmp::Ordering::Less));
/// ```
#[must_use]
pub fn compare(scheme: Scheme, a: &str, b: &str) -> Option<Ordering> {
    if scheme == Scheme::Maven {
        return maven::compare(a, b);
    }
    match (parse_any_length(scheme, a), parse_any_length(scheme, b)) {
        (Some(a), Some(b)) => Some(a.key.cmp(&b.key)),
        (parsed_a, parsed_b) => match scheme {
            _ if a.trim_ascii().is_empty() || b.trim_ascii().is_empty() => None,
            Scheme::Apk => Some(apk::compare(a, b)),
            Scheme::Gem => Some(gem::parse_lenient(a)?.key.cmp(&gem::parse_lenient(b)?.key)),
            Scheme::Pep440 => Some(match (parsed_a, parsed_b) {
                (None, None) => pep440::legacy_key(a).cmp(&pep440::legacy_key(b)),
                (a, b) => a.is_some().cmp(&b.is_some()),
            }),
            _ => None,
        },
    }
}

/// [`parse`] without a limit for the key.
pub(crate) fn parse_any_length(scheme: Scheme, number: &str) -> Option<Parsed> {
    match scheme {
        Scheme::Semver => semver::parse(number),
        Scheme::Pub => pub_dev::parse(number),
        Scheme::Pep440 => pep440::parse(number),
        Scheme::Maven => maven::parse(number),
        Scheme::Gem => gem::parse(number),
        Scheme::Nuget => nuget::parse(number),
        Scheme::Composer => composer::parse(number),
        Scheme::Deb => deb::parse(number),
        Scheme::Rpm => rpm::parse(number),
        Scheme::Apk => apk::parse(number),
        Scheme::Cran => numeric::parse_cran(number),
        Scheme::Hackage => numeric::parse_hackage(number),
        Scheme::Opaque => None,
    }
}
