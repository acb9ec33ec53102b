//! How fast `archer import crates-io-dump` is beside psql's own `\copy` of the rows that it leaves, into the same tables
//! with the same indexes, constraints and triggers, and beside SeaORM's `insert_many` of a part of them: all three in
//! one run, each in a database of its own, on an embedded PostgreSQL that waits for the disk as `archer dev` does.
//!
//! ```console
//! $ cargo bench -p tests --bench import_dump                                  # a tenth of the size of crates.io
//! $ cargo bench -p tests --bench import_dump -- --versions 1500000            # all of it: 25 GB of disk
//! ```
//!
//! The dump is made up, of as many versions as asked and, unless told otherwise, eight times as many dependencies; see
//! `made_dump`. The import is timed as a process from its start to its end, which includes unpacking, checking,
//! deriving and recording; `\copy` from the first table to the last, from files that lie unpacked. What it copies was
//! exported in the order of its ids, so it need not sort. The derived tables are not copied: triggers write them for
//! all three. `insert_many` inserts the last versions with their dependencies, once into the tables that hold all the
//! rest, as it would at the end of a whole import, and once into empty ones, as it would at its beginning.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a benchmark fails by panicking")]

#[path = "../../it/harness/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the integration tests use the rest")]
mod harness;
#[path = "../../it/made_dump/mod.rs"]
mod made_dump;
mod peers;
mod server;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use clap::Parser;
use made_dump::Made;
use server::Server;

/// Measures the import of a database dump beside its peers.
#[derive(Clone, Debug, Parser)]
struct Arguments {
    /// Versions in the dump
    #[arg(long, default_value_t = 150_000)]
    versions: u64,
    /// Dependencies in the dump, about; eight per version unless told
    #[arg(long)]
    dependencies: Option<u64>,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How often everything is measured
    #[arg(long, default_value_t = 1)]
    runs: u32,
    /// Versions that `insert_many` inserts with their dependencies; 0 leaves it out
    #[arg(long, default_value_t = 5_000)]
    sample: u64,
    /// Where the dump is written, or read from where it is there; else a temporary folder
    #[arg(long)]
    dump: Option<PathBuf>,
    /// Only writes the dump
    #[arg(long, requires = "dump")]
    write_only: bool,
    /// Only measures the import
    #[arg(long)]
    import_only: bool,
    /// What `cargo bench` says to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

/// Rows, and how long they took.
#[derive(Clone, Copy, Debug)]
struct Measured {
    rows: u64,
    time: Duration,
}

impl Measured {
    /// Rows per second.
    fn rate(&self) -> f64 {
        self.rows as f64 / self.time.as_secs_f64()
    }
}

#[tokio::main]
async fn main() {
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir().unwrap();
    let dump = arguments.dump.clone().unwrap_or_else(|| folder.path().join("db-dump.tar.gz"));
    let made = Made {
        seed: arguments.seed,
        versions: arguments.versions,
        dependencies: arguments.dependencies.unwrap_or(8 * arguments.versions),
    };
    if !dump.exists() {
        let start = Instant::now();
        let counts = made.write(&dump).unwrap();
        let megabytes = fs::metadata(&dump).unwrap().len() / 1_000_000;
        println!("made a dump of {megabytes} MB in {:.1} s: {counts:?}", start.elapsed().as_secs_f64());
    }
    if arguments.write_only {
        return;
    }
    let server = Server::start(folder.path());
    println!("{}; {}", server.version().await, peers::psql_version());
    for run in 1..=arguments.runs {
        let imported = server.database("imported").await;
        let (import, resident) = import(&server, &imported, &dump).await;
        println!("run {run}: import      {}, {resident} MB resident", show(import));
        if arguments.import_only {
            server.drop(&imported).await;
            continue;
        }
        let files = peers::export(&server, &imported, folder.path()).await;
        let sample = peers::sample(&server, &imported, arguments.sample).await;
        let insert = async |database: &str, into: &str| {
            let insert = peers::insert_many(&server, database, &sample).await;
            let ratio = import.rate() / insert.rate();
            println!("run {run}: insert_many {} into {into}; import / insert_many {ratio:.1}", show(insert));
        };
        if arguments.sample > 0 {
            peers::take_out(&server, &imported, &sample).await;
            insert(&imported, "full tables").await;
        }
        server.drop(&imported).await;
        if arguments.sample > 0 {
            let inserted = server.database("inserted").await;
            peers::copy_parents(&server, &inserted, &files).await;
            insert(&inserted, "empty tables").await;
            server.drop(&inserted).await;
        }

        let copied = server.database("copied").await;
        let copy = peers::copy(&server, &copied, &files).await;
        println!(
            "run {run}: \\copy       {}; import / \\copy {:.2}",
            show(copy),
            import.rate() / copy.rate()
        );
        server.drop(&copied).await;
        files.remove();
    }
}

fn show(Measured { rows, time }: Measured) -> String {
    let seconds = time.as_secs_f64();
    format!("{rows:>9} rows in {seconds:>7.1} s, {:>7.0} rows/s", rows as f64 / seconds)
}

/// Runs the program; what it wrote, and the most memory that it had resident, in MB.
async fn import(server: &Server, database: &str, dump: &Path) -> (Measured, u64) {
    server.checkpoint().await;
    let start = Instant::now();
    let mut command = harness::archer(&["import", "crates-io-dump", dump.to_str().unwrap()]);
    command.env("ARDB_URL", server.url(database)).stdout(Stdio::inherit());
    let mut child = command.spawn().unwrap();
    let status = format!("/proc/{}/status", child.id().unwrap());
    let mut resident_kb = 0;
    let ended = loop {
        tokio::select! {
            ended = child.wait() => break ended.unwrap(),
            () = tokio::time::sleep(Duration::from_millis(20)) => {
                // A high-water mark, so what was seen last is what there was most, but for the last moment.
                let peak = fs::read_to_string(&status).unwrap_or_default();
                let peak = peak.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
                resident_kb = peak.and_then(|peak| peak.parse().ok()).unwrap_or(resident_kb);
            }
        }
    };
    let time = start.elapsed();
    assert!(ended.success(), "the import ended with {ended}");
    (Measured { rows: peers::rows(server, database).await, time }, resident_kb / 1000)
}
