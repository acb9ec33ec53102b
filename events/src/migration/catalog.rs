//! A snapshot of the schema as the server sees it, to compare before and after a migration.

use std::collections::BTreeMap;

use clickhouse::Row;
use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::error::Result;

/// Every table of the database but the ledger, by name. Equal snapshots mean equal schemas.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Catalog {
    /// The tables and views.
    pub tables: BTreeMap<String, Table>,
}

/// A table or view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Table {
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

/// Takes the snapshot.
///
/// # Errors
///
/// [`crate::Error::Server`] or [`crate::Error::Unreachable`] if the catalog cannot be read.
pub async fn snapshot(client: &Client) -> Result<Catalog> {
    let query = |sql: &str| client.query(sql).param("database", client.database());
    let tables: Vec<TableRow> = client
        .rows(query(
            "SELECT name, engine_full AS engine, partition_key, sorting_key, comment,
                    replaceAll(create_table_query, concat({database:String}, '.'), '') AS definition
             FROM system.tables WHERE database = {database:String} AND name != 'migrations'",
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
        (name, Table { engine, partition_key, sorting_key, comment, definition, columns, indexes })
    });
    Ok(Catalog { tables: tables.collect() })
}
