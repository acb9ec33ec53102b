//! Importing PyPI's documents: what becomes of each field, from which document, in any order, again, broken, and what is
//! known to be vulnerable of it.

use std::{fs, path::Path};

use entity_ardb::VersionScheme;
use serde_json::{Value, json};
use service::ardb::{
    advisory,
    import::{Documents, Report, lockfile, osv, pypi},
    inventory::{self, Product},
    version::range::{self, Event},
};

use crate::{
    harness::{Database, TestDb, corpus},
    import_support::{content, fixture, lines, now, rows, snapshot},
};

async fn import(db: &TestDb, input: &Path) -> Report {
    pypi(db, input, now(), &()).await.unwrap()
}

/// Imports documents, each in a file of its own.
async fn import_documents(db: &TestDb, documents: &[&Value]) -> Report {
    let folder = tempfile::tempdir().unwrap();
    for (number, document) in documents.iter().enumerate() {
        fs::write(folder.path().join(format!("{number:03}.json")), document.to_string()).unwrap();
    }
    import(db, folder.path()).await
}

const PACKAGES: &str = "
    select concat_ws('|', p.name, normalized_name, purl, status, description, homepage_url, documentation_url, r.url)
        as line
    from packages p left join repositories r on r.id = p.repository_id
    where p.deleted_at is null order by normalized_name";

const VERSIONS: &str = "
    select concat_ws('|', p.normalized_name, number, sort_key is not null, is_prerelease, is_yanked, yanked_reason,
        left(encode(checksum_sha256, 'hex'), 2), checksums, size_bytes, published_at, 'licence', v.licence,
        l.expression, l.is_spdx, attributes - 'files', (select count(*) from jsonb_object_keys(attributes -> 'files')))
        as line
    from versions v join packages p on p.id = v.package_id left join licences l on l.id = v.licence_id
    where v.deleted_at is null order by p.normalized_name, sort_key";

const DEPENDENCIES: &str = "
    select concat_ws('|', v.number, d.kind, d.is_optional, d.name, d.normalized_name, d.requirement, d.features,
        d.target, d.registry, d.package_id is not null) as line
    from dependencies d join versions v on v.id = d.version_id where d.deleted_at is null order by 1";

#[tokio::test]
async fn a_packages_document_becomes_the_package_and_its_versions() {
    let db = TestDb::migrated(Database::Ardb).await;
    let report = import(&db, &fixture("pypi/some-thing.json")).await;
    assert_eq!((report.documents, report.rejected), (Documents { new: 1, ..Documents::default() }, vec![]));
    assert_eq!(
        lines(&db, PACKAGES).await,
        [
            "Some_Thing|some-thing|pkg:pypi/some-thing|active|Does something|https://thing.example.org|https://docs.thing.example.org|https://github.com/acme/some-thing"
        ]
    );
    assert_eq!(
        lines(&db, VERSIONS).await,
        [
            "some-thing|1.0|t|f|t|Broken on Tuesdays|22|{\"blake2b_256\": \"22\"}|200|2024-01-02 03:04:04+00|licence||{\"requires_python\": \">=3.8\"}|2",
            "some-thing|1.5.dev1|t|t|f|{}|licence||{}|0",
            "some-thing|2.0|t|f|f|33|{}|300|2024-06-01 00:00:00+00|licence|MIT OR Apache-2.0|MIT OR Apache-2.0|t|{\"provides_extra\": [\"fast\"], \"requires_python\": \">=3.9\"}|1",
            "some-thing|two|f|f|f|{}|licence||{}|0",
        ]
    );
    assert_eq!(
        lines(&db, DEPENDENCIES).await,
        [
            "2.0|normal|f|Other.Thing|other-thing|>=1.0,<2|{speed,tls}|||f",
            "2.0|normal|f|colour|colour|>=0.4|{}|sys_platform == 'win32'||f",
            "2.0|normal|f|direct|direct|git+https://git.example.org/direct.git@v1|{}||git|f",
            "2.0|normal|t|accelerator|accelerator|~=1.4|{}|extra == 'fast'||f",
        ]
    );
    let said = "
        select concat_ws(' ', m.kind, m.login) as line
        from maintainers_packages j join maintainers m on m.id = j.maintainer_id
        union all select 'keyword ' || k.name from keywords_packages j join keywords k on k.id = j.keyword_id
        union all select concat_ws(', ', 'category', c.slug, c.name)
            from categories_packages j join categories c on c.id = j.category_id
        union all select concat_ws(' ', kind, locator, revision) from source_documents order by 1";
    assert_eq!(
        lines(&db, said).await,
        [
            "category, Topic :: Software Development :: Libraries, Libraries",
            "keyword some",
            "keyword things",
            "pypi some-thing 2000",
            "team acme",
            "user ada",
        ]
    );
}

