//! Secrets of high entropy that are shown once: tokens, sessions, invitations, codes.
//!
//! ```text
//! archer_pat_ 0Jv…40 characters of 0-9A-Za-z…x9 3kQ2zA
//! what it is  238 bits of randomness            CRC-32 of all before, in base 62
//! ```
//!
//! Prefix and checksum let a scanner find a leaked one without asking anybody. What the database has is the
//! SHA-256; a slow hash would add nothing to 238 bits.

use rand::{CryptoRng, RngExt as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const RANDOM: usize = 40;
const CHECKSUM: usize = 6;
/// Codes and passwords are typed by people: no letter that looks like a digit.
const CODE_ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CODE: usize = 10;
const PASSWORD: usize = 20;

/// What a secret is good for, which its first characters say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `archer_pat_`: an API token.
    ApiToken,
    /// `archer_ses_`: a session.
    Session,
    /// `archer_inv_`: an invitation.
    Invitation,
}

impl Kind {
    /// The first characters.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::ApiToken => "archer_pat_",
            Self::Session => "archer_ses_",
            Self::Invitation => "archer_inv_",
        }
    }

    const fn length(self) -> usize {
        self.prefix().len() + RANDOM + CHECKSUM
    }
}

/// Whether `text` has the form of a secret of this kind, checksum included: what a scanner of leaks asks.
/// Whether it is good for anything only the database knows.
#[must_use]
pub fn is_well_formed(kind: Kind, text: &str) -> bool {
    text.len() == kind.length()
        && text.starts_with(kind.prefix())
        && text[kind.prefix().len()..].bytes().all(|byte| byte.is_ascii_alphanumeric())
        && text[text.len() - CHECKSUM..] == checksum(&text[..text.len() - CHECKSUM])
}

/// A new secret.
pub(super) fn generate(kind: Kind, rng: &mut impl CryptoRng) -> SecretString {
    let mut text = kind.prefix().to_owned();
    text.reserve_exact(RANDOM + CHECKSUM); // so that no copy is left behind in memory
    for _ in 0..RANDOM {
        text.push(char::from(BASE62[rng.random_range(0..BASE62.len())]));
    }
    let checksum = checksum(&text);
    text.push_str(&checksum);
    text.into()
}

/// A new code of ten characters, 50 bits.
pub(super) fn generate_code(rng: &mut impl CryptoRng) -> SecretString {
    generate_typed(CODE, rng)
}

/// A new password of twenty characters, 100 bits.
pub(super) fn generate_password(rng: &mut impl CryptoRng) -> SecretString {
    generate_typed(PASSWORD, rng)
}

/// Characters that people type, five bits each.
fn generate_typed(length: usize, rng: &mut impl CryptoRng) -> SecretString {
    let mut text = String::with_capacity(length);
    for _ in 0..length {
        text.push(char::from(CODE_ALPHABET[rng.random_range(0..CODE_ALPHABET.len())]));
    }
    text.into()
}

/// What the database is asked for. It takes the same time whatever is shown: what can't be a secret of this
/// kind is replaced by what is none.
pub(super) fn digest(kind: Kind, shown: &SecretString) -> Vec<u8> {
    let nobody = "?".repeat(kind.length());
    let shown = shown.expose_secret();
    Sha256::digest(if shown.len() == kind.length() { shown } else { &nobody }).to_vec()
}

/// The last characters of a token, to tell it by.
pub(super) fn hint(secret: &SecretString) -> String {
    let text = secret.expose_secret();
    text[text.len() - 4..].to_owned()
}

fn checksum(text: &str) -> String {
    let mut crc = flate2::Crc::new();
    crc.update(text.as_bytes());
    let mut rest = crc.sum() as usize;
    let mut digits = [b'0'; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[rest % BASE62.len()];
        rest /= BASE62.len();
    }
    digits.into_iter().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn a_secret_is_well_formed_and_one_changed_character_is_seen() {
        let mut rng = StdRng::seed_from_u64(1);
        for kind in [Kind::ApiToken, Kind::Session, Kind::Invitation] {
            let secret = generate(kind, &mut rng);
            let text = secret.expose_secret();
            assert!(is_well_formed(kind, text));
            for at in 0..text.len() {
                let mut bytes = text.as_bytes().to_vec();
                bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
                assert!(!is_well_formed(kind, std::str::from_utf8(&bytes).unwrap()), "{at}");
            }
            assert!(!is_well_formed(kind, &text[..text.len() - 1]));
        }
    }

    #[test]
    fn text_that_is_no_secret_is_no_error() {
        for text in ["", "archer_pat_", "é", &"é".repeat(28), &"🦀".repeat(14), "archer_pat_\0"] {
            assert!(!is_well_formed(Kind::ApiToken, text));
            assert_eq!(digest(Kind::ApiToken, &text.to_owned().into()).len(), 32);
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let secret = generate(Kind::ApiToken, &mut StdRng::seed_from_u64(1));
        assert!(!format!("{secret:?}").contains(&secret.expose_secret()[11..]));
    }
}
