//! From components to a package URL: the one place that checks and normalises, for text that was parsed, too.

use std::collections::BTreeMap;

use super::error::{Component, Error, Result};
use super::rule::{Requirement, Rule, Surroundings, Type};
use super::{Purl, types};

/// The components of a package URL to be, decoded. An empty one is as good as none.
#[derive(Clone, Debug)]
#[must_use = "`build` makes the package URL"]
pub struct Builder {
    kind: String,
    name: String,
    pub(super) namespace: String,
    pub(super) version: String,
    pub(super) qualifiers: Vec<(String, String)>,
    pub(super) subpath: String,
}

impl Builder {
    pub(super) fn new(kind: String, name: String) -> Self {
        let none = String::new;
        Self { kind, name, namespace: none(), version: none(), qualifiers: Vec::new(), subpath: none() }
    }

    /// The namespace, its segments separated by `/`.
    pub fn with_namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// The version.
    pub fn with_version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// One more qualifier. Two of one key that differ are refused.
    pub fn with_qualifier(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.qualifiers.push((key.into(), value.into()));
        self
    }

    /// The path within the package, its segments separated by `/`.
    pub fn with_subpath(mut self, subpath: impl Into<String>) -> Self {
        self.subpath = subpath.into();
        self
    }

    /// Checks every component by the rules of its type, and brings it into its canonical form.
    ///
    /// # Errors
    ///
    /// When a component breaks a rule: which one, and the rule.
    pub fn build(self) -> Result<Purl> {
        let kind = kind(&self.kind)?;
        let definition = types::find(&kind);
        let (namespace, name) = place(&self.namespace, &self.name, definition);
        if name.is_empty() {
            return Err(Error::new(Component::Name, "a name", ""));
        }
        let qualifiers = qualifiers(self.qualifiers)?;
        let subpath = join(self.subpath.split('/').filter(|segment| !matches!(*segment, "." | "..")));
        let mut purl = Purl {
            kind,
            namespace: present(namespace),
            name,
            version: present(self.version),
            qualifiers,
            subpath: present(subpath),
        };
        if let Some(definition) = definition {
            conform(&mut purl, definition)?;
        }
        Ok(purl)
    }
}

/// A type in lower case (ECMA-427, 5.6.2).
pub(super) fn kind(given: &str) -> Result<String> {
    let is_permitted = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    if given.starts_with(|first: char| first.is_ascii_alphabetic()) && given.chars().all(is_permitted) {
        return Ok(given.to_ascii_lowercase());
    }
    Err(Error::new(Component::Type, "a letter, then letters, digits, . and -", given))
}

/// Namespace and name without slashes that mean nothing. Where names are paths, the namespace is one segment, and
/// what follows that belongs to the name.
fn place(namespace: &str, name: &str, definition: Option<&Type>) -> (String, String) {
    if !definition.is_some_and(|definition| definition.has_path_names) {
        return (join(namespace.split('/')), name.trim_matches('/').to_owned());
    }
    let mut segments = namespace.split('/').filter(|segment| !segment.is_empty());
    let host = segments.next().unwrap_or_default().to_owned();
    (host, join(segments.chain(name.split('/'))))
}

/// The segments that are not empty, joined by `/`.
fn join<'a>(segments: impl Iterator<Item = &'a str>) -> String {
    segments.filter(|segment| !segment.is_empty()).collect::<Vec<_>>().join("/")
}

fn present(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// The qualifiers that have a value, by key in lower case (ECMA-427, 5.6.6).
fn qualifiers(given: Vec<(String, String)>) -> Result<BTreeMap<String, String>> {
    let refuse = |expected: &'static str, key: &str| Err(Error::new(Component::Qualifiers, expected, key));
    let mut qualifiers = BTreeMap::new();
    for (key, value) in given {
        let is_permitted = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if !key.starts_with(|first: char| first.is_ascii_alphabetic()) || !key.chars().all(is_permitted) {
            return refuse("keys of a letter, then letters, digits, ., - and _", &key);
        }
        if value.is_empty() {
            continue;
        }
        let key = key.to_ascii_lowercase();
        if qualifiers.get(&key).is_some_and(|before| *before != value) {
            return refuse("each key once", &key);
        }
        qualifiers.insert(key, value);
    }
    Ok(qualifiers)
}

/// Applies the type's own rules.
fn conform(purl: &mut Purl, definition: &Type) -> Result<()> {
    let refuse = |component, expected: String, found: &str| Err(Error::new(component, expected, found));
    let kind = definition.name;
    match (definition.namespace_requirement, &purl.namespace) {
        (Requirement::Required, None) => {
            return refuse(Component::Namespace, format!("a namespace, which {kind} requires"), "");
        }
        (Requirement::Prohibited, Some(namespace)) => {
            return refuse(Component::Namespace, format!("none, as {kind} has no namespaces"), namespace);
        }
        _ => {}
    }
    let around = Surroundings {
        namespace: purl.namespace.as_deref().unwrap_or_default(),
        repository_url: purl.qualifiers.get("repository_url").map_or("", String::as_str),
    };
    let apply = |component, rule: &Rule, value: &str| -> Result<String> {
        let value = rule.normalize(value, around).into_owned();
        match rule.permitted {
            Some(permitted) if !(permitted.accepts)(&value) => {
                Err(Error::new(component, permitted.expected, &value))
            }
            _ => Ok(value),
        }
    };
    let some = |component, rule, value: &Option<String>| {
        value.as_deref().map(|value| apply(component, rule, value)).transpose()
    };
    let namespace = some(Component::Namespace, &definition.namespace, &purl.namespace)?;
    let name = apply(Component::Name, &definition.package_name, &purl.name)?;
    let version = some(Component::Version, &definition.version, &purl.version)?;
    let subpath = some(Component::Subpath, &definition.subpath, &purl.subpath)?;
    let missing = |key: &str| !purl.qualifiers.contains_key(key);
    if let Some(one) = definition.qualifiers.iter().find(|one| one.is_required && missing(one.key)) {
        return refuse(Component::Qualifiers, format!("{}, which {kind} requires", one.key), "");
    }
    (purl.namespace, purl.name, purl.version, purl.subpath) = (namespace, name, version, subpath);
    Ok(())
}
