//! Comparisons that walk both versions side by side, as the ecosystems' own tools do, for keys to be held against: by the
//! tests of this module on random versions, and by the fuzz targets.

use std::cmp::Ordering;

use super::{
    Scheme, apk,
    bytes::{split_digits, split_while, without_zeros},
};

/// How `a` compares with `b`, both of which have a key; `None`: there is no walk for the scheme, or it does not know all
/// that is in these two.
pub(crate) fn compare(scheme: Scheme, a: &str, b: &str) -> Option<Ordering> {
    match scheme {
        Scheme::Semver => {
            let parsed = |number| cargo_lock::Version::parse(number).ok();
            Some(parsed(a)?.cmp_precedence(&parsed(b)?))
        }
        Scheme::Gem => Some(gem(a, b)),
        Scheme::Deb => Some(deb(a, b)),
        Scheme::Rpm => Some(rpm(a, b)),
        // apk 2.14, which the walk is of, knows no hash and takes 17 digits.
        Scheme::Apk => [a, b]
            .iter()
            .all(|version| !version.contains('~') && version.len() < 17)
            .then(|| apk::compare(a, b)),
        Scheme::Cran | Scheme::Hackage => Some(by(a.split(['.', '-']), b.split(['.', '-']), by_value)),
        _ => None,
    }
}

fn by_value(a: &str, b: &str) -> Ordering {
    let (a, b) = (without_zeros(a), without_zeros(b));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// Item by item; a beginning is lower.
fn by<'a>(
    mut a: impl Iterator<Item = &'a str>,
    mut b: impl Iterator<Item = &'a str>,
    compare: fn(&str, &str) -> Ordering,
) -> Ordering {
    loop {
        let found = match (a.next(), b.next()) {
            (Some(a), Some(b)) => compare(a, b),
            (None, None) => return Ordering::Equal,
            (a, b) => a.is_some().cmp(&b.is_some()),
        };
        if found.is_ne() {
            return found;
        }
    }
}

/// `Gem::Version#<=>`: segment by segment, the shorter one filled up with zeros, a text below a number.
fn gem(a: &str, b: &str) -> Ordering {
    fn segments(version: &str) -> Vec<String> {
        let version = version.trim_ascii().replace('-', ".pre.");
        let mut segments = Vec::new();
        let mut rest = version.as_str();
        while !rest.is_empty() {
            let (digits, after) = split_digits(rest);
            let (letters, after) = split_while(after, |byte| byte.is_ascii_alphabetic());
            rest = split_while(after, |byte| !byte.is_ascii_alphanumeric()).1;
            segments.extend([digits, letters].iter().filter(|it| !it.is_empty()).map(|&it| it.to_owned()));
        }
        segments
    }
    /// What counts: neither the zeros behind the numbers in front nor those at the end.
    fn canonical(version: &str) -> Vec<String> {
        let mut front = segments(version);
        let is_text = |segment: &String| segment.starts_with(|first: char| first.is_ascii_alphabetic());
        let mut rest = front.split_off(front.iter().position(is_text).unwrap_or(front.len()));
        for part in [&mut front, &mut rest] {
            while part.last().is_some_and(|last| last.bytes().all(|byte| byte == b'0')) {
                part.pop();
            }
        }
        [front, rest].concat()
    }
    let (a, b) = (canonical(a), canonical(b));
    for at in 0..a.len().max(b.len()) {
        let [a, b] = [&a, &b].map(|segments| segments.get(at).map_or("0", String::as_str));
        let is_number = |segment: &str| segment.starts_with(|first: char| first.is_ascii_digit());
        let found = match (is_number(a), is_number(b)) {
            (true, true) => by_value(a, b),
            (false, false) => a.cmp(b),
            (a, b) => a.cmp(&b),
        };
        if found.is_ne() {
            return found;
        }
    }
    Ordering::Equal
}

/// As `dpkg` does: text and numbers in turn.
fn deb(a: &str, b: &str) -> Ordering {
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
    let (a, b) = (split(a), split(b));
    by_value(a.0, b.0).then_with(|| part(a.1, b.1)).then_with(|| part(a.2, b.2))
}

/// As `rpmvercmp` does.
fn rpm(a: &str, b: &str) -> Ordering {
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
    let (a, b) = (split(a), split(b));
    let releases = match (a.2, b.2) {
        (Some(a), Some(b)) => part(a, b),
        (a, b) => a.is_some().cmp(&b.is_some()),
    };
    by_value(a.0, b.0).then_with(|| part(a.1, b.1)).then(releases)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{key, properties::versions},
        *,
    };

    #[track_caller]
    fn assert_same(scheme: Scheme, seed: u64) {
        assert_same_behind("", scheme, seed);
    }

    /// Asserts that of versions of `beginning` and something random the keys compare as the walk does, wherever both
    /// have one.
    #[track_caller]
    fn assert_same_behind(beginning: &str, scheme: Scheme, seed: u64) {
        let versions: Vec<_> = versions(seed, 600)
            .into_iter()
            .map(|version| format!("{beginning}{version}"))
            .filter_map(|version| Some((key(scheme, &version)?, version)))
            .collect();
        let mut compared = 0;
        for (a_key, a) in &versions {
            for (b_key, b) in &versions {
                let Some(walked) = compare(scheme, a, b) else { continue };
                assert_eq!(a_key.cmp(b_key), walked, "{a} {b}");
                compared += 1;
            }
        }
        assert!(compared > 1_600, "{compared}");
    }

    #[test]
    fn semver_keys_compare_as_cargos_own_crate_does() {
        assert_same_behind("1.0.", Scheme::Semver, 10);
        assert_same_behind("1.0.0-", Scheme::Semver, 11);
    }

    #[test]
    fn gem_keys_compare_as_a_walk_over_segments_does() {
        assert_same(Scheme::Gem, 12);
    }

    #[test]
    fn debian_keys_compare_as_a_walk_over_text_and_numbers_does() {
        assert_same(Scheme::Deb, 5);
    }

    #[test]
    fn rpm_keys_compare_as_a_walk_over_segments_does() {
        assert_same(Scheme::Rpm, 6);
    }

    #[test]
    fn alpine_keys_compare_as_a_walk_over_tokens_does() {
        assert_same(Scheme::Apk, 7);
    }

    #[test]
    fn numeric_keys_compare_as_lists_of_numbers_do() {
        assert_same(Scheme::Cran, 8);
        assert_same(Scheme::Hackage, 9);
    }
}
