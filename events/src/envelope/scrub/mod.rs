//! Scrubbing: addresses and secrets are taken out of texts before anything is written.
//!
//! The rules, in the order in which they apply:
//!
//! 1. a private key, from `-----BEGIN … PRIVATE KEY` to its end, becomes `[secret]`;
//! 2. the value of what is called a secret becomes `[secret]`: `name=value`, `"name": "value"` and `Some-Header: value`
//!    where the name contains `token`, `secret`, `password`, `passwd`, `api_key`, `access_key`, `private_key`,
//!    `credential` or `authorization`; of `Authorization` and `Cookie` the whole line, but for the name of a scheme;
//!
//! then, of each run of characters without white space or quotes:
//!
//! 3. credentials in a URL (`scheme://user:password@host`) become `scheme://[secret]@host`, in each URL of the run;
//! 4. the address of a machine, IPv4 or IPv6, becomes `[ip]`; not in a package URL, whose version may look like one;
//! 5. a token with a provider's prefix and at least 16 more characters (`ghp_…`, `github_pat_…`, `glpat-…`,
//!    `xoxb-…`, `AKIA…`, `npm_…`, `sk-…`, …), and a JSON Web Token, becomes `[secret]`;
//! 6. the word after `Bearer` or `Basic` becomes `[secret]` if it has at least 16 characters;
//! 7. an address (`local@domain.tld`) becomes `[email]`.
//!
//! They take out what is obvious and do not guess: a password in prose stays. Whoever sends prose with
//! passwords in it must not send it here.

mod address;
mod harmless;
mod named;

use std::borrow::Cow;

pub(super) use named::is_secret_name;

/// Beginnings of tokens that their providers document.
const TOKEN_PREFIXES: [&str; 33] = [
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "gldt-",
    "glrt-",
    "glptt-",
    "glcbt-",
    "gloas-",
    "ATBB",
    "ATCTT3",
    "ATATT3",
    "xapp-",
    "xoxa-",
    "xoxb-",
    "xoxp-",
    "xoxr-",
    "xoxs-",
    "AKIA",
    "ASIA",
    "AIza",
    "npm_",
    "pypi-",
    "cio",
    "rubygems_",
    "dckr_pat_",
    "hf_",
    "sk_live_",
    "sk-",
    "waka_",
];

/// How many characters must follow a prefix (or `Bearer`) for it to be a token and not a word.
const MIN_TOKEN: usize = 16;

/// How many bytes of the end of a cut text may be the beginning of a secret that cannot be told yet.
pub(super) const LONGEST_SECRET: usize = 8 * 1024;

const SECRET: &str = "[secret]";

/// How often a text is looked through again at the most; more than twice takes a text that was made for it.
const MAX_PASSES: usize = 8;

/// `text` without obvious addresses and secrets; the module says by which rules.
#[must_use]
pub fn scrub(text: &str) -> Cow<'_, str> {
    // Most texts are short words or links, and most of the time goes into them.
    if harmless::is_harmless(text) { Cow::Borrowed(text) } else { Cow::Owned(scrub_thoroughly(text)) }
}

/// What one rule takes out may leave what another finds: by the end nothing is left that any of them does.
fn scrub_thoroughly(text: &str) -> String {
    let mut clean = Cow::Borrowed(text);
    for _ in 0..=MAX_PASSES {
        let again = scrub_once(&clean);
        if again == clean {
            break;
        }
        clean = Cow::Owned(again);
    }
    clean.into_owned()
}

fn scrub_once(text: &str) -> String {
    let text = named::without_private_keys(text);
    scrub_words(&named::without_named(&text))
}

fn scrub_words(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut follows_bearer = false;
    let mut rest = text;
    while !rest.is_empty() {
        let word_len = rest.find(is_break).unwrap_or(rest.len());
        let (word, tail) = rest.split_at(word_len);
        if !word.is_empty() {
            if follows_bearer && word.len() >= MIN_TOKEN {
                out.push_str(SECRET);
            } else {
                scrub_word(word, &mut out);
            }
            follows_bearer = word.eq_ignore_ascii_case("bearer") || word.eq_ignore_ascii_case("basic");
        }
        let break_len = tail.find(|c| !is_break(c)).unwrap_or(tail.len());
        out.push_str(&tail[..break_len]);
        rest = &tail[break_len..];
    }
    out
}

/// The beginning of a longer text, scrubbed, without its last [`LONGEST_SECRET`] bytes: where it ends, half of a
/// secret may stand, which is not to be recognised.
pub(super) fn scrub_start(start: &str) -> String {
    let mut clean = scrub(start).into_owned();
    clean.truncate(clean.floor_char_boundary(clean.len().saturating_sub(LONGEST_SECRET)));
    clean
}

fn is_break(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>' | '(' | ')' | '{' | '}' | '|' | '\\')
}

fn scrub_word(word: &str, out: &mut String) {
    let word = without_credentials(word);
    let mut without_mail = String::with_capacity(word.len());
    let mut rest = word.as_str();
    while !rest.is_empty() {
        // Pieces between separators, so that `token=ghp_…` and `a@b.org,c@d.org` are seen through.
        let len = rest.find(is_separator).unwrap_or(rest.len());
        let (piece, tail) = rest.split_at(len);
        scrub_piece(piece, &mut without_mail);
        let skip = tail.chars().next().map_or(0, char::len_utf8);
        without_mail.push_str(&tail[..skip]);
        rest = &tail[skip..];
    }
    // Afterwards, since what is left before an address of e-mail may be one of a machine.
    out.push_str(&address::without_ips(&without_mail));
}

