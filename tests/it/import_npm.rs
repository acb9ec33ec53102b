//! Importing npm's documents: what becomes of each field, again, changed, older, gone, broken, hostile, and what is known
//! to be vulnerable of it.

use std::{fs, io::Write as _, path::Path};

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use service::ardb::{
    advisory,
    import::{Documents, Report, lockfile, npm, osv},
    inventory::{self, Product},
};

use crate::{
    harness::{Database, TestDb},
    import_support::{changeable, content, fixture, lines, now, rows, snapshot},
};

async fn import(db: &TestDb, input: &Path) -> Report {
    npm(db, input, now(), &()).await.unwrap()
}

/// Imports one document.
async fn import_document(db: &TestDb, document: &Value) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("document.json");
    fs::write(&file, document.to_string()).unwrap();
    import(db, &file).await
}

const PACKAGES: &str = "
    select concat_ws('|', namespace, p.name, normalized_name, purl, status, description, homepage_url, r.url) as line
    from packages p left join repositories r on r.id = p.repository_id
    where p.deleted_at is null order by normalized_name";

const VERSIONS: &str = "
    select concat_ws('|', p.name, number, sort_key is not null, is_prerelease, is_yanked, yanked_reason,
        left(encode(checksum_sha256, 'hex'), 4), left(checksums ->> 'sha512', 4), left(checksums ->> 'sha1', 4),
        published_at, 'licence', v.licence, l.expression, l.is_spdx, attributes) as line
    from versions v join packages p on p.id = v.package_id left join licences l on l.id = v.licence_id
    where v.deleted_at is null order by p.name, sort_key";

const DEPENDENCIES: &str = "
    select concat_ws('|', v.number, d.kind, d.is_optional, d.namespace, d.name, d.alias, d.requirement, d.registry,
        d.package_id is not null) as line
    from dependencies d join versions v on v.id = d.version_id join packages p on p.id = v.package_id
    where d.deleted_at is null order by 1";

#[tokio::test]
async fn a_document_becomes_a_package_with_all_that_is_said_of_it() {
    let db = TestDb::migrated(Database::Ardb).await;
    let report = import(&db, &fixture("npm/rocket.json")).await;
    assert_eq!((report.documents, report.rejected), (Documents { new: 1, ..Documents::default() }, vec![]));
    assert_eq!(
        lines(&db, PACKAGES).await,
        [
            "|rocket|rocket|pkg:npm/rocket|active|Lifts off|https://rocket.example.org|https://github.com/acme/rocket"
        ]
    );
    assert_eq!(
        lines(&db, VERSIONS).await,
        [
            "rocket|1.0.0|t|f|t|Explodes, use 1.1|0001|0001|2024-01-01 00:00:00+00|licence|MIT|MIT|t|{}",
            "rocket|1.1.0|t|f|f|0000|0000|2024-02-02 03:04:05.678+00|licence|(MIT OR Apache-2.0)|(MIT OR Apache-2.0)|t|{\"os\": [\"linux\", \"!win32\"], \"engines\": {\"node\": \">=18\"}, \"dist_tags\": [\"latest\"], \"file_count\": 7, \"has_install_script\": true, \"unpacked_size_bytes\": 12345, \"bundled_dependencies\": [\"pad\"]}",
            "rocket|2.0.0-rc.1|t|t|f|2024-03-03 00:00:00+00|licence|SEE LICENSE IN TERMS|SEE LICENSE IN TERMS|f|{\"dist_tags\": [\"next\"]}",
        ]
    );
    assert_eq!(
        lines(&db, DEPENDENCIES).await,
        [
            "1.0.0|normal|f||fuel||^1.0.0||f",
            "1.1.0|dev|f||tester||>=1 <3||f",
            "1.1.0|normal|f|@acme|fuel||~1.2.0||f",
            "1.1.0|normal|f||any||*||f",
            "1.1.0|normal|f||fuel|old-fuel|^0.9||f",
            "1.1.0|normal|f||pad||acme/pad#v1|git|f",
            "1.1.0|normal|f||stage||workspace:*|workspace|f",
            "1.1.0|normal|t||camera||^3||f",
            "1.1.0|peer|f||planet||1 || 2||f",
            "1.1.0|peer|t||moon||*||f",
        ]
    );
    let said = "
        select concat_ws(' ', m.kind, m.login, m.name) as line
        from maintainers_packages j join maintainers m on m.id = j.maintainer_id
        union all select 'keyword ' || k.name from keywords_packages j join keywords k on k.id = j.keyword_id
        union all select concat_ws(' ', kind, locator, revision) from source_documents order by 1";
    assert_eq!(
        lines(&db, said).await,
        ["keyword lift", "keyword space", "npm rocket 1709510400000", "user ada ", "user grace "]
    );
}

