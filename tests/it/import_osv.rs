//! Importing advisories: every ecosystem, again, older, broken, and before or after the packages they are about.

use std::{fs, path::Path};

use service::ardb::import::{Documents, Report, cargo_index, osv};

use crate::{
    harness::{Database, TestDb, corpus},
    import_support::{changeable, content, execute, fixture, lines, now, rows, snapshot},
};

async fn import(db: &TestDb, input: &Path) -> Report {
    osv(db, input, now(), &()).await.unwrap()
}

#[tokio::test]
async fn records_become_advisories_with_all_that_hangs_on_them() {
    let db = TestDb::migrated(Database::Ardb).await;
    let report = import(&db, &fixture("osv")).await;
    assert_eq!((report.documents, report.rejected), (Documents { new: 7, ..Documents::default() }, vec![]));
    let found = lines(
        &db,
        "select concat_ws(' ', a.identifier, a.kind, left(a.severity, 8), a.withdrawn_at is not null,
             (select string_agg(alias, ',' order by alias) from advisory_aliases where advisory_id = a.id)) as line
         from advisories a order by 1",
    )
    .await;
    assert_eq!(
        found,
        [
            "EXAMPLE-2024-0001 vulnerability CVSS:4.0 f CVE-2024-99901,EXAMPLE-ALIAS-1",
            "EXAMPLE-2024-0002 unmaintained f",
            "EXAMPLE-2024-0003 vulnerability t",
            "EXAMPLE-2024-0004 vulnerability f",
            "EXAMPLE-2024-0005 vulnerability f",
            "EXAMPLE-2024-0006 vulnerability f",
            "EXAMPLE-2024-0007 vulnerability f",
        ]
    );
}

#[tokio::test]
async fn ranges_become_sorted_intervals_with_keys_where_the_order_is_known() {
    let db = TestDb::migrated(Database::Ardb).await;
    import(&db, &fixture("osv")).await;
    let found = lines(
        &db,
        "select concat_ws(' ', e.name, concat_ws('/', nullif(p.namespace, ''), nullif(p.release, '')), p.normalized_name, r.kind, i.introduced, i.fixed, i.last_affected,
             case when i.lower_key is null then 'no keys' when i.is_upper_inclusive then 'inclusive' end) as line
         from affected_intervals i
         join affected_ranges r on r.id = i.affected_range_id
         join affected_packages p on p.id = r.affected_package_id
         join ecosystems e on e.id = p.ecosystem_id
         join advisories a on a.id = p.advisory_id
         order by a.identifier, r.position, i.position",
    )
    .await;
    assert_eq!(
        found,
        [
            "cargo  alpha semver 0 0.2.0",
            "cargo  alpha semver 0.5.0 0.11.0",
            "cargo  beta-two semver 1.0.0 1.0.1 inclusive",
            "cargo  alpha semver 0",
            "cargo  gam semver 9.0.0 9.0.1",
            "pypi  some-thing ecosystem 0 1.0",
            "deb debian/12 thing ecosystem 0 1.0-2",
        ]
    );
}

#[tokio::test]
async fn an_unknown_ecosystem_is_added_without_an_order() {
    let db = TestDb::migrated(Database::Ardb).await;
    import(&db, &fixture("osv")).await;
    let found = lines(
        &db,
        "select concat_ws(' ', e.name, e.osv_name, e.version_scheme, v.number) as line
         from affected_versions v
         join affected_packages p on p.id = v.affected_package_id
         join ecosystems e on e.id = p.ecosystem_id
         where e.osv_name = 'New Place'",
    )
    .await;
    assert_eq!(found, ["new-place New Place opaque 1"]);
}

#[tokio::test]
async fn ranges_get_keys_by_the_next_import_once_it_is_known_how_their_ecosystem_sorts() {
    let db = TestDb::migrated(Database::Ardb).await;
    let records = tempfile::tempdir().unwrap();
    let record = serde_json::json!({
        "id": "EXAMPLE-2024-0100",
        "modified": "2024-05-01T00:00:00Z",
        "affected": [{
            "package": {"ecosystem": "New Place", "name": "thing"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "1.0.0"}, {"fixed": "2.0.0"}]}],
        }],
    });
    fs::write(records.path().join("EXAMPLE-2024-0100.json"), record.to_string()).unwrap();
    let keyed =
        "select (lower_key is not null and upper_key is not null)::text as line from affected_intervals";
    import(&db, records.path()).await;
    assert_eq!(lines(&db, keyed).await, ["false"]);
    // The ecosystem that the import itself added makes no record look changed.
    assert_eq!(
        import(&db, records.path()).await.documents,
        Documents { unchanged: 1, ..Documents::default() }
    );

    execute(&db, "update ecosystems set version_scheme = 'semver' where osv_name = 'New Place'").await;
    assert_eq!(import(&db, records.path()).await.documents, Documents { changed: 1, ..Documents::default() });
    assert_eq!(lines(&db, keyed).await, ["true"]);
}

