//! What fuzzers found, imported: what a parser lets through, the database takes. One row that it refused would undo the
//! whole batch.

use std::{
    fs,
    path::{Path, PathBuf},
};

use service::ardb::import::{cargo_index, crates_io_dump, lockfile, osv, sbom};

use crate::{
    harness::{Database, TestDb},
    import_support::{changeable, now},
};

/// The files of a target's corpus.
fn corpus(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort_unstable();
    assert!(!files.is_empty(), "{target}");
    files
}

/// A copy of `file` by the name `path`, in a folder of its own.
fn copied(file: &Path, path: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join(path);
    fs::create_dir_all(copy.parent().unwrap()).unwrap();
    fs::copy(file, &copy).unwrap();
    (folder, copy)
}

#[tokio::test]
async fn index_files_that_a_fuzzer_found_are_loaded_or_rejected_and_fail_no_import() {
    let db = TestDb::migrated(Database::Ardb).await;
    for file in corpus("cargo_index") {
        let (folder, _) = copied(&file, "al/ph/alpha");
        cargo_index(&db, folder.path(), now(), &()).await.unwrap_or_else(|error| panic!("{file:?}: {error}"));
    }
}

#[tokio::test]
async fn records_that_a_fuzzer_found_are_loaded_or_rejected_and_fail_no_import() {
    let db = TestDb::migrated(Database::Ardb).await;
    for file in corpus("osv") {
        let (_folder, copy) = copied(&file, "record.json");
        osv(&db, &copy, now(), &()).await.unwrap_or_else(|error| panic!("{file:?}: {error}"));
    }
}

#[tokio::test]
async fn lockfiles_that_a_fuzzer_found_are_loaded_or_rejected_and_fail_no_import() {
    let db = TestDb::migrated(Database::Ardb).await;
    for (target, name) in [
        ("lockfile_cargo", "Cargo.lock"),
        ("lockfile_gem", "Gemfile.lock"),
        ("lockfile_go", "go.sum"),
        ("lockfile_npm", "package-lock.json"),
        ("lockfile_poetry", "poetry.lock"),
    ] {
        for file in corpus(target) {
            let (_folder, copy) = copied(&file, name);
            let imported = lockfile(&db, &copy, target, now(), &()).await;
            imported.unwrap_or_else(|error| panic!("{file:?}: {error}"));
        }
    }
}

#[tokio::test]
async fn bills_of_materials_that_a_fuzzer_found_are_loaded_or_rejected_and_fail_no_import() {
    let db = TestDb::migrated(Database::Ardb).await;
    for target in ["sbom_cyclonedx", "sbom_spdx"] {
        for file in corpus(target) {
            sbom(&db, &file, target, now(), &()).await.unwrap_or_else(|error| panic!("{file:?}: {error}"));
        }
    }
}

#[tokio::test]
async fn tables_of_a_dump_that_a_fuzzer_found_are_loaded_or_rejected_and_fail_no_import() {
    let db = TestDb::migrated(Database::Ardb).await;
    for file in corpus("crates_io_dump") {
        let content = fs::read(&file).unwrap();
        let end = content.iter().position(|byte| *byte == b'\n').expect("the first line names the table");
        let table = format!("2026-01-02-020000/data/{}.csv", str::from_utf8(&content[..end]).unwrap());
        let dump = changeable("crates-io-dump");
        fs::write(dump.path().join(table), &content[end + 1..]).unwrap();
        match crates_io_dump(&db, dump.path(), now(), &()).await {
            Ok(_) | Err(service::Error::Input { .. }) => {}
            Err(error) => panic!("{file:?}: {error}"),
        }
    }
}
