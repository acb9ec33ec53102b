//! Package URLs against the specification's own definitions and test cases, where those are.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::{Value, json};
use service::purl::Purl;
use service::purl::case::Case;
use service::purl::rule::{Case as LetterCase, Requirement, Rewrite, Rule, Type};
use service::purl::types::TYPES;

use crate::harness::{Ran, archer, corpus, run};

/// The JSON files of a folder of the corpus, by file name.
fn documents(folder: &str) -> Option<BTreeMap<String, Value>> {
    let folder: PathBuf = corpus(folder)?;
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    let read = |path: PathBuf| {
        let document = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        (path.file_name().unwrap().to_str().unwrap().to_owned(), document)
    };
    Some(files.map(read).collect())
}

#[test]
fn every_case_of_the_specification_is_agreed_with() {
    let Some(files) = documents("purl/tests") else { return };
    let (mut cases, mut disagreements) = (0, Vec::new());
    for (file, document) in &files {
        for case in document["tests"].as_array().unwrap() {
            let case =
                Case::from_json(&case.to_string()).unwrap_or_else(|error| panic!("{file}: {error}: {case}"));
            cases += 1;
            disagreements.extend(case.check().map(|disagreement| format!("{file}: {disagreement:?}")));
        }
    }
    assert!(cases >= 402, "only {cases} cases");
    assert!(disagreements.is_empty(), "{disagreements:#?}");
}

/// Where cases and definitions contradict each other, what is done, so that both pairs of cases hold.
#[test]
fn where_the_specification_contradicts_itself_the_way_out_is_the_one_written_down() {
    let canonical = |text: &str| text.parse::<Purl>().unwrap().to_string();
    // how-to-parse lowers every key, and cases of maven accept repositorY_url; cases of gem and rpm refuse Platform
    // and Arch, and lower them where they ask for the canonical form.
    for (key, text) in [("repositorY_url", "pkg:maven/a/b?repositorY_url=c"), ("mykey", "pkg:gem/a?MyKey=c")]
    {
        assert!(Purl::parse_strictly(text).is_ok(), "{key}");
    }
    assert!(Purl::parse_strictly("pkg:gem/a?Platform=java").is_err());
    assert_eq!(canonical("pkg:gem/a?Platform=java"), "pkg:gem/a?platform=java");
    // how-to-parse splits at the last @; a case has a scope whose @ is not encoded, and no version.
    assert_eq!(canonical("pkg:npm/@a/b"), "pkg:npm/%40a/b");
    // how-to-parse strips a / behind the name; cases refuse one that is followed by a version.
    assert_eq!(canonical("pkg:swift/example.org/a/b/"), "pkg:swift/example.org/a/b");
    assert!("pkg:swift/example.org/a/@1".parse::<Purl>().is_err());
    // how-to-parse ends the namespace at the last /; git's at the first, and its names have / that isn't encoded.
    let git: Purl = "pkg:git/example.org/a/b".parse().unwrap();
    assert_eq!((git.namespace(), git.name()), (Some("example.org"), "a/b"));
    // The definition of git keeps case; a case lowers a repository at GitHub.
    assert_eq!(canonical("pkg:git/github/A/B"), "pkg:git/github/a/b");
    assert_eq!(canonical("pkg:git/example.org/A/B"), "pkg:git/example.org/A/B");
    // The flags of golang keep case; its notes lower it.
    assert_eq!(canonical("pkg:golang/example.org/A/B"), "pkg:golang/example.org/A/B");
}

/// What our table does that no flag of a definition says, and why: type, component, what.
const BEYOND_FLAGS: [(&str, &str, LetterCase); 3] = [
    // "shall be uppercase", says the note.
    ("cpan", "namespace", LetterCase::Upper),
    // A case of the specification; see `types`.
    ("git", "name", LetterCase::LowerAtGithub),
    // "for Databricks, it is case insensitive and shall be lowercased", says the note.
    ("mlflow", "name", LetterCase::LowerAtDatabricks),
];

