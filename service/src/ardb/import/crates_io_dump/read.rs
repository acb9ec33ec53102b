//! The reading side, on a thread of its own: files to chunks of rows. What is in memory at a time is the chunk that is
//! being filled, one that waits and one that is being sent.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    io::{self, BufRead, Read},
    mem,
    ops::ControlFlow,
    path::Path,
    rc::Rc,
};

use chrono::{DateTime, NaiveDate, Utc};
use csv::ByteRecord;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use super::{
    super::{
        Rejection, check,
        copy::CopyRows,
        report::Rejections,
        source::{self, Entry, Meter, Visitor},
    },
    age::Which,
    direct::{self, Moves},
    field::Fields,
    table::{self, COPY_LICENCES, Seen, TABLES, Table},
};
use crate::{Error, Result};

/// A chunk is sent when it has this many bytes; each costs a round trip.
const CHUNK_BYTES: usize = 8 * 1024 * 1024;
/// The longest record that is read; the longest of crates.io, with a readme, are a tenth of it.
pub(super) const MAX_RECORD_BYTES: usize = 32 * 1024 * 1024;

/// Rows for one staging table.
pub(super) struct Chunk {
    pub(super) copies: Vec<(&'static str, CopyRows)>,
    pub(super) rejections: Rejections,
    pub(super) records: u64,
    /// Of the input, read so far.
    pub(super) bytes: u64,
}

/// What is known once everything is read.
pub(super) struct Dump {
    /// When the dump was made.
    pub(super) made_at: DateTime<Utc>,
    /// Of the names and contents of all files that are read.
    pub(super) sha256: [u8; 32],
    /// The same, unpacked.
    pub(super) size_bytes: u64,
    pub(super) months: BTreeSet<NaiveDate>,
    /// The tables that it has.
    pub(super) tables: BTreeSet<&'static str>,
    /// The input, for errors.
    pub(super) place: String,
}

#[derive(Deserialize)]
struct Metadata {
    timestamp: String,
}

/// Reads the dump at `input` and sends its rows, unless it turns out not to be `which` is meant; those of a first import
/// with the ids that `moves` makes.
pub(super) fn read(
    input: &Path,
    which: Which,
    moves: Option<Moves>,
    sender: mpsc::Sender<Chunk>,
) -> Result<Dump> {
    let meter = Meter::default();
    let mut reader = Reader::new(sender, meter.clone(), which, moves);
    let walked = source::walk(input, &meter, &mut reader);
    if let Some(failure) = reader.failure {
        return Err(failure);
    }
    walked?;
    let missing = |file: &str| {
        let reason = format!("has no {file}; expected crates.io's database dump, packed or unpacked");
        Error::Input { place: input.display().to_string(), reason }
    };
    let made_at = reader.made_at.ok_or_else(|| missing("metadata.json"))?;
    for Table { name, is_recent, .. } in &TABLES {
        if !is_recent && !reader.hashes.contains_key(*name) {
            return Err(missing(&format!("data/{name}.csv")));
        }
    }
    let mut all = Sha256::new();
    for (name, hash) in &reader.hashes {
        all.update(name);
        all.update(hash);
    }
    let Reader { size_bytes, seen, hashes, .. } = reader;
    Ok(Dump {
        made_at,
        sha256: all.finalize().into(),
        size_bytes,
        months: seen.months,
        tables: hashes.into_keys().collect(),
        place: input.display().to_string(),
    })
}

struct Reader {
    sender: mpsc::Sender<Chunk>,
    meter: Meter,
    seen: Seen,
    /// By the names of the tables; metadata.json among them.
    hashes: BTreeMap<&'static str, [u8; 32]>,
    size_bytes: u64,
    which: Which,
    made_at: Option<DateTime<Utc>>,
    failure: Option<Error>,
}

impl Visitor for Reader {
    fn file(&mut self, entry: Entry<'_>) -> ControlFlow<()> {
        let file = entry.path.rsplit('/').next().unwrap_or_default();
        let read = if file == "metadata.json" {
            self.metadata(entry)
        } else if let Some(table) = TABLES.iter().find(|table| is_file_of(table, entry.path)) {
            self.table(table, entry)
        } else {
            return ControlFlow::Continue(());
        };
        match read {
            Ok(flow) => flow,
            Err(failure) => {
                self.failure = Some(failure);
                ControlFlow::Break(())
            }
        }
    }

