//! The entities of ardb.

mod rows;

use entity_ardb::{
    advisory, advisory_alias, advisory_match, affected_interval, affected_package, affected_range,
    affected_version, category, category_package, default_version, dependency, dependent, ecosystem,
    inventory, inventory_component, keyword, keyword_package, latest_version, licence, maintainer,
    maintainer_package, package, package_download, package_search_entry, repository, source_document,
    version, version_download,
};
use sea_orm::{ActiveModelTrait, EntityLoaderTrait, EntityTrait, IntoActiveModel};
use serde_json::json;

use super::stored;
use crate::harness::{Database, TestDb};
use rows::*;

/// Stores every entity of ardb once, with values in all columns, related to each other. Each insert asserts that
/// the row reads back as it was written.
async fn fill(db: &TestDb) {
    stored(db, ecosystem()).await;
    stored(db, repository()).await;
    stored(db, package()).await;
    stored(db, maintainer()).await;
    stored(db, maintained()).await;
    stored(db, keyword()).await;
    stored(db, carried()).await;
    stored(db, category()).await;
    stored(db, sorted()).await;
    stored(db, licence()).await;
    stored(db, version()).await;
    let inserted = downloads().into_active_model().reset_all().insert(db.connection()).await;
    assert_eq!(inserted.as_ref(), Ok(&downloads()));
    let read = version_download::Entity::find().all(db.connection()).await;
    assert_eq!(read, Ok(vec![downloads()]));
    stored(db, shown()).await;
    stored(db, downloads_in_all()).await;
    stored(db, dependency()).await;
    stored(db, document()).await;
    stored(db, advisory()).await;
    stored(db, alias()).await;
    stored(db, affected()).await;
    stored(db, affected_version()).await;
    stored(db, range()).await;
    stored(db, interval()).await;
    stored(db, inventory()).await;
    stored(db, component()).await;
    stored(db, relation()).await;
    stored(db, severity()).await;
    stored(db, reference()).await;
    stored(db, run()).await;
    stored(db, error()).await;
    stored(db, latest()).await;
    stored(db, dependent()).await;
    stored(db, matched()).await;
    stored(db, search_entry()).await;
}

#[tokio::test]
async fn every_entity_of_ardb_reads_back_as_it_was_written() {
    let db = TestDb::migrated(Database::Ardb).await;
    fill(&db).await;
}

#[tokio::test]
async fn what_the_entity_leaves_unset_the_database_fills_in() {
    let db = TestDb::migrated(Database::Ardb).await;
    let cargo = ecosystem::Entity::find_by_name("cargo").one(&*db).await.unwrap().unwrap();
    let package =
        package::ActiveModel::builder().set_ecosystem_id(cargo.id).set_name("a").set_normalized_name("a");
    let package = package.insert(&*db).await.unwrap();
    let version = version::ActiveModel::builder().set_package_id(package.id).set_number("1.0.0");
    let version = version.insert(&*db).await.unwrap();
    let expected = version::Model {
        id: version.id,
        package_id: package.id,
        number: "1.0.0".into(),
        sort_key: None,
        is_prerelease: false,
        is_yanked: false,
        checksum_sha256: None,
        published_at: None,
        attributes: json!({}),
        created_at: version.created_at,
        updated_at: version.created_at,
        deleted_at: None,
        licence: String::new(),
        licence_id: None,
        size_bytes: None,
        checksums: json!({}),
        yanked_reason: None,
    };
    assert_eq!(version::Model::from(version), expected);
}

