//! What package URLs and tools say of packages of Linux distributions.
//!
//! - `distro` is the release (<https://github.com/package-url/purl-spec/blob/main/purl-spec/known-qualifiers.md>).
//! - `epoch` is the part of an RPM's version that the version in the package URL leaves out (type definition of `rpm`).
//! - `upstream` is the source package: Syft writes `name` or `name@version`, of RPMs the name of the file.

use super::{super::inventory::Found, Purl};
use crate::ardb::{distribution, name};

/// `found` with the release, the source package and the epoch that `purl` has; `system` is the operating system that
/// the document is about, for a package URL that has no `distro`.
pub(super) fn describe(mut found: Found, purl: &Purl, system: Option<&str>) -> Found {
    let qualifier = |name: &str| purl.qualifiers().get(name).map(String::as_str);
    if let Some(distribution) = distribution::of_purl(purl.kind(), &found.name.namespace) {
        distribution.namespace.clone_into(&mut found.name.namespace);
        found.release = qualifier("distro").or(system).map_or(String::new(), |it| distribution.release(it));
    }
    if let Some(epoch) = qualifier("epoch").filter(|epoch| *epoch != "0")
        && purl.kind() == "rpm"
        && !found.number.contains(':')
    {
        found.number = format!("{epoch}:{}", found.number);
    }
    if let Some((name, number)) = qualifier("upstream").and_then(|given| upstream(purl.kind(), given)) {
        let number = number.unwrap_or(&found.number).to_owned();
        set_upstream(&mut found, name, number);
    }
    found
}

/// Notes the source package, unless it is of the same name and version.
pub(super) fn set_upstream(found: &mut Found, name: &str, number: String) {
    let name = name::normalize(&found.ecosystem, name);
    if name != found.name.normalized || number != found.number {
        found.upstream = Some((name, number));
    }
}

/// Name and version, if there is one.
fn upstream<'a>(kind: &str, given: &'a str) -> Option<(&'a str, Option<&'a str>)> {
    if kind != "rpm" {
        return Some(match given.split_once('@') {
            Some((name, number)) => (name, Some(number)),
            None => (given, None),
        });
    }
    let Some(file) = given.strip_suffix(".src.rpm") else { return Some((given, None)) };
    let (rest, _release) = file.rsplit_once('-')?;
    let (name, _version) = rest.rsplit_once('-')?;
    // All packages of one source have its version, and the file's name leaves out the epoch.
    Some((name, None))
}

#[cfg(test)]
mod tests {
    use super::super::component;

    /// Namespace, name, number, release and source package.
    fn described(purl: &str, system: Option<&str>) -> String {
        let found = component(Some(purl), None, system).unwrap();
        let upstream =
            found.upstream.map_or(String::new(), |(name, number)| format!(" from {name} {number}"));
        let name = found.name;
        format!("{}/{} {} in {:?}{upstream}", name.namespace, name.normalized, found.number, found.release)
    }

    #[test]
    fn qualifiers_tell_the_release_the_source_package_and_the_epoch() {
        for (purl, expected) in [
            (
                "pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&distro=debian-12&upstream=openssl",
                "debian/libssl3 3.0.11-1 in \"12\" from openssl 3.0.11-1",
            ),
            (
                "pkg:deb/debian/gcc@4%3A12.2.0-3?distro=bookworm&upstream=gcc-defaults%401.203",
                "debian/gcc 4:12.2.0-3 in \"12\" from gcc-defaults 1.203",
            ),
            ("pkg:deb/ubuntu/curl@7.81?distro=ubuntu-22.04&upstream=curl", "ubuntu/curl 7.81 in \"22.04\""),
            (
                "pkg:apk/alpine/ssl_client@1.36.1-r5?distro=alpine-3.19.1&upstream=busybox",
                "alpine/ssl_client 1.36.1-r5 in \"3.19\" from busybox 1.36.1-r5",
            ),
            (
                "pkg:rpm/rocky/openssl-libs@3.0.7-24.el9?distro=rocky-9.3&epoch=1&upstream=openssl-3.0.7-24.el9.src.rpm",
                "rocky-linux/openssl-libs 1:3.0.7-24.el9 in \"9\" from openssl 1:3.0.7-24.el9",
            ),
            ("pkg:deb/debian/curl@7.88", "debian/curl 7.88 in \"\""),
            ("pkg:npm/a@1?distro=debian-12", "/a 1 in \"\""),
        ] {
            assert_eq!(described(purl, None), expected);
        }
    }

    #[test]
    fn without_a_qualifier_the_documents_system_is_the_release() {
        assert_eq!(described("pkg:deb/debian/curl@7.88", Some("debian-12.5")), "debian/curl 7.88 in \"12\"");
        let said = "pkg:deb/debian/curl@7.88?distro=debian-11";
        assert_eq!(described(said, Some("debian-12.5")), "debian/curl 7.88 in \"11\"");
    }
}
