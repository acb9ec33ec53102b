//! Request bodies: bounded in bytes, in time, and in how many there are at once.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header::CONTENT_ENCODING};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::MAX_BODY_BYTES;
use crate::State;
use crate::error::Refusal;

/// How long a request waits for others to end, and how long its body may take. Senders give up after ten seconds or
/// sooner.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many bodies are in memory at once; together they are bounded to 400 MiB.
const PLACES: usize = 16;

/// The places for bodies.
#[derive(Clone)]
pub(super) struct Places(Arc<Semaphore>);

impl Default for Places {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(PLACES)))
    }
}

/// A body, and the place that it takes among those that are in memory.
pub(super) struct Body {
    pub bytes: Bytes,
    _place: OwnedSemaphorePermit,
}

impl FromRequest<Arc<State>> for Body {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &Arc<State>) -> Result<Self, Refusal> {
        let encoding = request.headers().get(CONTENT_ENCODING);
        if encoding.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
            let reason = "a body is taken as it is: send it without Content-Encoding";
            return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, reason));
        }
        let places = request.extensions().get::<Places>().cloned().unwrap_or_default();
        let place = timeout(PATIENCE, places.0.acquire_owned()).await;
        let Ok(Ok(place)) = place else {
            return Err(Refusal::busy("too many requests are being read"));
        };
        let Ok(read) = timeout(PATIENCE, Bytes::from_request(request, state)).await else {
            return Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "the body did not come within 10 s"));
        };
        match read {
            Ok(bytes) => Ok(Self { bytes, _place: place }),
            Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                let reason = format!("the body is larger than {} MiB", MAX_BODY_BYTES >> 20);
                Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, reason))
            }
            Err(rejection) => Err(Refusal::new(rejection.status(), rejection.body_text())),
        }
    }
}
