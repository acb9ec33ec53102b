//! SQL of one's own.

use super::table::{self, Table};
use crate::client::Client;
use crate::error::Result;

/// Runs one statement that reads, with read-only rights.
///
/// The server refuses, whoever asks, what would change something or lift the bounds: at most
/// [`super::MAX_ROWS`] rows and [`super::MAX_BYTES`] come back, within [`super::MAX_SECONDS`]. It also refuses the
/// table functions that reach another server or a file (`url(…)`, `file(…)`). The statement must not name a
/// `FORMAT`.
///
/// What it may read depends on the server and the grants of the client's user: which databases, `system` among
/// them. No grant and no read-only right covers the scalar function `file('…')`: a ClickHouse server gives it the
/// files below its `user_files_path`, and the embedded one of `archer dev`, a `clickhouse local`, every file
/// that its process can read. So do not pass on SQL of people who may not read those.
///
/// # Errors
///
/// [`crate::Error::Server`] if the server refuses it: code 62 for a syntax error, 164 for what is not
/// read-only, 497 for what the user is not granted, 159 when it takes too long. [`crate::Error::Answer`] if it names a `FORMAT`.
pub async fn raw(client: &Client, sql: &str) -> Result<Table> {
    table::fetch(client, client.query(sql)).await
}
