//! Packagist: PHP's `version_compare`, by which Composer's `Comparator` orders versions.
//!
//! A version falls into segments at `.`, `-`, `_` and `+`, between digits and anything else, and at any other sign that
//! stands behind no digit (`php_canonicalize_version`). Two numbers compare by value. Otherwise what a segment begins
//! with decides, from low to high: anything unknown, `dev`, `a`, `b`, `rc`, the end, a number, `p`. Upper case is only
//! known in `RC`.
//!
//! Composer itself strips a `v` and reads branches: `1.x-dev` is 1.9999999.9999999.9999999-dev. It also fills versions
//! up to four numbers, by which `1.0` and `1.0.0` are one; `Comparator` does not, nor does this order.

use super::{
    Parsed,
    bytes::{is_digits, push_number},
};

const UNKNOWN: u8 = 1;
const DEV: u8 = 2;
const ALPHA: u8 = 3;
const BETA: u8 = 4;
const RC: u8 = 5;
const EMPTY: u8 = 6;
const END: u8 = 7;
const NUMBER: u8 = 8;
const PATCH: u8 = 9;

/// What a branch has where a version has a number (`VersionParser::normalizeBranch`).
const BRANCH: &str = "9999999";

/// `None` for what does not begin with a digit behind an optional `v`, above all `dev-` branches, of which Composer
/// says that they have no order, and for what isn't printable ASCII.
pub(super) fn parse(number: &str) -> Option<Parsed> {
    let number = number.strip_prefix(['v', 'V']).unwrap_or(number);
    let begins_well = number.starts_with(|first: char| first.is_ascii_digit());
    if !begins_well || !number.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let branch = branch(number);
    let canonical = canonical(branch.as_deref().unwrap_or(number));
    let mut key = Vec::with_capacity(canonical.len() * 2);
    let mut is_prerelease = false;
    for segment in canonical.split('.') {
        if segment.is_empty() {
            // Only behind a separator at the end, where PHP finds an empty segment below the end itself.
            key.push(EMPTY);
        } else if segment.starts_with(|first: char| first.is_ascii_digit()) {
            key.push(NUMBER);
            push_number(&mut key, segment);
        } else if let Some(tag) = tag(segment) {
            // `#` stands for any number, as the end does; left out, it is that.
            is_prerelease |= (DEV..=RC).contains(&tag);
            key.push(tag);
        }
    }
    key.push(END);
    Some(Parsed { key, is_prerelease })
}

/// The segments with a `.` between each two. `number` is ASCII and begins with a digit.
fn canonical(number: &str) -> String {
    let mut canonical = String::with_capacity(number.len() * 2);
    let mut before = '0';
    for character in number.chars() {
        let is_sign = matches!(character, '-' | '_' | '+' | '.');
        let begins_number = character.is_ascii_digit() && !before.is_ascii_digit();
        let ends_number = before.is_ascii_digit() && !character.is_ascii_digit();
        let is_kept = !is_sign && (ends_number || character.is_ascii_alphanumeric());
        let ends_segment = begins_number || ends_number || !is_kept;
        if ends_segment && !canonical.is_empty() && !canonical.ends_with('.') {
            canonical.push('.');
        }
        if is_kept {
            canonical.push(character);
        }
        before = character;
    }
    canonical
}

/// By the first letters, in the order in which PHP looks for them.
fn tag(text: &str) -> Option<u8> {
    const TAGS: [(&str, Option<u8>); 7] = [
        ("dev", Some(DEV)),
        ("a", Some(ALPHA)),
        ("b", Some(BETA)),
        ("RC", Some(RC)),
        ("rc", Some(RC)),
        ("#", None),
        ("p", Some(PATCH)),
    ];
    let known = TAGS.into_iter().find(|(beginning, _)| text.starts_with(beginning));
    known.map_or(Some(UNKNOWN), |(_, tag)| tag)
}

/// `1.2.x-dev` as a version, if `number` is such a branch.
fn branch(number: &str) -> Option<String> {
    let name = number.strip_suffix("-dev").or_else(|| number.strip_suffix(".dev"))?;
    let parts: Vec<&str> = name.split('.').collect();
    let is_wildcard = |part: &str| matches!(part, "x" | "X" | "*");
    let is_branch = parts.len() <= 4
        && parts.iter().any(|part| is_wildcard(part))
        && parts.iter().all(|part| is_digits(part) || is_wildcard(part));
    let number = |part| if is_wildcard(part) { BRANCH } else { part };
    let numbers = parts.into_iter().map(number).chain([BRANCH; 3]).take(4);
    is_branch.then(|| format!("{}-dev", numbers.collect::<Vec<_>>().join(".")))
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::assert_rising, *};

    #[test]
    fn stability_decides_before_the_end_and_a_patch_after_it() {
        assert_rising(
            parse,
            &[
                "1.0-foo 1.0xyz 1.0-BETA 1.0~a 1.0^",
                "1.0-dev 1.0dev v1.0_dev",
                "1.0-alpha 1.0a 1.0-apple",
                "1.0a1 1.0-alpha1 1.0.alpha.1",
                "1.0-b2 1.0beta2",
                "1.0-RC 1.0rc",
                "1.0RC1",
                "1.0- 1.0. 1.0-# 1.0+~",
                "1.0 V1.0 01.0 1.0#",
                "1.0.0",
                "1.0.1",
                "1.0-pl1 1.0-patch1 1.0p1 1.0.post1",
                "1.2 1..2",
                "1.10",
            ],
        );
    }

    #[test]
    fn a_branch_is_above_all_versions_it_can_become() {
        assert_rising(
            parse,
            &["1.2.3", "1.2.99", "1.2.x-dev", "1.3", "1.x-dev 1.X-dev 1.*-dev", "2.0-dev", "2.0"],
        );
    }

    #[test]
    fn a_branch_without_numbers_has_no_key() {
        for number in ["", "dev-master", "master", "v", "x.y", "-1", "1 0", "1é"] {
            assert_eq!(parse(number), None, "{number:?}");
        }
    }

    #[test]
    fn dev_alpha_beta_and_rc_are_prereleases() {
        let found =
            ["1-dev", "1a1", "1b1", "1rc1", "1", "1p1", "1foo"].map(|it| parse(it).unwrap().is_prerelease);
        assert_eq!(found, [true, true, true, true, false, false, false]);
    }
}
