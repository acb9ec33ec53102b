//! What the packages, versions, advisories and inventories of ardb answer.

use std::collections::BTreeSet;

use entity_ardb::{InventoryKind, PackageId};
use service::ardb::{
    advisory, derived,
    import::{cargo_index, crates_io_dump, lockfile, npm, osv, pypi},
    inventory, package, summary, version,
};
use service::purl::Purl;

use crate::{
    harness::{Database, TestDb},
    import_support::{execute, fixture, lines, now},
};

async fn imported() -> TestDb {
    let db = TestDb::migrated(Database::Ardb).await;
    cargo_index(&db, &fixture("index"), now(), &()).await.unwrap();
    osv(&db, &fixture("osv"), now(), &()).await.unwrap();
    lockfile(&db, &fixture("lockfile"), "product", now(), &()).await.unwrap();
    db
}

async fn package_id(db: &TestDb, name: &str) -> PackageId {
    package::by_name(db.connection(), "cargo", name).await.unwrap().unwrap().id
}

#[tokio::test]
async fn a_package_is_found_in_every_spelling_and_only_while_it_is_live() {
    let db = imported().await;
    assert_eq!(package_id(&db, "beta_two").await, package_id(&db, "Beta-Two").await);
    assert_eq!(package::by_name(db.connection(), "npm", "alpha").await.unwrap(), None);
    assert_eq!(package::count(db.connection(), "cargo").await.unwrap(), 3);
    execute(&db, "update packages set deleted_at = now() where name = 'alpha'").await;
    assert_eq!(package::by_name(db.connection(), "cargo", "alpha").await.unwrap(), None);
    assert_eq!(package::count(db.connection(), "cargo").await.unwrap(), 2);
}

#[tokio::test]
async fn every_importer_gives_a_package_the_package_url_that_finds_it() {
    let purls = "select coalesce(purl, 'none for ' || name) as line from packages order by id";
    let mut of_crates = Vec::new();
    for importer in ["cargo-index", "crates-io-dump", "npm", "pypi"] {
        let db = TestDb::migrated(Database::Ardb).await;
        let imported = match importer {
            "cargo-index" => cargo_index(&db, &fixture("index"), now(), &()).await,
            "crates-io-dump" => crates_io_dump(&db, &fixture("crates-io-dump"), now(), &()).await,
            "npm" => npm(&db, &fixture("npm"), now(), &()).await,
            _ => pypi(&db, &fixture("pypi"), now(), &()).await,
        };
        imported.unwrap();
        let found = lines(&db, purls).await;
        assert!(found.len() > 1, "{importer}");
        for text in &found {
            let purl: Purl = text.parse().unwrap_or_else(|error| panic!("{importer}: {text}: {error}"));
            assert_eq!(&purl.to_string(), text, "{importer}");
            let package = package::by_purl(&*db, &purl).await.unwrap();
            assert_eq!(package.and_then(|package| package.purl).as_ref(), Some(text), "{importer}");
        }
        of_crates.extend(found.into_iter().filter(|purl| purl == "pkg:cargo/beta_two"));
    }
    assert_eq!(of_crates.len(), 2, "the index and the dump call it the same");
}

#[tokio::test]
async fn the_next_import_of_an_index_fills_package_urls_that_an_older_release_left_out() {
    let db = imported().await;
    execute(
        &db,
        "update packages set purl = null;
         update source_documents set sha256 = sha256('as an older release hashed it') where kind = 'cargo-index'",
    )
    .await;
    cargo_index(&db, &fixture("index"), now(), &()).await.unwrap();
    assert_eq!(
        lines(&db, "select purl as line from packages order by 1").await,
        ["pkg:cargo/alpha", "pkg:cargo/beta_two", "pkg:cargo/gam"]
    );
}

#[tokio::test]
async fn versions_come_in_the_ecosystems_order_and_not_in_the_alphabets() {
    let db = imported().await;
    let alpha = package_id(&db, "alpha").await;
    let numbers =
        |versions: Vec<entity_ardb::version::Model>| versions.into_iter().map(|version| version.number);
    let in_order = version::in_order(db.connection(), alpha).await.unwrap();
    assert_eq!(numbers(in_order).collect::<Vec<_>>(), ["0.1.0", "0.2.0-rc.1", "0.10.0"]);
    let newest = version::newest(db.connection(), alpha, 2).await.unwrap();
    assert_eq!(numbers(newest).collect::<Vec<_>>(), ["0.10.0", "0.2.0-rc.1"]);
    assert!(version::newest(db.connection(), PackageId(-1), 2).await.unwrap().is_empty());
}

#[tokio::test]
async fn exposure_names_each_advisory_of_each_component_with_its_fix() {
    let db = imported().await;
    let product =
        inventory::by_name(db.connection(), InventoryKind::Lockfile, "product").await.unwrap().unwrap();
    let found = advisory::exposure(db.connection(), product.id).await.unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|found| {
            let (aliases, fixed) = (found.aliases.join(","), found.fixed.join(","));
            format!("{} {} {} {} [{aliases}] [{fixed}]", found.name, found.number, found.advisory, found.kind)
        })
        .collect();
    assert_eq!(
        found,
        [
            "alpha 0.10.0 EXAMPLE-2024-0001 vulnerability [CVE-2024-99901,EXAMPLE-ALIAS-1] [0.11.0]",
            "beta_two 1.0.1 EXAMPLE-2024-0002 unmaintained [] []",
            "gam 0.3.0 EXAMPLE-2024-0004 vulnerability [] [9.0.1]",
        ]
    );
}

#[tokio::test]
async fn what_affects_a_version_needs_no_such_version_and_leaves_withdrawn_advisories_out() {
    let db = imported().await;
    let alpha = package_id(&db, "alpha").await;
    for (number, affected) in [
        ("0.1.0", true),
        ("0.2.0-rc.1", true),
        ("0.2.0", false),
        ("0.4.99", false),
        ("0.5.0", true),
        ("0.10.99", true),
        ("0.11.0", false),
        ("unparseable", false),
    ] {
        let found = advisory::affecting(db.connection(), alpha, number).await.unwrap();
        let identifiers: Vec<_> = found.iter().map(|found| found.identifier.as_str()).collect();
        let expected: &[&str] = if affected { &["EXAMPLE-2024-0001"] } else { &[] };
        assert_eq!(identifiers, expected, "{number}");
    }
    assert!(advisory::affecting(db.connection(), PackageId(-1), "0.1.0").await.unwrap().is_empty());
}

#[tokio::test]
async fn the_summary_counts_live_rows_of_every_table() {
    let db = imported().await;
    execute(&db, "update versions set deleted_at = now() where number = '0.1.0'").await;
    let live = summary(db.connection()).await.unwrap();
    let tables: BTreeSet<_> = live.keys().cloned().collect();
    let mut expected: BTreeSet<_> = entity_ardb::tables().iter().map(table_name).collect();
    for table in derived::TABLES {
        assert!(expected.remove(table.name()), "{table:?}");
    }
    assert_eq!(tables, expected);
    assert_eq!(
        [live["packages"], live["versions"], live["advisories"], live["inventory_components"]],
        [3, 5, 7, 5]
    );
}

fn table_name(table: &sea_orm::sea_query::TableCreateStatement) -> String {
    let sql = table.to_string(sea_orm::sea_query::PostgresQueryBuilder);
    sql.split('"').nth(1).unwrap().to_owned()
}
