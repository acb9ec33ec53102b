//! The staging tables, and filling them.

use std::collections::VecDeque;

use sea_orm::sqlx::{self, PgConnection};
use tokio::sync::mpsc;

use super::{
    super::{Progress, Report, copy::CopyRows},
    read::Chunk,
};
use crate::Result;

/// Columns in the order in which `table.rs` writes them; ids are those of the dump.
const TABLES: &str = "
    create temporary table dump_crates (
        line bigint not null, id bigint not null, name text not null, normalized_name text not null,
        purl text not null, description text not null, homepage_url text not null, documentation_url text not null,
        repository_url text, repository_host text, repository_path text,
        package_id bigint, is_outdated boolean not null default false
    );
    create temporary table dump_versions (
        line bigint not null, id bigint not null, crate_id bigint not null, number text not null,
        sort_key bytea not null, is_prerelease boolean not null, is_yanked boolean not null, checksum_sha256 bytea,
        published_at timestamptz not null, attributes jsonb not null, licence text not null, size_bytes bigint
    );
    create temporary table dump_licences (published text not null, expression text not null, is_spdx boolean not null);
    create temporary table dump_dependencies (
        line bigint not null, version_id bigint not null, crate_id bigint not null, alias text not null,
        requirement text not null, kind text not null, is_optional boolean not null,
        uses_default_features boolean not null, features text[] not null, target text not null
    );
    create temporary table dump_accounts (
        line bigint not null, kind text not null, id bigint not null, login text not null, name text not null
    );
    create temporary table dump_owners (
        line bigint not null, crate_id bigint not null, kind text not null, account_id bigint not null
    );
    create temporary table dump_keywords (line bigint not null, id bigint not null, name text not null);
    create temporary table dump_crates_keywords (
        line bigint not null, crate_id bigint not null, keyword_id bigint not null
    );
    create temporary table dump_categories (
        line bigint not null, id bigint not null, slug text not null, name text not null, description text not null
    );
    create temporary table dump_crates_categories (
        line bigint not null, crate_id bigint not null, category_id bigint not null
    );
    create temporary table dump_downloads (
        line bigint not null, version_id bigint not null, day date not null, downloads bigint not null
    );
    create temporary table dump_default_versions (
        line bigint not null, crate_id bigint not null, version_id bigint not null
    );
    create temporary table dump_crate_downloads (
        line bigint not null, crate_id bigint not null, downloads bigint not null
    )";

/// For sorts of a chunk and of a table's index in memory. Compiling statements that run once costs more than it saves, and
/// compressing the features of versions by pglz takes a tenth of the server's time; a server need not know LZ4.
const SETTINGS: &str = "
    set work_mem = '128MB'; set maintenance_work_mem = '256MB'; set random_page_cost = 1.1; set jit = off;
    select set_config('default_toast_compression', 'lz4', false) from pg_settings
    where name = 'default_toast_compression' and 'lz4' = any (enumvals)";

/// Tells how far the import is: reading is a quarter of the way, as bytes of the input; merging is the rest.
pub(super) struct Steps<'a> {
    progress: &'a dyn Progress,
    size: u64,
    records: u64,
}

impl<'a> Steps<'a> {
    pub(super) fn new(progress: &'a dyn Progress, size: u64) -> Self {
        progress.started(size.saturating_mul(4));
        Self { progress, size, records: 0 }
    }

    fn read(&mut self, bytes: u64, records: u64) {
        self.records += records;
        self.progress.advanced(bytes.min(self.size), self.records);
    }

    /// The merge, in `all` steps.
    pub(super) fn of(&self, all: usize) -> Merged<'_> {
        Merged { steps: self, done: 0, all }
    }
}

/// How far the merge is.
pub(super) struct Merged<'a> {
    steps: &'a Steps<'a>,
    done: usize,
    all: usize,
}

impl Merged<'_> {
    /// One more step is done.
    pub(super) fn step(&mut self) {
        self.done += 1;
        let part = self.steps.size.saturating_mul(3) / self.all.max(1) as u64 * self.done as u64;
        self.steps.progress.advanced(self.steps.size + part, self.steps.records);
    }
}

/// Sends what the reader reads, chunk by chunk.
pub(super) async fn stage(
    connection: &mut PgConnection,
    chunks: mpsc::Receiver<Chunk>,
    report: &mut Report,
    progress: &mut Steps<'_>,
) -> Result<()> {
    sqlx::raw_sql(SETTINGS).execute(&mut *connection).await?;
    sqlx::raw_sql(TABLES).execute(&mut *connection).await?;
    let mut pieces = Pieces { chunks, ready: VecDeque::new(), report, progress };
    let mut next = pieces.next().await;
    while let Some((statement, rows)) = next {
        // Until rows of another table come: the end of a COPY is acknowledged late, by 40 ms where TCP waits for more.
        let mut copy = rows.begin(connection, statement).await?;
        next = loop {
            match pieces.next().await {
                Some((same, rows)) if same == statement => rows.follow(&mut copy).await?,
                other => break other,
            }
        };
        copy.finish().await?;
    }
    Ok(())
}

/// What the reader reads, without what is empty.
struct Pieces<'a, 'p> {
    chunks: mpsc::Receiver<Chunk>,
    ready: VecDeque<(&'static str, CopyRows)>,
    report: &'a mut Report,
    progress: &'a mut Steps<'p>,
}

impl Pieces<'_, '_> {
    async fn next(&mut self) -> Option<(&'static str, CopyRows)> {
        loop {
            if let Some(piece) = self.ready.pop_front() {
                return Some(piece);
            }
            let Chunk { copies, rejections, records, bytes } = self.chunks.recv().await?;
            self.ready.extend(copies.into_iter().filter(|(_, rows)| !rows.is_empty()));
            self.report.reject(rejections);
            self.progress.read(bytes, records);
        }
    }
}
