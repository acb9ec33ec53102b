//! The durable log: what was acknowledged is on disk before anybody tries to send it.
//!
//! A folder of segments (`00000000000000000000.log`, named by the number of their first record), each a row of
//! frames with a checksum. A thread of its own writes: it takes all records that wait, writes them in one go, asks
//! the disk once, and then answers all who wait ([`Log::append`]); so the price of an fsync is shared.
//!
//! What holds:
//!
//! - A record that was answered for survives the process and the machine. One that was not may be there as well.
//! - A tail that a crash tore off is cut when the log is opened, with a warning that counts its bytes. Damage in the
//!   middle costs the records that it hit; those behind it are kept.
//! - A write that fails, for want of room or whatever else, is an error for all of its group, is taken back, and
//!   the next write begins a new segment; so the log goes on once there is room.
//! - The folder is bounded in bytes; past that [`Error::LogFull`] tells the caller to wait.
//! - One process at a time: the file `lock` is locked by the kernel for as long as it lives.
//!
//! Why not a crate: those that are alive are stores of keys (`fjall`, `redb`), which write each record twice or
//! more and sort what is read once and in order; of the write-ahead logs proper (`okaywal`, `commitlog`, `walcraft`)
//! none is bounded in bytes or tells a full disk apart. What is left to write is this folder of a few hundred lines,
//! and the checksum comes from `crc32fast`.

mod commit;
mod frame;
mod reader;
mod segment;

use std::collections::VecDeque;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{oneshot, watch};

use crate::error::{Error, Result};

use commit::{Committer, Request};
pub use reader::{Reader, Record};
use segment::Segment;

/// How large a log may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogOptions {
    /// When the next segment is begun, in bytes. A segment is removed as a whole, once all of it is released.
    pub segment_bytes: u64,
    /// The most that all segments hold, in bytes; at least four segments' worth.
    pub max_bytes: u64,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self { segment_bytes: 64 << 20, max_bytes: 4 << 30 }
    }
}

/// What opening found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Records that are there.
    pub records: u64,
    /// Bytes behind the last whole record that were cut off.
    pub torn_bytes: u64,
    /// Records that damage has lost, with others whole behind them.
    pub lost_records: u64,
}

/// An open log. Dropping it waits for what is being written.
#[derive(Debug)]
pub struct Log {
    shared: Arc<Shared>,
    requests: Option<mpsc::Sender<Request>>,
    thread: Option<JoinHandle<()>>,
    recovery: Recovery,
    durable: watch::Receiver<u64>,
    _lock: File,
}

/// What the committing thread and the callers share.
#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    options: LogOptions,
    /// Bytes in segments, and of records that wait to be written.
    bytes: AtomicU64,
    segments: Mutex<VecDeque<Segment>>,
    /// Up to which record a group went, and when it was written; those that are not released.
    groups: Mutex<VecDeque<(u64, Instant)>>,
    /// All records before this one are released.
    released: AtomicU64,
}

