//! From the events of a range to intervals of version keys.

use entity_ardb::VersionScheme;

use crate::ardb::version::order;

/// One event of a range, with its version as published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// The first affected version; "0" is before all.
    Introduced(String),
    /// The first version that is not affected any more.
    Fixed(String),
    /// The last affected version.
    LastAffected(String),
    /// Versions from here on are not described; "*" is after all.
    Limit(String),
}

/// A stretch of affected versions; the columns of `affected_intervals`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Interval {
    pub(super) introduced: String,
    pub(super) fixed: Option<String>,
    pub(super) last_affected: Option<String>,
    pub(super) lower_key: Option<Vec<u8>>,
    pub(super) upper_key: Option<Vec<u8>>,
    pub(super) is_upper_inclusive: bool,
}

/// The intervals that `events` describe, lowest first.
///
/// Events need not be sorted as published: they are sorted here, those of one version stay in their order, except that
/// a `last_affected` comes after all others of its version, which it includes. Then, as the format's own evaluation has
/// it, `introduced` begins an interval where none is open, and `fixed` and `last_affected` end the open one.
///
/// Where one event's version does not parse by `scheme`, no order is to be had: the events are paired as published,
/// for people to read, and no interval has keys, so none matches.
pub(super) fn evaluate(events: &[Event], scheme: VersionScheme) -> Vec<Interval> {
    let mut keyed: Vec<(Option<Vec<u8>>, &Event)> = events
        .iter()
        .filter(|event| !matches!(event, Event::Limit(_)))
        .map(|event| (key(event, scheme), event))
        .collect();
    let has_order = keyed.iter().all(|(key, _)| key.is_some());
    if has_order {
        keyed.sort_by(|(a, event), (b, other)| {
            let is_last = |event: &Event| matches!(event, Event::LastAffected(_));
            a.cmp(b).then(is_last(event).cmp(&is_last(other)))
        });
    }

    let mut intervals = Vec::new();
    let mut open: Option<Interval> = None;
    for (key, event) in keyed {
        let key = key.filter(|_| has_order);
        match event {
            Event::Introduced(version) => {
                open.get_or_insert_with(|| Interval {
                    introduced: version.clone(),
                    lower_key: key,
                    ..Interval::default()
                });
            }
            Event::Fixed(version) => intervals.extend(open.take().map(|interval| Interval {
                fixed: Some(version.clone()),
                upper_key: key,
                ..interval
            })),
            Event::LastAffected(version) => intervals.extend(open.take().map(|interval| Interval {
                last_affected: Some(version.clone()),
                is_upper_inclusive: key.is_some(),
                upper_key: key,
                ..interval
            })),
            Event::Limit(_) => {}
        }
    }
    intervals.extend(open);
    if has_order {
        clip(&mut intervals, events, scheme);
    }
    intervals
}

fn key(event: &Event, scheme: VersionScheme) -> Option<Vec<u8>> {
    match event {
        Event::Introduced(version) if version == "0" => Some(Vec::new()),
        Event::Introduced(version)
        | Event::Fixed(version)
        | Event::LastAffected(version)
        | Event::Limit(version) => order::key(scheme, version),
    }
}

/// Ends what goes beyond the highest limit there, and drops what is empty.
fn clip(intervals: &mut Vec<Interval>, events: &[Event], scheme: VersionScheme) {
    let limits = || events.iter().filter(|event| matches!(event, Event::Limit(_)));
    let is_unlimited = limits().any(|limit| *limit == Event::Limit("*".into()));
    let highest = limits().filter_map(|limit| key(limit, scheme)).max().filter(|_| !is_unlimited);
    if let Some(limit) = highest {
        for interval in intervals.iter_mut() {
            let is_below = interval.upper_key.as_ref().is_some_and(|upper| *upper < limit);
            let ends_there = interval.upper_key.as_ref() == Some(&limit) && !interval.is_upper_inclusive;
            if !is_below && !ends_there {
                interval.upper_key = Some(limit.clone());
                (interval.fixed, interval.last_affected, interval.is_upper_inclusive) = (None, None, false);
            }
        }
    }
    intervals.retain(|Interval { lower_key, upper_key, is_upper_inclusive, .. }| {
        upper_key.is_none() || lower_key < upper_key || (*is_upper_inclusive && lower_key == upper_key)
    });
}

