//! The writer or ClickHouse is killed in the middle of it, again and again, and nothing is lost or doubled.
//!
//! `make kill-test ROUNDS=100` runs more rounds; `SEED` repeats what a run has printed.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use events::Client;
use events::migration::{self, Extent};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::harness::{NumberedWriter, OwnServer, ROLLUP_DIFFERENCES, TestShards, ask};

/// How many events there are at the end, at the least.
const EVENTS: u64 = 200_000;

/// Who may be killed besides the writer.
enum Servers {
    One { folder: PathBuf, server: Option<OwnServer> },
    Two(TestShards),
}

impl Servers {
    async fn one(folder: &Path) -> Self {
        let server = OwnServer::start(folder).await;
        migration::up(&Client::connect(&server.url).await.unwrap(), &Extent::All).await.unwrap();
        Self::One { folder: folder.to_owned(), server: Some(server) }
    }

    /// Where the writer writes to.
    fn url(&self) -> String {
        match self {
            Self::One { server, .. } => server.as_ref().map(|server| server.url.clone()).unwrap(),
            Self::Two(shards) => shards.urls()[0].clone(),
        }
    }

    /// The names of those that may be killed.
    fn names(&self) -> &'static [&'static str] {
        match self {
            Self::One { .. } => &["ClickHouse"],
            Self::Two(_) => &["the first shard", "the second shard"],
        }
    }

    /// Kills one of them and starts it again.
    async fn crash(&mut self, number: usize) {
        match self {
            Self::One { folder, server } => {
                server.take().unwrap().kill().await;
                *server = Some(OwnServer::start(folder).await);
            }
            Self::Two(shards) => shards.crash(number).await,
        }
    }

    /// Does `work`, and meanwhile starts again, as whoever looks after a server does, each that ends by itself.
    async fn look_after<T>(&mut self, work: impl Future<Output = T>) -> T {
        let revive = async {
            match self {
                Self::One { .. } => std::future::pending().await,
                Self::Two(shards) => loop {
                    let (number, reason) = shards.revive().await;
                    say(&format!("shard {number} is started again: {reason}\n"));
                },
            }
        };
        tokio::select! {
            done = work => done,
            () = revive => unreachable!("it is never done"),
        }
    }
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn say(text: &str) {
    // Not `eprintln!`, which the test runner swallows.
    std::io::stderr().write_all(text.as_bytes()).unwrap();
}

/// Rounds of one killed each, and what is there at the end.
async fn kill(mut servers: Servers, log: &Path) {
    let rounds = variable("ROUNDS").unwrap_or(10);
    let seed = variable("SEED").unwrap_or_else(|| rand::random::<u32>().into());
    let mut writer = NumberedWriter::start(log, &servers.url(), 0, None);
    for round in 0..rounds {
        let mut random = StdRng::seed_from_u64(seed + round);
        let wait = Duration::from_millis(random.random_range(20..1500));
        let is_writer = random.random_bool(0.5);
        let number = random.random_range(0..servers.names().len());
        let victim = if is_writer { "the writer" } else { servers.names()[number] };
        let old_url = servers.url();
        servers.look_after(writer.listen(wait)).await;
        let (seed, acknowledged) = (seed + round, writer.acknowledged);
        say(&format!(
            "round {round}, SEED={seed}: {victim} dies after {wait:?}, {acknowledged} acknowledged\n"
        ));
        if !is_writer {
            // It writes on while the server is away.
            servers.crash(number).await;
        }
        if is_writer || servers.url() != old_url {
            let acknowledged = writer.kill().await;
            writer = NumberedWriter::start(log, &servers.url(), acknowledged, None);
        }
    }
    let acknowledged = writer.kill().await;
    let until = EVENTS.max(acknowledged);
    let mut last = NumberedWriter::start(log, &servers.url(), acknowledged, Some(until));
    servers.look_after(last.finish()).await;
    assert_eq!(last.acknowledged, until);

    let url = servers.url();
    // What was durable and not yet acknowledged when the writer died was appended again, or is beyond the last.
    let numbers = format!("FROM events FINAL WHERE toUInt64(subject) < {until}");
    let once = ask(&url, &format!("SELECT count(), uniqExact(subject) {numbers}")).await;
    assert_eq!(once, format!("{until}\t{until}"));
    let all = ask(&url, "SELECT count() FROM events FINAL").await;
    assert_eq!(ask(&url, "SELECT uniqExactMerge(events) FROM events_daily").await, all);
    assert_eq!(ask(&url, ROLLUP_DIFFERENCES).await, "0");
    assert_eq!(ask(&url, "SELECT count() FROM dead_letters").await, "0");
}

#[tokio::test]
async fn whoever_is_killed_every_acknowledged_event_is_there_once_and_counted_once() {
    let folder = tempfile::tempdir().unwrap();
    kill(Servers::one(&folder.path().join("servers")).await, &folder.path().join("log")).await;
}

#[tokio::test]
async fn whichever_shard_or_writer_is_killed_every_acknowledged_event_is_there_once_and_counted_once() {
    let folder = tempfile::tempdir().unwrap();
    kill(Servers::Two(TestShards::migrated().await), &folder.path().join("log")).await;
}
