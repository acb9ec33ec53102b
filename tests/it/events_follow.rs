//! A stream that the durable writer follows.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use events::log::LogOptions;
use events::source::ndjson;
use events::writer::{DurableOptions, EventWriter, Report};
use events::{Client, Intake, Normalised};

use crate::harness::{Gate, TestEvents, ask, deadline};

fn line(number: u64) -> Normalised {
    let intake = Intake::new("default", "2024-06-01T12:00:00Z".parse().unwrap());
    let line = format!(r#"{{"kind":"k","time":"2024-05-01T10:00:00Z","id":"{number}"}}"#);
    ndjson::event(&intake, line.as_bytes())
}

fn broken() -> Normalised {
    ndjson::event(&Intake::new("default", "2024-06-01T12:00:00Z".parse().unwrap()), b"{")
}

struct Followed {
    _folder: tempfile::TempDir,
    database: TestEvents,
    gate: Gate,
    writer: Arc<EventWriter>,
}

impl Followed {
    async fn new(log: LogOptions) -> Self {
        let (folder, database) = (tempfile::tempdir().unwrap(), TestEvents::migrated().await);
        let gate = Gate::open(database.url()).await;
        let client = Client::connect(&gate.url).await.unwrap();
        let options = DurableOptions { linger: Duration::from_millis(50), log, ..DurableOptions::default() };
        let writer = Arc::new(EventWriter::open(folder.path(), &client, options).unwrap());
        Self { _folder: folder, database, gate, writer }
    }

    /// Follows what is sent, until nobody can send any more.
    fn follow(&self) -> (Sender<Normalised>, tokio::task::JoinHandle<Report>) {
        let (sender, receiver) = channel();
        let writer = self.writer.clone();
        let following =
            tokio::spawn(async move { writer.follow(receiver.into_iter(), |_| ()).await.unwrap() });
        (sender, following)
    }

    async fn acknowledged(&self, count: u64) {
        let what = format!("{count} are on disk");
        deadline(Duration::from_secs(20), &what, async || {
            (self.writer.metrics(Instant::now()).acknowledged == count).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn what_has_come_is_on_disk_while_the_source_waits_for_more_and_all_is_accounted_for() {
    let followed = Followed::new(LogOptions::default()).await;
    let (sender, following) = followed.follow();
    let mut sent = 0;
    for count in [1, 3, 3000] {
        (0..count).for_each(|number| sender.send(line(sent + number)).unwrap());
        sent += count;
        followed.acknowledged(sent).await;
    }
    sender.send(line(0)).unwrap();
    sender.send(broken()).unwrap();
    drop(sender);
    let report = following.await.unwrap();
    assert_eq!((report.read, report.written, report.duplicate, report.dead), (3006, 3004, 1, 1));
    assert_eq!(report.dead_letters.len(), 1);
    let found = ask(followed.database.url(), "SELECT count(), uniqExact(event_id) FROM events").await;
    assert_eq!(found, "3004\t3004");
}

#[tokio::test]
async fn a_source_is_read_no_faster_than_a_log_without_room_takes_it_and_all_of_it_is_written_in_the_end() {
    const EVENTS: u64 = 100_000;
    let followed = Followed::new(LogOptions { segment_bytes: 64 << 10, max_bytes: 1 << 20 }).await;
    followed.gate.set_open(false);
    let read = Arc::new(Mutex::new(0));
    let source = {
        let read = read.clone();
        (0..EVENTS).map(move |number| {
            *read.lock().unwrap() = number + 1;
            line(number)
        })
    };
    let writer = followed.writer.clone();
    let following = tokio::spawn(async move { writer.follow(source, |_| ()).await.unwrap() });
    let mut last = 0;
    deadline(Duration::from_secs(60), "the source is read no further", async || {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let before = std::mem::replace(&mut last, *read.lock().unwrap());
        (last == before && last > 0).then_some(())
    })
    .await;
    assert!(last < EVENTS, "{last}");
    assert!(followed.writer.metrics(Instant::now()).log_bytes <= 1 << 20);
    followed.gate.set_open(true);
    let report = following.await.unwrap();
    assert_eq!((report.read, report.written), (EVENTS, EVENTS));
    let found = ask(followed.database.url(), "SELECT count() FROM events FINAL").await;
    assert_eq!(found, EVENTS.to_string());
}

#[tokio::test]
async fn a_source_that_panics_ends_the_following_and_what_it_had_yielded_is_kept() {
    let followed = Followed::new(LogOptions::default()).await;
    let source = (0..11).map(|number| if number == 10 { panic!("the source breaks") } else { line(number) });
    let writer = followed.writer.clone();
    let following = tokio::spawn(async move { writer.follow(source, |_| ()).await });
    let panicked = following.await.unwrap_err().into_panic();
    assert_eq!(panicked.downcast_ref::<&str>(), Some(&"the source breaks"));
    followed.writer.flush().await.unwrap();
    assert_eq!(ask(followed.database.url(), "SELECT count() FROM events").await, "10");
}

#[tokio::test]
async fn a_source_that_nobody_follows_any_more_is_read_no_further() {
    let followed = Followed::new(LogOptions::default()).await;
    let (sender, following) = followed.follow();
    sender.send(line(0)).unwrap();
    followed.acknowledged(1).await;
    following.abort();
    assert!(following.await.unwrap_err().is_cancelled());
    deadline(Duration::from_secs(20), "the source is let go", async || {
        sender.send(line(1)).is_err().then_some(())
    })
    .await;
}
