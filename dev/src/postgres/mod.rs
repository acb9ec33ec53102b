//! Embedded PostgreSQL: find binaries, create the cluster once, run it, stop it; who logs in to it.

mod binaries;
mod cluster;
mod logins;
mod server;

pub use binaries::{Binaries, MINIMUM_MAJOR, RELEASE_VARIABLE, find};
pub(crate) use cluster::existing_release;
pub use logins::Role;
pub(crate) use server::{Server, end_orphan};

use crate::error::Error;

/// The databases that every embedded cluster has.
pub const DATABASES: [&str; 3] = ["ardb", "identitydb", "analyticsdb"];

/// The superuser of an embedded cluster, who owns the databases that have no roles.
pub const USER: &str = "archer";

/// In messages: what can be installed instead of downloading.
const PRODUCT: &str = "PostgreSQL 15 or newer";
/// In messages: how to name a server elsewhere.
const VARIABLES: &str = "ARDB_URL, IDENTITYDB_URL and ANALYTICSDB_URL (or DATABASE_URL for all three)";

fn failed(detail: impl Into<String>) -> Error {
    Error::Postgres { detail: detail.into() }
}
