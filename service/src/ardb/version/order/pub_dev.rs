//! Dart: `pub_semver`, SemVer 2.0.0 in which build metadata counts.
//!
//! A version with metadata is above the same without it, and metadata compares as prereleases do. Leading zeros are
//! allowed everywhere. An identifier that is an integer, also a negative one such as `-5`, compares by value; of
//! any length, where Dart has 64 bits, but not in hexadecimal, which Dart reads, too.
//! Advisories write a `v` in front, and `1` or `1.2`, which are taken as by [`super::semver`].

use super::{
    Parsed,
    bytes::{END, is_digits, is_zero, push_number, push_text},
};

const PRERELEASE: u8 = 1;
const RELEASE: u8 = 2;

const NEGATIVE: u8 = 1;
const NUMERIC: u8 = 2;
const TEXT: u8 = 3;

/// `None` where `Version.parse` throws, but for a leading `v` and missing zeros.
pub(super) fn parse(number: &str) -> Option<Parsed> {
    let number = number.strip_prefix('v').unwrap_or(number);
    let (number, build) = number.split_once('+').map_or((number, None), |(a, b)| (a, Some(b)));
    let (core, prerelease) = number.split_once('-').map_or((number, None), |(a, b)| (a, Some(b)));
    let numbers: Vec<&str> = core.split('.').take(4).collect();
    let is_short = numbers.len() < 3;
    if numbers.len() > 3 || !numbers.iter().all(|digits| is_digits(digits)) {
        return None;
    }
    if is_short && (prerelease.is_some() || build.is_some()) {
        return None;
    }
    let mut key = Vec::with_capacity(number.len() + 16);
    for digits in numbers.into_iter().chain(["0", "0"]).take(3) {
        push_number(&mut key, digits);
    }
    key.push(if prerelease.is_some() { PRERELEASE } else { RELEASE });
    push_identifiers(&mut key, prerelease)?;
    push_identifiers(&mut key, build)?;
    Some(Parsed { key, is_prerelease: prerelease.is_some() })
}

fn push_identifiers(key: &mut Vec<u8>, identifiers: Option<&str>) -> Option<()> {
    for identifier in identifiers.into_iter().flat_map(|all| all.split('.')) {
        let is_known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if identifier.is_empty() || !identifier.bytes().all(is_known) {
            return None;
        }
        match identifier.strip_prefix('-').filter(|digits| is_digits(digits)) {
            Some(digits) if !is_zero(digits) => {
                key.push(NEGATIVE);
                let begin = key.len();
                push_number(key, digits);
                key[begin..].iter_mut().for_each(|byte| *byte = !*byte);
            }
            Some(zero) => push_numeric(key, zero),
            None if is_digits(identifier) => push_numeric(key, identifier),
            None => {
                key.push(TEXT);
                push_text(key, identifier);
            }
        }
    }
    key.push(END);
    Some(())
}

fn push_numeric(key: &mut Vec<u8>, digits: &str) {
    key.push(NUMERIC);
    push_number(key, digits);
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::assert_rising, *};

    #[test]
    fn build_metadata_counts() {
        assert_rising(
            parse,
            &[
                "1.0.0--10",
                "1.0.0--5",
                "1.0.0-0 1.0.0--0 1.0.0-00",
                "1.0.0-0+0",
                "1.0.0-9",
                "1.0.0-10",
                "1.0.0-10.a",
                "1.0.0-a",
                "1.0.0-a+b",
                "1.0.0 v1 1.0 01.0.0",
                "1.0.0+1 1.0.0+01",
                "1.0.0+9",
                "1.0.0+10",
                "1.0.0+10.0",
                "1.0.0+9d",
                "1.0.0+a",
                "1.0.1",
            ],
        );
    }

    #[test]
    fn what_pub_refuses_has_no_key() {
        for number in [
            "",
            "v",
            "1.2.3.4",
            "1.2-a",
            "1+a",
            "1.2.3-",
            "1.2.3+",
            "1.2.3-a..b",
            "1.2.3-a_b",
            "a",
            "1.2.3+a+b",
        ] {
            assert_eq!(parse(number), None, "{number:?}");
        }
    }
}
