//! Keys held against comparisons that walk both versions side by side, as the ecosystems' own tools do.

use std::cmp::Ordering;

use super::{
    bytes::{split_digits, split_while, without_zeros},
    properties::versions,
    *,
};

/// Asserts that of random versions the keys compare as `direct` does, wherever both have one.
#[track_caller]
fn assert_same(scheme: Scheme, seed: u64, is_fit: fn(&str) -> bool, direct: fn(&str, &str) -> Ordering) {
    let versions: Vec<_> = versions(seed, 600)
        .into_iter()
        .filter(|version| is_fit(version))
        .filter_map(|version| Some((key(scheme, &version)?, version)))
        .collect();
    assert!(versions.len() > 40, "{}", versions.len());
    for (a_key, a) in &versions {
        for (b_key, b) in &versions {
            assert_eq!(a_key.cmp(b_key), direct(a, b), "{a} {b}");
        }
    }
}

fn by_value(a: &str, b: &str) -> Ordering {
    let (a, b) = (without_zeros(a), without_zeros(b));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

#[test]
fn debian_keys_compare_as_a_walk_over_text_and_numbers_does() {
    fn part(mut a: &str, mut b: &str) -> Ordering {
        let rank = |byte: Option<u8>| match byte {
            Some(b'~') => -1,
            None => 0,
            Some(letter) if letter.is_ascii_alphabetic() => i32::from(letter),
            Some(other) => i32::from(other) + 256,
        };
        while !a.is_empty() || !b.is_empty() {
            let (a_text, a_rest) = split_while(a, |byte| !byte.is_ascii_digit());
            let (b_text, b_rest) = split_while(b, |byte| !byte.is_ascii_digit());
            for at in 0..a_text.len().max(b_text.len()) {
                let found =
                    rank(a_text.as_bytes().get(at).copied()).cmp(&rank(b_text.as_bytes().get(at).copied()));
                if found.is_ne() {
                    return found;
                }
            }
            let ((a_digits, a_rest), (b_digits, b_rest)) = (split_digits(a_rest), split_digits(b_rest));
            let found = by_value(a_digits, b_digits);
            if found.is_ne() {
                return found;
            }
            (a, b) = (a_rest, b_rest);
        }
        Ordering::Equal
    }
    fn split(version: &str) -> (&str, &str, &str) {
        let (epoch, rest) = version.split_once(':').unwrap_or(("0", version));
        let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
        (epoch, upstream, revision)
    }
    assert_same(
        Scheme::Deb,
        5,
        |_| true,
        |a, b| {
            let (a, b) = (split(a), split(b));
            by_value(a.0, b.0).then_with(|| part(a.1, b.1)).then_with(|| part(a.2, b.2))
        },
    );
}

#[test]
fn rpm_keys_compare_as_a_walk_over_segments_does() {
    fn part(mut a: &str, mut b: &str) -> Ordering {
        let is_kept = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'~' || byte == b'^';
        loop {
            a = split_while(a, |byte| !is_kept(byte)).1;
            b = split_while(b, |byte| !is_kept(byte)).1;
            match (a.strip_prefix('~'), b.strip_prefix('~')) {
                (Some(a_rest), Some(b_rest)) => {
                    (a, b) = (a_rest, b_rest);
                    continue;
                }
                (None, None) => {}
                (a, b) => return b.is_some().cmp(&a.is_some()),
            }
            match (a.strip_prefix('^'), b.strip_prefix('^')) {
                (Some(a_rest), Some(b_rest)) => {
                    (a, b) = (a_rest, b_rest);
                    continue;
                }
                (Some(_), None) => return if b.is_empty() { Ordering::Greater } else { Ordering::Less },
                (None, Some(_)) => return if a.is_empty() { Ordering::Less } else { Ordering::Greater },
                (None, None) => {}
            }
            if a.is_empty() || b.is_empty() {
                return a.is_empty().cmp(&b.is_empty()).reverse();
            }
            let is_number = |text: &str| text.starts_with(|first: char| first.is_ascii_digit());
            let found = if is_number(a) && is_number(b) {
                let ((a_digits, a_rest), (b_digits, b_rest)) = (split_digits(a), split_digits(b));
                (a, b) = (a_rest, b_rest);
                by_value(a_digits, b_digits)
            } else if is_number(a) != is_number(b) {
                is_number(a).cmp(&is_number(b))
            } else {
                let (a_text, a_rest) = split_while(a, |byte| byte.is_ascii_alphabetic());
                let (b_text, b_rest) = split_while(b, |byte| byte.is_ascii_alphabetic());
                (a, b) = (a_rest, b_rest);
                a_text.cmp(b_text)
            };
            if found.is_ne() {
                return found;
            }
        }
    }
    fn split(version: &str) -> (&str, &str, Option<&str>) {
        let epoch =
            version.split_once(':').filter(|(epoch, _)| epoch.bytes().all(|byte| byte.is_ascii_digit()));
        let (epoch, rest) = epoch.unwrap_or(("0", version));
        rest.rsplit_once('-').map_or((epoch, rest, None), |(rest, release)| (epoch, rest, Some(release)))
    }
    assert_same(
        Scheme::Rpm,
        6,
        |_| true,
        |a, b| {
            let (a, b) = (split(a), split(b));
            let releases = match (a.2, b.2) {
                (Some(a), Some(b)) => part(a, b),
                (a, b) => a.is_some().cmp(&b.is_some()),
            };
            by_value(a.0, b.0).then_with(|| part(a.1, b.1)).then(releases)
        },
    );
}

#[test]
fn alpine_keys_compare_as_a_walk_over_tokens_does() {
    // apk 2.14, which the walk is of, knows no hash and takes 17 digits.
    assert_same(Scheme::Apk, 7, |version| !version.contains('~') && version.len() < 17, apk::compare);
}

#[test]
fn numeric_keys_compare_as_lists_of_numbers_do() {
    fn lists(a: &str, b: &str) -> Ordering {
        let list = |version: &str| -> Vec<u128> {
            version.split(['.', '-']).map(|digits| digits.parse().unwrap()).collect()
        };
        list(a).cmp(&list(b))
    }
    assert_same(Scheme::Cran, 8, |version| version.len() < 38, lists);
    assert_same(Scheme::Hackage, 9, |version| version.len() < 38, lists);
}
