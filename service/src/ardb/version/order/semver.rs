//! SemVer 2.0.0, with numbers of any length, and two things that Go (`golang.org/x/mod/semver`) and advisories write: a
//! `v` in front, and `1.2` or `1` for `1.2.0` and `1.0.0`.
//!
//! The key of `major.minor.patch[-identifier.…]`:
//!
//! | part | bytes |
//! |---|---|
//! | a number | as [`push_number`] has it |
//! | end of the three numbers | [`PRERELEASE`] or [`RELEASE`] |
//! | a numeric identifier | [`NUMERIC`], the number |
//! | any other identifier | [`ALPHANUMERIC`], its ASCII bytes, [`END`] |
//! | end of the identifiers | [`END`] |
//!
//! A longer number is greater because numbers have no leading zeros (§2, §9). [`END`] sorts below everything that
//! can stand in its place, so a prefix is lower (§11.4.4).

use super::{
    Parsed,
    bytes::{END, push_number},
};

const NUMERIC: u8 = 1;
const ALPHANUMERIC: u8 = 2;
const PRERELEASE: u8 = 1;
const RELEASE: u8 = 2;

/// `None` where `number` is not a version by SemVer 2.0.0, but for a leading `v` and missing zeros.
pub(super) fn parse(number: &str) -> Option<Parsed> {
    let number = number.strip_prefix('v').unwrap_or(number);
    let (number, build) = split_off(number, '+');
    let (core, prerelease) = split_off(number, '-');
    if build.is_some_and(|build| !build.split('.').all(is_identifier)) {
        return None;
    }

    let mut key = Vec::with_capacity(number.len() + 8);
    let numbers: Vec<&str> = core.split('.').collect();
    let is_short = numbers.len() < 3;
    if numbers.len() > 3 || !numbers.iter().all(|digits| is_number(digits)) {
        return None;
    }
    if is_short && (prerelease.is_some() || build.is_some()) {
        return None;
    }
    for digits in numbers.into_iter().chain(["0", "0"]).take(3) {
        push_number(&mut key, digits);
    }

    let Some(prerelease) = prerelease else {
        key.push(RELEASE);
        return Some(Parsed { key, is_prerelease: false });
    };
    key.push(PRERELEASE);
    for identifier in prerelease.split('.') {
        push_identifier(&mut key, identifier)?;
    }
    key.push(END);
    Some(Parsed { key, is_prerelease: true })
}

fn split_off(text: &str, separator: char) -> (&str, Option<&str>) {
    text.split_once(separator).map_or((text, None), |(before, after)| (before, Some(after)))
}

fn push_identifier(key: &mut Vec<u8>, identifier: &str) -> Option<()> {
    if !is_identifier(identifier) {
        return None;
    }
    if identifier.bytes().all(|byte| byte.is_ascii_digit()) {
        key.push(NUMERIC);
        push_number(key, Some(identifier).filter(|digits| is_number(digits))?);
    } else {
        key.push(ALPHANUMERIC);
        key.extend_from_slice(identifier.as_bytes());
        key.push(END);
    }
    Some(())
}

