//! Rows for the throwaway database: made up by the columns' types, and read back to see what is still there.

use std::collections::BTreeMap;

use clickhouse::Row;
use serde::Deserialize;

use super::finding::Unfilled;
use super::history::literal;
use crate::client::Client;
use crate::error::{Class, Error, Result};

/// How many rows each table gets in a round.
const ROWS: u64 = 3;

/// With how many seeds a table is tried whose constraints refuse the plain rows.
const SEEDS: u64 = 8;

/// A table that keeps what is inserted into it.
struct Plain {
    name: String,
    is_final: bool,
    columns: Vec<Column>,
}

#[derive(Row, Deserialize)]
struct Column {
    table: String,
    engine: String,
    name: String,
    r#type: String,
    default_kind: String,
}

/// What the plain tables hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Contents {
    tables: BTreeMap<String, Content>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Content {
    select: String,
    /// JSON, sorted.
    rows: Vec<String>,
}

impl Contents {
    /// Reads every plain table, without the tables and columns that `is_lost` names.
    pub(super) async fn read(client: &Client, is_lost: impl Fn(&str, &str) -> bool) -> Result<Self> {
        let mut tables = BTreeMap::new();
        for table in plain_tables(client).await? {
            let columns = table.columns.iter().filter(|column| !is_lost(&table.name, &column.name));
            let columns: Vec<_> = columns.map(|column| quoted(&column.name)).collect();
            if columns.is_empty() {
                continue;
            }
            let last = if table.is_final { " FINAL" } else { "" };
            let select = format!("SELECT {} FROM {}{last}", columns.join(", "), quoted(&table.name));
            let rows = rows(client, &select).await?;
            tables.insert(table.name, Content { select, rows });
        }
        Ok(Self { tables })
    }

    /// The rows that are gone or altered since, by table. A table or column that is not there any more is left to
    /// the comparison of the catalogs.
    pub(super) async fn lost(&self, client: &Client) -> Result<Vec<(String, Vec<String>)>> {
        let mut lost = Vec::new();
        for (table, content) in &self.tables {
            let mut now = match rows(client, &content.select).await {
                Ok(rows) => rows,
                Err(error) if error.class() == Class::Schema => continue,
                Err(error) => return Err(error),
            };
            let mut gone = content.rows.clone();
            gone.retain(|row| match now.binary_search(row) {
                Ok(found) => {
                    now.remove(found);
                    false
                }
                Err(_) => true,
            });
            if !gone.is_empty() {
                lost.push((table.clone(), gone));
            }
        }
        Ok(lost)
    }

    /// The names of the tables that hold something else than in `other`.
    pub(super) fn differing(&self, other: &Self) -> Vec<String> {
        let names =
            self.tables.keys().chain(other.tables.keys().filter(|name| !self.tables.contains_key(*name)));
        names.filter(|name| self.tables.get(*name) != other.tables.get(*name)).cloned().collect()
    }
}

async fn rows(client: &Client, select: &str) -> Result<Vec<String>> {
    let json = client.json_lines(client.query(select)).await?;
    let mut rows: Vec<String> = json.lines().map(ToOwned::to_owned).collect();
    rows.sort_unstable();
    Ok(rows)
}

/// Puts rows into every plain table, others than in earlier rounds; says which tables take none.
pub(super) async fn fill(client: &Client, round: u64) -> Result<Vec<Unfilled>> {
    let mut unfilled = Vec::new();
    for table in plain_tables(client).await? {
        let mut reason = None;
        for attempt in 0..=SEEDS {
            let sql = insert(&table, round, attempt);
            let query = client
                .query(&sql)
                .with_setting("async_insert", "0")
                .with_setting("insert_deduplicate", "0")
                .with_setting("max_partitions_per_insert_block", "0");
            match client.execute(query).await {
                Ok(()) => {
                    reason = None;
                    break;
                }
                // What the plain rows are refused for says more than what random ones are.
                Err(Error::Server { message, .. }) => reason = reason.or(Some(message)),
                Err(error) => return Err(error),
            }
        }
        if let Some(reason) = reason {
            unfilled.push(Unfilled { table: table.name, reason });
        }
    }
    Ok(unfilled)
}

