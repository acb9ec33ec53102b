//! Times as sources write them, and which of them are accepted.

use chrono::{DateTime, NaiveDateTime, SubsecRound, Utc};

/// Stands for "the source does not say when": 1970-01-01T00:00:00Z.
///
/// The time is part of the sort key, by which two deliveries of one event find each other. The time of
/// arrival differs between them, so it can never stand in.
pub const UNKNOWN: DateTime<Utc> = DateTime::UNIX_EPOCH;

/// The earliest time that is accepted, 1900-01-01T00:00:00Z: where ClickHouse's `DateTime64` begins.
pub const EARLIEST: DateTime<Utc> = at(-2_208_988_800);

/// The end of the times that are accepted, itself excluded, 2299-12-31T00:00:00Z: a day before the end of
/// `DateTime64`, so that the last event's local day exists in every time zone.
pub const END: DateTime<Utc> = at(10_413_705_600);

const fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).expect("the constant is a time")
}

/// What a text or number that should be a time turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// A time that is accepted, to the millisecond.
    Time(DateTime<Utc>),
    /// A time outside of [`EARLIEST`]..[`END`].
    OutOfRange,
    /// Not a time.
    NotATime,
}

/// Reads RFC 3339 (`2024-05-01T10:00:00+02:00`), `2024-05-01 08:00:00 UTC`, `2024-05-01 10:00:00 +0200` or
/// `2024-05-01T10:00:00+0200`.
#[must_use]
pub fn read_text(text: &str) -> Reading {
    let text = text.trim();
    // A year of more than four digits is no RFC 3339, but it is plainly meant as a time.
    let year_digits = text.trim_start_matches(['+', '-']).find(|c: char| !c.is_ascii_digit());
    if year_digits.is_some_and(|digits| digits > 4 && text[1..].contains('-') && text.contains(':')) {
        return Reading::OutOfRange;
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return accept(time.to_utc());
    }
    for form in ["%Y-%m-%d %H:%M:%S%.f %z", "%Y-%m-%dT%H:%M:%S%.f%z"] {
        if let Ok(time) = DateTime::parse_from_str(text, form) {
            return accept(time.to_utc());
        }
    }
    let without_zone = text.strip_suffix(" UTC").unwrap_or(text);
    match NaiveDateTime::parse_from_str(without_zone, "%Y-%m-%d %H:%M:%S%.f") {
        Ok(time) => accept(time.and_utc()),
        Err(_) => Reading::NotATime,
    }
}

/// Reads seconds since 1970; a number too large for that (from the year 5138 on) as milliseconds.
#[must_use]
pub fn read_number(number: i64) -> Reading {
    const LARGEST_SECONDS: u64 = 100_000_000_000;
    let time = if number.unsigned_abs() < LARGEST_SECONDS {
        DateTime::from_timestamp(number, 0)
    } else {
        DateTime::from_timestamp_millis(number)
    };
    time.map_or(Reading::OutOfRange, accept)
}

/// Reads a number with a fraction as [`read_number`] reads whole ones; kept to the millisecond.
#[must_use]
pub fn read_float(number: f64) -> Reading {
    const LARGEST_SECONDS: f64 = 100_000_000_000.0;
    let millis = if number.abs() < LARGEST_SECONDS { number * 1000.0 } else { number };
    // Beyond this every number is far out of range.
    if !(-1e15..1e15).contains(&millis) {
        return Reading::OutOfRange;
    }
    // Cut, not rounded, as finer digits of a text are; the small addend undoes the multiplication's error.
    let whole = (millis + 1e-3).floor() as i64;
    DateTime::from_timestamp_millis(whole).map_or(Reading::OutOfRange, accept)
}

/// Checks the range and drops what is finer than a millisecond.
#[must_use]
pub fn accept(time: DateTime<Utc>) -> Reading {
    if (EARLIEST..END).contains(&time) { Reading::Time(time.trunc_subsecs(3)) } else { Reading::OutOfRange }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Reading {
        Reading::Time(text.parse().unwrap())
    }

    #[test]
    fn the_accepted_range_is_what_its_constants_say() {
        assert_eq!(EARLIEST.to_rfc3339(), "1900-01-01T00:00:00+00:00");
        assert_eq!(END.to_rfc3339(), "2299-12-31T00:00:00+00:00");
    }

    #[test]
    fn every_form_of_a_time_is_read() {
        for (text, expected) in [
            ("2019-05-15T15:20:18Z", time("2019-05-15T15:20:18Z")),
            ("2019-05-15T15:20:18.123987+02:00", time("2019-05-15T13:20:18.123Z")),
            (" 2019-05-15 15:20:18 UTC", time("2019-05-15T15:20:18Z")),
            ("2019-05-15 17:20:18 +0200", time("2019-05-15T15:20:18Z")),
            ("2019-05-15T17:20:18+0200", time("2019-05-15T15:20:18Z")),
            ("1969-12-31T23:59:59Z", time("1969-12-31T23:59:59Z")),
            ("1899-12-31T23:59:59Z", Reading::OutOfRange),
            ("2299-12-31T00:00:00Z", Reading::OutOfRange),
            ("9999-12-31T00:00:00Z", Reading::OutOfRange),
            ("123456-01-01T00:00:00Z", Reading::OutOfRange),
            ("+99999-01-01T00:00:00Z", Reading::OutOfRange),
            ("2019-02-30T00:00:00Z", Reading::NotATime),
            ("yesterday", Reading::NotATime),
            ("", Reading::NotATime),
            ("2019", Reading::NotATime),
            ("20190515", Reading::NotATime),
        ] {
            assert_eq!(read_text(text), expected, "{text}");
        }
    }

    #[test]
    fn numbers_are_seconds_or_milliseconds() {
        assert_eq!(read_number(1_557_933_618), time("2019-05-15T15:20:18Z"));
        assert_eq!(read_number(1_557_933_618_123), time("2019-05-15T15:20:18.123Z"));
        assert_eq!(read_number(-1), time("1969-12-31T23:59:59Z"));
        assert_eq!(read_number(i64::MAX), Reading::OutOfRange);
        assert_eq!(read_number(i64::MIN), Reading::OutOfRange);
    }

    #[test]
    fn fractions_of_a_second_are_kept_to_the_millisecond() {
        assert_eq!(read_float(1_592_868_367.219_124), time("2020-06-22T23:26:07.219Z"));
        assert_eq!(read_float(1_585_598_060.1), time("2020-03-30T19:54:20.100Z"));
        assert_eq!(read_float(1_557_933_618_123.9), time("2019-05-15T15:20:18.123Z"));
        assert_eq!(read_float(-0.5), time("1969-12-31T23:59:59.500Z"));
        for absurd in [1e300, -1e300, f64::INFINITY, f64::NAN] {
            assert_eq!(read_float(absurd), Reading::OutOfRange);
        }
    }
}