#[tokio::test]
async fn the_simple_api_sorts_files_to_versions_and_knows_the_status() {
    let db = TestDb::migrated(Database::Ardb).await;
    let report = import(&db, &fixture("pypi/other-thing.json")).await;
    assert_eq!((report.documents.new, report.rejected), (1, vec![]));
    assert_eq!(lines(&db, PACKAGES).await, ["other-thing|other-thing|pkg:pypi/other-thing|archived|||"]);
    assert_eq!(
        lines(&db, VERSIONS).await,
        [
            "other-thing|1.0|t|f|f|44|{}|400|2023-01-01 00:00:00+00|licence||{\"requires_python\": \">=3.7\"}|1",
            "other-thing|1.0.post1|t|f|t|Wrong metadata|55|{}|500|2023-02-01 00:00:00+00|licence||{}|1",
        ]
    );
}

#[tokio::test]
async fn the_documents_of_a_package_say_the_same_in_every_order() {
    let read = |name: &str| -> Value {
        serde_json::from_slice(&fs::read(fixture("pypi").join(name)).unwrap()).unwrap()
    };
    let (project, version) = (read("some-thing.json"), read("some-thing-1.0.json"));
    let newest = json!({
        "info": {"name": "some.thing", "version": "3.0", "summary": "Will do something", "license": "ISC"},
        "last_serial": 2500, "urls": []
    });
    let simple = json!({
        "meta": {"_last-serial": 2100}, "name": "some-thing", "versions": ["1.0", "2.0", "two"],
        "files": [{"filename": "some_thing-1.0.tar.gz", "hashes": {}, "yanked": "Broken all week"}]
    });
    let mut found = Vec::new();
    let orders: [&[&[&Value]]; 5] = [
        &[&[&project, &version, &newest, &simple]],
        &[&[&simple, &newest, &version, &project]],
        &[&[&project], &[&version], &[&simple], &[&newest]],
        &[&[&project], &[&newest], &[&simple], &[&version]],
        &[&[&version], &[&newest], &[&project], &[&simple]],
    ];
    for order in orders {
        let db = TestDb::migrated(Database::Ardb).await;
        for documents in order {
            assert_eq!(import_documents(&db, documents).await.rejected, []);
        }
        found.push((lines(&db, PACKAGES).await, lines(&db, VERSIONS).await, lines(&db, DEPENDENCIES).await));
    }
    let (packages, versions, dependencies) = &found[0];
    assert_eq!(
        packages[..],
        [
            "Some_Thing|some-thing|pkg:pypi/some-thing|active|Does something|https://thing.example.org|https://docs.thing.example.org|https://github.com/acme/some-thing"
        ]
    );
    // The dependencies and the licence of 1.0 are its own document's, that it is yanked is the newer listing's.
    assert_eq!(
        versions[0],
        "some-thing|1.0|t|f|t|Broken all week|22|{\"blake2b_256\": \"22\"}|200|2024-01-02 03:04:04+00|licence|see LICENCE|see LICENCE|f|{\"provides_extra\": [\"slow\"], \"requires_python\": \">=3.8\"}|0"
    );
    assert_eq!(dependencies[0], "1.0|normal|f|other-thing|other-thing|*|{}|||f");
    for other in &found[1..] {
        assert_eq!((&other.0, &other.2), (packages, dependencies));
        assert_eq!(&other.1, versions);
    }
}

