//! Ranges of versions as OSV writes them: from events to intervals of version keys, and whether a version is affected.

use super::order::{self, Scheme};

/// One event of a range, with its version as published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
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
pub struct Interval {
    /// As published; "0" is before all.
    pub introduced: String,
    /// As published; `None`: the interval ends otherwise or not at all.
    pub fixed: Option<String>,
    /// As published; `None`: the interval ends otherwise or not at all.
    pub last_affected: Option<String>,
    /// `None`: an event of the range does not parse, so nothing lies in it.
    pub lower_key: Option<Vec<u8>>,
    /// `None` with a lower key: without an end.
    pub upper_key: Option<Vec<u8>>,
    /// Whether the upper key itself is affected.
    pub is_upper_inclusive: bool,
}

impl Interval {
    /// Whether the version with this key lies in it.
    #[must_use]
    pub fn contains(&self, key: &[u8]) -> bool {
        let is_from = self.lower_key.as_ref().is_some_and(|lower| lower.as_slice() <= key);
        is_from
            && self.upper_key.as_ref().is_none_or(|upper| {
                key < upper.as_slice() || (self.is_upper_inclusive && key == upper.as_slice())
            })
    }
}

impl Event {
    /// An event by its name in OSV; `None`: there is none of that name.
    #[must_use]
    pub fn new(kind: &str, version: String) -> Option<Self> {
        Some(match kind {
            "introduced" => Self::Introduced(version),
            "fixed" => Self::Fixed(version),
            "last_affected" => Self::LastAffected(version),
            "limit" => Self::Limit(version),
            _ => return None,
        })
    }
}

/// Whether version `number` is affected: it is enumerated, letter by letter, or it lies in one of the ranges, each
/// given by its events in any order.
///
/// A version that does not parse is only affected where it is enumerated, and a range with an event that does not
/// parse affects nothing.
///
/// ```
/// use service::ardb::version::{order::Scheme::Pep440, range::{Event, affects}};
///
/// let range = [vec![Event::Fixed("2.0".into()), Event::Introduced("1.0".into())]];
/// assert!(affects(Pep440, "1.0.0", &range, &[]));
/// assert!(!affects(Pep440, "2.0", &range, &[]));
/// assert!(affects(Pep440, "two", &range, &["two".into()]));
/// ```
#[must_use]
pub fn affects(scheme: Scheme, number: &str, ranges: &[Vec<Event>], enumerated: &[String]) -> bool {
    if enumerated.iter().any(|version| version == number) {
        return true;
    }
    let Some(key) = order::key(scheme, number) else { return false };
    ranges.iter().any(|events| evaluate(events, scheme).iter().any(|interval| interval.contains(&key)))
}

/// The intervals that `events` describe, lowest first.
///
/// Events need not be sorted as published: they are sorted here, those of one version stay in their order, except that
/// a `last_affected` comes after all others of its version, which it includes. Then, as the format's own evaluation has
/// it, `introduced` begins an interval where none is open, and `fixed` and `last_affected` end the open one.
///
/// Where one event's version does not parse by `scheme`, no order is to be had: the events are paired as published,
/// for people to read, and no interval has keys, so none matches.
pub fn evaluate(events: &[Event], scheme: Scheme) -> Vec<Interval> {
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

fn key(event: &Event, scheme: Scheme) -> Option<Vec<u8>> {
    match event {
        Event::Introduced(version) if version == "0" => Some(Vec::new()),
        Event::Introduced(version)
        | Event::Fixed(version)
        | Event::LastAffected(version)
        | Event::Limit(version) => order::key(scheme, version),
    }
}

/// Ends what goes beyond the highest limit there, and drops what is empty.
fn clip(intervals: &mut Vec<Interval>, events: &[Event], scheme: Scheme) {
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
    use super::Scheme::{Opaque, Pep440, Semver};

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
        let found = evaluate(&events(&["i 0", "l 1.0"]), Opaque);
        assert_eq!(found.iter().map(written).collect::<Vec<_>>(), ["[0, 1.0) without keys"]);
    }

    #[test]
    fn ends_are_excluded_or_included_as_their_event_says() {
        let affected = |given: &[&str], number: &str| affects(Pep440, number, &[events(given)], &[]);
        let fixed = ["f 2.0", "i 1.0"];
        assert_eq!(
            ["0.9", "1", "1.9", "2.0a1", "2"].map(|it| affected(&fixed, it)),
            [false, true, true, true, false]
        );
        let last = ["i 0", "l 2.0"];
        assert_eq!(["0.dev0", "2.0.0", "2.0.post1"].map(|it| affected(&last, it)), [true, true, false]);
        let limited = ["i 1", "m 2"];
        assert_eq!(["1", "2", "3"].map(|it| affected(&limited, it)), [true, false, false]);
    }

    #[test]
    fn what_does_not_parse_is_affected_by_enumeration_only() {
        let ranges = [events(&["i 0"])];
        let enumerated = ["one".to_owned()];
        let affected = ["one", "two", "1"].map(|it| affects(Pep440, it, &ranges, &enumerated));
        assert_eq!(affected, [true, false, true]);
        assert!(!affects(Pep440, "1", &[events(&["i 0", "f one"])], &[]));
        assert!(!affects(Opaque, "1", &ranges, &[]));
    }
}
