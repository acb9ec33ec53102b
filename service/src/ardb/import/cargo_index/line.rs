//! A line of the index: one version of a crate with its dependencies.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use entity_ardb::VersionScheme;
use serde::Deserialize;

use super::{
    super::check::{self, MAX_NAME_BYTES},
    ECOSYSTEM,
};
use crate::ardb::{name, version::order};

/// The newest form of a line that is understood.
const MAX_LINE_FORM: u32 = 2;
const MAX_TARGET_BYTES: usize = 1024;
const MAX_REGISTRY_BYTES: usize = 512;

/// What a crate's file says.
pub(super) struct Crate {
    pub(super) normalized_name: String,
    /// As published with the last version.
    pub(super) name: String,
    pub(super) purl: String,
    pub(super) versions: Vec<Version>,
    /// Whether every line was loaded, so that what is not here is no longer there.
    pub(super) is_complete: bool,
    numbers: HashSet<String>,
}

/// One version; the columns of `versions`.
pub(super) struct Version {
    pub(super) number: String,
    pub(super) order: order::Parsed,
    pub(super) is_yanked: bool,
    pub(super) checksum_sha256: [u8; 32],
    pub(super) published_at: Option<DateTime<Utc>>,
    /// JSON of an object.
    pub(super) attributes: String,
    pub(super) dependencies: Vec<Dependency>,
}

/// One dependency; the columns of `dependencies`.
pub(super) struct Dependency {
    pub(super) name: String,
    pub(super) normalized_name: String,
    pub(super) alias: String,
    pub(super) requirement: String,
    pub(super) kind: String,
    pub(super) is_optional: bool,
    pub(super) uses_default_features: bool,
    pub(super) features: Vec<String>,
    pub(super) target: String,
    pub(super) registry: String,
}

#[derive(Deserialize)]
struct Line {
    name: String,
    vers: String,
    deps: Vec<LineDependency>,
    cksum: String,
    #[serde(default)]
    features: BTreeMap<String, Vec<String>>,
    features2: Option<BTreeMap<String, Vec<String>>>,
    yanked: Option<bool>,
    links: Option<String>,
    rust_version: Option<String>,
    v: Option<u32>,
    pubtime: Option<String>,
}

#[derive(Deserialize)]
struct LineDependency {
    name: String,
    req: String,
    #[serde(default)]
    features: Vec<String>,
    #[serde(default)]
    optional: bool,
    #[serde(default = "yes")]
    default_features: bool,
    target: Option<String>,
    kind: Option<String>,
    registry: Option<String>,
    /// The crate's own name, where `name` is what the manifest calls it.
    package: Option<String>,
}

/// All that is sure of a line of any form.
#[derive(Deserialize)]
struct LineForm {
    v: Option<u32>,
}

/// What became of a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Added {
    Loaded,
    /// It is of a newer form than is understood; cargo, too, skips such lines.
    Skipped,
}

fn yes() -> bool {
    true
}

impl Crate {
    pub(super) fn new(normalized_name: String) -> Self {
        Self {
            normalized_name,
            name: String::new(),
            purl: String::new(),
            versions: Vec::new(),
            is_complete: false,
            numbers: HashSet::new(),
        }
    }

    /// Adds what `line` says; `Err` with the reason why it says nothing.
    pub(super) fn add(&mut self, line: &[u8]) -> Result<Added, String> {
        let is_newer = |form: Option<u32>| form.is_some_and(|form| form > MAX_LINE_FORM);
        let line: Line = match check::json(line) {
            Ok(Line { v, .. }) if is_newer(v) => return Ok(Added::Skipped),
            Ok(line) => line,
            Err(bad) => {
                let form = check::json(line).ok().and_then(|LineForm { v }| v);
                return if is_newer(form) { Ok(Added::Skipped) } else { Err(bad.into()) };
            }
        };
        check::length("name", &line.name, MAX_NAME_BYTES)?;
        let name = name::split(ECOSYSTEM, &line.name);
        if name.normalized != self.normalized_name {
            return Err(format!("is of crate {:?}, in the file of {:?}", line.name, self.normalized_name));
        }
        let purl = name.purl(ECOSYSTEM).map_err(|error| format!("name {:?}: {error}", line.name))?;
        let version = version(line)?;
        if !self.numbers.insert(version.number.clone()) {
            return Err(format!("version {} was there already", version.number));
        }
        self.name = name.name;
        self.purl = purl.to_string();
        self.versions.push(version);
        Ok(Added::Loaded)
    }
}

fn version(line: Line) -> Result<Version, String> {
    check::length("version", &line.vers, MAX_NAME_BYTES)?;
    cargo_lock::Version::parse(&line.vers)
        .map_err(|error| format!("version {:?} is none that cargo could select: {error}", line.vers))?;
    let order = order::parse(VersionScheme::Semver, &line.vers)
        .ok_or_else(|| format!("version {:?} has no place in the order of SemVer 2.0.0", line.vers))?;
    let checksum_sha256 = check::sha256("cksum", &line.cksum)?;
    let published_at = line.pubtime.as_deref().map(|time| check::time("pubtime", time)).transpose()?;

    // The index puts features that older cargos would stumble over in a map of their own.
    let mut features = line.features;
    features.extend(line.features2.unwrap_or_default());
    let mut attributes = serde_json::Map::new();
    if !features.is_empty() {
        attributes.insert("features".into(), serde_json::json!(features));
    }
    attributes.extend(line.links.map(|links| ("links".into(), links.into())));
    attributes.extend(line.rust_version.map(|version| ("rust_version".into(), version.into())));

    let dependencies = line.deps.into_iter().map(dependency).collect::<Result<Vec<_>, _>>()?;
    let mut keys = HashSet::with_capacity(dependencies.len());
    for dependency in &dependencies {
        let Dependency { normalized_name, alias, kind, target, registry, .. } = dependency;
        if !keys.insert((normalized_name, alias, kind, target, registry)) {
            return Err(format!("depends on {:?} twice in the same way", dependency.name));
        }
    }
    Ok(Version {
        number: line.vers,
        order,
        is_yanked: line.yanked.unwrap_or(false),
        checksum_sha256,
        published_at,
        attributes: serde_json::Value::Object(attributes).to_string(),
        dependencies,
    })
}

