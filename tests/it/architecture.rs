//! The arrows between the crates, as ARCHITECTURE.md draws them.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

/// What each library may depend on of ours. What only a crate's program needs is optional and not listed.
const ARROWS: [(&str, &[&str]); 13] = [
    ("api", &["events", "migration"]),
    (
        "cli",
        &[
            "api",
            "dev",
            "entity-analyticsdb",
            "entity-ardb",
            "entity-identitydb",
            "events",
            "migration",
            "migration-runner",
            "service",
        ],
    ),
    ("dev", &["migration-runner"]),
    ("entity-analyticsdb", &[]),
    ("entity-ardb", &[]),
    ("entity-identitydb", &[]),
    ("events", &[]),
    ("migration", &["migration-analyticsdb", "migration-ardb", "migration-identitydb", "migration-runner"]),
    ("migration-analyticsdb", &["migration-runner"]),
    ("migration-ardb", &["migration-runner"]),
    ("migration-identitydb", &["migration-runner"]),
    ("migration-runner", &[]),
    ("service", &["entity-analyticsdb", "entity-ardb", "entity-identitydb"]),
];

#[test]
fn arrows_between_the_crates_point_as_drawn() {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let ours = |package: &Value| -> Vec<String> {
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        let required = dependencies
            .filter(|one| !one["path"].is_null() && one["kind"].is_null() && one["optional"] == false);
        let mut names: Vec<_> = required.map(|one| one["name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    let found: BTreeMap<String, Vec<String>> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| (package["name"].as_str().unwrap().to_owned(), ours(package)))
        .filter(|(name, _)| name != "tests")
        .collect();
    let drawn =
        ARROWS.map(|(name, arrows)| (name.to_owned(), arrows.iter().map(|&to| to.to_owned()).collect()));
    assert_eq!(found, BTreeMap::from(drawn));
}
