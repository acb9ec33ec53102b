//! What packages are asked: by URL, in pages, over dependents, by change; and how many statements each takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use entity_ardb::{InventoryId, PackageId};
use sea_orm::{ConnectionTrait, DatabaseConnection, TransactionTrait};
use service::ardb::{
    advisory,
    changes::{self, Position},
    dependency, dependent,
    import::{cargo_index, crates_io_dump, osv},
    inventory, package,
    search::{self, Search},
    version,
};
use service::purl::Purl;

use crate::harness::{Database, Ran, TestDb, archer, deadline, run};
use crate::import_support::{execute, fixture, lines, now};

async fn imported() -> TestDb {
    let db = TestDb::migrated(Database::Ardb).await;
    cargo_index(&db, &fixture("index"), now(), &()).await.unwrap();
    osv(&db, &fixture("osv"), now(), &()).await.unwrap();
    db
}

/// Packages `p1` to `p<count>`, of one version each, each depending on the one before, and the first on the last.
async fn circle(db: &DatabaseConnection, count: usize) {
    execute(
        db,
        &format!(
            r"insert into packages (ecosystem_id, name, normalized_name)
              select 1, 'p' || n, 'p' || n from generate_series(1, {count}) n order by n;
              insert into versions (package_id, number, sort_key)
              select id, '1.0.0', '\x01' from packages order by id;
              insert into dependencies (version_id, package_id, name, normalized_name, requirement, kind)
              select version.id, other.id, other.name, other.name, '1', 'normal'
              from versions version
              join packages other on other.id = case version.package_id when 1 then {count} else version.package_id - 1 end;
              update package_search_entries set popularity = 1"
        ),
    )
    .await;
}