fn dependency(line: LineDependency) -> Result<Dependency, String> {
    let (name, alias) = match line.package {
        Some(package) => (package, line.name),
        None => (line.name, String::new()),
    };
    let kind = line.kind.unwrap_or_else(|| "normal".into());
    if !matches!(kind.as_str(), "normal" | "build" | "dev") {
        return Err(format!("kind {kind:?} of dependency {name:?} is none of normal, build, dev"));
    }
    let target = line.target.unwrap_or_default();
    let registry = line.registry.unwrap_or_default();
    check::length("name of a dependency", &name, MAX_NAME_BYTES)?;
    check::length_or_empty("alias of a dependency", &alias, MAX_NAME_BYTES)?;
    check::length_or_empty("target of a dependency", &target, MAX_TARGET_BYTES)?;
    check::length_or_empty("registry of a dependency", &registry, MAX_REGISTRY_BYTES)?;
    Ok(Dependency {
        normalized_name: name::normalize(ECOSYSTEM, &name),
        name,
        alias,
        requirement: if line.req.is_empty() { "*".into() } else { line.req },
        kind,
        is_optional: line.optional,
        uses_default_features: line.default_features,
        features: line.features,
        target,
        registry,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(changes: &[(&str, serde_json::Value)]) -> Vec<u8> {
        let mut line = serde_json::json!({
            "name": "Some_crate", "vers": "1.2.3", "deps": [], "cksum": "0".repeat(64), "features": {}, "yanked": false,
        });
        for (field, value) in changes {
            line[*field] = value.clone();
        }
        line.to_string().into_bytes()
    }

    fn refusal(changes: &[(&str, serde_json::Value)]) -> String {
        Crate::new("some-crate".into()).add(&line(changes)).expect_err("is refused")
    }

    #[test]
    fn a_renamed_dependency_keeps_both_names() {
        let dependency = serde_json::json!({"name": "old", "package": "New_one", "req": "", "registry": "https://example.org/index"});
        let mut found = Crate::new("some-crate".into());
        found.add(&line(&[("deps", serde_json::json!([dependency]))])).unwrap();
        let dependency = &found.versions[0].dependencies[0];
        let Dependency { name, normalized_name, alias, requirement, kind, registry, .. } = dependency;
        assert_eq!(
            [name, normalized_name, alias, requirement, kind, registry],
            ["New_one", "new-one", "old", "*", "normal", "https://example.org/index"]
        );
        assert!(dependency.uses_default_features);
    }

    #[test]
    fn both_maps_of_features_become_one() {
        let mut found = Crate::new("some-crate".into());
        let changes = [
            ("v", 2.into()),
            ("features", serde_json::json!({"a": ["b"]})),
            ("features2", serde_json::json!({"b": ["dep:c"]})),
            ("links", "z".into()),
        ];
        found.add(&line(&changes)).unwrap();
        assert_eq!(found.versions[0].attributes, r#"{"features":{"a":["b"],"b":["dep:c"]},"links":"z"}"#);
    }

    #[test]
    fn a_line_of_a_newer_form_is_skipped_even_where_its_fields_mean_something_else() {
        let mut found = Crate::new("some-crate".into());
        assert_eq!(found.add(&line(&[("v", 3.into())])), Ok(Added::Skipped));
        assert_eq!(found.add(&line(&[("v", 3.into()), ("deps", "none".into())])), Ok(Added::Skipped));
        assert_eq!(found.add(&line(&[("v", 2.into())])), Ok(Added::Loaded));
        assert_eq!(found.versions.len(), 1);
    }

    #[test]
    fn a_refused_line_says_why() {
        let twice = serde_json::json!([{"name": "a_b", "req": "1"}, {"name": "a-b", "req": "2"}]);
        for (changes, reason) in [
            (("name", "other".into()), "is of crate \"other\", in the file of \"some-crate\""),
            (
                ("vers", "v1.2.3".into()),
                "version \"v1.2.3\" is none that cargo could select: unexpected character 'v' while parsing major version number",
            ),
            (
                ("vers", "1.2".into()),
                "version \"1.2\" is none that cargo could select: unexpected end of input while parsing minor version number",
            ),
            (("vers", "9".repeat(300).into()), "version is 300 bytes long, at most 256 are kept"),
            (("cksum", "abc".into()), "cksum \"abc\" is not 64 hexadecimal digits"),
            (("deps", twice), "depends on \"a-b\" twice in the same way"),
            (
                ("deps", serde_json::json!([{"name": "a", "req": "1", "kind": "odd"}])),
                "kind \"odd\" of dependency \"a\" is none of normal, build, dev",
            ),
            (("links", "\0".into()), "has a NUL character, which the database can't hold"),
        ] {
            assert_eq!(refusal(&[changes]), reason);
        }
        assert!(refusal(&[("yanked", "no".into())]).starts_with("is not what was expected: invalid type"));
    }
}
