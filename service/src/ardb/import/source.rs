//! Walks an input (a folder, a zip, a tar) file by file, without holding more than the file being read. A file that gzip
//! packed is shown unpacked.
//!
//! Symbolic links are not followed. What an archive's entry claims about its size is not believed: readers take
//! what they accept and no more, see [`read_bounded`].

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    ops::ControlFlow,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;

use super::Rejection;
use crate::{Error, Result};

/// The dictionary of `xz -9` is 64 MiB; what wants more than this is no index.
const XZ_MEMORY_KIB: u32 = 128 * 1024;

/// An archive that unpacks to more than this is no index and no collection of advisories: those are some GiB at most.
const MAX_UNPACKED_BYTES: u64 = 16 * 1024 * 1024 * 1024;

/// One file of the input.
pub(super) struct Entry<'a> {
    /// Its path within the input, with `/`.
    pub(super) path: &'a str,
    /// Its path as a person would name it.
    pub(super) place: &'a str,
    pub(super) content: &'a mut dyn BufRead,
}

/// What a walk reports to: each file, and each that can't be opened. `Break` ends the walk.
pub(super) trait Visitor {
    fn file(&mut self, entry: Entry<'_>) -> ControlFlow<()>;
    fn rejected(&mut self, rejection: Rejection) -> ControlFlow<()>;
}

/// How much of the input has been read, in bytes as they lie on disk.
#[derive(Clone, Default)]
pub(super) struct Meter(Arc<AtomicU64>);

impl Meter {
    pub(super) fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn add(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// Bytes of the input on disk: of the file, or of all files of the folder.
pub(super) fn size(input: &Path) -> Result<u64> {
    let metadata = input.metadata().map_err(|error| unreadable(input, &error))?;
    if !metadata.is_dir() {
        return Ok(metadata.len());
    }
    let mut bytes = 0;
    for entry in input.read_dir().map_err(|error| unreadable(input, &error))? {
        let entry = entry.map_err(|error| unreadable(input, &error))?;
        let kind = entry.file_type().map_err(|error| unreadable(&entry.path(), &error))?;
        if kind.is_dir() {
            bytes += size(&entry.path())?;
        } else if kind.is_file() {
            bytes += entry.metadata().map_or(0, |metadata| metadata.len());
        }
    }
    Ok(bytes)
}

/// Shows every file of `input` to `visitor`: folders in the order of names, archives in their own.
///
/// # Errors
///
/// [`Error::Input`] if the input itself can't be opened, or an archive is broken so that what follows is lost, or it
/// unpacks to more than [`MAX_UNPACKED_BYTES`].
pub(super) fn walk(input: &Path, meter: &Meter, visitor: &mut dyn Visitor) -> Result<()> {
    walk_within(MAX_UNPACKED_BYTES, input, meter, visitor)
}

/// [`walk`], with the bytes that an archive may unpack to.
fn walk_within(max_bytes: u64, input: &Path, meter: &Meter, visitor: &mut dyn Visitor) -> Result<()> {
    if input.is_dir() {
        return folder(input, "", meter, visitor).map(drop);
    }
    let file = File::open(input).map_err(|error| unreadable(input, &error))?;
    let name = input.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let reader = |file| BufReader::with_capacity(64 * 1024, Metered { inner: file, meter: meter.clone() });
    let walked = if name.ends_with(".zip") {
        zip(max_bytes, file, input, meter, visitor)
    } else if name.ends_with(".tar") {
        tar(max_bytes, reader(file), visitor)
    } else if name.ends_with(".tar.gz") || name.ends_with(".tgz") {
        tar(max_bytes, MultiGzDecoder::new(reader(file)), visitor)
    } else if name.ends_with(".tar.xz") {
        tar(max_bytes, XzReader::new_mem_limit(reader(file), true, XZ_MEMORY_KIB), visitor)
    } else {
        let place = input.to_string_lossy();
        let _ = show(&name, &place, &mut reader(file), visitor);
        Ok(())
    };
    walked.map_err(|error| unreadable(input, &error))
}

fn unreadable(place: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::Input { place: place.display().to_string(), reason: format!("can't be read: {error}") }
}

fn folder(folder: &Path, prefix: &str, meter: &Meter, visitor: &mut dyn Visitor) -> Result<ControlFlow<()>> {
    let mut entries = folder
        .read_dir()
        .and_then(|entries| entries.collect::<io::Result<Vec<_>>>())
        .map_err(|error| unreadable(folder, &error))?;
    entries.sort_unstable_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        let (path, place) = (format!("{prefix}{}", name.to_string_lossy()), entry.path());
        let kind = entry.file_type().map_err(|error| unreadable(&place, &error))?;
        let flow = if kind.is_dir() {
            self::folder(&place, &format!("{path}/"), meter, visitor)?
        } else if kind.is_file() {
            let place = place.to_string_lossy();
            match File::open(entry.path()) {
                Ok(file) => {
                    let content = &mut BufReader::new(Metered { inner: file, meter: meter.clone() });
                    show(&path, &place, content, visitor)
                }
                Err(error) => visitor.rejected(Rejection::new(place, format!("can't be opened: {error}"))),
            }
        } else {
            ControlFlow::Continue(())
        };
        if flow.is_break() {
            return Ok(flow);
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Shows a file; one that gzip packed, unpacked and without the `.gz` of its path. Readers take a bounded part of it at a
/// time, so what it unpacks to costs time and no memory.
fn show(path: &str, place: &str, content: &mut dyn BufRead, visitor: &mut dyn Visitor) -> ControlFlow<()> {
    match path.strip_suffix(".gz") {
        Some(path) => {
            let content = &mut BufReader::with_capacity(64 * 1024, MultiGzDecoder::new(content));
            visitor.file(Entry { path, place, content })
        }
        None => visitor.file(Entry { path, place, content }),
    }
}

fn tar(max_bytes: u64, reader: impl Read, visitor: &mut dyn Visitor) -> io::Result<()> {
    let mut left = max_bytes;
    let reader = Limited { inner: reader, left: &mut left };
    for entry in tar::Archive::new(reader).entries()? {
        let entry = entry?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if show(&path, &path, &mut BufReader::new(entry), visitor).is_break() {
            break;
        }
    }
    Ok(())
}

fn zip(max_bytes: u64, file: File, input: &Path, meter: &Meter, visitor: &mut dyn Visitor) -> io::Result<()> {
    let mut left = max_bytes;
    let mut archive = zip::ZipArchive::new(BufReader::new(file)).map_err(io::Error::other)?;
    for index in 0..archive.len() {
        let flow = match archive.by_index(index) {
            Ok(entry) if entry.is_dir() => ControlFlow::Continue(()),
            Ok(entry) => {
                meter.add(entry.compressed_size());
                let path = String::from_utf8_lossy(entry.name_raw()).into_owned();
                let content = &mut BufReader::new(Limited { inner: entry, left: &mut left });
                let flow = show(&path, &path, content, visitor);
                if left == 0 {
                    return Err(unpacks_to_too_much());
                }
                flow
            }
            Err(error) => {
                let place = format!("{}, entry {}", input.display(), index + 1);
                visitor.rejected(Rejection::new(place, format!("can't be opened: {error}")))
            }
        };
        if flow.is_break() {
            break;
        }
    }
    Ok(())
}

/// Reads `content` to its end, or refuses it with a reason as soon as it is longer than `max` bytes.
pub(super) fn read_bounded(content: &mut dyn BufRead, max: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    content.take(max + 1).read_to_end(&mut bytes).map_err(|error| format!("can't be read: {error}"))?;
    if bytes.len() as u64 > max {
        return Err(format!("is longer than {max} bytes"));
    }
    Ok(bytes)
}

/// A piece of a file between delimiters, without them.
pub(super) enum Piece {
    /// The bytes.
    Whole(Vec<u8>),
    /// More bytes than were allowed; they were read past, not kept.
    TooLong(u64),
}

/// The next piece up to `delimiter` or the end; `None` at the end. At most `max` bytes are kept.
pub(super) fn read_piece(content: &mut dyn BufRead, delimiter: u8, max: usize) -> io::Result<Option<Piece>> {
    let mut kept = Vec::new();
    let mut length = 0_u64;
    loop {
        let available = match content.fill_buf() {
            Ok(available) => available,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let end = available.iter().position(|byte| *byte == delimiter);
        let piece = &available[..end.unwrap_or(available.len())];
        if available.is_empty() && length == 0 {
            return Ok(None);
        }
        length += piece.len() as u64;
        if length <= max as u64 {
            kept.extend_from_slice(piece);
        } else {
            kept = Vec::new();
        }
        let (is_last, consumed) =
            (end.is_some() || available.is_empty(), piece.len() + usize::from(end.is_some()));
        content.consume(consumed);
        if is_last {
            return Ok(Some(if length <= max as u64 { Piece::Whole(kept) } else { Piece::TooLong(length) }));
        }
    }
}

/// Counts what is read from the disk.
struct Metered<R> {
    inner: R,
    meter: Meter,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.meter.add(read as u64);
        Ok(read)
    }
}

/// Refuses to unpack more than what is left of an archive's allowance.
struct Limited<'a, R> {
    inner: R,
    left: &'a mut u64,
}

impl<R: Read> Read for Limited<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        match self.left.checked_sub(read as u64) {
            Some(left) if left > 0 => *self.left = left,
            _ => {
                *self.left = 0;
                return Err(unpacks_to_too_much());
            }
        }
        Ok(read)
    }
}

fn unpacks_to_too_much() -> io::Error {
    io::Error::other("the archive unpacks to more bytes than are allowed")
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        io::{Cursor, Write as _},
    };