#[tokio::test]
async fn relations_load_from_the_row_that_others_refer_to() {
    let db = TestDb::migrated(Database::Ardb).await;
    fill(&db).await;

    let loaded = ecosystem::Entity::load()
        .filter_by_id(ecosystem().id)
        .with(package::Entity)
        .with(affected_package::Entity)
        .with(inventory_component::Entity)
        .with(maintainer::Entity)
        .with(category::Entity);
    let loaded = loaded.one(&*db).await.unwrap().unwrap();
    assert_eq!(loaded.packages, [package()]);
    assert_eq!(loaded.maintainers, [maintainer()]);
    assert_eq!(loaded.categories, [category()]);
    assert_eq!(loaded.affected_packages, [affected()]);
    assert_eq!(loaded.inventory_components, [component()]);

    let loaded = package::Entity::load().with(default_version::Entity).with(package_download::Entity);
    let loaded = loaded.one(&*db).await.unwrap().unwrap();
    assert_eq!(shown(), *loaded.default_version.as_ref().unwrap());
    assert_eq!(downloads_in_all(), *loaded.downloads.as_ref().unwrap());

    let loaded = package::Entity::load()
        .with(version::Entity)
        .with(dependency::Entity)
        .with(affected_package::Entity)
        .with(inventory_component::Entity)
        .with(maintainer_package::Entity)
        .with(keyword_package::Entity)
        .with(category_package::Entity);
    let loaded = loaded.one(&*db).await.unwrap().unwrap();
    assert_eq!(loaded.maintainers, [maintained()]);
    assert_eq!(loaded.keywords, [carried()]);
    assert_eq!(loaded.categories, [sorted()]);
    assert_eq!(loaded.versions, [version()]);
    assert_eq!(loaded.dependents, [dependency()]);
    assert_eq!(loaded.affected_packages, [affected()]);
    assert_eq!(loaded.inventory_components, [component()]);

    let loaded = repository::Entity::load().with(package::Entity).one(&*db).await.unwrap().unwrap();
    assert_eq!(loaded.packages, [package()]);

    let loaded = licence::Entity::load().with(version::Entity).one(&*db).await.unwrap().unwrap();
    assert_eq!(loaded.versions, [version()]);

    let loaded =
        maintainer::Entity::load().with(maintainer_package::Entity).one(&*db).await.unwrap().unwrap();
    assert_eq!(loaded.maintained, [maintained()]);

    let loaded = keyword::Entity::load().with(keyword_package::Entity).one(&*db).await.unwrap().unwrap();
    assert_eq!(loaded.carried, [carried()]);

    let loaded = category::Entity::load().with(category_package::Entity).one(&*db).await.unwrap().unwrap();
    assert_eq!(loaded.sorted, [sorted()]);

    let loaded = version::Entity::load()
        .with(dependency::Entity)
        .with(inventory_component::Entity)
        .with(version_download::Entity);
    let loaded = loaded.one(&*db).await.unwrap().unwrap();
    assert_eq!(loaded.downloads, [downloads()]);
    assert_eq!(loaded.dependencies, [dependency()]);
    assert_eq!(loaded.inventory_components, [component()]);

    let loaded = source_document::Entity::load().with(advisory::Entity).with(inventory::Entity);
    let loaded = loaded.one(&*db).await.unwrap().unwrap();
    assert_eq!(loaded.advisories, [advisory()]);
    assert_eq!(loaded.inventories, [inventory()]);

    let loaded = advisory::Entity::load().with(advisory_alias::Entity).with(affected_package::Entity);
    let loaded = loaded.one(&*db).await.unwrap().unwrap();
    assert_eq!(loaded.aliases, [alias()]);
    assert_eq!(loaded.affected_packages, [affected()]);

    let loaded = affected_package::Entity::load().with(affected_version::Entity).with(affected_range::Entity);
    let loaded = loaded.one(&*db).await.unwrap().unwrap();
    assert_eq!(loaded.versions, [affected_version()]);
    assert_eq!(loaded.ranges, [range()]);

    let loaded =
        affected_range::Entity::load().with(affected_interval::Entity).one(&*db).await.unwrap().unwrap();
    assert_eq!(loaded.intervals, [interval()]);

    let loaded =
        inventory::Entity::load().with(inventory_component::Entity).one(&*db).await.unwrap().unwrap();
    assert_eq!(loaded.components, [component()]);
}

