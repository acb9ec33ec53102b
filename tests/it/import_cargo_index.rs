//! Importing an index of crates: every form of it, again, changed, broken, and twice at once.

use std::{fs, path::Path};

use service::ardb::{
    import::{Documents, Rejection, Report, cargo_index},
    package, version,
};

use crate::{
    harness::{Database, TestDb, corpus},
    import_support::{changeable, content, fixture, lines, now, rows, snapshot},
};

async fn import(db: &TestDb, input: &Path) -> Report {
    cargo_index(db, input, now(), &()).await.unwrap()
}

fn documents(new: u64, changed: u64, unchanged: u64, rejected: u64) -> Documents {
    Documents { new, changed, unchanged, outdated: 0, rejected }
}

/// The fixture's index in the form of cargo's own cache.
fn as_cache(index: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in ["al/ph/alpha", "be/ta/beta_two", "3/g/gam"] {
        let mut cache = vec![3, 2, 0, 0, 0];
        cache.extend_from_slice(b"etag: \"0123\"\0");
        for line in fs::read_to_string(index.join(file)).unwrap().lines() {
            let version: serde_json::Value = serde_json::from_str(line).unwrap();
            for part in [version["vers"].as_str().unwrap(), line] {
                cache.extend_from_slice(part.as_bytes());
                cache.push(0);
            }
        }
        let target = folder.path().join(".cache").join(file);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::write(target, cache).unwrap();
    }
    folder
}

#[tokio::test]
async fn an_index_becomes_packages_versions_and_linked_dependencies() {
    let db = TestDb::migrated(Database::Ardb).await;
    let report = import(&db, &fixture("index")).await;
    assert_eq!(report.documents, documents(3, 0, 0, 0));
    assert_eq!((rows(&report, "packages"), rows(&report, "versions")), ((3, 0, 0), (6, 0, 0)));
    assert_eq!(report.rejected, []);
    let found = lines(
        &db,
        "select concat_ws(' ', v.number, d.name, d.alias, d.requirement, d.kind, d.is_optional, d.uses_default_features,
             d.features::text, d.target, d.registry, coalesce(p.name, 'unlinked')) as line
         from dependencies d join versions v on v.id = d.version_id left join packages p on p.id = d.package_id
         order by v.number collate \"C\", d.name collate \"C\", d.kind",
    )
    .await;
    assert_eq!(
        found,
        [
            "0.10.0 beta-two  ^1.0 normal f f {std,extra}   beta_two",
            "0.10.0 elsewhere  1 normal f t {}  https://example.org/index unlinked",
            "0.10.0 gam  * dev f t {}   gam",
            "0.10.0 gam older =0.3 normal t t {} cfg(unix)  gam",
            "0.10.0 unknown  2 build f t {}   unlinked",
            "0.2.0-rc.1 Beta_Two  ^1.0 normal f t {}   beta_two",
            "1.0.0 gam  ^0.3 normal f t {}   gam",
            "1.0.1 gam  ^0.3 normal f t {}   gam",
        ]
    );
}

#[tokio::test]
async fn a_version_keeps_what_the_index_says_of_it() {
    let db = TestDb::migrated(Database::Ardb).await;
    import(&db, &fixture("index")).await;
    let alpha = package::by_name(db.connection(), "cargo", "Alpha").await.unwrap().unwrap();
    let versions = version::in_order(db.connection(), alpha.id).await.unwrap();
    let said: Vec<_> = versions
        .iter()
        .map(|version| {
            (
                version.number.as_str(),
                version.is_prerelease,
                version.is_yanked,
                version.attributes.to_string(),
            )
        })
        .collect();
    let attributes =
        r#"{"features":{"default":["std"],"gam":["dep:older"]},"links":"alpha","rust_version":"1.70"}"#;
    assert_eq!(
        said,
        [
            ("0.1.0", false, false, "{}".to_owned()),
            ("0.2.0-rc.1", true, true, "{}".to_owned()),
            ("0.10.0", false, false, attributes.to_owned()),
        ]
    );
    let published: Vec<_> =
        versions.iter().map(|version| version.published_at.unwrap().to_rfc3339()).collect();
    assert_eq!(
        published,
        ["2024-01-02T03:04:05+00:00", "2024-02-03T04:05:06+00:00", "2024-03-04T05:06:07+00:00"]
    );
    assert!(
        versions.iter().all(|version| version.checksum_sha256.as_ref().is_some_and(|sum| sum.len() == 32))
    );
}

