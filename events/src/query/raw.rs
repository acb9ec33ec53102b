//! SQL of one's own.

use super::table::{self, Table};
use crate::client::Client;
use crate::error::Result;

/// Runs one statement that reads, with read-only rights.
///
/// The server refuses what would change something, reach another server or a file, or lift the bounds: at most
/// [`super::MAX_ROWS`] rows come back, within [`super::MAX_SECONDS`]. The statement must not name a `FORMAT`.
///
/// # Errors
///
/// [`crate::Error::Server`] if the server refuses it: code 62 for a syntax error, 164 for what is not
/// read-only, 159 when it takes too long. [`crate::Error::Answer`] if it names a `FORMAT`.
pub async fn raw(client: &Client, sql: &str) -> Result<Table> {
    table::fetch(client, client.query(sql)).await
}