fn purl(text: &str) -> Purl {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_package_is_found_by_its_url_in_every_spelling() {
    let db = imported().await;
    for spelling in ["pkg:cargo/beta_two", "pkg:cargo/Beta-Two@1.0.1", "PKG:Cargo/beta_two"] {
        let found = package::by_purl(&*db, &purl(spelling)).await.unwrap();
        assert_eq!(found.map(|package| package.name).as_deref(), Some("beta_two"), "{spelling}");
    }
    assert_eq!(package::by_purl(&*db, &purl("pkg:npm/beta_two")).await.unwrap(), None);
    execute(
        &db,
        "insert into packages (ecosystem_id, namespace, name, normalized_name) values (2, '@babel', 'core', 'core')",
    )
    .await;
    let found = package::by_purl(&*db, &purl("pkg:npm/%40babel/core")).await.unwrap().unwrap();
    assert_eq!((found.namespace.as_str(), found.name.as_str()), ("@babel", "core"));
}

#[tokio::test]
async fn pages_of_versions_are_the_list_of_versions_also_where_keys_are_equal_or_missing() {
    let db = TestDb::migrated(Database::Ardb).await;
    execute(
        &db,
        r"insert into packages (ecosystem_id, name, normalized_name) values (1, 'a', 'a');
          insert into versions (package_id, number, sort_key)
          select 1, 'v' || n, case when n % 3 = 0 then null else decode(lpad(to_hex(n / 4), 4, '0'), 'hex') end
          from generate_series(1, 30) n",
    )
    .await;
    let all = version::newest(&*db, PackageId(1), 100).await.unwrap();
    assert_eq!(all.len(), 30);
    let mut paged = version::newest(&*db, PackageId(1), 4).await.unwrap();
    while let Some(last) = paged.last().cloned() {
        let next = version::after(&*db, PackageId(1), &last, 4).await.unwrap();
        if next.is_empty() {
            break;
        }
        paged.extend(next);
    }
    assert_eq!(paged, all);
}

#[tokio::test]
async fn the_newest_versions_are_those_that_are_not_yanked() {
    let db = imported().await;
    let alpha = package::by_name(&*db, "cargo", "alpha").await.unwrap().unwrap();
    execute(&db, "update versions set is_yanked = true where number = '0.10.0'").await;
    let latest = version::latest(&*db, alpha.id).await.unwrap();
    let number = |version: Option<entity_ardb::version::Model>| version.map(|version| version.number);
    assert_eq!(
        (number(latest.newest).as_deref(), number(latest.newest_stable).as_deref(), latest.versions_count),
        (Some("0.1.0"), Some("0.1.0"), 3)
    );
    assert_eq!(version::latest(&*db, PackageId(-1)).await.unwrap(), version::Latest::default());
}

#[tokio::test]
async fn the_version_that_its_registry_shows_by_default_comes_before_the_newest() {
    let db = TestDb::migrated(Database::Ardb).await;
    crates_io_dump(&db, &fixture("crates-io-dump"), now(), &()).await.unwrap();
    execute(&db, "update versions set is_yanked = false").await;
    let alpha = package::by_name(&*db, "cargo", "alpha").await.unwrap().unwrap().id;
    let number =
        |version: Option<&entity_ardb::version::Model>| version.map(|version| version.number.clone());
    let latest = version::latest(&*db, alpha).await.unwrap();
    assert_eq!(number(latest.newest_stable.as_ref()).as_deref(), Some("0.10.0"));
    assert_eq!(number(latest.default.as_ref()).as_deref(), Some("0.1.0"));
    assert_eq!(number(latest.shown()).as_deref(), Some("0.1.0"));
    assert_eq!(package::downloads(&*db, alpha).await.unwrap(), Some(1234));
    assert_eq!(package::downloads(&*db, PackageId(-1)).await.unwrap(), None);
    let shown = ask(&db, &["package", "show", "pkg:cargo/alpha"]).await.stdout;
    assert!(shown.contains("newest stable 0.10.0, default 0.1.0, 1,234 downloads"), "{shown}");
    assert!(shown.contains("\n\n0.1.0 of 2024-01-02"), "{shown}");

    execute(&db, "update versions set deleted_at = now() where number = '0.1.0'").await;
    let latest = version::latest(&*db, alpha).await.unwrap();
    assert_eq!((latest.default.as_ref(), number(latest.shown()).as_deref()), (None, Some("0.10.0")));
}

#[tokio::test]
async fn what_a_slow_transaction_commits_late_is_not_skipped() {
    let db = TestDb::migrated(Database::Ardb).await;
    execute(&db, "insert into packages (ecosystem_id, name, normalized_name) values (1, 'before', 'before')")
        .await;
    let slow = db.begin().await.unwrap();
    slow.execute_unprepared("select 1").await.unwrap();
    execute(&db, "insert into packages (ecosystem_id, name, normalized_name) values (1, 'quick', 'quick')")
        .await;
    let mut seen = Vec::new();
    let mut read = async |mut position| {
        loop {
            let page = changes::packages(&*db, position, 1).await.unwrap();
            seen.extend(page.rows.into_iter().map(|package| package.name));
            position = page.next;
            if page.is_last {
                return (position, seen.clone());
            }
        }
    };
    let (position, names) = read(Position::START).await;
    assert!(!names.contains(&"quick".to_owned()), "{names:?}");
    let late = "insert into packages (ecosystem_id, name, normalized_name) values (1, 'slow', 'slow')";
    slow.execute_unprepared(late).await.unwrap();
    slow.commit().await.unwrap();
    let mut position = position;
    let names = deadline(Duration::from_secs(20), "all three are seen", async || {
        let names;
        (position, names) = read(position).await;
        (names.len() >= 3).then_some(names)
    })
    .await;
    assert_eq!(names, ["before", "slow", "quick"]);
    execute(&db, "update packages set deleted_at = now() where name = 'before'").await;
    deadline(Duration::from_secs(20), "a deletion is a change", async || {
        let names;
        (position, names) = read(position).await;
        (names.len() == 4 && names[3] == "before").then_some(())
    })
    .await;
}

/// How many statements `work` runs on a connection like `db`.
async fn statements(db: &TestDb, work: impl AsyncFnOnce(&DatabaseConnection)) -> usize {
    let count = Arc::new(AtomicUsize::new(0));
    let mut counted = db.connection().clone();
    let counter = Arc::clone(&count);
    counted.set_metric_callback(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    work(&counted).await;
    count.load(Ordering::SeqCst)
}

/// For each package of a circle an advisory about it, and it in an inventory.
async fn advisories_and_an_inventory(db: &DatabaseConnection) {
    execute(
        db,
        r"insert into source_documents (kind, locator, sha256, size_bytes, imported_at)
          values ('lockfile', 'x', sha256('x'), 1, now());
          insert into advisories (identifier, modified_at, source_document_id)
          select 'EXAMPLE-' || id, now(), 1 from packages;
          insert into affected_packages (advisory_id, ecosystem_id, package_id, name, normalized_name)
          select advisory.id, 1, package.id, package.name, package.name
          from advisories advisory join packages package on advisory.identifier = 'EXAMPLE-' || package.id;
          insert into affected_ranges (affected_package_id, position, kind, events)
          select id, 0, 'semver', '[]' from affected_packages;
          insert into affected_intervals (affected_range_id, position, introduced, lower_key)
          select id, 0, '0', '' from affected_ranges;
          insert into inventories (kind, name, source_document_id) values ('lockfile', 'x', 1);
          insert into inventory_components (inventory_id, ecosystem_id, name, normalized_name, number, sort_key, source)
          select 1, 1, name, name, '1.0.0', '\x01', 'registry+https://github.com/rust-lang/crates.io-index' from packages",
    )
    .await;
}

#[tokio::test]
async fn each_read_takes_a_constant_number_of_statements() {
    let mut counts = Vec::new();
    for size in [3, 60] {
        let db = TestDb::migrated(Database::Ardb).await;
        circle(&db, size).await;
        advisories_and_an_inventory(&db).await;
        let of_size = statements(&db, async |db| {
            let found = package::by_purl(db, &purl("pkg:cargo/p1")).await.unwrap().unwrap();
            package::by_name(db, "cargo", "p1").await.unwrap();
            package::published_names(db, &[found.id]).await.unwrap();
            package::count(db, "cargo").await.unwrap();
            package::downloads(db, found.id).await.unwrap();
            let newest = version::newest(db, found.id, 100).await.unwrap();
            version::in_order(db, found.id).await.unwrap();
            version::after(db, found.id, &newest[0], 100).await.unwrap();
            version::by_number(db, found.id, "1.0.0").await.unwrap();
            version::latest(db, found.id).await.unwrap();
            dependency::of_version(db, newest[0].id).await.unwrap();
            dependent::nearest(db, found.id, 16, None, 100).await.unwrap();
            advisory::of_version(db, newest[0].id).await.unwrap();
            advisory::of_package(db, found.id).await.unwrap();
            assert_eq!(advisory::affecting(db, found.id, "1.0.0").await.unwrap().len(), 1);
            assert_eq!(advisory::exposure(db, InventoryId(1)).await.unwrap().len(), size);
            search::packages(db, &Search { text: "p1", ..Search::default() }, 100).await.unwrap();
            inventory::all(db).await.unwrap();
            inventory::named(db, "x").await.unwrap();
            inventory::components(db, InventoryId(1)).await.unwrap();
            changes::packages(db, Position::START, 100).await.unwrap();
            changes::versions(db, Position::START, 100).await.unwrap();
            changes::advisories(db, Position::START, 100).await.unwrap();
        });
        counts.push(of_size.await);
    }
    assert_eq!(counts, [30, 30]);
}

async fn ask(db: &TestDb, words: &[&str]) -> Ran {
    let mut command = archer(words);
    command.env("ARDB_URL", db.url());
    run(command).await
}

#[tokio::test]
async fn the_commands_show_a_package_its_versions_dependents_and_advisories() {
    let db = imported().await;
    for (words, expected) in [
        (
            vec!["package", "show", "pkg:cargo/alpha"],
            vec!["alpha: 3 versions, newest 0.10.0", "EXAMPLE-2024-0001"],
        ),
        (vec!["package", "show", "pkg:cargo/alpha@0.1.0"], vec!["0.1.0", "0.2.0"]),
        (vec!["package", "versions", "pkg:cargo/alpha"], vec!["0.10.0", "0.2.0-rc.1", "prerelease"]),
        (vec!["package", "advisories", "pkg:cargo/alpha"], vec!["EXAMPLE-2024-0001", "also the newest"]),
        (vec!["package", "advisories", "pkg:cargo/alpha@0.1.0"], vec!["EXAMPLE-2024-0001", "0.2.0"]),
        (vec!["package", "dependents", "pkg:cargo/beta_two", "--depth", "2"], vec!["alpha"]),
        (vec!["search", "alpa"], vec!["pkg:cargo/alpha"]),
    ] {
        let ran = ask(&db, &words).await;
        assert_eq!(ran.code, 0, "{ran:?}");
        for expected in expected {
            assert!(ran.stdout.contains(expected), "{words:?}: {}", ran.stdout);
        }
        let json = ask(&db, &[words.as_slice(), &["--json"]].concat()).await;
        assert!(serde_json::from_str::<serde_json::Value>(&json.stdout).is_ok(), "{json:?}");
    }
    assert_eq!(ask(&db, &["search", "qqqqqqq"]).await.code, 3);
}

#[tokio::test]
async fn what_is_not_there_is_refused_with_what_is_near() {
    let db = imported().await;
    for (words, expected) in [
        (vec!["package", "show", "pkg:cargo/alpa"], "near it: pkg:cargo/alpha"),
        (vec!["package", "versions", "pkg:cargo/qqqq"], "nor one with a name like it"),
        (vec!["search", "alpha", "--ecosystem", "npm"], "there is no package of npm here, only of cargo"),
        (vec!["package", "show", "pkg:cargo/alpha@9"], "alpha has no version 9 here; its newest: 0.10.0"),
        (vec!["inventory", "exposure", "acme/rocket"], "there is no inventory \"acme/rocket\""),
    ] {
        let ran = ask(&db, &words).await;
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.stderr.contains(expected), "{words:?}: {}", ran.stderr);
    }
    let ran = ask(&db, &["package", "show", "alpha"]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("a package URL is such as pkg:cargo/serde"), "{}", ran.stderr);
    assert_eq!(ask(&db, &["search", "alpha", "--ecosystem", "crates.io"]).await.code, 0);
    let narrowed = ask(&db, &["search", "alpha", "--licence", "MIT"]).await;
    assert_eq!(narrowed.code, 3, "{narrowed:?}");
    assert!(narrowed.stdout.contains("with licence MIT; cargo's index"), "{}", narrowed.stdout);
}

#[tokio::test]
async fn advisories_about_a_package_that_is_not_here_are_listed_by_its_name() {
    let db = imported().await;
    let alpha = package::by_name(&*db, "cargo", "alpha").await.unwrap().unwrap().id;
    let of_package = advisory::of_package(&*db, alpha).await.unwrap();
    assert_eq!(advisory::of_purl(&*db, &purl("pkg:cargo/Alpha@1")).await.unwrap(), of_package);
    execute(
        &db,
        "insert into affected_packages (advisory_id, ecosystem_id, name, normalized_name)
         select advisory.id, ecosystem.id, 'Rocket', 'rocket'
         from advisories advisory, ecosystems ecosystem
         where advisory.identifier = 'EXAMPLE-2024-0001' and ecosystem.name = 'pypi'",
    )
    .await;
    let ran = ask(&db, &["package", "advisories", "pkg:pypi/rocket"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("EXAMPLE-2024-0001"), "{}", ran.stdout);
    let ran = ask(&db, &["package", "advisories", "pkg:pypi/rocket@1.0"]).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("no version of rocket is here; without @1.0"), "{}", ran.stderr);
}

#[tokio::test]
async fn fixes_are_listed_in_the_order_of_versions() {
    let db = imported().await;
    execute(
        &db,
        r"insert into affected_intervals (affected_range_id, position, introduced, fixed, lower_key, upper_key)
          select ranged.id, 90 + n, '9.0.' || n, '9.0.' || n + 1, decode('ff0' || n - 1, 'hex'), decode('ff0' || n, 'hex')
          from (select min(id) as id from affected_ranges) ranged, generate_series(1, 9, 4) n",
    )
    .await;
    let of = "select affected.package_id::text as line from affected_packages affected
              where id = (select affected_package_id from affected_ranges order by id limit 1)";
    let package = PackageId(lines(&db, of).await[0].parse().unwrap());
    let about = advisory::of_package(&*db, package).await.unwrap();
    let fixed = about.iter().flat_map(|about| &about.fixed).filter(|number| number.starts_with("9.0."));
    assert_eq!(fixed.collect::<Vec<_>>(), ["9.0.2", "9.0.6", "9.0.10"]);
}

#[tokio::test]
async fn the_commands_list_inventories_and_what_is_known_against_them() {
    let db = imported().await;
    assert!(ask(&db, &["inventory", "list"]).await.stdout.contains("there is no inventory yet"));
    let lockfile = fixture("lockfile/Cargo.lock");
    let import = ["import", "lockfile", lockfile.to_str().unwrap(), "--name", "acme/rocket"];
    assert_eq!(ask(&db, &import).await.code, 0);
    assert!(ask(&db, &["inventory", "list"]).await.stdout.contains("acme/rocket"));
    let ran = ask(&db, &["inventory", "exposure", "acme/rocket"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    for expected in ["3 findings", "EXAMPLE-2024-0001", "0.11.0", "no fix"] {
        assert!(ran.stdout.contains(expected), "{}", ran.stdout);
    }
    let ran = ask(&db, &["inventory", "exposure", "acme/rocket", "--json"]).await;
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(json["inventories"][0]["exposure"].as_array().unwrap().len(), 3);
}