/// Each normalisation rule of the definitions, which are plain text: who carries it out.
fn carried_out(kind: &str, component: &str, text: &str) -> Option<Rewrite> {
    match (kind, component, text) {
        // The case flag, once more.
        ("alpm", "namespace", "It is not case sensitive and shall be lowercased.") => None,
        // vercmp orders versions; it has no normal form to write.
        ("alpm", "version", rule) if rule.contains("vercmp(8)") => None,
        ("hackage", "name", "Apply kebab-case") => Some(Rewrite::KebabCase),
        ("pub", "name", "Replace non-[a-z] letters, non-[0-9] digits with underscore _") => {
            Some(Rewrite::OtherToUnderscore)
        }
        ("pypi", "name", "Replace underscore _ with dash -") => Some(Rewrite::UnderscoreToDash),
        // The names of files, which are no names of packages.
        ("pypi", "name", rule) if rule.contains("when used in distribution (sdist, wheel) names") => None,
        _ => panic!("{kind} has a rule for its {component} that nobody carries out: {text}"),
    }
}

fn hold_rule(kind: &str, component: &str, rule: &Rule, definition: &Value) {
    let place = format!("{kind} {component}");
    let exception = BEYOND_FLAGS.iter().find(|(of, part, _)| (*of, *part) == (kind, component));
    let is_sensitive = definition["case_sensitive"].as_bool().unwrap_or(true);
    let flag = if is_sensitive { LetterCase::Sensitive } else { LetterCase::Lower };
    assert_eq!(rule.case, exception.map_or(flag, |(_, _, case)| *case), "{place}");
    let pattern = rule.permitted.filter(|permitted| permitted.is_pattern).map(|permitted| permitted.expected);
    assert_eq!(pattern, definition["permitted_characters"].as_str(), "{place}");
    let rules = definition["normalization_rules"].as_array().into_iter().flatten();
    let rewrites: Vec<_> =
        rules.filter_map(|text| carried_out(kind, component, text.as_str().unwrap())).collect();
    assert_eq!(rule.rewrite.as_slice(), rewrites, "{place}");
}

fn hold(kind: &Type, definition: &Value) {
    let name = kind.name;
    let requirement = match kind.namespace_requirement {
        Requirement::Required => "required",
        Requirement::Optional => "optional",
        Requirement::Prohibited => "prohibited",
    };
    assert_eq!(definition["namespace_definition"]["requirement"], requirement, "{name}");
    assert_eq!(definition["name_definition"]["requirement"], "required", "{name}");
    for (component, rule) in [
        ("namespace", &kind.namespace),
        ("name", &kind.package_name),
        ("version", &kind.version),
        ("subpath", &kind.subpath),
    ] {
        let of_component = &definition[format!("{component}_definition")];
        if matches!(component, "version" | "subpath") && !of_component.is_null() {
            assert_eq!(of_component["requirement"], "optional", "{name} {component}");
        }
        hold_rule(name, component, rule, of_component);
    }
    let defined = definition["qualifiers_definition"].as_array().into_iter().flatten();
    let defined: BTreeMap<&str, Value> = defined
        .map(|one| {
            let is_required = one["requirement"] == "required";
            (one["key"].as_str().unwrap(), json!([is_required, one["default_value"]]))
        })
        .collect();
    let ours: BTreeMap<&str, Value> =
        kind.qualifiers.iter().map(|one| (one.key, json!([one.is_required, one.default]))).collect();
    assert_eq!(ours, defined, "{name}");
    let repository = &definition["repository"];
    assert_eq!(
        (json!(kind.has_registry), json!(kind.default_registry)),
        (repository["use_repository"].clone(), repository["default_repository_url"].clone()),
        "{name}"
    );
}

#[test]
fn the_table_says_of_every_type_what_its_definition_says() {
    let Some(files) = documents("purl/types") else { return };
    let definitions: BTreeMap<&str, &Value> =
        files.values().map(|definition| (definition["type"].as_str().unwrap(), definition)).collect();
    let names: BTreeSet<&str> = TYPES.iter().map(|kind| kind.name).collect();
    assert_eq!(names, definitions.keys().copied().collect());
    for kind in &TYPES {
        hold(kind, definitions[kind.name]);
    }
}

