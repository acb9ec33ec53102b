//! A digest as a page of text.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{Datelike as _, NaiveDate};

use super::{Count, Day, Digest, Period};

/// How wide the longest bar is, in characters.
const BAR: usize = 32;

/// How many bars there are at most before days are put together to months, and months to years.
const MAX_BARS: usize = 31;

/// How long a name or title may be in a line, in characters.
const MAX_NAME: usize = 40;
const MAX_TITLE: usize = 72;

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scope, period, time_zone, totals, .. } = self;
        match period {
            Period::All => writeln!(f, "{scope}, all time, in days of {time_zone}")?,
            _ => {
                writeln!(
                    f,
                    "{scope}, {period} to {}, in days of {time_zone}",
                    self.until.format("%Y-%m-%d %H:%M UTC")
                )?;
            }
        }
        if totals.events == 0 {
            return writeln!(f, "Nothing happened.");
        }
        let part =
            |count: u64, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
        writeln!(
            f,
            "{} by {} in {}",
            part(totals.events, "event", "events"),
            part(totals.people, "person", "people"),
            part(totals.repositories, "repository", "repositories"),
        )?;
        if let (Some(first), Some(last)) = (totals.first_at, totals.last_at) {
            let format = "%Y-%m-%d %H:%M";
            writeln!(f, "first {}, last {} UTC", first.format(format), last.format(format))?;
        }
        if totals.undated > 0 {
            writeln!(f, "{} without a known time", part(totals.undated, "event", "events"))?;
        }

        let (unit, bars) = bars(&self.days, *period);
        if !bars.is_empty() {
            writeln!(f, "\nBy {unit}")?;
            let most = bars.iter().map(|(_, events)| *events).max().unwrap_or(1).max(1);
            for (label, events) in &bars {
                writeln!(f, "  {label}  {:<BAR$}  {events:>6}", bar(*events, most))?;
            }
        }
        list(f, "By kind", &self.kinds, totals.kinds)?;
        list(f, "By person", &self.people, totals.people)?;
        if !self.notable.is_empty() {
            writeln!(f, "\nNotable")?;
        }
        let widest =
            self.notable.iter().map(|event| event.kind.chars().count()).max().unwrap_or(0).min(MAX_NAME);
        for event in &self.notable {
            let kind = clip(&event.kind, MAX_NAME);
            let day = event.occurred_at.format("%Y-%m-%d");
            writeln!(f, "  {day}  {kind:<widest$}  {}", clip(&event.title, MAX_TITLE))?;
        }
        let watermark = self.watermark.map(|time| time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string());
        writeln!(f, "\nrevision {}, arrived by {}", self.revision, watermark.unwrap_or_default())
    }
}

fn list(f: &mut fmt::Formatter<'_>, heading: &str, counts: &[Count], total: u64) -> fmt::Result {
    if counts.is_empty() {
        return Ok(());
    }
    writeln!(f, "\n{heading}")?;
    let widest = counts.iter().map(|count| count.name.chars().count()).max().unwrap_or(0).min(MAX_NAME);
    for count in counts {
        writeln!(f, "  {:<widest$}  {:>6}", clip(&count.name, MAX_NAME), count.events)?;
    }
    match total.saturating_sub(counts.len() as u64) {
        0 => Ok(()),
        more => writeln!(f, "  and {more} more"),
    }
}

fn clip(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    text.chars().take(limit - 1).chain(['…']).collect()
}

/// A bar as long as `events` of `most`; what happened at all is seen.
fn bar(events: u64, most: u64) -> String {
    let eighths = (events as u128 * BAR as u128 * 8).div_ceil(u128::from(most)) as usize;
    let part = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8];
    format!("{}{part}", "█".repeat(eighths / 8))
}

/// What one bar stands for, and the bars: days where they are few, else months, else years. Without holes.
fn bars(days: &[Day], period: Period) -> (&'static str, Vec<(String, u64)>) {
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return ("day", Vec::new()) };
    let span = (last.day - first.day).num_days() + 1;
    if period != Period::All || span <= MAX_BARS as i64 {
        let all = first.day.iter_days().take_while(|day| *day <= last.day);
        let events: BTreeMap<NaiveDate, u64> = days.iter().map(|day| (day.day, day.events)).collect();
        let bars =
            all.map(|day| (day.format("%a %Y-%m-%d").to_string(), events.get(&day).copied().unwrap_or(0)));
        return ("day", bars.collect());
    }
    let months = sums(days, |day| i64::from(day.year()) * 12 + i64::from(day.month0()));
    if months.len() <= MAX_BARS {
        let label = |month: i64| format!("{:04}-{:02}", month.div_euclid(12), month.rem_euclid(12) + 1);
        return ("month", months.into_iter().map(|(month, events)| (label(month), events)).collect());
    }
    let years = sums(days, |day| i64::from(day.year()));
    ("year", years.into_iter().map(|(year, events)| (format!("{year:04}"), events)).collect())
}