#[tokio::test]
async fn forms_from_before_npm_checked_them_are_read_as_what_they_meant() {
    let db = TestDb::migrated(Database::Ardb).await;
    let report = import(&db, &fixture("npm/old.json")).await;
    assert_eq!(report.rejected, []);
    assert_eq!(
        lines(&db, PACKAGES).await,
        [
            "|Old-Thing|Old-Thing|pkg:npm/Old-Thing|deprecated|Of the latest version|https://old.example.org|https://github.com/acme/old-thing"
        ]
    );
    assert_eq!(
        lines(&db, VERSIONS).await,
        [
            "Old-Thing|0.1.0|t|f|f|2012-01-01 00:00:00+00|licence|MIT OR (GPL-2.0-only OR ISC)|MIT OR (GPL-2.0-only OR ISC)|t|{}",
            "Old-Thing|0.2.0|t|f|t|Use another|licence|BSD-3-Clause|BSD-3-Clause|t|{\"dist_tags\": [\"latest\"], \"bundled_dependencies\": [\"fuel\"]}",
            "Old-Thing|not-semver|f|f|f|licence|ISC|ISC|t|{}",
        ]
    );
    let keywords = "select name as line from keywords order by 1";
    assert_eq!(lines(&db, keywords).await, ["alpha", "beta"]);
}

#[tokio::test]
async fn packages_are_linked_whichever_comes_first_and_addresses_never() {
    let db = TestDb::migrated(Database::Ardb).await;
    import(&db, &fixture("npm/rocket.json")).await;
    import(&db, &fixture("npm/fuel.json")).await;
    let linked = "
        select concat_ws(' ', v.number, p.purl) as line
        from dependencies d join packages p on p.id = d.package_id join versions v on v.id = d.version_id order by 1";
    assert_eq!(lines(&db, linked).await, ["1.1.0 pkg:npm/%40acme/fuel", "1.2.1 pkg:npm/rocket"]);
    // It is a package of the registry now, and what was asked for is one of git all the same.
    import_document(&db, &json!({"name": "pad", "versions": {"1.0.0": {}}})).await;
    assert_eq!(lines(&db, linked).await.len(), 2);
}

#[tokio::test]
async fn the_second_import_changes_no_row_in_whichever_form_the_documents_come() {
    let db = TestDb::migrated(Database::Ardb).await;
    let report = import(&db, &fixture("npm")).await;
    assert_eq!((report.documents.new, report.rejected), (4, vec![]));
    let before = snapshot(&db).await;
    let report = import(&db, &fixture("npm")).await;
    assert_eq!(report.documents, Documents { unchanged: 4, ..Documents::default() });
    assert!(report.changed_nothing());

    // A line each, packed, and as CouchDB lists them.
    let compact = |name: &str| {
        let text = fs::read_to_string(fixture("npm").join(name)).unwrap();
        serde_json::from_str::<Value>(&text.replace("\\u0000", "")).unwrap().to_string()
    };
    let documents = ["fuel.json", "gone.json", "old.json", "rocket.json"].map(compact);
    let folder = tempfile::tempdir().unwrap();
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(documents.join("\n").as_bytes()).unwrap();
    fs::write(folder.path().join("all.ndjson.gz"), packed.finish().unwrap()).unwrap();
    let report = import(&db, &folder.path().join("all.ndjson.gz")).await;
    assert_eq!(report.documents.total(), 4);
    assert_eq!(report.rows.keys().copied().collect::<Vec<_>>(), ["source_documents"]);

    let listed =
        documents.map(|document| format!("{{\"id\":\"x\",\"key\":\"x\",\"value\":{{}},\"doc\":{document}}}"));
    let listing = format!("{{\"total_rows\":4,\"offset\":0,\"rows\":[\n{}\n]}}\n", listed.join(",\n"));
    fs::write(folder.path().join("all.json"), listing).unwrap();
    let report = import(&db, &folder.path().join("all.json")).await;
    assert_eq!(report.documents, Documents { unchanged: 4, ..Documents::default() });
    let after = snapshot(&db).await;
    assert_eq!(
        (&after["packages"], &after["versions"], &after["dependencies"]),
        (&before["packages"], &before["versions"], &before["dependencies"])
    );
}

