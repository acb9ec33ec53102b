//! Batches that the schema refuses, in files of their own until the schema takes them: `parked/ID.batch`.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::batch::{Batch, Destination};
use super::decode;
use super::encode::LAYOUTS;

/// The folder of parked batches in the log's `folder`.
fn folder_in(folder: &Path) -> PathBuf {
    folder.join("parked")
}

/// Keeps `batch`; it is on disk afterwards.
pub(super) fn park(folder: &Path, batch: &Batch) -> io::Result<()> {
    let parked = folder_in(folder);
    fs::create_dir_all(&parked)?;
    let layout =
        LAYOUTS.iter().position(|table| std::ptr::eq(*table, batch.destination.table)).unwrap_or_default();
    let mut head = vec![layout as u8];
    head.extend_from_slice(&(batch.rows as u32).to_le_bytes());
    batch.ends.iter().for_each(|end| head.extend_from_slice(&end.to_le_bytes()));
    let path = parked.join(format!("{}.batch", batch.id));
    let fresh = path.with_extension("new");
    let mut file = File::create(&fresh)?;
    file.write_all(&head)?;
    file.write_all(&batch.bytes)?;
    file.sync_all()?;
    fs::rename(&fresh, &path)?;
    File::open(&parked)?.sync_all()
}

/// The files of parked batches, and their lengths in bytes.
pub(super) fn list(folder: &Path) -> io::Result<Vec<(PathBuf, u64)>> {
    let entries = match fs::read_dir(folder_in(folder)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "batch") {
            let length = fs::metadata(&path)?.len();
            files.push((path, length));
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// Reads a parked batch. It is the one that was parked if its content still has the name of the file.
pub(super) fn read(path: &Path) -> io::Result<Batch> {
    let bytes = fs::read(path)?;
    let batch = parse(&bytes).filter(|batch| {
        path.file_stem().is_some_and(|stem| stem.to_str() == Some(batch.id.to_string().as_str()))
    });
    batch.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, format!("{} is damaged", path.display())))
}

fn parse(bytes: &[u8]) -> Option<Batch> {
    let (layout, rest) = bytes.split_first()?;
    let table = LAYOUTS.get(usize::from(*layout))?;
    let (rows, rest) = rest.split_first_chunk::<4>()?;
    let (ends, rest) = rest.split_at_checked((u32::from_le_bytes(*rows) as usize).checked_mul(4)?)?;
    let ends = ends.chunks_exact(4).map(|end| u32::from_le_bytes([end[0], end[1], end[2], end[3]]));
    let ends: Vec<u32> = ends.collect();
    let is_whole = ends.is_sorted() && ends.last().is_some_and(|last| *last as usize == rest.len());
    if !is_whole {
        return None;
    }
    let batch = Batch::of_rows(Destination { table, month: 0, shard: 0 }, rest.to_vec(), ends);
    let destination = decode::destination(table, batch.row(0));
    Some(batch.to(destination))
}
