//! Embedded ClickHouse: find a binary or the library, write its configuration, run it, stop it.

mod binary;
mod config;
mod http;
mod server;
mod shards;

pub use binary::{Binary, find};
pub use http::execute;
pub(crate) use server::{Server, end_orphan};
pub use shards::Shards;

use crate::error::Error;

/// The database that every embedded server has.
pub const DATABASE: &str = "events";

/// What the servers of [`Shards`] call their cluster.
pub const CLUSTER: &str = "shards";

/// The only user of an embedded server that can ask for anything.
pub const USER: &str = "archer";

/// In messages: what can be installed instead of downloading.
const PRODUCT: &str = "ClickHouse 26.6 or newer";
/// In messages: how to name a server elsewhere.
const VARIABLES: &str = "CLICKHOUSE_URL";

fn failed(detail: impl Into<String>) -> Error {
    Error::ClickHouse { detail: detail.into() }
}
