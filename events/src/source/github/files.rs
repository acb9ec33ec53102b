//! Stored payloads: a folder or a zip in the layout `<event>/<action>.payload.json` or `<event>.payload.json`.
//!
//! Only the folder's name (or, at the top, the file's name up to its first dot) is used, as the event's name.
//! What follows in the name is a label; the action is in the payload. Files that do not end in `.json` and
//! hidden ones are no payloads and are left alone.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use super::{SOURCE, normalise};
use crate::envelope::{Intake, Normalised, Rejection};
use crate::error::{Error, Result};

/// The largest payload that is read, in bytes. GitHub itself sends at most 25 MB.
pub const MAX_ENTRY_BYTES: u64 = 32 * 1024 * 1024;

/// How much one zip may unpack to, in bytes. Entries of a crafted zip can share their compressed bytes, so
/// that no single one is large.
pub const MAX_TOTAL_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// Opens a folder or a zip of webhook payloads.
///
/// Yields, in the order of the names, one event or rejection per payload; a payload that cannot be read, is
/// too large or is no event is a rejection with its place, and the next one follows. One payload at a time is
/// in memory.
///
/// # Errors
///
/// [`Error::Input`] if `path` is neither a readable folder nor a zip.
pub fn read(intake: Intake, path: &Path) -> Result<Payloads> {
    let input_error = |reason: String| Error::Input { place: path.display().to_string(), reason };
    let unreadable = |error: io::Error| input_error(format!("cannot be read: {error}"));
    let metadata = fs::metadata(path).map_err(unreadable)?;
    let entries = if metadata.is_dir() {
        let mut files = Vec::new();
        collect(path, &mut files).map_err(unreadable)?;
        files.sort();
        Entries::Folder { root: path.to_owned(), files: files.into_iter() }
    } else {
        let reader = BufReader::new(File::open(path).map_err(unreadable)?);
        let archive = ZipArchive::new(reader).map_err(|error| {
            input_error(format!(
                "expected a folder or a zip of webhook payloads, but as a zip it cannot be read: {error}"
            ))
        })?;
        Entries::Zip { archive: Box::new(archive), next: 0, unpacked_bytes: 0 }
    };
    Ok(Payloads { intake, entries })
}

/// Every payload file under `folder`. Links to folders are not followed, so that no circle is walked.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            if !is_hidden(&entry.file_name().to_string_lossy()) {
                collect(&path, files)?;
            }
        } else if is_payload(&path.to_string_lossy()) && path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

/// The payloads of a folder or zip; see [`read`].
pub struct Payloads {
    intake: Intake,
    entries: Entries,
}

enum Entries {
    Folder { root: PathBuf, files: std::vec::IntoIter<PathBuf> },
    Zip { archive: Box<ZipArchive<BufReader<File>>>, next: usize, unpacked_bytes: u64 },
}

/// A payload's name and its bytes, or why there are none.
type Entry = (String, std::result::Result<Vec<u8>, String>);

impl Iterator for Payloads {
    type Item = Normalised;

    fn next(&mut self) -> Option<Normalised> {
        let (place, body) = match &mut self.entries {
            Entries::Folder { root, files } => next_file(root, files)?,
            Entries::Zip { archive, next, unpacked_bytes } => next_entry(archive, next, unpacked_bytes)?,
        };
        Some(match (event_name(&place), body) {
            (_, Err(reason)) => Err(Rejection::new(&self.intake, SOURCE, &place, &reason, b"")),
            (Some(event), Ok(body)) => normalise(&self.intake, &place, event, None, &body),
            (None, Ok(body)) => {
                let reason = "its name does not say which event it is: expected <event>/<action>.payload.json or <event>.payload.json";
                Err(Rejection::new(&self.intake, SOURCE, &place, reason, &body))
            }
        })
    }
}

fn next_file(root: &Path, files: &mut std::vec::IntoIter<PathBuf>) -> Option<Entry> {
    let path = files.next()?;
    let place = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
    let body = File::open(&path)
        .map_err(|error| format!("cannot be opened: {error}"))
        .and_then(|mut file| bounded(&mut file, MAX_ENTRY_BYTES));
    Some((place, body))
}