fn thing(modified: &str, versions: &Value) -> Value {
    json!({"name": "thing", "time": {"modified": modified}, "versions": versions})
}

#[tokio::test]
async fn only_what_changed_is_touched_and_a_version_that_is_gone_comes_back_as_it_was() {
    let db = TestDb::migrated(Database::Ardb).await;
    let two = json!({"1.0.0": {"dependencies": {"a": "1", "b": "1"}}, "2.0.0": {"dependencies": {"a": "2"}}});
    import_document(&db, &thing("2024-01-01T00:00:00Z", &two)).await;
    let before = content(&db).await;

    let mut changed = two.clone();
    changed["1.0.0"]["dependencies"] = json!({"a": "1.1"});
    let report = import_document(&db, &thing("2024-01-02T00:00:00Z", &changed)).await;
    assert_eq!((rows(&report, "dependencies"), rows(&report, "versions")), ((0, 1, 1), (0, 0, 0)));

    let one = json!({"1.0.0": two["1.0.0"]});
    let report = import_document(&db, &thing("2024-01-03T00:00:00Z", &one)).await;
    assert_eq!((rows(&report, "versions"), rows(&report, "dependencies")), ((0, 0, 1), (0, 2, 1)));
    assert_eq!(report.documents.changed, 1);

    let report = import_document(&db, &thing("2024-01-04T00:00:00Z", &two)).await;
    assert_eq!((rows(&report, "versions"), rows(&report, "dependencies")), ((0, 1, 0), (0, 1, 0)));
    let after = content(&db).await;
    assert_eq!((&after["versions"], &after["dependencies"]), (&before["versions"], &before["dependencies"]));
}

#[tokio::test]
async fn an_older_document_changes_nothing() {
    let db = TestDb::migrated(Database::Ardb).await;
    import_document(&db, &thing("2024-01-02T00:00:00Z", &json!({"2.0.0": {}}))).await;
    let before = snapshot(&db).await;
    let report = import_document(&db, &thing("2024-01-01T00:00:00Z", &json!({"1.0.0": {}}))).await;
    assert_eq!(report.documents, Documents { outdated: 1, ..Documents::default() });
    let brief = json!({"name": "thing", "modified": "2024-01-01T00:00:00Z", "versions": {"1.0.0": {}}});
    assert_eq!(import_document(&db, &brief).await.documents.outdated, 1);
    assert_eq!(snapshot(&db).await, before);
}

#[tokio::test]
async fn an_abbreviated_document_leaves_what_it_does_not_say() {
    let db = TestDb::migrated(Database::Ardb).await;
    import(&db, &fixture("npm/rocket.json")).await;
    let before = (lines(&db, PACKAGES).await, lines(&db, VERSIONS).await);
    let brief = json!({
        "name": "rocket", "modified": "2024-03-05T00:00:00.000Z", "dist-tags": {"latest": "2.0.0"},
        "versions": {"1.1.0": {"dist": {}}, "2.0.0": {"dependencies": {"fuel": "^2"}}}
    });
    let report = import_document(&db, &brief).await;
    assert_eq!((report.documents.new, rows(&report, "versions")), (1, (1, 1, 2)));
    assert_eq!(lines(&db, PACKAGES).await, before.0);
    let after = lines(&db, VERSIONS).await;
    // The tag has moved on; licence, time and checksums have stayed.
    assert_eq!(after[0], before.1[1].replace("\"dist_tags\": [\"latest\"], ", ""));
    assert_eq!(after[1], "rocket|2.0.0|t|f|f|licence||{\"dist_tags\": [\"latest\"]}");
    let maintainers =
        "select login as line from maintainers_packages j join maintainers m on m.id = j.maintainer_id
                       where j.deleted_at is null order by 1";
    assert_eq!(lines(&db, maintainers).await, ["ada", "grace"]);
}

