//! An index file in its two forms, as lines with their numbers.
//!
//! The form of a sparse index is a line of JSON per version. The form of cargo's cache (cargo's source,
//! `sources/registry/index/cache.rs`) is
//!
//! | bytes | meaning |
//! |---|---|
//! | 1 | version of the cache's format: 3 |
//! | 4 | version of the index's format, little-endian: 1 or 2 |
//! | to a NUL | revision of the index, an ETag |
//! | to a NUL, to a NUL, … | a version's number, then its line |

use std::io::BufRead;

use sha2::{Digest as _, Sha256};

use super::{
    super::source::{Piece, read_piece},
    MAX_DOCUMENT_BYTES, MAX_LINE_BYTES, MAX_LINES, REVISION,
};

const CACHE_VERSION: u8 = 3;

/// A line, or the reason why there is none.
pub(super) struct Record {
    /// Counted from 1; in a cache file, of versions.
    pub(super) number: u64,
    pub(super) text: Result<Vec<u8>, String>,
}

/// A file that was read, not parsed.
pub(super) struct Content {
    pub(super) normalized_name: String,
    pub(super) records: Vec<Record>,
}

/// What [`read`] found.
pub(super) struct Read {
    pub(super) records: Vec<Record>,
    /// Of [`REVISION`] and the lines, each ended by one line feed; so the same in both forms.
    pub(super) sha256: [u8; 32],
    pub(super) size_bytes: u64,
}

/// The crate that `path` is the file of; `None` for what lies beside the crates: `config.json` and hidden files.
pub(super) fn crate_name(path: &str) -> Option<&str> {
    let name = path.rsplit('/').next().unwrap_or(path);
    (!name.is_empty() && name != "config.json" && !name.starts_with('.')).then_some(name)
}

/// Whether `path` ends as the index lays out a crate of that name.
pub(super) fn is_in_layout(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let name = parts.next().unwrap_or_default();
    if !name.is_ascii() {
        return false;
    }
    let (first, second) = (parts.next(), parts.next());
    match name.len() {
        0 => false,
        1 => first == Some("1"),
        2 => first == Some("2"),
        3 => first == Some(&name[..1]) && second == Some("3"),
        _ => first == Some(&name[2..4]) && second == Some(&name[..2]),
    }
}

/// A document's hash, to which lines are added.
pub(super) fn hash() -> Sha256 {
    Sha256::new_with_prefix(REVISION.to_le_bytes())
}

/// Adds a line to a document's hash.
pub(super) fn hash_line(hash: &mut Sha256, line: &[u8]) {
    hash.update(line);
    hash.update(b"\n");
}

/// Reads a file of either form. `Err`: neither form, too large, or it broke off.
pub(super) fn read(content: &mut dyn BufRead) -> Result<Read, String> {
    let first = content.fill_buf().map_err(|error| broken(&error))?.first().copied();
    // Text begins with a brace or blank space; a number below those is a cache of some format.
    let is_cache = first.is_some_and(|byte| byte < b'\t');
    if is_cache {
        let mut header = [0; 5];
        content.read_exact(&mut header).map_err(|error| broken(&error))?;
        if header[0] != CACHE_VERSION || !matches!(header[1..], [1 | 2, 0, 0, 0]) {
            let expected =
                format!("expected version {CACHE_VERSION} of cargo's cache format, index format 1 or 2");
            return Err(format!("begins with {header:?}; {expected}"));
        }
        read_piece(content, 0, MAX_LINE_BYTES).map_err(|error| broken(&error))?;
    }

    let mut read = Read { records: Vec::new(), sha256: [0; 32], size_bytes: 0 };
    let mut hash = hash();
    let mut number = 0;
    while let Some(piece) = next_line(content, is_cache).map_err(|error| broken(&error))? {
        number += 1;
        let text = match piece {
            Piece::Whole(line) => {
                let line = line.trim_ascii();
                if line.is_empty() {
                    continue;
                }
                hash_line(&mut hash, line);
                read.size_bytes += line.len() as u64 + 1;
                Ok(line.to_vec())
            }
            Piece::TooLong(bytes) => {
                hash_line(&mut hash, format!("{bytes} bytes").as_bytes());
                Err(format!("is {bytes} bytes long, at most {MAX_LINE_BYTES} are read"))
            }
        };
        if read.size_bytes > MAX_DOCUMENT_BYTES {
            return Err(format!("is longer than {MAX_DOCUMENT_BYTES} bytes"));
        }
        if read.records.len() == MAX_LINES {
            return Err(format!("has more than {MAX_LINES} lines"));
        }
        read.records.push(Record { number, text });
    }
    read.sha256 = hash.finalize().into();
    Ok(read)
}

