//! Texts on their way into a column: one line where one line is meant, bounded, harmless on a terminal.

use super::scrub::{LONGEST_SECRET, scrub, scrub_start};

/// How much of a rejected input is kept, in bytes.
pub const MAX_PAYLOAD_BYTES: usize = 64 * 1024;

const ELLIPSIS: &str = "…";

/// `text` as one line of at most `limit` bytes, trimmed.
///
/// Control characters (line ends, NUL, escape sequences) become spaces; what is cut off is marked by `…`.
#[must_use]
pub fn line(text: &str, limit: usize) -> String {
    if text.len() <= limit && !has_control(text) {
        return text.trim().to_owned();
    }
    // Look no further into a huge text than what can still be kept.
    let near = &text[..boundary(text, limit.saturating_mul(4).saturating_add(4))];
    let clean: String = near.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let trimmed = clean.trim();
    if near.len() == text.len() { cut(trimmed, limit) } else { cut(&format!("{trimmed}{ELLIPSIS}"), limit) }
}

/// `text` with its lines kept, other control characters replaced, cut to `limit` bytes. Says whether it was cut.
pub(super) fn block(text: &str, limit: usize) -> (String, bool) {
    if text.len() <= limit && !has_control(text) {
        return (text.to_owned(), false);
    }
    let kept = &text[..boundary(text, limit)];
    let clean: String = kept
        .chars()
        .map(|c| if c.is_control() && c != '\n' && c != '\t' { char::REPLACEMENT_CHARACTER } else { c })
        .collect();
    // A replacement character has three bytes, so the text may have grown past the limit again.
    let was_cut = kept.len() < text.len() || clean.len() > limit;
    (if was_cut { cut(&format!("{clean}{ELLIPSIS}"), limit) } else { clean }, was_cut)
}

/// Whether `text` may have control characters; false is certain.
fn has_control(text: &str) -> bool {
    // 0xc2 begins those that are not ASCII. To the end, since several bytes at once are faster than the first one alone.
    text.bytes().fold(false, |found, byte| found | (byte < b' ') | (byte == 0x7f) | (byte == 0xc2))
}

/// A rejected input as text.
pub(super) fn payload(raw: &[u8]) -> String {
    let near = &raw[..raw.len().min(MAX_PAYLOAD_BYTES + LONGEST_SECRET)];
    // In JSON that could not be read, an escape may stand for the sign by which an address is known.
    let text = String::from_utf8_lossy(near).replace("\\u0040", "@");
    let text = if near.len() < raw.len() {
        format!("{}{ELLIPSIS}", scrub_start(&text))
    } else {
        scrub(&text).into_owned()
    };
    cut(&text, MAX_PAYLOAD_BYTES)
}

/// [`scrub`], then [`line()`]: in that order, so that the cut cannot split a secret and hide its half.
#[must_use]
pub fn clean_line(text: &str, limit: usize) -> String {
    line(&scrub(text), limit)
}

/// The first `limit` bytes of `text`; if that is not all, the last of them are `…`.
fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let kept = text[..boundary(text, limit.saturating_sub(ELLIPSIS.len()))].trim_end_matches('…');
    format!("{kept}{ELLIPSIS}")
}

/// The largest character boundary of `text` that is at most `limit`.
fn boundary(text: &str, limit: usize) -> usize {
    text.floor_char_boundary(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_become_spaces_and_a_long_line_is_marked() {
        assert_eq!(line("  a\r\nb\0c\u{1b}[31m ", 64), "a  b c [31m");
        assert_eq!(line("abcdefgh", 6), "abc…");
        assert_eq!(line("éééé", 7), "éé…");
        assert_eq!(line("", 8), "");
    }

    #[test]
    fn a_line_of_a_megabyte_is_cut_to_its_limit() {
        let cut = line(&"x".repeat(1 << 20), 512);
        assert_eq!((cut.len(), cut.ends_with("x…")), (512, true));
        let spaces = line(&format!("a{}", " ".repeat(1 << 20)), 512);
        assert_eq!(spaces, "a…");
    }

    #[test]
    fn a_block_keeps_its_lines_and_says_when_it_was_cut() {
        assert_eq!(block("a\n\tb\0", 64), ("a\n\tb\u{fffd}".to_owned(), false));
        assert_eq!(block("abcdef", 5), ("ab…".to_owned(), true));
        let (grown, was_cut) = block("\0\0\0", 5);
        assert!(was_cut && grown.len() <= 5, "{grown:?}");
    }

    #[test]
    fn a_secret_that_the_cut_would_split_is_taken_out_whole() {
        let token = format!("ghp_{}", "A1b2C3d4E5f6G7h8I9j0");
        for rest in [0, 1 << 20] {
            for before in MAX_PAYLOAD_BYTES - 30..MAX_PAYLOAD_BYTES {
                let raw = format!("{} {token} {}", "x".repeat(before), "y".repeat(rest));
                let kept = payload(raw.as_bytes());
                assert!(!kept.contains("gh") && kept.len() <= MAX_PAYLOAD_BYTES, "{before} {rest}");
            }
        }
        // What is taken out makes the text shorter, so that the end of what was looked at moves forward.
        let addresses = format!("{} ", "jane".repeat(10) + "@example.org").repeat(10_000);
        assert!(!payload(addresses.as_bytes()).contains("jane"));
        assert_eq!(clean_line(&format!("a {token}"), 8), "a [se…");
    }

    #[test]
    fn a_rejected_input_is_bounded_and_readable() {
        assert_eq!(payload(b"a\xffb"), "a\u{fffd}b");
        let kept = payload(&vec![b'x'; MAX_PAYLOAD_BYTES + 1]);
        assert_eq!((kept.len(), kept.ends_with("x…")), (MAX_PAYLOAD_BYTES, true));
        assert!(payload(&vec![0xff; MAX_PAYLOAD_BYTES]).len() <= MAX_PAYLOAD_BYTES);
    }
}