impl Log {
    /// Opens the log in `folder`, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// [`Error::LogLocked`] while another process has it open; [`Error::Log`] if the folder can't be read or written.
    pub fn open(folder: &Path, options: LogOptions) -> Result<Self> {
        let at = |doing: &'static str| move |source| Error::Log { folder: folder.to_owned(), doing, source };
        fs::create_dir_all(folder).map_err(at("make the folder"))?;
        let lock = File::create(folder.join("lock")).map_err(at("open the lock file"))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => Error::LogLocked { folder: folder.to_owned() },
            TryLockError::Error(source) => at("lock the folder")(source),
        })?;
        let segment_bytes = options.segment_bytes.min(options.max_bytes / 4).max(1);
        let options = LogOptions { segment_bytes, ..options };

        let (segments, recovery) = segment::recover(folder).map_err(at("read the segments"))?;
        if recovery.torn_bytes > 0 {
            let Recovery { torn_bytes, records: kept, .. } = recovery;
            tracing::warn!(torn_bytes, kept, "cut a torn tail off the log {}", folder.display());
        }
        if recovery.lost_records > 0 {
            let lost = recovery.lost_records;
            tracing::error!(lost, "the log {} is damaged: records are lost", folder.display());
        }
        let next = segments.back().map_or(0, |segment| segment.end);
        let bytes = segments.iter().map(|segment| segment.bytes).sum();
        let groups = if segments.iter().any(|segment| segment.first < segment.end) {
            VecDeque::from([(next, Instant::now())])
        } else {
            VecDeque::new()
        };
        let shared = Arc::new(Shared {
            folder: folder.to_owned(),
            options,
            bytes: AtomicU64::new(bytes),
            segments: Mutex::new(segments),
            groups: Mutex::new(groups),
            released: AtomicU64::new(0),
        });
        let (requests, receiver) = mpsc::channel();
        let (announce, durable) = watch::channel(next);
        let committer = Committer::new(shared.clone(), announce, next);
        let thread = std::thread::Builder::new()
            .name("events-log".into())
            .spawn(move || committer.run(&receiver))
            .map_err(at("start its thread"))?;
        Ok(Self { shared, requests: Some(requests), thread: Some(thread), recovery, durable, _lock: lock })
    }

    /// What opening found.
    #[must_use]
    pub fn recovery(&self) -> Recovery {
        self.recovery
    }

    /// Puts `payload` on disk; its number, once it is there.
    ///
    /// # Errors
    ///
    /// [`Error::LogFull`] if the log has no room for it, now; [`Error::Log`] if the disk refuses. Neither has it
    /// acknowledged.
    pub async fn append(&self, payload: impl Into<Bytes>) -> Result<u64> {
        self.submit(payload)?.await
    }

    /// As [`Log::append`], in two parts, so that several records can wait for one fsync.
    ///
    /// # Errors
    ///
    /// As [`Log::append`].
    pub fn submit<P: Into<Bytes>>(&self, payload: P) -> Result<impl Future<Output = Result<u64>> + use<P>> {
        let payload = payload.into();
        self.reserve(frame::HEADER as u64 + payload.len() as u64)?;
        let (done, answer) = oneshot::channel();
        let request = Request { crc: crc32fast::hash(&payload), payload, done };
        let asked = self.requests.as_ref().is_some_and(|requests| requests.send(request).is_ok());
        let shared = self.shared.clone();
        Ok(async move {
            let answer = if asked { answer.await.ok() } else { None };
            let ended = || shared.error("write", std::io::Error::other("the log's thread has ended"));
            answer.unwrap_or_else(|| Err(ended()))
        })
    }

    /// Counts `length` bytes, kept elsewhere, as the log's.
    ///
    /// # Errors
    ///
    /// [`Error::LogFull`] if they are too many.
    pub(crate) fn reserve(&self, length: u64) -> Result<()> {
        self.shared.reserve(length)
    }

    /// Counts `length` bytes no more.
    pub(crate) fn give_back(&self, length: u64) {
        self.shared.give_back(length);
    }

    /// The number that the next record gets: all before it are on disk. Changes as records come.
    #[must_use]
    pub fn durable(&self) -> watch::Receiver<u64> {
        self.durable.clone()
    }

    /// The number of the first record that is not released.
    #[must_use]
    pub fn first(&self) -> u64 {
        self.shared.segments().front().map_or(0, |segment| segment.first)
    }

    /// Reads from record `from` on.
    #[must_use]
    pub fn reader(&self, from: u64) -> Reader {
        Reader::new(self.shared.clone(), from)
    }

    /// Gives up all records before `end`: segments that hold nothing else are removed.
    ///
    /// # Errors
    ///
    /// [`Error::Log`] if a file can't be removed; it is tried again the next time.
    pub fn release(&self, end: u64) -> Result<()> {
        let mut groups = self.shared.groups.lock().unwrap_or_else(PoisonError::into_inner);
        while groups.front().is_some_and(|(last, _)| *last <= end) {
            groups.pop_front();
        }
        drop(groups);
        self.shared.released.fetch_max(end, Ordering::Relaxed);
        self.shared.remove_released()
    }

    /// How many bytes the log takes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.shared.bytes.load(Ordering::Relaxed)
    }

    /// How many bytes it may take.
    #[must_use]
    pub fn max_bytes(&self) -> u64 {
        self.shared.options.max_bytes
    }

    /// How long the oldest record that is not released has waited, at `now`; zero if there is none.
    #[must_use]
    pub fn lag(&self, now: Instant) -> Duration {
        let groups = self.shared.groups.lock().unwrap_or_else(PoisonError::into_inner);
        groups.front().map_or(Duration::ZERO, |(_, written)| now.saturating_duration_since(*written))
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        drop(self.requests.take());
        if let Some(thread) = self.thread.take() {
            // It ends when nobody can ask any more; that it panicked has been told by then.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn segments(&self) -> std::sync::MutexGuard<'_, VecDeque<Segment>> {
        self.segments.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reserve(&self, length: u64) -> Result<()> {
        let max_bytes = self.options.max_bytes;
        let taken = self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |bytes| {
            bytes.checked_add(length).filter(|sum| *sum <= max_bytes)
        });
        taken.map(drop).map_err(|bytes| Error::LogFull { bytes, max_bytes })
    }

    fn give_back(&self, length: u64) {
        self.bytes.fetch_sub(length, Ordering::Relaxed);
    }

    /// Removes segments of which all is released.
    fn remove_released(&self) -> Result<()> {
        let released = self.released.load(Ordering::Relaxed);
        let mut segments = self.segments();
        // The last one is written to.
        while segments.len() > 1 && segments[0].end <= released {
            let path = segments[0].path(&self.folder);
            match fs::remove_file(path) {
                Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                    return Err(self.error("remove a segment", source));
                }
                _ => {}
            }
            if let Some(gone) = segments.pop_front() {
                self.give_back(gone.bytes);
            }
        }
        Ok(())
    }

    fn error(&self, doing: &'static str, source: std::io::Error) -> Error {
        Error::Log { folder: self.folder.clone(), doing, source }
    }
}

#[cfg(test)]
mod tests;
