//! Every kind of lockfile: what its fixture holds, and what is refused where.

use super::{super::inventory::lines, Flaw, Kind};

const CARGO: &str = include_str!("../../../../fixtures/lockfile/Cargo.lock");
const NPM: &str = include_str!("../../../../fixtures/lockfiles/package-lock.json");
const POETRY: &str = include_str!("../../../../fixtures/lockfiles/poetry.lock");
const GO: &str = include_str!("../../../../fixtures/lockfiles/go.sum");
const GEM: &str = include_str!("../../../../fixtures/lockfiles/Gemfile.lock");

#[test]
fn cargos_lockfile_has_packages_of_registries_git_and_folders() {
    let registry = "from registry+https://github.com/rust-lang/crates.io-index";
    let git = "from git+https://example.org/gam.git#0123456789abcdef0123456789abcdef01234567";
    assert_eq!(
        lines(&Kind::Cargo.parse(CARGO).unwrap()),
        [
            format!("alpha 0.10.0 {registry}, alpha, sha256 bb…, pkg:cargo/alpha@0.10.0"),
            format!("beta-two 1.0.1 {registry}, beta_two, sha256 79…, pkg:cargo/beta_two@1.0.1"),
            format!("gam 0.3.0 {git}, gam"),
            format!("gam 0.3.0 {registry}, gam, sha256 1b…, pkg:cargo/gam@0.3.0"),
            "product 0.1.0, product".into(),
            format!("alpha 0.10.0 {registry} depends-on beta-two 1.0.1 {registry}"),
            format!("alpha 0.10.0 {registry} depends-on gam 0.3.0 {registry}"),
            format!("product 0.1.0 depends-on alpha 0.10.0 {registry}"),
        ]
    );
}

#[test]
fn npms_lockfile_has_copies_aliases_workspaces_and_the_nearest_copy_is_required() {
    let checks = "checks 0.1.0 from git+ssh://git@example.org/acme/checks.git#0123456789abcdef0123456789abcdef01234567";
    let fuel = "@acme/fuel 2.1.0";
    assert_eq!(
        lines(&Kind::Npm.parse(NPM).unwrap()),
        [
            format!("{checks}, checks, dev"),
            "engine-core 1.0.2, engine-core, required, (MIT OR Apache-2.0), pkg:npm/engine-core@1.0.2".into(),
            "gauge 1.0.0, gauge, optional, pkg:npm/gauge@1.0.0".into(),
            "hull 0.0.1 from file:packages/hull, hull, required".into(),
            "valve 2.4.0, valve, required, pkg:npm/valve@2.4.0".into(),
            "valve 3.0.0, valve, required, pkg:npm/valve@3.0.0".into(),
            format!("{fuel}, fuel, required, Apache-2.0, pkg:npm/%40acme/fuel@2.1.0"),
            format!("it depends-on {checks}"),
            "it depends-on engine-core 1.0.2".into(),
            format!("it depends-on {fuel}"),
            format!("{checks} depends-on valve 2.4.0"),
            "engine-core 1.0.2 depends-on valve 2.4.0".into(),
            format!("hull 0.0.1 from file:packages/hull depends-on {fuel}"),
            format!("{fuel} depends-on gauge 1.0.0"),
            format!("{fuel} depends-on valve 3.0.0"),
        ]
    );
}

#[test]
fn poetrys_lockfile_has_groups_sources_and_names_in_any_spelling() {
    let tests = "launch-tests 0.3.0 from git+https://example.org/acme/launch-tests.git#0123456789abcdef0123456789abcdef01234567";
    assert_eq!(
        lines(&Kind::Poetry.parse(POETRY).unwrap()),
        [
            "fuel-gauge 1.2.0, Fuel.Gauge, required, sha256 bb…, pkg:pypi/fuel.gauge@1.2.0".into(),
            format!("{tests}, launch-tests, dev"),
            "valve 2.0, valve, optional, pkg:pypi/valve@2.0".into(),
            "fuel-gauge 1.2.0 depends-on valve 2.0".into(),
            format!("{tests} depends-on fuel-gauge 1.2.0"),
        ]
    );
}

#[test]
fn gos_sums_are_of_modules_and_those_of_requirements_alone_are_no_components() {
    let pseudo = "v0.0.0-20240102030405-0123456789ab";
    assert_eq!(
        lines(&Kind::Go.parse(GO).unwrap()),
        [
            "example.org/acme/fuel v1.2.3, fuel, pkg:golang/example.org/acme/fuel@v1.2.3".to_owned(),
            format!("example.org/acme/valve {pseudo}, valve, pkg:golang/example.org/acme/valve@{pseudo}"),
        ]
    );
}

#[test]
fn bundlers_lockfile_has_sources_platforms_checksums_and_what_was_asked_for() {
    let checks =
        "checks 0.1.0 from git+https://example.org/acme/checks.git#0123456789abcdef0123456789abcdef01234567";
    assert_eq!(
        lines(&Kind::Gem.parse(GEM).unwrap()),
        [
            format!("{checks}, checks"),
            "fuel 2.1.0, fuel, sha256 bb…, pkg:gem/fuel@2.1.0".into(),
            "hull 0.0.1 from path+engines/hull, hull".into(),
            "valve 2.4.0, valve, pkg:gem/valve@2.4.0".into(),
            format!("it depends-on {checks}"),
            "it depends-on fuel 2.1.0".into(),
            "it depends-on hull 0.0.1 from path+engines/hull".into(),
            format!("{checks} depends-on valve 2.4.0"),
            "fuel 2.1.0 depends-on valve 2.4.0".into(),
        ]
    );
}

