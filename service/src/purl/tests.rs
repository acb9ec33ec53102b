use super::case::Case;
use super::{Component, Purl, types};

fn canonical(text: &str) -> String {
    text.parse::<Purl>().unwrap_or_else(|error| panic!("{text}: {error}")).to_string()
}

fn refusal(text: &str) -> (Component, String) {
    let error = text.parse::<Purl>().expect_err(text);
    (error.component, error.to_string())
}

#[test]
fn every_component_is_read_decoded() {
    let purl: Purl =
        "pkg:generic/acme/%C3%BC%20b/a%2Fb@1%2B2?vcs_url=git:%2F%2Fx%3Fy%3Dz&k=%26#p/q%23".parse().unwrap();
    assert_eq!(purl.kind(), "generic");
    assert_eq!(purl.namespace(), Some("acme/ü b"));
    assert_eq!(purl.name(), "a/b");
    assert_eq!(purl.version(), Some("1+2"));
    let qualifiers: Vec<_> = purl.qualifiers().iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(qualifiers, [("k", "&"), ("vcs_url", "git://x?y=z")]);
    assert_eq!(purl.subpath(), Some("p/q#"));
}

#[test]
fn what_is_not_canonical_becomes_so() {
    for (given, expected) in [
        ("PKG:///Cargo/serde/", "pkg:cargo/serde"),
        ("pkg:generic//a//b@?&&x=&Y=1#/./a//../b/", "pkg:generic/a/b?y=1#a/b"),
        ("pkg:generic/a%2fb@1%3A2~3", "pkg:generic/a%2Fb@1:2~3"),
        ("pkg:generic/ü@1 2", "pkg:generic/%C3%BC@1%202"),
        ("pkg:generic/a@v/1", "pkg:generic/a@v%2F1"),
        ("pkg:generic/a#%2E%2E/b", "pkg:generic/a#b"),
        ("pkg:generic/a?b", "pkg:generic/a"),
        ("pkg:generic/a?b=1&B=1", "pkg:generic/a?b=1"),
        ("pkg:npm/@acme/rocket", "pkg:npm/%40acme/rocket"),
        ("pkg:npm/@acme/rocket@1.0", "pkg:npm/%40acme/rocket@1.0"),
        ("pkg:unknown.type-9/A_b/C", "pkg:unknown.type-9/A_b/C"),
    ] {
        assert_eq!(canonical(given), expected, "{given}");
    }
}

#[test]
fn each_type_normalises_its_own_way() {
    for (given, expected) in [
        ("pkg:pypi/Acme_Rocket.core@1.0RC1", "pkg:pypi/acme-rocket.core@1.0rc1"),
        ("pkg:github/Acme/Rocket@V1", "pkg:github/acme/rocket@V1"),
        ("pkg:golang/example.org/Acme/Rocket", "pkg:golang/example.org/Acme/Rocket"),
        ("pkg:npm/Rocket", "pkg:npm/Rocket"),
        ("pkg:nuget/Acme.Rocket", "pkg:nuget/Acme.Rocket"),
        ("pkg:pub/Acme-Rocket", "pkg:pub/acme_rocket"),
        ("pkg:hackage/Acme_Rocket", "pkg:hackage/Acme-Rocket"),
        ("pkg:cpan/acme/Rocket", "pkg:cpan/ACME/Rocket"),
        ("pkg:git/example.org/Acme/sub/Rocket.git", "pkg:git/example.org/Acme/sub/Rocket.git"),
        ("pkg:git/github.com/Acme/Rocket", "pkg:git/github.com/acme/rocket"),
        (
            "pkg:mlflow/Rocket?repository_url=adb-1.azuredatabricks.net/api",
            "pkg:mlflow/rocket?repository_url=adb-1.azuredatabricks.net%2Fapi",
        ),
        (
            "pkg:mlflow/Rocket?repository_url=https://notdatabricks.com",
            "pkg:mlflow/Rocket?repository_url=https:%2F%2Fnotdatabricks.com",
        ),
        ("pkg:otp/Rocket#Src/A.erl", "pkg:otp/rocket#src/a.erl"),
    ] {
        assert_eq!(canonical(given), expected, "{given}");
    }
}

