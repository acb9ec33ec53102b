//! Which order an ecosystem's versions have, by the names people call it.
//!
//! The database has its own table of ecosystems, to which imports add; this one is for who has no database at hand.

use super::order::Scheme;

/// What an ecosystem goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ecosystem {
    /// As this platform calls it; for most the purl type.
    pub name: &'static str,
    /// Other names: OSV's, and distributions that share packages and order.
    pub aliases: &'static [&'static str],
    /// How its versions compare.
    pub scheme: Scheme,
}

/// Every ecosystem whose order is known: those that the migrations of ardb seed, and more that OSV has records of.
pub const ECOSYSTEMS: [Ecosystem; 20] = [
    new("apk", &["Alpine", "Alpaquita", "Chainguard", "MinimOS", "Wolfi"], Scheme::Apk),
    new("bitnami", &[], Scheme::Semver),
    new("cargo", &["crates.io"], Scheme::Semver),
    new("composer", &["Packagist"], Scheme::Composer),
    new("cran", &["Bioconductor"], Scheme::Cran),
    new("deb", &["Debian", "Echo", "Ubuntu"], Scheme::Deb),
    new("gem", &["RubyGems"], Scheme::Gem),
    new("github", &["GitHub Actions"], Scheme::Semver),
    new("golang", &["Go"], Scheme::Semver),
    new("hackage", &[], Scheme::Hackage),
    new("hex", &[], Scheme::Semver),
    new("julia", &[], Scheme::Semver),
    new("maven", &[], Scheme::Maven),
    new("npm", &[], Scheme::Semver),
    new("nuget", &[], Scheme::Nuget),
    new("pub", &[], Scheme::Pub),
    new("pypi", &["PEP440"], Scheme::Pep440),
    new(
        "rpm",
        &["AlmaLinux", "Azure Linux", "Mageia", "openEuler", "openSUSE", "Red Hat", "Rocky Linux", "SUSE"],
        Scheme::Rpm,
    ),
    new("semver", &[], Scheme::Semver),
    new("swift", &["SwiftURL"], Scheme::Semver),
];

const fn new(name: &'static str, aliases: &'static [&'static str], scheme: Scheme) -> Ecosystem {
    Ecosystem { name, aliases, scheme }
}

/// The ecosystem of that name or alias. Case, spaces and hyphens don't count, nor does a release such as `:12` in
/// `Debian:12`.
///
/// ```
/// use service::ardb::version::{ecosystem, order::Scheme};
///
/// assert_eq!(ecosystem::find("red hat").map(|found| found.scheme), Some(Scheme::Rpm));
/// assert_eq!(ecosystem::find("Debian:12").map(|found| found.name), Some("deb"));
/// assert_eq!(ecosystem::find("commodore"), None);
/// ```
#[must_use]
pub fn find(name: &str) -> Option<Ecosystem> {
    let plain = |name: &str| name.replace([' ', '-'], "").to_ascii_lowercase();
    let wanted = plain(name.split(':').next().unwrap_or(name));
    let is_it = |found: &Ecosystem| {
        plain(found.name) == wanted || found.aliases.iter().any(|alias| plain(alias) == wanted)
    };
    ECOSYSTEMS.into_iter().find(is_it)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_name_finds_its_own_ecosystem_and_no_other() {
        let mut names = BTreeSet::new();
        for ecosystem in ECOSYSTEMS {
            for name in ecosystem.aliases.iter().chain([&ecosystem.name]) {
                assert_eq!(find(name), Some(ecosystem), "{name}");
                assert_eq!(find(&name.to_uppercase()), Some(ecosystem), "{name}");
                assert!(names.insert(name.to_lowercase()), "{name}");
            }
        }
        assert_eq!(find(""), None);
    }
}
