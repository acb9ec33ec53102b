//! Importing crates.io's database dump: what becomes of it, again, changed, broken, and twice at once.

use std::{fs, io::Write as _, path::Path};

use service::{
    Error,
    ardb::{
        derived,
        import::{Documents, Report, crates_io_dump, crates_io_dump::Age, crates_io_dump_of},
    },
};

use crate::{
    harness::{Database, TestDb},
    import_support::{changeable, content, fixture, lines, now, rows, snapshot},
    made_dump::Made,
};

const DATA: &str = "2026-01-02-020000/data";

async fn import(db: &TestDb, input: &Path) -> Report {
    crates_io_dump(db, input, now(), &()).await.unwrap()
}

fn edit(dump: &Path, table: &str, change: impl FnOnce(String) -> String) {
    let file = dump.join(DATA).join(table).with_extension("csv");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(file, change(text)).unwrap();
}

async fn downloads(db: &TestDb) -> Vec<String> {
    let select = "select concat_ws(' ', number, day, downloads) as line
                  from version_downloads d join versions v on v.id = d.version_id order by 1";
    lines(db, select).await
}

#[tokio::test]
async fn a_dump_becomes_packages_with_everything_that_is_said_of_them() {
    let db = TestDb::migrated(Database::Ardb).await;
    let report = import(&db, &fixture("crates-io-dump")).await;
    assert_eq!(report.documents, Documents { new: 1, ..Documents::default() });
    assert_eq!(report.rejected, []);
    let packages = "
        select concat_ws('|', p.name, normalized_name, purl, status, description, homepage_url, documentation_url, r.url)
            as line
        from packages p left join repositories r on r.id = p.repository_id order by 1";
    assert_eq!(
        lines(&db, packages).await,
        [
            "Alpha|alpha|pkg:cargo/Alpha|active|Pads, on the\nleft|https://alpha.example.org|https://docs.example.org|https://github.com/acme/alpha",
            "beta_two|beta-two|pkg:cargo/beta_two|active||||https://git.example.org/acme/beta",
        ]
    );
    let versions = "
        select concat_ws('|', number, is_prerelease, is_yanked, left(encode(checksum_sha256, 'hex'), 2), published_at,
            attributes, licence, l.expression, l.is_spdx, size_bytes) as line
        from versions v left join licences l on l.id = v.licence_id order by sort_key";
    assert_eq!(
        lines(&db, versions).await,
        [
            "0.1.0|f|f|00|2024-01-02 03:04:05+00|{}|MIT/Apache-2.0|MIT OR Apache-2.0|t|1000",
            "0.10.0|f|t|11|2024-02-03 04:05:06+00|{\"links\": \"alpha\", \"features\": {\"default\": [\"std\"]}, \"rust_version\": \"1.70\"}|MIT OR Apache-2.0|MIT OR Apache-2.0|t|2000",
            "1.0.0-rc.1|t|f|22|2024-03-04 05:06:07+00|{}|ask Ada|ask Ada|f",
        ]
    );
    let dependencies = "
        select concat_ws('|', v.number, p.name, d.name, d.normalized_name, alias, requirement, kind, is_optional,
            uses_default_features, d.features, target, registry) as line
        from dependencies d join versions v on v.id = d.version_id join packages p on p.id = d.package_id order by 1";
    assert_eq!(
        lines(&db, dependencies).await,
        [
            "0.10.0|beta_two|beta_two|beta-two|older|=0.3|dev|t|t|{}|cfg(unix)|",
            "0.10.0|beta_two|beta_two|beta-two||^1.0|normal|f|f|{std,\"a b\"}||",
            "1.0.0-rc.1|Alpha|Alpha|alpha||*|build|f|t|{}||",
        ]
    );
    let said = "
        select concat_ws(' ', p.name, m.kind, m.login, m.name) as line
        from maintainers_packages j join maintainers m on m.id = j.maintainer_id join packages p on p.id = j.package_id
        union all
        select concat_ws(' ', p.name, 'keyword', k.name)
        from keywords_packages j join keywords k on k.id = j.keyword_id join packages p on p.id = j.package_id
        union all
        select concat_ws(' ', p.name, 'category', c.slug, c.name, c.description)
        from categories_packages j join categories c on c.id = j.category_id join packages p on p.id = j.package_id
        order by 1";
    let expected = [
        "Alpha category text Text About text.",
        "Alpha keyword padding",
        "Alpha team github:acme:core Core",
        "Alpha user ada Ada",
    ];
    assert_eq!(lines(&db, said).await, expected);
    assert_eq!(downloads(&db).await, ["0.1.0 2025-12-31 3", "0.1.0 2026-01-01 4"]);
}