    use super::*;

    fn pieces(text: &str, max: usize) -> Vec<String> {
        // A buffer of three bytes makes every piece cross its end.
        let mut reader = BufReader::with_capacity(3, Cursor::new(text));
        let mut found = Vec::new();
        while let Some(piece) = read_piece(&mut reader, b'\n', max).unwrap() {
            found.push(match piece {
                Piece::Whole(bytes) => String::from_utf8(bytes).unwrap(),
                Piece::TooLong(bytes) => format!("<{bytes}>"),
            });
        }
        found
    }

    #[test]
    fn pieces_end_at_delimiters_and_too_long_ones_are_read_past() {
        assert_eq!(pieces("", 4), [""; 0]);
        assert_eq!(pieces("a\n\nbcde\nf", 4), ["a", "", "bcde", "f"]);
        assert_eq!(pieces("a\nbcdefgh\nf\n", 4), ["a", "<7>", "f"]);
    }

    /// Paths and contents in the order of the walk, of what is at most ten bytes long; the rest as reasons.
    #[derive(Default)]
    struct Seen(Vec<(String, String)>);

    impl Visitor for Seen {
        fn file(&mut self, entry: Entry<'_>) -> ControlFlow<()> {
            let content = read_bounded(entry.content, 10)
                .map_or_else(|reason| reason, |bytes| String::from_utf8(bytes).unwrap());
            self.0.push((entry.path.to_owned(), content));
            ControlFlow::Continue(())
        }

