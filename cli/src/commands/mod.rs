//! The subcommands, a file each: arguments, one call into the library crate that does the work, and
//! what is printed. `archer dev` is the exception: it is whole in `dev::commands`.

pub mod demo;
pub mod derived;
pub mod digest;
pub mod events;
pub mod identity;
pub mod import;
pub mod import_runs;
pub mod ingest;
pub mod inventory;
pub mod migrate;
pub mod package;
pub mod purl;
pub mod query;
pub mod refresh;
pub mod search;
pub mod serve;
pub mod version;