/// The first attempt has plain values for the common types, the others random ones for all.
fn insert(table: &Plain, round: u64, attempt: u64) -> String {
    let taken: Vec<&Column> = table
        .columns
        .iter()
        .filter(|column| matches!(column.default_kind.as_str(), "" | "DEFAULT"))
        .collect();
    let number = format!("(rowNumberInAllBlocks() + {})", round * ROWS + 1);
    let mut structure = Vec::new();
    let mut values = Vec::new();
    for column in &taken {
        let plain = if attempt == 0 { plain_value(&column.r#type, &number) } else { None };
        values.push(match plain {
            Some(value) => format!("CAST({value} AS {})", column.r#type),
            None => {
                structure.push(format!("{} {}", quoted(&column.name), column.r#type));
                quoted(&column.name)
            }
        });
    }
    let source = if structure.is_empty() {
        format!("numbers({ROWS})")
    } else {
        format!(
            "generateRandom({}, {}, 8, 2)",
            literal(&structure.join(", ")),
            round * (SEEDS + 1) + attempt + 1
        )
    };
    let names: Vec<_> = taken.iter().map(|column| quoted(&column.name)).collect();
    format!(
        "INSERT INTO {} ({}) SELECT {} FROM {source} LIMIT {ROWS}",
        quoted(&table.name),
        names.join(", "),
        values.join(", ")
    )
}

/// A value that most constraints take: text that is not empty, numbers above zero, times to come, so that no TTL
/// is due.
fn plain_value(r#type: &str, number: &str) -> Option<String> {
    let name = r#type.split('(').next().unwrap_or_default();
    match name {
        "LowCardinality" | "Nullable" => {
            let inner = r#type.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')')?;
            plain_value(inner, number)
        }
        "AggregateFunction" => {
            let (function, argument) =
                r#type.strip_prefix("AggregateFunction(")?.strip_suffix(')')?.split_once(", ")?;
            let value = plain_value(argument, number)?;
            Some(format!("initializeAggregation('{function}State', CAST({value} AS {argument}))"))
        }
        "SimpleAggregateFunction" => {
            let inner = r#type.strip_suffix(')')?.split_once(", ")?.1;
            plain_value(inner, number)
        }
        "String" => Some(format!("concat('row ', toString({number}))")),
        "UUID" => Some(format!("reinterpret(toUInt128({number}), 'UUID')")),
        // The sign of a collapsing table is such a number, and has to be 1 or -1.
        "Int8" => Some("1".to_owned()),
        "UInt8" => Some(format!("{number} % 250 + 1")),
        "Date" | "Date32" | "DateTime" | "DateTime64" => {
            Some(format!("addDays(toDateTime('2040-01-01 12:00:00', 'UTC'), {number} % 9000)"))
        }
        _ if name.starts_with("Int") || name.starts_with("UInt") => Some(number.to_owned()),
        _ if name.starts_with("Float") || name.starts_with("Decimal") => Some(number.to_owned()),
        _ => None,
    }
}

async fn plain_tables(client: &Client) -> Result<Vec<Plain>> {
    let query = client.query(
        "SELECT c.table AS table, t.engine AS engine, c.name AS name, c.type AS type, c.default_kind AS default_kind
         FROM system.columns AS c
         INNER JOIN system.tables AS t ON t.database = c.database AND t.name = c.table
         WHERE c.database = {database:String} AND c.default_kind NOT IN ('ALIAS', 'EPHEMERAL')
             AND (t.engine LIKE '%MergeTree' OR t.engine IN ('Memory', 'Log', 'TinyLog', 'StripeLog'))
             AND t.name != 'migrations' AND NOT startsWith(t.name, '.inner')
         ORDER BY c.table, c.position",
    );
    let columns: Vec<Column> = client.rows(query.param("database", client.database())).await?;
    let mut tables: Vec<Plain> = Vec::new();
    for column in columns {
        match tables.last_mut().filter(|table| table.name == column.table) {
            Some(table) => table.columns.push(column),
            None => tables.push(Plain {
                name: column.table.clone(),
                is_final: collapses(&column.engine),
                columns: vec![column],
            }),
        }
    }
    Ok(tables)
}

/// Whether merges make fewer rows of several, so that only `FINAL` reads the same before and after.
fn collapses(engine: &str) -> bool {
    ["Replacing", "Collapsing", "Summing", "Aggregating", "Coalescing", "Graphite"]
        .iter()
        .any(|kind| engine.contains(kind))
}

/// `name` as an identifier of ClickHouse.
pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`"))
}