#[tokio::test]
async fn the_second_import_of_the_same_dump_changes_no_row() {
    let db = TestDb::migrated(Database::Ardb).await;
    import(&db, &fixture("crates-io-dump")).await;
    let before = snapshot(&db).await;
    let report = import(&db, &fixture("crates-io-dump")).await;
    assert_eq!(report.documents, Documents { unchanged: 1, ..Documents::default() });
    assert!(report.changed_nothing());
    assert_eq!(snapshot(&db).await, before);
}

#[tokio::test]
async fn only_what_changed_is_touched_and_what_is_gone_comes_back_with_its_record() {
    let db = TestDb::migrated(Database::Ardb).await;
    let dump = changeable("crates-io-dump");
    import(&db, dump.path()).await;
    let before = content(&db).await;
    let mut whole = String::new();
    edit(dump.path(), "dependencies", |text| {
        whole.clone_from(&text);
        text.lines().take(2).map(|line| format!("{line}\n")).collect()
    });
    let report = import(&db, dump.path()).await;
    assert_eq!(report.rows.keys().copied().collect::<Vec<_>>(), ["dependencies", "source_documents"]);
    assert_eq!(rows(&report, "dependencies"), (0, 0, 2));
    edit(dump.path(), "dependencies", |_| whole);
    assert_eq!(rows(&import(&db, dump.path()).await, "dependencies"), (0, 2, 0));
    assert_eq!(content(&db).await, before);
}

/// Default versions and downloads in all, with what search knows of the latter.
async fn summed(db: &TestDb) -> Vec<String> {
    let select = "
        select concat_ws(' ', package.name, version.number, counted.downloads, entry.downloads) as line
        from packages package
        join package_search_entries entry on entry.package_id = package.id
        left join default_versions named on named.package_id = package.id and named.deleted_at is null
        left join versions version on version.id = named.version_id
        left join package_downloads counted on counted.package_id = package.id and counted.deleted_at is null
        order by 1";
    lines(db, select).await
}

#[tokio::test]
async fn the_version_that_is_shown_by_default_and_downloads_in_all_follow_the_dump() {
    let db = TestDb::migrated(Database::Ardb).await;
    let dump = changeable("crates-io-dump");
    let report = import(&db, dump.path()).await;
    assert_eq!(
        (rows(&report, "default_versions"), rows(&report, "package_downloads")),
        ((2, 0, 0), (2, 0, 0))
    );
    assert_eq!(summed(&db).await, ["Alpha 0.1.0 1234 1234", "beta_two 1.0.0-rc.1 0 0"]);

    edit(dump.path(), "default_versions", |_| "crate_id,num_versions,version_id\n1,2,12\n".into());
    edit(dump.path(), "crate_downloads", |text| text.replace("1234", "1300"));
    let report = import(&db, dump.path()).await;
    assert_eq!(
        (rows(&report, "default_versions"), rows(&report, "package_downloads")),
        ((0, 1, 1), (0, 1, 0))
    );
    assert_eq!(summed(&db).await, ["Alpha 0.10.0 1300 1300", "beta_two 0 0"]);

    // Of another crate, of none, and twice.
    edit(dump.path(), "default_versions", |text| text + "2,1,11\n9,1,11\n");
    edit(dump.path(), "crate_downloads", |text| text + "1,7\n9,1\n2,\n");
    let report = import(&db, dump.path()).await;
    let mut places: Vec<_> = report.rejected.iter().map(|rejection| rejection.place.as_str()).collect();
    places.sort_unstable();
    assert_eq!(
        places,
        [
            "data/crate_downloads.csv:4",
            "data/crate_downloads.csv:5",
            "data/crate_downloads.csv:6",
            "data/default_versions.csv:3",
            "data/default_versions.csv:4",
        ]
    );
    assert_eq!(summed(&db).await, ["Alpha 0.10.0 1300 1300", "beta_two 0 0"]);

    // As dumps were before there were such tables.
    for table in ["default_versions.csv", "crate_downloads.csv"] {
        fs::remove_file(dump.path().join(DATA).join(table)).unwrap();
    }
    import(&db, dump.path()).await;
    assert_eq!(summed(&db).await, ["Alpha 0.10.0 1300 1300", "beta_two 0 0"]);
    assert!(derived::verify(&*db).await.unwrap().iter().all(derived::Verified::is_right));
}

