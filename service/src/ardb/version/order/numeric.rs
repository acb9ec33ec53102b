//! Versions that are numbers and nothing else: R's and Haskell's.
//!
//! Both compare number by number; where one version ends, the longer is greater, so `1.0` is below `1.0.0`. Leading
//! zeros don't count. The key is each number behind a byte that is above the end.

use super::{
    Parsed,
    bytes::{END, is_digits, push_number},
};

const NUMBER: u8 = 1;

/// R: numbers parted by `.` or `-`, which are the same (`?package_version`, "Writing R Extensions" 1.1.1).
pub(super) fn parse_cran(number: &str) -> Option<Parsed> {
    parse(number.split(['.', '-']))
}

/// Haskell: numbers parted by `.` (`Data.Version.parseVersion`, which takes leading zeros where Cabal does not).
pub(super) fn parse_hackage(number: &str) -> Option<Parsed> {
    parse(number.split('.'))
}

fn parse<'a>(numbers: impl Iterator<Item = &'a str>) -> Option<Parsed> {
    let mut key = Vec::new();
    for digits in numbers {
        if !is_digits(digits) {
            return None;
        }
        key.push(NUMBER);
        push_number(&mut key, digits);
    }
    key.push(END);
    Some(Parsed { key, is_prerelease: false })
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::assert_rising, *};

    #[test]
    fn the_longer_is_greater_where_the_shorter_ends() {
        assert_rising(
            parse_cran,
            &["0", "0.01 0.1 0-1", "0.9", "0.75", "1.0", "1.0-0 1.0.0", "1.0-1", "1.1"],
        );
        assert_rising(parse_hackage, &["0", "0.1", "0.1.0", "0.9", "0.11", "1", "1.0", "1.1"]);
    }

    #[test]
    fn anything_but_numbers_is_refused() {
        for number in ["", ".", "1.", ".1", "1..2", "1.a", "1.0 ", "1.²", "r1"] {
            assert_eq!((parse_cran(number), parse_hackage(number)), (None, None), "{number:?}");
        }
        assert_eq!(parse_hackage("1.0-1"), None);
    }
}
