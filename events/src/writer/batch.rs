//! Sealed batches: immutable bytes of one table and one partition, named by their hash.

use bytes::Bytes;
use chrono::{DateTime, Datelike as _, Utc};
use sha2::{Digest, Sha256};

use super::encode::{self, Table};
use crate::envelope::{Event, EventId, Rejection};

/// Where a batch goes.
#[derive(Clone, Copy)]
pub(super) struct Destination {
    pub table: &'static Table,
    /// Year and month as `YYYYMM`: the partition; 0 for a table without.
    pub month: u32,
    /// Counted from 1; 0 where the server need not be told.
    pub shard: u32,
}

/// Rows that are encoded for good. Sent again, they are the same bytes under the same id.
pub(super) struct Batch {
    /// Hash of the content: the deduplication token.
    pub id: EventId,
    /// Where it goes.
    pub destination: Destination,
    /// How many rows it has.
    pub rows: usize,
    /// `RowBinaryWithNamesAndTypes`.
    pub bytes: Bytes,
    /// Where each row ends in `bytes`.
    pub ends: Vec<u32>,
}

impl Batch {
    /// Seals events of one month; `None` if there are none.
    pub(super) fn of_events(mut events: Vec<Event>) -> Option<Self> {
        // In the table's order: the server need not sort, and the order of arrival makes no other batch.
        events.sort_by(|left, right| sort_key(left).cmp(&sort_key(right)));
        let month = month(events.first()?.occurred_at);
        let destination = Destination { table: &encode::EVENTS, month, shard: 0 };
        Self::seal(destination, &events, encode::event)
    }

    /// Seals rejections; `None` if there are none.
    pub(super) fn of_rejections(mut rejections: Vec<Rejection>) -> Option<Self> {
        rejections.sort_by_key(|rejection| rejection.letter_id);
        // Two inputs that are broken alike at one place are one letter.
        rejections.dedup_by_key(|rejection| rejection.letter_id);
        let destination = Destination { table: &encode::DEAD_LETTERS, month: 0, shard: 0 };
        Self::seal(destination, &rejections, encode::rejection)
    }

    fn seal<T>(destination: Destination, rows: &[T], encode: fn(&T, &mut Vec<u8>)) -> Option<Self> {
        if rows.is_empty() {
            return None;
        }
        let mut bytes = destination.table.header();
        let mut ends = Vec::with_capacity(rows.len());
        for row in rows {
            encode(row, &mut bytes);
            ends.push(bytes.len() as u32);
        }
        Some(Self::of_rows(destination, bytes, ends))
    }

    /// Seals `bytes`, the table's header and encoded rows that end at `ends`.
    pub(super) fn of_rows(destination: Destination, bytes: Vec<u8>, ends: Vec<u32>) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(destination.table.name);
        hasher.update(&bytes);
        Self { id: EventId::truncated(hasher), destination, rows: ends.len(), bytes: bytes.into(), ends }
    }

    /// The same rows for another shard.
    pub(super) fn to(self, destination: Destination) -> Self {
        Self { destination, ..self }
    }

    /// The bytes of the row at `index`, without the header.
    pub(super) fn row(&self, index: usize) -> &[u8] {
        let start =
            index.checked_sub(1).map_or_else(|| self.header_len(), |before| self.ends[before] as usize);
        &self.bytes[start..self.ends[index] as usize]
    }

    /// A batch of the rows at `indices`.
    pub(super) fn part(&self, indices: impl Iterator<Item = usize>) -> Self {
        let mut bytes = self.destination.table.header();
        let mut ends = Vec::new();
        for index in indices {
            bytes.extend_from_slice(self.row(index));
            ends.push(bytes.len() as u32);
        }
        Self::of_rows(self.destination, bytes, ends)
    }

    fn header_len(&self) -> usize {
        self.destination.table.header().len()
    }
}

/// Year and month as `YYYYMM`.
pub(super) fn month(time: DateTime<Utc>) -> u32 {
    time.year().unsigned_abs() * 100 + time.month()
}

fn sort_key(event: &Event) -> impl Ord + '_ {
    let Event { tenant, kind, repository, actor, occurred_at, event_id, .. } = event;
    (tenant, occurred_at.date_naive(), kind, repository, actor, occurred_at, event_id)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::envelope::{Attributes, Intake};

    /// A small event.
    pub(in crate::writer) fn event(id: u128, occurred_at: &str) -> Event {
        Event {
            tenant: "t".into(),
            event_id: EventId(id),
            source: "s".into(),
            kind: "k".into(),
            action: String::new(),
            repository: String::new(),
            actor: String::new(),
            occurred_at: occurred_at.parse().unwrap(),
            received_at: "2024-06-01T00:00:00Z".parse().unwrap(),
            subject: String::new(),
            title: String::new(),
            url: String::new(),
            attributes: Attributes::new(),
        }
    }

    #[test]
    fn the_order_of_arrival_makes_no_other_batch_and_the_content_does() {
        let [one, two, three] = [1, 2, 3].map(|id| event(id, "2024-02-01T00:00:00Z"));
        let id = |events: &[&Event]| {
            Batch::of_events(events.iter().map(|event| (*event).clone()).collect()).unwrap().id
        };
        assert_eq!(id(&[&one, &two]), id(&[&two, &one]));
        assert_ne!(id(&[&one, &two]), id(&[&one, &three]));
        assert_ne!(id(&[&one]), id(&[&one, &two]));
    }

    #[test]
    fn nothing_is_no_batch_and_equal_rejections_are_one_row() {
        assert!(Batch::of_events(Vec::new()).is_none());
        assert!(Batch::of_rejections(Vec::new()).is_none());
        let intake = Intake::new("t", "2024-06-01T00:00:00Z".parse().unwrap());
        let rejection = *Rejection::new(&intake, "s", "p", "r", b"x");
        assert_eq!(Batch::of_rejections(vec![rejection.clone(), rejection]).unwrap().rows, 1);
    }
}