fn is_separator(c: char) -> bool {
    matches!(c, ',' | ';' | '=' | ':' | '/' | '[' | ']' | '?' | '&' | '#' | '!')
}

fn scrub_piece(piece: &str, out: &mut String) {
    match token_start(piece) {
        Some(at) => {
            address::without_emails(&piece[..at], out);
            out.push_str(SECRET);
        }
        None => address::without_emails(piece, out),
    }
}

/// Every `scheme://user:password@host/…` without what stands before the `@` of its authority.
fn without_credentials(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    let mut rest = word;
    while let Some(found) = rest.find("://") {
        let (scheme, after) = rest.split_at(found + 3);
        out.push_str(scheme);
        let authority = &after[..after.find(['/', '?', '#']).unwrap_or(after.len())];
        rest = after;
        if let Some(at) = authority.rfind('@') {
            out.push_str(SECRET);
            rest = &after[at..];
        }
    }
    out + rest
}

/// Where a token begins in `piece`: at a known prefix that no letter or digit precedes.
fn token_start(piece: &str) -> Option<usize> {
    let is_token_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let enough = |rest: &str| rest.chars().take_while(|c| is_token_char(*c)).count() >= MIN_TOKEN;
    let begins_word = |at: usize| !piece[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
    let prefixed = TOKEN_PREFIXES
        .iter()
        .flat_map(|prefix| piece.match_indices(prefix).map(|(at, found)| (at, &piece[at + found.len()..])));
    let tokens = prefixed.filter(|(at, rest)| begins_word(*at) && enough(rest)).map(|(at, _)| at);
    tokens.chain(web_token_start(piece)).min()
}

/// Where a JSON Web Token begins: at least two dots, and a first part that encodes `{"…`.
fn web_token_start(piece: &str) -> Option<usize> {
    let is_token_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let is_token = |at: &usize| {
        let rest = &piece[*at..];
        let token = &rest[..rest.find(|c| !is_token_char(c)).unwrap_or(rest.len())];
        token.len() >= MIN_TOKEN && token.trim_end_matches('.').matches('.').count() >= 2
    };
    piece.find("eyJ").filter(is_token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_out_wherever_they_stand() {
        for (text, expected) in [
            ("jane.doe+x@example.org", "[email]"),
            ("Jane <jane@example.org>", "Jane <[email]>"),
            ("mail jane@example.org, then joe@example.co.uk.", "mail [email], then [email]."),
            ("mailto:jane@example.org?subject=x", "mailto:[email]?subject=x"),
            ("1+jane@users.noreply.example.org", "[email]"),
            ("jörg@example.org", "[email]"),
            ("a=jane@example.org;b=joe@example.org", "a=[email];b=[email]"),
        ] {
            assert_eq!(scrub(text), expected, "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_an_address_stays() {
        for text in
            ["@jane", "crate@1.2.3", "actions/checkout@v4", "a @ b.org", "x@y", "@scope/name@1.0.0", ""]
        {
            assert_eq!(scrub(text), text);
        }
    }

    #[test]
    fn tokens_and_credentials_are_taken_out() {
        let body = "A1b2C3d4E5f6G7h8I9j0";
        for (text, expected) in [
            (format!("use ghp_{body}!"), "use [secret]!".to_owned()),
            (format!("token=github_pat_{body}"), "token=[secret]".to_owned()),
            (format!("Authorization: Bearer {body}"), "Authorization: Bearer [secret]".to_owned()),
            (format!("{{\"t\":\"glpat-{body}\"}}"), "{\"t\":\"[secret]\"}".to_owned()),
            (format!("eyJhbGciOi.{body}.{body}"), "[secret]".to_owned()),
            ("https://jane:pw@example.org/x".to_owned(), "https://[secret]@example.org/x".to_owned()),
            ("https://jane@example.org/x".to_owned(), "https://[secret]@example.org/x".to_owned()),
        ] {
            assert_eq!(scrub(&text), expected, "{text}");
        }
    }

    #[test]
    fn the_credentials_of_every_url_of_a_word_are_taken_out() {
        for (text, expected) in [
            ("a=https://x/y,https://u:p@host", "a=https://x/y,https://[secret]@host"),
            ("https://x,https://u:p@host", "https://x,https://[secret]@host"),
            ("https://u:p@h,ssh://v:q@k/z", "https://[secret]@h,ssh://[secret]@k/z"),
            ("https://u:p@w@h:1/://", "https://[secret]@h:1/://"),
            ("https://x/y@v1", "https://x/y@v1"),
        ] {
            assert_eq!(scrub(text), expected, "{text}");
        }
    }

    #[test]
    fn words_that_begin_like_a_token_stay() {
        for text in
            ["sk-learn", "AKIA", "task-force-of-the-year-2024", "npm_config", "the bearer of news", "ghp_x"]
        {
            assert_eq!(scrub(text), text);
        }
    }

    #[test]
    fn scrubbing_twice_changes_nothing_more() {
        for text in [
            "https://u:p@h.org/ jane@example.org Bearer abcdefghijklmnopqrst",
            "[email] [secret]",
            "fe76::1a@example.org",
            "Basic xtps://u:p@h/ c",
            r#"-----BEGIN RSA P.token":-----END RSA PRIVATE KEY-----4E5f6 -----BEGIN RSA PRIVATE CEY-----"#,
        ] {
            let once = scrub(text);
            assert_eq!(scrub(&once), once);
        }
    }
}
