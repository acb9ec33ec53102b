//! The committing thread: all records that wait, one write, one fsync, one answer each.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::sync::{Arc, PoisonError, mpsc};
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::{oneshot, watch};

use super::Shared;
use super::frame::Header;
use super::segment::{self, Segment};
use crate::error::Result;

/// How many bytes are written in one go, at the most; a longer record is written alone.
const GROUP_BYTES: usize = 8 << 20;

/// A record that is to be written.
pub(super) struct Request {
    pub payload: Bytes,
    pub crc: u32,
    pub done: oneshot::Sender<Result<u64>>,
}

pub(super) struct Committer {
    shared: Arc<Shared>,
    announce: watch::Sender<u64>,
    /// The number of the next record.
    next: u64,
    /// The segment that is written to; `None` where one has to be begun.
    active: Option<File>,
}

impl Committer {
    pub(super) fn new(shared: Arc<Shared>, announce: watch::Sender<u64>, next: u64) -> Self {
        Self { shared, announce, next, active: None }
    }

    /// Writes until nobody can ask any more.
    pub(super) fn run(mut self, requests: &mpsc::Receiver<Request>) {
        let mut group = Vec::new();
        let mut bytes = Vec::new();
        while let Ok(request) = requests.recv() {
            let mut waiting = Some(request);
            while let Some(request) = waiting {
                let number = self.next + group.len() as u64;
                Header { length: request.payload.len(), number, crc: request.crc }.write(&mut bytes);
                bytes.extend_from_slice(&request.payload);
                group.push(request);
                waiting = if bytes.len() < GROUP_BYTES { requests.try_recv().ok() } else { None };
            }
            self.commit(&mut group, &bytes);
            bytes.clear();
        }
    }

    fn commit(&mut self, group: &mut Vec<Request>, bytes: &[u8]) {
        let count = group.len() as u64;
        match self.write(bytes, count) {
            Ok(()) => {
                let first = self.next;
                self.next += count;
                let mut groups = self.shared.groups.lock().unwrap_or_else(PoisonError::into_inner);
                groups.push_back((self.next, Instant::now()));
                drop(groups);
                self.announce.send_replace(self.next);
                for (number, request) in (first..).zip(group.drain(..)) {
                    // Who does not wait any more does not want to know.
                    let _ = request.done.send(Ok(number));
                }
            }
            Err(error) => {
                self.shared.give_back(bytes.len() as u64);
                tracing::warn!(records = count, "the log took nothing: {error}");
                // The next write begins a new segment, so the one before may go, which makes room.
                if let Err(error) = self.shared.remove_released() {
                    tracing::warn!("{error}");
                }
                for request in group.drain(..) {
                    let source = io::Error::new(error.kind(), error.to_string());
                    let _ = request.done.send(Err(self.shared.error("write", source)));
                }
            }
        }
    }

    fn write(&mut self, bytes: &[u8], count: u64) -> io::Result<()> {
        let is_full = |segment: &Segment| segment.bytes >= self.shared.options.segment_bytes;
        if self.active.is_none() || self.shared.segments().back().is_none_or(is_full) {
            self.begin_segment()?;
        }
        let file = self.active.as_mut().ok_or_else(|| io::Error::other("there is no segment"))?;
        let written = file.write_all(bytes).and_then(|()| file.sync_data());
        let mut segments = self.shared.segments();
        let segment = segments.back_mut().ok_or_else(|| io::Error::other("there is no segment"))?;
        match written {
            Ok(()) => {
                segment.end += count;
                segment.bytes += bytes.len() as u64;
                Ok(())
            }
            Err(error) => {
                // What an fsync that failed left on disk is not known, so the file is not written to again. If
                // it can't be cut either, the number of the next segment says where it ends.
                let _ = file.set_len(segment.bytes).and_then(|()| file.sync_all());
                self.active = None;
                Err(error)
            }
        }
    }

    fn begin_segment(&mut self) -> io::Result<()> {
        self.active = None;
        let path = segment::path(&self.shared.folder, self.next);
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
        File::open(&self.shared.folder)?.sync_all()?;
        let mut segments = self.shared.segments();
        if segments.back().is_none_or(|last| last.first != self.next) {
            segments.push_back(Segment { first: self.next, end: self.next, bytes: 0 });
        }
        self.active = Some(file);
        Ok(())
    }
}
