//! Package names: the one place that knows how an ecosystem tells two names apart.
//!
//! What the specification of package URLs says about an ecosystem's names is in `purl::types`; here is what it leaves
//! out.

use std::borrow::Cow;

use crate::purl::{self, Purl, types};

/// A package's name, taken apart and normalised by the rules of its ecosystem.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// npm scope with its `@`, Maven group, Go host and path, Composer vendor; empty where there is none.
    pub namespace: String,
    /// The rest, as published.
    pub name: String,
    /// The form by which the ecosystem tells names apart.
    pub normalized: String,
}

impl Name {
    /// The package URL, without a version, of the package that `ecosystem` (`ecosystems.name`, and a type of package
    /// URLs) has under this name. Every importer has it from here, so a package has the same whichever brought it.
    ///
    /// # Errors
    ///
    /// When the type's rules refuse the name, see [`Purl::of_package`].
    pub fn purl(&self, ecosystem: &str) -> purl::Result<Purl> {
        // Of PyPI, names that PEP 503 takes for one have one package URL, too.
        let name = if ecosystem == "pypi" { &self.normalized } else { &self.name };
        Purl::of_package(ecosystem, &self.namespace, name, None)
    }
}

/// Takes `published`, the name as the ecosystem's own tools and OSV write it, apart.
///
/// `ecosystem` is `ecosystems.name`. An unknown ecosystem's names are taken as they are, without a namespace.
///
/// ```
/// use service::ardb::name;
///
/// let found = name::split("npm", "@scope/name");
/// assert_eq!((found.namespace.as_str(), found.name.as_str()), ("@scope", "name"));
/// assert_eq!(name::split("cargo", "Serde_JSON").normalized, "serde-json");
/// ```
#[must_use]
pub fn split(ecosystem: &str, published: &str) -> Name {
    let parts = match ecosystem {
        "npm" | "composer" => published.split_once('/'),
        "golang" => published.rsplit_once('/'),
        "maven" => published.split_once(':'),
        _ => None,
    };
    let (namespace, name) = parts.unwrap_or(("", published));
    let namespace =
        types::find(ecosystem).map_or(namespace.into(), |kind| kind.normalize_namespace(namespace));
    let namespace = namespace.into_owned();
    Name { namespace, name: name.to_owned(), normalized: normalize(ecosystem, name) }
}

/// `name`, which is without its namespace, in the form by which `ecosystem` tells names apart.
///
/// That is the name in the canonical package URL, where the ecosystem is a type of those ([`types`]), and then
///
/// | ecosystem | rule | by |
/// |---|---|---|
/// | cargo | lower case, `_` is `-` | crates.io refuses a name that differs only so from one that exists |
/// | pypi | a run of `-`, `_`, `.` is one `-` | PEP 503 |
/// | nuget | lower case | its registry compares so |
#[must_use]
pub fn normalize(ecosystem: &str, name: &str) -> String {
    let canonical = types::find(ecosystem).map_or(Cow::Borrowed(name), |kind| kind.normalize_name(name));
    match ecosystem {
        "cargo" => canonical.to_ascii_lowercase().replace('_', "-"),
        "pypi" => {
            let mut normalized = String::with_capacity(canonical.len());
            for character in canonical.chars() {
                match character {
                    '-' | '_' | '.' if normalized.ends_with('-') => {}
                    '-' | '_' | '.' => normalized.push('-'),
                    other => normalized.push(other),
                }
            }
            normalized
        }
        "nuget" => canonical.to_lowercase(),
        _ => canonical.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(ecosystem: &str, published: &str) -> [String; 3] {
        let name = split(ecosystem, published);
        [name.namespace, name.name, name.normalized]
    }

    #[test]
    fn each_ecosystem_takes_names_apart_its_own_way() {
        assert_eq!(parts("cargo", "Foo_bar"), ["", "Foo_bar", "foo-bar"]);
        assert_eq!(parts("pypi", "Zope._-Interface"), ["", "Zope._-Interface", "zope-interface"]);
        assert_eq!(parts("npm", "@Scope/Name"), ["@Scope", "Name", "Name"]);
        assert_eq!(parts("npm", "name"), ["", "name", "name"]);
        assert_eq!(parts("golang", "example.org/a/b"), ["example.org/a", "b", "b"]);
        assert_eq!(parts("golang", "stdlib"), ["", "stdlib", "stdlib"]);
        assert_eq!(parts("maven", "org.example:thing"), ["org.example", "thing", "thing"]);
        assert_eq!(parts("composer", "Vendor/Thing"), ["vendor", "Thing", "thing"]);
        assert_eq!(parts("nuget", "Example.Thing"), ["", "Example.Thing", "example.thing"]);
        assert_eq!(parts("gem", "Example_thing"), ["", "Example_thing", "Example_thing"]);
    }

    #[test]
    fn what_package_urls_lower_is_lowered_here_too() {
        assert_eq!(parts("hex", "Example_thing"), ["", "Example_thing", "example_thing"]);
        assert_eq!(parts("pub", "Example-Thing"), ["", "Example-Thing", "example_thing"]);
        assert_eq!(parts("deb", "Example"), ["", "Example", "example"]);
        assert_eq!(parts("an-unknown-one", "Example_Thing"), ["", "Example_Thing", "Example_Thing"]);
    }

    #[test]
    fn a_name_and_its_form_in_a_package_url_are_the_same_package() {
        for kind in &types::TYPES {
            for name in ["Example_Thing", "a.b--c", "Zope._-Interface", "ÄÖÜ", "x"] {
                let canonical = kind.normalize_name(name);
                let normalized = normalize(kind.name, name);
                assert_eq!(normalize(kind.name, &canonical), normalized, "{} {name}", kind.name);
            }
        }
    }
}
