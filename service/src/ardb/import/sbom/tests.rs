//! Both kinds of document: what their fixtures hold, and what is refused where.

use super::{super::inventory::lines, Bill, parse};

const CYCLONEDX: &str = include_str!("../../../../fixtures/sbom/cyclonedx.json");
const SPDX: &str = include_str!("../../../../fixtures/sbom/spdx.json");

fn read(content: &str) -> Bill<'_> {
    parse(content.as_bytes()).unwrap_or_else(|bad| panic!("line {}: {}", bad.line, bad.reason))
}

fn rejected(bill: &Bill<'_>) -> Vec<String> {
    bill.rejections.listed.iter().map(|bad| format!("{} {}", bad.place, bad.reason)).collect()
}

#[test]
fn cyclonedx_has_nested_components_dependencies_and_licences_as_published() {
    let bill = read(CYCLONEDX);
    let valve = "valve-core 3.0.0 from registry+https://github.com/rust-lang/crates.io-index";
    let gauge = "example.org/acme/Gauge 0.3.0 from git+https://example.org/acme/Gauge.git";
    let gauge_purl =
        "pkg:swift/example.org/acme/Gauge@0.3.0?vcs_url=git%2Bhttps:%2F%2Fexample.org%2Facme%2FGauge.git";
    assert_eq!(
        lines(&bill.inventory),
        [
            format!("{valve}, Valve_Core, pkg:cargo/Valve_Core"),
            "@acme/fuel 2.1.0, fuel, required, sha256 bb…, MIT AND Acme's own, pkg:npm/%40acme/fuel@2.1.0"
                .into(),
            format!("{gauge}, Gauge, optional, MIT OR Apache-2.0, {gauge_purl}"),
            "it depends-on @acme/fuel 2.1.0".into(),
            format!("@acme/fuel 2.1.0 contains {valve}"),
            format!("@acme/fuel 2.1.0 depends-on {gauge}"),
        ]
    );
    assert_eq!(
        rejected(&bill),
        [
            "34 component: has no package URL, by which components are known",
            "35 component: purl \"pkg:hull\": name: expected a name, found \"\"",
            "36 component is not what was expected: invalid type: integer `5`, expected a string",
            "40 dependency: \"absent\" is the bom-ref of no component",
            "41 dependency: \"nothing\" is the bom-ref of no component",
        ]
    );
}

#[test]
fn spdx_has_packages_relationships_in_both_directions_and_the_declared_licence_first() {
    let bill = read(SPDX);
    assert_eq!(
        lines(&bill.inventory),
        [
            "@acme/fuel 2.1.0, fuel, sha256 bb…, Apache-2.0, pkg:npm/%40acme/fuel@2.1.0",
            "valve 3.0.0, valve, dev, MIT, pkg:pypi/valve",
            "it depends-on @acme/fuel 2.1.0",
            "@acme/fuel 2.1.0 depends-on valve 3.0.0",
        ]
    );
    assert_eq!(
        rejected(&bill),
        [
            "34 package \"SPDXRef-hull\": has no package URL, by which components are known",
            "43 relationship: \"SPDXRef-absent\" is the SPDXID of no package",
        ]
    );
}

#[test]
fn a_document_of_another_kind_or_version_is_refused_and_says_what_was_expected() {
    let refused = |content: &str| {
        let bad = parse(content.as_bytes()).err().expect("it is refused");
        format!("{} {}", bad.line, bad.reason)
    };
    assert_eq!(
        refused(&CYCLONEDX.replace("\"1.6\"", "\"2.0\"")),
        "1 specVersion is \"2.0\", expected one of 1.2, 1.3, 1.4, 1.5, 1.6"
    );
    assert_eq!(
        refused(&SPDX.replace("SPDX-2.3", "SPDX-3.0")),
        "1 spdxVersion is \"SPDX-3.0\", expected \"SPDX-2.3\""
    );
    assert_eq!(refused("{}"), "1 is neither CycloneDX (`bomFormat`) nor SPDX (`spdxVersion`)");
    assert_eq!(
        refused(&CYCLONEDX.replace("  \"dependencies\"", "  dependencies")),
        "38 is not what was expected: key must be a string at line 38 column 3"
    );
}

#[test]
fn a_component_that_is_nested_without_end_is_refused_and_what_is_around_it_stays() {
    let open = r#"{"purl": "pkg:npm/deep@1.0.0", "components": ["#.repeat(100);
    let content = format!(
        r#"{{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{open}{}]}}"#,
        "]}".repeat(100)
    );
    let bill = read(&content);
    assert_eq!(bill.inventory.components.len(), 1);
    assert_eq!(rejected(&bill), ["1 component is nested more than 32 levels deep"]);
}
