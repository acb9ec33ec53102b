//! Python: PEP 440 with the spellings that its appendix B normalises, as `packaging.version.Version` reads them.
//!
//! | part of the key | bytes |
//! |---|---|
//! | epoch | a number |
//! | release, without zeros at its end | per number [`NUMBER`] and the number; the end |
//! | prerelease | [`DEV_ONLY`], [`ALPHA`], [`BETA`] or [`RC`] with a number, or [`FINAL`] |
//! | post release | [`ABSENT`], or [`PRESENT`] and a number |
//! | development release | [`DEV`] and a number, or [`NOT_DEV`] |
//! | local version | [`ABSENT`], or [`PRESENT`], per segment [`TEXT`] and it or [`NUMBER`] and it, the end |
//!
//! [`DEV_ONLY`]: `1.0.dev1` is before `1.0a1`.

use super::{
    Parsed,
    bytes::{END, is_digits, is_zero, push_number, push_text, split_digits},
};

const NUMBER: u8 = 2;
const TEXT: u8 = 1;

const DEV_ONLY: u8 = 1;
const ALPHA: u8 = 2;
const BETA: u8 = 3;
const RC: u8 = 4;
const FINAL: u8 = 5;

const ABSENT: u8 = 1;
const PRESENT: u8 = 2;

const DEV: u8 = 1;
const NOT_DEV: u8 = 2;

/// A longer word before one it begins with.
const PRERELEASES: [(&str, u8); 8] = [
    ("alpha", ALPHA),
    ("a", ALPHA),
    ("beta", BETA),
    ("b", BETA),
    ("preview", RC),
    ("pre", RC),
    ("c", RC),
    ("rc", RC),
];
const POST_RELEASES: [(&str, ()); 3] = [("post", ()), ("rev", ()), ("r", ())];
const DEV_RELEASES: [(&str, ()); 1] = [("dev", ())];

/// `None` where `packaging` 22 and newer raise `InvalidVersion`.
pub(super) fn parse(number: &str) -> Option<Parsed> {
    let lower = number.trim_ascii().to_ascii_lowercase();
    let number = lower.strip_prefix('v').unwrap_or(&lower);
    let (public, local) = number.split_once('+').map_or((number, None), |(a, b)| (a, Some(b)));
    let (epoch, rest) = public.split_once('!').unwrap_or(("0", public));
    if !is_digits(epoch) {
        return None;
    }
    let mut key = Vec::with_capacity(number.len() + 16);
    push_number(&mut key, epoch);
    let rest = push_release(&mut key, rest)?;
    let (prerelease, rest) = word(rest, &PRERELEASES);
    let (post, rest) = post_release(rest);
    let (dev, rest) = word(rest, &DEV_RELEASES);
    if !rest.is_empty() {
        return None;
    }
    match prerelease {
        Some((tag, digits)) => {
            key.push(tag);
            push_number(&mut key, digits);
        }
        None if post.is_none() && dev.is_some() => key.push(DEV_ONLY),
        None => key.push(FINAL),
    }
    match post {
        Some(digits) => {
            key.push(PRESENT);
            push_number(&mut key, digits);
        }
        None => key.push(ABSENT),
    }
    match dev {
        Some(((), digits)) => {
            key.push(DEV);
            push_number(&mut key, digits);
        }
        None => key.push(NOT_DEV),
    }
    push_local(&mut key, local)?;
    Some(Parsed { key, is_prerelease: prerelease.is_some() || dev.is_some() })
}

/// The numbers of the release, and what follows them.
fn push_release<'a>(key: &mut Vec<u8>, number: &'a str) -> Option<&'a str> {
    let mut numbers = Vec::new();
    let mut rest = number;
    loop {
        let (digits, after) = split_digits(rest);
        if digits.is_empty() {
            return None;
        }
        numbers.push(digits);
        rest = after;
        match after.strip_prefix('.') {
            Some(next) if next.starts_with(|first: char| first.is_ascii_digit()) => rest = next,
            _ => break,
        }
    }
    while numbers.last().is_some_and(|digits| is_zero(digits)) {
        numbers.pop();
    }
    for digits in numbers {
        key.push(NUMBER);
        push_number(key, digits);
    }
    key.push(END);
    Some(rest)
}

/// One of `words`, with a separator before and after it and a number; each of the three may be missing.
fn word<'a, T: Copy>(text: &'a str, words: &[(&str, T)]) -> (Option<(T, &'a str)>, &'a str) {
    let separators = ['-', '_', '.'];
    let begin = text.strip_prefix(separators).unwrap_or(text);
    for &(word, meaning) in words {
        if let Some(rest) = begin.strip_prefix(word) {
            let (digits, rest) = split_digits(rest.strip_prefix(separators).unwrap_or(rest));
            return (Some((meaning, digits)), rest);
        }
    }
    (None, text)
}

/// `-1` is `.post1`.
fn post_release(text: &str) -> (Option<&str>, &str) {
    if let Some((digits, rest)) = text.strip_prefix('-').map(split_digits)
        && !digits.is_empty()
    {
        return (Some(digits), rest);
    }
    let (found, rest) = word(text, &POST_RELEASES);
    (found.map(|((), digits)| digits), rest)
}

fn push_local(key: &mut Vec<u8>, local: Option<&str>) -> Option<()> {
    let Some(local) = local else {
        key.push(ABSENT);
        return Some(());
    };
    key.push(PRESENT);
    for segment in local.split(['-', '_', '.']) {
        if is_digits(segment) {
            key.push(NUMBER);
            push_number(key, segment);
        } else if !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            key.push(TEXT);
            push_text(key, segment);
        } else {
            return None;
        }
    }
    key.push(END);
    Some(())
}

