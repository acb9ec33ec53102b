//! How crates.io's crates are: figures counted over 370 crates of its index with 16,558 versions and 121,639
//! dependencies. What the index does not say (licences, descriptions, owners, keywords, downloads) is made up in `mod.rs`.

/// A distribution: the values below which a share of all cases lies, in between on a straight line.
#[derive(Clone, Copy, Debug)]
pub struct Quantiles([f64; 15]);

const SHARES: [f64; 15] = [0., 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.];

impl Quantiles {
    /// The value that `share` of all cases lie below.
    pub fn at(&self, share: f64) -> f64 {
        let above = SHARES.iter().position(|known| share < *known).unwrap_or(SHARES.len() - 1).max(1);
        let (from, to) = (SHARES[above - 1], SHARES[above]);
        let (low, high) = (self.0[above - 1], self.0[above]);
        low + (high - low) * ((share - from) / (to - from)).clamp(0., 1.)
    }

    pub fn mean(&self) -> f64 {
        let piece = |at: usize| (self.0[at] + self.0[at + 1]) / 2. * (SHARES[at + 1] - SHARES[at]);
        (0..SHARES.len() - 1).map(piece).sum()
    }
}

pub const NAME_LENGTH: Quantiles =
    Quantiles([2., 3., 4., 4., 6., 8., 9., 10., 12., 12., 14., 17., 19., 23., 28.]);
pub const VERSIONS_OF_A_CRATE: Quantiles =
    Quantiles([1., 2., 5., 7., 11., 17., 23., 30., 38., 49., 66., 95., 133., 253., 462.]);
pub const DEPENDENCIES_OF_A_VERSION: Quantiles =
    Quantiles([0., 0., 0., 1., 2., 3., 4., 5., 7., 9., 11., 17., 23., 35., 66.]);
pub const FEATURES_OF_A_VERSION: Quantiles =
    Quantiles([0., 0., 0., 0., 0., 1., 2., 3., 4., 6., 9., 15., 21., 38., 1727.]);
pub const FEATURE_LENGTH: Quantiles =
    Quantiles([2., 3., 4., 5., 7., 10., 12., 15., 16., 19., 21., 25., 29., 36., 53.]);
/// What a feature asks for.
pub const FEATURE_ITEMS: Quantiles = Quantiles([0., 0., 0., 0., 0., 0., 0., 0., 0., 1., 1., 2., 4., 6., 32.]);
pub const FEATURE_ITEM_LENGTH: Quantiles =
    Quantiles([2., 3., 3., 4., 5., 7., 9., 11., 11., 13., 16., 23., 27., 36., 54.]);
/// Features that a dependency asks for, and the letters of each.
pub const ASKED_FEATURES: [(u64, f64); 6] =
    [(0, 0.829), (1, 0.115), (2, 0.0334), (3, 0.0127), (4, 0.0043), (5, 0.005)];
pub const ASKED_FEATURE_LENGTH: Quantiles =
    Quantiles([2., 2., 3., 3., 4., 4., 5., 6., 7., 8., 10., 12., 14., 22., 32.]);

pub const YANKED: f64 = 0.0656;
pub const PRERELEASE: f64 = 0.0729;
pub const BUILD_METADATA: f64 = 0.0119;
pub const LINKS: f64 = 0.0196;
pub const RUST_VERSION: f64 = 0.413;

/// As the dump has them: 0 normal, 1 build, 2 dev.
pub const KINDS: [(&str, f64); 3] = [("0", 0.6291), ("2", 0.355), ("1", 0.0159)];
/// Of the dependencies that can be.
pub const OPTIONAL: f64 = 0.417;
pub const DEFAULT_FEATURES: f64 = 0.772;
pub const ALIAS: f64 = 0.0127;
pub const TARGET: f64 = 0.0789;
pub const TARGETS: [(&str, f64); 10] = [
    ("cfg(unix)", 1291.),
    ("cfg(target_arch = \"wasm32\")", 1167.),
    ("cfg(windows)", 1007.),
    ("cfg(not(miri))", 362.),
    ("cfg(not(target_arch = \"wasm32\"))", 638.),
    ("cfg(any())", 472.),
    ("cfg(target_os = \"windows\")", 597.),
    ("cfg(all(tokio_unstable, target_os = \"linux\"))", 1000.),
    ("cfg(all(target_arch = \"wasm32\", not(any(target_os = \"emscripten\", target_os = \"wasi\"))))", 1900.),
    (
        "cfg(all(any(target_arch = \"x86_64\", target_arch = \"aarch64\"), not(any(target_os = \"windows\", \
         target_os = \"macos\", target_os = \"ios\", target_os = \"android\", target_env = \"musl\"))))",
        960.,
    ),
];

/// Requirements, an N for each number.
pub const REQUIREMENTS: [(&str, f64); 16] = [
    ("^N.N.N", 0.4811),
    ("^N.N", 0.3609),
    ("^N", 0.0883),
    ("=N.N.N", 0.0271),
    ("*", 0.01),
    ("^N.N.N-alpha.N", 0.0073),
    ("~N.N.N", 0.007),
    ("=N.N.N-rc.N", 0.0064),
    (">=N.N, <N", 0.0043),
    ("~N.N", 0.0029),
    ("~N.N.N-beta.N", 0.0014),
    ("N.*", 0.001),
    ("=N.N", 0.0008),
    ("N.N.*", 0.0007),
    (">=N.N.N", 0.0006),
    ("<N.N.N", 0.0001),
];
/// Of a version's dependencies, those that the version before did not have, and those that it had with another
/// requirement.
pub const NEW_DEPENDENCY: f64 = 0.042;
pub const NEW_REQUIREMENT: f64 = 0.177;

/// The share of all dependencies that are on the so many most popular crates.
const POPULARITY: [(f64, f64); 11] = [
    (0., 0.),
    (1., 0.0384),
    (2., 0.0627),
    (5., 0.1196),
    (10., 0.1902),
    (20., 0.2879),
    (50., 0.4451),
    (100., 0.5985),
    (200., 0.7568),
    (500., 0.9305),
    (1000., 0.9982),
];

/// The rank of the crate that `share` of all dependencies are on crates before, of `crates`. What the figures leave to
/// the crates that are not in them is spread evenly.
pub fn rank(share: f64, crates: u64) -> u64 {
    let piece = POPULARITY.windows(2).find(|piece| share < piece[1].1);
    let (from, to) =
        piece.map_or((POPULARITY[10], (crates.max(1001) as f64, 1.)), |piece| (piece[0], piece[1]));
    let rank = from.0 + (to.0 - from.0) * (share - from.1) / (to.1 - from.1);
    rank as u64 % crates
}
