//! RPM: `[epoch:]version[-release]`, split as `parseEVR` does and compared by `rpmvercmp` (rpm-version(7)).
//!
//! Only digits make an epoch; what stands before another colon belongs to the version. A missing epoch is 0. A missing
//! release is before every release, also before an empty one (`rpmVersionCompare`). Within version and release, runs
//! of digits and runs of letters compare in turn; everything else only separates. At one position, from low to high:
//! `~`, the end, `^`, letters, a number.

use super::{
    Parsed,
    bytes::{push_number, push_text, split_digits, split_while},
};

const TILDE: u8 = 1;
const END: u8 = 2;
const CARET: u8 = 3;
const LETTERS: u8 = 4;
const NUMBER: u8 = 5;

const NO_RELEASE: u8 = 1;
const RELEASE: u8 = 2;

/// `None` only for the empty version: `rpmvercmp` takes what it doesn't know for separators.
pub(super) fn parse(number: &str) -> Option<Parsed> {
    if number.is_empty() {
        return None;
    }
    let (epoch, rest) = split_digits(number);
    let (epoch, rest) = rest.strip_prefix(':').map_or(("0", number), |rest| (epoch, rest));
    let (version, release) =
        rest.rsplit_once('-').map_or((rest, None), |(version, release)| (version, Some(release)));
    let mut key = Vec::with_capacity(number.len() * 2);
    push_number(&mut key, epoch);
    push_part(&mut key, version);
    match release {
        None => key.push(NO_RELEASE),
        Some(release) => {
            key.push(RELEASE);
            push_part(&mut key, release);
        }
    }
    Some(Parsed { key, is_prerelease: false })
}

fn push_part(key: &mut Vec<u8>, mut part: &str) {
    while let Some(&first) = part.as_bytes().first() {
        part = match first {
            b'~' => {
                key.push(TILDE);
                &part[1..]
            }
            b'^' => {
                key.push(CARET);
                &part[1..]
            }
            digit if digit.is_ascii_digit() => {
                let (digits, rest) = split_digits(part);
                key.push(NUMBER);
                push_number(key, digits);
                rest
            }
            letter if letter.is_ascii_alphabetic() => {
                let (letters, rest) = split_while(part, |byte| byte.is_ascii_alphabetic());
                key.push(LETTERS);
                push_text(key, letters);
                rest
            }
            _ => split_while(part, |byte| !byte.is_ascii_alphanumeric() && byte != b'~' && byte != b'^').1,
        };
    }
    key.push(END);
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::assert_rising, *};

    #[test]
    fn the_tilde_sorts_before_the_end_and_the_caret_after_it() {
        assert_rising(
            parse,
            &[
                "1~rc1",
                "1~rc1^git",
                "1 0:1 01 1. 1_ 00:1",
                "1-",
                "1-1 1-1.",
                "1^",
                "1^git1~pre",
                "1^git1",
                "1^git1^x",
            ],
        );
        assert_rising(
            parse,
            &["1^20160102", "1.a", "1.aa", "1.b", "1.0", "1.1 1..1 1_1 1.é1", "1.1.1", "2:0"],
        );
    }

    #[test]
    fn only_digits_make_an_epoch_and_the_last_hyphen_begins_the_release() {
        assert_rising(parse, &["a:1", "a1:1", "a:2", "b:1", "1", "1:a", "1:1-2", "1:1.1", "1:1-1-1"]);
    }
}
