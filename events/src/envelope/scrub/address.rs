//! Addresses: of e-mail, and of machines.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

const EMAIL: &str = "[email]";
const IP: &str = "[ip]";

/// How far around an `@` an address reaches at most, in characters: what RFC 5321 allows, rounded up.
const LONGEST: usize = 320;

/// Appends `piece` without e-mail addresses. An `@` that is percent-encoded counts as one.
pub(super) fn without_emails(piece: &str, out: &mut String) {
    let mut done = 0;
    let mut from = 0;
    while let Some((at, sign)) = next_sign(piece, from) {
        from = at + sign;
        let rest = &piece[done..];
        if let Some(found) = email_around(rest, at - done, sign) {
            out.push_str(&rest[..found.start]);
            out.push_str(EMAIL);
            done += found.end;
            from = done;
        }
    }
    out.push_str(&piece[done..]);
}

/// Where the next `@` is, and how long.
fn next_sign(piece: &str, from: usize) -> Option<(usize, usize)> {
    let plain = piece[from..].find('@').map(|at| (from + at, 1));
    let encoded = piece[from..].find("%40").map(|at| (from + at, 3));
    [plain, encoded].into_iter().flatten().min()
}

fn email_around(piece: &str, at: usize, sign: usize) -> Option<Range<usize>> {
    let is_local = |c: char| c.is_alphanumeric() || ".!#$%&*+/=?^_{}~-".contains(c);
    let local = piece[..at].chars().rev().take(LONGEST).take_while(|c| is_local(*c));
    let local_bytes: usize = local.map(char::len_utf8).sum();
    let is_domain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '@');
    let after = &piece[at + sign..];
    let domain_bytes: usize =
        after.chars().take(LONGEST).take_while(|c| is_domain(*c)).map(char::len_utf8).sum();
    let domain = after[..domain_bytes].trim_end_matches(['.', '-', '@']);
    let (_, top) = domain.rsplit_once('.')?;
    // `crate@1.2.33` has a version behind the sign.
    let is_top = top.starts_with("xn--") || !top.chars().any(|c| c.is_ascii_digit());
    let is_address = local_bytes > 0 && top.chars().count() >= 2 && is_top;
    is_address.then(|| at - local_bytes..at + sign + domain.len())
}

/// `word` without addresses of machines.
///
/// Four numbers with dots that no letter precedes, and what the standard library reads as IPv6 if it has a decimal
/// digit. A package URL keeps its version, which may look like one.
pub(super) fn without_ips(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    if word.starts_with("pkg:") {
        out.push_str(word);
        return out;
    }
    let is_part = |c: char| c.is_ascii_hexdigit() || matches!(c, ':' | '.');
    let mut rest = word;
    let mut before = None;
    while let Some(start) = rest.find(is_part) {
        let (between, tail) = rest.split_at(start);
        out.push_str(between);
        before = between.chars().next_back().or(before);
        let (run, tail) = tail.split_at(tail.find(|c| !is_part(c)).unwrap_or(tail.len()));
        let ends = !tail.starts_with(char::is_alphanumeric);
        scrub_run(run, before, ends, &mut out);
        before = run.chars().next_back();
        rest = tail;
    }
    out + rest
}

/// Appends a run of hexadecimal digits, colons and dots without the addresses in it. `before` is the character
/// before it; `ends` says that no letter follows.
fn scrub_run(run: &str, before: Option<char>, ends: bool, out: &mut String) {
    if !run.contains(['.', ':']) || !run.bytes().any(|byte| byte.is_ascii_digit()) {
        return out.push_str(run);
    }
    let core = run.trim_end_matches('.');
    let is_cut = core.len() < run.len();
    let begins = |at: usize| match run[..at].chars().next_back().or(before) {
        Some(c) => !c.is_alphanumeric() && c != '_',
        None => true,
    };
    // An address begins where the run does, or after a colon.
    let starts = || std::iter::once(0).chain(core.match_indices(':').map(|(at, _)| at + 1));
    if ends || is_cut {
        let is_v6 = |text: &str| text.len() <= 45 && text.parse::<Ipv6Addr>().is_ok();
        if let Some(start) = starts().find(|at| begins(*at) && is_v6(&core[*at..])) {
            // What is before it may be one, too, now that it ends there.
            scrub_run(&run[..start], before, true, out);
            out.push_str(IP);
            return out.push_str(&run[core.len()..]);
        }
    }
    let parts = run.split_inclusive(':');
    let mut at = 0;
    for part in parts {
        let text = part.trim_end_matches([':', '.']);
        let is_whole = part.len() > text.len() || ends;
        if is_whole && begins(at) && text.parse::<Ipv4Addr>().is_ok() {
            out.push_str(IP);
            out.push_str(&part[text.len()..]);
        } else {
            out.push_str(part);
        }
        at += part.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn emails(text: &str) -> String {
        let mut out = String::new();
        without_emails(text, &mut out);
        out
    }

    #[test]
    fn every_address_of_a_piece_is_taken_out() {
        for (text, expected) in [
            ("jane@example.org+joe@example.org", "[email][email]"),
            ("jane@example.org)joe@example.org", "[email])[email]"),
            ("@jane@example.org", "@[email]"),
            ("x@@jane@example.org", "[email]"),
            ("jane%40example.org", "[email]"),
            ("jane@example.xn--p1ai", "[email]"),
            ("@jane@", "@jane@"),
        ] {
            assert_eq!(emails(text), expected, "{text}");
        }
        // Linear, however often a sign comes.
        assert_eq!(emails(&"a@".repeat(100_000)).len(), 200_000);
    }

    #[test]
    fn addresses_of_machines_are_taken_out_with_and_without_ports() {
        for (text, expected) in [
            ("10.0.0.1", "[ip]"),
            ("10.0.0.1:8080", "[ip]:8080"),
            ("http://192.168.64.1:3005/x", "http://[ip]:3005/x"),
            ("git@192.168.64.1:acme/rocket", "git@[ip]:acme/rocket"),
            ("10.0.0.1-10.0.0.9", "[ip]-[ip]"),
            ("10.0.0.1,10.0.0.2.", "[ip],[ip]."),
            ("ip=10.0.0.1", "ip=[ip]"),
            ("fe80::1", "[ip]"),
            ("addr:fe80::1", "addr:[ip]"),
            ("f80::e80::1", "[ip][ip]"),
            ("http://[2001:db8::1]:80/", "http://[[ip]]:80/"),
            ("::ffff:10.0.0.1", "[ip]"),
            ("2001:db8:0:0:0:0:0:1", "[ip]"),
            ("fe80::1%eth0", "[ip]%eth0"),
        ] {
            assert_eq!(without_ips(text), expected, "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_the_address_of_a_machine_stays() {
        for text in [
            "1.2.3",
            "1.2.3.4.5",
            "v1.2.3.4",
            "300.1.1.1",
            "10:00:00",
            "2024-05-01T10:00:00.123Z",
            "pkg:nuget/Acme.Rocket@1.2.3.4",
            "std::net",
            "core::f64",
            "u8::MAX",
            "::",
            "ab:cd:ef:01:23:45",
            "deadbeef",
            "1.2.3.4b",
        ] {
            assert_eq!(without_ips(text), text);
        }
    }
}