#[tokio::test]
async fn the_second_import_of_the_same_index_changes_no_row_and_says_so() {
    let db = TestDb::migrated(Database::Ardb).await;
    import(&db, &fixture("index")).await;
    let before = snapshot(&db).await;
    let report = import(&db, &fixture("index")).await;
    assert_eq!(report.documents, documents(0, 0, 3, 0));
    assert!(report.changed_nothing());
    assert!(report.to_string().contains("nothing changed"), "{report}");
    assert_eq!(snapshot(&db).await, before);
}

#[tokio::test]
async fn cargos_cache_and_the_sparse_index_are_the_same_documents() {
    let db = TestDb::migrated(Database::Ardb).await;
    let cache = as_cache(&fixture("index"));
    let report = import(&db, &cache.path().join(".cache")).await;
    assert_eq!((report.documents, report.rejected), (documents(3, 0, 0, 0), vec![]));
    let report = import(&db, &fixture("index")).await;
    assert_eq!(report.documents, documents(0, 0, 3, 0));
    assert!(report.changed_nothing());
}

#[tokio::test]
async fn what_a_crate_no_longer_has_is_deleted_and_restored_when_it_comes_back() {
    let db = TestDb::migrated(Database::Ardb).await;
    let index = changeable("index");
    let file = index.path().join("al/ph/alpha");
    import(&db, index.path()).await;
    let before = content(&db).await;

    let whole = fs::read_to_string(&file).unwrap();
    let without_second: Vec<_> = whole.lines().step_by(2).collect();
    fs::write(&file, without_second.join("\n")).unwrap();
    let report = import(&db, index.path()).await;
    assert_eq!(report.documents, documents(0, 1, 2, 0));
    assert_eq!((rows(&report, "versions"), rows(&report, "dependencies")), ((0, 0, 1), (0, 0, 1)));
    let alpha = package::by_name(db.connection(), "cargo", "alpha").await.unwrap().unwrap();
    assert_eq!(version::newest(db.connection(), alpha.id, 2).await.unwrap()[1].number, "0.1.0");

    fs::write(&file, whole).unwrap();
    let report = import(&db, index.path()).await;
    assert_eq!((rows(&report, "versions"), rows(&report, "dependencies")), ((0, 1, 0), (0, 1, 0)));
    assert_eq!(content(&db).await, before);
}

#[tokio::test]
async fn an_older_index_is_outdated_and_takes_no_newer_version_away() {
    let db = TestDb::migrated(Database::Ardb).await;
    import(&db, &fixture("index")).await;
    let before = snapshot(&db).await;
    // alpha's lines have times of publication, beta_two's have none and are counted.
    let older = changeable("index");
    for (file, versions) in [("al/ph/alpha", 2), ("be/ta/beta_two", 1)] {
        let file = older.path().join(file);
        let whole = fs::read_to_string(&file).unwrap();
        fs::write(&file, whole.lines().take(versions).collect::<Vec<_>>().join("\n")).unwrap();
    }
    let report = import(&db, older.path()).await;
    assert_eq!(report.documents, Documents { outdated: 2, ..documents(0, 0, 1, 0) });
    assert!(report.changed_nothing());
    assert_eq!(snapshot(&db).await, before);

    let report = import(&db, &fixture("index")).await;
    assert_eq!(report.documents, documents(0, 0, 3, 0));
    assert_eq!(snapshot(&db).await, before);
}

#[tokio::test]
async fn an_input_with_a_crate_twice_gives_the_same_rows_in_every_run() {
    let db = TestDb::migrated(Database::Ardb).await;
    let index = tempfile::tempdir().unwrap();
    for copy in ["a", "b", "c"] {
        let target = index.path().join(copy).join("al/ph/alpha");
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(fixture("index").join("al/ph/alpha"), target).unwrap();
    }
    let other = index.path().join("b/al/ph/alpha");
    let yanked = fs::read_to_string(&other).unwrap().replace("\"yanked\":false", "\"yanked\":true");
    fs::write(&other, yanked).unwrap();

    let report = import(&db, index.path()).await;
    let reason = "\"crates.io/alpha\" is in this input twice with different content; only the first is read";
    let rejected = vec![Rejection { place: other.display().to_string(), reason: reason.into() }];
    assert_eq!((report.documents, &report.rejected), (documents(1, 0, 0, 1), &rejected));
    let before = snapshot(&db).await;
    for _ in 0..2 {
        let again = import(&db, index.path()).await;
        assert_eq!((again.documents, &again.rejected), (documents(0, 0, 1, 1), &rejected));
        assert_eq!(snapshot(&db).await, before);
    }
}

