//! Secrets that have a name: a pair, a header, a block.

use std::borrow::Cow;
use std::ops::Range;

use super::SECRET;

/// Words in a name whose value is never stored.
const SECRET_WORDS: [&str; 12] = [
    "access_key",
    "api-key",
    "api_key",
    "apikey",
    "authorization",
    "credential",
    "passwd",
    "password",
    "private-key",
    "private_key",
    "secret",
    "token",
];

/// Headers whose whole line is a secret.
const SECRET_HEADERS: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "set-cookie"];

/// First words of the header `Authorization`, which may stay.
const SCHEMES: [&str; 8] =
    ["basic", "bearer", "digest", "token", "negotiate", "ntlm", "apikey", "aws4-hmac-sha256"];

/// Whether the value of what is called `name` is never stored.
#[must_use]
pub(in crate::envelope) fn is_secret_name(name: &str) -> bool {
    let name = name.as_bytes();
    let begins = |at: usize, word: &&str| {
        name.get(at..at + word.len()).is_some_and(|part| part.eq_ignore_ascii_case(word.as_bytes()))
    };
    (0..name.len()).any(|at| {
        // What the words begin with.
        matches!(name[at] | 0x20, b'a' | b'c' | b'p' | b's' | b't')
            && SECRET_WORDS.iter().any(|word| begins(at, word))
    })
}

/// `text` without blocks that hold a private key; one that does not end takes all that follows.
pub(super) fn without_private_keys(text: &str) -> Cow<'_, str> {
    const BEGIN: &str = "-----BEGIN ";
    const END: &str = "-----END ";
    let mut out = String::new();
    let mut rest = text;
    let mut seen = 0;
    while let Some(found) = rest[seen..].find(BEGIN).map(|at| seen + at) {
        let label = &rest[found + BEGIN.len()..];
        let label = &label[..label.floor_char_boundary(48)];
        if !label.split("-----").next().is_some_and(|label| label.contains("PRIVATE KEY")) {
            seen = found + BEGIN.len();
            continue;
        }
        out.push_str(&rest[..found]);
        out.push_str(SECRET);
        let end = rest[found..].find(END).map(|at| found + at + END.len());
        let closed = end.and_then(|end| rest[end..].find("-----").map(|at| end + at + 5));
        rest = closed.map_or("", |closed| &rest[closed..]);
        seen = 0;
    }
    if out.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(out + rest) }
}

/// `text` without the values of what is called a secret: `name=value`, `"name": "value"`, `Some-Header: value`.
pub(super) fn without_named(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let (mut done, mut from) = (0, 0);
    while let Some(at) = text[from..].find([':', '=']).map(|found| from + found) {
        from = at + 1;
        if let Some(value) = secret_value(text, at) {
            out.push_str(&text[done..value.start]);
            out.push_str(SECRET);
            (done, from) = (value.end, value.end);
        }
    }
    if done == 0 { Cow::Borrowed(text) } else { Cow::Owned(out + &text[done..]) }
}

