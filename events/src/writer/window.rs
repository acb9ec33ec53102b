//! A window of the log, cut into batches: the same window gives the same batches, whenever it is cut, as long as it is
//! cut for the same shards. Only who was erased since is left out, and makes another batch of the one that has them.

use std::collections::BTreeMap;
use std::io;

use super::batch::{Batch, Destination};
use super::encode::{EVENTS, PAYLOADS};
use super::recent::Ids;
use super::record::{self, Target};
use super::survey::Survey;
use crate::log::Reader;

/// Records that are sealed together.
pub(super) struct Window {
    /// The first record.
    pub from: u64,
    /// The record after the last.
    pub end: u64,
    /// One per table, month and shard.
    pub batches: Vec<Batch>,
    /// Events that were left out, because whose they are was erased.
    pub erased: u64,
    /// Rows that came twice in it.
    pub duplicates: u64,
    /// All rows that were read.
    pub rows: u64,
    /// Whether more might follow.
    pub is_full: bool,
}

/// Where a window ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum Extent {
    /// When a batch has this many rows, or all this many bytes, or nothing more is durable.
    Full {
        /// Rows of one batch.
        rows: usize,
        /// Bytes of all batches.
        bytes: usize,
    },
    /// Before this record: as it was sealed.
    Sealed(u64),
}

#[derive(Default)]
struct Group {
    ids: Ids,
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

/// Reads a window and seals its batches. Copies of an event within it are left out.
pub(super) fn cut(reader: &mut Reader, extent: Extent, survey: &Survey) -> io::Result<Window> {
    let from = reader.position();
    let mut groups: BTreeMap<(Target, u32), Group> = BTreeMap::new();
    let (mut duplicates, mut erased, mut total_rows, mut total_bytes, mut largest) = (0, 0, 0, 0, 0);
    let mut is_full;
    loop {
        is_full = match extent {
            Extent::Full { rows, bytes } => largest >= rows || total_bytes >= bytes,
            Extent::Sealed(end) => reader.position() >= end,
        };
        let Some(record) = (if is_full { None } else { reader.read()? }) else { break };
        let mut unknown = 0_u64;
        let read = record::rows(&record.payload, |id, target, row| {
            total_rows += 1;
            let Some(table) = target.table() else {
                unknown += 1;
                return;
            };
            if survey.erased.has_row(table, row) {
                erased += u64::from(table.name == EVENTS.name);
                return;
            }
            let group = groups.entry((target, survey.spread.shard_of(table, row))).or_default();
            if !group.ids.insert(id) {
                duplicates += u64::from(table.name != PAYLOADS.name);
                return;
            }
            if group.bytes.is_empty() {
                group.bytes = table.header();
            }
            group.bytes.extend_from_slice(row);
            group.ends.push(group.bytes.len() as u32);
            total_bytes += row.len();
            largest = largest.max(group.ends.len());
        });
        let broken = |reason: String| {
            io::Error::new(io::ErrorKind::InvalidData, format!("record {}: {reason}", record.number))
        };
        read.map_err(broken)?;
        if unknown > 0 {
            return Err(broken("a later release wrote it; use that one".to_owned()));
        }
    }
    let sealed = groups.into_iter().filter_map(|((target, shard), group)| {
        let destination = Destination { table: target.table()?, month: target.month(), shard };
        Some(Batch::of_rows(destination, group.bytes, group.ends))
    });
    Ok(Window {
        from,
        end: reader.position(),
        batches: sealed.collect(),
        erased,
        duplicates,
        rows: total_rows,
        is_full,
    })
}
