//! Debian: `[epoch:]upstream[-revision]`, as `deb-version(7)` and Debian Policy 5.6.12 say.
//!
//! Epochs are numbers. Upstream and revision are each a sequence of pairs of text and number, either of which may be
//! empty: text compares by character with letters before all others and `~` before even the end, numbers by value. A
//! missing epoch is 0, a missing revision compares as `0`.
//!
//! The key: the epoch, then per pair the text's characters by their rank and [`END_OF_TEXT`], then the number. A
//! part ends with the pair of no text and zero, which every version could be continued by without a difference.

use super::{
    Parsed,
    bytes::{is_digits, push_number, split_digits, split_while},
};

const TILDE: u8 = 1;
const END_OF_TEXT: u8 = 2;
/// Above the letters.
const OTHER: u8 = 0x80;

/// `None` where dpkg finds an error: no upstream version, an epoch that is no number, or a character that is none of
/// letters, digits and `.+-~:`. That the upstream version begins with a digit is only asked of new packages.
pub(super) fn parse(number: &str) -> Option<Parsed> {
    let (epoch, rest) = number.split_once(':').unwrap_or(("0", number));
    let (upstream, revision) = match rest.rsplit_once('-') {
        Some((_, "")) => return None,
        Some((upstream, revision)) => (upstream, revision),
        None => (rest, ""),
    };
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b".+-~:".contains(&byte);
    if upstream.is_empty() || !is_digits(epoch) || !rest.bytes().all(is_known) {
        return None;
    }
    let mut key = Vec::with_capacity(number.len() * 2);
    push_number(&mut key, epoch);
    push_part(&mut key, upstream);
    push_part(&mut key, revision);
    Some(Parsed { key, is_prerelease: false })
}

fn push_part(key: &mut Vec<u8>, mut part: &str) {
    loop {
        let (text, rest) = split_while(part, |byte| !byte.is_ascii_digit());
        let (digits, rest) = split_digits(rest);
        key.extend(text.bytes().map(rank));
        push_end(key, digits);
        if rest.is_empty() {
            return push_end(key, "0");
        }
        part = rest;
    }
}

/// The end of a text, and the number behind it.
fn push_end(key: &mut Vec<u8>, digits: &str) {
    key.push(END_OF_TEXT);
    push_number(key, digits);
}

/// `~`, the end, letters, the rest.
fn rank(byte: u8) -> u8 {
    match byte {
        b'~' => TILDE,
        letter if letter.is_ascii_alphabetic() => letter,
        other => OTHER | other,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::assert_rising, *};

    #[test]
    fn a_tilde_is_before_the_end_and_letters_are_before_the_rest() {
        assert_rising(
            parse,
            &[
                "1~~",
                "1~~a",
                "1~",
                "1~rc1",
                "1 1-0 0:1 1-00 01",
                "1a",
                "1aa",
                "1+b",
                "1.",
                "1.1",
                "1:0",
                "10:0",
            ],
        );
    }

    #[test]
    fn a_zero_at_the_end_is_as_nothing_and_one_in_front_is_a_number() {
        assert_rising(parse, &["0~", "0 00 0-0", "0-+1", "0a", "0.", "0.1"]);
        assert_rising(parse, &["1-0~", "1 1-0", "1-0.", "1.0-0 1. 1.-0"]);
    }

    #[test]
    fn the_revision_is_what_follows_the_last_hyphen() {
        assert_rising(
            parse,
            &["1.0-1", "1.0-1-1", "1.0-1a-1", "1.0-2-1", "1.0.1-1~bpo1", "1.0.1-1", "1.0.1-1+b1"],
        );
    }

    #[test]
    fn what_dpkg_refuses_has_no_key() {
        for number in ["", ":1", "a:1", "1:", "-1", "1 2", "1_2", "1é", "1\n", "1-", "1:2-", "1!0"] {
            assert_eq!(parse(number), None, "{number:?}");
        }
    }
}
