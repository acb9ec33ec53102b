//! The `git` program: asking it about a repository, and streaming commit objects out of it.

use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio};
use std::thread::JoinHandle;

use super::{Repository, remote};
use crate::envelope::{clean_line, limit};
use crate::error::{Error, Result};

/// How much of one commit object is kept, in bytes; the rest of a longer message is skipped.
const MAX_COMMIT_BYTES: u64 = 1024 * 1024;

/// How much is kept of what `git` writes to its standard error, in bytes.
const MAX_WORDS_BYTES: u64 = 8 * 1024;

/// `git` in `path`, independent of where and by whom we were started.
fn git(path: &Path) -> Command {
    let mut command = Command::new("git");
    // Inside of a hook these name another repository than `path`.
    for name in [
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_COMMON_DIR",
        "GIT_INDEX_FILE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_NAMESPACE",
    ] {
        command.env_remove(name);
    }
    command
        .env("LC_ALL", "C")
        // The objects as they are, not as a local `git replace` shows them: another clone does not have those.
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .stdin(Stdio::null())
        .arg("-C")
        .arg(path);
    command
}

fn input_error(path: &Path, reason: String) -> Error {
    Error::Input { place: path.display().to_string(), reason }
}

fn not_started(path: &Path, error: &io::Error) -> Error {
    input_error(
        path,
        match error.kind() {
            io::ErrorKind::NotFound => {
                "the git program was not found; install git to read history".to_owned()
            }
            _ => format!("the git program could not be started: {error}"),
        },
    )
}

/// Finds out what repository `path` is in.
pub(super) fn inspect(path: &Path) -> Result<Repository> {
    if !path.is_dir() {
        return Err(input_error(
            path,
            "there is no such folder; give the folder of a Git repository".to_owned(),
        ));
    }
    let ask =
        |arguments: &[&str]| git(path).args(arguments).output().map_err(|error| not_started(path, &error));
    let answer = |output: &Output| String::from_utf8_lossy(&output.stdout).trim_end().to_owned();

    let about = ask(&["rev-parse", "--path-format=absolute", "--is-shallow-repository", "--git-common-dir"])?;
    if !about.status.success() {
        return Err(input_error(path, refusal(path, &String::from_utf8_lossy(&about.stderr))));
    }
    let about = answer(&about);
    let (shallow, common_dir) = about.split_once('\n').unwrap_or((&about, ""));

    let origin = ask(&["config", "--get", "remote.origin.url"])?;
    // Not found is an answer, too: then the folder names the repository.
    let name = remote::name(&answer(&origin)).or_else(|| remote::name(common_dir)).unwrap_or_default();
    let name = clean_line(&name, limit::REFERENCE);
    Ok(Repository { name, is_shallow: shallow == "true" })
}

/// One sentence with the way out for what `git` said.
fn refusal(path: &Path, words: &str) -> String {
    if words.contains("dubious ownership") {
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        format!(
            "git does not trust the repository because it belongs to another user; allow it with `git config --global --add safe.directory {}`",
            path.display()
        )
    } else if words.contains("not a git repository") {
        "not a Git repository; give the folder of one, or make it one with `git init`".to_owned()
    } else {
        format!("git cannot read it: {}", first_words(words))
    }
}

fn first_words(words: &str) -> String {
    let first = words.lines().find(|line| !line.trim().is_empty()).unwrap_or("it gave no reason");
    clean_line(first.trim().trim_start_matches("fatal: "), limit::TITLE)
}

/// What the stream of objects gives next.
pub(super) enum Record {
    /// A commit, at most `MAX_COMMIT_BYTES` of it.
    Commit { id: String, raw: Vec<u8> },
    /// A ref leads to a commit that is not there.
    Missing { id: String },
    /// `git` ended with an error; nothing follows.
    Stopped { reason: String },
}

/// `git rev-list --all` piped into `git cat-file --batch`. Both end with this value.
pub(super) struct Objects {
    list: Part,
    objects: Part,
    output: BufReader<ChildStdout>,
    is_done: bool,
}

/// One of the two processes, with a thread that empties its standard error, so that it never blocks on it.
struct Part {
    child: Child,
    words: Option<JoinHandle<String>>,
}

