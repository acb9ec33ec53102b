//! RubyGems: `Gem::Version`.
//!
//! Runs of digits and runs of letters are segments, everything else separates; a `-` reads as `.pre.`. Zeros at the
//! end of the numbers in front and at the end of the whole don't count, and the shorter version is filled up with
//! zeros. A text is below every number, so it makes a prerelease.
//!
//! The key says at each position how many zeros follow and what ends them. A text is below the zeros that the end
//! stands for, the sooner the lower; a number is above, the sooner the higher.

use super::{
    Parsed,
    bytes::{is_zero, push_ascending, push_descending, push_number, push_text, split_digits, split_while},
};

const TEXT: u8 = 1;
const END: u8 = 2;
const NUMBER: u8 = 3;

/// `None` where `Gem::Version.correct?` says no. It takes white space around, and RubyGems strips it.
pub(super) fn parse(number: &str) -> Option<Parsed> {
    let number = number.trim_ascii();
    is_correct(number).then(|| parse_any(number))
}

/// Also what RubyGems refuses, such as `1beta`, by its segments.
pub(super) fn parse_lenient(number: &str) -> Option<Parsed> {
    let number = number.trim_ascii();
    let begins_well = number.starts_with(|first: char| first.is_ascii_digit());
    (begins_well && number.bytes().all(|byte| byte.is_ascii_graphic())).then(|| parse_any(number))
}

/// `number` is ASCII.
fn parse_any(number: &str) -> Parsed {
    let segments = canonical(segments(number));
    let mut key = Vec::with_capacity(number.len() * 2);
    let mut zeros = 0;
    for segment in &segments {
        if !is_number(segment) {
            key.push(TEXT);
            push_ascending(&mut key, zeros);
            push_text(&mut key, segment);
            zeros = 0;
        } else if is_zero(segment) {
            zeros += 1;
        } else {
            key.push(NUMBER);
            push_descending(&mut key, zeros);
            push_number(&mut key, segment);
            zeros = 0;
        }
    }
    key.push(END);
    let is_prerelease = segments.iter().any(|segment| !is_number(segment));
    Parsed { key, is_prerelease }
}

/// Digits, then `.` and letters or digits any number of times, then maybe `-` and the same with hyphens.
fn is_correct(number: &str) -> bool {
    let (release, prerelease) =
        number.split_once('-').map_or((number, None), |(release, rest)| (release, Some(rest)));
    let is_plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_hyphenated = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let mut parts = release.split('.');
    let begins_well = parts.next().is_some_and(super::bytes::is_digits);
    begins_well && parts.all(is_plain) && prerelease.is_none_or(|rest| rest.split('.').all(is_hyphenated))
}

fn segments(number: &str) -> Vec<&str> {
    let mut segments = Vec::new();
    let mut rest = number;
    while let Some(&first) = rest.as_bytes().first() {
        let (segment, after) = if first.is_ascii_digit() {
            split_digits(rest)
        } else if first.is_ascii_alphabetic() {
            split_while(rest, |byte| byte.is_ascii_alphabetic())
        } else {
            (if first == b'-' { "pre" } else { "" }, &rest[1..])
        };
        if !segment.is_empty() {
            segments.push(segment);
        }
        rest = after;
    }
    segments
}

fn canonical(mut segments: Vec<&str>) -> Vec<&str> {
    let trim = |segments: &mut Vec<&str>| {
        while segments.last().is_some_and(|last| is_number(last) && is_zero(last)) {
            segments.pop();
        }
    };
    let first_text = segments.iter().position(|segment| !is_number(segment)).unwrap_or(segments.len());
    let mut texts = segments.split_off(first_text);
    trim(&mut segments);
    trim(&mut texts);
    segments.append(&mut texts);
    segments
}

fn is_number(segment: &str) -> bool {
    segment.starts_with(|first: char| first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::assert_rising, *};

    #[test]
    fn a_text_is_below_every_number_and_zeros_at_the_end_do_not_count() {
        assert_rising(
            parse,
            &[
                "0.9",
                "1.a.b",
                "1.a.0.b",
                "1.0.a 1.a 1.0.0.a.0",
                "1.a.1 1.a1",
                "1.a.10",
                "1.b",
                "1-1 1.pre.1 1.0-1",
                "1 1.0 1.0.0 01",
                "1.0.0.1",
                "1.0.1.a",
                "1.0.1",
                "1.1",
            ],
        );
    }

    #[test]
    fn what_ruby_gems_refuses_has_no_key() {
        for number in ["", "a", ".1", "1.", "1..2", "1_2", "1+2", "1.0-", "1 2", "-1", "v1", "1.é"] {
            assert_eq!(parse(number), None, "{number:?}");
        }
        assert_eq!(parse(" 1.0\n"), parse("1"));
        assert_rising(parse_lenient, &["1beta 1.beta", "1gamma", "1"]);
    }
}