/// The schema calls the examples of a definition canonical. These types have some that, by the specification, aren't.
const EXAMPLES_NOT_CANONICAL: [(&str, &str); 11] = [
    ("cocoapods", "a + that is not encoded"),
    ("docker", "a : that is encoded"),
    ("generic", "qualifiers that are not sorted"),
    ("julia", "qualifiers that are not sorted"),
    ("maven", "qualifiers that are not sorted"),
    ("mlflow", "qualifiers that are not sorted"),
    ("oci", "a : that is encoded"),
    ("opam", "a / in the version that is not encoded"),
    ("otp", "qualifiers that are not sorted"),
    ("rpm", "qualifiers that are not sorted"),
    ("yocto", "an & where the ? belongs, so that the qualifiers are part of the version"),
];

#[test]
fn the_examples_of_the_definitions_are_valid_and_but_for_known_ones_canonical() {
    let Some(files) = documents("purl/types") else { return };
    let mut not_canonical = BTreeSet::new();
    for definition in files.values() {
        for example in definition["examples"].as_array().unwrap() {
            let example = example.as_str().unwrap();
            let purl: Purl = example.parse().unwrap_or_else(|error| panic!("{example}: {error}"));
            if purl.to_string() != example {
                not_canonical.insert(purl.kind().to_owned());
            }
        }
    }
    assert_eq!(not_canonical, EXAMPLES_NOT_CANONICAL.map(|(kind, _)| kind.to_owned()).into());
}

/// `archer purl check` with `input` at its standard input.
async fn check(input: &[u8], args: &[&str]) -> Ran {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), input).unwrap();
    let mut command = archer(&["purl", "check"]);
    command.args(args).stdin(file.reopen().unwrap());
    run(command).await
}

#[tokio::test]
async fn cases_that_agree_and_canonical_package_urls_are_counted_and_nothing_else() {
    let input = r#"
{"test_type": "build", "input": {"type": "npm", "name": "rocket"}, "expected_output": "pkg:npm/rocket"}
{"test_type": "parse", "input": "pkg:rocket", "expected_output": null, "expected_failure": true}

pkg:npm/rocket@1.0
"#;
    let ran = check(input.as_bytes(), &[]).await;
    assert_eq!(ran, Ran { code: 0, stdout: "3 checked, 0 disagree\n".into(), stderr: String::new() });
    assert_eq!(check(b"", &[]).await.code, 0);
}

#[tokio::test]
async fn a_disagreement_is_told_with_its_line_and_the_answer_is_no() {
    let input = r#"{"description": "a rocket", "test_type": "validate", "input": "pkg:npm/a", "expected_output": "pkg:npm/b"}
{"description": "no name", "test_type": "validate", "input": "pkg:npm", "expected_output": "pkg:npm/a"}
pkg:PyPI/Acme_Rocket
"#;
    let ran = check(input.as_bytes(), &[]).await;
    let expected = "line 1 validate: a rocket
  input    pkg:npm/a
  expected pkg:npm/b
  found    pkg:npm/a
line 2 validate: no name
  input    pkg:npm
  expected pkg:npm/a
  found    a refusal: name: expected a name, found \"\"
line 3 validate: the canonical form
  input    pkg:PyPI/Acme_Rocket
  expected pkg:PyPI/Acme_Rocket
  found    pkg:pypi/acme-rocket
3 checked, 3 disagree
";
    assert_eq!(ran, Ran { code: 3, stdout: expected.into(), stderr: String::new() });
}

#[tokio::test]
async fn a_malformed_line_is_told_with_its_number_and_the_rest_is_checked() {
    let input = b"{\"test_type\": \nrocket\n\xff\npkg:NPM/a\n{}\n";
    let ran = check(input, &[]).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stdout.ends_with("1 checked, 1 disagree, 4 malformed\n"), "{}", ran.stdout);
    let lines: Vec<_> = ran.stderr.lines().map(|line| &line[..line.find(": ").unwrap() + 8]).collect();
    assert_eq!(lines, ["error: line 1", "error: line 2", "error: line 3", "error: line 5"]);

    let ran = check(input, &["--json"]).await;
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.code, ran.stderr.as_str(), &report["checked"]), (1, "", &json!(1)));
    let lines =
        |of: &str| report[of].as_array().unwrap().iter().map(|one| one["line"].clone()).collect::<Vec<_>>();
    assert_eq!(
        (lines("disagreements"), lines("malformed")),
        (vec![json!(4)], vec![json!(1), json!(2), json!(3), json!(5)])
    );
    assert_eq!(report["disagreements"][0]["found"], "pkg:npm/a");
}