fn next_entry(
    archive: &mut ZipArchive<BufReader<File>>,
    next: &mut usize,
    unpacked: &mut u64,
) -> Option<Entry> {
    loop {
        if *next >= archive.len() {
            return None;
        }
        let index = *next;
        *next += 1;
        let mut entry = match archive.by_index(index) {
            Ok(entry) => entry,
            Err(error) => {
                return Some((format!("entry {index}"), Err(format!("cannot be unpacked: {error}"))));
            }
        };
        // Only a label: nothing is ever written under this name.
        let place = entry.name().map_or_else(|_| format!("entry {index}"), |name| name.replace('\\', "/"));
        if entry.is_dir() || !is_payload(&place) {
            continue;
        }
        let left = MAX_TOTAL_BYTES.saturating_sub(*unpacked);
        if left == 0 {
            *next = usize::MAX;
            let limit = MAX_TOTAL_BYTES >> 30;
            return Some((
                place,
                Err(format!("the zip unpacks to more than {limit} GiB; the rest of it is not read")),
            ));
        }
        let body = bounded(&mut entry, MAX_ENTRY_BYTES.min(left));
        *unpacked += body.as_ref().map_or(MAX_ENTRY_BYTES, |bytes| bytes.len() as u64);
        return Some((place, body));
    }
}

/// Reads to the end, but never more than `limit` bytes: what a header claims about the size is not believed.
fn bounded(reader: &mut impl Read, limit: u64) -> std::result::Result<Vec<u8>, String> {
    let mut body = Vec::new();
    reader.take(limit + 1).read_to_end(&mut body).map_err(|error| format!("cannot be read: {error}"))?;
    if body.len() as u64 > limit {
        return Err(format!("larger than {} MiB, which no webhook payload is", MAX_ENTRY_BYTES >> 20));
    }
    Ok(body)
}

fn is_payload(path: &str) -> bool {
    let is_json = Path::new(path).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    is_json
        && !path.split(['/', '\\']).any(|part| part == "__MACOSX")
        && !file_name(path).is_some_and(is_hidden)
}

fn file_name(path: &str) -> Option<&str> {
    path.rsplit(['/', '\\']).next()
}

fn is_hidden(name: &str) -> bool {
    name.starts_with('.')
}

/// The name of the folder that the file is in; at the top the file's name up to its first dot.
fn event_name(place: &str) -> Option<&str> {
    let mut parts = place.rsplit('/');
    let file = parts.next()?;
    match parts.next() {
        Some(folder) => Some(folder),
        // A lone `payload.json` is what lies inside of an event's folder.
        None => file.split('.').next().filter(|stem| super::is_event_name(stem) && *stem != "payload"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_event_is_named_by_the_folder_or_at_the_top_by_the_file() {
        for (place, event) in [
            ("pull_request/opened.with-organization.payload.json", Some("pull_request")),
            ("corpus/push/1.payload.json", Some("push")),
            ("push.payload.json", Some("push")),
            ("push.json", Some("push")),
            ("payload.json", None),
            ("1.payload.json", None),
            ("with-installation.payload.json", None),
        ] {
            assert_eq!(event_name(place), event, "{place}");
        }
    }

    #[test]
    fn only_json_files_that_are_not_hidden_are_payloads() {
        for place in ["push/payload.json", "push/PAYLOAD.JSON"] {
            assert!(is_payload(place), "{place}");
        }
        for place in ["LICENSE", "push/.hidden.json", "__MACOSX/push/._payload.json", "push/payload.json.bak"]
        {
            assert!(!is_payload(place), "{place}");
        }
    }

    #[test]
    fn a_reader_is_read_to_its_limit_and_no_further() {
        assert_eq!(bounded(&mut &b"1234"[..], 4), Ok(b"1234".to_vec()));
        assert!(bounded(&mut io::repeat(b'x'), 1000).unwrap_err().contains("larger than"));
    }
}
