//! Importing a lockfile as an inventory.

use std::{fs, path::Path};

use entity_ardb::InventoryKind;
use service::ardb::{
    import::{Documents, Report, cargo_index, lockfile},
    inventory::{self, Owner, Product},
};

use crate::{
    harness::{Database, TestDb},
    import_support::{changeable, content, fixture, lines, now, rows, snapshot},
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
    let broken =
        [(whole.replace("version = \"0.10.0\"", "version = \"not a version\""), 5), ("[[package]".into(), 1)];
    for (broken, line) in broken {
        fs::write(&file, broken).unwrap();
        let report = import(&db, &file).await;
        assert_eq!(report.documents, Documents { rejected: 1, ..Documents::default() });
        assert_eq!(report.rejected[0].place, format!("{}:{line}", file.display()));
        assert!(report.rejected[0].reason.starts_with("is no Cargo.lock: "), "{report}");
    }
    assert_eq!(snapshot(&db).await, before);
}

#[tokio::test]
async fn a_lockfile_of_any_tool_becomes_components_and_relations() {
    let db = TestDb::migrated(Database::Ardb).await;
    for (file, components, relations) in
        [("package-lock.json", 7, 8), ("poetry.lock", 3, 2), ("go.sum", 2, 0), ("Gemfile.lock", 4, 5)]
    {
        let input = fixture("lockfiles").join(file);
        let report = lockfile(&db, &input, file, now(), &()).await.unwrap();
        assert_eq!((report.documents.new, report.rejected_total), (1, 0), "{report}");
        assert_eq!(rows(&report, "inventory_components"), (components, 0, 0), "{file}");
        assert_eq!(rows(&report, "inventory_relations"), (relations, 0, 0), "{file}");
    }
    let found = lines(
        &db,
        "select concat_ws(' ', i.name, coalesce(f.name, 'it'), r.kind, t.name, t.number, t.scope) as line
         from inventory_relations r
         join inventories i on i.id = r.inventory_id
         join inventory_components t on t.id = r.to_component_id
         left join inventory_components f on f.id = r.from_component_id
         where i.name in ('poetry.lock', 'Gemfile.lock')
         order by 1",
    )
    .await;
    assert_eq!(
        found,
        [
            "Gemfile.lock checks depends-on valve 2.4.0",
            "Gemfile.lock fuel depends-on valve 2.4.0",
            "Gemfile.lock it depends-on checks 0.1.0",
            "Gemfile.lock it depends-on fuel 2.1.0",
            "Gemfile.lock it depends-on hull 0.0.1",
            "poetry.lock Fuel.Gauge depends-on valve 2.0 optional",
            "poetry.lock launch-tests depends-on Fuel.Gauge 1.2.0 required",
        ]
    );
}

#[tokio::test]
async fn each_owner_has_inventories_of_its_own() {
    let db = TestDb::migrated(Database::Ardb).await;
    let owners = [None, Some(Owner::User(7)), Some(Owner::Organization(7))];
    let input = fixture("lockfiles/go.sum");
    for owner in owners {
        let report = lockfile(&db, &input, Product { name: "shop", owner }, now(), &()).await.unwrap();
        assert_eq!(rows(&report, "inventories"), (1, 0, 0));
    }
    let before = snapshot(&db).await;
    for owner in owners {
        let product = Product { name: "shop", owner };
        assert!(lockfile(&db, &input, product, now(), &()).await.unwrap().changed_nothing());
        let found =
            inventory::by_name(db.connection(), InventoryKind::Lockfile, product).await.unwrap().unwrap();
        let (user, organization) = (found.identitydb_user_id, found.identitydb_organization_id);
        assert_eq!(user.map(Owner::User).or(organization.map(Owner::Organization)), owner);
    }
    assert_eq!(snapshot(&db).await, before);
    let refused = lockfile(&db, &input, "org:7/shop", now(), &()).await.unwrap_err();
    assert_eq!(refused.to_string(), "name: the name begins with org: or user:, as owners do");
}

#[tokio::test]
async fn a_relation_that_is_gone_is_deleted_and_restored_when_it_comes_back() {
    let db = TestDb::migrated(Database::Ardb).await;
    let folder = changeable("lockfiles");
    let file = folder.path().join("Gemfile.lock");
    import(&db, &file).await;
    let whole = fs::read_to_string(&file).unwrap();
    fs::write(&file, whole.replace("      valve\n", "")).unwrap();
    assert_eq!(rows(&import(&db, &file).await, "inventory_relations"), (0, 0, 1));
    fs::write(&file, whole).unwrap();
    assert_eq!(rows(&import(&db, &file).await, "inventory_relations"), (0, 1, 0));
}

#[tokio::test]
async fn a_folder_is_read_where_it_holds_one_lockfile_and_refused_where_it_holds_several_or_none() {
    let db = TestDb::migrated(Database::Ardb).await;
    let several = fixture("lockfiles");
    let refused = lockfile(&db, &several, "product", now(), &()).await.unwrap_err().to_string();
    let names = "Gemfile.lock, go.sum, package-lock.json, poetry.lock";
    assert_eq!(refused, format!("{}: holds several lockfiles, name one: {names}", several.display()));
    let none = fixture("osv");
    let refused = lockfile(&db, &none, "product", now(), &()).await.unwrap_err().to_string();
    let names = "Cargo.lock, package-lock.json, poetry.lock, go.sum, Gemfile.lock";
    assert_eq!(refused, format!("{}: holds no lockfile; expected one of {names}", none.display()));
}
