//! Rows in PostgreSQL's binary COPY format, and sending them.
//!
//! Binary, because a value that is preceded by its length needs no escaping. The types must be exactly those of
//! the staging table's columns. Format: PostgreSQL's documentation of COPY, "Binary Format".

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::sqlx::{PgConnection, postgres::PgCopyIn};

use crate::Result;

const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// 2000-01-01 00:00 UTC, from which PostgreSQL counts, in microseconds since 1970.
const POSTGRES_EPOCH_US: i64 = 946_684_800_000_000;
const POSTGRES_EPOCH_DAY: NaiveDate = NaiveDate::from_ymd_opt(2000, 1, 1).expect("is a day");
/// `pg_type.oid` of text, which the server checks against the array's element type.
const TEXT_OID: i32 = 25;

/// Rows for one `copy … from stdin (format binary)`.
pub(super) struct CopyRows {
    buffer: Vec<u8>,
    is_empty: bool,
}

impl CopyRows {
    pub(super) fn new() -> Self {
        Self { buffer: HEADER.to_vec(), is_empty: true }
    }

    /// Bytes gathered so far.
    pub(super) fn size(&self) -> usize {
        self.buffer.len()
    }

    /// Starts a row; the caller then writes exactly `columns` values.
    pub(super) fn row(&mut self, columns: i16) -> &mut Self {
        self.is_empty = false;
        self.buffer.extend_from_slice(&columns.to_be_bytes());
        self
    }

    pub(super) fn bytea(&mut self, value: &[u8]) -> &mut Self {
        self.length(value.len());
        self.buffer.extend_from_slice(value);
        self
    }

    /// `value` must be free of NUL, which PostgreSQL's text can't hold; see [`super::check`].
    pub(super) fn text(&mut self, value: &str) -> &mut Self {
        debug_assert!(!value.contains('\0'), "{value:?}");
        self.bytea(value.as_bytes())
    }

    pub(super) fn boolean(&mut self, value: bool) -> &mut Self {
        self.bytea(&[u8::from(value)])
    }

    pub(super) fn integer(&mut self, value: i32) -> &mut Self {
        self.bytea(&value.to_be_bytes())
    }

    pub(super) fn bigint(&mut self, value: i64) -> &mut Self {
        self.bytea(&value.to_be_bytes())
    }

    pub(super) fn timestamptz(&mut self, value: DateTime<Utc>) -> &mut Self {
        self.bigint(value.timestamp_micros() - POSTGRES_EPOCH_US)
    }

    /// Days are counted from the same day as times.
    pub(super) fn date(&mut self, value: NaiveDate) -> &mut Self {
        self.integer(value.signed_duration_since(POSTGRES_EPOCH_DAY).num_days() as i32)
    }

    /// `value` is JSON text; its first byte on the wire is the version of the format.
    pub(super) fn jsonb(&mut self, value: &str) -> &mut Self {
        self.length(value.len() + 1);
        self.buffer.push(1);
        self.buffer.extend_from_slice(value.as_bytes());
        self
    }

    pub(super) fn text_array(&mut self, values: &[String]) -> &mut Self {
        let dimensions: &[i32] = if values.is_empty() { &[] } else { &[as_i32(values.len()), 1] };
        let size = 12 + 4 * dimensions.len() + values.iter().map(|value| 4 + value.len()).sum::<usize>();
        self.length(size);
        let has_dimension = i32::from(!values.is_empty());
        for header in [has_dimension, 0, TEXT_OID].iter().chain(dimensions) {
            self.buffer.extend_from_slice(&header.to_be_bytes());
        }
        for value in values {
            self.text(value);
        }
        self
    }

    /// Null, or the value as `write` writes it.
    pub(super) fn optional<T>(
        &mut self,
        value: Option<T>,
        write: impl FnOnce(&mut Self, T) -> &mut Self,
    ) -> &mut Self {
        match value {
            Some(value) => write(self, value),
            None => {
                self.buffer.extend_from_slice(&(-1_i32).to_be_bytes());
                self
            }
        }
    }

    /// The values of each row, as they lie on the wire.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn rows(&self) -> Vec<Vec<Option<&[u8]>>> {
        let mut rest = self.buffer.strip_prefix(HEADER).expect("it begins with the header");
        let mut rows = Vec::new();
        while let Some((columns, after)) = rest.split_first_chunk() {
            rest = after;
            let mut values = Vec::new();
            for _ in 0..i16::from_be_bytes(*columns) {
                let (length, after) = rest.split_first_chunk().expect("a value has a length");
                rest = after;
                values.push(usize::try_from(i32::from_be_bytes(*length)).ok().map(|length| {
                    let (value, after) = rest.split_at(length);
                    rest = after;
                    value
                }));
            }
            rows.push(values);
        }
        assert!(rest.is_empty(), "{} bytes follow the last row", rest.len());
        rows
    }

    fn length(&mut self, bytes: usize) {
        self.buffer.extend_from_slice(&as_i32(bytes).to_be_bytes());
    }

    /// Begins `statement`, a `copy … from stdin (format binary)`, with the rows. Others may follow before it is finished; the
    /// server takes the end of the COPY for that of the rows, without the format's trailer.
    pub(super) async fn begin<'c>(
        self,
        connection: &'c mut PgConnection,
        statement: &str,
    ) -> Result<PgCopyIn<&'c mut PgConnection>> {
        let mut copy = connection.copy_in_raw(statement).await?;
        copy.send(self.buffer).await?;
        Ok(copy)
    }

    /// Sends the rows after others of the same statement.
    pub(super) async fn follow(self, copy: &mut PgCopyIn<&mut PgConnection>) -> Result<()> {
        copy.send(&self.buffer[HEADER.len()..]).await?;
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// Sends the rows through `statement`, a `copy … from stdin (format binary)`.
    pub(super) async fn send(self, connection: &mut PgConnection, statement: &str) -> Result<()> {
        if !self.is_empty {
            self.begin(connection, statement).await?.finish().await?;
        }
        Ok(())
    }
}

/// Documents, and so every length within one, are bounded far below 2 GiB.
fn as_i32(value: usize) -> i32 {
    i32::try_from(value).expect("lengths are bounded by the size limit of a document")
}
