//! Webhooks: verified, normalised, written.

use std::fmt;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Extract;
use axum::http::{HeaderMap, StatusCode};
use events::{Intake, source, writer};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Serialize;
use sha2::Sha256;

use crate::State;
use crate::error::Refusal;

/// A webhook's shared secret. `Debug` does not show it.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// `None` for an empty secret, with which anybody could sign.
    pub fn new(secret: String) -> Option<Self> {
        (!secret.is_empty()).then_some(Self(secret))
    }

    /// Whether `signature` (`sha256=` and 64 hexadecimal digits) is this secret's HMAC-SHA-256 of `body`.
    /// Compared in constant time.
    fn signed(&self, body: &[u8], signature: &str) -> bool {
        let Some(signature) = signature.strip_prefix("sha256=").and_then(decode_hex) else { return false };
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.0.as_bytes()).expect("HMAC takes keys of any length");
        mac.update(body);
        mac.verify_slice(&signature).is_ok()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What became of a delivery.
#[derive(Debug, Serialize)]
pub(crate) struct Receipt {
    /// `written`, `duplicate` or `dead`: the last is kept in `dead_letters` with its reason.
    outcome: &'static str,
}

/// `POST /webhooks/github`, as GitHub's documentation of webhooks has it.
pub(crate) async fn github(
    Extract(state): Extract<Arc<State>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<Receipt>), Refusal> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let secret = state.github_secret.as_ref();
    let signature = header("x-hub-signature-256").unwrap_or_default();
    if !secret.is_some_and(|secret| secret.signed(&body, signature)) {
        return Err(Refusal::new(
            StatusCode::UNAUTHORIZED,
            "X-Hub-Signature-256 is not of this body and our secret",
        ));
    }
    let Some(event) = header("x-github-event") else {
        return Err(Refusal::new(StatusCode::BAD_REQUEST, "X-GitHub-Event is missing"));
    };
    let intake = Intake::new(&state.tenant, (state.now)());
    let event = source::github::event(&intake, event, header("x-github-delivery"), &body);
    let report = writer::write(&state.events, [event], writer::Options::default(), |_| ()).await?;
    let outcome = if report.dead > 0 {
        "dead"
    } else if report.duplicate > 0 {
        "duplicate"
    } else {
        "written"
    };
    Ok((StatusCode::OK, Json(Receipt { outcome })))
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
    use super::Secret;

    /// The example of GitHub's documentation on validating webhook deliveries.
    const SECRET: &str = "It's a Secret to Everybody";
    const SIGNATURE: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    fn secret() -> Secret {
        Secret::new(SECRET.to_owned()).unwrap()
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
        assert!(Secret::new(String::new()).is_none());
    }
}