/// The events of `days` by what `unit` puts them under, with a zero for every unit in between.
fn sums(days: &[Day], unit: impl Fn(NaiveDate) -> i64) -> Vec<(i64, u64)> {
    let mut sums = BTreeMap::new();
    for day in days {
        *sums.entry(unit(day.day)).or_insert(0) += day.events;
    }
    let (first, last) = (sums.keys().next().copied(), sums.keys().next_back().copied());
    let all = first.zip(last).map(|(first, last)| first..=last);
    all.into_iter().flatten().map(|key| (key, sums.get(&key).copied().unwrap_or(0))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Notable, Scope, Totals};
    use super::*;
    use crate::envelope::EventId;

    fn days(days: &[(&str, u64)]) -> Vec<Day> {
        days.iter().map(|(day, events)| Day { day: day.parse().unwrap(), events: *events }).collect()
    }

    fn digest() -> Digest {
        Digest {
            revision: EventId(7),
            tenant: "default".into(),
            scope: Scope::Repository("acme/rocket".into()),
            period: Period::Week,
            time_zone: "Europe/Paris".into(),
            from: "2024-04-30T22:00:00Z".parse().unwrap(),
            until: "2024-05-07T12:00:00Z".parse().unwrap(),
            watermark: Some("2024-05-07T12:00:00.123Z".parse().unwrap()),
            totals: Totals {
                events: 13,
                people: 11,
                repositories: 1,
                kinds: 2,
                undated: 0,
                first_at: Some("2024-05-01T10:00:00Z".parse().unwrap()),
                last_at: Some("2024-05-03T09:30:00Z".parse().unwrap()),
            },
            kinds: vec![
                Count { name: "commit".into(), events: 12 },
                Count { name: "push".into(), events: 1 },
            ],
            people: vec![Count { name: "Jane Doe".into(), events: 3 }],
            days: days(&[("2024-05-01", 12), ("2024-05-03", 1)]),
            notable: vec![Notable {
                occurred_at: "2024-05-03T09:30:00Z".parse().unwrap(),
                kind: "push".into(),
                actor: "octo".into(),
                repository: "acme/rocket".into(),
                subject: "main".into(),
                title: "Add a parser".into(),
                url: String::new(),
            }],
        }
    }

    #[test]
    fn a_digest_is_a_page_with_a_bar_for_every_day() {
        let expected = "\
repo:acme/rocket, week to 2024-05-07 12:00 UTC, in days of Europe/Paris
13 events by 11 people in 1 repository
first 2024-05-01 10:00, last 2024-05-03 09:30 UTC

By day
  Wed 2024-05-01  ████████████████████████████████      12
  Thu 2024-05-02                                         0
  Fri 2024-05-03  ██▊                                    1

By kind
  commit      12
  push         1

By person
  Jane Doe       3
  and 10 more

Notable
  2024-05-03  push  Add a parser

revision 00000000-0000-0000-0000-000000000007, arrived by 2024-05-07T12:00:00.123Z
";
        assert_eq!(digest().to_string(), expected);
    }

    #[test]
    fn a_digest_of_nothing_says_so() {
        let empty = Digest { totals: Totals::default(), ..digest() };
        let text = empty.to_string();
        assert_eq!(text.lines().nth(1), Some("Nothing happened."));
    }

    #[test]
    fn a_long_time_is_shown_by_month_or_year_without_holes() {
        let (unit, found) = bars(&days(&[("2023-11-30", 2), ("2024-02-01", 3)]), Period::All);
        let expected = [("2023-11", 2), ("2023-12", 0), ("2024-01", 0), ("2024-02", 3)];
        assert_eq!(
            (unit, found),
            ("month", expected.map(|(label, events)| (label.to_owned(), events)).to_vec())
        );
        let (unit, found) = bars(&days(&[("1999-12-31", 1), ("2024-01-01", 1)]), Period::All);
        assert_eq!((unit, found.len()), ("year", 26));
    }
}
