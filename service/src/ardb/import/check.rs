//! What every importer holds a value to before it reaches the database, where one bad value would undo the whole
//! batch. The limits are those of the schema's CHECKs.

use chrono::{DateTime, Datelike as _, Utc};

use super::json::Object;

/// In bytes, of names, namespaces, aliases, identifiers and version numbers.
pub(super) const MAX_NAME_BYTES: usize = 256;

/// `Err` with a reason unless `value` is 1 to `max` bytes long.
pub(super) fn length(field: &str, value: &str, max: usize) -> Result<(), String> {
    match value.len() {
        0 => Err(format!("{field} is empty")),
        bytes if bytes > max => Err(format!("{field} is {bytes} bytes long, at most {max} are kept")),
        _ => Ok(()),
    }
}

/// Like [`length`], and empty is fine.
pub(super) fn length_or_empty(field: &str, value: &str, max: usize) -> Result<(), String> {
    if value.is_empty() { Ok(()) } else { length(field, value, max) }
}

/// Why a text is not the JSON that was expected, and on which of its lines, counted from 1.
pub(super) struct BadJson {
    pub(super) line: usize,
    pub(super) reason: String,
}

impl From<BadJson> for String {
    fn from(bad: BadJson) -> Self {
        bad.reason
    }
}

/// `text` as UTF-8, which JSON is written in.
pub(super) fn utf8(text: Vec<u8>) -> Result<String, BadJson> {
    String::from_utf8(text).map_err(|error| {
        let until = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes()[..until].iter().filter(|byte| **byte == b'\n').count();
        BadJson { line, reason: format!("is not UTF-8: {}", error.utf8_error()) }
    })
}

/// The JSON object that `text` is.
pub(super) fn object(text: &str) -> Result<Object<'_>, BadJson> {
    Object::parse(text).map_err(|error| BadJson {
        line: error.line().max(1),
        reason: format!("is not what was expected: {error}"),
    })
}

/// Reads JSON. What PostgreSQL could not store, a NUL byte or an escaped one (`\u0000`), is refused with it.
pub(super) fn json<'a, T: serde::Deserialize<'a>>(text: &'a [u8]) -> Result<T, BadJson> {
    let line = |until: usize| 1 + text[..until].iter().filter(|byte| **byte == b'\n').count();
    if let Some(at) = find_nul(text) {
        let reason = "has a NUL character, which the database can't hold".into();
        return Err(BadJson { line: line(at), reason });
    }
    let utf8 = str::from_utf8(text).map_err(|error| BadJson {
        line: line(error.valid_up_to()),
        reason: format!("is not UTF-8: {error}"),
    })?;
    serde_json::from_str(utf8).map_err(|error| BadJson {
        line: error.line().max(1),
        reason: format!("is not what was expected: {error}"),
    })
}

/// An RFC 3339 time in a year that PostgreSQL and RFC 3339 both can write.
pub(super) fn time(field: &str, value: &str) -> Result<DateTime<Utc>, String> {
    let time = DateTime::parse_from_rfc3339(value)
        .map_err(|error| format!("{field} {value:?} is not an RFC 3339 time: {error}"))?
        .to_utc();
    if (1..=9999).contains(&time.year()) {
        Ok(time)
    } else {
        Err(format!("{field} {value:?} is out of range"))
    }
}

/// 32 bytes from 64 hexadecimal digits.
pub(super) fn sha256(field: &str, value: &str) -> Result<[u8; 32], String> {
    let expected = || format!("{field} {value:?} is not 64 hexadecimal digits");
    if value.len() != 64 || !value.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(expected());
    }
    let mut bytes = [0; 32];
    for (byte, digits) in bytes.iter_mut().zip(value.as_bytes().chunks_exact(2)) {
        let digits = str::from_utf8(digits).map_err(|_| expected())?;
        *byte = u8::from_str_radix(digits, 16).map_err(|_| expected())?;
    }
    Ok(bytes)
}

/// Where JSON `text` holds a NUL, plain or as `\u0000` (but not as `\\u0000`, a backslash and five letters).
fn find_nul(text: &[u8]) -> Option<usize> {
    const ESCAPED: &[u8] = b"\\u0000";
    (0..text.len()).find(|&at| match text[at] {
        0 => true,
        b'\\' if text[at..].starts_with(ESCAPED) => {
            text[..at].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 0
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_is_found_plain_and_escaped_and_an_escaped_backslash_is_none() {
        for text in [r#""\u0000""#, r#""a\\\u0000""#, "\"\0\""] {
            assert!(find_nul(text.as_bytes()).is_some(), "{text:?}");
        }
        for text in [r#""\\u0000""#, r#""u0000""#, r#""\u0001""#, ""] {
            assert_eq!(find_nul(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn times_outside_of_four_digit_years_are_refused() {
        assert!(time("at", "2024-02-29T12:00:00Z").is_ok());
        for value in [
            "0000-01-01T00:00:00Z",
            "0001-01-01T00:00:00+01:00",
            "9999-12-31T23:59:59-01:00",
            "2024-02-30T00:00:00Z",
            "soon",
        ] {
            assert!(time("at", value).is_err(), "{value}");
        }
    }

    #[test]
    fn a_checksum_is_exactly_64_hexadecimal_digits() {
        assert_eq!(sha256("sum", &"0f".repeat(32)), Ok([15; 32]));
        for value in ["", "0f", &"0g".repeat(32), &"+f".repeat(32), &"é".repeat(32)] {
            assert!(sha256("sum", value).is_err(), "{value}");
        }
    }
}
