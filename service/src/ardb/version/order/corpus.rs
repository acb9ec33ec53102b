//! The orders held against real data, where `ARCHER_CORPUS` says that there is some.

use std::{cmp::Ordering, fs, path::PathBuf};

use serde_json::Value;

use super::{
    super::range::{Event, affects},
    *,
};

/// Pairs that the corpus has otherwise than this order, and by which rule.
const EXCEPTIONS: [(&str, &str); 2] = [
    (
        "alpine-versions.txt: 0.r1 < 0r2",
        "both are invalid to apk; its 2.14 reads on: behind the 0, a dot (without a number) is above a letter",
    ),
    (
        "alpine-versions.txt: 1-ruff2 = 1--ruff1",
        "both are invalid to apk; its 2.14 reads a revision without a number in the first and nothing in the second, \
         and of two versions that begin the same one that goes on is never equal to one that can't be read",
    ),
];

fn corpus(folder: &str) -> Option<PathBuf> {
    let corpus = std::env::var_os("ARCHER_CORPUS").filter(|corpus| !corpus.is_empty());
    if corpus.is_none() {
        println!("skipped: ARCHER_CORPUS names no folder");
    }
    corpus.map(|corpus| PathBuf::from(corpus).join(folder))
}

/// The file has lines `a < b`, `a = b`, `a > b`, blank ones and comments. What disagrees, and how many pairs there are.
fn disagreements(folder: &std::path::Path, file: &str, scheme: Scheme) -> (Vec<String>, usize) {
    let text = fs::read_to_string(folder.join(file)).unwrap();
    let mut compared = 0;
    let mut disagreements = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') || line.starts_with("//") {
            continue;
        }
        let [a, operator, b] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{file}: {line}") };
        compared += 1;
        let found = compare(scheme, a, b);
        let expected = match operator {
            "<" => Ordering::Less,
            "=" => Ordering::Equal,
            ">" => Ordering::Greater,
            _ => panic!("{file}: {line}"),
        };
        if found != Some(expected) {
            disagreements.push(format!("{file}: {line}"));
            println!("{file}: {line} came out as {found:?}");
        }
        let keys = (key(scheme, a), key(scheme, b));
        if let (Some(a), Some(b)) = &keys {
            assert_eq!(found, Some(a.cmp(b)), "{file}: {line}: the keys disagree with the comparison");
        }
    }
    (disagreements, compared)
}

#[test]
fn every_pair_of_the_corpus_compares_as_its_ecosystem_says() {
    let Some(folder) = corpus("versions") else { return };
    let files = [
        (Scheme::Apk, ["alpine-versions.txt", "alpine-versions-generated.txt"].as_slice()),
        (Scheme::Cran, &["cran-versions.txt", "cran-versions-generated.txt"]),
        (Scheme::Deb, &["debian-versions.txt", "debian-versions-generated.txt"]),
        (Scheme::Hackage, &["hackage-versions.txt"]),
        (Scheme::Maven, &["maven-versions.txt", "maven-versions-generated.txt"]),
        (Scheme::Nuget, &["nuget-versions.txt"]),
        (Scheme::Composer, &["packagist-versions.txt", "packagist-versions-generated.txt"]),
        (Scheme::Pub, &["pub-versions.txt"]),
        (Scheme::Pep440, &["pypi-versions.txt", "pypi-versions-generated.txt"]),
        (Scheme::Rpm, &["redhat-versions.txt"]),
        (Scheme::Gem, &["rubygems-versions.txt", "rubygems-versions-generated.txt"]),
        (Scheme::Semver, &["semver-versions.txt"]),
    ];
    let mut found = Vec::new();
    for (scheme, files) in files {
        let mut compared = 0;
        let before = found.len();
        for file in files {
            let (disagreements, count) = disagreements(&folder, file, scheme);
            compared += count;
            found.extend(disagreements);
        }
        let disagreeing = found.len() - before;
        println!("{scheme:?}: {compared} pairs, {disagreeing} disagree");
        assert!(
            compared > 0 && disagreeing * 1000 < compared.max(1),
            "{scheme:?}: {disagreeing} of {compared}"
        );
    }
    assert_eq!(found, EXCEPTIONS.map(|(line, _)| line));
}

/// `{"tests": [{"test_type", "input": {"input_scheme", "versions"}, "expected_output"}]}`: for `equality` a boolean,
/// for `comparison` the versions, lowest first.
#[test]
fn every_comparison_of_the_vers_corpus_agrees() {
    let Some(folder) = corpus("vers") else { return };
    let mut compared = 0;
    for (scheme, name, file) in [
        (Scheme::Apk, "apk", "alpine_version_cmp_test.json"),
        (Scheme::Maven, "maven", "maven_version_cmp_test.json"),
        (Scheme::Nuget, "nuget", "nuget_version_cmp_test.json"),
    ] {
        for case in tests(&folder, file) {
            assert_eq!(case["input"]["input_scheme"], name);
            let expected = &case["expected_output"];
            match case["test_type"].as_str().unwrap() {
                "equality" => {
                    let [a, b] = &texts(&case["input"]["versions"])[..] else { panic!("{case}") };
                    let is_equal = compare(scheme, a, b) == Some(Ordering::Equal);
                    assert_eq!(Some(is_equal), expected.as_bool(), "{case}");
                }
                "comparison" => {
                    for pair in texts(expected).windows(2) {
                        let found = compare(scheme, &pair[0], &pair[1]).unwrap();
                        assert!(found.is_le(), "{case}");
                        // The same is not said to be different.
                        assert!(found.is_lt() || key(scheme, &pair[0]) == key(scheme, &pair[1]), "{case}");
                    }
                }
                other => panic!("{other}"),
            }
            compared += 1;
        }
    }
    println!("{compared} cases");
    assert!(compared > 800);
}

