//! Importing a software bill of materials as an inventory.

use std::{fs, path::Path};

use entity_ardb::InventoryKind;
use service::ardb::{
    import::{Documents, Report, osv, sbom},
    inventory::{self, Owner, Product},
};

use crate::{
    harness::{Database, TestDb, corpus},
    import_support::{changeable, fixture, lines, now, rows, snapshot},
};

async fn import(db: &TestDb, input: &Path) -> Report {
    sbom(db, input, "product", now(), &()).await.unwrap()
}

#[tokio::test]
async fn a_bill_becomes_components_and_what_can_not_be_read_is_reported_with_its_line() {
    let db = TestDb::migrated(Database::Ardb).await;
    let input = fixture("sbom/cyclonedx.json");
    let report = import(&db, &input).await;
    assert_eq!(report.documents, Documents { new: 1, ..Documents::default() });
    assert_eq!(report.rejected_total, 5);
    assert_eq!(report.rejected[0].place, format!("{}:34", input.display()));
    let found = lines(
        &db,
        "select concat_ws(' ', e.name, e.osv_name, e.version_scheme, c.namespace, c.name, c.number, c.scope, c.licence) as line
         from inventory_components c join ecosystems e on e.id = c.ecosystem_id order by 1",
    )
    .await;
    assert_eq!(
        found,
        [
            "cargo crates.io semver  Valve_Core 3.0.0",
            "npm npm semver @acme fuel 2.1.0 required MIT AND Acme's own",
            "swift SwiftURL semver example.org/acme Gauge 0.3.0 optional MIT OR Apache-2.0",
        ]
    );
    let before = snapshot(&db).await;
    let again = import(&db, &input).await;
    assert_eq!((again.rejected_total, again.changed_nothing()), (5, true));
    assert_eq!(snapshot(&db).await, before);
}

#[tokio::test]
async fn a_bill_and_a_lockfile_of_one_product_are_two_inventories() {
    let db = TestDb::migrated(Database::Ardb).await;
    let product = Product { name: "product", owner: Some(Owner::Organization(3)) };
    sbom(&db, &fixture("sbom/spdx.json"), product, now(), &()).await.unwrap();
    let found = async |kind| inventory::by_name(db.connection(), kind, product).await.unwrap().is_some();
    assert!(found(InventoryKind::Sbom).await && !found(InventoryKind::Lockfile).await);
}

#[tokio::test]
async fn what_the_next_bill_no_longer_has_is_deleted() {
    let db = TestDb::migrated(Database::Ardb).await;
    let folder = changeable("sbom");
    let file = folder.path().join("spdx.json");
    import(&db, &file).await;
    let whole = fs::read_to_string(&file).unwrap();
    fs::write(&file, whole.replace("pkg:npm/%40acme/fuel@2.1.0", "pkg:npm/%40acme/fuel@2.2.0")).unwrap();
    let report = import(&db, &file).await;
    assert_eq!(rows(&report, "inventory_components"), (1, 0, 1));
    assert_eq!(rows(&report, "inventory_relations"), (2, 0, 2));
}

/// An SBOM and an advisory mean the same ecosystem, whichever comes first.
#[tokio::test]
async fn an_ecosystem_that_a_bill_adds_is_the_one_that_advisories_speak_of() {
    let db = TestDb::migrated(Database::Ardb).await;
    import(&db, &fixture("sbom/cyclonedx.json")).await;
    let records = tempfile::tempdir().unwrap();
    let record = serde_json::json!({
        "id": "EXAMPLE-2024-0200",
        "modified": "2024-05-01T00:00:00Z",
        "affected": [{"package": {"ecosystem": "SwiftURL", "name": "example.org/acme/Gauge"}, "versions": ["0.3.0"]}],
    });
    fs::write(records.path().join("record.json"), record.to_string()).unwrap();
    let report = osv(&db, records.path(), now(), &()).await.unwrap();
    assert_eq!((report.documents.new, rows(&report, "ecosystems")), (1, (0, 0, 0)), "{report}");
}

#[tokio::test]
async fn every_component_of_every_real_bill_is_accounted_for() {
    let bills = [
        ("dropwizard-1.3.15_bom.json", 167, 0),
        ("juice-shop_v11.1.2_bom.json", 840, 0),
        ("laravel-7.12.0_bom.1.4.json", 62, 0),
        ("proton-bridge_proton-bridge-v1.8.0.bom.json", 201, 0),
    ];
    let Some(folder) = corpus("sbom") else { return };
    let db = TestDb::migrated(Database::Ardb).await;
    for (file, total, rejected) in bills {
        let report = sbom(&db, &folder.join(file), file, now(), &()).await.unwrap();
        let (components, _, _) = rows(&report, "inventory_components");
        assert_eq!(
            (components + report.rejected_total, report.rejected_total),
            (total, rejected),
            "{file} {report}"
        );
    }
}
