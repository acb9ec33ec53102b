//! What senders prove who they are with: shared secrets, signatures, tokens. All compared in constant time.

use std::collections::HashMap;
use std::fmt;

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// A webhook's shared secret. `Debug` does not show it.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// `None` for an empty secret, with which anybody could sign.
    pub fn new(secret: &str) -> Option<Self> {
        (!secret.is_empty()).then(|| Self(secret.as_bytes().to_vec()))
    }

    /// The key of a signing token as GitLab and [Standard Webhooks](https://www.standardwebhooks.com) write it:
    /// `whsec_` and base64. `None` if it is not one.
    pub fn of_signing_token(token: &str) -> Option<Self> {
        let key = STANDARD.decode(token.strip_prefix("whsec_")?).ok()?;
        (!key.is_empty()).then_some(Self(key))
    }

    /// Whether `given` is this secret.
    pub(super) fn is(&self, given: &[u8]) -> bool {
        // Of the hashes, whose comparison takes the same time whatever they are.
        self.mac(&[given]).verify_slice(&self.mac(&[&self.0]).finalize().into_bytes()).is_ok()
    }

    /// Whether `signature` (`sha256=` and 64 hexadecimal digits) is this secret's HMAC-SHA-256 of `body`.
    pub(super) fn signed(&self, body: &[u8], signature: &str) -> bool {
        let signature = signature.strip_prefix("sha256=").and_then(decode_hex);
        signature.is_some_and(|signature| self.mac(&[body]).verify_slice(&signature).is_ok())
    }

    /// Whether one of `signatures` (`v1,` and base64, separated by spaces) is this secret's HMAC-SHA-256 of
    /// `id.timestamp.body`.
    pub(super) fn signed_message(&self, id: &str, timestamp: &str, body: &[u8], signatures: &str) -> bool {
        let message = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body];
        signatures.split(' ').filter_map(|signature| signature.strip_prefix("v1,")).any(|signature| {
            STANDARD.decode(signature).is_ok_and(|code| self.mac(&message).verify_slice(&code).is_ok())
        })
    }

    fn mac(&self, message: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        message.iter().for_each(|part| mac.update(part));
        mac
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Who may send events, by their tokens. `Debug` shows neither.
#[derive(Clone, Default)]
pub struct Tokens(HashMap<[u8; 32], String>);

impl Tokens {
    /// Lets who has `token` send events; `actor` is who they are of, where the events do not say.
    pub fn add(&mut self, actor: &str, token: &str) {
        self.0.insert(Sha256::digest(token).into(), actor.to_owned());
    }

    /// Whether nobody may.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whose token a request has: `Authorization: Bearer TOKEN` or, as editors send it, `Basic` and the base64 of the
    /// token, also as a user without a password or a password.
    pub(super) fn actor(&self, headers: &HeaderMap) -> Option<&str> {
        let header = headers.get("authorization")?.to_str().ok()?;
        let (scheme, given) = header.split_once(' ')?;
        if scheme.eq_ignore_ascii_case("bearer") {
            return self.of(given.trim());
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = STANDARD_NO_PAD.decode(given.trim().trim_end_matches('=')).ok()?;
        let decoded = String::from_utf8(decoded).ok()?;
        let (user, password) = decoded.split_once(':').unwrap_or((&decoded, ""));
        self.of(user).or_else(|| self.of(password))
    }

    /// Found by its hash, so that how long it takes tells nothing about the tokens that there are.
    fn of(&self, token: &str) -> Option<&str> {
        let digest: [u8; 32] = Sha256::digest(token).into();
        self.0.get(&digest).map(String::as_str)
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tokens({})", self.0.len())
    }
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of GitHub's documentation on validating webhook deliveries.
    const SECRET: &str = "It's a Secret to Everybody";
    const SIGNATURE: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    fn secret() -> Secret {
        Secret::new(SECRET).unwrap()
    }

    #[test]
    fn a_signature_of_another_body_or_form_is_refused() {
        assert!(secret().signed(b"Hello, World!", SIGNATURE));
        assert!(!secret().signed(b"Hello, World?", SIGNATURE));
        for signature in ["", "sha256=", "sha256=zz", "sha1=00", &SIGNATURE[..70], "sha256=ä0"] {
            assert!(!secret().signed(b"Hello, World!", signature), "{signature}");
        }
    }

    #[test]
    fn an_empty_secret_is_none() {
        assert!(Secret::new("").is_none() && Secret::of_signing_token("whsec_").is_none());
        assert!(Secret::of_signing_token("bXkga2V5").is_none());
    }

    #[test]
    fn a_secret_is_itself_and_nothing_else() {
        assert!(secret().is(SECRET.as_bytes()));
        for other in ["", "It's a Secret", "It's a Secret to Everybody!"] {
            assert!(!secret().is(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn a_signed_message_is_of_its_id_time_and_body() {
        // The example of the specification of Standard Webhooks.
        let secret = Secret::of_signing_token("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let (id, timestamp, body) =
            ("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", br#"{"test": 2432232314}"#);
        let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert!(secret.signed_message(id, timestamp, body, signature));
        assert!(secret.signed_message(id, timestamp, body, &format!("v1a,x v1,AAAA {signature}")));
        assert!(!secret.signed_message("msg_other", timestamp, body, signature));
        assert!(!secret.signed_message(id, "1614265331", body, signature));
        assert!(!secret.signed_message(id, timestamp, b"{}", signature));
        assert!(!secret.signed_message(id, timestamp, body, ""));
    }

    #[test]
    fn a_token_is_read_from_every_form_that_senders_use() {
        let mut tokens = Tokens::default();
        tokens.add("octo", "waka_1");
        let actor = |header: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("authorization", header.parse().unwrap());
            tokens.actor(&headers).map(ToOwned::to_owned)
        };
        // waka_1, waka_1:, :waka_1
        for header in ["Bearer waka_1", "Basic d2FrYV8x", "basic d2FrYV8xOg==", "Basic Ondha2FfMQ=="] {
            assert_eq!(actor(header).as_deref(), Some("octo"), "{header}");
        }
        for header in ["Bearer waka_2", "Bearer", "Basic ====", "Digest waka_1", "waka_1"] {
            assert_eq!(actor(header), None, "{header}");
        }
    }
}
