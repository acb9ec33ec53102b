//! `archer version`: lines in, answers and exit codes out.

use std::fs::File;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::harness::{Database, Ran, TestDb, archer, corpus, run};
use crate::import_support::{execute, lines};

/// `archer version …` with `input` on its standard input.
async fn version(args: &[&str], input: &str) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("input");
    std::fs::write(&path, input).unwrap();
    let mut command = archer(&["version"]);
    command.args(args).stdin(Stdio::from(File::open(path).unwrap()));
    run(command).await
}

#[tokio::test]
async fn pairs_that_agree_are_counted_and_end_with_zero() {
    let input = "# Debian\n\n// and this\n1.0~rc1-1 < 1.0-1\n1.0 = 0:1.0-0\n10 > 9\n";
    let ran = version(&["compare", "--ecosystem", "debian:12"], input).await;
    assert_eq!(ran.stdout, "3 pairs of deb compared, 0 of them disagree\n");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
}

#[tokio::test]
async fn each_disagreement_is_printed_and_the_exit_code_is_three() {
    let input = "1.0 < 1.0.0\n1.0 = 1\nx < 1\n";
    let ran = version(&["compare", "--ecosystem", "crates.io"], input).await;
    let expected = "line 1: 1.0 < 1.0.0 came out as =\nline 3: x < 1 does not parse\n\
                    3 pairs of cargo compared, 2 of them disagree\n";
    assert_eq!((ran.code, ran.stdout.as_str()), (3, expected));

    let ran = version(&["compare", "--ecosystem", "cargo", "--json"], input).await;
    let expected = json!({
        "ecosystem": "cargo",
        "compared": 3,
        "disagreements": [
            {"line": 1, "case": "1.0 < 1.0.0", "found": "="},
            {"line": 3, "case": "x < 1", "found": null},
        ],
        "malformed": [],
    });
    assert_eq!((ran.code, serde_json::from_str::<Value>(&ran.stdout).unwrap()), (3, expected));
}

#[tokio::test]
async fn a_malformed_line_is_named_and_the_rest_is_compared() {
    let ran = version(&["compare", "--ecosystem", "npm"], "1.0.0 < 2.0.0\n1 <= 2\n2.0.0 > 1.0.0\n").await;
    assert_eq!((ran.code, ran.stdout.as_str()), (1, "2 pairs of npm compared, 0 of them disagree\n"));
    assert!(ran.stderr.contains("line 2"), "{}", ran.stderr);
}

#[tokio::test]
async fn an_unknown_ecosystem_is_wrong_usage_and_the_known_ones_are_listed() {
    let ran = version(&["compare", "--ecosystem", "commodore"], "").await;
    assert_eq!(ran.code, 2);
    for name in ["commodore", "cargo (crates.io)", "golang (Go)", "pypi", "Red Hat"] {
        assert!(ran.stderr.contains(name), "{name}: {}", ran.stderr);
    }
}

#[tokio::test]
async fn ranges_and_enumerations_answer_line_by_line() {
    let events = json!([{"fixed": "2.0"}, {"introduced": "0"}]);
    let line = |version: &str, versions: &[&str]| {
        json!({"version": version, "ranges": [{"type": "ECOSYSTEM", "events": events}], "versions": versions})
            .to_string()
    };
    let input = [
        line("1.0", &[]),
        line("2.0.0", &[]),
        "{}".into(),
        line("2.0rc1", &[]),
        line("french", &[]),
        line("french", &["french"]),
    ]
    .join("\n");
    let ran = version(&["affects", "--ecosystem", "pypi"], &input).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (1, "true\nfalse\nerror\ntrue\nfalse\ntrue\n"));
    assert!(ran.stderr.contains("line 3"), "{}", ran.stderr);

    let ran = version(&["affects", "--ecosystem", "pypi", "--json"], &line("1.0", &[])).await;
    let expected = json!({"ecosystem": "pypi", "affected": [true], "malformed": []});
    assert_eq!((ran.code, serde_json::from_str::<Value>(&ran.stdout).unwrap()), (0, expected));
}

#[tokio::test]
async fn the_pairs_of_the_corpus_agree_at_the_command_line() {
    let Some(folder) = corpus("versions") else { return };
    for (ecosystem, file) in
        [("Maven", "maven-versions.txt"), ("Pub", "pub-versions.txt"), ("PyPI", "pypi-versions.txt")]
    {
        let ran = version(
            &["compare", "--ecosystem", ecosystem],
            &std::fs::read_to_string(folder.join(file)).unwrap(),
        )
        .await;
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    }
}

/// A migration may not import the service, so the seed and the command's own list are held together here.
#[tokio::test]
async fn every_ecosystem_of_the_database_is_known_to_the_command_with_the_same_order() {
    let db = TestDb::migrated(Database::Ardb).await;
    execute(&db, "insert into ecosystems (name, version_scheme) values ('commodore', 'opaque')").await;
    let query = "select concat_ws(' ', name, coalesce(osv_name, name), coalesce(purl_type, name), version_scheme) as line
                 from ecosystems order by id";
    for line in lines(&db, query).await {
        let [name, osv_name, purl_type, scheme] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        for name in [name, osv_name, purl_type] {
            let found = service::ardb::version::ecosystem::find(name);
            let found = found.map_or("opaque".to_owned(), |it| format!("{:?}", it.scheme).to_lowercase());
            assert_eq!(found, scheme, "{line}");
        }
    }
}