#[cfg(test)]
mod tests {
    use entity_ardb::VersionScheme::{Pep440, Semver};

    use super::{Event::*, *};

    /// Intervals as people write them, from events as `i 1.0.0`, `f 2.0.0`, `l 2.0.0`, `m 3.0.0`.
    fn intervals(events: &[&str]) -> Vec<String> {
        evaluate(&self::events(events), Semver).iter().map(written).collect()
    }

    fn events(events: &[&str]) -> Vec<Event> {
        let event = |event: &&str| match event.split_once(' ').unwrap() {
            ("i", version) => Introduced(version.into()),
            ("f", version) => Fixed(version.into()),
            ("l", version) => LastAffected(version.into()),
            (_, version) => Limit(version.into()),
        };
        events.iter().map(event).collect()
    }

    fn written(interval: &Interval) -> String {
        let upper = interval.fixed.as_ref().or(interval.last_affected.as_ref()).map_or("", String::as_str);
        let has_keys = [interval.lower_key.is_some(), interval.upper_key.is_some()];
        let keys = match has_keys {
            [false, false] => " without keys",
            [true, true] if upper.is_empty() => " limited",
            _ => "",
        };
        format!(
            "[{}, {upper}{}{keys}",
            interval.introduced,
            if interval.is_upper_inclusive { ']' } else { ')' }
        )
    }

    #[test]
    fn events_are_sorted_before_they_are_paired() {
        let events = ["f 1.5.0", "i 2.0.0", "i 0", "f 2.0.1", "i 1.0.0-rc.10", "f 1.0.0-rc.2"];
        assert_eq!(intervals(&events), ["[0, 1.0.0-rc.2)", "[1.0.0-rc.10, 1.5.0)", "[2.0.0, 2.0.1)"]);
    }

    #[test]
    fn only_the_first_end_of_an_interval_counts() {
        assert_eq!(intervals(&["i 0", "f 1.0.0", "f 2.0.0"]), ["[0, 1.0.0)"]);
        assert_eq!(intervals(&["i 0", "i 0.5.0", "l 1.0.0"]), ["[0, 1.0.0]"]);
        assert_eq!(intervals(&["l 1.0.0"]), [""; 0]);
    }

    #[test]
    fn an_interval_of_one_version_needs_a_last_affected() {
        assert_eq!(intervals(&["l 1.0.0", "i 1.0.0"]), ["[1.0.0, 1.0.0]"]);
        assert_eq!(intervals(&["i 1.0.0", "f 1.0.0"]), [""; 0]);
    }

    #[test]
    fn the_highest_limit_ends_what_goes_beyond_it() {
        assert_eq!(intervals(&["i 0", "m 2.0.0", "m 3.0.0"]), ["[0, ) limited"]);
        assert_eq!(intervals(&["i 0", "f 1.0.0", "i 4.0.0", "m 3.0.0"]), ["[0, 1.0.0)"]);
        assert_eq!(intervals(&["i 1.0.0", "l 3.0.0", "m 3.0.0"]), ["[1.0.0, ) limited"]);
        assert_eq!(intervals(&["i 1.0.0", "l 3.0.0", "m 2.0.0", "m *"]), ["[1.0.0, 3.0.0]"]);
    }

    #[test]
    fn what_does_not_parse_never_gets_keys() {
        assert_eq!(intervals(&["i 0", "f one"]), ["[0, one) without keys"]);
        let found = evaluate(&events(&["i 0", "l 1.0"]), Pep440);
        assert_eq!(found.iter().map(written).collect::<Vec<_>>(), ["[0, 1.0) without keys"]);
    }
}