    /// A file of the dump that can't be opened would pass for an empty one.
    fn rejected(&mut self, rejection: Rejection) -> ControlFlow<()> {
        self.failure = Some(Error::Input { place: rejection.place, reason: rejection.reason });
        ControlFlow::Break(())
    }
}

fn is_file_of(table: &Table, path: &str) -> bool {
    path.strip_suffix(".csv")
        .and_then(|path| path.strip_suffix(table.name))
        .is_some_and(|folder| folder == "data/" || folder.ends_with("/data/"))
}

impl Reader {
    fn new(sender: mpsc::Sender<Chunk>, meter: Meter, which: Which, moves: Option<Moves>) -> Self {
        Self {
            sender,
            meter,
            seen: Seen::new(moves),
            hashes: BTreeMap::new(),
            size_bytes: 0,
            which,
            made_at: None,
            failure: None,
        }
    }

    fn metadata(&mut self, Entry { place, content, .. }: Entry<'_>) -> Result<ControlFlow<()>> {
        let place = place.to_owned();
        let bad = |reason: String| Error::Input { place: place.clone(), reason };
        let mut text = Vec::new();
        content.take(1024 * 1024).read_to_end(&mut text).map_err(|error| bad(error.to_string()))?;
        let metadata: Metadata = check::json(&text).map_err(|reason| bad(reason.into()))?;
        let made_at = table::time("timestamp", &metadata.timestamp).map_err(bad)?;
        self.which.check(made_at, &place)?;
        self.made_at = Some(made_at);
        self.once("metadata", Sha256::digest(&text).into(), text.len() as u64, &place)
    }