fn is_number(digits: &str) -> bool {
    let has_leading_zero = digits.len() > 1 && digits.starts_with('0');
    !digits.is_empty() && !has_leading_zero && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_identifier(identifier: &str) -> bool {
    !identifier.is_empty() && identifier.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use cargo_lock::Version;

    use super::parse;

    fn compare(a: &str, b: &str) -> Option<Ordering> {
        Some(parse(a)?.key.cmp(&parse(b)?.key))
    }

    /// Versions that differ in every way a generator is likely to miss, and many more by recombination.
    fn numbers() -> Vec<String> {
        let cores = [
            "0.0.0",
            "0.0.9",
            "0.0.10",
            "0.9.0",
            "0.10.0",
            "1.0.0",
            "1.0.1",
            "2.0.0",
            "10.0.0",
            "18446744073709551615.0.0",
        ];
        let identifiers = [
            "0",
            "1",
            "2",
            "10",
            "99999999999999999999",
            "a",
            "A",
            "a0",
            "a-",
            "-",
            "--",
            "-1",
            "0a",
            "z",
            "alpha",
            "alpha1",
            "rc",
        ];
        let builds = ["", "+1", "+a.b"];
        let mut prereleases = vec![String::new()];
        for first in identifiers {
            prereleases.push(format!("-{first}"));
            prereleases.extend(identifiers.iter().map(|second| format!("-{first}.{second}")));
        }
        let mut numbers = Vec::new();
        for (position, core) in cores.iter().enumerate() {
            for (offset, prerelease) in prereleases.iter().enumerate() {
                numbers.push(format!("{core}{prerelease}{}", builds[(position + offset) % builds.len()]));
            }
        }
        numbers
    }

    #[test]
    fn keys_compare_as_the_semver_crate_compares_versions() {
        let parsed: Vec<_> = numbers()
            .into_iter()
            .map(|number| (Version::parse(&number).unwrap(), parse(&number).unwrap(), number))
            .collect();
        for (version, own, number) in &parsed {
            assert_eq!(own.is_prerelease, !version.pre.is_empty(), "{number}");
            for (other_version, other, other_number) in &parsed {
                assert_eq!(
                    own.key.cmp(&other.key),
                    version.cmp_precedence(other_version),
                    "{number} against {other_number}"
                );
            }
        }
    }

    #[test]
    fn what_the_semver_crate_refuses_has_no_key() {
        for number in [
            "",
            "1.2-a",
            "1+a",
            "1.2.3.4",
            "01.2.3",
            "1.02.3",
            "1.2.03",
            "1.2.3-",
            "1.2.3-a.",
            "1.2.3-.a",
            "1.2.3-01",
            "1.2.3-a..b",
            "1.2.3+",
            "1.2.3+a.",
            "1.2.3-a_b",
            "1.2.3-ä",
            " 1.2.3",
            "1.2.3 ",
            "-1.2.3",
            "a.b.c",
            "1.2.3\0",
            "not a version",
            "1..3",
            ".1.2",
            "1.2.3+a+b",
        ] {
            assert!(Version::parse(number).is_err(), "{number:?}");
            assert_eq!(parse(number), None, "{number:?}");
        }
    }

    #[test]
    fn numbers_longer_than_any_integer_compare_by_value() {
        let nines = "9".repeat(30);
        let one_more = format!("1{}", "0".repeat(30));
        assert_eq!(compare(&format!("{nines}.0.0"), &format!("{one_more}.0.0")), Some(Ordering::Less));
        assert_eq!(compare(&format!("1.0.0-{one_more}"), &format!("1.0.0-{nines}")), Some(Ordering::Greater));
        let digits = |count: usize| format!("1.{}.0", "1".repeat(count));
        assert_eq!(compare(&digits(254), &digits(255)), Some(Ordering::Less));
        assert_eq!(compare(&digits(255), &digits(256)), Some(Ordering::Less));
    }

    #[test]
    fn a_leading_v_and_missing_zeros_do_not_count() {
        assert_eq!(compare("v1.2.3", "1.2.3"), Some(Ordering::Equal));
        assert_eq!(compare("v1", "1.0"), Some(Ordering::Equal));
        assert_eq!(compare("1.2", "1.2.0"), Some(Ordering::Equal));
        assert_eq!(parse("vv1.2.3"), None);
    }

    /// `golang.org/ref/mod#pseudo-versions` and `#incompatible-versions`.
    #[test]
    fn pseudo_versions_of_go_are_prereleases_and_incompatible_does_not_count() {
        let rising = [
            "v0.0.0-20180101000000-abcdef123456",
            "v0.0.0-20190101000000-000000000000",
            "v1.2.3-pre",
            "v1.2.3-pre.0.20190101000000-abcdef123456",
            "v1.2.3",
            "v1.2.4-0.20190101000000-abcdef123456",
            "v1.2.4",
        ];
        assert!(rising.is_sorted_by(|a, b| compare(a, b) == Some(Ordering::Less)));
        assert_eq!(compare("v2.0.0+incompatible", "2.0.0"), Some(Ordering::Equal));
    }
}
