//! Imports as processes: killed at work and started again, and two of one input at the same time. Either way the database
//! is in the end what one undisturbed import leaves.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use service::ardb::derived;
use tokio::process::Command;

use crate::{
    harness::{Database, Ran, TestDb, archer, run},
    import_support::{content, lines},
    made_dump::Made,
};

/// How often an import is killed before it may end.
const KILLS: u32 = 3;
/// Two batches of documents and some.
const CRATES: usize = 1_100;

fn importing(db: &TestDb, importer: &str, input: &Path) -> Command {
    let mut command = archer(&["import", importer, input.to_str().unwrap()]);
    command.env("ARDB_URL", db.url());
    command
}

fn assert_done(ran: &Ran) {
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
}

/// All that an import leaves but ids and times, with what is derived, which has to follow from the rest.
async fn left(db: &TestDb) -> BTreeMap<&'static str, Vec<String>> {
    let mut left = content(db).await;
    let downloads = "select concat_ws(' ', p.name, number, day, downloads) as line
        from version_downloads d join versions v on v.id = d.version_id join packages p on p.id = v.package_id
        order by 1";
    left.insert("version_downloads", lines(db, downloads).await);
    let matches = "select concat_ws(' ', a.identifier, p.name, v.number, m.fixed) as line
        from advisory_matches m join advisories a on a.id = m.advisory_id join versions v on v.id = m.version_id
        join packages p on p.id = v.package_id order by 1";
    left.insert("advisory_matches", lines(db, matches).await);
    for table in derived::verify(&**db).await.unwrap() {
        assert!(table.is_right(), "{table:?}");
    }
    left
}

/// Holds an import of `input` that is killed, and two at the same time, against one that nothing happens to. `before` is
/// imported first.
async fn endures(importer: &str, input: &Path, before: Option<(&str, &Path)>) {
    let prepared = async || {
        let db = TestDb::migrated(Database::Ardb).await;
        if let Some((importer, input)) = before {
            assert_done(&run(importing(&db, importer, input)).await);
        }
        db
    };
    let one = prepared().await;
    let start = Instant::now();
    assert_done(&run(importing(&one, importer, input)).await);
    let (took, expected) = (start.elapsed(), left(&one).await);

    let seed = std::env::var("ARCHER_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(rand::random::<u64>);
    println!("{importer} is killed at moments drawn with ARCHER_SEED={seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let killed = prepared().await;
    let mut kills = 0;
    for _ in 0..KILLS {
        let mut command = importing(&killed, importer, input);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let moment = took.mul_f64(rng.random_range(0.05..0.95));
        if tokio::time::timeout(moment.max(Duration::from_millis(1)), child.wait()).await.is_err() {
            child.kill().await.unwrap();
            kills += 1;
        }
    }
    assert!(kills > 0, "every import ended before its moment came");
    assert_done(&run(importing(&killed, importer, input)).await);
    assert_eq!(left(&killed).await, expected, "killed {kills} times, ARCHER_SEED={seed}");
    drop(killed);

    let both = prepared().await;
    let (first, second) =
        tokio::join!(run(importing(&both, importer, input)), run(importing(&both, importer, input)));
    assert_done(&first);
    assert_done(&second);
    assert_eq!(left(&both).await, expected, "two at the same time");
}

/// An index of [`CRATES`] crates of two versions each, that depend on the two crates after them.
fn index() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for crate_index in 0..CRATES {
        let name = |index: usize| format!("made{:04}", index % CRATES);
        let line = |number: &str| {
            let dependency = |index| {
                serde_json::json!({
                    "name": name(index), "req": "^0.1", "features": [], "optional": false, "default_features": true,
                    "target": null, "kind": "normal",
                })
            };
            let version = serde_json::json!({
                "name": name(crate_index), "vers": number, "cksum": "0".repeat(64), "features": {}, "yanked": false,
                "deps": [dependency(crate_index + 1), dependency(crate_index + 2)],
            });
            format!("{version}\n")
        };
        let file = folder.path().join("ma/de").join(name(crate_index));
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, line("0.1.0") + &line("0.1.1")).unwrap();
    }
    folder
}

/// An advisory for every crate of [`index`].
fn advisories() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for crate_index in 0..CRATES {
        let identifier = format!("MADE-2024-{crate_index:04}");
        let record = serde_json::json!({
            "schema_version": "1.7.0", "id": &identifier, "modified": "2024-05-01T00:00:00Z",
            "affected": [{
                "package": { "ecosystem": "crates.io", "name": format!("made{crate_index:04}") },
                "ranges": [{ "type": "SEMVER", "events": [{ "introduced": "0" }, { "fixed": "0.1.1" }] }],
            }],
        });
        fs::write(folder.path().join(identifier).with_extension("json"), record.to_string()).unwrap();
    }
    folder
}

#[tokio::test]
async fn a_dump_whose_import_is_killed_or_runs_twice_is_imported_once() {
    let folder = tempfile::tempdir().unwrap();
    let dump: PathBuf = folder.path().join("db-dump.tar.gz");
    Made { seed: 7, versions: 600, dependencies: 5_000 }.write(&dump).unwrap();
    endures("crates-io-dump", &dump, None).await;
}

#[tokio::test]
async fn an_index_whose_import_is_killed_or_runs_twice_is_imported_once() {
    endures("cargo-index", index().path(), None).await;
}

#[tokio::test]
async fn advisories_whose_import_is_killed_or_runs_twice_are_imported_once() {
    let index = index();
    endures("osv", advisories().path(), Some(("cargo-index", index.path()))).await;
}