#[test]
fn every_containment_of_the_vers_corpus_agrees() {
    let Some(folder) = corpus("vers") else { return };
    for (scheme, file) in [
        (Scheme::Semver, "npm_range_containment_test.json"),
        (Scheme::Pep440, "pypi_range_containment_test.json"),
    ] {
        for case in tests(&folder, file) {
            let (range, version) =
                (case["input"]["vers"].as_str().unwrap(), case["input"]["version"].as_str().unwrap());
            let constraints = range.split_once('/').unwrap().1;
            let found = contains(scheme, constraints, version);
            assert_eq!(Some(found), case["expected_output"].as_bool(), "{case}");
        }
    }
}

fn tests(folder: &std::path::Path, file: &str) -> Vec<Value> {
    let read: Value = serde_json::from_slice(&fs::read(folder.join(file)).unwrap()).unwrap();
    read["tests"].as_array().unwrap().clone()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// Whether a range of the vers specification contains `version`: its constraints, sorted by version, are read as the
/// events of OSV's ranges; what is equal to a bare version or a bound that includes it counts in any case.
fn contains(scheme: Scheme, constraints: &str, version: &str) -> bool {
    if constraints == "*" {
        return key(scheme, version).is_some();
    }
    let split = |constraint: &str| {
        let operator = ["!=", "<=", ">=", "<", ">", "="]
            .into_iter()
            .find(|it| constraint.starts_with(it))
            .unwrap_or("=");
        (operator.to_owned(), constraint.strip_prefix(operator).unwrap_or(constraint).to_owned())
    };
    let constraints: Vec<_> = constraints.split('|').map(split).collect();
    for (operator, bound) in &constraints {
        if compare(scheme, version, bound) == Some(Ordering::Equal) {
            return matches!(operator.as_str(), "=" | "<=" | ">=");
        }
    }
    let mut bounds: Vec<_> =
        constraints.iter().filter(|(operator, _)| operator != "=" && operator != "!=").collect();
    bounds.sort_by_key(|(_, bound)| key(scheme, bound));
    let mut events: Vec<Event> = Vec::new();
    if bounds.first().is_some_and(|(operator, _)| operator.starts_with('<')) {
        events.push(Event::Introduced("0".into()));
    }
    events.extend(bounds.iter().map(|(operator, bound)| match operator.as_str() {
        "<" | "<=" => Event::Fixed(bound.clone()),
        _ => Event::Introduced(bound.clone()),
    }));
    affects(scheme, version, &[events], &[])
}

/// Versions that PyPA enumerates as affected and that are in none of the record's ranges, by `packaging` 26, too.
const OUTSIDE: [&str; 9] = [
    "PYSEC-2021-114 wagtail 2.11.6",
    "PYSEC-2023-177 gevent 23.9.0",
    "PYSEC-2023-177 gevent 23.9.0.post1",
    "PYSEC-2023-61 django 3.2a1",
    "PYSEC-2023-61 django 3.2b1",
    "PYSEC-2023-61 django 3.2rc1",
    "PYSEC-2023-61 django 4.2a1",
    "PYSEC-2023-61 django 4.2b1",
    "PYSEC-2023-61 django 4.2rc1",
];

#[test]
fn the_ranges_of_pypa_hold_what_its_records_enumerate() {
    let Some(folder) = corpus("osv") else { return };
    let mut records = zip::ZipArchive::new(fs::File::open(folder.join("PyPI.zip")).unwrap()).unwrap();
    let mut outside = Vec::new();
    let (mut checked, mut unparsed) = (0, 0);
    for index in 0..records.len() {
        let record: Value = serde_json::from_reader(records.by_index(index).unwrap()).unwrap();
        for affected in record["affected"].as_array().into_iter().flatten() {
            let ranges: Vec<Vec<Event>> = affected["ranges"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|range| range["type"] == "ECOSYSTEM")
                .map(|range| range["events"].as_array().unwrap().iter().flat_map(events).collect())
                .collect();
            if ranges.is_empty() {
                continue;
            }
            for version in texts(&affected["versions"]) {
                checked += 1;
                if key(Scheme::Pep440, &version).is_none() {
                    unparsed += 1;
                } else if !affects(Scheme::Pep440, &version, &ranges, &[]) {
                    let (id, name) =
                        (record["id"].as_str().unwrap(), affected["package"]["name"].as_str().unwrap());
                    outside.push(format!("{id} {name} {version}"));
                }
            }
        }
    }
    println!("{checked} versions, {unparsed} of them none by PEP 440, outside their ranges: {outside:#?}");
    outside.sort();
    assert_eq!(outside, OUTSIDE);
    // As many as packaging 26 refuses.
    assert_eq!((checked, unparsed), (140_846, 108));
}

fn events(event: &Value) -> Vec<Event> {
    let pairs = event.as_object().unwrap().iter();
    pairs.map(|(kind, version)| Event::new(kind, version.as_str().unwrap().to_owned()).unwrap()).collect()
}
