//! A stream, appended as it comes.

use std::ops::ControlFlow;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::task;

use super::EventWriter;
use super::portion::{Encoded, Portion, Shared};
use crate::envelope::Normalised;
use crate::error::Result;
use crate::writer::metrics::Metrics;
use crate::writer::record::Record;
use crate::writer::report::{DeadLetter, MAX_LISTED_LETTERS, Report};

/// How many items wait at the most while those before them go to disk.
const PORTION: u64 = 5000;

/// How long to wait where the log is full or the disk refuses.
const PAUSE: Duration = Duration::from_millis(200);

impl EventWriter {
    /// Appends all that `source` yields, each as soon as those before it are on disk, and waits until all is sent;
    /// `progress` is called whenever something is on disk, and at the end.
    ///
    /// The source runs on a thread of its own and may wait for what it reads. Where the log has no room, or the disk
    /// refuses, it waits until there is; so a source is read no faster than the log takes it.
    ///
    /// The report says what this writer did meanwhile: also what it sends of the log that it found, and what others append.
    ///
    /// # Errors
    ///
    /// Those of [`EventWriter::flush`].
    ///
    /// # Panics
    ///
    /// If `source` does.
    pub async fn follow(
        &self,
        mut source: impl Iterator<Item = Normalised> + Send + 'static,
        mut progress: impl FnMut(&Report),
    ) -> Result<Report> {
        let before = self.metrics(Instant::now());
        let mut report = Report::default();
        let mailbox = Arc::new(Mailbox::new(&self.shared));
        let end = End(mailbox.clone());
        let reading = task::spawn_blocking(move || {
            let _ = source.try_for_each(|item| end.0.put(&item));
        });
        let abandon = Abandon(&mailbox);
        while let Some(Mail { portion, letters }) = mailbox.take().await {
            report.read += portion.len();
            report.dead_letters.extend(letters);
            self.put_in_the_end(portion.finish()).await;
            account(&mut report, &before, &self.metrics(Instant::now()));
            progress(&report);
        }
        drop(abandon);
        // The mailbox is at its end when the source is, or when it panicked: that must not look like an end.
        if let Err(failed) = reading.await
            && failed.is_panic()
        {
            std::panic::resume_unwind(failed.into_panic());
        }
        self.flush().await?;
        account(&mut report, &before, &self.metrics(Instant::now()));
        progress(&report);
        Ok(report)
    }

    /// Puts records into the log, for as long as it takes.
    async fn put_in_the_end(&self, Encoded { ack, rejections, records }: Encoded) {
        self.delivery.counters.appended(ack.inputs());
        for Record { payload, ids } in records {
            while let Err(error) = self.delivery.log.append(payload.clone()).await {
                tracing::warn!("waiting: {error}");
                tokio::time::sleep(PAUSE).await;
            }
            self.are_durable(ids);
        }
        self.are_acknowledged(ack, rejections);
    }
}

/// What became of the inputs since `before`.
fn account(report: &mut Report, before: &Metrics, after: &Metrics) {
    report.written = after.sent - before.sent;
    report.duplicate = after.duplicate - before.duplicate;
    report.dead = after.dead - before.dead;
    report.erased = after.erased - before.erased;
    report.batches = after.batches - before.batches;
}

/// Where the source leaves items, encoded, for who puts them into the log. Neither waits for the other while there is
/// something and not too much of it.
struct Mailbox {
    shared: Arc<Shared>,
    state: Mutex<State>,
    filled: Notify,
    taken: Condvar,
}

struct State {
    mail: Mail,
    listed: usize,
    is_ended: bool,
    is_abandoned: bool,
}

struct Mail {
    portion: Portion,
    /// Of rejections in it, as many as a report lists.
    letters: Vec<DeadLetter>,
}

impl Mail {
    fn new(shared: &Arc<Shared>) -> Self {
        Self { portion: Portion::new(shared), letters: Vec::new() }
    }
}

impl Mailbox {
    fn new(shared: &Arc<Shared>) -> Self {
        let state = State { mail: Mail::new(shared), listed: 0, is_ended: false, is_abandoned: false };
        Self {
            shared: shared.clone(),
            state: Mutex::new(state),
            filled: Notify::new(),
            taken: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves `item`, waiting while there are too many; `Break`: nobody takes them any more.
    fn put(&self, item: &Normalised) -> ControlFlow<()> {
        let is_full = |state: &mut State| state.mail.portion.len() >= PORTION && !state.is_abandoned;
        let mut state = self.taken.wait_while(self.state(), is_full).unwrap_or_else(PoisonError::into_inner);
        if state.is_abandoned {
            return ControlFlow::Break(());
        }
        state.mail.portion.add(item, None);
        if let Err(rejection) = item
            && state.listed < MAX_LISTED_LETTERS
        {
            state.listed += 1;
            state.mail.letters.push(DeadLetter::of(rejection));
        }
        drop(state);
        self.filled.notify_one();
        ControlFlow::Continue(())
    }

    /// All that was left, once there is something; `None` at the end of the source.
    async fn take(&self) -> Option<Mail> {
        loop {
            match self.look() {
                Found::Mail(mail) => return Some(mail),
                Found::End => return None,
                Found::Nothing => self.filled.notified().await,
            }
        }
    }

    fn look(&self) -> Found {
        let mut state = self.state();
        if state.mail.portion.len() > 0 {
            self.taken.notify_one();
            return Found::Mail(std::mem::replace(&mut state.mail, Mail::new(&self.shared)));
        }
        if state.is_ended { Found::End } else { Found::Nothing }
    }
}

enum Found {
    Mail(Mail),
    End,
    Nothing,
}

/// The source's end of the mailbox: says that it is at its end, also where it panics.
struct End(Arc<Mailbox>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.state().is_ended = true;
        self.0.filled.notify_one();
    }
}

/// The other end: dropped, it has the source read no further.
struct Abandon<'a>(&'a Mailbox);

impl Drop for Abandon<'_> {
    fn drop(&mut self) {
        self.0.state().is_abandoned = true;
        self.0.taken.notify_one();
    }
}
