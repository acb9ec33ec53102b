//! Event ids: 128 bits of SHA-256 over what makes an event that event.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};

/// The identity of an event: the first 128 bits of a SHA-256.
///
/// Stored as ClickHouse `UUID`, because that is the 128-bit type that prints, compares and goes into JSON as
/// the same text everywhere (a `UInt128` loses digits in JSON readers, a `FixedString` prints as raw bytes).
/// It is no RFC 9562 UUID: no bits are given up for version and variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId(pub u128);

impl EventId {
    /// The id of the event of `tenant` from `source` that `key` identifies there: the provider's idempotency
    /// key or, where there is none, the canonical content.
    ///
    /// Every part goes in with its length, so no two lists of parts run into the same bytes.
    #[must_use]
    pub fn of(tenant: &str, source: &str, key: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        for part in [tenant.as_bytes(), source.as_bytes()].iter().chain(key) {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        Self::truncated(hasher)
    }

    pub(crate) fn truncated(hasher: Sha256) -> Self {
        let digest = hasher.finalize();
        let first = digest[..16].try_into().expect("a SHA-256 has 32 bytes");
        Self(u128::from_be_bytes(first))
    }

    /// The two halves, high first: how ClickHouse's binary formats order a `UUID`.
    #[must_use]
    pub fn halves(self) -> (u64, u64) {
        ((self.0 >> 64) as u64, self.0 as u64)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = format!("{:032x}", self.0);
        write!(f, "{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }
}

/// The text is not 32 hexadecimal digits, with or without hyphens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event id is 32 hexadecimal digits such as 01234567-89ab-cdef-0123-456789abcdef")]
pub struct ParseEventIdError;

impl FromStr for EventId {
    type Err = ParseEventIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (mut id, mut digits) = (0, 0);
        for byte in text.bytes().filter(|byte| *byte != b'-') {
            let digit = char::from(byte).to_digit(16).ok_or(ParseEventIdError)?;
            (id, digits) = (id << 4 | u128::from(digit), digits + 1);
        }
        if digits == 32 { Ok(Self(id)) } else { Err(ParseEventIdError) }
    }
}

impl Serialize for EventId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.halves().serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for EventId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
        } else {
            let (high, low) = <(u64, u64)>::deserialize(deserializer)?;
            Ok(Self(u128::from(high) << 64 | u128::from(low)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_from_its_text_and_its_halves() {
        let id = EventId(0x0123_4567_89ab_cdef_0011_2233_4455_6677);
        assert_eq!(id.to_string(), "01234567-89ab-cdef-0011-223344556677");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!("0123456789abcdef0011223344556677".parse(), Ok(id));
        assert_eq!(id.halves(), (0x0123_4567_89ab_cdef, 0x0011_2233_4455_6677));
        for bad in ["", "x", "0123", "+123456789abcdef0011223344556677", "0123456789abcdef00112233445566770"]
        {
            assert_eq!(bad.parse::<EventId>(), Err(ParseEventIdError), "{bad}");
        }
    }

    #[test]
    fn parts_that_join_to_the_same_bytes_have_different_ids() {
        assert_ne!(EventId::of("a", "b", &[b"cd"]), EventId::of("a", "b", &[b"c", b"d"]));
        assert_ne!(EventId::of("ab", "c", &[b"d"]), EventId::of("a", "bc", &[b"d"]));
    }

    #[test]
    fn an_id_never_changes_between_releases() {
        // Stored ids must stay comparable: if this value changes, every redelivery becomes a new event.
        let id = EventId::of("default", "github", &[b"delivery", b"72d3162e"]);
        assert_eq!(id.to_string(), "0bf4e713-6c61-230c-8733-d98ef52afbc5");
    }
}
