//! Integration tests: the crates together, and the `archer` program, on real servers.
//!
//! One program for all of them, so that one pair of servers serves them all; see [`harness`].

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking, and so do its helpers")]

mod harness;

mod api;
mod api_intake;
mod architecture;
mod cli;
mod dependents;
mod derived;
mod dev;
mod distributions;
mod entities;
mod events_digest;
mod events_durable;
mod events_erasure;
mod events_follow;
mod events_ingest;
mod events_kill;
mod events_migration;
mod events_outage;
mod events_query;
mod events_redelivery;
mod events_rollup;
mod events_schema;
mod events_sharded_writer;
mod events_shards;
mod events_sources;
mod events_writer;
mod identitydb;
mod identitydb_cli;
mod import_cargo_index;
mod import_crates_io_dump;
mod import_first;
mod import_killed;
mod import_lockfile;
mod import_npm;
mod import_osv;
mod import_pypi;
mod import_runs;
mod import_sbom;
mod import_support;
mod made_dump;
mod migrate_command;
mod migrate_refusals;
mod migration_index;
mod migration_plan;
mod migration_runner;
mod migration_verify;
mod package_reads;
mod purl;
mod rankings;
mod reads;
mod schema;
mod sea_orm_cli;
mod search;
mod version;
