//! What integration tests stand on: real servers, a database per test, the program itself.
//!
//! The first test that needs a server starts both, in a process that holds them and ends when the
//! pipe to it closes, that is, with this process, however it ends. `ARCHER_TEST_PG_URL` (of a
//! superuser, any database) and `ARCHER_TEST_CLICKHOUSE_URL` name servers to use instead.
//!
//! Every `#[tokio::test]` has a runtime of its own, so nothing that belongs to a runtime, such as a
//! connection pool, is shared between tests; only addresses and the names of template databases are.

mod db;
mod events;
mod gate;
mod process;
mod servers;
mod shards;

pub use db::{Database, TestDb};
pub use events::TestEvents;
pub use gate::Gate;
pub use process::{Ran, archer, corpus, deadline, run};
pub use shards::TestShards;
