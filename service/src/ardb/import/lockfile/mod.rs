//! Imports a lockfile as an inventory: what a product is made of, by exact version.
//!
//! | file | of | read where it is called | else known by |
//! |---|---|---|---|
//! | `Cargo.lock`, every format | cargo | so | `[[package]]` |
//! | `package-lock.json` of versions 2 and 3 | npm | so, or `npm-shrinkwrap.json` | `{` |
//! | `poetry.lock` | Poetry | so | `[[package]]` and `content-hash` |
//! | `go.sum` | Go | so | ` h1:` in its first line |
//! | `Gemfile.lock` | Bundler | so, or `gems.locked` | a section such as `GEM` |
//!
//! The document is the inventory, by the name that the caller gives it, wherever the file lies. A lockfile is loaded
//! whole or rejected whole: an inventory that misses components would be taken for one that has nothing wrong with them.
//! A rejection names the line. The largest file that is read is [`MAX_LOCKFILE_BYTES`] long, and memory is a small
//! multiple of that.
//!
//! What a lockfile does not tell stays unknown: scopes of cargo, Go and Bundler; in `go.sum`, relations, and which of
//! its modules are still used. Checksums are kept where they are the SHA-256 of one archive.

mod cargo;
mod gem;
mod go;
mod npm;
mod poetry;

#[cfg(test)]
mod tests;

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use entity_ardb::DocumentKind;
use sea_orm::{DatabaseConnection, sqlx::PgConnection};

use super::{
    Progress, Rejection, Report,
    check::BadJson,
    inventory::{self, Inventory, Target},
    pipeline::{self, Document, Format, Found, Parsed, Raw, Sink, Tally},
    report::Rejections,
    source::{self, Entry},
};
use crate::{Error, Result, ardb::inventory::Product};

/// The largest lockfile that is read; those of the largest workspaces are a tenth of it.
pub const MAX_LOCKFILE_BYTES: u64 = 16 * 1024 * 1024;

/// Imports the lockfile at `input`, or the only one in the folder `input`, as the inventory of `product`, such as
/// `"acme/rocket"`.
///
/// Importing another lockfile of the same product replaces the inventory.
///
/// # Errors
///
/// [`Error::Invalid`] if the product's name is empty, over 1,024 bytes, has a NUL or begins as an owner does;
/// [`Error::Input`] if `input` is not there, can't be read, or is a folder with no lockfile or several;
/// [`Error::Database`] if a statement fails.
pub async fn lockfile<'a>(
    db: &DatabaseConnection,
    input: &Path,
    product: impl Into<Product<'a>>,
    now: DateTime<Utc>,
    progress: &dyn Progress,
) -> Result<Report> {
    let target = Target::new(product.into())?;
    let input = pipeline::existing(input, "a lockfile")?;
    let input = if input.is_dir() { only_lockfile(&input)? } else { input };
    pipeline::run(db, Lockfile { target }, &input, now, progress).await
}

/// Why a lockfile can't be loaded, and on which of its lines, counted from 1.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Flaw {
    pub(super) line: usize,
    pub(super) reason: String,
}

impl Flaw {
    pub(super) fn new(line: usize, reason: impl Into<String>) -> Self {
        Self { line, reason: reason.into() }
    }

    /// The line of the byte `at` of `text`.
    pub(super) fn at(text: &str, at: usize, reason: impl Into<String>) -> Self {
        let before = text.as_bytes().get(..at).unwrap_or_default();
        Self::new(1 + before.iter().filter(|byte| **byte == b'\n').count(), reason)
    }

    /// What the reader of TOML says, in one line, and where.
    fn toml(text: &str, kind: Kind, error: &toml::de::Error) -> Self {
        let at = error.span().map_or(0, |span| span.start);
        Self::at(text, at, format!("is no {}: {}", kind.name(), error.message()))
    }
}

impl From<BadJson> for Flaw {
    fn from(BadJson { line, reason }: BadJson) -> Self {
        Self { line, reason }
    }
}

/// The tool that wrote a lockfile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Cargo,
    Npm,
    Poetry,
    Go,
    Gem,
}

impl Kind {
    pub(super) const ALL: [Self; 5] = [Self::Cargo, Self::Npm, Self::Poetry, Self::Go, Self::Gem];

