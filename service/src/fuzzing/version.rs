//! Versions and ranges.

use std::cmp::Ordering;

use sea_orm::Iterable as _;

use crate::ardb::version::{
    order::{self, MAX_KEY_BYTES, Scheme, direct},
    range::{self, Event, Interval},
};

/// Versions, a line each, every two of them: comparing them is comparing their keys, the other way round is the other
/// answer, each is itself, and a walk over both, where there is one, agrees.
pub(super) fn versions(scheme: Scheme, data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let versions: Vec<&str> = text.split('\n').take(4).collect();
    let keys: Vec<Option<Vec<u8>>> = versions.iter().map(|number| order::key(scheme, number)).collect();
    for (a, a_key) in versions.iter().zip(&keys) {
        match a_key {
            Some(key) => {
                assert!((1..=MAX_KEY_BYTES).contains(&key.len()), "{scheme:?} {a:?}: {} bytes", key.len());
                assert_eq!(order::compare(scheme, a, a), Some(Ordering::Equal), "{scheme:?} {a:?}");
            }
            // The most that a byte takes is nine: a hyphen of RubyGems, which reads as `.pre.`.
            None if a.len() <= MAX_KEY_BYTES / 9 - 4 => {
                let long = order::parse_any_length(scheme, a);
                assert_eq!(long, None, "the key of a short version fits: {scheme:?} {a:?}");
            }
            None => {}
        }
        for (b, b_key) in versions.iter().zip(&keys) {
            let compared = order::compare(scheme, a, b);
            assert_eq!(
                order::compare(scheme, b, a),
                compared.map(Ordering::reverse),
                "{scheme:?} {a:?} {b:?}"
            );
            let (Some(a_key), Some(b_key)) = (a_key, b_key) else { continue };
            let by_key = a_key.cmp(b_key);
            if scheme == Scheme::Maven {
                assert!(
                    compared == Some(by_key) || differ_by_side(a_key, b_key),
                    "{scheme:?} {a:?} {b:?}: {compared:?}, by key {by_key:?}"
                );
            } else {
                assert_eq!(compared, Some(by_key), "{scheme:?} {a:?} {b:?}");
            }
            if let Some(walked) = direct::compare(scheme, a, b) {
                assert_eq!(walked, by_key, "{scheme:?} {a:?} {b:?} side by side");
            }
        }
    }
}

/// Whether the first bytes in which two keys of Maven differ say: below the end here, above it there. Only then may the
/// key and Maven's comparison, which goes round in circles, disagree.
fn differ_by_side(a: &[u8], b: &[u8]) -> bool {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    let common = low.iter().zip(high).take_while(|(low, high)| low == high).count();
    (low.get(common), high.get(common)) == (Some(&1), Some(&3))
}

/// A scheme by the first byte, then a version and events, a line each, held against OSV's own way to evaluate them.
pub(super) fn ranges(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let schemes: Vec<Scheme> = Scheme::iter().collect();
    let scheme = schemes[usize::from(*first) % schemes.len()];
    let Ok(text) = str::from_utf8(rest) else { return };
    let mut lines = text.lines();
    let Some(number) = lines.next() else { return };
    let event = |line: &str| {
        let (kind, version) = line.split_once(' ')?;
        Event::new(kind, version.to_owned())
    };
    let events: Vec<Event> = lines.filter_map(event).collect();
    let intervals = range::evaluate(&events, scheme);
    assert_sorted(&intervals);

    let is_affected = range::affects(scheme, number, std::slice::from_ref(&events), &[]);
    assert_eq!(is_affected, is_vulnerable(scheme, number, &events), "{scheme:?} {number:?} {events:?}");
    let key = order::key(scheme, number);
    assert_eq!(is_affected, key.is_some_and(|key| intervals.iter().any(|interval| interval.contains(&key))));
    assert!(!range::affects(scheme, number, &[], &[]));
    assert!(range::affects(scheme, number, &[events], &[number.to_owned()]));
}

/// What the columns of `affected_intervals` and their constraints say, and that no two intervals overlap.
fn assert_sorted(intervals: &[Interval]) {
    for interval in intervals {
        let Interval { fixed, last_affected, lower_key, upper_key, is_upper_inclusive, .. } = interval;
        assert!(fixed.is_none() || last_affected.is_none(), "{interval:?}");
        assert!(upper_key.is_some() || !is_upper_inclusive, "{interval:?}");
        let ends = fixed.is_some() || last_affected.is_some();
        assert!(lower_key.is_none() || upper_key.is_some() || !ends, "{interval:?}");
        assert!(lower_key.is_some() || upper_key.is_none(), "{interval:?}");
        assert!(upper_key.is_none() || lower_key <= upper_key, "{interval:?}");
    }
    for pair in intervals.windows(2) {
        if let [Interval { upper_key: Some(upper), .. }, Interval { lower_key: Some(lower), .. }] = pair {
            assert!(upper <= lower, "{pair:?}");
        }
    }
}

/// The evaluation that the format describes (<https://ossf.github.io/osv-schema/#evaluation>): events in the order of
/// their versions switch between vulnerable and not, and limits say up to where they do.
fn is_vulnerable(scheme: Scheme, number: &str, events: &[Event]) -> bool {
    let key = |version: &str| order::key(scheme, version);
    let Some(version) = key(number) else { return false };
    let mut sorted = Vec::new();
    let mut limits = Vec::new();
    for event in events {
        match event {
            Event::Limit(limit) => limits.push((limit, key(limit))),
            Event::Introduced(at) if at == "0" => sorted.push((Vec::new(), false, event)),
            Event::Introduced(at) | Event::Fixed(at) => match key(at) {
                Some(at) => sorted.push((at, false, event)),
                None => return false,
            },
            Event::LastAffected(at) => match key(at) {
                Some(at) => sorted.push((at, true, event)),
                None => return false,
            },
        }
    }
    sorted.sort_by(|(a, a_is_last, _), (b, b_is_last, _)| a.cmp(b).then(a_is_last.cmp(b_is_last)));
    let mut is_vulnerable = false;
    for (at, _, event) in &sorted {
        match event {
            Event::Introduced(_) if version >= *at => is_vulnerable = true,
            Event::Fixed(_) if version >= *at => is_vulnerable = false,
            Event::LastAffected(_) if version > *at => is_vulnerable = false,
            _ => {}
        }
    }
    // A limit that does not parse ends nothing.
    let mut ends = limits.iter().filter_map(|(_, limit)| limit.as_ref()).peekable();
    let is_unlimited = ends.peek().is_none() || limits.iter().any(|(limit, _)| *limit == "*");
    is_vulnerable && (is_unlimited || ends.any(|limit| version < *limit))
}
