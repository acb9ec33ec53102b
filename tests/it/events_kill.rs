//! The writer or ClickHouse is killed in the middle of it, again and again, and nothing is lost or doubled.
//!
//! `make kill-test ROUNDS=100` runs more rounds; `SEED` repeats what a run has printed.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use dev::hold::Ready;
use events::Client;
use events::migration::{self, Extent};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::harness::archer;

/// How many events there are at the end, at the least.
const EVENTS: u64 = 200_000;

/// What one step may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);

/// The embedded ClickHouse of a folder.
struct Server {
    holder: Child,
    url: String,
}

impl Server {
    async fn start(folder: &Path) -> Self {
        let folder = folder.to_str().unwrap();
        let mut command =
            archer(&["dev", "hold", "--dir", folder, "--only", "clickhouse", "--until-stdin-closes"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut holder = command.spawn().unwrap();
        let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines();
        let line = timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap();
        let ready: Ready = serde_json::from_str(&line).unwrap();
        Self { holder, url: ready.clickhouse_url.unwrap() }
    }

    /// Kills the server itself; its holder notices, and ends.
    async fn kill(mut self, folder: &Path) {
        let pid = std::fs::read_to_string(folder.join("clickhouse/alive")).unwrap();
        let killed = Command::new("kill").args(["-KILL", pid.trim()]).status().await.unwrap();
        assert!(killed.success());
        timeout(PATIENCE, self.holder.wait()).await.unwrap().unwrap();
    }
}

/// The process that writes.
struct Writer {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Writer {
    fn start(log: &Path, url: &str, from: u64, until: Option<u64>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_numbered-writer-under-test"));
        command.arg(log).arg(url).arg(from.to_string()).args(until.map(|until| until.to_string()));
        let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, said }
    }

    /// Reads what it has acknowledged by now, or until it ends.
    async fn acknowledged(&mut self, acknowledged: &mut u64, within: Duration) {
        let read = async {
            while let Some(line) = self.said.next_line().await.unwrap() {
                let (from, until) = line.split_once(' ').unwrap();
                assert_eq!(from.parse(), Ok(*acknowledged));
                *acknowledged = until.parse().unwrap();
            }
        };
        let _ = timeout(within, read).await;
    }
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn say(text: &str) {
    // Not `eprintln!`, which the test runner swallows.
    std::io::stderr().write_all(text.as_bytes()).unwrap();
}

#[tokio::test]
async fn whoever_is_killed_every_acknowledged_event_is_there_once_and_counted_once() {
    let rounds = variable("ROUNDS").unwrap_or(10);
    let seed = variable("SEED").unwrap_or_else(|| rand::random::<u32>().into());
    let folder = tempfile::tempdir().unwrap();
    let (servers, log) = (folder.path().join("servers"), folder.path().join("log"));
    let mut server = Server::start(&servers).await;
    migration::up(&Client::connect(&server.url).await.unwrap(), &Extent::All).await.unwrap();

    let mut acknowledged = 0;
    let mut writer = Writer::start(&log, &server.url, 0, None);
    for round in 0..rounds {
        let mut random = StdRng::seed_from_u64(seed + round);
        let wait = Duration::from_millis(random.random_range(20..1500));
        let is_writer = random.random_bool(0.5);
        let victim = if is_writer { "the writer" } else { "ClickHouse" };
        writer.acknowledged(&mut acknowledged, wait).await;
        say(&format!(
            "round {round}, SEED={}: {victim} dies after {wait:?}, {acknowledged} acknowledged\n",
            seed + round
        ));
        let old_url = server.url.clone();
        if !is_writer {
            server.kill(&servers).await;
            // It writes on while there is no server.
            writer.acknowledged(&mut acknowledged, Duration::from_millis(200)).await;
            server = Server::start(&servers).await;
        }
        if is_writer || server.url != old_url {
            writer.child.start_kill().unwrap();
            writer.acknowledged(&mut acknowledged, PATIENCE).await;
            writer.child.wait().await.unwrap();
            writer = Writer::start(&log, &server.url, acknowledged, None);
        }
    }
    writer.child.start_kill().unwrap();
    writer.acknowledged(&mut acknowledged, PATIENCE).await;
    writer.child.wait().await.unwrap();

    let until = EVENTS.max(acknowledged);
    let mut last = Writer::start(&log, &server.url, acknowledged, Some(until));
    last.acknowledged(&mut acknowledged, PATIENCE).await;
    assert!(timeout(PATIENCE, last.child.wait()).await.unwrap().unwrap().success());
    assert_eq!(acknowledged, until);

    let url = server.url.parse().unwrap();
    let answer = async |sql: &str| dev::clickhouse::execute(&url, sql).await.unwrap();
    // What was durable and not yet acknowledged when the writer died was appended again, or is beyond the last.
    let numbers = format!("FROM events FINAL WHERE toUInt64(subject) < {until}");
    let once = answer(&format!("SELECT count(), uniqExact(subject) {numbers}")).await;
    assert_eq!(once, format!("{until}\t{until}"));
    let all = answer("SELECT count() FROM events FINAL").await;
    assert_eq!(answer("SELECT uniqExactMerge(events) FROM events_daily").await, all);
    let letters = answer("SELECT count() FROM dead_letters").await;
    assert_eq!(letters, "0");
}
