//! Errors as JSON: `{"error": "…"}` with the status that tells whose fault it is.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// A refusal with its status and a sentence.
pub(crate) struct Refusal {
    status: StatusCode,
    reason: String,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into() }
    }
}

/// What the caller asked for wrongly is the caller's; the rest is the store's, and is worth another try.
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
        (self.status, Json(json!({ "error": self.reason }))).into_response()
    }
}
