//! Package names: the one place that knows how an ecosystem tells two names apart.

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
    let namespace = if ecosystem == "composer" { namespace.to_lowercase() } else { namespace.to_owned() };
    Name { namespace, name: name.to_owned(), normalized: normalize(ecosystem, name) }
}

/// `name`, which is without its namespace, in the form by which `ecosystem` tells names apart.
///
/// | ecosystem | rule | by |
/// |---|---|---|
/// | cargo | lower case, `_` is `-` | crates.io refuses a name that differs only so from one that exists |
/// | pypi | lower case, a run of `-`, `_`, `.` is one `-` | PEP 503 |
/// | nuget, composer | lower case | their registries compare so |
/// | any other | as it is | |
#[must_use]
pub fn normalize(ecosystem: &str, name: &str) -> String {
    match ecosystem {
        "cargo" => name.to_ascii_lowercase().replace('_', "-"),
        "pypi" => {
            let mut normalized = String::with_capacity(name.len());
            for character in name.chars() {
                match character {
                    '-' | '_' | '.' if normalized.ends_with('-') => {}
                    '-' | '_' | '.' => normalized.push('-'),
                    other => normalized.push(other.to_ascii_lowercase()),
                }
            }
            normalized
        }
        "nuget" | "composer" => name.to_lowercase(),
        _ => name.to_owned(),
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
}
