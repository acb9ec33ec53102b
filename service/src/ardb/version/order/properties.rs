//! What holds for every scheme, on random versions from fixed seeds.

use std::cmp::Ordering;

use super::*;

const SCHEMES: [Scheme; 12] = [
    Scheme::Semver,
    Scheme::Pub,
    Scheme::Pep440,
    Scheme::Maven,
    Scheme::Gem,
    Scheme::Nuget,
    Scheme::Composer,
    Scheme::Deb,
    Scheme::Rpm,
    Scheme::Apk,
    Scheme::Cran,
    Scheme::Hackage,
];

/// What versions are made of, with much that compares as equal.
const PIECES: [&str; 44] = [
    "0",
    "00",
    "1",
    "01",
    "2",
    "9",
    "10",
    "20240131",
    "99999999999999999999",
    ".",
    ".",
    ".",
    ".",
    "-",
    "-",
    "_",
    "~",
    "^",
    "+",
    ":",
    "!",
    "a",
    "b",
    "A",
    "rc",
    "RC",
    "alpha",
    "beta",
    "dev",
    "post",
    "pre",
    "final",
    "sp",
    "SNAPSHOT",
    "x",
    "p",
    "-r",
    "r",
    "v",
    "git",
    "_p",
    "_rc",
    "#",
    "é",
];

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }

    fn version(&mut self) -> String {
        let mut version = String::from(["0", "1", "1.0", "2"][self.below(4)]);
        for _ in 0..self.below(7) {
            version.push_str(PIECES[self.below(PIECES.len())]);
        }
        version
    }
}

/// Of one seed always the same.
pub(super) fn versions(seed: u64, count: usize) -> Vec<String> {
    let mut random = Random(seed);
    (0..count).map(|_| random.version()).collect()
}

#[test]
fn compare_is_antisymmetric_and_agrees_with_the_keys() {
    for scheme in SCHEMES {
        let versions = versions(1, 250);
        let keys: Vec<_> = versions.iter().map(|version| key(scheme, version)).collect();
        assert!(keys.iter().flatten().count() > 8, "{scheme:?}");
        for (a, a_key) in versions.iter().zip(&keys) {
            assert_eq!(
                compare(scheme, a, a),
                compare(scheme, a, a).map(|_| Ordering::Equal),
                "{scheme:?} {a}"
            );
            for (b, b_key) in versions.iter().zip(&keys) {
                let found = compare(scheme, a, b);
                assert_eq!(found, compare(scheme, b, a).map(Ordering::reverse), "{scheme:?} {a} {b}");
                if let (Some(a_key), Some(b_key)) = (a_key, b_key)
                    && scheme != Scheme::Maven
                {
                    assert_eq!(found, Some(a_key.cmp(b_key)), "{scheme:?} {a} {b}");
                }
            }
        }
    }
}

/// Where Maven's own order goes round in circles, its key may differ; nowhere else.
#[test]
fn mavens_key_differs_only_between_a_prerelease_behind_zeros_and_what_is_above_the_release() {
    let versions: Vec<_> =
        versions(2, 400).into_iter().filter_map(|it| Some((key(Scheme::Maven, &it)?, it))).collect();
    let mut differences = 0;
    for (a_key, a) in &versions {
        for (b_key, b) in &versions {
            let exact = compare(Scheme::Maven, a, b);
            if exact != Some(a_key.cmp(b_key)) {
                differences += 1;
                let (low_key, high_key) = if a_key < b_key { (a_key, b_key) } else { (b_key, a_key) };
                let common = low_key.iter().zip(high_key).take_while(|(low, high)| low == high).count();
                // The first bytes that differ say: below the end here, above it there.
                assert_eq!((low_key[common], high_key[common]), (1, 3), "{a} {b}");
            }
        }
    }
    assert!(differences > 0 && differences < versions.len() * versions.len() / 50, "{differences}");
}

#[test]
fn keys_fit_the_column_for_every_number_that_does() {
    let mut random = Random(3);
    for _ in 0..300 {
        let mut number = String::from("1");
        while number.len() < 250 {
            number.push_str(PIECES[random.below(3)]);
            number.push_str(PIECES[random.below(PIECES.len())]);
        }
        number.truncate(number.floor_char_boundary(256));
        for scheme in SCHEMES {
            let found = parse_any_length(scheme, &number);
            assert!(found.is_none_or(|it| it.key.len() <= MAX_KEY_BYTES), "{scheme:?} {number}");
        }
    }
    for piece in ["1.", "1-", "a1", "1a", ".a", "-1", "1~", "_p1", "-a"] {
        let number = format!("1{}", piece.repeat(200));
        for scheme in SCHEMES {
            let found = parse_any_length(scheme, &number[..255]);
            assert!(found.is_none_or(|it| it.key.len() <= MAX_KEY_BYTES), "{scheme:?} {piece}");
        }
    }
}

#[test]
fn numbers_of_ten_thousand_digits_compare_but_have_no_key() {
    let (low, high) = ("8".repeat(10_000), "9".repeat(10_000));
    for scheme in SCHEMES {
        let compared = compare(scheme, &format!("{low}.0.0"), &format!("{high}.0.0"));
        assert_eq!(compared, Some(Ordering::Less), "{scheme:?}");
        assert_eq!(key(scheme, &format!("{low}.0.0")), None, "{scheme:?}");
        assert!(key(scheme, &format!("{}.0.0", &low[..1_900])).is_some(), "{scheme:?}");
    }
}

#[test]
fn nothing_panics_on_any_bytes_or_a_megabyte() {
    let mut random = Random(4);
    let mut texts: Vec<String> = (0..3_000)
        .map(|_| {
            let bytes: Vec<u8> = (0..random.below(24)).map(|_| random.below(256) as u8).collect();
            String::from_utf8_lossy(&bytes).into_owned()
        })
        .collect();
    texts
        .extend(["0", ".0", "-a", "~é\0"].map(|piece| format!("1{}", piece.repeat(1_000_000 / piece.len()))));
    for scheme in SCHEMES.into_iter().chain([Scheme::Opaque]) {
        for pair in texts.windows(2) {
            let _ = (key(scheme, &pair[0]), compare(scheme, &pair[0], &pair[1]));
        }
    }
}