impl Part {
    fn start(path: &Path, command: &mut Command) -> Result<(Self, ChildStdout)> {
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| not_started(path, &error))?;
        let stdout = child.stdout.take().expect("standard output is piped");
        let stderr = child.stderr.take().expect("standard error is piped");
        let words = Some(std::thread::spawn(move || collect_words(stderr)));
        Ok((Self { child, words }, stdout))
    }

    /// Waits for the end; what was wrong, if anything was.
    fn finish(&mut self) -> Option<String> {
        let status = self.child.wait();
        let words = self.words.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        match status {
            Ok(status) if status.success() => None,
            Ok(status) => Some(format!("git stopped early ({status}): {}", first_words(&words))),
            Err(error) => Some(format!("git could not be waited for: {error}")),
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Both fail only if the process is already gone, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn collect_words(stderr: ChildStderr) -> String {
    let mut reader = stderr;
    let mut words = Vec::new();
    // An unreadable standard error only means fewer words in a message.
    let _ = (&mut reader).take(MAX_WORDS_BYTES).read_to_end(&mut words);
    let _ = io::copy(&mut reader, &mut io::sink());
    String::from_utf8_lossy(&words).into_owned()
}

impl Objects {
    pub(super) fn start(path: &Path) -> Result<Self> {
        let (list, ids) = Part::start(path, git(path).args(["rev-list", "--all"]))?;
        let (objects, output) = Part::start(path, git(path).args(["cat-file", "--batch"]).stdin(ids))?;
        Ok(Self { list, objects, output: BufReader::with_capacity(256 * 1024, output), is_done: false })
    }

    /// The next object, or `None` after the last one.
    pub(super) fn next(&mut self) -> Option<Record> {
        if self.is_done {
            return None;
        }
        match self.read() {
            Ok(Some(record)) => return Some(record),
            Ok(None) => self.is_done = true,
            Err(error) => {
                self.is_done = true;
                return Some(Record::Stopped { reason: format!("git's output cannot be read: {error}") });
            }
        }
        // Both have closed their output; only now is it known whether that was everything.
        let (list, objects) = (self.list.finish(), self.objects.finish());
        list.or(objects).map(|reason| Record::Stopped { reason })
    }

    fn read(&mut self) -> io::Result<Option<Record>> {
        // `<id> commit <bytes>` and the object, or `<id> missing`.
        let mut header = String::new();
        if (&mut self.output).take(256).read_line(&mut header)? == 0 {
            return Ok(None);
        }
        let mut words = header.split_ascii_whitespace();
        let (id, kind, size) = (words.next().unwrap_or_default(), words.next(), words.next());
        let id = id.to_owned();
        match (kind, size.and_then(|size| size.parse::<u64>().ok())) {
            (Some("missing"), None) => Ok(Some(Record::Missing { id })),
            (Some("commit"), Some(size)) => {
                let mut raw = Vec::new();
                (&mut self.output).take(size.min(MAX_COMMIT_BYTES)).read_to_end(&mut raw)?;
                // The rest of an oversized object, and the line end after each.
                let skip = size - raw.len() as u64 + 1;
                io::copy(&mut (&mut self.output).take(skip), &mut io::sink())?;
                Ok(Some(Record::Commit { id, raw }))
            }
            _ => Err(io::Error::other(format!("unexpected line `{}`", first_words(&header)))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_refuses_is_said_in_one_sentence_with_the_way_out() {
        let path = Path::new("/absent/repository");
        let owner = "fatal: detected dubious ownership in repository at '/x'\nTo add an exception…";
        assert!(refusal(path, owner).ends_with("safe.directory /absent/repository`"));
        let none = "fatal: not a git repository (or any of the parent directories): .git";
        assert!(refusal(path, none).contains("git init"));
        assert_eq!(refusal(path, "\nfatal: bad config\nmore"), "git cannot read it: bad config");
        let missing = not_started(path, &io::Error::from(io::ErrorKind::NotFound));
        assert!(missing.to_string().ends_with("install git to read history"), "{missing}");
    }
}
