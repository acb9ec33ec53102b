//! From files to transactions: one thread reads and parses, the caller's task writes, a channel that holds one
//! batch is between them. So reading overlaps writing, no async thread is blocked, and memory is bounded by three
//! batches however long the input is, plus some 60 bytes per document to know one that comes again.

use std::{
    collections::{HashMap, HashSet, hash_map},
    mem,
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::Duration,
};

use chrono::{DateTime, Utc};
use entity_ardb::DocumentKind;
use sea_orm::{
    ActiveEnum as _, DatabaseConnection,
    sqlx::{self, PgConnection},
};
use sha2::{Digest as _, Sha256};
use tokio::{runtime::Handle, sync::mpsc, task};

use super::{
    Progress, Rejection, Report,
    report::{Rejections, Rows},
    run::Run,
    source::{self, Entry, Meter, Visitor},
};
use crate::{Error, Result};

/// A batch is closed at this many documents …
const MAX_DOCUMENTS: usize = 500;
/// … or this many bytes of them, whichever comes first. Larger batches are not faster, smaller ones are slower.
const MAX_BYTES: u64 = 8 * 1024 * 1024;
/// A batch that keeps meeting deadlocks or serialisation failures is tried this often in all.
pub(super) const MAX_ATTEMPTS: u32 = 8;
/// Pause before the second attempt; doubled before each further one.
pub(super) const FIRST_BACKOFF: Duration = Duration::from_millis(20);

/// A document as it was found, before it is parsed.
pub(super) struct Raw<C> {
    /// What it is in `source_documents`, the same wherever the file lies.
    pub(super) locator: String,
    /// The file, for the places of rejections.
    pub(super) place: String,
    /// Of all of its content, and of what else its rows depend on.
    pub(super) sha256: [u8; 32],
    pub(super) size_bytes: u64,
    pub(super) content: C,
}

/// A document that can be written.
pub(super) struct Document<P> {
    pub(super) locator: String,
    /// Of what was loaded of it; where records were left out, this differs from the content's hash, so that the
    /// document is read again next time.
    pub(super) sha256: [u8; 32],
    pub(super) size_bytes: u64,
    pub(super) parsed: P,
}

/// What a document turned out to hold.
pub(super) struct Parsed<P> {
    /// `None`: nothing that can be written.
    pub(super) document: Option<Document<P>>,
    pub(super) rejections: Rejections,
    /// Records of a form that is newer than what is read here.
    pub(super) skipped: u64,
}

/// What a file turned out to be.
pub(super) enum Found<C> {
    /// Not for this importer, and expected to be there.
    Nothing,
    /// A document.
    Document(Raw<C>),
    /// Nothing that can be used.
    Rejected(Rejection),
}

/// What a format shows its documents to. `Break`: no more are wanted.
pub(super) type Sink<'a, C> = dyn FnMut(Found<C>) -> ControlFlow<()> + 'a;

/// What became of a batch's documents and rows.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) new: u64,
    pub(super) changed: u64,
    pub(super) unchanged: u64,
    pub(super) outdated: u64,
    pub(super) rows: Vec<(&'static str, Rows)>,
}

/// What differs between one importer and the next.
pub(super) trait Format: Send + Sync + Clone + 'static {
    /// A document's content between reading and parsing.
    type Content: Send;
    /// What the merge needs of a document.
    type Parsed: Send + Sync;
    const KIND: DocumentKind;

    /// Reads one file and shows what it holds, document by document; `Break` where `found` breaks.
    fn read(&self, entry: Entry<'_>, found: &mut Sink<'_, Self::Content>) -> ControlFlow<()>;

    /// Takes a document apart.
    fn parse(&self, raw: Raw<Self::Content>) -> Parsed<Self::Parsed>;

    /// Writes documents, no two of which have the same locator, in the transaction that `connection` is in.
    fn merge(
        &self,
        connection: &mut PgConnection,
        batch: &[Document<Self::Parsed>],
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<Tally>> + Send;
}

/// What the reader sends to the writer.
struct Batch<P> {
    documents: Vec<Document<P>>,
    rejections: Rejections,
    unchanged: u64,
    rejected: u64,
    skipped: u64,
    /// Of the input, read so far.
    bytes: u64,
}

/// Imports `input` in the format `format`, links what came, and records the run.
pub(super) async fn run<F: Format>(
    db: &DatabaseConnection,
    format: F,
    input: &Path,
    now: DateTime<Utc>,
    progress: &dyn Progress,
) -> Result<Report> {
    let run = Run::start(db, F::KIND, input, now).await?;
    let loaded = batches(db, &run, format, input, now, progress).await;
    run.finish(loaded).await
}