#[tokio::test]
async fn a_version_that_a_listing_no_longer_has_is_gone_and_its_document_is_read_again_when_it_is_back() {
    let db = TestDb::migrated(Database::Ardb).await;
    let listing = |serial: u64, versions: Value| json!({"meta": {"_last-serial": serial}, "name": "a", "versions": versions, "files": []});
    let version = json!({"info": {"name": "a", "version": "1.0", "requires_dist": ["b"]}, "last_serial": 1, "urls": []});
    import_documents(&db, &[&listing(1, json!(["1.0", "2.0"])), &version]).await;
    assert_eq!(lines(&db, DEPENDENCIES).await.len(), 1);
    let report = import_documents(&db, &[&listing(2, json!(["2.0"]))]).await;
    assert_eq!((rows(&report, "versions"), rows(&report, "dependencies")), ((0, 0, 1), (0, 0, 1)));
    // It is older than the listing that took the version away.
    let report = import_documents(&db, &[&version]).await;
    assert_eq!(report.documents, Documents { outdated: 1, ..Documents::default() });
    import_documents(&db, &[&listing(3, json!(["1.0", "2.0"])), &version]).await;
    assert_eq!(lines(&db, DEPENDENCIES).await.len(), 1);
    // An older listing brings nothing back.
    let report = import_documents(&db, &[&listing(2, json!(["2.0", "0.1"]))]).await;
    assert_eq!(report.documents, Documents { outdated: 1, ..Documents::default() });
    assert!(report.changed_nothing());
}

#[tokio::test]
async fn the_second_import_changes_no_row_and_two_at_once_leave_what_one_leaves() {
    let one = TestDb::migrated(Database::Ardb).await;
    assert_eq!(import(&one, &fixture("pypi")).await.documents.new, 3);
    let before = snapshot(&one).await;
    let report = import(&one, &fixture("pypi")).await;
    assert_eq!(report.documents, Documents { unchanged: 3, ..Documents::default() });
    assert!(report.changed_nothing());
    assert_eq!(snapshot(&one).await, before);

    let both = TestDb::migrated(Database::Ardb).await;
    let input = fixture("pypi");
    let (first, second) = tokio::join!(import(&both, &input), import(&both, &input));
    assert_eq!(first.documents.new + second.documents.new, 3);
    assert_eq!(content(&both).await, content(&one).await);
}

#[tokio::test]
async fn many_documents_of_one_packages_versions_are_merged_together() {
    let db = TestDb::migrated(Database::Ardb).await;
    let documents: Vec<Value> = (0..300)
        .map(|minor| {
            let (number, requires) = (format!("1.{minor}"), format!("b>={minor}"));
            json!({"info": {"name": "a", "version": number, "summary": number, "requires_dist": [requires]}, "last_serial": minor, "urls": []})
        })
        .collect();
    let report = import_documents(&db, &documents.iter().collect::<Vec<_>>()).await;
    assert_eq!(report.documents.new, 300);
    assert_eq!(
        (rows(&report, "packages"), rows(&report, "versions"), rows(&report, "dependencies")),
        ((1, 0, 0), (300, 0, 0), (300, 0, 0))
    );
    assert_eq!(lines(&db, "select description as line from packages").await, ["1.299"]);
}

