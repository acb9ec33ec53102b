//! How long matching 180,000 versions with 1,500 ranges takes by sort keys, which is how Archer does it, and by a
//! comparison function in the database, on the same rows and in the same run: `cargo bench -p tests --bench exposure`.
//! Both are timed as a count of the matches, best of three, so that neither pays for sending rows; the whole read as
//! `service` has it, with every text of every match, is timed beside them.
//!
//! With `ARCHER_CORPUS`, a package has the ranges that RustSec gives one, and the versions that a crate of crates.io
//! with a hundred or more has: what has advisories is mostly long-lived. Without it, both are made up.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a benchmark fails by panicking")]

#[path = "../it/harness/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the integration tests use the rest")]
mod harness;

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use entity_ardb::{InventoryId, VersionScheme};
use harness::{Database, TestDb, corpus};
use sea_orm::sqlx::{self, PgPool};
use service::ardb::{
    advisory,
    import::{cargo_index, osv},
    inventory::CRATES_IO,
    version::order,
};

const VERSIONS: usize = 180_000;
const RANGES: usize = 1_500;
/// Of a crate that lends its numbers.
const LEAST_VERSIONS: i64 = 100;

/// A range: introduced, fixed, last affected.
type Range = (String, Option<String>, Option<String>);

#[tokio::main]
async fn main() {
    let (crates, ranges) = material().await;
    let db = TestDb::migrated(Database::Ardb).await;
    let pool = db.get_postgres_connection_pool();
    let packages = fill(pool, &crates, &ranges).await;
    sqlx::raw_sql(include_str!("semver_compare.sql")).execute(pool).await.unwrap();
    sqlx::raw_sql("vacuum analyze").execute(pool).await.unwrap();

    let (key_matches, by_key) = best(pool, include_str!("by_key.sql")).await;
    let (function_matches, by_function) = best(pool, include_str!("by_function.sql")).await;
    let (mut found, mut read) = (0, Duration::MAX);
    for _ in 0..3 {
        let start = Instant::now();
        found = advisory::exposure(&*db, InventoryId(1)).await.unwrap().len();
        read = read.min(start.elapsed());
    }

    println!("{VERSIONS} versions of {packages} packages, {RANGES} ranges, {key_matches} matches");
    println!("by sort key: {:.3} s", by_key.as_secs_f64());
    println!("by function: {:.3} s", by_function.as_secs_f64());
    println!("whole read:  {:.3} s", read.as_secs_f64());
    let ratio = |fast: Duration| by_function.as_secs_f64() / fast.as_secs_f64();
    println!(
        "the function takes {:.0} times as long as the keys, {:.0} times as long as the whole read",
        ratio(by_key),
        ratio(read)
    );
    assert_eq!((key_matches, found as i64), (function_matches, function_matches), "all find the same");
}

/// What the query counts, and how long the fastest of three runs took.
async fn best(pool: &PgPool, query: &'static str) -> (i64, Duration) {
    let (mut matches, mut fastest) = (0, Duration::MAX);
    for _ in 0..3 {
        let start = Instant::now();
        matches = sqlx::query_scalar(query).fetch_one(pool).await.unwrap();
        fastest = fastest.min(start.elapsed());
    }
    (matches, fastest)
}

/// The numbers of the versions of some crates, and the ranges of some packages.
async fn material() -> (Vec<Vec<String>>, Vec<Vec<Range>>) {
    let (Some(index), Some(advisories)) =
        (corpus("cargo-index/sparse-index.tar.xz"), corpus("osv/crates.io.zip"))
    else {
        return made_up();
    };
    let db = TestDb::migrated(Database::Ardb).await;
    let now = DateTime::<Utc>::UNIX_EPOCH;
    cargo_index(&db, &index, now, &()).await.unwrap();
    osv(&db, &advisories, now, &()).await.unwrap();
    let pool = db.get_postgres_connection_pool();
    let numbers = "select array_agg(number order by sort_key) from versions
                   group by package_id having count(*) >= $1 order by package_id";
    let ranges = "select affected.normalized_name, stretch.introduced, stretch.fixed, stretch.last_affected
                  from affected_intervals stretch
                  join affected_ranges stretches on stretches.id = stretch.affected_range_id
                  join affected_packages affected on affected.id = stretches.affected_package_id
                  where stretch.lower_key is not null order by 1, stretch.id";
    let ranges: Vec<(String, String, Option<String>, Option<String>)> =
        sqlx::query_as(ranges).fetch_all(pool).await.unwrap();
    let of_package = |ranges: &[(String, String, Option<String>, Option<String>)]| {
        ranges.iter().cloned().map(|(_, introduced, fixed, last)| (introduced, fixed, last)).collect()
    };
    (
        sqlx::query_scalar(numbers).bind(LEAST_VERSIONS).fetch_all(pool).await.unwrap(),
        ranges.chunk_by(|a, b| a.0 == b.0).map(of_package).collect(),
    )
}

