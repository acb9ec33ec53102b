//! The record of imports: every run, how it ended, and what it rejected.

use std::fs;

use entity_ardb::ImportOutcome;
use service::ardb::{
    import::{Progress, crates_io_dump, lockfile, osv},
    import_run,
};

use crate::{
    harness::{Database, TestDb},
    import_support::{changeable, fixture, now},
};

#[tokio::test]
async fn a_run_is_recorded_with_its_counts_and_what_it_rejected() {
    let db = TestDb::migrated(Database::Ardb).await;
    let records = changeable("osv");
    let broken = records.path().join("EXAMPLE-2024-0003.json");
    fs::write(&broken, "{\n").unwrap();
    osv(&db, records.path(), now(), &()).await.unwrap();
    let runs = import_run::newest(db.connection(), 10).await.unwrap();
    let [run] = runs.as_slice() else { panic!("{runs:?}") };
    assert_eq!((run.importer.as_str(), run.source.as_str()), ("osv", records.path().to_str().unwrap()));
    assert_eq!((run.started_at, run.outcome, run.error.as_deref()), (now(), Some(ImportOutcome::Done), None));
    assert!(run.finished_at.unwrap() > now());
    assert_eq!(run.counts["documents"]["new"], 6);
    assert_eq!(run.counts["rejected_total"], 1);
    assert_eq!(run.counts["rows"]["advisories"]["inserted"], 6);
    let errors = import_run::errors(db.connection(), run.id, 10).await.unwrap();
    let errors: Vec<_> = errors.into_iter().map(|error| (error.place, error.reason)).collect();
    let reason = "is not what was expected: EOF while parsing an object at line 2 column 0";
    assert_eq!(errors, [(format!("{}:2", broken.display()), reason.to_owned())]);
}

#[tokio::test]
async fn a_dump_is_a_run_like_any_other() {
    let db = TestDb::migrated(Database::Ardb).await;
    let dump = changeable("crates-io-dump");
    let keywords = dump.path().join("2026-01-02-020000/data/keywords.csv");
    fs::write(&keywords, fs::read_to_string(&keywords).unwrap() + "no,number\n").unwrap();
    let report = crates_io_dump(&db, dump.path(), now(), &()).await.unwrap();
    assert!(!report.rejected.is_empty());
    let run = import_run::newest(db.connection(), 1).await.unwrap().remove(0);
    assert_eq!((run.importer.as_str(), run.outcome), ("crates-io-dump", Some(ImportOutcome::Done)));
    assert_eq!(run.counts["rejected_total"], report.rejected_total);
    let errors = import_run::errors(db.connection(), run.id, 10).await.unwrap();
    let told: Vec<_> =
        report.rejected.into_iter().map(|rejection| (rejection.place, rejection.reason)).collect();
    assert_eq!(errors.into_iter().map(|error| (error.place, error.reason)).collect::<Vec<_>>(), told);
}

#[tokio::test]
async fn a_run_that_fails_says_why() {
    let db = TestDb::migrated(Database::Ardb).await;
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("records.zip");
    fs::write(&broken, "no zip").unwrap();
    let error = osv(&db, &broken, now(), &()).await.unwrap_err();
    let run = import_run::newest(db.connection(), 1).await.unwrap().remove(0);
    assert_eq!((run.outcome, run.error), (Some(ImportOutcome::Failed), Some(error.to_string())));
}

struct Killed;

impl Progress for Killed {
    fn started(&self, _total_bytes: u64) {
        panic!("the run is killed here");
    }
}

#[tokio::test]
async fn a_run_that_is_killed_stays_unfinished_and_the_next_one_stands_beside_it() {
    let db = TestDb::migrated(Database::Ardb).await;
    let input = fixture("lockfiles/go.sum");
    let connection = db.connection().clone();
    let path = input.clone();
    let killed = tokio::spawn(async move { lockfile(&connection, &path, "shop", now(), &Killed).await });
    assert!(killed.await.unwrap_err().is_panic());
    lockfile(&db, &input, "shop", now(), &()).await.unwrap();
    let runs = import_run::newest(db.connection(), 10).await.unwrap();
    let ended: Vec<_> = runs.iter().map(|run| (run.outcome, run.finished_at.is_some())).collect();
    assert_eq!(ended, [(Some(ImportOutcome::Done), true), (None, false)]);
}
