//! NuGet: `NuGetVersion` and its `VersionComparer`: SemVer 2.0.0 with up to four numbers of which all but the first may
//! be missing, leading zeros in them, and labels that compare without regard to case. Metadata does not count.
//!
//! A label is a number where .NET's `int.TryParse` takes it, so `-5` is one and `2147483648` is none: NuGet compares
//! it as text. The key: four numbers, [`PRERELEASE`] or [`RELEASE`], per label [`NUMERIC`] with four bytes or [`TEXT`]
//! with its lower case, and the end.

use super::{
    Parsed,
    bytes::{END, is_digits, push_number, push_text},
};

const PRERELEASE: u8 = 1;
const RELEASE: u8 = 2;
const NUMERIC: u8 = 1;
const TEXT: u8 = 2;

/// `None` where `NuGetVersion.TryParse` says no, except that numbers may be longer than its 32 bits.
pub(super) fn parse(number: &str) -> Option<Parsed> {
    let (number, metadata) = number.split_once('+').map_or((number, None), |(a, b)| (a, Some(b)));
    let (core, labels) = number.split_once('-').map_or((number, None), |(a, b)| (a, Some(b)));
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    if metadata.is_some_and(|metadata| !metadata.split('.').all(is_label)) {
        return None;
    }
    let numbers: Vec<&str> = core.split('.').take(5).collect();
    if numbers.len() > 4 || !numbers.iter().all(|digits| is_digits(digits)) {
        return None;
    }
    let mut key = Vec::with_capacity(number.len() + 8);
    for digits in numbers.into_iter().chain(["0"; 3]).take(4) {
        push_number(&mut key, digits);
    }
    let Some(labels) = labels else {
        key.push(RELEASE);
        return Some(Parsed { key, is_prerelease: false });
    };
    key.push(PRERELEASE);
    for label in labels.split('.') {
        if !is_label(label) {
            return None;
        }
        push_label(&mut key, label);
    }
    key.push(END);
    Some(Parsed { key, is_prerelease: true })
}

fn push_label(key: &mut Vec<u8>, label: &str) {
    match label.parse::<i32>() {
        Ok(number) => {
            key.push(NUMERIC);
            // The sign bit flipped, negative numbers sort below the others.
            key.extend_from_slice(&(number ^ i32::MIN).to_be_bytes());
        }
        Err(_) => {
            key.push(TEXT);
            push_text(key, &label.to_ascii_lowercase());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::assert_rising, *};

    #[test]
    fn missing_numbers_are_zeros_and_case_and_metadata_do_not_count() {
        assert_rising(
            parse,
            &[
                "0.9.9.1",
                "1-a",
                "1-ALPHA 1.0.0.0-alpha 01.0-Alpha+X",
                "1-alpha.-1",
                "1-alpha.0 1-alpha.00",
                "1-alpha.2",
                "1-alpha.10",
                "1-alpha.x",
                "1-alpha.x.0",
                "1-beta",
                "1 1.0 1.0.0 1.0.0.0 1+meta",
                "1.0.0.1-a",
                "1.0.0.1",
                "1.0.01 1.0.1",
                "99999999999999999999",
            ],
        );
    }

    #[test]
    fn a_label_beyond_32_bits_compares_as_text() {
        assert_rising(parse, &["1-2147483647", "1-10000000000", "1-2147483648", "1-9999999999", "1-a"]);
    }

    #[test]
    fn what_nu_get_refuses_has_no_key() {
        for number in ["", "1.", ".1", "1.2.3.4.5", "1-", "1-a..b", "1-a_b", "1+", "1+a+b", "v1", "1.a", "1 "]
        {
            assert_eq!(parse(number), None, "{number:?}");
        }
    }
}