/// Kind, the fixture with a text replaced, the line and the reason.
type Refused = (Kind, &'static str, &'static str, &'static str, usize, &'static str);

#[test]
fn what_is_malformed_is_refused_with_its_line_and_what_was_expected() {
    const REFUSED: &[Refused] = &[
        (
            Kind::Cargo,
            CARGO,
            "version = \"0.10.0\"",
            "version = \"ten\"",
            5,
            "is no Cargo.lock: version \"ten\": unexpected character 't' while parsing major version number",
        ),
        (
            Kind::Cargo,
            CARGO,
            "version = \"1.0.1\"",
            "version = 1",
            15,
            "is no Cargo.lock: invalid type: integer `1`, expected a string",
        ),
        (
            Kind::Cargo,
            CARGO,
            "checksum = \"bb22",
            "checksum = \"bé2",
            7,
            "is no Cargo.lock: checksum \"bé24380ad12cdb0a2a4133eaeec82b5bb9fb9c15b48ef7133f92e582f8f59d8\" is not hexadecimal",
        ),
        (
            Kind::Cargo,
            CARGO,
            "checksum = \"bb22",
            "checksum = \"b\\u00e92",
            1,
            "is no Cargo.lock: checksum \"bé24380ad12cdb0a2a4133eaeec82b5bb9fb9c15b48ef7133f92e582f8f59d8\" is not hexadecimal",
        ),
        (
            Kind::Cargo,
            CARGO,
            "[[package]]",
            "[[package",
            3,
            "is no Cargo.lock: unclosed array table, expected `]]`",
        ),
        (
            Kind::Npm,
            NPM,
            "\"lockfileVersion\": 3",
            "\"lockfileVersion\": 1",
            4,
            "lockfileVersion is 1, expected 2 or 3; npm 7 and newer write it anew by `npm install`",
        ),
        (
            Kind::Npm,
            NPM,
            "\"version\": \"2.4.0\"",
            "\"version\": 2",
            64,
            "is not what was expected: invalid type: integer `2`, expected a string at line 64 column 18",
        ),
        (
            Kind::Npm,
            NPM,
            "node_modules/gauge\"",
            "node_modules/\"",
            54,
            "packages[\"node_modules/\"]: name is empty",
        ),
        (
            Kind::Poetry,
            POETRY,
            "sha256:bb22",
            "sha256:bb2",
            3,
            "Fuel.Gauge: hash of a file \"bb24380ad12cdb0a2a4133eaeec82b5bb9fb9c15b48ef7133f92e582f8f59d8\" is not 64 hexadecimal digits",
        ),
        (Kind::Poetry, POETRY, "content-hash", "hash", 51, "is no poetry.lock: missing field `content-hash`"),
        (
            Kind::Go,
            GO,
            "v1.2.3/go.mod h1:",
            "v1.2.3/go.mod h2:",
            2,
            "is no go.sum: expected a module, a version that begins with v, and h1: and a hash",
        ),
        (Kind::Gem, GEM, "fuel (2.1.0)\n", "fuel\n", 17, "expected `name (version)`, found \"fuel\""),
        (
            Kind::Gem,
            GEM,
            "GEM\n",
            "<<<<<<< HEAD\n",
            14,
            "is no Gemfile.lock: expected a section such as GEM, found \"<<<<<<< HEAD\"",
        ),
    ];
    for (kind, fixture, from, to, line, reason) in REFUSED {
        assert!(fixture.contains(from), "{from}");
        assert_eq!(kind.parse(&fixture.replacen(from, to, 1)), Err(Flaw::new(*line, *reason)));
    }
}

#[test]
fn a_lockfile_is_known_by_its_name_and_without_one_by_its_content() {
    for (kind, content) in
        [(Kind::Cargo, CARGO), (Kind::Npm, NPM), (Kind::Poetry, POETRY), (Kind::Go, GO), (Kind::Gem, GEM)]
    {
        assert_eq!(Kind::of_file(kind.name()), Some(kind));
        assert_eq!(Kind::of_content(content), Some(kind));
    }
    assert_eq!((Kind::of_file("lock"), Kind::of_content("some text")), (None, None));
}

#[test]
fn a_lockfile_whose_few_lines_make_more_relations_than_a_product_has_is_refused() {
    let package = |number| {
        format!("[[package]]\nname = \"a\"\nversion = \"{number}\"\n[package.dependencies]\na = \"*\"\n")
    };
    let packages: String = (0..710).map(package).collect();
    let flaw = Kind::Poetry.parse(&format!("{packages}[metadata]\ncontent-hash = \"\"\n")).unwrap_err();
    assert_eq!(flaw.reason, "a: is in one of more than 500000 relations");
}

/// Each of the dependencies would be looked for in each of the folders above.
#[test]
fn a_folder_deeper_than_any_tool_installs_to_is_refused_at_its_line() {
    let deep = format!("{}node_modules/a", "x/".repeat(600));
    let lock =
        format!("{{\"lockfileVersion\": 3, \"packages\": {{\n\"{deep}\": {{\"version\": \"1.0.0\"}}}}}}");
    let flaw = Kind::Npm.parse(&lock).unwrap_err();
    assert_eq!(flaw.line, 2);
    assert!(flaw.reason.ends_with("the folder is 1214 bytes long, at most 1024 are kept"), "{}", flaw.reason);
}