fn next_line(content: &mut dyn BufRead, is_cache: bool) -> std::io::Result<Option<Piece>> {
    if !is_cache {
        return read_piece(content, b'\n', MAX_LINE_BYTES);
    }
    // The number before the line is in the line, too.
    if read_piece(content, 0, MAX_LINE_BYTES)?.is_none() {
        return Ok(None);
    }
    let line = read_piece(content, 0, MAX_LINE_BYTES)?;
    Ok(Some(line.unwrap_or_else(|| Piece::Whole(b"(the file ends here)".to_vec()))))
}

fn broken(error: &std::io::Error) -> String {
    format!("can't be read: {error}")
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn cache(lines: &[&str]) -> Vec<u8> {
        let mut bytes = vec![CACHE_VERSION, 2, 0, 0, 0];
        bytes.extend_from_slice(b"etag: \"x\"\0");
        for line in lines {
            bytes.extend_from_slice(b"1.0.0\0");
            bytes.extend_from_slice(line.as_bytes());
            bytes.push(0);
        }
        bytes
    }

    fn lines(read: &Read) -> Vec<(u64, &[u8])> {
        read.records.iter().map(|record| (record.number, record.text.as_deref().unwrap())).collect()
    }

    #[test]
    fn both_forms_of_a_crate_have_the_same_lines_and_hash() {
        let cached = read(&mut Cursor::new(cache(&["{\"a\":1}", "{\"b\":2}"]))).unwrap();
        let plain = read(&mut Cursor::new("{\"a\":1}\r\n{\"b\":2}")).unwrap();
        assert_eq!(lines(&cached), [(1, b"{\"a\":1}".as_slice()), (2, b"{\"b\":2}")]);
        assert_eq!(lines(&cached), lines(&plain));
        assert_eq!(cached.sha256, plain.sha256);
    }

    #[test]
    fn a_file_of_too_many_lines_is_refused_before_they_fill_the_memory() {
        let reason = read(&mut Cursor::new("1\n".repeat(MAX_LINES + 1))).err();
        assert_eq!(reason.as_deref(), Some("has more than 100000 lines"));
        assert_eq!(read(&mut Cursor::new("1\n".repeat(MAX_LINES))).unwrap().records.len(), MAX_LINES);
    }

    #[test]
    fn a_cache_of_another_format_is_refused() {
        for header in [[4, 2, 0, 0, 0], [3, 3, 0, 0, 0], [3, 2, 1, 0, 0]] {
            assert!(read(&mut Cursor::new(header)).is_err(), "{header:?}");
        }
    }

    #[test]
    fn a_cache_that_breaks_off_loses_only_what_is_missing() {
        let mut bytes = cache(&["{}", "{}"]);
        bytes.truncate(bytes.len() - 3);
        let read = read(&mut Cursor::new(bytes)).unwrap();
        assert_eq!(lines(&read), [(1, b"{}".as_slice()), (2, b"(the file ends here)")]);
    }

    #[test]
    fn only_paths_of_the_layout_are_crates() {
        for path in ["1/a", "2/ab", "3/a/abc", "ab/cd/abcd", "./index/se/rd/serde"] {
            assert!(is_in_layout(path), "{path}");
        }
        for path in ["a", "abcd", "3/b/abc", "ab/cd/dcba", "cd/abcd", "ré/su/résumé", ""] {
            assert!(!is_in_layout(path), "{path}");
        }
        assert_eq!(crate_name("x/config.json"), None);
        assert_eq!(crate_name(".last-updated"), None);
        assert_eq!(crate_name("se/rd/serde"), Some("serde"));
    }
}
