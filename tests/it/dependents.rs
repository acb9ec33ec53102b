//! What depends on a package, over several steps, in pages, and how long that takes where nearly everything does.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use entity_ardb::PackageId;
use sea_orm::DatabaseConnection;
use service::ardb::dependent::{self, Dependent, MAX_DEPTH, MAX_PAGE};

use crate::{
    harness::{Database, TestDb},
    import_support::execute,
};

/// Packages `p1` to `p<count>` by these ids, of which the first of each of `edges` depends on the second. Their popularity
/// is their id modulo 10. Written around the triggers, which have tests of their own.
async fn graph(db: &DatabaseConnection, count: i64, edges: &str) {
    execute(
        db,
        &format!(
            "begin;
             set local session_replication_role = replica;
             insert into packages (id, ecosystem_id, name, normalized_name)
             select n, 1, 'p' || n, 'p' || n from generate_series(1, {count}) n;
             insert into package_search_entries (package_id, name, document, popularity)
             select n, 'p' || n, '', n % 10 from generate_series(1, {count}) n;
             insert into dependents (dependent_package_id, package_id, dependencies_count)
             select dependent, package, 1 from ({edges}) edges (dependent, package);
             commit"
        ),
    )
    .await;
    execute(db, "vacuum analyze packages, package_search_entries, dependents").await;
}

async fn nearest(db: &DatabaseConnection, package: i64, depth: u32) -> Vec<Dependent> {
    dependent::nearest(db, PackageId(package), depth, None, MAX_PAGE).await.unwrap()
}

fn steps_and_names(found: &[Dependent]) -> Vec<(i32, &str)> {
    found.iter().map(|found| (found.depth, found.name.as_str())).collect()
}

#[tokio::test]
async fn dependents_over_several_steps_end_in_a_circle_and_at_the_bounds() {
    let db = TestDb::migrated(Database::Ardb).await;
    graph(&db, 10, "select n % 10 + 1, n from generate_series(1, 10) n").await;
    assert_eq!(steps_and_names(&nearest(&db, 1, 1).await), [(1, "p2")]);
    assert_eq!(steps_and_names(&nearest(&db, 1, 3).await), [(1, "p2"), (2, "p3"), (3, "p4")]);
    assert_eq!(nearest(&db, 1, MAX_DEPTH).await.len(), 9, "all but itself");
    assert_eq!(nearest(&db, 1, 0).await, []);
    assert_eq!(nearest(&db, -1, MAX_DEPTH).await, []);
    let two = dependent::nearest(&*db, PackageId(1), MAX_DEPTH, None, 2).await.unwrap();
    assert_eq!(steps_and_names(&two), [(1, "p2"), (2, "p3")]);
    assert_eq!(dependent::nearest(&*db, PackageId(1), MAX_DEPTH, None, 0).await.unwrap(), []);
    for depth in [MAX_DEPTH + 1, u32::MAX] {
        let refused = dependent::nearest(&*db, PackageId(1), depth, None, 2).await.unwrap_err();
        assert_eq!(refused.to_string(), format!("depth: expected at most 16 steps, not {depth}"));
    }
}

#[tokio::test]
async fn a_package_that_is_deleted_is_not_shown_and_what_depends_on_it_is() {
    let db = TestDb::migrated(Database::Ardb).await;
    graph(&db, 3, "values (2, 1), (3, 2)").await;
    execute(&db, "update packages set deleted_at = now() where id = 2").await;
    assert_eq!(steps_and_names(&nearest(&db, 1, 2).await), [(2, "p3")]);
}

/// Every package by the fewest steps that it is from `package`, at most `depth`.
fn steps(edges: &[(i64, i64)], package: i64, depth: i32) -> BTreeMap<i64, i32> {
    let mut found = BTreeMap::from([(package, 0)]);
    for step in 1..=depth {
        let reached: Vec<_> = edges
            .iter()
            .filter(|(_, on)| found.get(on) == Some(&(step - 1)))
            .map(|(dependent, _)| *dependent)
            .collect();
        for dependent in reached {
            found.entry(dependent).or_insert(step);
        }
    }
    found.remove(&package);
    found
}

#[tokio::test]
async fn every_dependent_is_found_once_and_nearest_in_pages_of_any_size() {
    let db = TestDb::migrated(Database::Ardb).await;
    // Some three dependents each, with circles, and packages that depend on themselves.
    let edges: BTreeSet<_> = (0..180).map(|n| (n * n % 59 + 1, n * 7 % 61 % 59 + 1)).collect();
    let edges: Vec<(i64, i64)> = edges.into_iter().collect();
    let values: Vec<_> = edges.iter().map(|(dependent, on)| format!("({dependent}, {on})")).collect();
    graph(&db, 59, &format!("values {}", values.join(", "))).await;
    let mut deepest = 0;
    for package in 1..=59 {
        for depth in [1, 2, 3, MAX_DEPTH] {
            let all = nearest(&db, package, depth).await;
            let mut expected: Vec<_> = steps(&edges, package, depth.cast_signed())
                .into_iter()
                .map(|(id, steps)| (steps, -(id % 10), id))
                .collect();
            expected.sort_unstable();
            let found: Vec<_> =
                all.iter().map(|found| (found.depth, -found.popularity, found.package_id.0)).collect();
            assert_eq!(found, expected, "{package} over {depth}");
            deepest = deepest.max(all.last().map_or(0, |last| last.depth));
            for limit in [1, 7] {
                let mut paged: Vec<Dependent> = Vec::new();
                loop {
                    let id = PackageId(package);
                    let page = dependent::nearest(&*db, id, depth, paged.last(), limit).await.unwrap();
                    if page.is_empty() {
                        break;
                    }
                    paged.extend(page);
                }
                assert_eq!(paged, all, "{package} over {depth} in pages of {limit}");
            }
        }
    }
    assert!(deepest > 3, "the graph is deep: {deepest}");
}

/// A package that 100,000 others depend on, each of which depends on some of the others, too, is what took half a minute
/// when ways were followed and not packages.
#[tokio::test]
async fn the_first_page_of_a_hundred_thousand_dependents_comes_within_a_second_at_any_depth() {
    const BOUND: Duration = Duration::from_secs(1);
    let db = TestDb::migrated(Database::Ardb).await;
    let edges = "select n, 2 from generate_series(3, 100002) n
                 union select n, 3 + (n * 31 + k * 977) % 100000 from generate_series(3, 100002) n, generate_series(1, 5) k
                 union values (2, 1)";
    graph(&db, 100_002, edges).await;
    for (package, depth) in [(2, 1), (2, MAX_DEPTH), (1, 2), (1, MAX_DEPTH)] {
        // Other tests run beside this one.
        let mut times = Vec::new();
        while times.last().is_none_or(|time| *time > BOUND) {
            assert!(times.len() < 20, "{package} over {depth}: {times:?}");
            let start = Instant::now();
            let page = dependent::nearest(&*db, PackageId(package), depth, None, 50).await.unwrap();
            times.push(start.elapsed());
            assert_eq!(page.len(), 50);
        }
    }
    let all = dependent::nearest(&*db, PackageId(2), MAX_DEPTH, None, u64::MAX).await.unwrap();
    assert_eq!(all.len() as u64, MAX_PAGE);
}
