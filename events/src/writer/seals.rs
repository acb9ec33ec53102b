//! Which windows of the log are sealed, and up to where all are done: written down before a batch is sent, so that
//! after a crash it is known which batches may have been sent.
//!
//! A line per fact in the file `seals`: `seal FROM END WEIGHTS` with the weights of the shards that it was cut for
//! (`1,1`; `-` without a cluster), `done END`. A line that a crash tore off is none; then the window is cut anew, and
//! what it sends twice has the same event ids and counts once.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::spread::Spread;

/// When the file is written anew with what still counts, in bytes.
const MAX_BYTES: u64 = 1 << 20;

pub(super) struct Seals {
    path: PathBuf,
    file: File,
    bytes: u64,
    done: u64,
    /// The windows that are sealed and not done.
    open: VecDeque<Seal>,
}

/// A window that is sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seal {
    /// Its first record.
    pub from: u64,
    /// The record after its last.
    pub end: u64,
    /// The shards that it was cut for.
    pub spread: Spread,
}

impl Seal {
    fn line(&self) -> String {
        let Self { from, end, spread } = self;
        let weights: Vec<_> = spread.weights().iter().map(ToString::to_string).collect();
        let weights = if weights.is_empty() { "-".to_owned() } else { weights.join(",") };
        format!("seal {from} {end} {weights}\n")
    }

    /// `words` come after `seal`. Earlier releases wrote no weights, and left the rows to the server to spread.
    fn read(words: &[&str]) -> Option<Self> {
        let (from, end) = (words.first()?.parse().ok()?, words.get(1)?.parse().ok()?);
        let weights = match words.get(2) {
            None | Some(&"-") => Vec::new(),
            Some(weights) => weights.split(',').map(str::parse).collect::<Result<_, _>>().ok()?,
        };
        Some(Self { from, end, spread: Spread::new(weights) })
    }
}

impl Seals {
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        let path = folder.join("seals");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let (done, open) = read(&text);
        let file = rewrite(&path, done, &open)?;
        Ok(Self { path, file, bytes: 0, done, open })
    }

    /// All records before this one are done.
    pub(super) fn done(&self) -> u64 {
        self.done
    }

    /// The windows that are sealed and not done, in order.
    pub(super) fn outstanding(&self) -> Vec<Seal> {
        self.open.iter().cloned().collect()
    }

    /// Writes down that a window is sealed.
    pub(super) fn seal(&mut self, seal: Seal) -> io::Result<()> {
        let line = seal.line();
        self.open.push_back(seal);
        self.write(&line)?;
        self.file.sync_data()
    }

    /// Writes down that the first window that was not done is.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        if let Some(Seal { end, .. }) = self.open.pop_front() {
            self.done = end;
        }
        if self.bytes > MAX_BYTES {
            self.file = rewrite(&self.path, self.done, &self.open)?;
            self.bytes = 0;
            return Ok(());
        }
        self.write(&format!("done {}\n", self.done))
    }

    fn write(&mut self, line: &str) -> io::Result<()> {
        self.bytes += line.len() as u64;
        self.file.write_all(line.as_bytes())
    }
}

fn read(text: &str) -> (u64, VecDeque<Seal>) {
    let (mut done, mut open) = (0, VecDeque::new());
    for line in text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
        let words: Vec<&str> = line.split(' ').collect();
        match words.split_first() {
            Some((&"seal", words)) => open.extend(Seal::read(words)),
            Some((&"done", [end])) => {
                done = end.parse().unwrap_or(done);
                open.retain(|seal: &Seal| seal.end > done);
            }
            _ => {}
        }
    }
    (done, open)
}

fn rewrite(path: &Path, done: u64, open: &VecDeque<Seal>) -> io::Result<File> {
    let fresh = path.with_extension("new");
    let mut text = format!("done {done}\n");
    open.iter().for_each(|seal| text.push_str(&seal.line()));
    let mut file = File::create(&fresh)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    OpenOptions::new().append(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_and_not_done_is_known_again_and_a_torn_line_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let mut seals = Seals::open(folder.path()).unwrap();
        let seal = |from, end, weights: &[u32]| Seal { from, end, spread: Spread::new(weights.to_vec()) };
        seals.seal(seal(0, 3, &[])).unwrap();
        seals.seal(seal(3, 9, &[])).unwrap();
        seals.seal(seal(9, 10, &[1, 2])).unwrap();
        seals.finish().unwrap();
        drop(seals);
        let mut file = OpenOptions::new().append(true).open(folder.path().join("seals")).unwrap();
        file.write_all(b"seal 10 11\nseal 11 12").unwrap();
        let seals = Seals::open(folder.path()).unwrap();
        assert_eq!(
            (seals.done(), seals.outstanding()),
            (3, vec![seal(3, 9, &[]), seal(9, 10, &[1, 2]), seal(10, 11, &[])])
        );
    }
}
