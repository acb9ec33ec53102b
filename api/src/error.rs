//! Errors as JSON: `{"error": "…"}` with the status that tells whose fault it is.

use axum::Json;
use axum::http::header::RETRY_AFTER as RETRY_AFTER_HEADER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// After how many seconds a sender may try again what was refused for want of room.
const RETRY_AFTER: &str = "5";

/// A refusal with its status and a sentence.
pub(crate) struct Refusal {
    status: StatusCode,
    reason: String,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into() }
    }

    /// Not now: 503 and when to try again.
    pub(crate) fn busy(reason: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, reason)
    }
}

/// What the caller asked for wrongly is the caller's; the rest is the store's, and is worth another try, which
/// the answer says when.
impl From<events::Error> for Refusal {
    fn from(error: events::Error) -> Self {
        let status = match &error {
            events::Error::UnknownQuery { .. } => StatusCode::NOT_FOUND,
            events::Error::UnknownParameter { .. }
            | events::Error::Parameter { .. }
            | events::Error::TimeZone { .. } => StatusCode::BAD_REQUEST,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        if status == StatusCode::SERVICE_UNAVAILABLE {
            tracing::warn!(%error, "a request failed");
        }
        Self::new(status, error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(json!({ "error": self.reason }))).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER_HEADER, HeaderValue::from_static(RETRY_AFTER));
        }
        response
    }
}
