//! A database dump of crates.io that is made up: of any size, the same in every run, and as crates.io's crates are, see
//! [`figures`].
//!
//! What is in memory is twelve bytes per version (the order of publication) and the row being written; every row follows
//! from the seed and from what it is about, see [`draw`].

mod draw;
mod figures;
mod rows;

use std::fs::File;
use std::io::{self, BufWriter, Seek as _, Write as _};
use std::path::Path;

use flate2::{Compression, write::GzEncoder};

use rows::{Crate, Rows};

/// What to make.
#[derive(Clone, Copy, Debug)]
pub struct Made {
    pub seed: u64,
    pub versions: u64,
    /// On average; what comes out differs by a few in a thousand, by more where there are few versions.
    pub dependencies: u64,
}

/// The folder in the archive, and when the dump was made.
const FOLDER: &str = "2026-01-01-020000";
const METADATA: &str = "{\"timestamp\": \"2026-01-01T02:00:00Z\", \"crates_io_commit\": \"0000000000000000000000000000000000000000\"}\n";
/// Seconds since 1970 at which crates.io opened, and at which the newest version was published.
const OPENED: u64 = 1_415_577_600;
const NEWEST: u64 = 1_767_225_600;

/// A version by its crate, in the order of publication, which is that of the dump's ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Published {
    second: u32,
    crate_index: u32,
    nth: u32,
}

impl Made {
    /// Writes the dump to `archive`, a `.tar.gz`. How many rows each table has.
    pub fn write(&self, archive: &Path) -> io::Result<Vec<(&'static str, u64)>> {
        let published = self.published();
        let crates = published.iter().map(|version| u64::from(version.crate_index) + 1).max().unwrap_or(0);
        let rows = Rows { made: *self, crates, published };
        let gzip = GzEncoder::new(BufWriter::new(File::create(archive)?), Compression::fast());
        let mut tar = tar::Builder::new(gzip);
        tar.append_data(
            &mut header(METADATA.len() as u64),
            format!("{FOLDER}/metadata.json"),
            METADATA.as_bytes(),
        )?;
        let mut counts = Vec::new();
        for (name, columns, write) in rows::TABLES {
            let mut file = BufWriter::with_capacity(1 << 20, tempfile::tempfile()?);
            let mut csv = csv::Writer::from_writer(&mut file);
            csv.write_record(columns)?;
            counts.push((name, write(&rows, &mut csv)?));
            csv.flush()?;
            drop(csv);
            let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
            let size = file.stream_position()?;
            file.rewind()?;
            tar.append_data(&mut header(size), format!("{FOLDER}/data/{name}.csv"), file)?;
        }
        tar.into_inner()?.finish()?.flush()?;
        Ok(counts)
    }

    /// Every version, the earliest first. Each crate begins at some time and publishes evenly from then on.
    fn published(&self) -> Vec<Published> {
        let mut published =
            Vec::with_capacity(usize::try_from(self.versions).expect("versions fit in memory"));
        for crate_index in 0.. {
            let left = self.versions - published.len() as u64;
            if left == 0 {
                break;
            }
            let krate = Crate::new(self.seed, crate_index);
            let begin = OPENED as f64 + (NEWEST - OPENED) as f64 * krate.begins();
            let step = (NEWEST as f64 - begin) / f64::from(krate.versions);
            for nth in 0..krate.versions.min(u32::try_from(left).unwrap_or(u32::MAX)) {
                let second = begin + step * (f64::from(nth) + krate.of_version(nth).share());
                published.push(Published { second: second as u32, crate_index, nth });
            }
        }
        published.sort_unstable();
        published
    }
}

fn header(size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(size);
    header.set_mode(0o644);
    header.set_mtime(NEWEST);
    header
}