    fn table(
        &mut self,
        table: &'static Table,
        Entry { place: file, content, .. }: Entry<'_>,
    ) -> Result<ControlFlow<()>> {
        let place = format!("data/{}.csv", table.name);
        let unreadable = |line: u64, error: csv::Error| {
            // The error's own text has no line where it is the archive that broke off.
            let reason = format!("can't be read: {error}");
            Error::Input { place: format!("{place}:{line}"), reason }
        };
        let budget = Rc::new(Cell::new(MAX_RECORD_BYTES));
        let (mut hash, mut size_bytes) = (Sha256::new(), 0);
        let content =
            Hashed { inner: content, hash: &mut hash, size: &mut size_bytes, budget: budget.clone() };
        let mut csv =
            csv::ReaderBuilder::new().flexible(true).buffer_capacity(64 * 1024).from_reader(content);
        let header = csv.byte_headers().map_err(|error| unreadable(1, error))?.clone();
        let position = |column: &&str| {
            let found = header.iter().position(|name| name == column.as_bytes());
            let reason = format!("has no column {column:?} in its header");
            found.ok_or_else(|| Error::Input { place: format!("{place}:1"), reason })
        };
        let positions = table.columns.iter().map(position).collect::<Result<Vec<_>>>()?;

        let mut rows = CopyRows::new();
        let (mut rejections, mut records) = (Rejections::default(), 0);
        let mut record = ByteRecord::new();
        loop {
            budget.set(MAX_RECORD_BYTES);
            let line = csv.position().line();
            if !csv.read_byte_record(&mut record).map_err(|error| unreadable(line, error))? {
                break;
            }
            records += 1;
            let line = record.position().map_or(0, csv::Position::line);
            let fields = Fields { record: &record, columns: table.columns, positions: &positions };
            let written = if record.len() == header.len() {
                (table.row)(&fields, i64::try_from(line).unwrap_or(i64::MAX), &mut rows, &mut self.seen)
            } else {
                Err(format!("has {} fields, and the header {}", record.len(), header.len()))
            };
            if let Err(reason) = written {
                rejections.push(Rejection::new(format!("{place}:{line}"), reason));
            }
            if rows.size() + self.seen.size() >= CHUNK_BYTES {
                let rows = mem::replace(&mut rows, CopyRows::new());
                let (rejections, records) = (mem::take(&mut rejections), mem::take(&mut records));
                if self.send(table, rows, rejections, records, false).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        drop(csv);
        if self.send(table, rows, rejections, records, true).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        self.once(table.name, hash.finalize().into(), size_bytes, file)
    }

    /// `Break`: the writer has given up. Licences, of which there are few, wait for the last chunk of a table, so as not
    /// to come between the others.
    fn send(
        &mut self,
        table: &Table,
        rows: CopyRows,
        rejections: Rejections,
        records: u64,
        is_last: bool,
    ) -> ControlFlow<()> {
        let mut copies = vec![(table.copy, rows)];
        if is_last || self.seen.licences.size() > CHUNK_BYTES / 8 {
            copies.push((COPY_LICENCES, mem::replace(&mut self.seen.licences, CopyRows::new())));
        }
        if let Some(direct) = &mut self.seen.direct {
            copies.push((direct::COPY, mem::replace(&mut direct.rows, CopyRows::new())));
        }
        let chunk = Chunk { copies, rejections, records, bytes: self.meter.bytes() };
        if self.sender.blocking_send(chunk).is_err() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    fn once(
        &mut self,
        name: &'static str,
        hash: [u8; 32],
        size: u64,
        place: &str,
    ) -> Result<ControlFlow<()>> {
        self.size_bytes += size;
        if self.hashes.insert(name, hash).is_some() {
            let reason = "is in this input twice; expected a single dump".into();
            return Err(Error::Input { place: place.into(), reason });
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// Hashes and counts what is read, and refuses to go on within a record that has used up its budget: a quotation
/// mark that is never closed would make one record of the rest of the file.
struct Hashed<'a> {
    inner: &'a mut dyn BufRead,
    hash: &'a mut Sha256,
    size: &'a mut u64,
    budget: Rc<Cell<usize>>,
}

impl Read for Hashed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let left = self.budget.get().checked_sub(read).ok_or_else(|| {
            io::Error::other(format!(
                "a record is over {MAX_RECORD_BYTES} bytes long; is a quotation mark left open?"
            ))
        })?;
        self.budget.set(left);
        self.hash.update(&buffer[..read]);
        *self.size += read as u64;
        Ok(read)
    }
}

/// Reads a file of the table that its first line names.
#[cfg(any(test, feature = "fuzzing"))]
pub(super) fn fuzz(data: &[u8]) {
    let Some(end) = data.iter().position(|byte| *byte == b'\n') else { return };
    let (name, mut content) = (&data[..end], &data[end + 1..]);
    let Some(table) = TABLES.iter().find(|table| table.name.as_bytes() == name) else { return };
    let (sender, mut receiver) = mpsc::channel(8);
    let which = Which { age: super::Age::Any, stored: None };
    let mut reader = Reader::new(sender, Meter::default(), which, None);
    let place = format!("data/{}.csv", table.name);
    let _ = reader.file(Entry { path: &place, place: &place, content: &mut content });
    assert!(reader.failure.is_none() || !reader.hashes.contains_key(table.name));
    drop(reader.sender);
    while let Some(Chunk { copies, rejections, records, .. }) = receiver.blocking_recv() {
        for (statement, rows) in copies {
            if statement == COPY_LICENCES {
                assert!(rows.rows().iter().all(|columns| columns.len() == 3));
            } else {
                let rows = rows.rows().len() as u64;
                assert_eq!(rows + rejections.total, records, "each record is a row or is rejected");
            }
        }
        for rejection in rejections.listed {
            assert!(rejection.place.starts_with(&place) && !rejection.reason.is_empty(), "{rejection:?}");
        }
    }
}
