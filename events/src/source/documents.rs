//! Documents: where stored input comes from, piece by piece, in bounded memory.
//!
//! | path | its documents |
//! |---|---|
//! | a folder or a zip | each file in it that ends in `.json`, in the order of the names; hidden ones are left alone |
//! | a file that ends in `.json` | the file |
//! | any other file, or `-` for standard input | each line that is not blank |

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use super::draft::Input;
use crate::envelope::{Intake, Normalised};
use crate::error::{Error, Result};

/// The largest document that is read, in bytes.
pub const MAX_ENTRY_BYTES: u64 = 32 * 1024 * 1024;

/// How much one zip may unpack to, in bytes. Entries of a crafted zip can share their compressed bytes, so
/// that no single one is large.
pub const MAX_TOTAL_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// Turns one document into events and rejections, which it appends.
type Normalise = Box<dyn Fn(&Intake, &Input, &mut VecDeque<Normalised>) + Send>;

/// What becomes of the documents of a source, in their order.
///
/// One document at a time is in memory, and what came of it until it is asked for.
pub struct Stored {
    intake: Intake,
    source: &'static str,
    documents: Documents,
    normalise: Normalise,
    waiting: VecDeque<Normalised>,
}

impl Stored {
    pub(super) fn new(
        intake: Intake,
        source: &'static str,
        documents: Documents,
        normalise: impl Fn(&Intake, &Input, &mut VecDeque<Normalised>) + Send + 'static,
    ) -> Self {
        Self { intake, source, documents, normalise: Box::new(normalise), waiting: VecDeque::new() }
    }
}

impl Iterator for Stored {
    type Item = Normalised;

    fn next(&mut self) -> Option<Normalised> {
        loop {
            if let Some(item) = self.waiting.pop_front() {
                return Some(item);
            }
            let Document { place, body } = self.documents.next()?;
            match body {
                Ok(raw) => {
                    let input = Input { place: &place, raw: &raw };
                    (self.normalise)(&self.intake, &input, &mut self.waiting);
                }
                Err(reason) => {
                    let input = Input { place: &place, raw: b"" };
                    return Some(Err(input.reject(&self.intake, self.source, &reason)));
                }
            }
        }
    }
}

/// One document: its name for people, and its bytes or why there are none.
pub(super) struct Document {
    pub place: String,
    pub body: std::result::Result<Vec<u8>, String>,
}

/// The documents at a path; see the module.
pub(super) enum Documents {
    Folder { root: PathBuf, files: std::vec::IntoIter<PathBuf> },
    Zip { archive: Box<ZipArchive<BufReader<File>>>, next: usize, unpacked_bytes: u64 },
    File(Option<PathBuf>),
    Lines { name: String, reader: Box<dyn BufRead + Send>, number: u64 },
}

impl Documents {
    /// Opens whatever `path` is.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] if it can't be read.
    pub(super) fn open(path: &Path) -> Result<Self> {
        if path == Path::new("-") {
            return Ok(Self::lines(String::new(), Box::new(BufReader::new(io::stdin()))));
        }
        let metadata = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
        let ends_in = |wanted: &str| path.extension().is_some_and(|it| it.eq_ignore_ascii_case(wanted));
        if metadata.is_dir() || ends_in("zip") {
            return Self::open_archive(path, "documents");
        }
        if ends_in("json") {
            return Ok(Self::File(Some(path.to_owned())));
        }
        let file = File::open(path).map_err(|error| unreadable(path, &error))?;
        Ok(Self::lines(path.display().to_string(), Box::new(BufReader::with_capacity(1 << 16, file))))
    }

    /// Opens a folder or a zip of `what`.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] if `path` is neither.
    pub(super) fn open_archive(path: &Path, what: &str) -> Result<Self> {
        let metadata = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
        if metadata.is_dir() {
            let mut files = Vec::new();
            collect(path, &mut files).map_err(|error| unreadable(path, &error))?;
            files.sort();
            return Ok(Self::Folder { root: path.to_owned(), files: files.into_iter() });
        }
        let file = File::open(path).map_err(|error| unreadable(path, &error))?;
        let archive = ZipArchive::new(BufReader::new(file)).map_err(|error| Error::Input {
            place: path.display().to_string(),
            reason: format!("expected a folder or a zip of {what}, but as a zip it cannot be read: {error}"),
        })?;
        Ok(Self::Zip { archive: Box::new(archive), next: 0, unpacked_bytes: 0 })
    }

    /// The lines of `reader`, called `name` where they are named.
    pub(super) fn lines(name: String, reader: Box<dyn BufRead + Send>) -> Self {
        Self::Lines { name, reader, number: 0 }
    }
}

impl Iterator for Documents {
    type Item = Document;

    fn next(&mut self) -> Option<Document> {
        match self {
            Self::Folder { root, files } => next_file(root, files),
            Self::Zip { archive, next, unpacked_bytes } => next_entry(archive, next, unpacked_bytes),
            Self::File(path) => path.take().map(|path| document(path.display().to_string(), &path)),
            Self::Lines { name, reader, number } => next_line(name, reader, number),
        }
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    Error::Input { place: path.display().to_string(), reason: format!("cannot be read: {error}") }
}

/// Every document under `folder`. Links to folders are not followed, so that no circle is walked.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            if !is_hidden(&entry.file_name().to_string_lossy()) {
                collect(&path, files)?;
            }
        } else if is_document(&path.to_string_lossy()) && path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

