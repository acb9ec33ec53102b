//! Results whose columns are known only when they come.

use clickhouse::query::Query;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _};

use crate::client::Client;
use crate::error::{Error, Result};

/// How many rows a [`Table`] holds at most.
pub const MAX_ROWS: usize = 10_000;

/// How long a statement may run for a [`Table`], in seconds.
pub const MAX_SECONDS: u32 = 60;

/// How many bytes of JSON a [`Table`] is read from at most.
pub const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// How many bytes of JSON one row of a [`Table`] has at most.
pub const MAX_ROW_BYTES: u64 = 16 * 1024 * 1024;

/// A result: named, typed columns and rows of JSON values.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Table {
    /// The columns, in order. None if the statement has no result.
    pub columns: Vec<Column>,
    /// The rows, each with a value per column. Numbers are numbers, but those beyond 64 bits and decimals are
    /// texts, so that no digit is lost; times, dates and ids are texts, arrays arrays and maps objects.
    pub rows: Vec<Vec<Value>>,
    /// Whether rows are missing at the end: there were more than [`MAX_ROWS`], together they had more than
    /// [`MAX_BYTES`], or the next one had more than [`MAX_ROW_BYTES`].
    pub is_truncated: bool,
}

/// A column of a [`Table`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its ClickHouse type, for example `UInt64` or `DateTime64(3, 'UTC')`.
    pub r#type: String,
}

/// Runs `query`, which may change nothing, within the bounds of a [`Table`].
pub(super) async fn fetch(client: &Client, query: Query) -> Result<Table> {
    let cursor = query
        // 1, not 2: the statement's own SETTINGS must not lift the limits that follow.
        .with_setting("readonly", "1")
        .with_setting("max_execution_time", MAX_SECONDS.to_string())
        // Only spares the server work: the one row too many tells that there were more.
        .with_setting("max_result_rows", (MAX_ROWS + 1).to_string())
        .with_setting("result_overflow_mode", "break")
        // The server would end the result as if there were no more, and it counts a constant column once.
        .with_setting("max_result_bytes", "0")
        .with_setting("cancel_http_readonly_queries_on_client_close", "1")
        .with_setting("output_format_json_quote_64bit_integers", "0")
        .with_setting("output_format_json_quote_decimals", "1")
        .with_setting("output_format_decimal_trailing_zeros", "1")
        .with_setting("output_format_json_quote_denormals", "1")
        .with_setting("output_format_json_validate_utf8", "1")
        .fetch_bytes("JSONCompactEachRowWithNamesAndTypes")
        .map_err(|error| client.error(&error))?;
    let mut lines = Lines { source: cursor, left: MAX_BYTES, longest: MAX_ROW_BYTES };
    let mut next = async || lines.next().await.map_err(|error| client.error(&error.into()));

    let Some(names) = columns(next().await?)? else { return Ok(Table::default()) };
    let types = columns(next().await?)?.unwrap_or_default();
    let columns: Vec<_> =
        names.into_iter().zip(types).map(|(name, r#type)| Column { name, r#type }).collect();
    let mut rows = Vec::new();
    loop {
        let line = match next().await? {
            Line::End => return Ok(Table { columns, rows, is_truncated: false }),
            Line::Whole(line) if rows.len() < MAX_ROWS => line,
            Line::Whole(_) | Line::TooLong => return Ok(Table { columns, rows, is_truncated: true }),
        };
        let cells: Vec<&RawValue> = parse(&line)?;
        rows.push(cells.into_iter().map(cell).collect::<Result<_>>()?);
    }
}

/// The names or the types of the columns.
fn columns(line: Line) -> Result<Option<Vec<String>>> {
    match line {
        Line::Whole(line) => parse(&line).map(Some),
        Line::End => Ok(None),
        Line::TooLong => {
            Err(Error::Answer(format!("the columns alone have more than {} MiB", MAX_ROW_BYTES >> 20)))
        }
    }
}

/// Reads lines of at most `longest` bytes and at most `left` bytes of them, holding no more than one.
struct Lines<S> {
    source: S,
    left: u64,
    longest: u64,
}

#[derive(Debug, PartialEq, Eq)]
enum Line {
    Whole(Vec<u8>),
    /// It is longer than it may be, or than what may still be read.
    TooLong,
    End,
}

impl<S: AsyncBufRead + Unpin> Lines<S> {
    async fn next(&mut self) -> std::io::Result<Line> {
        let limit = self.left.min(self.longest);
        let mut line = Vec::new();
        // One byte past the limit tells a line that is too long from one that ends there.
        let read = (&mut self.source).take(limit + 1).read_until(b'\n', &mut line).await? as u64;
        self.left = self.left.saturating_sub(read);
        Ok(if read > limit {
            Line::TooLong
        } else if line.is_empty() {
            Line::End
        } else {
            Line::Whole(line)
        })
    }
}

fn parse<'a, T: serde::Deserialize<'a>>(line: &'a [u8]) -> Result<T> {
    serde_json::from_slice(line).map_err(|_| {
        Error::Answer(
            "the result is not in the form that was asked for; leave FORMAT out of the statement".to_owned(),
        )
    })
}

/// A cell as a JSON value; a whole number that 64 bits do not hold stays as its digits.
fn cell(raw: &RawValue) -> Result<Value> {
    let text = raw.get();
    let value: Value = parse(text.as_bytes())?;
    let is_whole = text.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit());
    Ok(if value.is_f64() && is_whole { Value::String(text.to_owned()) } else { value })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_digit_of_a_cell_is_lost() {
        let read = |text: &str| cell(serde_json::from_str(text).unwrap()).unwrap();
        assert_eq!(read("18446744073709551615"), json!(u64::MAX));
        assert_eq!(read("-9223372036854775808"), json!(i64::MIN));
        assert_eq!(
            read("340282366920938463463374607431768211455"),
            json!("340282366920938463463374607431768211455")
        );
        assert_eq!(read("0.5"), json!(0.5));
        assert_eq!(read(r#"{"a":["b"]}"#), json!({"a": ["b"]}));
    }

    #[tokio::test]
    async fn lines_are_read_up_to_their_bounds_and_what_is_past_them_is_told_from_the_end() {
        let read = async |left, longest| {
            let mut lines = Lines { source: &b"abc\ndefg\nh"[..], left, longest };
            let mut found = Vec::new();
            loop {
                match lines.next().await.unwrap() {
                    Line::Whole(line) => found.push(String::from_utf8(line).unwrap()),
                    end => return (found.concat(), end),
                }
            }
        };
        assert_eq!(read(64, 64).await, ("abc\ndefg\nh".to_owned(), Line::End));
        assert_eq!(read(10, 5).await, ("abc\ndefg\nh".to_owned(), Line::End));
        assert_eq!(read(64, 4).await, ("abc\n".to_owned(), Line::TooLong));
        assert_eq!(read(9, 64).await, ("abc\ndefg\n".to_owned(), Line::TooLong));
        assert_eq!(read(3, 64).await, (String::new(), Line::TooLong));
    }
}
