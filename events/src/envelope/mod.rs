//! The envelope: one shape for every event, whatever source it comes from.
//!
//! What lives here: [`Event`] and [`Rejection`], how an event gets its id ([`EventId`]), how texts and
//! attributes are bounded and scrubbed before anything is written, and which times are accepted. What does
//! not: how a particular source is read ([`crate::source`]) and how events are stored ([`crate::writer`]).

mod attributes;
mod canonical;
mod id;
mod payload;
mod scrub;
mod text;
pub mod time;

use chrono::{DateTime, SubsecRound, Utc};
use serde::Serialize;

pub use attributes::{Attributes, MAX_ATTRIBUTES, MAX_KEY_BYTES, MAX_VALUE_BYTES};
pub use canonical::canonical_json;
pub use id::EventId;
pub use payload::Payload;
pub use scrub::scrub;
pub use text::{MAX_PAYLOAD_BYTES, clean_line, line};

/// Length limits of an event's columns, in bytes. What is longer is cut and ends in `…`.
pub mod limit {
    /// `tenant` and `source`.
    pub const NAME: usize = 64;
    /// `kind` and `action`.
    pub const KIND: usize = 128;
    /// `repository`, `actor` and `subject`.
    pub const REFERENCE: usize = 256;
    /// `title`.
    pub const TITLE: usize = 512;
    /// `url`.
    pub const URL: usize = 1024;
}

/// Whose events come in, and when they arrived. The same for all events of one delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intake {
    /// Whose events these are; part of every event's id.
    pub tenant: String,
    /// When they arrived (UTC, kept to the millisecond).
    pub received_at: DateTime<Utc>,
}

impl Intake {
    /// The tenant of an installation that serves only one.
    pub const DEFAULT_TENANT: &str = "default";

    /// An intake for `tenant` at `received_at`.
    #[must_use]
    pub fn new(tenant: &str, received_at: DateTime<Utc>) -> Self {
        Self { tenant: line(tenant, limit::NAME), received_at: received_at.trunc_subsecs(3) }
    }
}

/// One thing that happened, normalised. Field by field a row of table `events`.
///
/// Shaped like a CloudEvents 1.0 event: `event_id` is its `id`, `kind` its `type`, `occurred_at` its `time`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// Whose event it is.
    pub tenant: String,
    /// The same for every delivery of the same event.
    pub event_id: EventId,
    /// Where it comes from: `github`, `git`.
    pub source: String,
    /// What happened, from general to special: `pull_request.opened`, `push`, `commit.merge`.
    pub kind: String,
    /// The last part of the kind on its own: `opened`; empty when the source says none.
    pub action: String,
    /// `owner/name`; empty when the event belongs to no repository.
    pub repository: String,
    /// Who did it, as the source names them; empty when the source does not say.
    pub actor: String,
    /// When it happened (UTC, milliseconds). [`time::UNKNOWN`] when the source does not say: never the time of
    /// arrival, which differs between two deliveries and would keep them from collapsing.
    pub occurred_at: DateTime<Utc>,
    /// When it arrived here (UTC, milliseconds).
    pub received_at: DateTime<Utc>,
    /// What it is about: a ref, `#12`, a short commit id; empty when that says nothing more.
    pub subject: String,
    /// One line for people.
    pub title: String,
    /// Where to look at it (http or https); empty when the source gives none.
    pub url: String,
    /// What the source says beyond the fields above, bounded and scrubbed.
    pub attributes: Attributes,
}

/// An input that did not become an event. Becomes a row of table `dead_letters`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rejection {
    /// Whose input it was.
    pub tenant: String,
    /// The same for every delivery of the same broken input.
    pub letter_id: EventId,
    /// Where it comes from: `github`, `git`.
    pub source: String,
    /// File and entry, or delivery; for people to find it again. Scrubbed.
    pub place: String,
    /// What is wrong and what was expected. Scrubbed.
    pub reason: String,
    /// The input, scrubbed, cut to [`MAX_PAYLOAD_BYTES`], invalid UTF-8 replaced.
    pub payload: String,
    /// The event's id, where the input got far enough to have one.
    pub event_id: Option<EventId>,
    /// When it arrived here (UTC, milliseconds).
    pub received_at: DateTime<Utc>,
}

impl Rejection {
    /// A rejection of `payload` found at `place`. Its id is made of all arguments but the time.
    #[must_use]
    pub fn new(intake: &Intake, source: &str, place: &str, reason: &str, payload: &[u8]) -> Box<Self> {
        let key = [b"rejected", place.as_bytes(), reason.as_bytes(), payload];
        let shown = clean_line(place, limit::URL);
        Box::new(Self {
            tenant: intake.tenant.clone(),
            letter_id: EventId::of(&intake.tenant, source, &key),
            source: source.to_owned(),
            place: if shown.is_empty() { "input".to_owned() } else { shown },
            reason: clean_line(reason, limit::URL),
            payload: text::payload(payload),
            event_id: None,
            received_at: intake.received_at,
        })
    }
}

/// What a source yields for one input: an event, or why it is none.
///
/// Boxed, because a rejection is large and rare.
pub type Normalised = Result<Event, Box<Rejection>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rejection_s_id_is_made_of_all_but_the_time_and_its_place_is_scrubbed() {
        let intake =
            |tenant: &str, day: &str| Intake::new(tenant, format!("{day}T00:00:00Z").parse().unwrap());
        let id = |intake: Intake, source: &str, place: &str, reason: &str, payload: &[u8]| {
            Rejection::new(&intake, source, place, reason, payload).letter_id
        };
        let one = id(intake("t", "2024-06-01"), "s", "p", "r", b"");
        assert_eq!(id(intake("t", "2024-07-01"), "s", "p", "r", b""), one);
        for other in [
            id(intake("u", "2024-06-01"), "s", "p", "r", b""),
            id(intake("t", "2024-06-01"), "z", "p", "r", b""),
            id(intake("t", "2024-06-01"), "s", "q", "r", b""),
            id(intake("t", "2024-06-01"), "s", "p", "other", b""),
            id(intake("t", "2024-06-01"), "s", "p", "r", b"x"),
        ] {
            assert_ne!(other, one);
        }
        let place = format!("{} ghp_A1b2C3d4E5f6G7h8I9j0.json", "x".repeat(limit::URL - 16));
        let rejection = Rejection::new(&intake("t", "2024-06-01"), "s", &place, "r", b"");
        assert_eq!(rejection.place, format!("{} [secret]", "x".repeat(limit::URL - 16)));
    }
}