#[tokio::test]
async fn an_unpublished_or_deleted_package_is_removed_and_its_versions_are_gone() {
    let db = TestDb::migrated(Database::Ardb).await;
    let status = "select concat_ws(' ', p.name, status, count(v.id)) as line
                  from packages p left join versions v on v.package_id = p.id and v.deleted_at is null
                  group by p.id order by 1";
    let published = json!({"name": "gone", "time": {"modified": "2020-01-01T00:00:00Z"}, "versions": {"1.0.0": {"dependencies": {"a": "1"}}}});
    import_document(&db, &published).await;
    assert_eq!(lines(&db, status).await, ["gone active 1"]);
    let report = import(&db, &fixture("npm/gone.json")).await;
    assert_eq!((rows(&report, "versions"), rows(&report, "dependencies")), ((0, 0, 1), (0, 0, 1)));
    assert_eq!(lines(&db, status).await, ["gone removed 0"]);

    import_document(&db, &json!({"name": "other", "versions": {"1.0.0": {}}})).await;
    let row = json!({"seq": 7, "id": "other", "changes": [{"rev": "2-0"}], "deleted": true, "doc": {"_id": "other", "_deleted": true}});
    let report = import_document(&db, &row).await;
    assert_eq!(report.rejected, []);
    assert_eq!(lines(&db, status).await, ["gone removed 0", "other removed 0"]);
    import_document(&db, &json!({"name": "other", "versions": {"1.0.0": {}}})).await;
    assert_eq!(lines(&db, status).await, ["gone removed 0", "other active 1"]);
}

#[tokio::test]
async fn what_is_wrong_in_a_document_is_rejected_with_line_and_path_and_the_rest_is_kept() {
    let db = TestDb::migrated(Database::Ardb).await;
    let folder = tempfile::tempdir().unwrap();
    let text = r#"{
"name": "thing",
"description": 7,
"homepage": {"url": ["x"]},
"keywords": ["fine", 3, "bad\u0000"],
"maintainers": [{"email": "a@example.org"}, "ada"],
"repository": 5,
"time": {"modified": "soon", "1.0.0": 5},
"dist-tags": {"latest": {}},
"versions": {
"1.0.0": {"license": 7, "dist": {"shasum": "no", "integrity": "sha512-AA==", "fileCount": -1},
  "dependencies": {"fine": "1", "number": 1, "": "1", "a/b": "1", "npm": "npm:"},
  "devDependencies": "none", "peerDependencies": {"x": "\u0000"}, "deprecated": {}},
"2.0.0": "no manifest",
"3.0.0": {"name": "thing", "name": "twice", "version": 3, "license": "Nope", "license": "MIT"},
"": {},
"\u0000": {}
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
            ":8 time.modified: the time \"soon\" is not an RFC 3339 time: premature end of input",
            ":9 dist-tags.latest: is an object, expected a text",
            ":13 versions[\"1.0.0\"].deprecated: is an object, expected a text",
            ":8 time[\"1.0.0\"]: is a number, expected a text",
            ":11 versions[\"1.0.0\"].license: is a number, expected a text",
            ":11 versions[\"1.0.0\"].dist.shasum: \"no\" is no SHA-1",
            ":11 versions[\"1.0.0\"].dist.integrity: \"sha512-AA==\" is no sha512- and its hash in Base64",
            ":11 versions[\"1.0.0\"].dist.fileCount: is -1, expected a whole number of at least 0",
            ":13 versions[\"1.0.0\"].devDependencies: is a text, expected an object",
            ":12 versions[\"1.0.0\"].dependencies.number: is a number, expected a text",
            ":12 versions[\"1.0.0\"].dependencies[\"\"]: the name is empty",
            ":12 versions[\"1.0.0\"].dependencies[\"a/b\"]: \"a/b\" is neither a name nor @scope/name",
            ":12 versions[\"1.0.0\"].dependencies.npm: \"npm:\" names no package",
            ":13 versions[\"1.0.0\"].peerDependencies.x: has a NUL character, which the database can't hold",
            ":14 versions[\"2.0.0\"]: is a text, expected an object",
            ":16 versions[\"\"]: the number is empty",
            ":17 versions[\"\\0\"]: the number has a NUL character, which the database can't hold",
            ":3 description: is a number, expected a text",
            ":4 homepage.url: is an array, expected a text",
            ":7 repository: is a number, expected a text",
            ":5 keywords[1]: is a number, expected a text",
            ":5 keywords[2]: has a NUL character, which the database can't hold",
            ":6 maintainers[0]: has no name",
        ]
    );
}