    fn name(self) -> &'static str {
        match self {
            Self::Cargo => "Cargo.lock",
            Self::Npm => "package-lock.json",
            Self::Poetry => "poetry.lock",
            Self::Go => "go.sum",
            Self::Gem => "Gemfile.lock",
        }
    }

    fn of_file(file_name: &str) -> Option<Self> {
        match file_name {
            "npm-shrinkwrap.json" => Some(Self::Npm),
            "gems.locked" => Some(Self::Gem),
            _ => Self::ALL.into_iter().find(|kind| kind.name() == file_name),
        }
    }

    fn of_content(content: &str) -> Option<Self> {
        let has_line = |wanted: &str| content.lines().any(|line| line == wanted);
        if content.trim_start().starts_with('{') {
            Some(Self::Npm)
        } else if has_line("[[package]]") {
            let is_poetry = content.lines().any(|line| line.starts_with("content-hash"));
            Some(if is_poetry { Self::Poetry } else { Self::Cargo })
        } else if content.lines().next().is_some_and(|first| first.contains(" h1:")) {
            Some(Self::Go)
        } else {
            gem::SECTIONS_OF_SOURCES.iter().any(|section| has_line(section)).then_some(Self::Gem)
        }
    }

    /// Reads `content` as a lockfile of this kind.
    pub(super) fn parse(self, content: &str) -> Result<Inventory, Flaw> {
        match self {
            Self::Cargo => cargo::parse(content),
            Self::Npm => npm::parse(content),
            Self::Poetry => poetry::parse(content),
            Self::Go => go::parse(content),
            Self::Gem => gem::parse(content),
        }
    }
}

fn only_lockfile(folder: &Path) -> Result<PathBuf> {
    let unreadable = |reason: String| Error::Input { place: folder.display().to_string(), reason };
    let entries = folder.read_dir().map_err(|error| unreadable(format!("can't be read: {error}")))?;
    let mut found: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| Kind::of_file(name).is_some())
        .collect();
    found.sort_unstable();
    match found.as_slice() {
        [only] => Ok(folder.join(only)),
        [] => {
            let names = Kind::ALL.map(Kind::name).join(", ");
            Err(unreadable(format!("holds no lockfile; expected one of {names}")))
        }
        several => Err(unreadable(format!("holds several lockfiles, name one: {}", several.join(", ")))),
    }
}

#[cfg(any(test, feature = "fuzzing"))]
pub(super) fn fuzz(file_name: &str, target: Target, data: &[u8]) {
    if let Ok(text) = str::from_utf8(data) {
        let _ = Kind::of_content(text);
    }
    if let Some(document) = super::fuzzing::document(&Lockfile { target }, file_name, data) {
        super::fuzzing::assert_inventory(&document.parsed);
    }
}

/// The importer's side of the pipeline.
#[derive(Clone)]
struct Lockfile {
    target: Target,
}

impl Lockfile {
    /// What a file holds: at most one document.
    fn document(&self, entry: &mut Entry<'_>) -> Found<String> {
        let content = source::read_bounded(entry.content, MAX_LOCKFILE_BYTES)
            .and_then(|bytes| String::from_utf8(bytes).map_err(|error| format!("is not UTF-8: {error}")));
        match content {
            Ok(content) => Found::Document(Raw {
                locator: self.target.locator(),
                place: entry.place.to_owned(),
                sha256: inventory::hash(&content),
                size_bytes: content.len() as u64,
                content,
            }),
            Err(reason) => Found::Rejected(Rejection::new(entry.place, reason)),
        }
    }
}

impl Format for Lockfile {
    type Content = String;
    type Parsed = Inventory;
    const KIND: DocumentKind = DocumentKind::Lockfile;

    fn read(&self, mut entry: Entry<'_>, found: &mut Sink<'_, String>) -> ControlFlow<()> {
        found(self.document(&mut entry))
    }

    fn parse(&self, raw: Raw<String>) -> Parsed<Inventory> {
        let Raw { locator, place, sha256, size_bytes, content } = raw;
        let file_name = Path::new(&place).file_name().unwrap_or_default().to_string_lossy();
        let kind = Kind::of_file(&file_name).or_else(|| Kind::of_content(&content));
        let parsed = match kind {
            Some(kind) => kind.parse(&content),
            None => {
                let names = Kind::ALL.map(Kind::name).join(", ");
                Err(Flaw::new(1, format!("is neither called nor written as any of {names}")))
            }
        };
        let (document, rejections) = match parsed {
            Ok(parsed) => (Some(Document { locator, sha256, size_bytes, parsed }), Rejections::default()),
            Err(Flaw { line, reason }) => (None, Rejection::new(format!("{place}:{line}"), reason).into()),
        };
        Parsed { document, rejections, skipped: 0 }
    }

    async fn merge(
        &self,
        connection: &mut PgConnection,
        batch: &[Document<Inventory>],
        now: DateTime<Utc>,
    ) -> Result<Tally> {
        inventory::merge(connection, DocumentKind::Lockfile, &self.target, batch, now).await
    }
}
