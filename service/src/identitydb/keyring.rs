//! The keys that secrets of external accounts are encrypted with, and their rotation.
//!
//! A ring has one key that encrypts, and older ones that still decrypt. To rotate, put a new key first, let
//! every process have it, call [`external_account::reencrypt`](super::external_account::reencrypt) until it finds
//! nothing more, and take the old key away.

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use rand::{CryptoRng, RngExt as _};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretBox, SecretString};

use crate::error::{Error, Result};

/// Bytes of a nonce; they go before the ciphertext.
const NONCE: usize = 24;

/// Keys by name; the first one encrypts.
#[derive(Debug)]
pub struct Keyring {
    keys: Vec<(String, SecretBox<[u8; 32]>)>,
}

impl Keyring {
    /// Reads keys from configuration: `name:64 hex digits`, separated by commas, the one that encrypts first.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if there is none, a name or a key is not of that form, or a name comes twice. It says
    /// which, and never a key.
    pub fn parse(text: &SecretString) -> Result<Self> {
        let invalid = |at: usize, reason: &str| Error::Invalid {
            field: "keys",
            reason: format!("key {}: {reason}", at + 1),
        };
        let mut keys: Vec<(String, SecretBox<[u8; 32]>)> = Vec::new();
        for (at, key) in text.expose_secret().split(',').enumerate() {
            let form = || invalid(at, "expected the form name:64 hex digits");
            let (name, hex) = key.trim().split_once(':').ok_or_else(form)?;
            let is_name = (1..=32).contains(&name.len())
                && !name.starts_with('-')
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
            if !is_name {
                return Err(invalid(at, "expected a name of 1 to 32 lower-case letters, digits and hyphens"));
            }
            if keys.iter().any(|(known, _)| known == name) {
                return Err(invalid(at, "its name comes twice"));
            }
            let mut bytes = Box::new([0; 32]);
            decode(hex, &mut bytes).ok_or_else(form)?;
            keys.push((name.to_owned(), SecretBox::new(bytes)));
        }
        Ok(Self { keys })
    }

    /// The name of the key that encrypts.
    #[must_use]
    pub fn current(&self) -> &str {
        &self.keys[0].0
    }

    /// Nonce and ciphertext of `secret`, which only [`Keyring::open`] with the same `bound_to` makes readable.
    pub(super) fn seal(&self, secret: &SecretString, bound_to: &str, rng: &mut impl CryptoRng) -> Vec<u8> {
        let nonce: [u8; NONCE] = rng.random();
        let payload = Payload { msg: secret.expose_secret().as_bytes(), aad: bound_to.as_bytes() };
        let sealed = cipher(&self.keys[0].1).encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.expect("a secret is shorter than 256 GB");
        [&nonce[..], &sealed].concat()
    }

    /// The secret, or none if the key is not on this ring, or the ciphertext is not what was made of it for
    /// `bound_to`.
    pub(super) fn open(&self, key: &str, sealed: &[u8], bound_to: &str) -> Option<SecretString> {
        let (_, key) = self.keys.iter().find(|(name, _)| name == key)?;
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
        let payload = Payload { msg: sealed, aad: bound_to.as_bytes() };
        let opened = Zeroizing::new(cipher(key).decrypt(&XNonce::from(*nonce), payload).ok()?);
        Some(std::str::from_utf8(&opened).ok()?.to_owned().into())
    }
}

fn cipher(key: &SecretBox<[u8; 32]>) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.expose_secret().into())
}

fn decode(hex: &str, into: &mut [u8; 32]) -> Option<()> {
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    for (byte, pair) in into.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16);
        *byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::*;

    fn ring(text: &str) -> Keyring {
        Keyring::parse(&text.to_owned().into()).unwrap()
    }

    #[test]
    fn what_one_key_seals_opens_with_it_alone_and_where_it_belongs() {
        let (old, new) = (format!("k1:{}", "0a".repeat(32)), format!("k2:{}", "0B".repeat(32)));
        let sealed = ring(&old).seal(&"gho_secret".to_owned().into(), "1", &mut StdRng::seed_from_u64(1));
        let both = ring(&format!("{new}, {old}"));
        assert_eq!(both.current(), "k2");
        assert_eq!(both.open("k1", &sealed, "1").unwrap().expose_secret(), "gho_secret");
        assert!(both.open("k1", &sealed, "2").is_none());
        assert!(both.open("k2", &sealed, "1").is_none());
        assert!(ring(&new).open("k1", &sealed, "1").is_none());
        for at in 0..sealed.len() {
            let mut tampered = sealed.clone();
            tampered[at] ^= 1;
            assert!(both.open("k1", &tampered, "1").is_none(), "{at}");
        }
        assert!(both.open("k1", &sealed[..10], "1").is_none());
    }

    #[test]
    fn a_key_of_another_form_is_refused_without_being_shown() {
        let hex = "ab".repeat(32);
        let wrong = [
            "",
            "k1",
            "k1:",
            &hex,
            "k1:abc",
            &format!("K1:{hex}"),
            &format!("k1:{hex},k1:{hex}"),
            &format!("k1:{}", "é".repeat(32)),
        ];
        for text in wrong {
            let refused = Keyring::parse(&text.to_owned().into()).unwrap_err().to_string();
            assert!(refused.starts_with("keys: key ") && !refused.contains("abab"), "{refused}");
        }
        assert!(!format!("{:?}", ring(&format!("k1:{hex}"))).contains("171"));
    }
}