#[tokio::test]
async fn relations_load_from_the_row_that_refers_to_others() {
    let db = TestDb::migrated(Database::Ardb).await;
    fill(&db).await;

    let loaded = package::Entity::load().with(ecosystem::Entity).with(repository::Entity);
    let loaded = loaded.one(&*db).await.unwrap().unwrap();
    assert_eq!(ecosystem(), *loaded.ecosystem.as_ref().unwrap());
    assert_eq!(repository(), *loaded.repository.as_ref().unwrap());

    let loaded = version::Entity::load().with(package::Entity).with(licence::Entity);
    let loaded = loaded.one(&*db).await.unwrap().unwrap();
    assert_eq!(package(), *loaded.package.as_ref().unwrap());
    assert_eq!(licence(), *loaded.published_under.as_ref().unwrap());

    let loaded = version_download::Entity::load().with(version::Entity).one(&*db).await.unwrap().unwrap();
    assert_eq!(version(), *loaded.version.as_ref().unwrap());

    let loaded = default_version::Entity::load().with(package::Entity).with(version::Entity);
    let loaded = loaded.one(&*db).await.unwrap().unwrap();
    assert_eq!(package(), *loaded.package.as_ref().unwrap());
    assert_eq!(version(), *loaded.version.as_ref().unwrap());

    let loaded = package_download::Entity::load().with(package::Entity).one(&*db).await.unwrap().unwrap();
    assert_eq!(package(), *loaded.package.as_ref().unwrap());

    let loaded = maintainer::Entity::load().with(ecosystem::Entity).one(&*db).await.unwrap().unwrap();
    assert_eq!(ecosystem(), *loaded.ecosystem.as_ref().unwrap());

    let loaded = category::Entity::load().with(ecosystem::Entity).one(&*db).await.unwrap().unwrap();
    assert_eq!(ecosystem(), *loaded.ecosystem.as_ref().unwrap());

    let loaded = maintainer_package::Entity::load().with(maintainer::Entity).with(package::Entity);
    let loaded = loaded.one(&*db).await.unwrap().unwrap();
    assert_eq!(maintainer(), *loaded.maintainer.as_ref().unwrap());
    assert_eq!(package(), *loaded.package.as_ref().unwrap());

    let loaded = keyword_package::Entity::load().with(keyword::Entity).with(package::Entity);
    let loaded = loaded.one(&*db).await.unwrap().unwrap();
    assert_eq!(keyword(), *loaded.keyword.as_ref().unwrap());
    assert_eq!(package(), *loaded.package.as_ref().unwrap());

    let loaded = category_package::Entity::load().with(category::Entity).with(package::Entity);
    let loaded = loaded.one(&*db).await.unwrap().unwrap();
    assert_eq!(category(), *loaded.category.as_ref().unwrap());
    assert_eq!(package(), *loaded.package.as_ref().unwrap());

    let loaded = dependency::Entity::load().with(version::Entity).with(package::Entity);
    let loaded = loaded.one(&*db).await.unwrap().unwrap();
    assert_eq!(version(), *loaded.version.as_ref().unwrap());
    assert_eq!(package(), *loaded.package.as_ref().unwrap());

    let loaded = advisory::Entity::load().with(source_document::Entity).one(&*db).await.unwrap().unwrap();
    assert_eq!(document(), *loaded.source_document.as_ref().unwrap());

    let loaded = advisory_alias::Entity::load().with(advisory::Entity).one(&*db).await.unwrap().unwrap();
    assert_eq!(advisory(), *loaded.advisory.as_ref().unwrap());

    let loaded =
        affected_package::Entity::load().with(advisory::Entity).with(ecosystem::Entity).with(package::Entity);
    let loaded = loaded.one(&*db).await.unwrap().unwrap();
    assert_eq!(advisory(), *loaded.advisory.as_ref().unwrap());
    assert_eq!(ecosystem(), *loaded.ecosystem.as_ref().unwrap());
    assert_eq!(package(), *loaded.package.as_ref().unwrap());

    let loaded =
        affected_version::Entity::load().with(affected_package::Entity).one(&*db).await.unwrap().unwrap();
    assert_eq!(affected(), *loaded.affected_package.as_ref().unwrap());

    let loaded =
        affected_range::Entity::load().with(affected_package::Entity).one(&*db).await.unwrap().unwrap();
    assert_eq!(affected(), *loaded.affected_package.as_ref().unwrap());

    let loaded =
        affected_interval::Entity::load().with(affected_range::Entity).one(&*db).await.unwrap().unwrap();
    assert_eq!(range(), *loaded.affected_range.as_ref().unwrap());

    let loaded = latest_version::Entity::load()
        .with(package::Entity)
        .with(latest_version::Relation::NewestVersion)
        .with(latest_version::Relation::NewestStableVersion);
    let loaded = loaded.one(&*db).await.unwrap().unwrap();
    assert_eq!(package(), *loaded.package.as_ref().unwrap());
    assert_eq!(version(), *loaded.newest_version.as_ref().unwrap());
    assert_eq!(version(), *loaded.newest_stable_version.as_ref().unwrap());

    let loaded = dependent::Entity::load()
        .with(dependent::Relation::Package)
        .with(dependent::Relation::DependentPackage);
    let loaded = loaded.one(&*db).await.unwrap().unwrap();
    assert_eq!(package(), *loaded.package.as_ref().unwrap());
    assert_eq!(package(), *loaded.dependent_package.as_ref().unwrap());

    let loaded = advisory_match::Entity::load()
        .with(advisory::Entity)
        .with(version::Entity)
        .with(affected_package::Entity);
    let loaded = loaded.one(&*db).await.unwrap().unwrap();
    assert_eq!(advisory(), *loaded.advisory.as_ref().unwrap());
    assert_eq!(version(), *loaded.version.as_ref().unwrap());
    assert_eq!(affected(), *loaded.affected_package.as_ref().unwrap());

    let loaded = package_search_entry::Entity::load().with(package::Entity).one(&*db).await.unwrap().unwrap();
    assert_eq!(package(), *loaded.package.as_ref().unwrap());

    let loaded = inventory::Entity::load().with(source_document::Entity).one(&*db).await.unwrap().unwrap();
    assert_eq!(document(), *loaded.source_document.as_ref().unwrap());

    let loaded = inventory_component::Entity::load()
        .with(inventory::Entity)
        .with(ecosystem::Entity)
        .with(package::Entity)
        .with(version::Entity);
    let loaded = loaded.one(&*db).await.unwrap().unwrap();
    assert_eq!(inventory(), *loaded.inventory.as_ref().unwrap());
    assert_eq!(ecosystem(), *loaded.ecosystem.as_ref().unwrap());
    assert_eq!(package(), *loaded.package.as_ref().unwrap());
    assert_eq!(version(), *loaded.version.as_ref().unwrap());
}
