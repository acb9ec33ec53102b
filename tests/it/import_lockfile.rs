//! Importing a lockfile as an inventory.

use std::{fs, path::Path};

use entity_ardb::InventoryKind;
use service::ardb::{
    import::{Documents, Report, cargo_index, lockfile},
    inventory,
};

use crate::{
    harness::{Database, TestDb},
    import_support::{changeable, content, fixture, now, rows, snapshot},
};

async fn import(db: &TestDb, input: &Path) -> Report {
    lockfile(db, input, "product", now(), &()).await.unwrap()
}

/// Name, number, source and whether package and version are linked, of each component.
async fn components(db: &TestDb) -> Vec<(String, String, String, bool, bool)> {
    let product =
        inventory::by_name(db.connection(), InventoryKind::Lockfile, "product").await.unwrap().unwrap();
    let found = inventory::components(db.connection(), product.id).await.unwrap();
    let parts = found.into_iter().map(|found| {
        (found.name, found.number, found.source, found.package_id.is_some(), found.version_id.is_some())
    });
    parts.collect()
}

#[tokio::test]
async fn only_what_comes_from_the_registry_is_linked_to_its_packages() {
    let db = TestDb::migrated(Database::Ardb).await;
    cargo_index(&db, &fixture("index"), now(), &()).await.unwrap();
    import(&db, &fixture("lockfile")).await;
    let registry = || "registry+https://github.com/rust-lang/crates.io-index".to_owned();
    let git = "git+https://example.org/gam.git#0123456789abcdef0123456789abcdef01234567".to_owned();
    assert_eq!(
        components(&db).await,
        [
            ("alpha".into(), "0.10.0".into(), registry(), true, true),
            ("beta_two".into(), "1.0.1".into(), registry(), true, true),
            ("gam".into(), "0.3.0".into(), git, false, false),
            ("gam".into(), "0.3.0".into(), registry(), true, true),
            ("product".into(), "0.1.0".into(), String::new(), false, false),
        ]
    );
}

#[tokio::test]
async fn a_lockfile_before_its_packages_ends_in_the_same_links() {
    let lockfile_first = TestDb::migrated(Database::Ardb).await;
    import(&lockfile_first, &fixture("lockfile")).await;
    cargo_index(&lockfile_first, &fixture("index"), now(), &()).await.unwrap();
    let packages_first = TestDb::migrated(Database::Ardb).await;
    cargo_index(&packages_first, &fixture("index"), now(), &()).await.unwrap();
    import(&packages_first, &fixture("lockfile")).await;
    assert_eq!(content(&lockfile_first).await, content(&packages_first).await);
}

#[tokio::test]
async fn the_second_import_of_the_same_lockfile_changes_no_row_and_says_so() {
    let db = TestDb::migrated(Database::Ardb).await;
    import(&db, &fixture("lockfile")).await;
    let before = snapshot(&db).await;
    let report = import(&db, &fixture("lockfile/Cargo.lock")).await;
    assert_eq!(report.documents, Documents { unchanged: 1, ..Documents::default() });
    assert!(report.changed_nothing());
    assert_eq!(snapshot(&db).await, before);
}

#[tokio::test]
async fn a_component_that_is_gone_is_deleted_and_restored_when_it_comes_back() {
    let db = TestDb::migrated(Database::Ardb).await;
    let folder = changeable("lockfile");
    let file = folder.path().join("Cargo.lock");
    import(&db, &file).await;
    let whole = fs::read_to_string(&file).unwrap();
    fs::write(
        &file,
        whole.replace("name = \"product\"\nversion = \"0.1.0\"", "name = \"product\"\nversion = \"0.2.0\""),
    )
    .unwrap();
    assert_eq!(rows(&import(&db, &file).await, "inventory_components"), (1, 0, 1));
    fs::write(&file, whole).unwrap();
    assert_eq!(rows(&import(&db, &file).await, "inventory_components"), (0, 1, 1));
}

#[tokio::test]
async fn a_broken_lockfile_is_rejected_whole_and_the_inventory_stays() {
    let db = TestDb::migrated(Database::Ardb).await;
    let folder = changeable("lockfile");
    let file = folder.path().join("Cargo.lock");
    import(&db, &file).await;
    let before = snapshot(&db).await;
    let whole = fs::read_to_string(&file).unwrap();
    for broken in [whole.replace("version = \"0.10.0\"", "version = \"not a version\""), "[[package]".into()]
    {
        fs::write(&file, broken).unwrap();
        let report = import(&db, &file).await;
        assert_eq!(report.documents, Documents { rejected: 1, ..Documents::default() });
        assert_eq!(report.rejected[0].place, file.display().to_string());
        assert!(report.rejected[0].reason.starts_with("is no Cargo.lock: "), "{report}");
    }
    assert_eq!(snapshot(&db).await, before);
}
