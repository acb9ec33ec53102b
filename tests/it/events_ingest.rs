//! From sources to tables: what comes in is there once, and what is no event is a dead letter.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, Utc};
use events::source::{git, github};
use events::writer::{self, Options, Report};
use events::{Client, Intake, Normalised, Rejection};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::harness::{TestEvents, corpus};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn intake() -> Intake {
    Intake::new("default", at("2024-06-01T12:00:00Z"))
}

/// An event of `issues` that differs by `number` and happened at `time`.
fn issue(number: usize, time: &str) -> Normalised {
    issue_received(number, time, "2024-06-01T12:00:00Z")
}

fn issue_received(number: usize, time: &str, received_at: &str) -> Normalised {
    let body = format!(r#"{{"action":"opened","issue":{{"number":{number},"updated_at":"{time}"}}}}"#);
    github::event(&Intake::new("default", at(received_at)), "issues", None, body.as_bytes())
}

async fn write(client: &Client, items: Vec<Normalised>, options: Options) -> Report {
    writer::write(client, items, options, |_| {}).await.unwrap()
}

fn counts(report: &Report) -> [u64; 4] {
    [report.read, report.written, report.duplicate, report.dead]
}

/// Every row of both tables, in a fixed order.
async fn contents(database: &TestEvents) -> String {
    let events = database.execute("SELECT * FROM events FINAL ORDER BY event_id FORMAT JSONEachRow").await;
    let letters =
        database.execute("SELECT * FROM dead_letters FINAL ORDER BY letter_id FORMAT JSONEachRow").await;
    events + &letters
}

async fn number(database: &TestEvents, sql: &str) -> u64 {
    database.execute(sql).await.trim().parse().unwrap()
}

#[tokio::test]
async fn all_payloads_of_the_github_corpus_become_events_and_a_second_run_doubles_nothing() {
    let Some(zip) = corpus("github-webhooks.zip") else { return };
    let database = TestEvents::migrated().await;
    let client = Client::connect(database.url()).await.unwrap();
    let ingest = async || {
        let payloads = github::read(intake(), &zip).unwrap();
        writer::write(&client, payloads, Options::default(), |_| {}).await.unwrap()
    };
    let first = ingest().await;
    assert_eq!(counts(&first), [273, 273, 0, 0], "{:?}", first.dead_letters);
    assert_eq!(number(&database, "SELECT count() FROM events FINAL").await, 273);
    let before = contents(&database).await;

    assert_eq!(counts(&ingest().await), [273, 0, 273, 0]);
    assert_eq!(contents(&database).await, before);
    assert_eq!(number(&database, "SELECT count() FROM events").await, 273);

    // What has no actor or repository says so with an empty value.
    assert_eq!(number(&database, "SELECT countIf(actor = '') FROM events FINAL").await, 3);
    assert_eq!(number(&database, "SELECT countIf(repository = '') FROM events FINAL").await, 38);
    assert_eq!(
        number(&database, "SELECT uniqExact(substringIndex(kind, '.', 1)) FROM events FINAL").await,
        60
    );
    let addresses = "SELECT count() FROM events WHERE match(concat(title, actor, toString(attributes)), '[a-z]@[a-z]+\\\\.(com|org)')";
    assert_eq!(number(&database, addresses).await, 0);
}

#[tokio::test]
async fn the_corpus_in_another_form_and_order_is_the_same_events() {
    let Some(zip) = corpus("github-webhooks.zip") else { return };
    let database = TestEvents::migrated().await;
    let client = Client::connect(database.url()).await.unwrap();
    let mut items: Vec<_> = github::read(intake(), &zip).unwrap().collect();
    items.reverse();
    let again = items.clone();
    assert_eq!(counts(&write(&client, items, Options::default()).await), [273, 273, 0, 0]);
    assert_eq!(counts(&write(&client, again, Options::default()).await), [273, 0, 273, 0]);
}

#[tokio::test]
async fn every_commit_of_a_repository_is_an_event_once() {
    let folder = tempfile::tempdir().unwrap();
    let git_in = |arguments: &[&str], seconds: i64| {
        let done = std::process::Command::new("git")
            .arg("-C")
            .arg(folder.path())
            .args([
                "-c",
                "commit.gpgsign=false",
                "-c",
                "user.name=Jane Doe",
                "-c",
                "user.email=jane@example.org",
            ])
            .args(arguments)
            .env("GIT_COMMITTER_DATE", format!("{seconds} +0000"))
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    git_in(&["init", "--quiet"], 0);
    git_in(&["remote", "add", "origin", "git@example.org:acme/rocket.git"], 0);
    for index in 0..40 {
        git_in(&["commit", "--quiet", "--allow-empty", "-m", "One step"], 1_700_000_000 + index * 86_400);
    }
    let database = TestEvents::migrated().await;
    let client = Client::connect(database.url()).await.unwrap();
    let ingest = async |path: &Path| {
        let commits = git::read(intake(), path).unwrap();
        writer::write(&client, commits, Options::default(), |_| {}).await.unwrap()
    };
    assert_eq!(counts(&ingest(folder.path()).await), [40, 40, 0, 0]);
    assert_eq!(counts(&ingest(folder.path()).await), [40, 0, 40, 0]);
    let found =
        "SELECT repository, actor, kind, count(), max(occurred_at) FROM events FINAL GROUP BY 1, 2, 3";
    assert_eq!(
        database.execute(found).await.trim(),
        "acme/rocket\tJane Doe\tcommit\t40\t2023-12-23 22:13:20.000"
    );
}

#[tokio::test]
async fn broken_payloads_are_dead_letters_once_and_the_rest_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    for (name, body) in [
        (
            "issues/1.payload.json",
            &br#"{"action":"opened","issue":{"updated_at":"2024-05-01T10:00:00Z"}}"#[..],
        ),
        ("issues/2.payload.json", br#"{"action":"opened","issue":"#),
        ("issues/3.payload.json", b"\xff\xfe\0"),
        ("issues/4.payload.json", br#"{"issue":{"updated_at":"2500-01-01T00:00:00Z"}}"#),
        ("issues/5.payload.json", b"[]"),
        ("issues/6.payload.json", b""),
        ("push.payload.json", br#"{"ref":"refs/heads/main"}"#),
    ] {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, body).unwrap();
    }
    let database = TestEvents::migrated().await;
    let client = Client::connect(database.url()).await.unwrap();
    let ingest = async |received_at: &str| {
        let payloads = github::read(Intake::new("default", at(received_at)), folder.path()).unwrap();
        writer::write(&client, payloads, Options::default(), |_| {}).await.unwrap()
    };
    let report = ingest("2024-06-01T12:00:00Z").await;
    assert_eq!(counts(&report), [7, 2, 0, 5]);
    let places: Vec<_> = report.dead_letters.iter().map(|letter| letter.place.as_str()).collect();
    assert_eq!(places, [2, 3, 4, 5, 6].map(|number| format!("issues/{number}.payload.json")));
    assert!(report.dead_letters[0].reason.contains("line 1 column 27"), "{:?}", report.dead_letters);

    let before = contents(&database).await;
    assert_eq!(counts(&ingest("2024-07-01T12:00:00Z").await), [7, 0, 2, 5]);
    assert_eq!(contents(&database).await, before);
    let known = "SELECT place, isNull(event_id), length(payload) FROM dead_letters FINAL WHERE reason LIKE '%out of range%'";
    assert_eq!(database.execute(known).await.trim(), "issues/4.payload.json\t0\t47");
}

#[tokio::test]
async fn an_empty_source_writes_nothing() {
    let database = TestEvents::migrated().await;
    let client = Client::connect(database.url()).await.unwrap();
    assert_eq!(write(&client, Vec::new(), Options::default()).await, Report::default());
    assert_eq!(contents(&database).await, "");
}

#[tokio::test]
async fn what_comes_twice_in_a_batch_or_in_two_batches_is_there_once() {
    let database = TestEvents::migrated().await;
    let client = Client::connect(database.url()).await.unwrap();
    let small = Options { batch_rows: 3, ..Options::default() };
    let items = (0..1000).map(|number| issue(number % 10, "2024-05-01T10:00:00Z")).collect();
    let report = write(&client, items, small).await;
    assert_eq!(counts(&report), [1000, 10, 990, 0]);
    assert_eq!(number(&database, "SELECT count() FROM events").await, 10);
}

#[tokio::test]
async fn copies_that_got_in_all_the_same_count_once_and_the_first_to_arrive_stays() {
    let database = TestEvents::migrated().await;
    let client = Client::connect(database.url()).await.unwrap();
    let late = issue_received(1, "2024-05-01T10:00:00Z", "2024-06-02T00:00:00Z");
    write(&client, vec![late], Options::default()).await;
    // As by another writer that looked before the first had written.
    database
        .execute(
            "INSERT INTO events (tenant, event_id, source, kind, action, occurred_at, received_at, subject)
             SELECT tenant, event_id, source, kind, action, occurred_at, received_at - INTERVAL 1 DAY, subject
             FROM events SETTINGS async_insert = 0",
        )
        .await;
    assert_eq!(number(&database, "SELECT count() FROM events").await, 2);
    let found = database.execute("SELECT count(), min(received_at) FROM events FINAL").await;
    assert_eq!(found.trim(), "1\t2024-06-01 00:00:00.000");
}

#[tokio::test]
async fn a_batch_is_of_one_month_and_every_accepted_time_is_kept_to_the_millisecond() {
    let database = TestEvents::migrated().await;
    let client = Client::connect(database.url()).await.unwrap();
    let times = [
        "1900-01-01T00:00:00Z",
        "1969-12-31T23:59:59.999Z",
        "1970-01-01T00:00:00Z",
        "2024-01-31T23:59:59.999Z",
        "2024-02-01T00:00:00Z",
        "2149-06-07T00:00:00Z",
        "2250-02-03T04:05:06.789Z",
        "2299-12-30T23:59:59.999Z",
    ];
    let items = times.iter().enumerate().map(|(number, time)| issue(number, time)).collect();
    let report = write(&client, items, Options::default()).await;
    assert_eq!((counts(&report), report.batches), ([8, 8, 0, 0], 8));
    let expected: Vec<_> =
        times.iter().map(|time| at(time).format("%Y-%m-%d %H:%M:%S%.3f").to_string()).collect();
    let found = database.execute("SELECT occurred_at FROM events FINAL ORDER BY occurred_at").await;
    assert_eq!(found.lines().collect::<Vec<_>>(), expected);
    // The key prunes right on both sides of what `Date` can hold.
    let after =
        "SELECT count() FROM events FINAL WHERE tenant = 'default' AND occurred_at >= '2149-06-07 00:00:00'";
    assert_eq!(number(&database, after).await, 3);
    let again = times.iter().enumerate().map(|(number, time)| issue(number, time)).collect();
    assert_eq!(counts(&write(&client, again, Options::default()).await), [8, 0, 8, 0]);
}

#[tokio::test]
async fn more_events_than_may_be_held_are_written_in_several_batches() {
    let database = TestEvents::migrated().await;
    let client = Client::connect(database.url()).await.unwrap();
    let options = Options { batch_rows: 700, held_bytes: 256 * 1024, attempts: 1 };
    let items = (0..3000).map(|number| issue(number, &format!("2024-0{}-01T10:00:00Z", number % 5 + 1)));
    let mut seen = Vec::new();
    let report = writer::write(&client, items, options, |report| seen.push(report.read)).await.unwrap();
    assert_eq!(counts(&report), [3000, 3000, 0, 0]);
    assert!(report.batches > 5, "{report:?}");
    assert!(seen.is_sorted() && seen.last() == Some(&3000), "{seen:?}");
    assert_eq!(number(&database, "SELECT count() FROM events FINAL").await, 3000);
}

#[tokio::test]
async fn a_full_batch_and_its_redelivery_are_told_apart_in_one_statement_each() {
    let database = TestEvents::migrated().await;
    let client = Client::connect(database.url()).await.unwrap();
    let items = || (0..50_000).map(|number| issue(number, "2024-05-01T10:00:00Z"));
    let report = writer::write(&client, items(), Options::default(), |_| {}).await.unwrap();
    assert_eq!((counts(&report), report.batches), ([50_000, 50_000, 0, 0], 1));
    let report = writer::write(&client, items(), Options::default(), |_| {}).await.unwrap();
    assert_eq!((counts(&report), report.batches), ([50_000, 0, 50_000, 0], 0));
}

#[tokio::test]
async fn a_tenant_s_events_are_its_own() {
    let database = TestEvents::migrated().await;
    let client = Client::connect(database.url()).await.unwrap();
    let of = |tenant: &str| {
        github::event(&Intake::new(tenant, at("2024-06-01T12:00:00Z")), "push", Some("d1"), b"{}")
    };
    let report = write(&client, vec![of("acme"), of("umbrella"), of("acme")], Options::default()).await;
    assert_eq!(counts(&report), [3, 2, 1, 0]);
}

#[tokio::test]
async fn a_table_that_is_not_there_is_an_error_that_says_so_and_ends_the_source() {
    let database = TestEvents::empty().await;
    let client = Client::connect(database.url()).await.unwrap();
    let endless = (0..).map(|number| issue(number, "2024-05-01T10:00:00Z"));
    let options = Options { batch_rows: 10, ..Options::default() };
    let error = writer::write(&client, endless, options, |_| {}).await.unwrap_err();
    assert_eq!((error.code(), error.class()), (Some(60), events::Class::Schema), "{error}");
}

#[tokio::test]
async fn a_table_that_has_moved_on_refuses_a_batch_and_does_not_misread_it() {
    let database = TestEvents::migrated().await;
    let client = Client::connect(database.url()).await.unwrap();
    database.execute("ALTER TABLE events MODIFY COLUMN subject UInt64 DEFAULT 0").await;
    let items = vec![issue(1, "2024-05-01T10:00:00Z")];
    let error = writer::write(&client, items, Options::default(), |_| {}).await.unwrap_err();
    assert!(matches!(error, events::Error::Batch { table: "events", rows: 1, .. }), "{error:?}");
    assert_eq!(number(&database, "SELECT count() FROM events").await, 0);
}

#[tokio::test]
async fn thousands_of_dead_letters_are_all_kept_and_the_report_lists_the_first() {
    let database = TestEvents::migrated().await;
    let client = Client::connect(database.url()).await.unwrap();
    let intake = intake();
    let items = (0..1500).map(move |number| {
        Err(Rejection::new(&intake, "github", &format!("file {number}"), "broken", b"call jane@example.org"))
    });
    let report = writer::write(&client, items, Options::default(), |_| {}).await.unwrap();
    assert_eq!(
        (counts(&report), report.dead_letters.len()),
        ([1500, 0, 0, 1500], writer::MAX_LISTED_LETTERS)
    );
    let found = database.execute("SELECT count(), any(payload) FROM dead_letters FINAL").await;
    assert_eq!(found.trim(), "1500\tcall [email]");
}

/// In the head of every insert.
const INSERT: &str = "insert_deduplication_token";
/// In the head of every question which rows a table has.
const LOOKUP: &str = "max_query_size";

/// A client, and how many answers it lost. Between it and the server stands what, of the first `losses` requests with
/// `marker`, passes the request on, waits for the server's answer, and hangs up instead of passing that back.
async fn lossy_client(database: &TestEvents, marker: &'static str, losses: u32) -> (Client, Arc<AtomicU32>) {
    let (before, after) = database.url().split_once('@').unwrap();
    let (server, name) = after.split_once('/').unwrap();
    let server = server.to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let lost = Arc::new(AtomicU32::new(0));
    let counter = lost.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(&server).await.unwrap();
            tokio::spawn(pass(client, server, counter.clone(), marker, losses));
        }
    });
    (Client::connect(&format!("{before}@{address}/{name}")).await.unwrap(), lost)
}

