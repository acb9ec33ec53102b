//! Whether what advisories say of a Linux distribution finds the packages of an image, from the documents to the answer.

use std::{fs, path::Path};

use entity_ardb::InventoryKind;
use sea_orm::DatabaseConnection;
use serde_json::{Value, json};
use service::ardb::{
    advisory,
    import::{osv, sbom},
    inventory,
};

use crate::harness::{Database, TestDb};
use crate::import_support::{lines, now};

/// A record about one package, affected until `fixed`.
fn record(folder: &Path, id: &str, ecosystem: &str, name: &str, fixed: &str) {
    let record = json!({
        "id": id,
        "modified": "2026-05-01T00:00:00Z",
        "affected": [{
            "package": {"ecosystem": ecosystem, "name": name},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}],
        }],
    });
    fs::write(folder.join(format!("{id}.json")), record.to_string()).unwrap();
}

/// Imports the records that `write` writes and a document of these components; what it is exposed to.
async fn exposed(write: impl FnOnce(&Path), components: Value) -> Vec<String> {
    let db = TestDb::migrated(Database::Ardb).await;
    let folder = tempfile::tempdir().unwrap();
    let records = folder.path().join("osv");
    fs::create_dir(&records).unwrap();
    write(&records);
    let bill = folder.path().join("bom.json");
    let document = json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": components});
    fs::write(&bill, document.to_string()).unwrap();
    assert_eq!(osv(&db, &records, now(), &()).await.unwrap().rejected_total, 0);
    let report = sbom(&db, &bill, "image", now(), &()).await.unwrap();
    assert_eq!(report.rejected_total, 0, "{:?}", report.rejected);
    exposure(&db).await
}

async fn exposure(db: &DatabaseConnection) -> Vec<String> {
    let image = inventory::by_name(db, InventoryKind::Sbom, "image").await.unwrap().unwrap();
    let found = advisory::exposure(db, image.id).await.unwrap();
    let line = |found: &advisory::Exposure| {
        format!("{} {} {} [{}]", found.name, found.number, found.advisory, found.fixed.join(","))
    };
    found.iter().map(line).collect()
}

fn packages(purls: &[&str]) -> Value {
    purls.iter().map(|purl| json!({"type": "library", "name": "x", "purl": purl})).collect()
}

#[tokio::test]
async fn a_binary_package_is_held_against_what_is_known_of_its_source_in_its_own_release() {
    let found = exposed(
        |records| {
            record(records, "DEBIAN-1", "Debian:12", "openssl", "3.0.12-1~deb12u1");
            record(records, "DEBIAN-2", "Debian:11", "openssl", "3.0.99-1");
            record(records, "DEBIAN-3", "Debian:12", "libssl3", "9");
            record(records, "UBUNTU-1", "Ubuntu:22.04:LTS", "openssl", "3.0.2-0ubuntu1.99");
        },
        packages(&[
            "pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&distro=debian-12&upstream=openssl",
            "pkg:deb/debian/openssl@3.0.13-1?arch=amd64&distro=debian-12",
            "pkg:deb/ubuntu/openssl@3.0.2-0ubuntu1.10?distro=ubuntu-22.04",
            "pkg:deb/debian/openssl@1?arch=amd64",
        ]),
    )
    .await;
    assert_eq!(
        found,
        [
            "libssl3 3.0.11-1 DEBIAN-1 [3.0.12-1~deb12u1]",
            "openssl 3.0.2-0ubuntu1.10 UBUNTU-1 [3.0.2-0ubuntu1.99]",
        ]
    );
}

#[tokio::test]
async fn the_version_of_the_source_counts_where_it_is_another() {
    let found = exposed(
        |records| {
            record(records, "DEBIAN-1", "Debian:12", "gcc-defaults", "1.204");
            record(records, "DEBIAN-2", "Debian:12", "gcc-defaults", "1.203");
        },
        packages(&["pkg:deb/debian/gcc@4%3A12.2.0-3?distro=bookworm&upstream=gcc-defaults%401.203"]),
    )
    .await;
    assert_eq!(found, ["gcc 4:12.2.0-3 DEBIAN-1 [1.204]"]);
}

