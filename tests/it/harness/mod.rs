//! What integration tests stand on: real servers, a database per test, the program itself.
//!
//! The first test that needs a server starts both, in a process that holds them and ends when the
//! pipe to it closes, that is, with this process, however it ends. `ARCHER_TEST_PG_URL` (of a
//! superuser, any database) and `ARCHER_TEST_CLICKHOUSE_URL` name servers to use instead, whose logs are theirs.
//!
//! Everything that is logged is kept until the end of the run, and no secret may be in it; see [`log`].
//!
//! Every `#[tokio::test]` has a runtime of its own, so nothing that belongs to a runtime, such as a
//! connection pool, is shared between tests; only addresses and the names of template databases are.

mod db;
mod deliveries;
mod events;
mod gate;
pub mod leaks;
pub mod log;
mod numbered;
mod process;
mod servers;
mod shards;

pub use db::{Database, TestDb};
pub use deliveries::{OWN_EVENTS, OWN_REJECTIONS, RealDeliveries, corpus_entries, own_deliveries, shuffled};
pub use events::{ROLLUP_DIFFERENCES, TestEvents, ask};
pub use gate::Gate;
pub use log::{known, planted};
pub use numbered::{NumberedWriter, OwnServer, PATIENCE};
pub use process::{Ran, archer, corpus, deadline, run};
pub use shards::TestShards;