/// Imports `input` batch by batch; a failure keeps the batches before it.
async fn batches<F: Format>(
    db: &DatabaseConnection,
    run: &Run<'_>,
    format: F,
    input: &Path,
    now: DateTime<Utc>,
    progress: &dyn Progress,
) -> Result<Report> {
    let (sender, mut receiver) = mpsc::channel(1);
    let reader = Reader::new(db.clone(), format.clone(), sender);
    let path = input.to_owned();
    let total = task::spawn_blocking(move || source::size(&path)).await.map_err(panicked)??;
    progress.started(total);
    let path = input.to_owned();
    let reading = task::spawn_blocking(move || reader.read(&path));

    let mut report = Report::default();
    while let Some(batch) = receiver.recv().await {
        let tally = in_transaction(db, &Merge { format: &format, batch: &batch.documents, now }).await?;
        report.documents.new += tally.new;
        report.documents.changed += tally.changed;
        report.documents.unchanged += tally.unchanged + batch.unchanged;
        report.documents.outdated += tally.outdated;
        report.documents.rejected += batch.rejected;
        for (table, rows) in tally.rows {
            report.count(table, rows);
        }
        report.skipped += batch.skipped;
        run.reject(&batch.rejections.listed).await?;
        report.reject(batch.rejections);
        progress.advanced(batch.bytes, report.documents.total());
    }
    reading.await.map_err(panicked)??;
    Ok(report)
}

/// The reader's panic goes on in the caller's task.
pub(super) fn panicked(error: task::JoinError) -> Error {
    match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(error) => Error::Input { place: "the reading task".into(), reason: error.to_string() },
    }
}

/// What is done in one transaction, and done again where it met another import's locks.
pub(super) trait Work: Sync {
    /// What it answers.
    type Done: Send;

    fn run(&self, connection: &mut PgConnection) -> impl Future<Output = Result<Self::Done>> + Send;
}

/// Runs `work` in a transaction of its own, again and again with growing pauses where it is a deadlock's victim or
/// can't be serialised.
pub(super) async fn in_transaction<W: Work>(db: &DatabaseConnection, work: &W) -> Result<W::Done> {
    let mut backoff = FIRST_BACKOFF;
    for _ in 1..MAX_ATTEMPTS {
        match attempt(db, work).await {
            Err(error) if error.is_transient() => {
                tracing::debug!(%error, "the transaction is run again");
                tokio::time::sleep(backoff).await;
                backoff *= 2;
            }
            done => return done,
        }
    }
    attempt(db, work).await
}

async fn attempt<W: Work>(db: &DatabaseConnection, work: &W) -> Result<W::Done> {
    let mut transaction = db.get_postgres_connection_pool().begin().await?;
    let done = work.run(&mut transaction).await?;
    transaction.commit().await?;
    Ok(done)
}

/// The merge of one batch.
struct Merge<'a, F: Format> {
    format: &'a F,
    batch: &'a [Document<F::Parsed>],
    now: DateTime<Utc>,
}

impl<F: Format> Work for Merge<'_, F> {
    type Done = Tally;

    async fn run(&self, connection: &mut PgConnection) -> Result<Tally> {
        if self.batch.is_empty() {
            return Ok(Tally::default());
        }
        // Imports of one kind that run at the same time take turns, batch by batch: they would wait for each other's
        // rows anyway, and what one reads before it writes can't change in between.
        sqlx::query("select pg_advisory_xact_lock(hashtextextended('ardb import of ' || $1, 0))")
            .bind(F::KIND.to_value())
            .execute(&mut *connection)
            .await?;
        self.format.merge(connection, self.batch, self.now).await
    }
}

/// The reading side: runs on a thread of its own.
struct Reader<F: Format> {
    db: DatabaseConnection,
    format: F,
    sender: mpsc::Sender<Batch<F::Parsed>>,
    runtime: Handle,
    meter: Meter,
    raws: Vec<Raw<F::Content>>,
    /// Every document of the run: from its locator's hash to its content's, 128 bits of each.
    seen: HashMap<[u8; 16], [u8; 16]>,
    bytes: u64,
    rejections: Rejections,
    rejected: u64,
    failure: Option<Error>,
}

impl<F: Format> Reader<F> {
    fn new(db: DatabaseConnection, format: F, sender: mpsc::Sender<Batch<F::Parsed>>) -> Self {
        Self {
            db,
            format,
            sender,
            runtime: Handle::current(),
            meter: Meter::default(),
            raws: Vec::new(),
            seen: HashMap::new(),
            bytes: 0,
            rejections: Rejections::default(),
            rejected: 0,
            failure: None,
        }
    }

