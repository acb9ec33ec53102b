//! Linux distributions: what OSV and package URLs call them and their releases, so that both mean the same.
//!
//! OSV has an ecosystem per distribution, the release behind a colon (`Debian:12`, `Alpine:v3.19`,
//! `Ubuntu:22.04:LTS`). A package URL has the distribution as its namespace and the release as the qualifier `distro`,
//! in whichever spelling its maker likes (`debian-12.5`, `bookworm`, `3.19.1`). Here both become the ecosystem of the
//! package format, the namespace of package URLs, and a release in one spelling.

/// A distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Distribution {
    /// Its ecosystem in OSV, without a release.
    pub osv_name: &'static str,
    /// `ecosystems.name` of its packages: `deb`, `rpm` or `apk`.
    pub ecosystem: &'static str,
    /// The namespace of its package URLs.
    pub namespace: &'static str,
    /// Other namespaces that tools write.
    aliases: &'static [&'static str],
    releases: Releases,
}

/// How a distribution names its releases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Releases {
    /// There are none: packages of all times are of one.
    None,
    /// By numbers, of which so many tell releases apart.
    Numbers(usize),
    /// By a number and the number of a service pack (`15 SP5`, which is `15.5`), or by a word.
    ServicePacks,
    /// As written.
    Words,
}

/// Every distribution that OSV has records of and whose order of versions is known, by OSV's name.
pub const DISTRIBUTIONS: [Distribution; 16] = [
    new("AlmaLinux", "rpm", "almalinux", &["alma"], Releases::Numbers(1)),
    new("Alpaquita", "apk", "alpaquita", &[], Releases::Words),
    new("Alpine", "apk", "alpine", &[], Releases::Numbers(2)),
    new("Azure Linux", "rpm", "azurelinux", &["azure-linux"], Releases::Numbers(1)),
    new("Chainguard", "apk", "chainguard", &[], Releases::None),
    new("Debian", "deb", "debian", &[], Releases::Numbers(1)),
    new("Echo", "deb", "echo", &[], Releases::None),
    new("Mageia", "rpm", "mageia", &[], Releases::Numbers(1)),
    new("MinimOS", "apk", "minimos", &[], Releases::None),
    new("Red Hat", "rpm", "redhat", &["rhel"], Releases::Numbers(1)),
    new("Rocky Linux", "rpm", "rocky-linux", &["rocky"], Releases::Numbers(1)),
    new("SUSE", "rpm", "suse", &["sles", "sled"], Releases::ServicePacks),
    new("Ubuntu", "deb", "ubuntu", &[], Releases::Numbers(2)),
    new("Wolfi", "apk", "wolfi", &[], Releases::None),
    new("openEuler", "rpm", "openeuler", &[], Releases::Words),
    new("openSUSE", "rpm", "opensuse", &["opensuse-leap", "opensuse-tumbleweed"], Releases::ServicePacks),
];

/// Names that people and tools write for a release's number (<https://wiki.debian.org/DebianReleases>,
/// <https://wiki.ubuntu.com/Releases>).
const CODENAMES: [(&str, &str); 21] = [
    ("wheezy", "7"),
    ("jessie", "8"),
    ("stretch", "9"),
    ("buster", "10"),
    ("bullseye", "11"),
    ("bookworm", "12"),
    ("trixie", "13"),
    ("forky", "14"),
    ("trusty", "14.04"),
    ("xenial", "16.04"),
    ("bionic", "18.04"),
    ("focal", "20.04"),
    ("jammy", "22.04"),
    ("kinetic", "22.10"),
    ("lunar", "23.04"),
    ("mantic", "23.10"),
    ("noble", "24.04"),
    ("oracular", "24.10"),
    ("plucky", "25.04"),
    ("questing", "25.10"),
    ("resolute", "26.04"),
];

const fn new(
    osv_name: &'static str,
    ecosystem: &'static str,
    namespace: &'static str,
    aliases: &'static [&'static str],
    releases: Releases,
) -> Distribution {
    Distribution { osv_name, ecosystem, namespace, aliases, releases }
}

/// The distribution that OSV calls `name`, which is without a release.
#[must_use]
pub fn of_osv(name: &str) -> Option<&'static Distribution> {
    DISTRIBUTIONS.iter().find(|known| known.osv_name == name)
}

/// The distribution whose package URLs have this type and namespace, in any of its spellings.
#[must_use]
pub fn of_purl(kind: &str, namespace: &str) -> Option<&'static Distribution> {
    DISTRIBUTIONS.iter().find(|known| {
        known.ecosystem == kind && (known.namespace == namespace || known.aliases.contains(&namespace))
    })
}

impl Distribution {
    /// The release that `given` means, in lower case: what follows the colon in OSV, or a package URL's `distro`. Empty
    /// where there is none to tell apart.
    ///
    /// Of Red Hat, OSV names products; only those of the plain system are releases, the others stay as they are, since
    /// what is fixed in one of them says nothing of the system's packages. Of Ubuntu, what is fixed for who pays
    /// (`Pro:16.04:LTS`) is fixed in that release.
    ///
    /// ```
    /// use service::ardb::distribution::{of_osv, of_purl};
    ///
    /// let debian = of_osv("Debian").expect("is known");
    /// assert_eq!(debian, of_purl("deb", "debian").expect("is known"));
    /// for given in ["12", "debian-12.5", "bookworm", "12.5"] {
    ///     assert_eq!(debian.release(given), "12");
    /// }
    /// assert_eq!(of_osv("Ubuntu").expect("is known").release("22.04:LTS"), "22.04");
    /// ```
    #[must_use]
    pub fn release(&self, given: &str) -> String {
        let given = given.trim().to_ascii_lowercase();
        let is_product = self.osv_name == "Red Hat" && given.contains(':');
        let found = match self.releases {
            Releases::None => Some(String::new()),
            Releases::Words => {
                let spelled = self.aliases.iter().chain([&self.namespace]);
                let rest = spelled.filter_map(|name| given.strip_prefix(name)?.strip_prefix('-')).next();
                Some(rest.unwrap_or(&given).to_owned())
            }
            Releases::Numbers(_) if is_product && !given.starts_with("enterprise_linux:") => None,
            Releases::Numbers(count) => numbered(&given, count),
            Releases::ServicePacks => with_service_pack(&given),
        };
        found.unwrap_or(given)
    }
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '.'
}