#[tokio::test]
async fn lines_of_a_newer_form_are_skipped_and_their_crate_is_read_again() {
    let db = TestDb::migrated(Database::Ardb).await;
    let index = changeable("index");
    import(&db, index.path()).await;
    let file = index.path().join("al/ph/alpha");
    let whole = fs::read_to_string(&file).unwrap();
    fs::write(&file, whole.replace("\"v\":2", "\"v\":3")).unwrap();
    fs::create_dir_all(index.path().join("ne/we")).unwrap();
    fs::write(index.path().join("ne/we/newest"), "{\"v\":3,\"name\":{}}").unwrap();
    for expected in [documents(0, 1, 2, 0), documents(0, 0, 3, 0)] {
        let report = import(&db, index.path()).await;
        assert_eq!((report.documents, report.skipped, report.rejected_total), (expected, 2, 0));
        assert_eq!(rows(&report, "versions"), (0, 0, 0));
        let said = "2 records skipped: their form is newer than this release reads\n";
        assert!(report.to_string().contains(said), "{report}");
    }
    // A release that reads the form finds the hash of another document, as this one does when the form is an older one.
    fs::write(&file, &whole).unwrap();
    assert_eq!(import(&db, index.path()).await.documents, documents(0, 1, 2, 0));
}

#[tokio::test]
async fn rejections_beyond_those_that_are_listed_are_counted() {
    let db = TestDb::migrated(Database::Ardb).await;
    let index = changeable("index");
    let file = index.path().join("al/ph/alpha");
    let whole = fs::read_to_string(&file).unwrap();
    fs::write(&file, "1\n".repeat(1_000) + &whole).unwrap();
    let report = import(&db, index.path()).await;
    assert_eq!((report.documents, rows(&report, "versions")), (documents(3, 0, 0, 0), (6, 0, 0)));
    assert_eq!((report.rejected.len(), report.rejected_total), (100, 1_000));
    assert_eq!(report.rejected[99].place, format!("{}:100", file.display()));
}

#[tokio::test]
async fn only_the_rows_that_changed_are_touched() {
    let db = TestDb::migrated(Database::Ardb).await;
    let index = changeable("index");
    import(&db, index.path()).await;
    let file = index.path().join("be/ta/beta_two");
    let changed = fs::read_to_string(&file).unwrap().replacen("\"yanked\":false", "\"yanked\":true", 1);
    fs::write(&file, changed).unwrap();
    let before = snapshot(&db).await;
    let report = import(&db, index.path()).await;
    assert_eq!(rows(&report, "versions"), (0, 1, 0));
    let after = snapshot(&db).await;
    let touched: Vec<_> = before
        .iter()
        .flat_map(|(table, rows)| rows.iter().zip(&after[table]).filter(|(a, b)| a != b).map(|_| *table))
        .collect();
    assert_eq!(touched, ["source_documents", "versions"]);
}

#[tokio::test]
async fn a_broken_line_is_reported_with_its_place_and_the_rest_is_loaded() {
    let db = TestDb::migrated(Database::Ardb).await;
    let index = changeable("index");
    let file = index.path().join("al/ph/alpha");
    let whole = fs::read_to_string(&file).unwrap();
    let good: Vec<_> = whole.lines().map(str::as_bytes).collect();
    let like = |number: &str| whole.lines().next().unwrap().replace("0.1.0", number).into_bytes();
    let too_long = {
        let mut line = like("7.0.0");
        line.resize(50 * 1024 * 1024, b' ');
        line.push(b'}');
        line
    };
    let mut invalid_utf8 = like("8.0.0");
    *invalid_utf8.iter_mut().find(|byte| **byte == b'a').unwrap() = 0xff;
    let bad = [
        b"{\"name\":".to_vec(),
        whole.lines().next().unwrap().replace("\"yanked\":false", "\"yanked\":\"no\"").into_bytes(),
        like("not a version"),
        like(&format!("1.2.{}", "9".repeat(10_000))),
        whole.lines().next().unwrap().replace("\"cksum\"", "\"sum\"").into_bytes(),
        invalid_utf8,
        like("9.0.0\\u0000"),
        like("9.0.0\0"),
        too_long,
    ];
    let mut lines = vec![good[0]];
    lines.extend(bad.iter().map(Vec::as_slice));
    lines.extend([good[1], good[2]]);
    fs::write(&file, lines.join(&b'\n')).unwrap();

    let report = import(&db, index.path()).await;
    assert_eq!(report.documents, documents(3, 0, 0, 0));
    assert_eq!(rows(&report, "versions"), (6, 0, 0));
    let place = file.display().to_string();
    let expected = [
        "is not what was expected: EOF while parsing a value at line 1 column 8",
        "is not what was expected: invalid type: string \"no\", expected a boolean",
        "version \"not a version\" is none that cargo could select: ",
        "version is 10004 bytes long, at most 256 are kept",
        "is not what was expected: missing field `cksum`",
        "is not UTF-8: ",
        "has a NUL character",
        "has a NUL character",
        "is 52428801 bytes long, at most 4194304 are read",
    ];
    assert_eq!(report.rejected_total, 9);
    for ((line, reason), Rejection { place: found, reason: said }) in
        (2..).zip(expected).zip(&report.rejected)
    {
        assert_eq!(*found, format!("{place}:{line}"));
        assert!(said.starts_with(reason), "line {line}: {said}");
    }

    // It is read, and complained of, again; but nothing moves.
    let before = snapshot(&db).await;
    let again = import(&db, index.path()).await;
    assert_eq!((again.documents, again.rejected_total), (documents(0, 0, 3, 0), 9));
    assert_eq!(snapshot(&db).await, before);
}