fn made_up() -> (Vec<Vec<String>>, Vec<Vec<Range>>) {
    let number = |n: usize| format!("{}.{}.{}", n / 40, n % 40 / 4, n % 4);
    let numbers = |seed: usize| (0..150 + seed * 7 % 100).map(number).collect();
    let range =
        |seed: usize| (format!("{}.0.0", seed % 3), Some(format!("{}.{}.1", seed % 3, 1 + seed % 4)), None);
    let ranges = |seed: usize| (seed..seed + 1 + seed % 2).map(range).collect();
    ((0..300).map(numbers).collect(), (0..900).map(ranges).collect())
}

/// Packages whose versions are those of `crates` in turn, until there are [`VERSIONS`], all of them in one inventory,
/// and whose ranges are those of `ranges` in turn, until there are [`RANGES`]. How many packages that are.
async fn fill(pool: &PgPool, crates: &[Vec<String>], ranges: &[Vec<Range>]) -> usize {
    let (mut names, mut numbers, mut keys) = (Vec::new(), Vec::new(), Vec::new());
    let mut packages = 0;
    for crate_numbers in crates.iter().cycle() {
        for number in crate_numbers.iter().take(VERSIONS - numbers.len()) {
            names.push(format!("p{packages}"));
            numbers.push(number.clone());
            keys.push(key(number));
        }
        packages += 1;
        if numbers.len() == VERSIONS {
            break;
        }
    }
    sqlx::raw_sql(
        "insert into source_documents (kind, locator, sha256, size_bytes, imported_at)
         values ('lockfile', 'bench', sha256('bench'), 1, now());
         insert into inventories (kind, name, source_document_id) values ('lockfile', 'bench', 1)",
    )
    .execute(pool)
    .await
    .unwrap();
    sqlx::query(
        "insert into inventory_components (inventory_id, ecosystem_id, name, normalized_name, number, sort_key, source)
         select 1, 1, name, name, number, key, $4
         from unnest($1::text[], $2::text[], $3::bytea[]) as made (name, number, key)",
    )
    .bind(&names)
    .bind(&numbers)
    .bind(&keys)
    .bind(CRATES_IO)
    .execute(pool)
    .await
    .unwrap();

    let of_packages = ranges.iter().cycle().enumerate();
    let dealt = of_packages.flat_map(|(package, ranges)| ranges.iter().map(move |range| (package, range)));
    for (place, (package, (introduced, fixed, last_affected))) in dealt.take(RANGES).enumerate() {
        let package = format!("p{package}");
        let lower = if introduced == "0" { Vec::new() } else { key(introduced) };
        let upper = fixed.as_deref().or(last_affected.as_deref()).map(key);
        sqlx::query(
            "with advisory as (
                 insert into advisories (identifier, modified_at, source_document_id)
                 values ('BENCH-' || $1::text, now(), 1) returning id
             ),
             affected as (
                 insert into affected_packages (advisory_id, ecosystem_id, name, normalized_name)
                 select id, 1, $2, $2 from advisory returning id
             ),
             stretches as (
                 insert into affected_ranges (affected_package_id, position, kind, events)
                 select id, 0, 'semver', '[]' from affected returning id
             )
             insert into affected_intervals (affected_range_id, position, introduced, fixed, last_affected, lower_key,
                 upper_key, is_upper_inclusive)
             select id, 0, $3, $4, $5, $6, $7, $5::text is not null from stretches",
        )
        .bind(place.to_string())
        .bind(package)
        .bind(introduced)
        .bind(fixed)
        .bind(last_affected)
        .bind(lower)
        .bind(upper)
        .execute(pool)
        .await
        .unwrap();
    }
    packages
}

fn key(number: &str) -> Vec<u8> {
    order::key(VersionScheme::Semver, number).unwrap_or_else(|| panic!("{number} parses"))
}