#[tokio::test]
async fn the_second_import_of_the_same_records_changes_no_row_and_says_so() {
    let db = TestDb::migrated(Database::Ardb).await;
    import(&db, &fixture("osv")).await;
    let before = snapshot(&db).await;
    let report = import(&db, &fixture("osv")).await;
    assert_eq!(report.documents, Documents { unchanged: 7, ..Documents::default() });
    assert!(report.changed_nothing());
    assert_eq!(snapshot(&db).await, before);
}

#[tokio::test]
async fn a_record_that_is_older_than_the_stored_one_changes_nothing() {
    let db = TestDb::migrated(Database::Ardb).await;
    import(&db, &fixture("osv")).await;
    let before = snapshot(&db).await;
    let records = changeable("osv");
    let file = records.path().join("EXAMPLE-2024-0001.json");
    let older = fs::read_to_string(&file)
        .unwrap()
        .replace("2024-05-01", "2024-04-02")
        .replace("Summary", "Old summary");
    fs::write(&file, older).unwrap();
    let report = import(&db, records.path()).await;
    assert_eq!(report.documents, Documents { unchanged: 6, outdated: 1, ..Documents::default() });
    assert_eq!(snapshot(&db).await, before);
}

#[tokio::test]
async fn what_a_newer_record_no_longer_has_is_deleted_and_restored_when_it_comes_back() {
    let db = TestDb::migrated(Database::Ardb).await;
    let records = changeable("osv");
    import(&db, records.path()).await;
    let file = records.path().join("EXAMPLE-2024-0001.json");
    let whole = fs::read_to_string(&file).unwrap();
    let mut record: serde_json::Value = serde_json::from_str(&whole).unwrap();
    record["modified"] = "2024-05-02T00:00:00Z".into();
    record["affected"] = serde_json::json!([]);
    record["aliases"] = serde_json::json!(["CVE-2024-99901"]);
    fs::write(&file, record.to_string()).unwrap();
    let report = import(&db, records.path()).await;
    let deleted = ["advisory_aliases", "affected_packages", "affected_ranges", "affected_intervals"];
    assert_eq!(deleted.map(|table| rows(&report, table)), [(0, 0, 1), (0, 0, 1), (0, 0, 1), (0, 0, 2)]);

    fs::write(&file, whole.replace("2024-05-01", "2024-05-03")).unwrap();
    let report = import(&db, records.path()).await;
    assert_eq!(deleted.map(|table| rows(&report, table)), [(0, 1, 0), (0, 1, 0), (0, 1, 0), (0, 2, 0)]);
}

#[tokio::test]
async fn a_broken_record_is_reported_with_file_and_line_and_the_rest_is_loaded() {
    let db = TestDb::migrated(Database::Ardb).await;
    let records = changeable("osv");
    let break_record = |number: u32, from: &str, to: &str| {
        let file = records.path().join(format!("EXAMPLE-2024-000{number}.json"));
        let whole = fs::read_to_string(&file).unwrap();
        assert!(whole.contains(from));
        fs::write(file, whole.replacen(from, to, 1)).unwrap();
    };
    break_record(1, "\"aliases\": [", "\"aliases\": [,");
    break_record(2, "\"summary\": \"", "\"summary\": \"\\u0000");
    break_record(3, "\"modified\": \"2024-05-01T00:00:00Z\"", "\"modified\": \"May\"");
    break_record(4, "\"0.3.0\"", &format!("\"{}\"", "9".repeat(300)));
    break_record(7, "\"New Place\"", "\"cargo\"");
    let report = import(&db, records.path()).await;
    assert_eq!(report.documents, Documents { new: 2, rejected: 5, ..Documents::default() });
    let mut found: Vec<_> = report
        .rejected
        .iter()
        .map(|rejection| {
            let place = rejection.place.strip_prefix(records.path().to_str().unwrap()).unwrap();
            format!("{place} {}", rejection.reason)
        })
        .collect();
    found.sort_unstable();
    assert_eq!(
        found,
        [
            "/EXAMPLE-2024-0001.json:6 is not what was expected: expected value at line 6 column 15",
            "/EXAMPLE-2024-0002.json:7 has a NUL character, which the database can't hold",
            "/EXAMPLE-2024-0003.json modified \"May\" is not an RFC 3339 time: premature end of input",
            "/EXAMPLE-2024-0004.json a version is 300 bytes long, at most 256 are kept",
            "/EXAMPLE-2024-0007.json ecosystem \"cargo\" is unknown; its name is that of \"crates.io\"",
        ]
    );
}