/// Passes bytes both ways until one side ends, or an answer is to be lost.
async fn pass(mut client: TcpStream, mut server: TcpStream, lost: Arc<AtomicU32>, marker: &str, losses: u32) {
    let (mut up, mut down) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    let mut is_marked = false;
    loop {
        tokio::select! {
            read = client.read(&mut up) => match read {
                Ok(length) if length > 0 => {
                    let text = String::from_utf8_lossy(&up[..length]);
                    is_marked = text.contains(marker) || (is_marked && !text.starts_with("POST "));
                    if server.write_all(&up[..length]).await.is_err() { return }
                }
                _ => return,
            },
            read = server.read(&mut down) => match read {
                Ok(length) if length > 0 => {
                    if is_marked && lost.load(Ordering::SeqCst) < losses {
                        lost.fetch_add(1, Ordering::SeqCst);
                        return;
                    }
                    if client.write_all(&down[..length]).await.is_err() { return }
                }
                _ => return,
            },
        }
    }
}

#[tokio::test]
async fn an_insert_whose_answer_is_lost_is_sent_again_and_written_once() {
    let database = TestEvents::migrated().await;
    let (client, lost) = lossy_client(&database, INSERT, 2).await;
    let items = (0..100).map(|number| issue(number, "2024-05-01T10:00:00Z")).collect();
    let report = write(&client, items, Options::default()).await;
    assert_eq!(counts(&report), [100, 100, 0, 0]);
    assert_eq!(lost.load(Ordering::SeqCst), 2);
    // Without FINAL: the server itself took no row twice.
    assert_eq!(number(&database, "SELECT count() FROM events").await, 100);
}

