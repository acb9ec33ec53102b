//! SPDX 2.3, <https://spdx.github.io/spdx-spec/v2.3/>: packages and relationships.
//!
//! Relationships that say that one package needs or holds another are kept, in whichever direction they are written;
//! those of development, tests and options also tell the scope. All others (what was generated from what, who copied
//! whom, what describes what) are no relations of an inventory and left out, as are those with files.

use entity_ardb::{ComponentScope, RelationKind};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    super::{
        check::{self, BadJson},
        inventory::Key,
    },
    Bill, Element, Elements, component, unexpected,
};

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    packages: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    relationships: Option<Vec<&'a RawValue>>,
    #[serde(rename = "documentDescribes", default)]
    describes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Package {
    #[serde(rename = "SPDXID")]
    id: String,
    name: Option<String>,
    primary_package_purpose: Option<String>,
    version_info: Option<String>,
    license_declared: Option<String>,
    license_concluded: Option<String>,
    external_refs: Option<Vec<Reference>>,
    checksums: Option<Vec<Checksum>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    reference_type: String,
    reference_locator: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Checksum {
    algorithm: String,
    checksum_value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Relationship {
    spdx_element_id: String,
    relationship_type: String,
    related_spdx_element: String,
}

/// What a relationship says: its kind, whether the related element is the one that needs or holds, and the scope of
/// what is needed.
type Meaning = (RelationKind, bool, Option<ComponentScope>);

pub(super) fn parse(content: &[u8]) -> Result<Bill<'_>, BadJson> {
    let document: Document<'_> = check::json(content)?;
    let mut bill = Bill::new(content);
    let mut relationships = Vec::new();
    let mut described = document.describes;
    for raw in document.relationships.into_iter().flatten() {
        match serde_json::from_str::<Relationship>(raw.get()) {
            Ok(relationship) => {
                if relationship.relationship_type == "DESCRIBES" {
                    described.push(relationship.related_spdx_element.clone());
                }
                relationships.push((raw, relationship));
            }
            Err(error) => {
                let reason = unexpected("relationship", &error);
                bill.reject(raw, reason);
            }
        }
    }
    described.sort_unstable();
    described.dedup();
    let packages = document.packages.unwrap_or_default();
    let product = match described.as_slice() {
        [only] if packages.len() > 1 => Some(only.as_str()),
        _ => None,
    };
    let elements = self::packages(&packages, product, &mut bill);
    for (raw, relationship) in &relationships {
        if let Err(reason) = relate(&mut bill, &elements, relationship) {
            bill.reject(raw, reason);
        }
    }
    Ok(bill)
}

fn packages(raws: &[&RawValue], product: Option<&str>, bill: &mut Bill<'_>) -> Elements {
    let mut packages = Vec::with_capacity(raws.len());
    for raw in raws {
        match serde_json::from_str::<Package>(raw.get()) {
            Ok(package) => packages.push((raw, package)),
            Err(error) => {
                let reason = unexpected("package", &error);
                bill.reject(raw, reason);
            }
        }
    }
    let system = packages.iter().find_map(|(_, package)| operating_system(package));
    let mut elements = Elements::new();
    for (raw, package) in packages {
        let is_product = product == Some(package.id.as_str()) || operating_system(&package).is_some();
        let element = if is_product {
            Element::Product
        } else {
            match found(&package, system.as_deref()).and_then(|found| bill.inventory.add(found)) {
                Ok(key) => Element::Component(key),
                Err(reason) => {
                    bill.reject(raw, format!("package {:?}: {reason}", package.id));
                    Element::Rejected
                }
            }
        };
        elements.insert(package.id, element);
    }
    elements
}

/// The operating system as package URLs would have it (`debian-12`), if `package` is what the others run on.
fn operating_system(package: &Package) -> Option<String> {
    let is_system =
        package.primary_package_purpose.as_deref() == Some("OPERATING-SYSTEM") && purl(package).is_none();
    let name = package.name.as_deref().filter(|_| is_system)?;
    Some(format!("{name}-{}", package.version_info.as_deref().unwrap_or_default()))
}

fn purl(package: &Package) -> Option<&str> {
    let purl = package.external_refs.iter().flatten().find(|reference| reference.reference_type == "purl");
    purl.map(|purl| purl.reference_locator.as_str())
}

fn found(package: &Package, system: Option<&str>) -> Result<super::inventory::Found, String> {
    let sha256 = package.checksums.iter().flatten().find(|checksum| checksum.algorithm == "SHA256");
    let checksum_sha256 = sha256.map(|sum| check::sha256("SHA256", &sum.checksum_value)).transpose()?;
    let licences = [&package.license_declared, &package.license_concluded];
    let said = |licence: &&String| !matches!(licence.as_str(), "NOASSERTION" | "NONE");
    let licence = licences.into_iter().flatten().find(said).cloned();
    let found = component(purl(package), package.version_info.as_deref(), system)?;
    Ok(super::inventory::Found { checksum_sha256, licence, ..found })
}

fn meaning(relationship_type: &str) -> Option<Meaning> {
    use ComponentScope::{Dev, Optional};
    use RelationKind::{Contains, DependsOn};
    Some(match relationship_type {
        "DEPENDS_ON" | "HAS_PREREQUISITE" => (DependsOn, false, None),
        "DEPENDENCY_OF"
        | "BUILD_DEPENDENCY_OF"
        | "PROVIDED_DEPENDENCY_OF"
        | "RUNTIME_DEPENDENCY_OF"
        | "PREREQUISITE_FOR" => (DependsOn, true, None),
        "DEV_DEPENDENCY_OF" | "TEST_DEPENDENCY_OF" => (DependsOn, true, Some(Dev)),
        "OPTIONAL_DEPENDENCY_OF" => (DependsOn, true, Some(Optional)),
        "CONTAINS" => (Contains, false, None),
        "CONTAINED_BY" => (Contains, true, None),
        _ => return None,
    })
}

fn relate(bill: &mut Bill<'_>, elements: &Elements, relationship: &Relationship) -> Result<(), String> {
    let Some((kind, is_turned, scope)) = meaning(&relationship.relationship_type) else { return Ok(()) };
    let (mut from, mut to) = (&relationship.spdx_element_id, &relationship.related_spdx_element);
    if is_turned {
        (from, to) = (to, from);
    }
    let Some(from) = end(elements, from)? else { return Ok(()) };
    let Some(Some(to)) = end(elements, to)? else { return Ok(()) };
    let related = bill.inventory.relate(from, kind, to);
    related.map_err(|reason| format!("relationship: {:?} {reason}", relationship.related_spdx_element))?;
    if let (Some(scope), Some(component)) = (scope, bill.inventory.components.get_mut(to)) {
        component.scope = Some(component.scope.map_or(scope, |known| known.min(scope)));
    }
    Ok(())
}

/// The product, or a component; `None` for what is neither and need not be.
fn end<'a>(elements: &'a Elements, id: &str) -> Result<Option<Option<&'a Key>>, String> {
    match elements.get(id) {
        Some(Element::Product) => Ok(Some(None)),
        Some(Element::Component(key)) => Ok(Some(Some(key))),
        Some(Element::Rejected) => Ok(None),
        None if id == "SPDXRef-DOCUMENT" || id == "NONE" || id == "NOASSERTION" => Ok(None),
        // Files are no packages, and other documents' elements are not here.
        None if id.starts_with("SPDXRef-File") || id.starts_with("DocumentRef-") => Ok(None),
        None => Err(format!("relationship: {id:?} is the SPDXID of no package")),
    }
}