#[test]
fn a_refusal_names_the_component_and_what_was_expected() {
    for (given, component, message) in [
        ("", Component::Scheme, r#"scheme: expected pkg:, found """#),
        ("npm/a", Component::Scheme, r#"scheme: expected pkg:, found "npm/a""#),
        ("pkg:", Component::Type, r#"type: expected a letter, then letters, digits, . and -, found """#),
        (
            "pkg:a+b/c",
            Component::Type,
            r#"type: expected a letter, then letters, digits, . and -, found "a+b""#,
        ),
        ("pkg:npm", Component::Name, r#"name: expected a name, found """#),
        ("pkg:pub", Component::Name, r#"name: expected a name, found """#),
        ("pkg:npm/%2F", Component::Name, r#"name: expected a name, found """#),
        ("pkg:npm/a/@1", Component::Name, r#"name: expected a name before the @ of the version, found """#),
        ("pkg:npm/a%2", Component::Name, r#"name: expected two hexadecimal digits after %, found "a%2""#),
        (
            "pkg:npm/a@%zz",
            Component::Version,
            r#"version: expected two hexadecimal digits after %, found "%zz""#,
        ),
        ("pkg:npm/%FF", Component::Name, r#"name: expected UTF-8 behind the percent-encoding, found "%FF""#),
        (
            "pkg:npm/a%2Fb/c",
            Component::Namespace,
            r#"namespace: expected segments without an encoded /, found "a/b""#,
        ),
        (
            "pkg:npm/a#b%2Fc",
            Component::Subpath,
            r#"subpath: expected segments without an encoded /, found "b/c""#,
        ),
        (
            "pkg:npm/a?1=b",
            Component::Qualifiers,
            r#"qualifiers: expected keys of a letter, then letters, digits, ., - and _, found "1""#,
        ),
        ("pkg:npm/a?b=1&b=2", Component::Qualifiers, r#"qualifiers: expected each key once, found "b""#),
        (
            "pkg:maven/a",
            Component::Namespace,
            r#"namespace: expected a namespace, which maven requires, found """#,
        ),
        (
            "pkg:cargo/a/b",
            Component::Namespace,
            r#"namespace: expected none, as cargo has no namespaces, found "a""#,
        ),
        (
            "pkg:julia/A",
            Component::Qualifiers,
            r#"qualifiers: expected uuid, which julia requires, found """#,
        ),
        (
            "pkg:cpan/A::B",
            Component::Name,
            r#"name: expected a distribution, not a module: no ::, found "A::B""#,
        ),
        (
            "pkg:cocoapods/a%20b",
            Component::Name,
            r#"name: expected no whitespace, no + and no . in front, found "a b""#,
        ),
        (
            "pkg:swid/a/b/c/d?tag_id=1",
            Component::Namespace,
            r#"namespace: expected at most two segments, found "a/b/c""#,
        ),
        ("pkg:chrome-extension/q", Component::Name, r#"name: expected ^[a-p]{32}$, found "q""#),
    ] {
        assert_eq!(refusal(given), (component, message.to_owned()), "{given}");
    }
}

#[test]
fn an_error_repeats_no_more_than_80_characters() {
    let error = format!("pkg:{}", "é".repeat(1_000_000)).parse::<Purl>().unwrap_err();
    assert_eq!(error.found, format!("{}…", "é".repeat(80)));
}

#[test]
fn the_strict_way_refuses_only_a_key_of_the_types_own_in_capitals() {
    for (text, is_refused) in [
        ("pkg:gem/rocket?Platform=java", true),
        ("pkg:gem/rocket?platform=java", false),
        ("pkg:gem/rocket?Repository_URL=example.org", false),
        ("pkg:unknown/rocket?Platform=java", false),
    ] {
        assert!(text.parse::<Purl>().is_ok(), "{text}");
        assert_eq!(Purl::parse_strictly(text).is_err(), is_refused, "{text}");
    }
}

#[test]
fn a_builder_normalises_as_parsing_does() {
    let built = Purl::new("PyPI", "/Acme_Rocket/")
        .with_version("1.0")
        .with_qualifier("File_Name", "Acme.whl")
        .with_qualifier("empty", "")
        .with_subpath("/a/./b/")
        .build()
        .unwrap();
    assert_eq!(built.to_string(), "pkg:pypi/acme-rocket@1.0?file_name=Acme.whl#a/b");
    assert_eq!(built.to_string().parse(), Ok(built));
    let path = Purl::new("git", "core/rocket").with_namespace("example.org/acme").build().unwrap();
    assert_eq!((path.namespace(), path.name()), (Some("example.org"), "acme/core/rocket"));
    assert!(Purl::new("npm", "a").with_qualifier("a key", "").build().is_err());
}

#[test]
fn a_package_of_ardb_has_the_package_url_that_others_write_for_it() {
    for (purl_type, namespace, name, version, expected) in [
        ("cargo", "", "serde_json", Some("1.0.0"), "pkg:cargo/serde_json@1.0.0"),
        ("npm", "@acme", "rocket", None, "pkg:npm/%40acme/rocket"),
        ("golang", "example.org/acme", "rocket", Some("v1.0.0"), "pkg:golang/example.org/acme/rocket@v1.0.0"),
        ("maven", "org.example", "rocket", Some("1"), "pkg:maven/org.example/rocket@1"),
        ("composer", "Acme", "Rocket", None, "pkg:composer/acme/rocket"),
    ] {
        let purl = Purl::of_package(purl_type, namespace, name, version).unwrap();
        assert_eq!(purl.to_string(), expected);
    }
    assert!(Purl::of_package("maven", "", "rocket", None).is_err());
    for (namespace, name) in [("", "rocket/"), ("", "/rocket"), ("acme//fuel", "rocket"), ("acme/", "rocket")]
    {
        assert!(Purl::of_package("generic", namespace, name, None).is_err(), "{namespace} {name}");
    }
}

#[test]
fn serde_sees_a_string() {
    let purl: Purl = serde_json::from_str(r#""pkg:PyPI/Rocket""#).unwrap();
    assert_eq!(serde_json::to_string(&purl).unwrap(), r#""pkg:pypi/rocket""#);
    let error = serde_json::from_str::<Purl>(r#""rocket""#).unwrap_err().to_string();
    assert!(error.contains("scheme: expected pkg:"), "{error}");
}

#[test]
fn types_are_sorted_and_found_by_name() {
    assert!(types::TYPES.is_sorted_by(|a, b| a.name < b.name));
    for kind in &types::TYPES {
        assert_eq!(types::find(kind.name).unwrap().name, kind.name);
        assert!(kind.qualifiers.is_sorted_by(|a, b| a.key < b.key), "{}", kind.name);
    }
    assert!(types::find("unknown").is_none());
}

#[test]
fn a_case_tells_what_was_expected_and_what_came() {
    let check = |json: &str| Case::from_json(json).unwrap().check();
    for agreed in [
        r#"{"test_type": "parse", "input": "pkg:npm/a", "expected_output": {"type": "npm", "name": "a"}}"#,
        r#"{"test_type": "parse", "input": "pkg:npm/a",
            "expected_output": {"type": "npm", "name": "a", "qualifiers": {}}}"#,
        r#"{"test_type": "build", "input": {"type": "npm", "name": "a"}, "expected_output": "pkg:npm/a"}"#,
        r#"{"test_type": "validate", "input": "pkg:NPM/a", "expected_output": "pkg:npm/a"}"#,
        r#"{"test_type": "roundtrip", "input": "pkg:NPM/a", "expected_output": "pkg:npm/a"}"#,
        r#"{"test_type": "parse", "input": "pkg:npm", "expected_output": null, "expected_failure": true}"#,
        r#"{"test_type": "build", "input": {"type": null, "name": "a"}, "expected_failure": true}"#,
    ] {
        assert_eq!(check(agreed), None, "{agreed}");
    }
    let other = check(r#"{"test_type": "validate", "input": "pkg:NPM/a", "expected_output": "pkg:npm/b"}"#);
    let other = serde_json::to_value(other).unwrap();
    assert_eq!((&other["expected"], &other["found"]), (&"pkg:npm/b".into(), &"pkg:npm/a".into()));
    let taken = check(r#"{"test_type": "parse", "input": "pkg:npm/a", "expected_failure": true}"#).unwrap();
    assert_eq!((taken.expected.is_none(), taken.found.is_some()), (true, true));
    let refused =
        check(r#"{"test_type": "validate", "input": "npm/a", "expected_output": "pkg:npm/a"}"#).unwrap();
    assert_eq!((refused.found, refused.error.is_some()), (None, true));
}

#[test]
fn what_is_no_case_is_told_by_field() {
    for (json, part) in [
        ("{}", "test_type"),
        (r#"{"test_type": "guess", "input": ""}"#, "guess"),
        (r#"{"test_type": "parse"}"#, "input"),
        (r#"{"test_type": "parse", "input": 7, "expected_failure": true}"#, "expected a string"),
        (r#"{"test_type": "parse", "input": "pkg:npm/a"}"#, "expected_output"),
        (r#"{"test_type": "validate", "input": "pkg:npm/a", "expected_output": {}}"#, "expected a string"),
    ] {
        let error = Case::from_json(json).unwrap_err().to_string();
        assert!(error.contains(part), "{json}: {error}");
    }
}