#[tokio::test]
async fn what_is_no_document_of_npms_is_rejected_and_the_lines_after_it_are_read() {
    let db = TestDb::migrated(Database::Ardb).await;
    let folder = tempfile::tempdir().unwrap();
    let good = json!({"name": "good", "versions": {"1.0.0": {}}}).to_string();
    let better = good.replace("good", "better");
    let lines_of_it = [
        good.as_str(),
        "{\"name\": \"broken\", \"versions\":",
        "[]",
        "{\"versions\": {}}",
        "{\"name\": 5, \"versions\": {}}",
        "{\"name\": \"a/b\", \"versions\": {}}",
        "{\"name\": \"nothing\"}",
        "{\"name\": \"array\", \"versions\": []}",
        "{\"id\": \"row\", \"changes\": []}",
        "{\"_id\": \"_design/app\"}",
        better.as_str(),
    ]
    .join("\n");
    fs::write(folder.path().join("all.jsonl"), lines_of_it).unwrap();
    fs::write(folder.path().join("notes.txt"), "not for this import").unwrap();
    let report = import(&db, folder.path()).await;
    let prefix = folder.path().join("all.jsonl").display().to_string();
    let found: Vec<_> = report
        .rejected
        .iter()
        .map(|one| format!("{} {}", one.place.strip_prefix(&prefix).unwrap(), one.reason))
        .collect();
    assert_eq!(
        found,
        [
            ":2 is not what was expected: EOF while parsing a value at line 1 column 30",
            ":3 is not what was expected: invalid type: sequence, expected an object at line 1 column 0",
            ":4 is no document of npm's: it has no name",
            ":5 name: is a number, expected a text",
            ":9 is a row without its document; list them with include_docs=true",
            ":6 name: \"a/b\" is neither a name nor @scope/name",
            ":7 has neither versions nor time.unpublished, so is no document of a package",
            ":8 versions: is an array, expected an object",
        ]
    );
    assert_eq!((report.documents.new, report.documents.rejected), (2, 8));
    assert_eq!(lines(&db, "select name as line from packages order by 1").await, ["better", "good"]);
    assert_eq!(lines(&db, "select reason as line from import_errors").await.len(), 8);
}

#[tokio::test]
async fn hostile_documents_cost_themselves_only() {
    let db = TestDb::migrated(Database::Ardb).await;
    let long = "x".repeat(1 << 20);
    let hostile = json!({
        "name": "hostile", "description": long, "keywords": [long], "maintainers": [{"name": long}],
        "dist-tags": {&long: "1.0.0", "latest": "1.0.0"},
        "versions": {
            &long: {},
            "1.0.0": {"license": long, "dependencies": {&long: "1", "a": long, "b": "^1"}, "engines": {&long: "1"}},
            "9999999999999999999999.0.0": {"deprecated": long},
        }
    });
    let report = import_document(&db, &hostile).await;
    assert_eq!(report.documents.new, 1);
    assert!(report.rejected.iter().all(|one| one.reason.len() < 500), "{report}");
    let kept = "select concat_ws(' ', number, sort_key is not null, is_yanked, licence) as line from versions order by 1";
    assert_eq!(lines(&db, kept).await, ["1.0.0 t f ", "9999999999999999999999.0.0 t t "]);
    assert_eq!(lines(&db, "select name as line from dependencies").await, ["b"]);

    let deep =
        format!("{{\"name\": \"deep\", \"x\": {}, \"versions\": {{\"1.0.0\": {{}}}}}}", "[".repeat(100_000));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("deep.json"), &deep).unwrap();
    fs::write(folder.path().join("latin.json"), b"{\"name\": \"\xe9\", \"versions\": {}}").unwrap();
    let report = import(&db, folder.path()).await;
    assert_eq!((report.documents.rejected, report.rejected.len()), (2, 2));
}

