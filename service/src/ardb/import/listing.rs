//! Files of JSON documents: one, or one per line, or a listing of CouchDB's (`_all_docs` and `_changes` with
//! `include_docs=true`), which is one per line between a first and a last line.
//!
//! Only the document at hand is in memory.

use std::{
    io::{self, Read as _},
    ops::ControlFlow,
};

use serde::de::IgnoredAny;

use super::{
    Rejection,
    source::{Entry, Piece, read_piece},
};

/// A document's text and where it begins.
pub(super) struct Text {
    pub(super) text: Vec<u8>,
    /// Counted from 1.
    pub(super) line: usize,
}

/// Whether a file's name says that it holds JSON.
pub(super) fn is_json(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    !name.starts_with('.') && [".json", ".jsonl", ".ndjson"].iter().any(|end| name.ends_with(end))
}

/// Shows each document of a file to `found`, in their order; none that is longer than `max` bytes is read.
pub(super) fn read(
    entry: Entry<'_>,
    max: usize,
    found: &mut dyn FnMut(Result<Text, Rejection>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let Entry { place, content, .. } = entry;
    let mut form = None;
    let mut line = 0;
    loop {
        line += 1;
        let piece = match read_piece(content, b'\n', max) {
            Ok(Some(Piece::Whole(piece))) => piece,
            Ok(Some(Piece::TooLong(bytes))) => {
                let reason = format!("is {bytes} bytes long, at most {max} are read");
                found(Err(Rejection::new(format!("{place}:{line}"), reason)))?;
                form = form.or(Some(Form::Lines));
                continue;
            }
            Ok(None) => return ControlFlow::Continue(()),
            Err(error) => return found(Err(unreadable(place, line, &error))),
        };
        let trimmed = piece.trim_ascii();
        if trimmed.is_empty() {
            continue;
        }
        if form.is_none() {
            form = Some(Form::of(trimmed));
            if form == Some(Form::Rows) {
                continue;
            }
        }
        let document = match form.unwrap_or(Form::Lines) {
            Form::Whole => {
                let mut text = piece;
                text.push(b'\n');
                let left = (max - (text.len() - 1)) as u64;
                let read = content.take(left + 1).read_to_end(&mut text);
                return found(match read {
                    Err(error) => Err(unreadable(place, line, &error)),
                    Ok(_) if text.len() > max + 1 => {
                        Err(Rejection::new(place, format!("is longer than {max} bytes")))
                    }
                    Ok(_) => Ok(Text { text, line }),
                });
            }
            Form::Rows if is_frame(trimmed) => continue,
            Form::Rows => trimmed.strip_suffix(b",").unwrap_or(trimmed),
            Form::Lines => trimmed,
        };
        let text = if document.len() == piece.len() { piece } else { document.to_vec() };
        found(Ok(Text { text, line }))?;
    }
}

fn unreadable(place: &str, line: usize, error: &io::Error) -> Rejection {
    Rejection::new(format!("{place}:{line}"), format!("can't be read: {error}"))
}

/// How a file holds its documents, which its first line tells.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// It is one.
    Whole,
    /// A document per line.
    Lines,
    /// As CouchDB lists them.
    Rows,
}

impl Form {
    fn of(first: &[u8]) -> Self {
        let begins_rows = |name: &[u8]| {
            first.starts_with(b"{")
                && first.strip_suffix(b"[").is_some_and(|head| {
                    head.trim_ascii_end()
                        .strip_suffix(b":")
                        .is_some_and(|head| head.trim_ascii_end().ends_with(name))
                })
        };
        if begins_rows(b"\"rows\"") || begins_rows(b"\"results\"") {
            Self::Rows
        } else if serde_json::from_slice::<IgnoredAny>(first).is_ok() {
            Self::Lines
        } else {
            Self::Whole
        }
    }
}

/// Whether a line of a listing is what stands around its rows.
fn is_frame(line: &[u8]) -> bool {
    line.starts_with(b"]")
        || line.starts_with(b"\"last_seq\"")
        || line.starts_with(b"\"pending\"")
        || line == b"}"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, max: usize) -> Vec<String> {
        let mut all = Vec::new();
        let entry = Entry { path: "a.json", place: "a.json", content: &mut text.as_bytes() };
        let _ = read(entry, max, &mut |document| {
            all.push(match document {
                Ok(Text { text, line }) => format!("{line} {}", String::from_utf8(text).unwrap()),
                Err(Rejection { place, reason }) => format!("{place} {reason}"),
            });
            ControlFlow::Continue(())
        });
        all
    }

    #[test]
    fn a_file_is_a_document_or_has_one_per_line() {
        assert_eq!(found("", 99), [""; 0]);
        assert_eq!(found("\n{\n \"a\": 1\n}\n", 99), ["2 {\n \"a\": 1\n}\n"]);
        assert_eq!(found("{\"a\": 1}\n\n{\"b\": 2}", 99), ["1 {\"a\": 1}", "3 {\"b\": 2}"]);
        assert_eq!(found("{\"a\": 1}\nno json", 99), ["1 {\"a\": 1}", "2 no json"]);
    }

    #[test]
    fn a_listing_of_couchdb_is_its_rows() {
        let all_docs = "{\"total_rows\":2,\"offset\":0,\"rows\":[\n{\"id\":\"a\"},\n{\"id\":\"b\"}\n]}\n";
        assert_eq!(found(all_docs, 99), ["2 {\"id\":\"a\"}", "3 {\"id\":\"b\"}"]);
        let changes = "{\"results\":[\n{\"seq\":1},\n{\"seq\":2}\n],\n\"last_seq\":2}\n";
        assert_eq!(found(changes, 99), ["2 {\"seq\":1}", "3 {\"seq\":2}"]);
        assert_eq!(found("{\"results\":[\n\n],\n\"last_seq\":0,\"pending\":0}\n", 99), [""; 0]);
    }

    #[test]
    fn what_is_too_long_is_rejected_and_what_follows_is_read() {
        assert_eq!(
            found("{}\n{\"a\": 12345}\n{}", 8),
            ["1 {}", "a.json:2 is 12 bytes long, at most 8 are read", "3 {}"]
        );
        assert_eq!(found("{\n\"a\": 12345\n}", 8), ["a.json is longer than 8 bytes"]);
    }
}