/// The dump as it was when it was made earlier: with a crate less, and a version that was not yanked yet.
fn made_earlier(dump: &Path) {
    let metadata = dump.join(DATA).join("../metadata.json");
    let text = fs::read_to_string(&metadata).unwrap();
    fs::write(metadata, text.replace("2026-01-02", "2025-12-02")).unwrap();
    edit(dump, "versions", |text| text.replace(",t\n", ",f\n"));
    edit(dump, "crate_downloads", |text| text.replace("1234", "1200"));
}

#[tokio::test]
async fn a_dump_that_is_older_than_the_last_one_is_refused_and_changes_no_row_unless_it_is_asked_for() {
    let db = TestDb::migrated(Database::Ardb).await;
    import(&db, &fixture("crates-io-dump")).await;
    let before = snapshot(&db).await;
    let dump = changeable("crates-io-dump");
    made_earlier(dump.path());
    let Err(Error::Input { place, reason }) = crates_io_dump(&db, dump.path(), now(), &()).await else {
        panic!("it is imported")
    };
    assert!(place.ends_with("metadata.json"), "{place}");
    assert_eq!(
        reason,
        "was made at 2025-12-02 02:00:00 UTC, before the dump of 2026-01-02 02:00:00 UTC that was imported last, and \
         would turn facts back; --older imports it all the same"
    );
    assert_eq!(snapshot(&db).await, before);

    crates_io_dump_of(&db, dump.path(), Age::Any, now(), &()).await.unwrap();
    assert_eq!(summed(&db).await[0], "Alpha 0.1.0 1200 1200");
    let yanked = "select number as line from versions where is_yanked";
    assert_eq!(lines(&db, yanked).await, [""; 0]);
    // And on again from there.
    import(&db, &fixture("crates-io-dump")).await;
    assert_eq!(lines(&db, yanked).await, ["0.10.0"]);
    assert_eq!(content(&db).await, {
        let once = TestDb::migrated(Database::Ardb).await;
        import(&once, &fixture("crates-io-dump")).await;
        content(&once).await
    });
}

#[tokio::test]
async fn a_bad_record_is_rejected_with_its_place_and_the_rest_is_loaded() {
    let db = TestDb::migrated(Database::Ardb).await;
    let dump = changeable("crates-io-dump");
    edit(dump.path(), "versions", |text| {
        text + "x,1,,2024-01-02 03:04:05,{},14,MIT,,0.2.0,,f\n,1,,never,{},15,MIT,,0.3.0,,f\n1,2\n"
    });
    edit(dump.path(), "dependencies", |text| text.clone() + "2,t,,{},4,0,f,2,,12\n2,t,,{},4,0,f,2,,14\n");
    let report = import(&db, dump.path()).await;
    let mut places: Vec<_> = report.rejected.iter().map(|rejection| rejection.place.as_str()).collect();
    places.sort_unstable();
    assert_eq!(
        places,
        [
            "data/dependencies.csv:5",
            "data/dependencies.csv:6",
            "data/versions.csv:5",
            "data/versions.csv:6",
            "data/versions.csv:7"
        ]
    );
    assert_eq!((rows(&report, "versions"), rows(&report, "dependencies")), ((3, 0, 0), (3, 0, 0)));
}

#[tokio::test]
async fn a_missing_column_or_file_is_named_and_nothing_is_written() {
    let db = TestDb::migrated(Database::Ardb).await;
    let dump = changeable("crates-io-dump");
    edit(dump.path(), "versions", |text| text.replacen("yanked", "withdrawn", 1));
    let Err(Error::Input { place, reason }) = crates_io_dump(&db, dump.path(), now(), &()).await else {
        panic!("it is imported")
    };
    assert_eq!(place, "data/versions.csv:1");
    assert_eq!(reason, "has no column \"yanked\" in its header");
    fs::remove_file(dump.path().join(DATA).join("versions.csv")).unwrap();
    let refused = crates_io_dump(&db, dump.path(), now(), &()).await.unwrap_err();
    assert!(refused.to_string().contains("has no data/versions.csv"), "{refused}");
    assert_eq!(lines(&db, "select name as line from packages").await, [""; 0]);
}

#[tokio::test]
async fn two_imports_at_once_leave_what_one_leaves() {
    let one = TestDb::migrated(Database::Ardb).await;
    import(&one, &fixture("crates-io-dump")).await;
    let both = TestDb::migrated(Database::Ardb).await;
    let input = fixture("crates-io-dump");
    let (first, second) = tokio::join!(import(&both, &input), import(&both, &input));
    assert_eq!(first.documents.new + second.documents.new, 1);
    assert_eq!(content(&both).await, content(&one).await);
    assert_eq!(downloads(&both).await, downloads(&one).await);
}

