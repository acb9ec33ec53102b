//! Reading a log from a record on, while it is written.

use std::fs::File;
use std::io::{self, BufReader, Read as _};
use std::sync::Arc;

use super::Shared;
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
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    /// The segment's first record.
    first: u64,
    file: BufReader<File>,
}

impl Reader {
    pub(super) fn new(shared: Arc<Shared>, from: u64) -> Self {
        Self { shared, next: from, open: None }
    }

    /// The number of the record that is read next.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.next
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
        let Some(first) = found else { return Ok(None) };
        self.next = self.next.max(first);
        if self.open.as_ref().is_none_or(|open| open.first != first) {
            let file = File::open(segment::path(&self.shared.folder, first))?;
            self.open = Some(Open { first, file: BufReader::with_capacity(1 << 20, file) });
        }
        let Some(Open { file, .. }) = &mut self.open else { return Ok(None) };
        loop {
            let damaged =
                || io::Error::new(io::ErrorKind::InvalidData, format!("record {} is damaged", self.next));
            let header = segment::next_header(file)?.ok_or_else(damaged)?;
            if header.number < self.next {
                file.seek_relative(i64::try_from(header.length).map_err(io::Error::other)?)?;
                continue;
            }
            let mut payload = vec![0; header.length];
            file.read_exact(&mut payload)?;
            if header.number != self.next || !header.is_of(&payload) {
                return Err(damaged());
            }
            self.next += 1;
            return Ok(Some(Record { number: header.number, payload }));
        }
    }
}
