//! The program under test, and waiting for what it does.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::{Instant, sleep, timeout};

use super::log;

/// `archer` with `args`, in an environment that holds nothing of the developer's: no URLs, no
/// `.env`, and no embedded servers but its own. Add `.env("ARDB_URL", db.url())` and the like.
pub fn archer(args: &[&str]) -> Command {
    const KEPT: [&str; 7] = ["PATH", "HOME", "TMPDIR", "USER", "ARCHER_CACHE", "XDG_CACHE_HOME", "ARCHER_PG"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_archer-under-test"));
    command
        .args(args)
        .env_clear()
        .envs(KEPT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// How a program ended and what it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// -1 if a signal ended it.
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Runs `command` to its end, which must come within two minutes.
pub async fn run(mut command: Command) -> Ran {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = timeout(Duration::from_secs(120), command.output())
        .await
        .unwrap_or_else(|_| panic!("{command:?} did not end within two minutes"))
        .expect("the program under test runs");
    let ran = Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    };
    log::program(&ran.stderr);
    ran
}

/// A file or folder of real data, or `None`, saying so, where there is no such data.
pub fn corpus(relative: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("ARCHER_CORPUS").filter(|value| !value.is_empty()) else {
        // Not `eprintln!`, which the test runner swallows when the test passes.
        let why = format!("skipped: ARCHER_CORPUS names no folder, so there is no {relative} to read\n");
        std::io::stderr().write_all(why.as_bytes()).expect("standard error takes a line");
        return None;
    };
    let path = PathBuf::from(folder).join(relative);
    assert!(path.exists(), "ARCHER_CORPUS has no {relative}");
    Some(path)
}

/// Asks `poll` every 20 ms until it answers, for at most `within`; panics saying `what` otherwise.
pub async fn deadline<T>(within: Duration, what: &str, mut poll: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + within;
    loop {
        if let Some(answer) = poll().await {
            return answer;
        }
        assert!(Instant::now() < end, "not within {within:?}: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}
