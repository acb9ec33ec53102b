//! CycloneDX, <https://cyclonedx.org/docs/1.6/json/>: what is read here is the same in 1.2 to 1.6.

use entity_ardb::{ComponentScope, RelationKind};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use super::{
    super::{
        check::{self, BadJson},
        inventory::Key,
    },
    Bill, Element, Elements, component, system, unexpected,
};

const VERSIONS: [&str; 5] = ["1.2", "1.3", "1.4", "1.5", "1.6"];

/// Nested deeper than this, a component is rejected; real documents have two or three levels.
const MAX_DEPTH: usize = 32;

/// The type of a component that says what the others run on.
const OPERATING_SYSTEM: &str = "operating-system";

#[derive(Deserialize)]
struct Bom<'a> {
    #[serde(rename = "specVersion")]
    spec_version: String,
    metadata: Option<Metadata>,
    #[serde(borrow)]
    components: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    dependencies: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
struct Metadata {
    component: Option<Product>,
}

#[derive(Deserialize)]
struct Product {
    #[serde(rename = "bom-ref")]
    bom_ref: Option<String>,
}

#[derive(Deserialize)]
struct Component<'a> {
    #[serde(rename = "bom-ref")]
    bom_ref: Option<String>,
    r#type: Option<String>,
    version: Option<String>,
    purl: Option<String>,
    scope: Option<String>,
    hashes: Option<Vec<Hash>>,
    licenses: Option<Vec<LicenseChoice>>,
    /// Of any form; each tool has its own.
    properties: Option<Vec<Value>>,
    #[serde(borrow)]
    components: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
struct OperatingSystem {
    r#type: String,
    name: String,
    version: Option<String>,
}

#[derive(Deserialize)]
struct Hash {
    alg: String,
    content: String,
}

#[derive(Deserialize)]
struct LicenseChoice {
    license: Option<License>,
    expression: Option<String>,
}

#[derive(Deserialize)]
struct License {
    id: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Dependency {
    r#ref: String,
    #[serde(rename = "dependsOn")]
    depends_on: Option<Vec<String>>,
}

pub(super) fn parse(content: &[u8]) -> Result<Bill<'_>, BadJson> {
    let bom: Bom<'_> = check::json(content)?;
    if !VERSIONS.contains(&bom.spec_version.as_str()) {
        let reason =
            format!("specVersion is {:?}, expected one of {}", bom.spec_version, VERSIONS.join(", "));
        return Err(BadJson { line: 1, reason });
    }
    let components = bom.components.unwrap_or_default();
    let system = components.iter().find_map(|raw| operating_system(raw));
    let mut reader = Reader { bill: Bill::new(content), elements: Elements::new(), system };
    if let Some(bom_ref) = bom.metadata.and_then(|metadata| metadata.component?.bom_ref) {
        reader.elements.insert(bom_ref, Element::Product);
    }
    for raw in components {
        reader.component(raw, None, 1);
    }
    for raw in bom.dependencies.into_iter().flatten() {
        if let Err(reason) = reader.dependency(raw) {
            reader.bill.reject(raw, reason);
        }
    }
    Ok(reader.bill)
}

struct Reader<'a> {
    bill: Bill<'a>,
    elements: Elements,
    /// What all components run on, such as `debian-12`.
    system: Option<String>,
}