#[tokio::test]
async fn advisories_before_packages_and_after_them_end_in_the_same_links() {
    let advisories_first = TestDb::migrated(Database::Ardb).await;
    import(&advisories_first, &fixture("osv")).await;
    cargo_index(&advisories_first, &fixture("index"), now(), &()).await.unwrap();
    let packages_first = TestDb::migrated(Database::Ardb).await;
    cargo_index(&packages_first, &fixture("index"), now(), &()).await.unwrap();
    import(&packages_first, &fixture("osv")).await;
    let linked = content(&packages_first).await;
    assert_eq!(content(&advisories_first).await, linked);
    let count = linked["affected_packages"].iter().filter(|row| !row.contains("\"package\": null")).count();
    assert_eq!(count, 4);
}

#[tokio::test]
async fn imports_at_the_same_time_are_as_one() {
    let once = TestDb::migrated(Database::Ardb).await;
    import(&once, &fixture("osv")).await;
    let db = TestDb::migrated(Database::Ardb).await;
    let records = fixture("osv");
    let (a, b) = tokio::join!(import(&db, &records), import(&db, &records));
    assert_eq!(rows(&a, "advisories").0 + rows(&b, "advisories").0, 7);
    assert_eq!(content(&db).await, content(&once).await);
}

#[tokio::test]
async fn every_real_record_of_two_ecosystems_is_loaded() {
    let (Some(rust), Some(python)) = (corpus("osv/crates.io.zip"), corpus("osv/PyPI.zip")) else { return };
    let db = TestDb::migrated(Database::Ardb).await;
    for (input, records) in [(&rust, 1_206), (&python, 2_661)] {
        let report = import(&db, input).await;
        assert_eq!(
            (report.documents, report.rejected_total),
            (Documents { new: records, ..Documents::default() }, 0)
        );
    }
    let before = snapshot(&db).await;
    for (input, records) in [(&rust, 1_206), (&python, 2_661)] {
        let report = import(&db, input).await;
        assert_eq!(report.documents, Documents { unchanged: records, ..Documents::default() });
    }
    assert_eq!(snapshot(&db).await, before);
}

#[tokio::test]
async fn severities_are_scored_and_references_kept() {
    let db = TestDb::migrated(Database::Ardb).await;
    let records = tempfile::tempdir().unwrap();
    let file = records.path().join("record.json");
    let mut record = serde_json::json!({
        "id": "EXAMPLE-2024-0300",
        "modified": "2024-05-01T00:00:00Z",
        "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
        "references": [
            {"type": "FIX", "url": "https://example.org/fix"},
            {"type": "WEB", "url": "https://example.org/more"},
        ],
        "affected": [{
            "package": {"ecosystem": "PyPI", "name": "thing"},
            "versions": ["1.0"],
            "severity": [{"type": "Ubuntu", "score": "low"}],
        }],
    });
    fs::write(&file, record.to_string()).unwrap();
    import(&db, records.path()).await;
    let found = "
        select concat_ws(' ', kind, left(vector, 8), score_tenths, rating) as line
        from advisory_severities where deleted_at is null
        union all select concat_ws(' ', kind, url) from advisory_references where deleted_at is null order by 1";
    let (fix, more) = ("FIX https://example.org/fix", "WEB https://example.org/more");
    assert_eq!(lines(&db, found).await, ["CVSS_V3 CVSS:3.1 98 critical", fix, "Ubuntu low low", more]);

    record["modified"] = "2024-05-02T00:00:00Z".into();
    record["severity"] = serde_json::json!([]);
    record["references"].as_array_mut().unwrap().remove(0);
    fs::write(&file, record.to_string()).unwrap();
    import(&db, records.path()).await;
    assert_eq!(lines(&db, found).await, ["Ubuntu low low", more]);
}