#[tokio::test]
async fn what_is_wrong_in_a_document_is_rejected_with_line_and_path_and_the_rest_is_kept() {
    let db = TestDb::migrated(Database::Ardb).await;
    let folder = tempfile::tempdir().unwrap();
    let text = r#"{
"info": {"name": "thing", "version": "1.0", "summary": 5, "license": {}, "classifiers": "none",
  "keywords": ["a"], "project_urls": [],
  "requires_dist": ["fine", "bad 1.0", 7, "x\u0000"]},
"last_serial": "many",
"ownership": {"roles": [{}, {"user": 5}]},
"releases": {
"1.0": [{"filename": "a.tar.gz", "size": -1, "digests": {"sha256": "x", "md5": "?"}, "upload_time_iso_8601": "now"}, {}, 5],
"2.0": {},
"": [],
"\u0000": []
}}"#;
    fs::write(folder.path().join("thing.json"), text).unwrap();
    let report = import(&db, folder.path()).await;
    let prefix = folder.path().join("thing.json").display().to_string();
    let found: Vec<_> = report
        .rejected
        .iter()
        .map(|one| format!("{} {}", one.place.strip_prefix(&prefix).unwrap(), one.reason))
        .collect();
    assert_eq!(
        found,
        [
            ":5 last_serial: is a text, expected a whole number of at least 0",
            ":8 releases[\"1.0\"][0].size: is -1, expected a whole number of at least 0",
            ":8 releases[\"1.0\"][0].upload_time_iso_8601: the time \"now\" is not an RFC 3339 time: premature end of input",
            ":8 releases[\"1.0\"][0].digests.sha256: \"x\" is no SHA-256",
            ":8 releases[\"1.0\"][0].digests.md5: is no hash in hexadecimal digits",
            ":8 releases[\"1.0\"][1]: has no filename",
            ":8 releases[\"1.0\"][2]: is a number, expected an object",
            ":9 releases[\"2.0\"]: is an object, expected an array",
            ":10 releases[\"\"]: the number is empty",
            ":11 releases[\"\\0\"]: the number has a NUL character, which the database can't hold",
            ":2 info.classifiers: is a text, expected an array",
            ":2 info.license: is an object, expected a text",
            ":4 info.requires_dist[2]: is a number, expected a text",
            ":4 info.requires_dist[3]: has a NUL character, which the database can't hold",
            ":4 info.requires_dist[1]: \"bad 1.0\" expected a comparison such as >=1.0 after the name",
            ":2 info.summary: is a number, expected a text",
            ":3 info.keywords: is an array, expected a text",
            ":3 info.project_urls: is an array, expected an object",
            ":6 ownership.roles[0]: has no user",
            ":6 ownership.roles[1].user: is a number, expected a text",
        ]
    );
    assert_eq!(lines(&db, "select number as line from versions order by 1").await, ["1.0", "2.0"]);
    assert_eq!(lines(&db, DEPENDENCIES).await, ["1.0|normal|f|fine|fine|*|{}|||f"]);
}

#[tokio::test]
async fn what_is_no_document_of_pypis_is_rejected() {
    let db = TestDb::migrated(Database::Ardb).await;
    let long = "x".repeat(1 << 20);
    let bad = [
        json!([]),
        json!({"name": "a"}),
        json!({"info": 5}),
        json!({"info": {"name": "a"}}),
        json!({"info": {"name": long, "version": "1"}}),
        json!({"info": {"name": "a", "version": "\0"}}),
        json!({"files": [], "name": 7}),
    ];
    let report = import_documents(&db, &bad.iter().collect::<Vec<_>>()).await;
    let reasons: Vec<_> = report.rejected.iter().map(|one| one.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "is not what was expected: invalid type: sequence, expected an object at line 1 column 0",
            "is no document of PyPI's: it has neither info nor files",
            "info: is a number, expected an object",
            "is no document of PyPI's: it has no version",
            "name: the text is 1048576 bytes long, at most 65536 are kept",
            "version: has a NUL character, which the database can't hold",
            "name: is a number, expected a text",
        ]
    );
    assert!(report.rejected.iter().all(|one| one.place.ends_with(":1")));
}

