//! What a run logs: everything, statements and their parameters included, in a folder of its own, where no secret
//! may be.
//!
//! Each line is searched when it is logged, and fails the test that has logged it. What comes from elsewhere (a
//! server, a thread whose panic nobody sees) is searched when the run is over, by `tests/logs.rs`, which cargo runs
//! after these tests, also when only some of them are asked for.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, OnceLock, RwLock};

use secrecy::{ExposeSecret as _, SecretString};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use super::leaks::{KNOWN, MARK, Search};

/// Every run's folder is in here.
const RUNS: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/logs");

/// Everything that is ours or speaks of our statements; what moves bytes over a network repeats them.
const FILTER: &str = "trace,h2=off,hyper=off,hyper_util=off,rustls=off";

/// The folder of this run. The first call begins it, and has all that is logged from then on go there.
pub fn folder() -> &'static Path {
    /// The lock says that the run goes on.
    static RUN: OnceLock<(PathBuf, File)> = OnceLock::new();
    &RUN.get_or_init(|| {
        let run = begin().expect("the run's folder can be written to");
        let lines = Lines::to(&run.0.join("tests.log")).expect("the run's folder can be written to");
        let logged = tracing_subscriber::fmt().with_ansi(false).with_env_filter(EnvFilter::new(FILTER));
        // Another one is there if a test has begun with one of its own for the whole process; none does.
        logged.with_writer(lines).try_init().expect("nobody else takes what is logged");
        run
    })
    .0
}

/// Removes the folders of runs that are over, which somebody may have looked at, and makes one.
fn begin() -> std::io::Result<(PathBuf, File)> {
    std::fs::create_dir_all(RUNS)?;
    for entry in std::fs::read_dir(RUNS)?.flatten() {
        if File::open(entry.path().join("lock")).is_ok_and(|lock| lock.try_lock().is_ok()) {
            std::fs::remove_dir_all(entry.path())?;
        }
    }
    let folder = PathBuf::from(RUNS).join(std::process::id().to_string());
    std::fs::create_dir_all(&folder)?;
    let lock = File::create(folder.join("lock"))?;
    lock.try_lock()?;
    Ok((folder, lock))
}

/// A secret to try something with, which is looked for in every log.
pub fn planted(text: &str) -> SecretString {
    format!("{MARK}{text}").into()
}

/// What is searched for so far.
static SEARCH: LazyLock<RwLock<Search>> = LazyLock::new(|| RwLock::new(Search::new([])));

/// Has a secret looked for as well that the service has made and that no form tells.
pub fn known(secret: &SecretString) -> &SecretString {
    let text = secret.expose_secret();
    if SEARCH.write().expect("nobody panicked").add(text) {
        let file = File::options().create(true).append(true).open(folder().join(KNOWN));
        let noted = file.and_then(|mut file| file.write_all(format!("{text}\n").as_bytes()));
        noted.expect("the run's folder can be written to");
    }
    secret
}

/// Keeps what a program has said on standard error; a secret in it fails the test.
pub fn program(said: &str) {
    let lines = Lines::to(&folder().join("programs.log"));
    lines.and_then(|lines| (&lines).write_all(said.as_bytes())).expect("the run's folder can be written to");
}

/// A file of lines, none of which may have a secret in it.
#[derive(Debug)]
pub struct Lines(File);

impl Lines {
    pub fn to(path: &Path) -> std::io::Result<Self> {
        Ok(Self(File::options().create(true).append(true).open(path)?))
    }
}

impl Write for &Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        // One write for each event, so that those of other tests come before or after.
        (&self.0).write_all(bytes)?;
        let text = String::from_utf8_lossy(bytes);
        let is_found = SEARCH.read().expect("nobody panicked").finds(&text);
        // The search at the end finds it, too, where a test is failing already.
        assert!(!is_found || std::thread::panicking(), "a secret is logged: {text}");
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}
