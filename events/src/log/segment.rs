//! The files of a log, and what is found in them when it is opened.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use super::Recovery;
use super::frame::{HEADER, Header};

/// A file of records.
#[derive(Debug)]
pub(super) struct Segment {
    /// The number of its first record: its name.
    pub first: u64,
    /// The number of the record after its last.
    pub end: u64,
    /// How many bytes of whole records it has.
    pub bytes: u64,
}

impl Segment {
    pub(super) fn path(&self, folder: &Path) -> PathBuf {
        path(folder, self.first)
    }
}

/// The file whose first record is `first`.
pub(super) fn path(folder: &Path, first: u64) -> PathBuf {
    folder.join(format!("{first:020}.log"))
}

/// The numbers of the first records of all segments, in order.
pub(super) fn list(folder: &Path) -> io::Result<Vec<u64>> {
    let mut firsts = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let name = name.to_str().and_then(|name| name.strip_suffix(".log"));
        firsts.extend(name.filter(|name| name.len() == 20).and_then(|name| name.parse::<u64>().ok()));
    }
    firsts.sort_unstable();
    Ok(firsts)
}

/// Reads every segment to the end of its whole records and cuts off what is behind it.
pub(super) fn recover(folder: &Path) -> io::Result<(VecDeque<Segment>, Recovery)> {
    let mut recovery = Recovery::default();
    let mut segments: VecDeque<Segment> = VecDeque::new();
    let firsts = list(folder)?;
    for (at, first) in firsts.iter().copied().enumerate() {
        let next = firsts.get(at + 1).copied();
        let path = path(folder, first);
        let (end, bytes) = scan(&path, first, next.unwrap_or(u64::MAX))?;
        let length = fs::metadata(&path)?.len();
        if length > bytes {
            recovery.torn_bytes += length - bytes;
            let file = OpenOptions::new().write(true).open(&path)?;
            file.set_len(bytes)?;
            file.sync_all()?;
        }
        recovery.records += end - first;
        recovery.lost_records += next.map_or(0, |next| next - end);
        segments.push_back(Segment { first, end, bytes });
    }
    Ok((segments, recovery))
}

/// The number after the last whole record, and where that record ends. Records from `limit` on are none: the next
/// segment has those numbers, since writing them here had failed.
fn scan(path: &Path, first: u64, limit: u64) -> io::Result<(u64, u64)> {
    let mut file = BufReader::with_capacity(1 << 20, File::open(path)?);
    let (mut number, mut bytes) = (first, 0);
    let mut payload = Vec::new();
    while number < limit
        && let Some(header) = next_header(&mut file)?
        && header.number == number
    {
        payload.clear();
        file.by_ref().take(header.length as u64).read_to_end(&mut payload)?;
        if !header.is_of(&payload) {
            break;
        }
        number += 1;
        bytes += (HEADER + header.length) as u64;
    }
    Ok((number, bytes))
}

/// The header that comes next; `None` at the end, and where there is none.
pub(super) fn next_header(file: &mut impl Read) -> io::Result<Option<Header>> {
    let mut bytes = [0; HEADER];
    match file.read_exact(&mut bytes) {
        Ok(()) => Ok(Header::read(&bytes)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}
