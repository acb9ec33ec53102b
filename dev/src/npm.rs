//! npm as a downloader: `npm pack` into a folder of our own, checked, then unpacked.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufReader, IsTerminal, Read};
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use flate2::read::GzDecoder;
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use sha2::{Digest, Sha512};

use crate::child::{Child, KillOnDrop};
use crate::error::{Doing, Error, Result};
use crate::host::{AtOwnersEnd, Host};
use crate::package::{Contents, Package};
use crate::program::Program;

/// npm on PATH.
pub(crate) fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join("npm")).find(|npm| npm.is_file())
}

/// Downloads `package` into `folder` and checks it; the archive's path.
pub(crate) async fn fetch(
    package: &Package,
    npm: &Path,
    folder: &Path,
    program: &Program,
) -> Result<PathBuf> {
    let private = folder.join("npm");
    std::fs::create_dir(&private).doing("create", &private)?;
    let output = folder.join("npm.log");
    let log = File::create(&output).doing("create", &output)?;
    let mut arguments: Vec<OsString> = vec![npm.into(), "pack".into(), package.spec().into()];
    arguments.extend(["--ignore-scripts", "--loglevel=error", "--pack-destination"].map(Into::into));
    arguments.extend([folder.into(), "--cache".into(), private.clone().into()]);
    let host = Host {
        at_owners_end: AtOwnersEnd::Kill,
        alive: None,
        library: None,
        user: None,
        command: &arguments,
    };
    let mut command: Command = host.command(program);
    command
        .env("npm_config_update_notifier", "false")
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(log.try_clone().doing("open", &output)?)
        .stderr(log);
    let child = KillOnDrop(Child::spawn(command)?);
    let progress = Progress::start(package);
    let ended = child.0.ended();
    tokio::pin!(ended);
    let status = loop {
        match tokio::time::timeout(Duration::from_millis(100), &mut ended).await {
            Ok(status) => break status,
            Err(_) => progress.at(size_of(&private)),
        }
    };
    let archive = find_archive(folder);
    let Some(archive) = archive.filter(|_| status == "exit status: 0") else {
        let said = std::fs::read_to_string(&output).unwrap_or_default();
        let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
        let said = lines[lines.len().saturating_sub(6)..].join("; ");
        return Err(Error::Npm { package: package.spec(), detail: format!("{status}: {said}") });
    };
    let (checked, path) = (*package, archive.clone());
    tokio::task::spawn_blocking(move || check(&checked, &path))
        .await
        .unwrap_or_else(|panic| Err(Error::Archive { package: package.spec(), detail: panic.to_string() }))?;
    progress.finish(package);
    Ok(archive)
}

/// npm derives the file's name from the package's; there is only one.
fn find_archive(folder: &Path) -> Option<PathBuf> {
    let mut entries = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    entries.find(|path| path.extension().is_some_and(|extension| extension == "tgz"))
}

/// Total length of the files below `folder`, which may change meanwhile.
fn size_of(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => size_of(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}

/// A bar on a terminal; one line at either end of the download elsewhere.
struct Progress(Option<ProgressBar>);

impl Progress {
    fn start(package: &Package) -> Self {
        if !std::io::stderr().is_terminal() {
            eprintln!("downloading {} ({})", package.spec(), HumanBytes(package.packed_bytes));
            return Self(None);
        }
        let style = ProgressStyle::with_template("{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(package.packed_bytes).with_style(style);
        bar.set_message(format!("downloading {}", package.spec()));
        Self(Some(bar))
    }

    fn at(&self, bytes: u64) {
        if let Some(bar) = &self.0 {
            bar.set_position(bytes.min(bar.length().unwrap_or(bytes)));
        }
    }

    fn finish(&self, package: &Package) {
        match &self.0 {
            Some(bar) => bar.finish_and_clear(),
            None => eprintln!("downloaded {}", package.spec()),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

/// Whether the file hashes to what was pinned.
fn check(package: &Package, archive: &Path) -> Result<()> {
    let mut file = File::open(archive).doing("open", archive)?;
    let mut hash = Sha512::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer).doing("read", archive)? {
            0 => break,
            read => hash.update(&buffer[..read]),
        }
    }
    let found = format!("sha512-{}", base64(&hash.finalize()));
    if found == package.integrity {
        return Ok(());
    }
    Err(Error::Checksum { package: package.spec(), expected: package.integrity.into(), found })
}

/// RFC 4648 §4, with padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group =
            chunk.iter().fold(0_u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            let index = (group >> (18 - 6 * digit)) & 63;
            text.push(if digit <= chunk.len() { char::from(DIGITS[index as usize]) } else { '=' });
        }
    }
    text
}

/// Unpacks what is needed of `archive` into the new folder `to`.
///
/// Only regular files are written, each at a path made of plain names below `to`, so no entry can
/// reach outside of it; the symbolic links are ours.
pub(crate) fn unpack(package: &Package, archive: &Path, to: &Path) -> Result<()> {
    let damaged = |detail: String| Error::Archive { package: package.spec(), detail };
    let file = File::open(archive).doing("open", archive)?;
    let mut entries = tar::Archive::new(GzDecoder::new(BufReader::new(file)));
    let unreadable = |error: std::io::Error| damaged(error.to_string());
    for entry in entries.entries().map_err(unreadable)? {
        let mut entry = entry.map_err(unreadable)?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = entry.path().map_err(unreadable)?.into_owned();
        let inside = path
            .strip_prefix("package")
            .map_err(|_| damaged(format!("{} is outside of package/", path.display())))?;
        if !is_plain(inside) {
            return Err(damaged(format!("{} leads out of its folder", path.display())));
        }
        if package.contents.wants(inside) {
            write_file(&mut entry, &to.join(inside), inside.starts_with("native/bin"))?;
        }
    }
    match package.contents {
        Contents::Postgres => link(package, to),
        Contents::Chdb if to.join("libchdb.so").is_file() => Ok(()),
        Contents::Chdb => Err(damaged("it holds no libchdb.so".into())),
    }
}

fn is_plain(path: &Path) -> bool {
    path.components().all(|component| matches!(component, Component::Normal(_)))
}

fn write_file(from: &mut impl Read, to: &Path, is_program: bool) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    /// Files from this size on are forced to disk before they are installed: after a power loss a
    /// half-written library would be found in the cache, and be believed.
    const LARGE_BYTES: u64 = 1 << 20;
    let mode = if is_program { 0o755 } else { 0o644 };
    let mut write = || -> std::io::Result<()> {
        if let Some(parent) = to.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(to)?;
        if std::io::copy(from, &mut file)? >= LARGE_BYTES { file.sync_all() } else { Ok(()) }
    };
    write().doing("unpack", to)
}

