//! A process that writes numbered events, which a test may kill, and a ClickHouse that a test may kill or stop.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use dev::hold::Ready;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use super::archer;

/// What one step may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(240);

/// A ClickHouse of one test's own, with its data in a folder.
#[derive(Debug)]
pub struct OwnServer {
    folder: PathBuf,
    holder: Child,
    /// Where it is; another one after each start.
    pub url: String,
}

impl OwnServer {
    /// Starts it on what is in `folder`.
    pub async fn start(folder: &Path) -> Self {
        let place = folder.to_str().expect("the path is UTF-8");
        let mut command =
            archer(&["dev", "hold", "--dir", place, "--only", "clickhouse", "--until-stdin-closes"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut holder = command.spawn().expect("the program under test runs");
        let mut lines = BufReader::new(holder.stdout.take().expect("it is a pipe")).lines();
        let line = timeout(PATIENCE, lines.next_line()).await.expect("it starts in time");
        let line = line.expect("it can be read").expect("the holder says where the server is");
        let ready: Ready = serde_json::from_str(&line).expect("the holder writes JSON");
        let url = ready.clickhouse_url.expect("it was asked for");
        Self { folder: folder.to_owned(), holder, url }
    }

    /// Sends the server itself `signal`, by its name.
    pub async fn signal(&self, signal: &str) {
        let pid = std::fs::read_to_string(self.folder.join("clickhouse/alive")).expect("it is there");
        send(signal, pid.trim()).await;
    }

    /// Kills the server itself, and its holder before that can start it again.
    pub async fn kill(mut self) {
        let holder = self.holder.id().expect("it was not waited for").to_string();
        send("STOP", &holder).await;
        self.signal("KILL").await;
        send("KILL", &holder).await;
        timeout(PATIENCE, self.holder.wait()).await.expect("it ends in time").expect("it ends");
    }
}

async fn send(signal: &str, pid: &str) {
    let sent = Command::new("kill").args(["-s", signal, pid]).status().await;
    assert!(sent.is_ok_and(|status| status.success()), "{signal} to {pid}");
}

/// A process of `numbered-writer-under-test`, and what it has said.
#[derive(Debug)]
pub struct NumberedWriter {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
    /// Every event before this one is acknowledged.
    pub acknowledged: u64,
    /// How often it was told to wait, because the log was full.
    pub full: u64,
    /// How often the disk took nothing.
    pub refused: u64,
    /// The most memory that it has had, in bytes; known at its end.
    pub peak_bytes: Option<u64>,
}

impl NumberedWriter {
    /// Starts it on the log in folder `log`, to write from event `from` on, to its end at `until` if there is one.
    pub fn start(log: &Path, url: &str, from: u64, until: Option<u64>) -> Self {
        Self::run(Command::new(PROGRAM), log, url, from, until)
    }

    /// As [`NumberedWriter::start`], with a log of at most `bytes`.
    pub fn start_bounded(log: &Path, url: &str, bytes: u64) -> Self {
        let mut command = Command::new(PROGRAM);
        command.env("LOG_BYTES", bytes.to_string());
        Self::run(command, log, url, 0, None)
    }

    /// As [`NumberedWriter::start`], in a process none of whose files may grow beyond two of the shell's blocks.
    pub fn start_without_room(log: &Path, url: &str) -> Self {
        let mut command = Command::new("sh");
        // Ignored, so that a write that is too long is an error and not the end.
        command.args(["-c", "trap '' XFSZ; ulimit -f 2; exec \"$@\"", "sh", PROGRAM]);
        Self::run(command, log, url, 0, None)
    }

    fn run(mut command: Command, log: &Path, url: &str, from: u64, until: Option<u64>) -> Self {
        command.arg(log).arg(url).arg(from.to_string()).args(until.map(|until| until.to_string()));
        command.stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("the program under test runs");
        let said = BufReader::new(child.stdout.take().expect("it is a pipe")).lines();
        Self { child, said, acknowledged: from, full: 0, refused: 0, peak_bytes: None }
    }

    /// Takes in what it says until `within` has passed or it ends.
    pub async fn listen(&mut self, within: Duration) {
        let end = tokio::time::Instant::now() + within;
        while let Ok(line) = tokio::time::timeout_at(end, self.said.next_line()).await {
            let Some(line) = line.expect("it can be read") else { return };
            let words: Vec<&str> = line.split(' ').collect();
            match words.as_slice() {
                ["acknowledged", from, until] => {
                    assert_eq!(from.parse(), Ok(self.acknowledged));
                    self.acknowledged = until.parse().expect("it is a number");
                }
                ["full"] => self.full += 1,
                ["refused"] => self.refused += 1,
                ["peak", bytes] => self.peak_bytes = bytes.parse().ok(),
                other => panic!("the writer says {other:?}"),
            }
        }
    }

    /// Kills it; what it had acknowledged until then.
    pub async fn kill(mut self) -> u64 {
        self.child.start_kill().expect("it can be killed");
        self.listen(PATIENCE).await;
        self.child.wait().await.expect("it ends");
        self.acknowledged
    }

    /// Tells it to append no more, and waits for its end.
    pub async fn stop(&mut self) {
        let pid = self.child.id().expect("it runs").to_string();
        let sent = Command::new("kill").args(["-s", "TERM", &pid]).status().await;
        assert!(sent.is_ok_and(|status| status.success()));
        self.finish().await;
    }

    /// Waits for its end, when all that it has acknowledged is sent.
    pub async fn finish(&mut self) {
        self.listen(PATIENCE).await;
        let ended = timeout(PATIENCE, self.child.wait()).await.expect("it ends in time");
        assert!(ended.expect("it ends").success());
    }
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_numbered-writer-under-test");