/// Where the value is that belongs to the sign at `at`, if its name is that of a secret.
fn secret_value(text: &str, at: usize) -> Option<Range<usize>> {
    let blanks = [' ', '\t'];
    let before = text[..at].trim_end_matches(blanks);
    let (before, is_quoted) = match before.strip_suffix(['"', '\'']) {
        Some(inside) => (inside.trim_end_matches('\\'), true),
        None => (before, false),
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let name = &before[before.trim_end_matches(is_name).len()..];
    let is_pair = text[at..].starts_with('=');
    let header = SECRET_HEADERS.iter().any(|header| name.eq_ignore_ascii_case(header));
    let counts = is_pair || is_quoted || header || name.contains('-');
    if !counts || !(header || is_secret_name(name)) {
        return None;
    }
    let after = &text[at + 1..];
    // `==` and `=>` compare and point.
    if is_pair && after.starts_with(['=', '>']) {
        return None;
    }
    let rest = after.trim_start_matches(blanks);
    let start = text.len() - rest.len();
    let escapes = rest.len() - rest.trim_start_matches('\\').len();
    let value = match rest[escapes..].chars().next()? {
        '"' | '\'' => within_quotes(rest, escapes),
        _ if is_quoted => &rest[..rest.find([',', '}', ']', '\n', ' ']).unwrap_or(rest.len())],
        _ if header => &rest[..rest.find(['\n', '\r', '"', '\'', '\\']).unwrap_or(rest.len())],
        _ => {
            &rest[..rest
                .find(|c: char| c.is_whitespace() || "&;,\"'`<>(){}|\\".contains(c))
                .unwrap_or(rest.len())]
        }
    };
    let offset = value.as_ptr() as usize - rest.as_ptr() as usize;
    let kept = if header { scheme_bytes(value) } else { 0 };
    let value_start = start + offset + kept;
    let value = &value[kept..];
    let says_nothing = value.is_empty()
        || value.starts_with(SECRET)
        || (is_quoted && (matches!(value, "null" | "true" | "false") || value.starts_with(['{', '['])));
    (!says_nothing).then(|| value_start..value_start + value.len())
}

/// What stands in the quotes that `rest` begins with, `escapes` backslashes before them; all if they do not close.
fn within_quotes(rest: &str, escapes: usize) -> &str {
    let opening = &rest[..=escapes];
    let inside = &rest[escapes + 1..];
    let mut from = 0;
    while let Some(found) = inside[from..].find(opening).map(|at| from + at) {
        let is_escaped = inside[..found].ends_with('\\');
        if !is_escaped {
            return &inside[..found];
        }
        from = found + 1;
    }
    inside
}

/// How much of a header's value is the name of a scheme and the blanks after it.
fn scheme_bytes(value: &str) -> usize {
    let Some((word, rest)) = value.split_once(' ') else { return 0 };
    let is_scheme = SCHEMES.iter().any(|scheme| word.eq_ignore_ascii_case(scheme));
    if is_scheme { value.len() - rest.trim_start().len() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_headers_and_members_lose_their_values() {
        for (text, expected) in [
            ("password=hunter2", "password=[secret]"),
            ("https://x.org/?access_token=abc&b=1", "https://x.org/?access_token=[secret]&b=1"),
            ("AWS_SECRET_ACCESS_KEY='a b' x", "AWS_SECRET_ACCESS_KEY='[secret]' x"),
            (r#"{"password": "a \"b\" c", "x": 1}"#, r#"{"password": "[secret]", "x": 1}"#),
            (r#"{\"api_key\":\"abc\",\"x\":1}"#, r#"{\"api_key\":\"[secret]\",\"x\":1}"#),
            (r#"{"token":12345}"#, r#"{"token":[secret]}"#),
            (r#"{"token":"abc"#, r#"{"token":"[secret]"#),
            ("Authorization: Basic dTpw\nX: 1", "Authorization: Basic [secret]\nX: 1"),
            ("authorization: abc def", "authorization: [secret]"),
            ("curl -H 'PRIVATE-TOKEN: abc' x", "curl -H 'PRIVATE-TOKEN: [secret]' x"),
            ("Cookie: a=1; b=2\nX: 1", "Cookie: [secret]\nX: 1"),
            ("X-Api-Key: abc", "X-Api-Key: [secret]"),
        ] {
            assert_eq!(without_named(text), expected, "{text}");
            assert_eq!(without_named(expected), expected);
        }
    }

    #[test]
    fn prose_code_and_what_says_nothing_stay() {
        for text in [
            "the token: it is refused",
            "refactor(token): rename",
            "if token == other",
            "password=",
            r#"{"token":null,"secret":{"a":1},"x":"y"}"#,
            "x=1: y",
            "token",
        ] {
            assert_eq!(without_named(text), text);
        }
    }

    #[test]
    fn private_keys_are_taken_out_whole_and_public_ones_stay() {
        for label in ["PRIVATE KEY", "RSA PRIVATE KEY", "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK"] {
            let text = format!("a -----BEGIN {label}-----\nMIIEabc\n-----END {label}----- b");
            assert_eq!(without_private_keys(&text), "a [secret] b");
            assert_eq!(without_private_keys(&text[..text.len() - 10]), "a [secret]");
        }
        let public = "-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----";
        assert_eq!(without_private_keys(public), public);
    }
}