#[tokio::test]
async fn a_batch_of_which_the_server_kept_nothing_but_the_token_is_written_when_it_is_sent_again() {
    let database = TestEvents::migrated().await;
    let direct = Client::connect(database.url()).await.unwrap();
    let events = || (0..100).map(|number| issue(number, "2024-05-01T10:00:00Z")).collect();
    let letter = || vec![Err(Rejection::new(&intake(), "github", "line 7", "broken", b"x"))];
    let inputs: [(&str, &dyn Fn() -> Vec<Normalised>); 2] = [("events", &events), ("dead_letters", &letter)];
    for (table, items) in inputs {
        let written = write(&direct, items(), Options::default()).await;
        let count = format!("SELECT count() FROM {table}");
        let before_it = number(&database, &count).await;
        // As a server leaves it that is killed after it noted the token and before it committed the rows.
        database.execute(&format!("ALTER TABLE {table} DELETE WHERE 1 SETTINGS mutations_sync = 2")).await;
        let (client, lost) = lossy_client(&database, INSERT, 1).await;
        assert_eq!(counts(&write(&client, items(), Options::default()).await), counts(&written));
        assert_eq!(lost.load(Ordering::SeqCst), 1);
        assert_eq!(number(&database, &count).await, before_it, "{table}");
    }
}

