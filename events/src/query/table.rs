//! Results whose columns are known only when they come.

use clickhouse::query::Query;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::io::AsyncBufReadExt as _;

use crate::client::Client;
use crate::error::{Error, Result};

/// How many rows a [`Table`] holds at most.
pub const MAX_ROWS: usize = 10_000;

/// How long a statement may run for a [`Table`], in seconds.
pub const MAX_SECONDS: u32 = 60;

/// How many bytes a result may have; the server stops when it has produced so many.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// A result: named, typed columns and rows of JSON values.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Table {
    /// The columns, in order. None if the statement has no result.
    pub columns: Vec<Column>,
    /// The rows, each with a value per column. Numbers are numbers, but those beyond 64 bits and decimals are
    /// texts, so that no digit is lost; times, dates and ids are texts, arrays arrays and maps objects.
    pub rows: Vec<Vec<Value>>,
    /// Whether there were more than [`MAX_ROWS`] rows.
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
        .with_setting("max_result_rows", (MAX_ROWS + 1).to_string())
        .with_setting("max_result_bytes", MAX_BYTES.to_string())
        .with_setting("result_overflow_mode", "break")
        .with_setting("cancel_http_readonly_queries_on_client_close", "1")
        .with_setting("output_format_json_quote_64bit_integers", "0")
        .with_setting("output_format_json_quote_decimals", "1")
        .with_setting("output_format_decimal_trailing_zeros", "1")
        .with_setting("output_format_json_quote_denormals", "1")
        .with_setting("output_format_json_validate_utf8", "1")
        .fetch_bytes("JSONCompactEachRowWithNamesAndTypes")
        .map_err(|error| client.error(&error))?;
    let mut lines = cursor.lines();
    let mut next = async || lines.next_line().await.map_err(|error| client.error(&error.into()));

    let Some(names) = next().await? else { return Ok(Table::default()) };
    let types = next().await?.unwrap_or_default();
    let (names, types): (Vec<String>, Vec<String>) = (parse(&names)?, parse(&types)?);
    let columns: Vec<_> =
        names.into_iter().zip(types).map(|(name, r#type)| Column { name, r#type }).collect();
    let mut rows = Vec::new();
    while let Some(line) = next().await? {
        if rows.len() == MAX_ROWS {
            return Ok(Table { columns, rows, is_truncated: true });
        }
        let cells: Vec<&RawValue> = parse(&line)?;
        rows.push(cells.into_iter().map(cell).collect::<Result<_>>()?);
    }
    Ok(Table { columns, rows, is_truncated: false })
}

fn parse<'a, T: serde::Deserialize<'a>>(line: &'a str) -> Result<T> {
    serde_json::from_str(line).map_err(|_| {
        Error::Answer(
            "the result is not in the form that was asked for; leave FORMAT out of the statement".to_owned(),
        )
    })
}

/// A cell as a JSON value; a whole number that 64 bits do not hold stays as its digits.
fn cell(raw: &RawValue) -> Result<Value> {
    let text = raw.get();
    let value: Value = parse(text)?;
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
}