    fn read(mut self, input: &Path) -> Result<()> {
        let meter = self.meter.clone();
        let walked = source::walk(input, &meter, &mut self);
        // What was read before an archive broke off counts all the same.
        let _ = self.flush();
        match self.failure {
            Some(failure) => Err(failure),
            None => walked,
        }
    }

    /// Parses what has been gathered and is not known yet, and hands it on. `Break`: the writer has given up.
    fn flush(&mut self) -> ControlFlow<()> {
        let raws = mem::take(&mut self.raws);
        self.bytes = 0;
        let known = match self.runtime.block_on(known::<F>(&self.db, &raws)) {
            Ok(known) => known,
            Err(error) => {
                self.failure = Some(error);
                return ControlFlow::Break(());
            }
        };
        let mut batch = Batch {
            documents: Vec::with_capacity(raws.len()),
            rejections: mem::take(&mut self.rejections),
            unchanged: 0,
            rejected: mem::take(&mut self.rejected),
            skipped: 0,
            bytes: self.meter.bytes(),
        };
        for raw in raws {
            if known.contains(&raw.locator) {
                batch.unchanged += 1;
                continue;
            }
            let Parsed { document, rejections, skipped } = self.format.parse(raw);
            batch.rejected += u64::from(document.is_none() && rejections.total > 0);
            batch.documents.extend(document);
            batch.rejections.append(rejections);
            batch.skipped += skipped;
        }
        if self.sender.blocking_send(batch).is_err() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    /// Gathers a document of a file, unless this input had it before.
    fn document(&mut self, raw: Raw<F::Content>) -> ControlFlow<()> {
        // A document twice in one input would replace itself in every run, and which of the two is compared with the
        // database would depend on what has been committed by then.
        let content = half(raw.sha256);
        match self.seen.entry(half(Sha256::digest(&raw.locator).into())) {
            hash_map::Entry::Vacant(vacant) => {
                vacant.insert(content);
            }
            hash_map::Entry::Occupied(first) if *first.get() == content => return ControlFlow::Continue(()),
            hash_map::Entry::Occupied(_) => {
                let reason = format!(
                    "{:?} is in this input twice with different content; only the first is read",
                    raw.locator
                );
                return self.rejected(Rejection::new(raw.place, reason));
            }
        }
        self.bytes += raw.size_bytes;
        self.raws.push(raw);
        if self.raws.len() >= MAX_DOCUMENTS || self.bytes >= MAX_BYTES {
            self.flush()
        } else {
            ControlFlow::Continue(())
        }
    }
}

impl<F: Format> Visitor for Reader<F> {
    fn file(&mut self, entry: Entry<'_>) -> ControlFlow<()> {
        let format = self.format.clone();
        format.read(entry, &mut |found| match found {
            Found::Nothing => ControlFlow::Continue(()),
            Found::Rejected(rejection) => self.rejected(rejection),
            Found::Document(raw) => self.document(raw),
        })
    }

    fn rejected(&mut self, rejection: Rejection) -> ControlFlow<()> {
        self.rejections.push(rejection);
        self.rejected += 1;
        if self.rejected >= MAX_DOCUMENTS as u64 { self.flush() } else { ControlFlow::Continue(()) }
    }
}

/// Enough of a hash to tell documents of one input from each other.
fn half(hash: [u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&hash[..16]);
    half
}

/// The locators of those documents that were imported before with this very content.
async fn known<F: Format>(db: &DatabaseConnection, raws: &[Raw<F::Content>]) -> Result<HashSet<String>> {
    if raws.is_empty() {
        return Ok(HashSet::new());
    }
    let known: Vec<String> = sqlx::query_scalar(
        "select known.locator
         from source_documents known
         join unnest($2::text[], $3::bytea[]) as found (locator, sha256) on found.locator = known.locator
         where known.kind = $1 and known.sha256 = found.sha256 and known.deleted_at is null",
    )
    .bind(F::KIND.to_value())
    .bind(raws.iter().map(|raw| raw.locator.as_str()).collect::<Vec<_>>())
    .bind(raws.iter().map(|raw| raw.sha256.as_slice()).collect::<Vec<_>>())
    .fetch_all(db.get_postgres_connection_pool())
    .await?;
    Ok(known.into_iter().collect())
}

/// The input as the caller named it, or an error that says what is expected there.
pub(super) fn existing(input: &Path, expected: &str) -> Result<PathBuf> {
    if input.exists() {
        Ok(input.to_owned())
    } else {
        let place = input.display().to_string();
        Err(Error::Input { place, reason: format!("is not there; expected {expected}") })
    }
}