/// The files of the fixture as an archive, the last of them first.
fn packed() -> Vec<u8> {
    let folder = fixture("crates-io-dump").join("2026-01-02-020000");
    let tables = fs::read_dir(folder.join("data")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = tables.chain([folder.join("metadata.json")]).collect();
    files.sort_unstable_by(|a, b| b.cmp(a));
    let mut tar = tar::Builder::new(Vec::new());
    for file in files {
        tar.append_path_with_name(&file, file.strip_prefix(fixture("crates-io-dump")).unwrap()).unwrap();
    }
    tar.into_inner().unwrap()
}

fn gzipped(content: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(content).and_then(|()| gzip.finish()).unwrap()
}

#[tokio::test]
async fn packed_or_not_and_in_any_order_a_dump_is_the_same() {
    let unpacked = TestDb::migrated(Database::Ardb).await;
    import(&unpacked, &fixture("crates-io-dump")).await;
    let folder = tempfile::tempdir().unwrap();
    for (name, archive) in [("dump.tar", packed()), ("dump.tar.gz", gzipped(&packed()))] {
        let db = TestDb::migrated(Database::Ardb).await;
        fs::write(folder.path().join(name), archive).unwrap();
        import(&db, &folder.path().join(name)).await;
        assert_eq!(content(&db).await, content(&unpacked).await, "{name}");
        assert_eq!(downloads(&db).await, downloads(&unpacked).await, "{name}");
    }
}

#[tokio::test]
async fn an_archive_that_breaks_off_is_refused_with_the_place_and_nothing_is_written() {
    let db = TestDb::migrated(Database::Ardb).await;
    let folder = tempfile::tempdir().unwrap();
    let dump = folder.path().join("dump.tar.gz");
    Made { seed: 3, versions: 300, dependencies: 2_000 }.write(&dump).unwrap();
    let whole = fs::read(&dump).unwrap();
    fs::write(&dump, &whole[..whole.len() / 2]).unwrap();
    let Err(Error::Input { place, reason }) = crates_io_dump(&db, &dump, now(), &()).await else {
        panic!("it is imported")
    };
    let (file, line) = place.rsplit_once(':').unwrap();
    assert!(file.starts_with("data/") && line.parse::<u64>().is_ok(), "{place}: {reason}");
    assert!(reason.starts_with("can't be read: "), "{reason}");
    assert_eq!(lines(&db, "select name as line from packages").await, [""; 0]);
}

#[tokio::test]
async fn of_very_many_rejections_all_are_counted_and_the_first_are_listed() {
    let db = TestDb::migrated(Database::Ardb).await;
    let dump = changeable("crates-io-dump");
    let orphan = "2,t,,{},9,0,f,*,,999\n";
    edit(dump.path(), "dependencies", |text| text + &orphan.repeat(5_000));
    let report = import(&db, dump.path()).await;
    assert_eq!((report.rejected_total, report.rejected.len()), (5_000, 100));
    assert_eq!(report.rejected[0].place, "data/dependencies.csv:5");
    assert_eq!(report.rejected[99].place, "data/dependencies.csv:104");
    assert_eq!(rows(&report, "dependencies"), (3, 0, 0));
}

#[tokio::test]
async fn a_made_up_dump_is_imported_as_it_was_made() {
    let db = TestDb::migrated(Database::Ardb).await;
    let folder = tempfile::tempdir().unwrap();
    let dump = folder.path().join("dump.tar.gz");
    let counts = Made { seed: 5, versions: 400, dependencies: 3_000 }.write(&dump).unwrap();
    let report = import(&db, &dump).await;
    assert_eq!(report.rejected, []);
    for (file, table) in [
        ("categories", "categories"),
        ("crate_downloads", "package_downloads"),
        ("crate_owners", "maintainers_packages"),
        ("crates", "packages"),
        ("crates_categories", "categories_packages"),
        ("crates_keywords", "keywords_packages"),
        ("default_versions", "default_versions"),
        ("dependencies", "dependencies"),
        ("keywords", "keywords"),
        ("version_downloads", "version_downloads"),
        ("versions", "versions"),
    ] {
        let (_, made) = counts.iter().find(|(name, _)| *name == file).unwrap();
        assert_eq!(rows(&report, table), (*made, 0, 0), "{table}");
    }
}