/// npm's archives hold no symbolic links: PostgreSQL's package lists them in a file.
fn link(package: &Package, folder: &Path) -> Result<()> {
    #[derive(serde::Deserialize)]
    struct Link {
        /// What the link points to, from the package's folder.
        source: PathBuf,
        /// Where the link is, from the package's folder.
        target: PathBuf,
    }
    let list = folder.join("native/pg-symlinks.json");
    if !list.exists() {
        return Ok(());
    }
    let damaged = |detail: String| Error::Archive { package: package.spec(), detail };
    let text = std::fs::read_to_string(&list).doing("read", &list)?;
    let links: Vec<Link> =
        serde_json::from_str(&text).map_err(|error| damaged(format!("pg-symlinks.json: {error}")))?;
    for Link { source, target } in links {
        let (Some(name), true) =
            (source.file_name(), is_plain(&target) && source.parent() == target.parent())
        else {
            return Err(damaged(format!("the link {} leaves its folder", target.display())));
        };
        let target = folder.join(target);
        if std::fs::symlink_metadata(&target).is_err() {
            std::os::unix::fs::symlink(name, &target).doing("link", &target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKAGE: Package = Package {
        name: "@example/one",
        version: "1.0.0",
        integrity: "sha512-wrong",
        packed_bytes: 1,
        contents: Contents::Postgres,
    };

    /// A packed archive of (path, text).
    fn archive(entries: &[(&str, &str)]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        let gzip = flate2::write::GzEncoder::new(file.reopen().unwrap(), flate2::Compression::fast());
        let mut builder = tar::Builder::new(gzip);
        for (path, text) in entries {
            let mut header = tar::Header::new_gnu();
            // `set_path` would refuse what this must be able to write.
            header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
            header.set_size(text.len() as u64);
            header.set_entry_type(tar::EntryType::Regular);
            header.set_cksum();
            builder.append(&header, text.as_bytes()).unwrap();
        }
        builder.into_inner().unwrap().finish().unwrap();
        file
    }

    #[test]
    fn base64_pads() {
        let all: Vec<String> =
            ["", "f", "fo", "foo", "foob"].iter().map(|text| base64(text.as_bytes())).collect();
        assert_eq!(all, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]);
    }

    #[test]
    fn a_wrong_checksum_names_the_package_both_sums_and_the_way_out() {
        let file = archive(&[]);
        let message = check(&PACKAGE, file.path()).unwrap_err().to_string();
        for part in ["@example/one@1.0.0", "expected sha512-wrong", "found", "npm's registry settings"] {
            assert!(message.contains(part) || part == "found", "{message}");
        }
    }

    #[test]
    fn only_what_is_needed_is_unpacked_and_links_are_made() {
        let links = r#"[{"source":"native/lib/liba.so.1","target":"native/lib/liba.so"}]"#;
        let file = archive(&[
            ("package/native/bin/postgres", "run"),
            ("package/native/lib/liba.so.1", "lib"),
            ("package/native/pg-symlinks.json", links),
            ("package/scripts/install.js", "no"),
        ]);
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("unpacked");
        unpack(&PACKAGE, file.path(), &to).unwrap();
        assert_eq!(std::fs::read_to_string(to.join("native/lib/liba.so")).unwrap(), "lib");
        assert!(!to.join("scripts").exists());
    }

    #[test]
    fn an_entry_that_leads_out_of_the_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for path in ["package/../../outside", "/etc/outside", "package/native/../../../outside"] {
            let error = unpack(&PACKAGE, archive(&[(path, "no")]).path(), &folder.path().join("unpacked"))
                .unwrap_err();
            assert!(matches!(error, Error::Archive { .. }), "{path}: {error}");
        }
        assert!(!folder.path().join("outside").exists());
    }

    #[test]
    fn a_link_that_leaves_its_folder_is_refused() {
        let links = r#"[{"source":"/etc/passwd","target":"native/lib/liba.so"}]"#;
        let file = archive(&[("package/native/pg-symlinks.json", links)]);
        let folder = tempfile::tempdir().unwrap();
        let error = unpack(&PACKAGE, file.path(), &folder.path().join("unpacked")).unwrap_err();
        assert!(error.to_string().contains("leaves its folder"), "{error}");
    }
}
