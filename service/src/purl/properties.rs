//! What holds for every package URL, on random ones from fixed seeds.

use super::{Builder, Purl, types};

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// Up to `longest` characters, many of them special to package URLs or to case mapping.
    fn text(&mut self, longest: usize) -> String {
        const SPECIAL: [char; 34] = [
            '/', '@', '?', '#', '&', '=', '%', ':', '+', '.', '-', '_', '~', ' ', ',', '*', '"', '\\', '\0',
            '\n', 'A', 'Z', 'é', 'ß', 'İ', 'Σ', 'ς', 'ǅ', 'K', 'ŉ', '中', '🦀', '\u{307}', '\u{ffff}',
        ];
        let length = self.below(longest + 1);
        let mut text = String::new();
        for _ in 0..length {
            text.push(match self.below(3) {
                0 => *self.one(&SPECIAL),
                1 => char::from(b'a' + u8::try_from(self.below(26)).unwrap()),
                _ => char::from_u32(u32::try_from(self.below(0x11_0000)).unwrap()).unwrap_or('x'),
            });
        }
        text
    }

    fn kind(&mut self) -> String {
        match self.below(5) {
            0 => "x-unregistered".to_owned(),
            _ => self.one(&types::TYPES).name.to_owned(),
        }
    }

    fn builder(&mut self) -> Builder {
        let kind = self.kind();
        let mut builder =
            Purl::new(kind, self.text(12)).with_version(self.text(8)).with_subpath(self.text(12));
        if self.below(2) == 0 {
            builder = builder.with_namespace(self.text(12));
        }
        for key in ["uuid", "tag_id", "repository_url", "Z.a-b_9"] {
            builder = builder.with_qualifier(key, self.text(8));
        }
        builder
    }

    /// A text that resembles a package URL.
    fn resembling(&mut self) -> String {
        let kind = self.kind();
        let mut text = format!("pkg:{kind}/");
        for separator in ["/", "@", "?a=", "&b=", "#"] {
            text.push_str(&self.text(10));
            if self.below(2) == 0 {
                text.push_str(separator);
            }
        }
        text
    }
}

#[test]
fn what_a_package_url_prints_parses_to_itself() {
    let (mut random, mut built) = (Random(1), 0);
    for round in 0..40_000 {
        let builder = random.builder();
        let Ok(purl) = builder.clone().build() else { continue };
        let printed = purl.to_string();
        assert_eq!(printed.parse(), Ok(purl.clone()), "round {round}: {builder:?} prints {printed}");
        assert_eq!(Purl::parse_strictly(&printed), Ok(purl), "round {round}: {printed}");
        built += 1;
    }
    assert!(built > 10_000, "only {built} were built");
}

#[test]
fn printing_what_was_parsed_is_idempotent_and_ascii_of_the_permitted_characters() {
    let (mut random, mut parsed) = (Random(2), 0);
    for round in 0..40_000 {
        let text = random.resembling();
        let Ok(purl) = text.parse::<Purl>() else { continue };
        let printed = purl.to_string();
        let again =
            printed.parse::<Purl>().unwrap_or_else(|error| panic!("round {round}: {printed}: {error}"));
        assert_eq!(again.to_string(), printed, "round {round}: {text:?}");
        let permitted = |c: char| c.is_ascii_alphanumeric() || ".-_~%:/@?=&#".contains(c);
        assert!(printed.chars().all(permitted), "round {round}: {printed}");
        parsed += 1;
    }
    assert!(parsed > 2_000, "only {parsed} were parsed");
}

#[test]
fn no_octets_bring_parsing_down() {
    let mut random = Random(3);
    for _ in 0..20_000 {
        let length = random.below(60);
        let octets: Vec<u8> = (0..length).map(|_| random.next().to_le_bytes()[0]).collect();
        let text = String::from_utf8_lossy(&octets);
        for text in [text.to_string(), format!("pkg:npm/{text}"), format!("pkg:npm/a?{text}")] {
            let _ = Purl::parse_strictly(&text).map(|purl| purl.to_string());
        }
    }
}

#[test]
fn a_megabyte_of_anything_is_answered() {
    const MEGABYTE: usize = 1 << 20;
    for unit in ["/", "@", "%", "%41", "?", "&", "=", "#", ":", "a/", "İ", "\0"] {
        let long = unit.repeat(MEGABYTE / unit.len());
        for front in ["", "pkg:generic/", "pkg:pub/a?k=", "pkg:git/a/b#"] {
            let _ = format!("{front}{long}").parse::<Purl>().map(|purl| purl.to_string());
        }
    }
    let many: String = (0..100_000).map(|number| format!("&k{number}=v")).collect();
    assert_eq!(format!("pkg:npm/a?{many}").parse::<Purl>().unwrap().qualifiers().len(), 100_000);
}
