//! A snapshot of the schema as the server sees it, to compare before and after a migration.

use std::collections::BTreeMap;

use clickhouse::Row;
use serde::{Deserialize, Serialize};

use super::rows::quoted;
use crate::client::Client;
use crate::error::Result;

/// Every table of the database but the ledger, by name. Equal snapshots mean equal schemas.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Catalog {
    /// The tables and views.
    pub tables: BTreeMap<String, Table>,
}

impl Catalog {
    /// What has to happen to `self` to become `other`: a line for every table, column or index that is gone
    /// (`-`), new (`+`) or different (both). Empty when they are equal.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        let names =
            self.tables.keys().chain(other.tables.keys().filter(|name| !self.tables.contains_key(*name)));
        for name in names {
            let (before, after) = (self.tables.get(name), other.tables.get(name));
            if before == after {
                continue;
            }
            let known = lines.len();
            let (before_parts, after_parts) = (before.map(Table::parts), after.map(Table::parts));
            let (gone, new) = (before_parts.unwrap_or_default(), after_parts.unwrap_or_default());
            lines.extend(gone.iter().filter(|part| !new.contains(part)).map(|part| format!("- {part}")));
            lines.extend(new.iter().filter(|part| !gone.contains(part)).map(|part| format!("+ {part}")));
            // The order of columns, constraints, projections: what only the definition as a whole has.
            if let (Some(before), Some(after), true) = (before, after, lines.len() == known) {
                lines.push(format!("- table {name}: {}", before.definition));
                lines.push(format!("+ table {name}: {}", after.definition));
            }
        }
        lines
    }
}

/// A table or view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// The engine with its keys, TTL and settings.
    pub engine: String,
    /// Expression of the partition key.
    pub partition_key: String,
    /// Expression of the sort key.
    pub sorting_key: String,
    /// The table's comment.
    pub comment: String,
    /// The whole definition with the database's name taken out: also what has no catalog table of its own,
    /// such as constraints.
    pub definition: String,
    /// Its columns, in order.
    pub columns: Vec<Column>,
    /// Its data-skipping indexes, by name.
    pub indexes: Vec<Index>,
}

impl Table {
    /// The table, its columns and its indexes, a line each.
    fn parts(&self) -> Vec<String> {
        let name = &self.name;
        let mut parts = vec![format!("table {name}: {}, comment '{}'", self.engine, self.comment)];
        parts.extend(self.columns.iter().map(|column| {
            let Column { table, name, r#type, default_kind, default_expression, codec, comment } = column;
            let text = [r#type, default_kind, default_expression, codec];
            let text: Vec<_> = text.into_iter().filter(|part| !part.is_empty()).map(String::as_str).collect();
            format!("column {table}.{name}: {}, comment '{comment}'", text.join(" "))
        }));
        parts.extend(self.indexes.iter().map(|index| {
            let Index { table, name, r#type, expression, granularity } = index;
            format!("index {table}.{name}: {expression} {type} granularity {granularity}")
        }));
        parts
    }
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Row)]
pub struct Column {
    /// The table it belongs to.
    pub table: String,
    /// Its name.
    pub name: String,
    /// Its type as ClickHouse writes it.
    pub r#type: String,
    /// `DEFAULT`, `MATERIALIZED`, `ALIAS`, `EPHEMERAL` or empty.
    pub default_kind: String,
    /// The expression of the default; empty if there is none.
    pub default_expression: String,
    /// The codec; empty for the server's default.
    pub codec: String,
    /// Its comment.
    pub comment: String,
}

/// A data-skipping index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Row)]
pub struct Index {
    /// The table it belongs to.
    pub table: String,
    /// Its name.
    pub name: String,
    /// Its type with arguments, for example `bloom_filter(0.01)`.
    pub r#type: String,
    /// What is indexed.
    pub expression: String,
    /// How many granules one entry covers.
    pub granularity: u64,
}

#[derive(Row, Deserialize)]
struct TableRow {
    name: String,
    engine: String,
    partition_key: String,
    sorting_key: String,
    comment: String,
    definition: String,
}

/// Takes the snapshot. The table that a materialized view without `TO` keeps its rows in has a random name and is
/// left out: it follows from the view.
///
/// # Errors
///
/// [`crate::Error::Server`] or [`crate::Error::Unreachable`] if the catalog cannot be read.
pub async fn snapshot(client: &Client) -> Result<Catalog> {
    let quoted = quoted(client.database());
    let query = |sql: &str| client.query(sql).param("database", client.database()).param("quoted", &quoted);
    let tables: Vec<TableRow> = client
        .rows(query(
            "SELECT name, engine_full AS engine, partition_key, sorting_key, comment,
                    replaceAll(replaceAll(create_table_query, concat({quoted:String}, '.'), ''),
                               concat({database:String}, '.'), '') AS definition
             FROM system.tables WHERE database = {database:String} AND name != 'migrations' AND NOT startsWith(name, '.inner')",
        ))
        .await?;
    let columns: Vec<Column> = client
        .rows(query(
            "SELECT table, name, type, default_kind, default_expression, compression_codec AS codec, comment
             FROM system.columns WHERE database = {database:String} ORDER BY table, position",
        ))
        .await?;
    let indexes: Vec<Index> = client
        .rows(query(
            "SELECT table, name, type_full AS type, expr AS expression, granularity
             FROM system.data_skipping_indices WHERE database = {database:String} ORDER BY table, name",
        ))
        .await?;
    let of = |name: &str| {
        let columns = columns.iter().filter(|column| column.table == name).cloned().collect();
        let indexes = indexes.iter().filter(|index| index.table == name).cloned().collect();
        (columns, indexes)
    };
    let tables = tables.into_iter().map(|row| {
        let (columns, indexes) = of(&row.name);
        let TableRow { name, engine, partition_key, sorting_key, comment, definition } = row;
        (
            name.clone(),
            Table { name, engine, partition_key, sorting_key, comment, definition, columns, indexes },
        )
    });
    Ok(Catalog { tables: tables.collect() })
}
