//! Rows as `RowBinaryWithNamesAndTypes`.
//!
//! Encoded here and not by the driver's `insert`, because the driver keeps its bytes to itself: a batch has to
//! be hashed, and sent again as it is. The header makes the server check every name and type before it takes a
//! row, so a table that has moved on refuses the batch and does not misread it.

use chrono::{DateTime, Utc};

use crate::envelope::{Event, EventId, Payload, Rejection};

/// A table and the columns that are sent to it, in order.
pub(super) struct Table {
    /// The table's name.
    pub name: &'static str,
    /// Name and type of every column that is sent.
    pub columns: &'static [(&'static str, &'static str)],
}

pub(super) static EVENTS: Table = Table {
    name: "events",
    columns: &[
        ("tenant", "LowCardinality(String)"),
        ("event_id", "UUID"),
        ("source", "LowCardinality(String)"),
        ("kind", "LowCardinality(String)"),
        ("action", "LowCardinality(String)"),
        ("repository", "String"),
        ("actor", "String"),
        ("occurred_at", "DateTime64(3, 'UTC')"),
        ("received_at", "DateTime64(3, 'UTC')"),
        ("subject", "String"),
        ("title", "String"),
        ("url", "String"),
        ("attributes", "Map(LowCardinality(String), String)"),
    ],
};

pub(super) static DEAD_LETTERS: Table = Table {
    name: "dead_letters",
    columns: &[
        ("tenant", "LowCardinality(String)"),
        ("letter_id", "UUID"),
        ("source", "LowCardinality(String)"),
        ("place", "String"),
        ("reason", "String"),
        ("payload", "String"),
        ("event_id", "Nullable(UUID)"),
        ("received_at", "DateTime64(3, 'UTC')"),
    ],
};

pub(super) static PAYLOADS: Table = Table {
    name: "event_payloads",
    columns: &[
        ("tenant", "LowCardinality(String)"),
        ("event_id", "UUID"),
        ("source", "LowCardinality(String)"),
        ("actor", "String"),
        ("occurred_at", "DateTime64(3, 'UTC')"),
        ("received_at", "DateTime64(3, 'UTC')"),
        ("payload", "String"),
    ],
};

/// The tables whose rows the log holds, by the number that stands there for them. A table whose columns change gets
/// another entry, since rows of the old form may wait in a log.
pub(super) static LAYOUTS: [&Table; 3] = [&EVENTS, &DEAD_LETTERS, &PAYLOADS];

impl Table {
    /// The statement that a batch of this table follows.
    pub(super) fn insert(&self) -> String {
        let columns: Vec<_> = self.columns.iter().map(|(name, _)| *name).collect();
        format!("INSERT INTO {} ({}) FORMAT RowBinaryWithNamesAndTypes", self.name, columns.join(", "))
    }

    /// The number of columns, their names, their types.
    pub(super) fn header(&self) -> Vec<u8> {
        let mut out = Vec::new();
        length(self.columns.len(), &mut out);
        self.columns.iter().for_each(|(name, _)| text(name, &mut out));
        self.columns.iter().for_each(|(_, kind)| text(kind, &mut out));
        out
    }
}

pub(super) fn event(event: &Event, out: &mut Vec<u8>) {
    text(&event.tenant, out);
    id(event.event_id, out);
    text(&event.source, out);
    text(&event.kind, out);
    text(&event.action, out);
    text(&event.repository, out);
    text(&event.actor, out);
    time(event.occurred_at, out);
    time(event.received_at, out);
    text(&event.subject, out);
    text(&event.title, out);
    text(&event.url, out);
    length(event.attributes.iter().count(), out);
    for (key, value) in event.attributes.iter() {
        text(key, out);
        text(value, out);
    }
}

pub(super) fn rejection(rejection: &Rejection, out: &mut Vec<u8>) {
    text(&rejection.tenant, out);
    id(rejection.letter_id, out);
    text(&rejection.source, out);
    text(&rejection.place, out);
    text(&rejection.reason, out);
    text(&rejection.payload, out);
    out.push(u8::from(rejection.event_id.is_none()));
    if let Some(event_id) = rejection.event_id {
        id(event_id, out);
    }
    time(rejection.received_at, out);
}

pub(super) fn payload(payload: &Payload, out: &mut Vec<u8>) {
    text(&payload.tenant, out);
    id(payload.event_id, out);
    text(&payload.source, out);
    text(&payload.actor, out);
    time(payload.occurred_at, out);
    time(payload.received_at, out);
    text(&payload.payload, out);
}

fn text(text: &str, out: &mut Vec<u8>) {
    length(text.len(), out);
    out.extend_from_slice(text.as_bytes());
}

/// Unsigned LEB128: seven bits a byte, low ones first, the top bit says that more follow.
fn length(length: usize, out: &mut Vec<u8>) {
    let mut rest = length;
    while rest >= 0x80 {
        out.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

fn id(id: EventId, out: &mut Vec<u8>) {
    let (high, low) = id.halves();
    out.extend_from_slice(&high.to_le_bytes());
    out.extend_from_slice(&low.to_le_bytes());
}

/// `DateTime64(3)`: milliseconds since 1970.
fn time(time: DateTime<Utc>, out: &mut Vec<u8>) {
    out.extend_from_slice(&time.timestamp_millis().to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_leb128() {
        for (number, bytes) in [(0, &[0][..]), (127, &[127]), (128, &[0x80, 1]), (16_384, &[0x80, 0x80, 1])] {
            let mut out = Vec::new();
            length(number, &mut out);
            assert_eq!(out, bytes, "{number}");
        }
    }

    #[test]
    fn a_time_before_1970_is_negative() {
        let mut out = Vec::new();
        time("1969-12-31T23:59:59.999Z".parse().unwrap(), &mut out);
        assert_eq!(out, [0xff; 8]);
    }
}