fn next_file(root: &Path, files: &mut std::vec::IntoIter<PathBuf>) -> Option<Document> {
    let path = files.next()?;
    let place = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
    Some(document(place, &path))
}

fn document(place: String, path: &Path) -> Document {
    let body = File::open(path)
        .map_err(|error| format!("cannot be opened: {error}"))
        .and_then(|mut file| bounded(&mut file, MAX_ENTRY_BYTES));
    Document { place, body }
}

fn next_entry(
    archive: &mut ZipArchive<BufReader<File>>,
    next: &mut usize,
    unpacked: &mut u64,
) -> Option<Document> {
    loop {
        if *next >= archive.len() {
            return None;
        }
        let index = *next;
        *next += 1;
        let mut entry = match archive.by_index(index) {
            Ok(entry) => entry,
            Err(error) => {
                let body = Err(format!("cannot be unpacked: {error}"));
                return Some(Document { place: format!("entry {index}"), body });
            }
        };
        // Only a label: nothing is ever written under this name.
        let place = entry.name().map_or_else(|_| format!("entry {index}"), |name| name.replace('\\', "/"));
        if entry.is_dir() || !is_document(&place) {
            continue;
        }
        let left = MAX_TOTAL_BYTES.saturating_sub(*unpacked);
        if left == 0 {
            *next = usize::MAX;
            let limit = MAX_TOTAL_BYTES >> 30;
            let body = Err(format!("the zip unpacks to more than {limit} GiB; the rest of it is not read"));
            return Some(Document { place, body });
        }
        let body = bounded(&mut entry, MAX_ENTRY_BYTES.min(left));
        *unpacked += body.as_ref().map_or(MAX_ENTRY_BYTES, |bytes| bytes.len() as u64);
        return Some(Document { place, body });
    }
}

/// The next line that is not blank. A reader that fails ends the documents with its words.
fn next_line(name: &str, reader: &mut Box<dyn BufRead + Send>, number: &mut u64) -> Option<Document> {
    loop {
        let mut line = Vec::new();
        let read = reader.by_ref().take(MAX_ENTRY_BYTES + 1).read_until(b'\n', &mut line);
        *number += 1;
        let place = if name.is_empty() { format!("line {number}") } else { format!("{name}:{number}") };
        let body = match read {
            Ok(0) => return None,
            Ok(_) if line.len() as u64 > MAX_ENTRY_BYTES && !line.ends_with(b"\n") => {
                let skipped = reader.skip_until(b'\n');
                let limit = MAX_ENTRY_BYTES >> 20;
                skipped
                    .map_err(|error| error.to_string())
                    .and(Err(format!("larger than {limit} MiB, which no event is")))
            }
            Ok(_) if line.trim_ascii().is_empty() => continue,
            Ok(_) => Ok(line),
            Err(error) => {
                *reader = Box::new(io::empty());
                Err(format!("cannot be read on: {error}"))
            }
        };
        return Some(Document { place, body });
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

fn is_document(path: &str) -> bool {
    let is_json = Path::new(path).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    is_json
        && !path.split(['/', '\\']).any(|part| part == "__MACOSX")
        && !path.rsplit(['/', '\\']).next().is_some_and(is_hidden)
}

fn is_hidden(name: &str) -> bool {
    name.starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8]) -> Vec<(String, std::result::Result<Vec<u8>, String>)> {
        let reader = Box::new(io::Cursor::new(text.to_vec()));
        Documents::lines("in.ndjson".into(), reader).map(|document| (document.place, document.body)).collect()
    }

    #[test]
    fn only_json_files_that_are_not_hidden_are_documents() {
        for place in ["push/payload.json", "push/PAYLOAD.JSON"] {
            assert!(is_document(place), "{place}");
        }
        for place in ["LICENSE", "push/.hidden.json", "__MACOSX/push/._payload.json", "push/payload.json.bak"]
        {
            assert!(!is_document(place), "{place}");
        }
    }

    #[test]
    fn a_reader_is_read_to_its_limit_and_no_further() {
        assert_eq!(bounded(&mut &b"1234"[..], 4), Ok(b"1234".to_vec()));
        assert!(bounded(&mut io::repeat(b'x'), 1000).unwrap_err().contains("larger than"));
    }

    #[test]
    fn lines_are_numbered_and_blank_ones_are_none() {
        let found = lines(b"{}\n\n \r\n[1]");
        let places: Vec<_> = found.iter().map(|(place, _)| place.as_str()).collect();
        assert_eq!(places, ["in.ndjson:1", "in.ndjson:4"]);
        assert_eq!(found[1].1, Ok(b"[1]".to_vec()));
    }

    #[test]
    fn a_line_that_is_too_long_costs_itself_only() {
        let long = vec![b'x'; MAX_ENTRY_BYTES as usize + 10];
        let found = lines(&[b"a\n", &long[..], b"\nb\n"].concat());
        assert_eq!(found.len(), 3);
        assert_eq!(found[1].1, Err("larger than 32 MiB, which no event is".into()));
        assert_eq!(found[2], ("in.ndjson:3".into(), Ok(b"b\n".to_vec())));
    }
}