#[tokio::test]
async fn a_rejected_version_keeps_the_rows_it_had_and_is_read_again_next_time() {
    let db = TestDb::migrated(Database::Ardb).await;
    let two = json!({"1.0.0": {"dependencies": {"a": "1"}}, "2.0.0": {}});
    import_document(&db, &thing("2024-01-01T00:00:00Z", &two)).await;
    let broken = thing("2024-01-02T00:00:00Z", &json!({"1.0.0": {"dependencies": {"a": 1}}, "3.0.0": 5}));
    let report = import_document(&db, &broken).await;
    assert_eq!(report.rejected_total, 2);
    assert_eq!((rows(&report, "versions"), rows(&report, "dependencies")), ((0, 0, 0), (0, 0, 0)));
    let report = import_document(&db, &broken).await;
    assert_eq!((report.documents.unchanged, report.rejected_total), (1, 2));
}

#[tokio::test]
async fn two_imports_at_once_leave_what_one_leaves() {
    let one = TestDb::migrated(Database::Ardb).await;
    import(&one, &fixture("npm")).await;
    let both = TestDb::migrated(Database::Ardb).await;
    let input = fixture("npm");
    let (first, second) = tokio::join!(import(&both, &input), import(&both, &input));
    assert_eq!(first.documents.new + second.documents.new, 4);
    assert_eq!(content(&both).await, content(&one).await);
}

#[tokio::test]
async fn what_is_installed_is_held_against_advisories() {
    let db = TestDb::migrated(Database::Ardb).await;
    let folder = tempfile::tempdir().unwrap();
    let record = json!({
        "id": "EXAMPLE-1", "modified": "2024-01-01T00:00:00Z", "schema_version": "1.4.0",
        "affected": [{
            "package": {"ecosystem": "npm", "name": "@acme/fuel"},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "1.2.1"}]}]
        }, {
            "package": {"ecosystem": "npm", "name": "rocket"},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "1.1.0"}]}]
        }]
    });
    fs::write(folder.path().join("record.json"), record.to_string()).unwrap();
    osv(&db, folder.path(), now(), &()).await.unwrap();
    import(&db, &fixture("npm")).await;
    let matches = "select concat_ws(' ', p.name, v.number, m.fixed) as line
                   from advisory_matches m join versions v on v.id = m.version_id join packages p on p.id = v.package_id
                   order by 1";
    assert_eq!(lines(&db, matches).await, ["fuel 1.2.0 1.2.1", "rocket 1.1.0", "rocket 2.0.0-rc.1"]);

    let lock = json!({
        "name": "site", "lockfileVersion": 3,
        "packages": {
            "": {"name": "site"},
            "node_modules/@acme/fuel": {"version": "1.2.0"},
            "node_modules/rocket": {"version": "1.0.0"}
        }
    });
    fs::write(folder.path().join("package-lock.json"), lock.to_string()).unwrap();
    let product = Product { name: "acme/site", owner: None };
    lockfile(&db, &folder.path().join("package-lock.json"), product, now(), &()).await.unwrap();
    let site =
        inventory::by_name(&*db, entity_ardb::InventoryKind::Lockfile, "acme/site").await.unwrap().unwrap();
    let exposure = advisory::exposure(&*db, site.id).await.unwrap();
    let found: Vec<_> = exposure
        .iter()
        .map(|one| (one.namespace.as_str(), one.name.as_str(), one.fixed.as_slice()))
        .collect();
    assert_eq!(found, [("@acme", "fuel", &["1.2.1".to_owned()][..])]);
}

#[tokio::test]
async fn a_document_that_an_input_lacks_deletes_nothing() {
    let folder = changeable("npm");
    fs::remove_file(folder.path().join("old.json")).unwrap();
    let db = TestDb::migrated(Database::Ardb).await;
    import(&db, folder.path()).await;
    // What an input does not have, it says nothing of.
    fs::remove_file(folder.path().join("rocket.json")).unwrap();
    let report = import(&db, folder.path()).await;
    assert_eq!(report.documents, Documents { unchanged: 2, ..Documents::default() });
    assert!(report.changed_nothing());
}
