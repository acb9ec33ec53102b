//! Alpine: apk-package(5), `number{.number}…{letter}{_suffix{number}}…{~hash}{-r#}`, compared as apk-tools 2.14 does.
//!
//! A number behind a dot that begins with a zero is below those that don't; of two such the one with more zeros in
//! front is lower, then the digits decide. The suffixes `alpha`, `beta`, `pre` and `rc` are below the end, all else
//! that may follow is above it. apk 2 also takes a number behind the letter (`7.1p1`), which apk 3 refuses; releases
//! of openssh and openntpd in Alpine had one, so it is taken here.
//!
//! The key: per token its tag, in the order in which apk puts what may follow the same beginning, and its value.
//!
//! apk compares what it calls invalid, too, as far as it can read it; [`compare`] does the same, without keys.

use std::cmp::Ordering;

use super::{
    Parsed,
    bytes::{push_descending, push_number, push_text, split_digits, split_while},
};

const PRE_SUFFIX: u8 = 1;
const END: u8 = 2;
const REVISION: u8 = 3;
const HASH: u8 = 4;
const SUFFIX_NUMBER: u8 = 5;
const POST_SUFFIX: u8 = 6;
const LETTER: u8 = 7;
const NUMBER: u8 = 8;
const DOT: u8 = 9;

/// Within [`DOT`].
const ZERO_FIRST: u8 = 1;
const PLAIN: u8 = 2;

const PRE_SUFFIXES: [&str; 4] = ["alpha", "beta", "pre", "rc"];
const POST_SUFFIXES: [&str; 5] = ["cvs", "svn", "git", "hg", "p"];

/// `None` where apk 3 calls the version invalid, but for a number behind the letter.
pub(super) fn parse(number: &str) -> Option<Parsed> {
    let mut key = Vec::with_capacity(number.len() * 2);
    let mut is_prerelease = false;
    let (first, mut rest) = some_digits(number)?;
    push_number(&mut key, first);
    rest = push_dotted(&mut key, rest)?;
    if let Some(letter) = rest.bytes().next().filter(u8::is_ascii_lowercase) {
        key.extend_from_slice(&[LETTER, letter]);
        rest = &rest[1..];
        if let Some((digits, after)) = some_digits(rest) {
            key.push(NUMBER);
            push_number(&mut key, digits);
            rest = push_dotted(&mut key, after)?;
        }
    }
    while let Some(suffix) = rest.strip_prefix('_') {
        let (name, after) = split_while(suffix, |byte| byte.is_ascii_lowercase());
        let place = |names: &[&str]| {
            names.iter().position(|known| *known == name).and_then(|it| u8::try_from(it).ok())
        };
        match (place(&PRE_SUFFIXES), place(&POST_SUFFIXES)) {
            (Some(place), _) => key.extend_from_slice(&[PRE_SUFFIX, place]),
            (None, Some(place)) => key.extend_from_slice(&[POST_SUFFIX, place]),
            (None, None) => return None,
        }
        is_prerelease |= place(&PRE_SUFFIXES).is_some();
        rest = after;
        if let Some((digits, after)) = some_digits(rest) {
            key.push(SUFFIX_NUMBER);
            push_number(&mut key, digits);
            rest = after;
        }
    }
    if let Some(hash) = rest.strip_prefix('~') {
        let (hash, after) = split_while(hash, |byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        if hash.is_empty() {
            return None;
        }
        key.push(HASH);
        push_text(&mut key, hash);
        rest = after;
    }
    if let Some(revision) = rest.strip_prefix("-r") {
        let (digits, after) = some_digits(revision)?;
        key.push(REVISION);
        push_number(&mut key, digits);
        rest = after;
    }
    key.push(END);
    rest.is_empty().then_some(Parsed { key, is_prerelease })
}

fn some_digits(text: &str) -> Option<(&str, &str)> {
    Some(split_digits(text)).filter(|(digits, _)| !digits.is_empty())
}

/// The numbers behind dots that `text` begins with, and what follows them.
fn push_dotted<'a>(key: &mut Vec<u8>, mut text: &'a str) -> Option<&'a str> {
    while let Some(rest) = text.strip_prefix('.') {
        let (digits, after) = some_digits(rest)?;
        key.push(DOT);
        let zeros = digits.len() - digits.trim_start_matches('0').len();
        if zeros == 0 {
            key.push(PLAIN);
        } else {
            key.push(ZERO_FIRST);
            // Of zeros only, the last one is the number.
            push_descending(key, zeros);
        }
        push_number(key, digits);
        text = after;
    }
    Some(text)
}

/// What comes next, in apk's own order: of two versions that were equal up to here, the one with the later is lower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Token {
    DottedNumber,
    Number,
    Letter,
    Suffix,
    SuffixNumber,
    Revision,
    End,
    /// Last as in apk 3; apk 2 has it first.
    Invalid,
}

