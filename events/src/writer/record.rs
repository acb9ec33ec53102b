//! A record of the log: rows that are encoded for good, each with its id and where it goes.
//!
//! Compressed with LZ4, since the disk is slower than that. In it: how many rows; of each its id (16 bytes), its
//! [`Target`] (4) and its length (4); then the rows.

use bytes::Bytes;
use chrono::{DateTime, Datelike as _, Utc};

use super::encode::{self, LAYOUTS, Table};
use crate::envelope::{EventId, Normalised, Payload};

/// Where a row goes: a table and, since a batch is of one partition, a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Target(u32);

const EVENTS: u32 = 0;
const DEAD_LETTERS: u32 = 1;
const PAYLOADS: u32 = 2;
const MONTH_BITS: u32 = 24;

impl Target {
    /// The table; `None` if a later release wrote the log.
    pub(super) fn table(self) -> Option<&'static Table> {
        LAYOUTS.get((self.0 >> MONTH_BITS) as usize).copied()
    }

    fn of_month(layout: u32, time: DateTime<Utc>) -> Self {
        Self(layout << MONTH_BITS | (time.year() as u32 * 12 + time.month0()))
    }

    /// Year and month as `YYYYMM`; 0 for a table without partitions.
    pub(super) fn month(self) -> u32 {
        let months = self.0 & ((1 << MONTH_BITS) - 1);
        if months == 0 { 0 } else { months / 12 * 100 + months % 12 + 1 }
    }
}

/// Rows as the log has them.
pub(super) struct Record {
    pub payload: Bytes,
    pub ids: Vec<EventId>,
}

/// Rows on their way into the log. Used again for the next record, it asks for no memory.
#[derive(Default)]
pub(super) struct Builder {
    ids: Vec<EventId>,
    index: Vec<u8>,
    rows: Vec<u8>,
    /// The record before it is compressed.
    plain: Vec<u8>,
}

impl Builder {
    /// Adds the row of `item`.
    pub(super) fn add(&mut self, item: &Normalised) {
        let start = self.rows.len();
        let (id, target) = match item {
            Ok(event) => {
                encode::event(event, &mut self.rows);
                (event.event_id, Target::of_month(EVENTS, event.occurred_at))
            }
            Err(rejection) => {
                encode::rejection(rejection, &mut self.rows);
                (rejection.letter_id, Target(DEAD_LETTERS << MONTH_BITS))
            }
        };
        self.index(id, target, start);
    }

    /// Adds the row of `payload`.
    pub(super) fn add_payload(&mut self, payload: &Payload) {
        let start = self.rows.len();
        encode::payload(payload, &mut self.rows);
        self.index(payload.event_id, Target::of_month(PAYLOADS, payload.occurred_at), start);
    }

    fn index(&mut self, id: EventId, target: Target, start: usize) {
        self.ids.push(id);
        self.index.extend_from_slice(&id.0.to_le_bytes());
        self.index.extend_from_slice(&target.0.to_le_bytes());
        self.index.extend_from_slice(&((self.rows.len() - start) as u32).to_le_bytes());
    }

    /// How many bytes the rows have.
    pub(super) fn bytes(&self) -> usize {
        self.rows.len()
    }

    /// The record of what was added since the last, and the ids of its rows; `None` if nothing was.
    pub(super) fn finish(&mut self) -> Option<Record> {
        let Self { ids, index, rows, plain } = self;
        if ids.is_empty() {
            return None;
        }
        plain.clear();
        plain.extend_from_slice(&(ids.len() as u32).to_le_bytes());
        plain.extend_from_slice(index);
        plain.extend_from_slice(rows);
        index.clear();
        rows.clear();
        Some(Record {
            payload: lz4_flex::block::compress_prepend_size(plain).into(),
            ids: std::mem::take(ids),
        })
    }
}

/// Calls `row` with the rows of a record, in order. An error says why `payload` is no record.
pub(super) fn rows(payload: &[u8], mut row: impl FnMut(EventId, Target, &[u8])) -> Result<(), String> {
    const ENTRY: usize = 24;
    let plain = lz4_flex::block::decompress_size_prepended(payload).map_err(|error| error.to_string())?;
    let short = || "it is shorter than it says".to_owned();
    let count = plain.first_chunk::<4>().map(|bytes| u32::from_le_bytes(*bytes)).ok_or_else(short)?;
    let (index, mut rest) = plain[4..].split_at_checked(count as usize * ENTRY).ok_or_else(short)?;
    for entry in index.chunks_exact(ENTRY) {
        let (id, tail) = entry.split_first_chunk::<16>().ok_or_else(short)?;
        let (target, tail) = tail.split_first_chunk::<4>().ok_or_else(short)?;
        let length = tail.first_chunk::<4>().map(|bytes| u32::from_le_bytes(*bytes)).ok_or_else(short)?;
        let (bytes, after) = rest.split_at_checked(length as usize).ok_or_else(short)?;
        row(EventId(u128::from_le_bytes(*id)), Target(u32::from_le_bytes(*target)), bytes);
        rest = after;
    }
    Ok(())
}

/// Reads a record of the log and what is in it; an event that reads back reads back again.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(payload: &[u8]) {
    let _ = rows(payload, |id, target, row| {
        let _ = target.table();
        let Some(event) = super::decode::event(row) else { return };
        let mut builder = Builder::default();
        builder.add(&Ok(event.clone()));
        let again = builder.finish().expect("it has a row");
        assert_eq!(again.ids, [event.event_id], "of {id}");
        let read =
            rows(&again.payload, |_, _, row| assert_eq!(super::decode::event(row).as_ref(), Some(&event)));
        assert_eq!(read, Ok(()));
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::writer::batch::tests::event;

    #[test]
    fn rows_come_back_as_they_went_in_and_a_short_record_is_an_error() {
        let events = [event(1, "2024-01-31T00:00:00Z"), event(2, "1900-02-01T00:00:00Z")];
        let mut builder = Builder::default();
        events.iter().for_each(|event| builder.add(&Ok(event.clone())));
        let Record { payload, ids } = builder.finish().unwrap();
        assert_eq!(ids, [EventId(1), EventId(2)]);
        let mut found = Vec::new();
        rows(&payload, |id, target, row| found.push((id, target.0, row.to_vec()))).unwrap();
        let expected = events.map(|event| {
            let mut row = Vec::new();
            encode::event(&event, &mut row);
            let month = if event.event_id.0 == 1 { 2024 * 12 } else { 1900 * 12 + 1 };
            (event.event_id, month, row)
        });
        assert_eq!(found, expected);
        for plain in [&[][..], &[9, 0, 0, 0], &[1, 0, 0, 0, 0, 0]] {
            assert!(rows(&lz4_flex::block::compress_prepend_size(plain), |_, _, _| {}).is_err(), "{plain:?}");
        }
        assert!(rows(b"", |_, _, _| {}).is_err() && builder.finish().is_none());
    }
}
