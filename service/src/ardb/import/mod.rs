//! Importers: each reads documents of one kind from a file, a folder or an archive into ardb.
//!
//! | importer | input | a document is |
//! |---|---|---|
//! | [`mod@cargo_index`] | cargo's cache, or a sparse index, as a folder or a tar | a crate's index file |
//! | [`mod@crates_io_dump`] | crates.io's `db-dump.tar.gz`, packed or unpacked | the dump |
//! | [`mod@npm`] | npm's documents of packages, by folder, archive or line | what the registry says of a package |
//! | [`mod@pypi`] | PyPI's, the same | what the registry says of a package, or of a version |
//! | [`mod@osv`] | a folder or a zip of JSON | an advisory |
//! | [`mod@lockfile`] | the lockfile of cargo, npm, Poetry, Go or Bundler | the lockfile |
//! | [`mod@sbom`] | a software bill of materials, CycloneDX or SPDX | the bill |
//!
//! What they have in common:
//!
//! - **Bulk.** Rows go by COPY into temporary tables, and from there by one statement per table into the real ones;
//!   one transaction per batch of documents. Memory does not grow with the input, but for some 60 bytes per document.
//! - **Idempotent.** `source_documents` keeps the hash of every document. A document that is known is skipped; in one
//!   that changed, rows that are as they were are not touched. What a document no longer has is softly deleted, and
//!   restored when it comes back. A document that is missing from an input says nothing: nothing is deleted for it.
//! - **Older is not newer.** Where a document tells how old it is, one that is older than what is stored changes nothing.
//! - **Once per input.** A document that an input holds again is left out where it is the same, else rejected; so every
//!   run over one input ends in the same rows.
//! - **Order does not matter.** Dependencies, affected packages and components are linked to packages at the end of
//!   each import, whichever came first; so does importing at the same time, in several processes.
//! - **A bad record is no bad import.** It is listed in the [`Report`] with its place and reason, and the rest is
//!   loaded. A document with rejected or skipped records is read again next time, and reported again; rows that it had before
//!   stay, since the record that can't be read may be theirs.
//! - **Every run is recorded** in `import_runs` when it begins and when it ends, and what it rejects in `import_errors`:
//!   one without an end is running or was killed. See [`import_run`](super::import_run).
//! - **Time is an argument**: `now` goes into `imported_at` and `deleted_at`.

mod check;
mod copy;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod inventory;
mod json;
mod link;
mod listing;
mod pipeline;
mod registry;
mod report;
mod run;
mod source;
mod statement;

pub mod cargo_index;
pub mod crates_io_dump;
pub mod lockfile;
pub mod npm;
pub mod osv;
pub mod pypi;
pub mod sbom;

pub use cargo_index::cargo_index;
pub use crates_io_dump::{crates_io_dump, crates_io_dump_of};
pub use lockfile::lockfile;
pub use npm::npm;
pub use osv::osv;
pub use pypi::pypi;
pub use report::{Documents, MAX_LISTED_REJECTIONS, Rejection, Report, Rows};
pub use sbom::sbom;

/// What an import tells about its way; for a progress bar. Called from the importing task.
///
/// `()` says nothing.
pub trait Progress: Send + Sync {
    /// The import begins; the input holds `total_bytes` on disk.
    fn started(&self, total_bytes: u64) {
        let _ = total_bytes;
    }

    /// `bytes` of the input have been read and `documents` are done, in all.
    fn advanced(&self, bytes: u64, documents: u64) {
        let _ = (bytes, documents);
    }
}

impl Progress for () {}