#[tokio::test]
async fn packages_of_alpine_and_wolfi_find_theirs() {
    let found = exposed(
        |records| {
            record(records, "ALPINE-1", "Alpine:v3.19", "busybox", "1.36.1-r6");
            record(records, "ALPINE-2", "Alpine:v3.20", "busybox", "1.99.0-r0");
            record(records, "CGA-1", "Wolfi", "curl", "8.6.0-r1");
        },
        packages(&[
            "pkg:apk/alpine/ssl_client@1.36.1-r5?distro=alpine-3.19.1&upstream=busybox",
            "pkg:apk/wolfi/curl@8.6.0-r0?distro=wolfi-20230201",
        ]),
    )
    .await;
    assert_eq!(found, ["ssl_client 1.36.1-r5 ALPINE-1 [1.36.1-r6]", "curl 8.6.0-r0 CGA-1 [8.6.0-r1]"]);
}

#[tokio::test]
async fn rpms_are_known_by_either_name_and_their_epoch_counts() {
    let found = exposed(
        |records| {
            record(records, "ALSA-1", "AlmaLinux:9", "openssl-libs", "1:3.0.7-25.el9_3");
            record(records, "RLSA-1", "Rocky Linux:9", "openssl", "1:3.0.7-25.el9_3");
            record(records, "RHSA-1", "Red Hat:rhel_eus:9.0::baseos", "openssl-libs", "9:9");
            record(records, "RHSA-2", "Red Hat:enterprise_linux:9::baseos", "openssl-libs", "1:3.0.7-24.el9");
        },
        packages(&[
            "pkg:rpm/almalinux/openssl-libs@3.0.7-24.el9?distro=almalinux-9.3&epoch=1",
            "pkg:rpm/rocky/openssl-libs@3.0.7-24.el9?distro=rocky-9.3&epoch=1&upstream=openssl-3.0.7-24.el9.src.rpm",
            "pkg:rpm/redhat/openssl-libs@3.0.7-24.el9?distro=rhel-9.3&epoch=1",
        ]),
    )
    .await;
    assert_eq!(
        found,
        [
            "openssl-libs 1:3.0.7-24.el9 ALSA-1 [1:3.0.7-25.el9_3]",
            "openssl-libs 1:3.0.7-24.el9 RLSA-1 [1:3.0.7-25.el9_3]",
        ]
    );
}

#[tokio::test]
async fn the_operating_system_and_trivys_properties_tell_release_and_source() {
    let property =
        |name: &str, value: &str| json!({"name": format!("aquasecurity:trivy:{name}"), "value": value});
    let found = exposed(
        |records| record(records, "DEBIAN-1", "Debian:12", "openssl", "3.0.12-1~deb12u1"),
        json!([
            {
                "type": "library", "name": "libssl3", "purl": "pkg:deb/debian/libssl3@3.0.11-1?arch=amd64",
                "properties": [
                    property("SrcName", "openssl"), property("SrcVersion", "3.0.11"), property("SrcRelease", "1"),
                ],
            },
            {"type": "operating-system", "name": "debian", "version": "12.5", "bom-ref": "os"},
        ]),
    )
    .await;
    assert_eq!(found, ["libssl3 3.0.11-1 DEBIAN-1 [3.0.12-1~deb12u1]"]);
}

#[tokio::test]
async fn every_distribution_has_the_ecosystem_of_its_package_format_and_its_order() {
    let db = TestDb::migrated(Database::Ardb).await;
    let records = tempfile::tempdir().unwrap();
    for (at, ecosystem) in [
        "Debian:12",
        "Ubuntu:22.04:LTS",
        "Alpine:v3.19",
        "AlmaLinux:9",
        "SUSE:Linux Enterprise Server 15 SP5",
    ]
    .into_iter()
    .enumerate()
    {
        record(records.path(), &format!("EXAMPLE-{at}"), ecosystem, "x", "1.0-1");
    }
    osv(&db, records.path(), now(), &()).await.unwrap();
    let found = lines(
        &db,
        "select concat_ws(' ', ecosystem.name, affected.namespace, affected.release, stretch.upper_key is not null) as line
         from affected_intervals stretch
         join affected_ranges stretches on stretches.id = stretch.affected_range_id
         join affected_packages affected on affected.id = stretches.affected_package_id
         join ecosystems ecosystem on ecosystem.id = affected.ecosystem_id
         order by affected.id",
    )
    .await;
    assert_eq!(
        found,
        [
            "deb debian 12 t",
            "deb ubuntu 22.04 t",
            "apk alpine 3.19 f",
            "rpm almalinux 9 t",
            "rpm suse 15.5 t"
        ]
    );
}