#[tokio::test]
async fn when_no_answer_ever_comes_the_error_says_that_running_again_is_safe() {
    let database = TestEvents::migrated().await;
    let (client, _) = lossy_client(&database, INSERT, u32::MAX).await;
    let options = Options { attempts: 2, ..Options::default() };
    let items = vec![issue(1, "2024-05-01T10:00:00Z")];
    let error = writer::write(&client, items, options, |_| {}).await.unwrap_err();
    assert_eq!(error.class(), events::Class::Transient, "{error}");
    assert!(error.to_string().contains("run it again when that is mended, nothing is doubled"), "{error}");

    let direct = Client::connect(database.url()).await.unwrap();
    let again = write(&direct, vec![issue(1, "2024-05-01T10:00:00Z")], Options::default()).await;
    assert_eq!(counts(&again), [1, 0, 1, 0]);
}

#[tokio::test]
async fn a_question_what_is_there_whose_answer_is_lost_is_asked_again() {
    let database = TestEvents::migrated().await;
    let direct = Client::connect(database.url()).await.unwrap();
    write(&direct, vec![issue(1, "2024-05-01T10:00:00Z")], Options::default()).await;

    let (client, lost) = lossy_client(&database, LOOKUP, 2).await;
    let again = write(&client, vec![issue(1, "2024-05-01T10:00:00Z")], Options::default()).await;
    assert_eq!((counts(&again), lost.load(Ordering::SeqCst)), ([1, 0, 1, 0], 2));
}

#[tokio::test]
async fn when_nobody_can_tell_what_is_there_all_is_written_and_still_counts_once() {
    let database = TestEvents::migrated().await;
    let (client, _) = lossy_client(&database, LOOKUP, u32::MAX).await;
    let options = Options { attempts: 1, ..Options::default() };
    let items = || {
        let letter = Rejection::new(&intake(), "github", "place", "broken", b"x");
        vec![issue(1, "2024-05-01T10:00:00Z"), Err(letter)]
    };
    assert_eq!(counts(&write(&client, items(), options).await), [2, 1, 0, 1]);
    let before = contents(&database).await;
    assert_eq!(counts(&write(&client, items(), options).await), [2, 1, 0, 1]);
    assert_eq!(contents(&database).await, before);
}