#[tokio::test]
async fn versions_match_advisories_as_their_ranges_say_and_what_is_installed_is_held_against_them() {
    let db = TestDb::migrated(Database::Ardb).await;
    import(&db, &fixture("pypi")).await;
    let folder = tempfile::tempdir().unwrap();
    let record = json!({
        "id": "EXAMPLE-2", "modified": "2024-01-01T00:00:00Z", "schema_version": "1.4.0",
        "affected": [{
            "package": {"ecosystem": "PyPI", "name": "some_thing"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "1.5.dev0"}, {"fixed": "2.0.1"}]}],
            "versions": ["two"]
        }]
    });
    fs::write(folder.path().join("record.json"), record.to_string()).unwrap();
    osv(&db, folder.path(), now(), &()).await.unwrap();
    let matches =
        "select v.number as line from advisory_matches m join versions v on v.id = m.version_id order by 1";
    let matched = lines(&db, matches).await;
    assert_eq!(matched, ["1.5.dev1", "2.0", "two"]);
    let events = [("introduced", "1.5.dev0"), ("fixed", "2.0.1")];
    let events: Vec<Event> =
        events.iter().map(|(kind, number)| Event::new(kind, (*number).to_owned()).unwrap()).collect();
    for number in lines(&db, "select number as line from versions v join packages p on p.id = v.package_id where p.name = 'Some_Thing'").await {
        let is_affected = range::affects(VersionScheme::Pep440, &number, std::slice::from_ref(&events), &["two".into()]);
        assert_eq!(is_affected, matched.contains(&number), "{number}");
    }

    let lock = "[[package]]\nname = \"some-thing\"\nversion = \"2.0\"\noptional = false\npython-versions = \"*\"\nfiles = []\n\n[metadata]\nlock-version = \"2.0\"\npython-versions = \"*\"\ncontent-hash = \"00\"\n";
    fs::write(folder.path().join("poetry.lock"), lock).unwrap();
    let product = Product { name: "acme/site", owner: None };
    let report = lockfile(&db, &folder.path().join("poetry.lock"), product, now(), &()).await.unwrap();
    assert_eq!(report.rejected, []);
    let site =
        inventory::by_name(&*db, entity_ardb::InventoryKind::Lockfile, "acme/site").await.unwrap().unwrap();
    let exposure = advisory::exposure(&*db, site.id).await.unwrap();
    let found: Vec<_> =
        exposure.iter().map(|one| (one.name.as_str(), one.number.as_str(), one.fixed.as_slice())).collect();
    assert_eq!(found, [("some-thing", "2.0", &["2.0.1".to_owned()][..])]);
}

#[tokio::test]
async fn the_versions_that_real_advisories_enumerate_are_those_that_match() {
    let Some(corpus) = corpus("osv/PyPI.zip") else { return };
    let db = TestDb::migrated(Database::Ardb).await;
    osv(&db, &corpus, now(), &()).await.unwrap();
    // Every version that an advisory enumerates, as PyPI's simple API would list them.
    let listings = "
        select json_build_object('name', p.normalized_name, 'files', '[]'::json, 'versions', json_agg(distinct v.number))::text
            as line
        from affected_versions v join affected_packages p on p.id = v.affected_package_id
        join ecosystems e on e.id = p.ecosystem_id and e.name = 'pypi'
        group by p.normalized_name";
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("simple.ndjson"), lines(&db, listings).await.join("\n")).unwrap();
    let report = import(&db, folder.path()).await;
    assert_eq!((report.rejected_total, report.documents.rejected), (0, 0), "{report}");
    let unmatched = "
        select concat_ws(' ', p.normalized_name, v.number) as line
        from affected_versions v join affected_packages p on p.id = v.affected_package_id
        join advisories a on a.id = p.advisory_id and a.withdrawn_at is null
        join versions known on known.package_id = p.package_id and known.number = v.number
        where not exists (
            select from advisory_matches m where m.advisory_id = p.advisory_id and m.version_id = known.id)";
    assert_eq!(lines(&db, unmatched).await, [""; 0]);
    let matches = lines(&db, "select count(*)::text as line from advisory_matches").await;
    assert!(matches[0].parse::<u64>().unwrap() > 10_000, "{matches:?}");
}
