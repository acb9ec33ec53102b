//! What a source sent, beside the event that was made of it.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{Event, EventId, text};

/// The input of an event, kept for a while so that it can be looked at. Becomes a row of table `event_payloads`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Payload {
    /// Whose event it is.
    pub tenant: String,
    /// The event.
    pub event_id: EventId,
    /// Where it comes from.
    pub source: String,
    /// The actor of the event: by it a payload is erased with its person.
    pub actor: String,
    /// When the event happened.
    pub occurred_at: DateTime<Utc>,
    /// When it arrived; what the payload expires by.
    pub received_at: DateTime<Utc>,
    /// The input, [scrubbed](super::scrub), cut to [`MAX_PAYLOAD_BYTES`](super::MAX_PAYLOAD_BYTES), invalid UTF-8
    /// replaced.
    pub payload: String,
}

impl Payload {
    /// The payload `raw` of `event`.
    #[must_use]
    pub fn of(event: &Event, raw: &[u8]) -> Self {
        let Event { tenant, event_id, source, actor, occurred_at, received_at, .. } = event;
        Self {
            tenant: tenant.clone(),
            event_id: *event_id,
            source: source.clone(),
            actor: actor.clone(),
            occurred_at: *occurred_at,
            received_at: *received_at,
            payload: text::payload(raw),
        }
    }
}