#[tokio::test]
async fn a_version_whose_line_broke_is_kept_until_its_crate_is_read_whole_without_it() {
    let db = TestDb::migrated(Database::Ardb).await;
    let index = changeable("index");
    let file = index.path().join("al/ph/alpha");
    import(&db, index.path()).await;
    let whole = fs::read_to_string(&file).unwrap();
    let mut lines: Vec<_> = whole.lines().collect();
    lines[1] = "broken";
    fs::write(&file, lines.join("\n")).unwrap();
    assert_eq!(rows(&import(&db, index.path()).await, "versions"), (0, 0, 0));
    lines.remove(1);
    fs::write(&file, lines.join("\n")).unwrap();
    assert_eq!(rows(&import(&db, index.path()).await, "versions"), (0, 0, 1));
}

#[tokio::test]
async fn a_file_that_is_no_crate_is_rejected_and_its_neighbours_are_loaded() {
    let db = TestDb::migrated(Database::Ardb).await;
    let index = changeable("index");
    for (path, content) in [("alpha", "{}"), ("em/pt/empty", ""), ("ca/ch/cache", "\u{4}\0\0\0\0")] {
        fs::create_dir_all(index.path().join(path).parent().unwrap()).unwrap();
        fs::write(index.path().join(path), content).unwrap();
    }
    let report = import(&db, index.path()).await;
    assert_eq!(report.documents, documents(3, 0, 0, 3));
    let mut places: Vec<_> = report.rejected.iter().map(|rejection| rejection.place.as_str()).collect();
    places.sort_unstable();
    let mut expected =
        ["alpha", "ca/ch/cache", "em/pt/empty"].map(|path| index.path().join(path).display().to_string());
    expected.sort_unstable();
    assert_eq!(places, expected);
}

#[tokio::test]
async fn an_input_that_is_not_there_is_an_error_that_names_it() {
    let db = TestDb::migrated(Database::Ardb).await;
    let error = cargo_index(&db, Path::new("/nowhere/index"), now(), &()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "/nowhere/index: is not there; expected cargo's .cache folder, a sparse index, or a tar of one"
    );
}

#[tokio::test]
async fn imports_at_the_same_time_are_as_one() {
    let once = TestDb::migrated(Database::Ardb).await;
    import(&once, &fixture("index")).await;
    let db = TestDb::migrated(Database::Ardb).await;
    let index = fixture("index");
    let (a, b, c) = tokio::join!(import(&db, &index), import(&db, &index), import(&db, &index));
    assert_eq!([&a, &b, &c].iter().map(|report| rows(report, "versions").0).sum::<u64>(), 6);
    assert_eq!(content(&db).await, content(&once).await);
}

#[tokio::test]
async fn the_real_index_is_loaded_to_the_last_dependency() {
    let Some(index) = corpus("cargo-index/sparse-index.tar.xz") else { return };
    let db = TestDb::migrated(Database::Ardb).await;
    let (one, other) = tokio::join!(import(&db, &index), import(&db, &index));
    assert_eq!((one.rejected_total, other.rejected_total), (0, 0));
    let live = service::ardb::summary(db.connection()).await.unwrap();
    assert_eq!([live["packages"], live["versions"], live["dependencies"]], [370, 16_558, 121_639]);
    let before = snapshot(&db).await;
    let report = import(&db, &index).await;
    assert_eq!(report.documents, documents(0, 0, 370, 0));
    assert!(report.changed_nothing());
    assert_eq!(snapshot(&db).await, before);
}
