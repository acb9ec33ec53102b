//! What the keys of every scheme are made of: numbers and text whose bytes sort as their values do.

/// The count of digits that announces four more bytes with the real count.
const LONG: u8 = u8::MAX;

/// Ends a sequence; below everything that may stand in its place.
pub(super) const END: u8 = 0;

/// A number of any length: how many digits (one byte; from 255 digits on [`LONG`] and four bytes, big-endian), then
/// the digits without leading zeros. More digits are a greater number.
pub(super) fn push_number(key: &mut Vec<u8>, digits: &str) {
    let digits = without_zeros(digits);
    match u8::try_from(digits.len()) {
        Ok(length) if length < LONG => key.push(length),
        _ => {
            key.push(LONG);
            key.extend_from_slice(&count(digits.len()).to_be_bytes());
        }
    }
    key.extend_from_slice(digits.as_bytes());
}

/// Text, closed by [`END`]: a prefix is lower. A zero byte within the text is followed by 255, which no tag is.
pub(super) fn push_text(key: &mut Vec<u8>, text: &str) {
    for &byte in text.as_bytes() {
        key.push(byte);
        if byte == END {
            key.push(u8::MAX);
        }
    }
    key.push(END);
}

/// A count, the lower the earlier.
pub(super) fn push_ascending(key: &mut Vec<u8>, number: usize) {
    key.extend_from_slice(&count(number).to_be_bytes());
}

/// A count, the higher the earlier.
pub(super) fn push_descending(key: &mut Vec<u8>, number: usize) {
    key.extend_from_slice(&(!count(number)).to_be_bytes());
}

/// The digits without leading zeros; of zero, one zero stays.
pub(super) fn without_zeros(digits: &str) -> &str {
    match digits.trim_start_matches('0') {
        "" if digits.is_empty() => "0",
        "" => &digits[digits.len() - 1..],
        significant => significant,
    }
}

pub(super) fn is_zero(digits: &str) -> bool {
    digits.bytes().all(|byte| byte == b'0')
}

pub(super) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Splits `text` before its first byte that `belongs` denies; `belongs` must deny or take all bytes of a character.
pub(super) fn split_while(text: &str, belongs: impl Fn(u8) -> bool) -> (&str, &str) {
    let end = text.bytes().position(|byte| !belongs(byte)).unwrap_or(text.len());
    text.split_at(end)
}

/// The digits that `text` begins with, and the rest.
pub(super) fn split_digits(text: &str) -> (&str, &str) {
    split_while(text, |byte| byte.is_ascii_digit())
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_sort_by_value_whatever_their_length() {
        let key = |digits: &str| {
            let mut key = Vec::new();
            push_number(&mut key, digits);
            key
        };
        let rising = ["0", "1", "9", "10", "099", "100"].map(String::from).into_iter();
        let rising = rising.chain([253, 254, 255, 256, 10_000].map(|count| "7".repeat(count)));
        let keys: Vec<_> = rising.map(|digits| key(&digits)).collect();
        assert!(keys.is_sorted_by(|a, b| a < b));
        assert_eq!([key("000"), key("007")], [key("0"), key("7")]);
        assert_eq!(key(""), key("0"));
    }

    #[test]
    fn a_zero_byte_in_a_text_does_not_end_it() {
        let key = |text: &str, after: u8| {
            let mut key = Vec::new();
            push_text(&mut key, text);
            key.push(after);
            key
        };
        let rising = [key("", 9), key("\0", 1), key("a", 9), key("a\0", 1), key("a\0b", 1), key("ab", 1)];
        assert!(rising.is_sorted_by(|a, b| a < b));
    }
}
