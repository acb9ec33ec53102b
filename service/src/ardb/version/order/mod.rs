//! Order-preserving keys of version numbers: comparing the bytes of two keys is comparing the versions.
//!
//! A key is computed once, when a version is imported; from then on order, newest and "is it in this range" are
//! plain comparisons of `bytea` that an index answers. One file per scheme. Keys of different schemes don't
//! compare. There is no query in here and no database.

mod semver;

use entity_ardb::VersionScheme;

/// A version number that was understood by its scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// Compares bytewise with the keys of the same scheme; never empty, so the empty key is below all.
    pub key: Vec<u8>,
    /// Whether the scheme calls it a prerelease.
    pub is_prerelease: bool,
}

/// The longest version number that gets a key, in bytes; longer ones are no versions anybody published.
pub const MAX_NUMBER_BYTES: usize = 256;

/// Reads `number` by the rules of `scheme`.
///
/// `None`: the number does not parse, is longer than [`MAX_NUMBER_BYTES`], or the scheme has no key yet. Such a
/// version never matches by range, only where an advisory enumerates it.
///
/// Keys exist for [`VersionScheme::Semver`] (cargo, npm, Go, pub, Hex), by precedence as in SemVer 2.0.0 §11:
/// build metadata does not count.
///
/// ```
/// use entity_ardb::VersionScheme::Semver;
/// use service::ardb::version::order::parse;
///
/// let key = |number| parse(Semver, number).map(|parsed| parsed.key);
/// assert!(key("1.0.0-rc.2") < key("1.0.0-rc.10"));
/// assert!(key("1.0.0-rc.10") < key("1.0.0"));
/// assert_eq!(key("1.0.0+a"), key("1.0.0+b"));
/// assert_eq!(key("one"), None);
/// ```
#[must_use]
pub fn parse(scheme: VersionScheme, number: &str) -> Option<Parsed> {
    if number.len() > MAX_NUMBER_BYTES {
        return None;
    }
    match scheme {
        VersionScheme::Semver => semver::parse(number),
        // An order that is nearly right would call safe versions vulnerable and the other way round.
        _ => None,
    }
}

/// Only the key of [`parse`].
#[must_use]
pub fn key(scheme: VersionScheme, number: &str) -> Option<Vec<u8>> {
    parse(scheme, number).map(|parsed| parsed.key)
}