/// The order of two versions of which apk may call one or both invalid: token by token until one can't be read. No
/// order for sorting: what can't be read is equal to much.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (Reader::new(a), Reader::new(b));
    loop {
        let found = a.value().cmp(&b.value());
        if found.is_ne() {
            return found;
        }
        if a.token != b.token {
            break;
        }
        if a.token >= Token::End {
            return Ordering::Equal;
        }
    }
    let tokens = [a.token, b.token];
    // An unknown suffix is below the end, too.
    let is_below = [&mut a, &mut b].map(|reader| reader.token == Token::Suffix && reader.value() < 0);
    match is_below {
        [true, _] => Ordering::Less,
        [_, true] => Ordering::Greater,
        _ => tokens[1].cmp(&tokens[0]),
    }
}

struct Reader<'a> {
    token: Token,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn new(number: &'a str) -> Self {
        Self { token: Token::Number, rest: number.as_bytes() }
    }

    /// Reads the token's value and finds the next token.
    fn value(&mut self) -> i64 {
        let Some(&first) = self.rest.first() else {
            self.token = Token::End;
            return 0;
        };
        let value = match self.token {
            Token::DottedNumber if first == b'0' => {
                let zeros = self.rest.iter().take_while(|&&byte| byte == b'0').count();
                self.rest = &self.rest[zeros - 1..];
                self.token = Token::Number;
                return 1 - i64::try_from(zeros).unwrap_or(i64::MAX);
            }
            Token::DottedNumber | Token::Number | Token::SuffixNumber | Token::Revision => self.digits(),
            Token::Letter => {
                self.rest = &self.rest[1..];
                Some(i64::from(first))
            }
            Token::Suffix => self.suffix(),
            Token::End | Token::Invalid => None,
        };
        match value {
            None => self.token = Token::Invalid,
            Some(_) if self.rest.is_empty() => self.token = Token::End,
            Some(_) => self.next(),
        }
        value.unwrap_or(-1)
    }

    /// Up to 17 digits, maybe none.
    fn digits(&mut self) -> Option<i64> {
        let count = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.rest.split_at(count);
        if count >= 18 {
            return None;
        }
        self.rest = rest;
        Some(digits.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0')))
    }

    fn suffix(&mut self) -> Option<i64> {
        let (value, name) = (-4..)
            .zip(PRE_SUFFIXES.into_iter().chain(POST_SUFFIXES))
            .find(|(_, name)| self.rest.starts_with(name.as_bytes()))?;
        self.rest = &self.rest[name.len()..];
        Some(value)
    }

    fn next(&mut self) {
        let Some(&first) = self.rest.first() else { return };
        let before = self.token;
        let is_numeric = matches!(before, Token::DottedNumber | Token::Number);
        let is_digit = first.is_ascii_digit();
        let (token, consumed) = match first {
            b'a'..=b'z' if is_numeric => (Token::Letter, 0),
            _ if is_digit && before == Token::Letter => (Token::Number, 0),
            _ if is_digit && before == Token::Suffix => (Token::SuffixNumber, 0),
            b'.' => (Token::DottedNumber, 1),
            b'_' => (Token::Suffix, 1),
            b'-' if self.rest.get(1) == Some(&b'r') => (Token::Revision, 2),
            _ => (Token::Invalid, 1),
        };
        self.rest = &self.rest[consumed..];
        let may_go_back = matches!(
            (before, token),
            (Token::Number, Token::DottedNumber)
                | (Token::SuffixNumber, Token::Suffix)
                | (Token::Letter, Token::Number)
        );
        self.token = if token < before && !may_go_back { Token::Invalid } else { token };
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::assert_rising, *};

    #[test]
    fn what_may_follow_a_version_has_its_place_below_or_above_it() {
        assert_rising(
            parse,
            &[
                "0.9",
                "1_alpha",
                "1_alpha1",
                "1_beta",
                "1_pre1_alpha",
                "1_pre1",
                "1_pre2",
                "1_rc",
                "1 01",
                "1-r0 1-r00",
                "1-r1",
                "1-r10",
                "1~0a-r0",
                "1_cvs",
                "1_svn",
                "1_git20",
                "1_hg",
                "1_p",
                "1_p0",
                "1a",
                "1b",
                "1b2",
                "1.000",
                "1.00",
                "1.001",
                "1.0",
                "1.01",
                "1.05",
                "1.1",
                "1.5",
                "1.10",
                "1.10.1",
                "2",
            ],
        );
    }

    #[test]
    fn what_apk_calls_invalid_has_no_key_but_compares() {
        for number in [
            "", "a", ".1", "1.", "1..2", "1-r", "1-r1-r2", "1-1", "1_foo", "1_", "1ab", "1A", "1~", "1~g",
            "1-r1_p1", "1 ", "1é",
        ] {
            assert_eq!(parse(number), None, "{number:?}");
            assert_eq!(compare(number, number), Ordering::Equal, "{number:?}");
        }
        assert_eq!([compare("1_foo", "1_p"), compare("1_foo", "1")], [Ordering::Less, Ordering::Less]);
        assert_eq!(compare("1..1", "1..2"), Ordering::Less);
    }

    #[test]
    fn only_suffixes_before_a_release_make_a_prerelease() {
        let found = ["1_rc1", "1_p1", "1_p1_pre", "1-r1"].map(|it| parse(it).unwrap().is_prerelease);
        assert_eq!(found, [true, false, true, false]);
    }
}
