//! Where a table's rows are: in a table of that name, or in local ones behind a `Distributed` one.

use clickhouse::Row;
use serde::Deserialize;

use crate::client::Client;
use crate::error::Result;

/// How statements name a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// For SELECT and INSERT.
    pub read: String,
    /// For what changes rows or the table: DELETE and ALTER, which no `Distributed` table takes.
    pub write: String,
}

/// Where `table` is.
///
/// Replicated local tables are changed on the whole cluster. Others have nothing that carries a statement to the
/// other shards, so there only this server's rows are meant.
pub(crate) async fn place(client: &Client, table: &'static str) -> Result<Place> {
    #[derive(Row, Deserialize)]
    struct Found {
        engine_full: String,
        is_replicated: bool,
    }
    let query = client.query(
        "SELECT engine_full, toBool(ifNull((SELECT count() FROM system.tables
             WHERE database = {database:String} AND name = concat({table:String}, '_local')
                 AND startsWith(engine, 'Replicated')), 0)) AS is_replicated
         FROM system.tables WHERE database = {database:String} AND name = {table:String} AND engine = 'Distributed'",
    );
    let found: Vec<Found> =
        client.rows(query.param("database", client.database()).param("table", table)).await?;
    let local = format!("{table}_local");
    Ok(match found.first() {
        None => Place { read: table.to_owned(), write: table.to_owned() },
        Some(Found { is_replicated: false, .. }) => Place { read: local.clone(), write: local },
        Some(Found { engine_full, .. }) => {
            let cluster = engine_full.split('\'').nth(1).unwrap_or_default();
            Place { read: table.to_owned(), write: format!("{local} ON CLUSTER '{cluster}'") }
        }
    })
}
