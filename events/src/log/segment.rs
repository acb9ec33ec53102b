//! The files of a log, and what is found in them when it is opened.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
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

/// Reads every segment to the end of its whole records and cuts off what is behind it; whole records behind damage
/// become a segment of their own.
pub(super) fn recover(folder: &Path) -> io::Result<(VecDeque<Segment>, Recovery)> {
    let mut recovery = Recovery::default();
    let mut segments: VecDeque<Segment> = VecDeque::new();
    let mut firsts = VecDeque::from(list(folder)?);
    while let Some(first) = firsts.pop_front() {
        let mut next = firsts.front().copied();
        let path = path(folder, first);
        let limit = next.unwrap_or(u64::MAX);
        let (end, bytes) = scan(&path, first, limit)?;
        let length = fs::metadata(&path)?.len();
        if length > bytes {
            if let Some(found) = save_rest(folder, &path, bytes, end.saturating_add(1)..limit)? {
                firsts.push_front(found);
                next = Some(found);
            } else {
                recovery.torn_bytes += length - bytes;
            }
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

/// Copies what stands from the first whole record behind `bytes` on into a segment of its own, and says which number
/// that record has; `None` if there is none with one of `numbers`.
fn save_rest(folder: &Path, from: &Path, bytes: u64, numbers: Range<u64>) -> io::Result<Option<u64>> {
    let mut file = File::open(from)?;
    file.seek(SeekFrom::Start(bytes))?;
    let mut rest = Vec::new();
    file.read_to_end(&mut rest)?;
    let whole = |at: usize| {
        let header = Header::read(rest.get(at..)?.first_chunk()?)?;
        let payload = rest.get(at + HEADER..)?.get(..header.length)?;
        (numbers.contains(&header.number) && header.is_of(payload)).then_some((at, header.number))
    };
    let Some((at, number)) = (1..rest.len()).find_map(whole) else { return Ok(None) };
    let mut file = File::create(path(folder, number))?;
    file.write_all(&rest[at..])?;
    file.sync_all()?;
    File::open(folder)?.sync_all()?;
    Ok(Some(number))
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