/// The first number among the words of `given`, or the one that a word stands for, cut to `count` parts.
fn numbered(given: &str, count: usize) -> Option<String> {
    let mut words = given.split(|character| !is_word(character));
    words.find_map(|word| {
        if let Some((_, number)) = CODENAMES.iter().find(|(name, _)| *name == word) {
            return Some((*number).to_owned());
        }
        let number = word.strip_prefix('v').unwrap_or(word);
        let parts: Vec<&str> = number.split('.').collect();
        let is_number =
            parts.iter().all(|part| !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit()));
        is_number.then(|| parts[..parts.len().min(count)].join("."))
    })
}

/// `linux enterprise server 15 sp5`, `sles-15.5` and `leap 15.5` as `15.5`.
fn with_service_pack(given: &str) -> Option<String> {
    let words: Vec<&str> =
        given.split(|character| !is_word(character)).filter(|word| !word.is_empty()).collect();
    if words.contains(&"tumbleweed") {
        return Some("tumbleweed".into());
    }
    let at = words.iter().position(|word| word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))?;
    let pack = words.get(at + 1).and_then(|word| word.strip_prefix("sp"));
    Some(match pack {
        Some(pack) if !words[at].contains('.') => format!("{}.{pack}", words[at]),
        _ => words[at].to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ardb::version::ecosystem, purl::types};

    #[test]
    fn every_spelling_of_a_release_is_one() {
        for (osv_name, spellings, release) in [
            ("Debian", ["12", "debian-12.5", "bookworm", "debian-12"], "12"),
            ("Debian", ["8", "jessie", "debian-jessie", "8.11"], "8"),
            ("Ubuntu", ["22.04:LTS", "Pro:22.04:LTS", "ubuntu-22.04", "jammy"], "22.04"),
            ("Alpine", ["v3.19", "alpine-3.19.1", "3.19.0", "alpine-3.19"], "3.19"),
            ("AlmaLinux", ["9", "alma-9.2", "almalinux-9.2", "9.4"], "9"),
            ("Red Hat", ["enterprise_linux:8::appstream", "rhel-8.6", "redhat-8.6", "8"], "8"),
            ("Rocky Linux", ["9", "rocky-9.3", "rocky-linux-9", "9.3"], "9"),
            ("SUSE", ["Linux Enterprise Server 15 SP5", "sles-15.5", "15 SP5", "suse-15.5"], "15.5"),
            ("openSUSE", ["Leap 15.5", "opensuse-leap-15.5", "leap-15.5", "15.5"], "15.5"),
            (
                "openSUSE",
                ["Tumbleweed", "opensuse-tumbleweed", "tumbleweed", "tumbleweed-20240101"],
                "tumbleweed",
            ),
            (
                "openEuler",
                ["22.03-LTS-SP1", "openeuler-22.03-LTS-SP1", "22.03-lts-sp1", " 22.03-LTS-SP1"],
                "22.03-lts-sp1",
            ),
            ("Wolfi", ["", "wolfi", "20230201", "wolfi-20230201"], ""),
        ] {
            let distribution = of_osv(osv_name).unwrap();
            assert_eq!(spellings.map(|given| distribution.release(given)), [release; 4], "{osv_name}");
        }
    }

    #[test]
    fn what_is_no_release_of_the_plain_system_is_none_of_its_own() {
        let red_hat = of_osv("Red Hat").unwrap();
        assert_eq!(red_hat.release("rhel_eus:8.6::baseos"), "rhel_eus:8.6::baseos");
        assert_eq!(red_hat.release("openshift:4.12::el8"), "openshift:4.12::el8");
        assert_eq!(of_osv("Debian").unwrap().release("sid"), "sid");
        assert_eq!(of_osv("Alpine").unwrap().release("edge"), "edge");
        assert_eq!(of_osv("Debian").unwrap().release(""), "");
    }

    #[test]
    fn a_distribution_is_found_by_each_of_its_names() {
        for distribution in &DISTRIBUTIONS {
            assert_eq!(of_osv(distribution.osv_name), Some(distribution));
            for namespace in distribution.aliases.iter().chain([&distribution.namespace]) {
                assert_eq!(of_purl(distribution.ecosystem, namespace), Some(distribution));
            }
            assert!(types::find(distribution.ecosystem).is_some());
            assert_eq!(
                ecosystem::find(distribution.osv_name).map(|it| it.name),
                Some(distribution.ecosystem)
            );
        }
        assert!(DISTRIBUTIONS.is_sorted_by_key(|distribution| distribution.osv_name));
        assert_eq!(of_purl("rpm", "debian"), None);
        assert_eq!(of_osv("crates.io"), None);
    }
}