/// The key of what isn't a version by PEP 440, below which all versions are: the order that `packaging` before 22 and
/// setuptools before 66 gave such names (`LegacyVersion`).
///
/// Runs of digits and of letters compare in turn, everything else but `.` as text, too. Numbers are filled up to
/// eight digits and compare as text, below all letters. Words that mean a prerelease are below the end, `*final`.
pub(super) fn legacy_key(number: &str) -> Vec<u8> {
    const END_WORD: &str = "*final";
    const HYPHEN: &str = "*final-";
    let lower = number.to_lowercase();
    let mut parts: Vec<String> = Vec::new();
    for part in legacy_parts(&lower).into_iter().chain([""]) {
        let part = match part {
            "" => END_WORD.to_owned(),
            "." => continue,
            digits if is_digits(digits) => format!("{digits:0>8}"),
            "pre" | "preview" | "rc" => "*c".to_owned(),
            "dev" => "*@".to_owned(),
            "-" => HYPHEN.to_owned(),
            text => format!("*{text}"),
        };
        if part.starts_with('*') {
            if part.as_str() < END_WORD {
                while parts.last().is_some_and(|last| last == HYPHEN) {
                    parts.pop();
                }
            }
            while parts.last().is_some_and(|last| last == "00000000") {
                parts.pop();
            }
        }
        parts.push(part);
    }
    let mut key = Vec::with_capacity(number.len() * 2);
    for part in parts {
        key.push(NUMBER);
        push_text(&mut key, &part);
    }
    key.push(END);
    key
}

/// Runs of digits, runs of letters, `.`, `-`, and what is between those.
fn legacy_parts(text: &str) -> Vec<&str> {
    let class = |byte: u8| match byte {
        digit if digit.is_ascii_digit() => 0,
        letter if letter.is_ascii_lowercase() => 1,
        b'.' => 2,
        b'-' => 3,
        _ => 4,
    };
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(&first) = rest.as_bytes().first() {
        let (part, after) = match first {
            b'.' | b'-' => rest.split_at(1),
            _ => super::bytes::split_while(rest, |byte| class(byte) == class(first)),
        };
        parts.push(part);
        rest = after;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::assert_rising, *};

    #[test]
    fn the_parts_of_a_version_sort_as_pep_440_says() {
        assert_rising(
            parse,
            &[
                "1.dev0 1.0.dev 1.0-DEV_0",
                "1.dev1+x",
                "1a0.dev1",
                "1a0 1.0alpha 1a. 1_a-0",
                "1a0.post1.dev2",
                "1a0.post1 1a0-1 1a0.rev1",
                "1b2 1.0.0-beta_2 1b02",
                "1c1 1rc1 1pre1 1.preview.1",
                "1 1.0 1.0.0 01 v1 V1.0",
                "1+a.b",
                "1+a.1 1+A_01",
                "1+1",
                "1+1.a",
                "1+2",
                "1.post0.dev1",
                "1.post0 1.post 1r 1-0 1.0-r0",
                "1.post0+a",
                "1.0.1",
                "2013",
                "1!0 1!0.0",
                "1!1.0",
            ],
        );
    }

    #[test]
    fn what_packaging_refuses_has_no_key() {
        for number in [
            "",
            "v",
            "a",
            "1.",
            "1..0",
            "1.0x",
            "1.0-",
            "1-a1b1",
            "1+",
            "1+a..b",
            "1+a+b",
            "!1",
            "a!1",
            "1!",
            "1.0.dev1.dev2",
            "1.0.post1a1",
            "1 .0",
            "french toast",
            "1.0é",
            "1-1-1",
            "1.0--1",
        ] {
            assert_eq!(parse(number), None, "{number:?}");
        }
    }

    #[test]
    fn prereleases_and_development_releases_are_prereleases() {
        let found = ["1a1", "1rc1.post1", "1.dev1", "1.post1.dev1", "1.post1", "1+a"];
        assert_eq!(found.map(|it| parse(it).unwrap().is_prerelease), [true, true, true, true, false, false]);
    }

    /// Pairs of `packaging` 21.3.
    #[test]
    fn what_is_no_version_sorts_as_it_once_did() {
        let rising = [
            "a",
            "x-preview",
            "0.1_x",
            "0.1.0-final-x",
            "0.1-x-dev",
            "0.1-x",
            "0.1-x-p",
            "0.1-zebra",
            "0.1m1",
            "0.1p2",
            "0.1.x",
            "0.1.2.x",
            "0.7.4.svn.r2010",
            "1.0beta6.1",
            "10-x",
            "2013-01-21T20:33:09+0100",
        ];
        assert!(rising.map(legacy_key).is_sorted_by(|a, b| a < b));
        assert_eq!(legacy_key("0.1.x"), legacy_key("0.01.00.X"));
    }
}