impl Reader<'_> {
    fn component(&mut self, raw: &RawValue, around: Option<&Key>, depth: usize) {
        let component: Component<'_> = match serde_json::from_str(raw.get()) {
            Ok(component) => component,
            Err(error) => {
                return self.bill.reject(raw, unexpected("component", &error));
            }
        };
        if component.r#type.as_deref() == Some(OPERATING_SYSTEM) && component.purl.is_none() {
            self.elements.extend(component.bom_ref.map(|bom_ref| (bom_ref, Element::Product)));
            return;
        }
        let added = found(&component, self.system.as_deref());
        let added = added.and_then(|found| self.bill.inventory.add(found));
        let key = match added {
            Ok(key) => Some(key),
            Err(reason) => {
                self.bill.reject(raw, format!("component: {reason}"));
                None
            }
        };
        if let (Some(around), Some(key)) = (around, &key)
            && let Err(reason) = self.bill.inventory.relate(Some(around), RelationKind::Contains, key)
        {
            self.bill.reject(raw, format!("component: {reason}"));
        }
        if let Some(bom_ref) = component.bom_ref {
            self.elements.insert(bom_ref, key.clone().map_or(Element::Rejected, Element::Component));
        }
        for nested in component.components.into_iter().flatten() {
            if depth == MAX_DEPTH {
                self.bill.reject(nested, format!("component is nested more than {MAX_DEPTH} levels deep"));
            } else {
                self.component(nested, key.as_ref().or(around), depth + 1);
            }
        }
    }

    fn dependency(&mut self, raw: &RawValue) -> Result<(), String> {
        let dependency: Dependency =
            serde_json::from_str(raw.get()).map_err(|error| unexpected("dependency", &error))?;
        let unknown = |named: &str| format!("dependency: {named:?} is the bom-ref of no component");
        let from = match self.elements.get(&dependency.r#ref) {
            Some(Element::Product) => None,
            Some(Element::Component(key)) => Some(key),
            Some(Element::Rejected) => return Ok(()),
            None => return Err(unknown(&dependency.r#ref)),
        };
        for named in dependency.depends_on.into_iter().flatten() {
            match self.elements.get(&named) {
                Some(Element::Component(to)) => {
                    let related = self.bill.inventory.relate(from, RelationKind::DependsOn, to);
                    related.map_err(|reason| format!("dependency: {named:?} {reason}"))?;
                }
                Some(Element::Product | Element::Rejected) => {}
                None => self.bill.reject(raw, unknown(&named)),
            }
        }
        Ok(())
    }
}

/// The operating system as package URLs would have it (`debian-12`), if `raw` is one.
fn operating_system(raw: &RawValue) -> Option<String> {
    if !raw.get().contains(OPERATING_SYSTEM) {
        return None;
    }
    let given: OperatingSystem = serde_json::from_str(raw.get()).ok()?;
    (given.r#type == OPERATING_SYSTEM)
        .then(|| format!("{}-{}", given.name, given.version.unwrap_or_default()))
}

/// The source package as Trivy has it: the parts of its version are properties of their own.
fn trivys_upstream<'a>(given: &'a Component<'_>) -> Option<(&'a str, String)> {
    let property = |name: &str| {
        let named = |property: &&Value| property["name"].as_str() == Some(name);
        given.properties.iter().flatten().find(named)?["value"].as_str().filter(|value| !value.is_empty())
    };
    let epoch = property("aquasecurity:trivy:SrcEpoch").filter(|epoch| *epoch != "0");
    let epoch = epoch.map_or(String::new(), |epoch| format!("{epoch}:"));
    let release =
        property("aquasecurity:trivy:SrcRelease").map_or(String::new(), |release| format!("-{release}"));
    let number = format!("{epoch}{}{release}", property("aquasecurity:trivy:SrcVersion")?);
    Some((property("aquasecurity:trivy:SrcName")?, number))
}

fn found(given: &Component<'_>, system: Option<&str>) -> Result<super::inventory::Found, String> {
    let scope = match given.scope.as_deref() {
        None => None,
        Some("required") => Some(ComponentScope::Required),
        Some("optional") => Some(ComponentScope::Optional),
        Some("excluded") => Some(ComponentScope::Excluded),
        Some(other) => return Err(format!("scope {other:?} is none of required, optional, excluded")),
    };
    let sha256 = given.hashes.iter().flatten().find(|hash| hash.alg == "SHA-256");
    let checksum_sha256 = sha256.map(|hash| check::sha256("SHA-256", &hash.content)).transpose()?;
    let licences: Vec<&str> = given.licenses.iter().flatten().filter_map(licence).collect();
    let mut found = component(given.purl.as_deref(), given.version.as_deref(), system)?;
    if let (None, Some((name, number))) = (&found.upstream, trivys_upstream(given)) {
        system::set_upstream(&mut found, name, number);
    }
    let licence = (!licences.is_empty()).then(|| licences.join(" AND "));
    Ok(super::inventory::Found { checksum_sha256, scope, licence, ..found })
}

fn licence(choice: &LicenseChoice) -> Option<&str> {
    let named = choice.license.as_ref().and_then(|license| license.id.as_deref().or(license.name.as_deref()));
    choice.expression.as_deref().or(named)
}
