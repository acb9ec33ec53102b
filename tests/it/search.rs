//! What packages are found by: words in their names, keywords and descriptions, and likeness of names.

use sea_orm::DatabaseConnection;
use service::ardb::{
    derived,
    search::{self, Search},
};

use crate::harness::{Database, TestDb};
use crate::import_support::execute;

async fn found(db: &DatabaseConnection, search: Search<'_>) -> Vec<String> {
    let hits = search::packages(db, &search, 100).await.unwrap();
    hits.into_iter().map(|hit| format!("{} {}{}", hit.ecosystem, hit.namespace, hit.name)).collect()
}

/// Packages of two ecosystems, with how many others depend on them.
async fn to_search(db: &DatabaseConnection) {
    execute(
        db,
        r"insert into packages (ecosystem_id, namespace, name, normalized_name) values
              (1, '', 'serde', 'serde'), (1, '', 'serde_json', 'serde-json'), (1, '', 'json', 'json'),
              (1, '', 'serde-derive', 'serde-derive'), (2, '@json', 'core', 'core'), (2, '', 'left-pad', 'left-pad');
          update package_search_entries set popularity = 100 where name = 'serde_json';
          insert into versions (package_id, number, sort_key, is_prerelease)
          select id, '1.0.0', '\x01', name = 'json' from packages",
    )
    .await;
}

#[tokio::test]
async fn search_finds_words_likeness_and_typing_errors_with_filters() {
    let db = TestDb::migrated(Database::Ardb).await;
    to_search(&db).await;
    let text = |text| Search { text, ..Search::default() };
    assert_eq!(found(&db, text("serde json")).await[0], "cargo serde_json");
    assert_eq!(found(&db, text("serde")).await[0], "cargo serde");
    assert_eq!(found(&db, text("sered")).await[0], "cargo serde");
    assert_eq!(found(&db, text("@json/core")).await[0], "npm @jsoncore");
    assert_eq!(found(&db, text("leftpad")).await, ["npm left-pad"]);
    let npm = Search { ecosystem: Some("npm"), ..text("json") };
    assert_eq!(found(&db, npm).await, ["npm @jsoncore"]);
    let stable = Search { has_stable: true, ecosystem: Some("cargo"), ..text("json") };
    assert_eq!(found(&db, stable).await, ["cargo serde_json"]);
    for nothing in ["", "  ", "qqqqqq", "\0", "!!", "'; drop table packages; --"] {
        assert_eq!(found(&db, text(nothing)).await, [""; 0], "{nothing:?}");
    }
}

/// Packages that have the word `json` in different places, and different licences.
async fn described(db: &DatabaseConnection) {
    execute(
        db,
        r"insert into packages (ecosystem_id, name, normalized_name, description) values
              (1, 'json', 'json', ''), (1, 'serde', 'serde', 'Reads and writes data'),
              (1, 'simd', 'simd', 'Parses JSON, fast'), (1, 'yaml', 'yaml', 'Not what you look for');
          insert into keywords (name) values ('json'), ('no-std');
          insert into keywords_packages (keyword_id, package_id)
          select keyword.id, package.id from keywords keyword join packages package on package.name = 'serde';
          insert into categories (ecosystem_id, slug, name) values (1, 'encoding', 'Encoding');
          insert into categories_packages (category_id, package_id)
          select 1, id from packages where name in ('serde', 'yaml');
          insert into licences (expression, is_spdx) values ('MIT OR Apache-2.0', true), ('MIT', true);
          insert into versions (package_id, number, sort_key, licence_id)
          select id, '1.0.0', '\x01', case name when 'json' then 1 when 'serde' then 2 end from packages",
    )
    .await;
}

#[tokio::test]
async fn a_word_in_the_name_weighs_more_than_a_keyword_and_that_more_than_the_description() {
    let db = TestDb::migrated(Database::Ardb).await;
    described(&db).await;
    let text = |text| Search { text, ..Search::default() };
    assert_eq!(found(&db, text("json")).await, ["cargo json", "cargo serde", "cargo simd"]);
    assert_eq!(found(&db, text("no std")).await, ["cargo serde"]);
    // `json` alone is too unlike all of these words.
    assert_eq!(found(&db, text("parses json fast")).await, ["cargo simd"]);
    assert_eq!(found(&db, text("json -fast")).await, ["cargo json", "cargo serde"]);
}

#[tokio::test]
async fn a_search_is_narrowed_by_licence_keyword_and_category() {
    let db = TestDb::migrated(Database::Ardb).await;
    described(&db).await;
    let json = Search { text: "json", ..Search::default() };
    for (search, expected) in [
        (Search { licence: Some("mit"), ..json }, vec!["cargo json", "cargo serde"]),
        (Search { licence: Some("Apache-2.0"), ..json }, vec!["cargo json"]),
        (Search { licence: Some("MIT OR Apache-2.0"), ..json }, vec!["cargo json"]),
        (Search { licence: Some("Apache"), ..json }, vec![]),
        (Search { keyword: Some("No-Std"), ..json }, vec!["cargo serde"]),
        (Search { category: Some("encoding"), ..json }, vec!["cargo serde"]),
        (Search { category: Some("encoding"), licence: Some("ISC"), ..json }, vec![]),
    ] {
        assert_eq!(found(&db, search).await, expected, "{search:?}");
    }
}

#[tokio::test]
async fn what_is_searched_follows_keywords_and_descriptions_as_they_change() {
    let db = TestDb::migrated(Database::Ardb).await;
    described(&db).await;
    let fits = async |words| !found(&db, Search { text: words, ..Search::default() }).await.is_empty();
    for (change, gone, come) in [
        ("update keywords set name = 'embedded' where name = 'no-std'", "no std", "embedded"),
        ("update keywords set deleted_at = now() where name = 'embedded'", "embedded", "json"),
        ("update packages set description = 'Tunes cars' where name = 'yaml'", "look for", "tunes cars"),
        ("update keywords_packages set deleted_at = now()", "reads json writes data", "serde"),
        ("update packages set deleted_at = now() where name = 'simd'", "parses", "tunes"),
    ] {
        assert!(fits(gone).await, "{change}");
        execute(&db, change).await;
        assert_eq!((fits(gone).await, fits(come).await), (false, true), "{change}");
        assert!(derived::verify(&*db).await.unwrap().iter().all(derived::Verified::is_right), "{change}");
    }
    execute(&db, "delete from keywords_packages").await;
    assert!(derived::verify(&*db).await.unwrap().iter().all(derived::Verified::is_right));
}

#[tokio::test]
async fn pages_of_a_search_are_the_whole_of_it() {
    let db = TestDb::migrated(Database::Ardb).await;
    execute(
        &db,
        "insert into packages (ecosystem_id, name, normalized_name)
         select 1, 'tool-' || n, 'tool-' || n from generate_series(1, 40) n;
         update package_search_entries set popularity = package_id % 5",
    )
    .await;
    let search = Search { text: "tool", ..Search::default() };
    let all = search::packages(&*db, &search, 100).await.unwrap();
    assert_eq!(all.len(), 40);
    let (mut paged, mut after) = (Vec::new(), None);
    loop {
        let page = search::packages(&*db, &Search { after, ..search }, 7).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.place());
        paged.extend(page);
    }
    assert_eq!(paged, all);
}
