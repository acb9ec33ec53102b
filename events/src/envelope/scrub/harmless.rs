//! A look at a text that tells most of those in which no rule can find anything from the rest, in one pass.

use super::{MIN_TOKEN, TOKEN_PREFIXES};

/// Whether no rule can find anything in `text`. False says nothing.
///
/// What the rules need: an `@`, which may be percent-encoded, for an address of e-mail or credentials; `=` or `:` after
/// a name; a digit, a dot and a digit, or a colon, for the address of a machine; a run of characters as long as a token
/// and what one begins with, for one; `Bearer` or `Basic` before a word of that length; five hyphens for a key. The colon
/// of a web address is none of these.
pub(super) fn is_harmless(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (mut token, mut hyphens, mut word_start) = (0, 0, 0);
    let (mut follows_bearer, mut is_ascii, mut has_long) = (false, true, false);
    let mut at = 0;
    while at < bytes.len() {
        let plain = bytes[at..].iter().take_while(|byte| IS_PLAIN[usize::from(**byte)]).count();
        if plain > 0 {
            at += plain;
            token += plain;
            hyphens = 0;
            has_long |= token >= MIN_TOKEN;
            continue;
        }
        let byte = bytes[at];
        hyphens = if byte == b'-' { hyphens + 1 } else { 0 };
        match byte {
            b'-' => token += 1,
            b'.' if is_digit(bytes, at.wrapping_sub(1)) && is_digit(bytes, at + 1) => return false,
            b'.' => token += 1,
            128.. => {
                token += 1;
                is_ascii = false;
            }
            b'@' | b'=' | b'%' => return false,
            b':' if !ends_web_scheme(bytes, at) => return false,
            b'\t'..=b'\r'
            | b' '
            | b'"'
            | b'\''
            | b'`'
            | b'<'
            | b'>'
            | b'('
            | b')'
            | b'{'
            | b'}'
            | b'|'
            | b'\\' => {
                token = 0;
                let word = &bytes[word_start..at];
                if follows_bearer && word.len() >= MIN_TOKEN {
                    return false;
                }
                if !word.is_empty() {
                    follows_bearer = is_bearer(word);
                }
                word_start = at + 1;
            }
            _ => token = 0,
        }
        has_long |= token >= MIN_TOKEN;
        if hyphens >= 5 {
            return false;
        }
        at += 1;
    }
    if (follows_bearer && bytes.len() - word_start >= MIN_TOKEN) || (has_long && may_have_token(text)) {
        return false;
    }
    // Words may end at white space that is not ASCII, which was not looked for.
    is_ascii || !text.split(|c: char| !c.is_ascii_alphabetic()).any(|word| is_bearer(word.as_bytes()))
}

/// Letters, digits and `_`: most of a text, and nothing that a rule begins with.
const IS_PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        plain[byte] = (byte as u8).is_ascii_alphanumeric() || byte as u8 == b'_';
        byte += 1;
    }
    plain
};

/// Whether a token of any provider may begin somewhere in `text`.
fn may_have_token(text: &str) -> bool {
    let bytes = text.as_bytes();
    let begins = |at: usize| at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
    let is_prefix =
        |at: usize| TOKEN_PREFIXES.iter().any(|prefix| bytes[at..].starts_with(prefix.as_bytes()));
    text.contains("eyJ") || (0..bytes.len()).any(|at| begins(at) && is_prefix(at))
}

fn is_bearer(word: &[u8]) -> bool {
    word.eq_ignore_ascii_case(b"bearer") || word.eq_ignore_ascii_case(b"basic")
}

fn is_digit(bytes: &[u8], at: usize) -> bool {
    bytes.get(at).is_some_and(u8::is_ascii_digit)
}

/// Whether the colon at `at` is that of `http://` or `https://`, and the scheme is no end of another word.
fn ends_web_scheme(bytes: &[u8], at: usize) -> bool {
    let (before, after) = bytes.split_at(at);
    let rest = before.strip_suffix(b"https").or_else(|| before.strip_suffix(b"http"));
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | 128..);
    after.starts_with(b"://") && rest.is_some_and(|rest| !rest.last().is_some_and(is_name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::scrub::scrub_thoroughly;

    #[test]
    fn words_and_links_are_harmless() {
        for text in [
            "",
            "Make the 7th part of it work",
            "https://example.org/acme/rocket/issues/7",
            "see http://example.org, or not",
            "pull_request.opened",
            "Größe",
            "basic",
        ] {
            assert!(is_harmless(text), "{text}");
        }
    }

    #[test]
    fn whatever_a_rule_changes_is_not_harmless() {
        const PIECES: [&str; 42] = [
            "a",
            "Z",
            "7",
            "10",
            ".",
            ".",
            ":",
            ":",
            "/",
            "//",
            "://",
            "http",
            "https",
            " ",
            " ",
            "\t",
            "\"",
            "\u{a0}",
            "\u{2003}",
            "@",
            "%40",
            "=",
            "-",
            "-----",
            "BEGIN ",
            "PRIVATE KEY",
            "bearer",
            "Basic",
            "token",
            "secret",
            "Cookie",
            "x-api-key",
            "ghp_",
            "eyJ",
            "abcdefgh",
            "AbCdEf12",
            "é",
            "[",
            "::1",
            "127.0.0.1",
            "u:p",
            "pkg:",
        ];
        let mut state = 7_u64;
        let mut next = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        let mut harmless = 0;
        for _ in 0..100_000 {
            let length = 1 + next(9);
            let text: String = (0..length).map(|_| PIECES[next(PIECES.len())]).collect();
            if is_harmless(&text) {
                harmless += 1;
                assert_eq!(scrub_thoroughly(&text), text);
            }
        }
        assert!(harmless > 1000, "{harmless}");
    }
}
