//! Reading a log from a record on, while it is written.

use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom};
use std::sync::Arc;

use super::Shared;
use super::frame::HEADER;
use super::segment;

/// A record that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its number.
    pub number: u64,
    /// What was appended.
    pub payload: Vec<u8>,
}

/// Reads records in order, each once it is durable.
#[derive(Debug)]
pub struct Reader {
    shared: Arc<Shared>,
    next: u64,
    /// The segment that is read, by its first record, and how far.
    place: Option<(u64, u64)>,
    /// Its file. Closed at the end of what there is, so that a segment that is removed leaves its room.
    file: Option<BufReader<File>>,
}

impl Reader {
    pub(super) fn new(shared: Arc<Shared>, from: u64) -> Self {
        Self { shared, next: from, place: None, file: None }
    }

    /// The number of the record that is read next.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.next
    }

    /// Closes the file until there is more to read.
    pub(crate) fn rest(&mut self) {
        self.file = None;
    }

    /// The next record; `None` at the end of what is durable. Records that are lost are left out.
    ///
    /// # Errors
    ///
    /// If a file can't be read, or has been damaged since the log was opened.
    pub fn read(&mut self) -> io::Result<Option<Record>> {
        // The segment that has it or, where it is lost, the first behind it.
        let found =
            self.shared.segments().iter().find(|segment| segment.end > self.next).map(|one| one.first);
        let Some(first) = found else {
            self.rest();
            return Ok(None);
        };
        self.next = self.next.max(first);
        if self.place.is_none_or(|(segment, _)| segment != first) {
            (self.place, self.file) = (Some((first, 0)), None);
        }
        let Some((_, at)) = &mut self.place else { return Ok(None) };
        let file = match &mut self.file {
            Some(file) => file,
            closed => {
                let mut file = File::open(segment::path(&self.shared.folder, first))?;
                file.seek(SeekFrom::Start(*at))?;
                closed.insert(BufReader::with_capacity(1 << 20, file))
            }
        };
        loop {
            let damaged =
                || io::Error::new(io::ErrorKind::InvalidData, format!("record {} is damaged", self.next));
            let header = segment::next_header(file)?.ok_or_else(damaged)?;
            if header.number < self.next {
                file.seek_relative(i64::try_from(header.length).map_err(io::Error::other)?)?;
                *at += (HEADER + header.length) as u64;
                continue;
            }
            let mut payload = vec![0; header.length];
            file.read_exact(&mut payload)?;
            if header.number != self.next || !header.is_of(&payload) {
                return Err(damaged());
            }
            *at += (HEADER + header.length) as u64;
            self.next += 1;
            return Ok(Some(Record { number: header.number, payload }));
        }
    }
}
