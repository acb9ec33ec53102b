//! Parameters of queries: their types, defaults, and how a text becomes a value.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use crate::envelope::EventId;
use crate::envelope::time::{self, Reading};
use crate::error::{Error, Result};

/// A parameter of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Parameter {
    /// What it is called, in the SQL too.
    pub name: &'static str,
    /// What it can be.
    pub kind: Kind,
    /// What it is when it is not given; `None`: it must be given.
    pub default: Option<&'static str>,
    /// What it does, in one line.
    pub about: &'static str,
}

/// What a parameter can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Kind {
    /// Any text.
    Text,
    /// A point in time: RFC 3339, `YYYY-MM-DD HH:MM:SS` or `YYYY-MM-DD`, the last two in UTC.
    Instant,
    /// A whole number from 1 to `max`.
    Count {
        /// The largest that is allowed.
        max: u32,
    },
    /// `true` or `false`.
    Flag,
    /// A name of the IANA time zone database.
    TimeZone,
    /// An event's id.
    Id,
}

pub(super) const TENANT: Parameter =
    Parameter { name: "tenant", kind: Kind::Text, default: Some("default"), about: "whose events" };
pub(super) const FROM: Parameter = Parameter {
    name: "from",
    kind: Kind::Instant,
    default: Some("1900-01-01T00:00:00Z"),
    about: "the beginning of the period; by default that of all time",
};
pub(super) const UNTIL: Parameter = Parameter {
    name: "until",
    kind: Kind::Instant,
    default: Some("2299-12-31T00:00:00Z"),
    about: "the end of the period, itself excluded; by default that of all time",
};
pub(super) const REPOSITORY: Parameter = Parameter {
    name: "repository",
    kind: Kind::Text,
    default: Some(""),
    about: "only events of this repository (owner/name); empty: of any",
};
pub(super) const ACTOR: Parameter = Parameter {
    name: "actor",
    kind: Kind::Text,
    default: Some(""),
    about: "only events by this person; empty: by any",
};
pub(super) const KIND: Parameter = Parameter {
    name: "kind",
    kind: Kind::Text,
    default: Some(""),
    about: "only events of this kind (pull_request.opened) or family (pull_request); empty: of any",
};
pub(super) const TIME_ZONE: Parameter = Parameter {
    name: "time_zone",
    kind: Kind::TimeZone,
    default: Some("UTC"),
    about: "whose days are counted",
};

/// The most rows that a query gives.
pub(super) const fn limit(default: &'static str) -> Parameter {
    Parameter {
        name: "limit",
        kind: Kind::Count { max: 10_000 },
        default: Some(default),
        about: "at most so many rows",
    }
}

impl Parameter {
    /// Checks `given`, or takes the default, and writes it as the server reads it.
    pub(super) fn value(&self, query: &'static str, given: Option<&str>) -> Result<String> {
        let wrong = |found: String| Error::Parameter {
            query,
            name: self.name,
            expected: self.kind.expected(),
            found,
        };
        let text = given.or(self.default).ok_or_else(|| wrong("but it is missing".to_owned()))?;
        let is_missing = text.is_empty() && self.default.is_none();
        let value = if is_missing { None } else { self.kind.read(text) };
        value.ok_or_else(|| wrong(format!("got {text:?}")))
    }
}

impl Kind {
    /// What a value looks like, for people.
    #[must_use]
    pub fn expected(self) -> String {
        match self {
            Self::Text => "a text".to_owned(),
            Self::Instant => {
                "a time from 1900 to 2299 such as 2024-05-01, 2024-05-01T10:00:00Z or 2024-05-01T10:00:00+02:00".to_owned()
            }
            Self::Count { max } => format!("a whole number from 1 to {max}"),
            Self::Flag => "true or false".to_owned(),
            Self::TimeZone => "the name of a time zone such as UTC or Europe/Paris".to_owned(),
            Self::Id => "an event id such as 01234567-89ab-cdef-0123-456789abcdef".to_owned(),
        }
    }

    fn read(self, text: &str) -> Option<String> {
        match self {
            Self::Text => Some(text.to_owned()),
            Self::Instant => read_instant(text).map(instant),
            Self::Count { max } => text
                .parse()
                .ok()
                .filter(|number: &u32| (1..=max).contains(number))
                .map(|number| number.to_string()),
            Self::Flag => matches!(text, "true" | "false").then(|| text.to_owned()),
            Self::TimeZone => (!text.is_empty()).then(|| text.to_owned()),
            Self::Id => text.parse().ok().map(|id: EventId| id.to_string()),
        }
    }
}

fn read_instant(text: &str) -> Option<DateTime<Utc>> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    let midnight = day.and_then(|day| day.and_hms_opt(0, 0, 0)).map(|time| time.and_utc());
    if let Some(midnight) = midnight {
        // The end of all time is excluded from what can happen, but a period may end there.
        return (time::EARLIEST..=time::END).contains(&midnight).then_some(midnight);
    }
    match time::read_text(text) {
        Reading::Time(time) => Some(time),
        _ => (text.parse() == Ok(time::END)).then_some(time::END),
    }
}

/// `time` as ClickHouse reads a `DateTime64(3, 'UTC')` in a parameter.
pub(crate) fn instant(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S%.3f").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(kind: Kind, text: &str) -> Result<String, String> {
        let parameter = Parameter { name: "p", kind, default: None, about: "" };
        parameter.value("q", Some(text)).map_err(|error| error.to_string())
    }

    #[test]
    fn every_kind_reads_its_values() {
        let id = "01234567-89ab-cdef-0123-456789abcdef";
        for (kind, text, expected) in [
            (Kind::Text, "a' b", "a' b"),
            (Kind::Instant, "2024-05-01", "2024-05-01 00:00:00.000"),
            (Kind::Instant, "2024-05-01T10:00:00.5+02:00", "2024-05-01 08:00:00.500"),
            (Kind::Instant, "2024-05-01 10:00:00", "2024-05-01 10:00:00.000"),
            (Kind::Instant, "2299-12-31T00:00:00Z", "2299-12-31 00:00:00.000"),
            (Kind::Count { max: 5 }, "5", "5"),
            (Kind::Flag, "true", "true"),
            (Kind::Id, "0123456789ABCDEF0123456789abcdef", id),
        ] {
            assert_eq!(value(kind, text).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn a_bad_value_is_refused_with_the_parameter_and_what_was_expected() {
        for (kind, text) in [
            (Kind::Text, ""),
            (Kind::Instant, "yesterday"),
            (Kind::Instant, "1850-01-01"),
            (Kind::Instant, "2024-02-30"),
            (Kind::Count { max: 5 }, "0"),
            (Kind::Count { max: 5 }, "6"),
            (Kind::Count { max: 5 }, "-1"),
            (Kind::Flag, "yes"),
            (Kind::TimeZone, ""),
            (Kind::Id, "1"),
        ] {
            let said = value(kind, text).unwrap_err();
            let expected = format!("parameter `p` of query `q`: expected {}, got {text:?}", kind.expected());
            assert_eq!(said, expected);
        }
        let required = Parameter { name: "p", kind: Kind::Text, default: None, about: "" };
        let said = required.value("q", None).unwrap_err().to_string();
        assert_eq!(said, "parameter `p` of query `q`: expected a text, but it is missing");
    }
}