        fn rejected(&mut self, rejection: Rejection) -> ControlFlow<()> {
            self.0.push((rejection.place, rejection.reason));
            ControlFlow::Continue(())
        }
    }

    fn seen(input: &Path) -> Vec<(String, String)> {
        let (meter, mut seen) = (Meter::default(), Seen::default());
        walk(input, &meter, &mut seen).unwrap();
        assert!(meter.bytes() > 0);
        seen.0
    }

    const FILES: [(&str, &str); 3] = [("a/b", "one"), ("a/c/d", "two"), ("e", "three")];

    fn tar() -> Vec<u8> {
        let mut tar = tar::Builder::new(Vec::new());
        for (path, content) in FILES {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            tar.append_data(&mut header, path, content.as_bytes()).unwrap();
        }
        tar.into_inner().unwrap()
    }

    fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (path, content) in files {
            zip.start_file(*path, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(content).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    #[test]
    fn a_folder_and_each_archive_of_it_show_the_same_files() {
        let folder = tempfile::tempdir().unwrap();
        let files = folder.path().join("files");
        for (path, content) in FILES {
            fs::create_dir_all(files.join(path).parent().unwrap()).unwrap();
            fs::write(files.join(path), content).unwrap();
        }
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&tar()).unwrap();
        let archives = [
            ("files.tar", tar()),
            ("files.tar.gz", gzip.finish().unwrap()),
            ("files.ZIP", zip(&FILES.map(|(path, content)| (path, content.as_bytes())))),
        ];
        let expected = FILES.map(|(path, content)| (path.to_owned(), content.to_owned()));
        assert_eq!(seen(&files), expected);
        for (name, content) in archives {
            fs::write(folder.path().join(name), content).unwrap();
            assert_eq!(seen(&folder.path().join(name)), expected, "{name}");
        }
    }

    #[test]
    fn a_bomb_is_refused_after_the_bytes_that_are_allowed() {
        let folder = tempfile::tempdir().unwrap();
        let bomb = folder.path().join("bomb.zip");
        fs::write(&bomb, zip(&[("bomb", &vec![0; 20 << 20]), ("after", b"fine")])).unwrap();
        assert!(bomb.metadata().unwrap().len() < 100_000);
        let expected = [("bomb", "is longer than 10 bytes"), ("after", "fine")];
        assert_eq!(seen(&bomb), expected.map(|(path, content)| (path.to_owned(), content.to_owned())));
    }

    #[test]
    fn an_archive_that_unpacks_to_too_much_in_all_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let files: [(&str, &[u8]); 2] = [("one", &[b'1'; 9]), ("two", &[b'2'; 9])];
        for (name, archive, limit) in [("files.zip", zip(&files), 15), ("files.tar", tar(), 1100)] {
            let path = folder.path().join(name);
            fs::write(&path, archive).unwrap();
            let error = walk_within(limit, &path, &Meter::default(), &mut Seen::default()).unwrap_err();
            let reason = "can't be read: the archive unpacks to more bytes than are allowed";
            assert_eq!(error.to_string(), format!("{}: {reason}", path.display()));
        }
    }

    #[test]
    fn an_archive_that_breaks_off_is_an_error_after_what_could_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let broken = folder.path().join("broken.tar");
        fs::write(&broken, &tar()[..1100]).unwrap();
        let mut seen = Seen::default();
        let error = walk(&broken, &Meter::default(), &mut seen).unwrap_err();
        assert!(error.to_string().starts_with(&format!("{}: can't be read: ", broken.display())), "{error}");
        assert_eq!(seen.0[0], ("a/b".to_owned(), "one".to_owned()));
    }
}
