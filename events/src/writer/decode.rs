//! Encoded rows, read back: what a dead letter shows of an event that the server refused, and the columns that say where
//! a row belongs.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::batch::{Destination, month};
use super::encode::Table;
use crate::envelope::time::{EARLIEST, END};
use crate::envelope::{Attributes, Event, EventId};

/// The event that `row` was encoded from; `None` if it was encoded from none.
pub(super) fn event(row: &[u8]) -> Option<Event> {
    let mut rest = row;
    let row = &mut rest;
    Some(Event {
        tenant: text(row)?,
        event_id: id(row)?,
        source: text(row)?,
        kind: text(row)?,
        action: text(row)?,
        repository: text(row)?,
        actor: text(row)?,
        occurred_at: time(row)?,
        received_at: time(row)?,
        subject: text(row)?,
        title: text(row)?,
        url: text(row)?,
        attributes: attributes(row)?,
    })
}

/// The bytes of `column` in a row of `table`; of a text without its length. `None` if there is no such column, or one
/// before it that can't be passed over.
pub(super) fn value<'a>(table: &Table, row: &'a [u8], column: &str) -> Option<&'a [u8]> {
    let mut rest = row;
    for (name, kind) in table.columns {
        let length = match *kind {
            "String" | "LowCardinality(String)" => length(&mut rest)?,
            "UUID" => 16,
            "DateTime64(3, 'UTC')" => 8,
            _ => return None,
        };
        let (value, after) = rest.split_at_checked(length)?;
        if *name == column {
            return Some(value);
        }
        rest = after;
    }
    None
}

/// The id of the dead letter that `row` of `table` is; `None` if it is none.
pub(super) fn letter_id(table: &Table, row: &[u8]) -> Option<EventId> {
    value(table, row, "letter_id").and_then(|mut bytes| id(&mut bytes))
}

/// Where a row of `table` goes, as far as it says itself: the month of `occurred_at`.
pub(super) fn destination(table: &'static Table, row: &[u8]) -> Destination {
    let time = value(table, row, "occurred_at").and_then(|mut bytes| time(&mut bytes));
    Destination { table, month: time.map_or(0, month), shard: 0 }
}

fn attributes(row: &mut &[u8]) -> Option<Attributes> {
    let count = length(row)?;
    let entries = (0..count).map(|_| Some((text(row)?, text(row)?))).collect::<Option<BTreeMap<_, _>>>()?;
    Some(Attributes::stored(entries))
}

fn text(row: &mut &[u8]) -> Option<String> {
    let length = length(row)?;
    let (text, rest) = row.split_at_checked(length)?;
    *row = rest;
    String::from_utf8(text.to_vec()).ok()
}

fn length(row: &mut &[u8]) -> Option<usize> {
    let mut length = 0;
    for shift in (0..usize::BITS).step_by(7) {
        let (byte, rest) = row.split_first()?;
        *row = rest;
        length |= usize::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(length);
        }
    }
    None
}

fn word(row: &mut &[u8]) -> Option<u64> {
    let (bytes, rest) = row.split_first_chunk::<8>()?;
    *row = rest;
    Some(u64::from_le_bytes(*bytes))
}

fn id(row: &mut &[u8]) -> Option<EventId> {
    let (high, low) = (word(row)?, word(row)?);
    Some(EventId(u128::from(high) << 64 | u128::from(low)))
}

/// None, too, for a time that no event is accepted with.
fn time(row: &mut &[u8]) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(word(row)? as i64).filter(|time| (EARLIEST..END).contains(time))
}

#[cfg(test)]
mod tests {
    use super::{destination, value};
    use crate::writer::batch::tests;
    use crate::writer::encode;

    #[test]
    fn an_event_reads_back_and_a_part_of_a_row_is_none() {
        let mut event = tests::event(u128::MAX - 7, "1900-01-01T00:00:00.001Z");
        event.title = "x".repeat(300);
        event.attributes.set("a", "b");
        let mut row = Vec::new();
        encode::event(&event, &mut row);
        assert_eq!(super::event(&row), Some(event));
        assert_eq!(value(&encode::EVENTS, &row, "actor"), Some(&b""[..]));
        assert_eq!(value(&encode::EVENTS, &row, "title"), Some("x".repeat(300).as_bytes()));
        assert_eq!(value(&encode::EVENTS, &row, "weight"), None);
        assert_eq!(destination(&encode::EVENTS, &row).month, 190_001);
        for length in 0..row.len() {
            assert_eq!(super::event(&row[..length]), None, "{length}");
        }
    }
}
