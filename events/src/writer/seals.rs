//! Which windows of the log are sealed, and up to where all are done: written down before a batch is sent, so that
//! after a crash it is known which batches may have been sent.
//!
//! A line per fact in the file `seals`: `seal FROM END`, `done END`. A line that a crash tore off is none; then the
//! window is cut anew, and what it sends twice has the same event ids and counts once.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// When the file is written anew with what still counts, in bytes.
const MAX_BYTES: u64 = 1 << 20;

pub(super) struct Seals {
    path: PathBuf,
    file: File,
    bytes: u64,
    done: u64,
    /// From and end of the windows that are sealed and not done.
    open: VecDeque<(u64, u64)>,
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
    pub(super) fn outstanding(&self) -> Vec<(u64, u64)> {
        self.open.iter().copied().collect()
    }

    /// Writes down that a window is sealed.
    pub(super) fn seal(&mut self, from: u64, end: u64) -> io::Result<()> {
        self.open.push_back((from, end));
        self.write(&format!("seal {from} {end}\n"))?;
        self.file.sync_data()
    }

    /// Writes down that the first window that was not done is.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        if let Some((_, end)) = self.open.pop_front() {
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

fn read(text: &str) -> (u64, VecDeque<(u64, u64)>) {
    let (mut done, mut open) = (0, VecDeque::new());
    for line in text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
        let mut words = line.split(' ');
        let what = words.next();
        let numbers: Vec<u64> = words.map_while(|word| word.parse().ok()).collect();
        match (what, numbers.as_slice()) {
            (Some("seal"), [from, end]) => open.push_back((*from, *end)),
            (Some("done"), [end]) => {
                done = *end;
                open.retain(|(_, sealed)| *sealed > done);
            }
            _ => {}
        }
    }
    (done, open)
}

fn rewrite(path: &Path, done: u64, open: &VecDeque<(u64, u64)>) -> io::Result<File> {
    let fresh = path.with_extension("new");
    let mut text = format!("done {done}\n");
    for (from, end) in open {
        text.push_str(&format!("seal {from} {end}\n"));
    }
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
        seals.seal(0, 3).unwrap();
        seals.seal(3, 9).unwrap();
        seals.finish().unwrap();
        drop(seals);
        let mut file = OpenOptions::new().append(true).open(folder.path().join("seals")).unwrap();
        file.write_all(b"seal 9 12").unwrap();
        let seals = Seals::open(folder.path()).unwrap();
        assert_eq!((seals.done(), seals.outstanding()), (3, vec![(3, 9)]));
    }
}
