//! What an import did: counts, and the records it refused with their places.

use std::{collections::BTreeMap, fmt, ops::AddAssign};

use serde::Serialize;

/// How many rejections a [`Report`] lists; more are only counted, so that a hopeless input can't fill the memory.
pub const MAX_LISTED_REJECTIONS: usize = 100;

/// What one import did. Time is measured by the caller.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What became of the documents: a crate's index file, an OSV record, a lockfile.
    pub documents: Documents,
    /// What became of the rows, by table; a table where nothing changed is not listed.
    pub rows: BTreeMap<&'static str, Rows>,
    /// The first [`MAX_LISTED_REJECTIONS`] rejected records, in the input's order.
    pub rejected: Vec<Rejection>,
    /// How many records were rejected in all.
    pub rejected_total: u64,
    /// Records in a form newer than this release reads, which cargo skips, too. A document that holds nothing else is not
    /// among `documents`.
    pub skipped: u64,
    /// What the operator should know of how it went, a sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What became of an input's documents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Documents {
    /// Not imported before.
    pub new: u64,
    /// Imported before with other content (or with records that were rejected or skipped), and read again.
    pub changed: u64,
    /// Imported before with this very content, and skipped.
    pub unchanged: u64,
    /// Older than what is stored, by their own account, and skipped.
    pub outdated: u64,
    /// Nothing in them could be loaded.
    pub rejected: u64,
}

impl Documents {
    /// All documents that the input held, each once.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.new + self.changed + self.unchanged + self.outdated + self.rejected
    }
}

/// What became of a table's rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rows {
    /// New rows.
    pub inserted: u64,
    /// Rows that were there with other values, deleted ones that came back among them.
    pub updated: u64,
    /// Rows that were softly deleted because their document no longer has them.
    pub deleted: u64,
}

impl AddAssign for Rows {
    fn add_assign(&mut self, other: Self) {
        self.inserted += other.inserted;
        self.updated += other.updated;
        self.deleted += other.deleted;
    }
}

/// A record that was not loaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rejection {
    /// `file:line`, the name of an archive's entry (with `:line` where it has lines), or a file. In cargo's own
    /// cache files, which have no lines, the number counts the versions.
    pub place: String,
    /// What is wrong with it, and what was expected.
    pub reason: String,
}

impl Rejection {
    pub(super) fn new(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { place: place.into(), reason: reason.into() }
    }
}

/// How many rejections of one batch of documents go into `import_errors`; more are only counted, for the same reason.
const MAX_KEPT_REJECTIONS: usize = 10_000;

/// Rejections on their way to the report: as many as are kept, and how many there were.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Rejections {
    pub(super) listed: Vec<Rejection>,
    pub(super) total: u64,
}

impl Rejections {
    pub(super) fn push(&mut self, rejection: Rejection) {
        self.total += 1;
        if self.listed.len() < MAX_KEPT_REJECTIONS {
            self.listed.push(rejection);
        }
    }

    pub(super) fn append(&mut self, others: Self) {
        self.total += others.total;
        let free = MAX_KEPT_REJECTIONS - self.listed.len();
        self.listed.extend(others.listed.into_iter().take(free));
    }
}

impl From<Rejection> for Rejections {
    fn from(rejection: Rejection) -> Self {
        Self { listed: vec![rejection], total: 1 }
    }
}

impl Report {
    /// Whether the import left every row as it was.
    #[must_use]
    pub fn changed_nothing(&self) -> bool {
        self.rows.is_empty()
    }

    /// What `import_runs` keeps of it: all but the rejections, which have a table of their own.
    pub(super) fn counts(&self) -> serde_json::Value {
        let Self { documents, rows, rejected_total, skipped, .. } = self;
        serde_json::json!({
            "documents": documents, "rows": rows, "rejected_total": rejected_total, "skipped": skipped,
        })
    }

    pub(super) fn count(&mut self, table: &'static str, rows: Rows) {
        if rows != Rows::default() {
            *self.rows.entry(table).or_default() += rows;
        }
    }

    pub(super) fn reject(&mut self, rejections: Rejections) {
        self.rejected_total += rejections.total;
        let free = MAX_LISTED_REJECTIONS - self.rejected.len();
        self.rejected.extend(rejections.listed.into_iter().take(free));
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Documents { new, changed, unchanged, outdated, rejected } = self.documents;
        write!(
            f,
            "{} documents: {new} new, {changed} changed, {unchanged} unchanged",
            self.documents.total()
        )?;
        if outdated > 0 {
            write!(f, ", {outdated} older than what is stored")?;
        }
        writeln!(f, ", {rejected} rejected")?;
        if self.skipped > 0 {
            writeln!(f, "{} records skipped: their form is newer than this release reads", self.skipped)?;
        }
        if self.changed_nothing() {
            writeln!(f, "nothing changed")?;
        }
        for (table, Rows { inserted, updated, deleted }) in &self.rows {
            writeln!(f, "{table}: {inserted} inserted, {updated} updated, {deleted} deleted")?;
        }
        for note in &self.notes {
            writeln!(f, "note: {note}")?;
        }
        for Rejection { place, reason } in &self.rejected {
            writeln!(f, "rejected {place}: {reason}")?;
        }
        let unlisted = self.rejected_total - self.rejected.len() as u64;
        if unlisted > 0 {
            writeln!(f, "… and {unlisted} more rejected")?;
        }
        Ok(())
    }
}
