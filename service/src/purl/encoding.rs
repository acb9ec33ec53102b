//! Percent-encoding (ECMA-427, 5.4).

use std::fmt::{self, Write as _};

use super::error::{Component, Error, Result};

/// Letters, digits, `.-_~` and the colon stay; every other octet of the UTF-8 form becomes `%XX`.
pub(super) fn encode(into: &mut impl fmt::Write, text: &str) -> fmt::Result {
    for octet in text.bytes() {
        if octet.is_ascii_alphanumeric() || b".-_~:".contains(&octet) {
            into.write_char(char::from(octet))?;
        } else {
            into.write_char('%')?;
            into.write_char(hexadecimal(octet >> 4))?;
            into.write_char(hexadecimal(octet & 0xf))?;
        }
    }
    Ok(())
}

/// Encodes what `/` separates, and leaves the `/`.
pub(super) fn encode_segments(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    for (position, segment) in text.split('/').enumerate() {
        if position > 0 {
            f.write_char('/')?;
        }
        encode(f, segment)?;
    }
    Ok(())
}

/// What `text`, a part of `component`, stands for. Characters that should have been encoded stay as they are.
pub(super) fn decode(component: Component, text: &str) -> Result<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            octets.push(*first);
            continue;
        }
        let [high, low, after @ ..] = rest else {
            return Err(Error::new(component, "two hexadecimal digits after %", text));
        };
        let (Some(high), Some(low)) = (digit(*high), digit(*low)) else {
            return Err(Error::new(component, "two hexadecimal digits after %", text));
        };
        octets.push(high << 4 | low);
        rest = after;
    }
    String::from_utf8(octets).map_err(|_| Error::new(component, "UTF-8 behind the percent-encoding", text))
}

fn hexadecimal(digit: u8) -> char {
    char::from(if digit < 10 { b'0' + digit } else { b'A' - 10 + digit })
}

fn digit(character: u8) -> Option<u8> {
    char::from(character).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
