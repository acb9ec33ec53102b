//! What goes on, in lines on standard error.

use std::io::IsTerminal as _;
use std::sync::{Mutex, PoisonError};

use super::report::{FAINT, how_long, paint};
use crate::{Event, Runner};

/// What `event` says, in words; `doing` is the command's name.
#[must_use]
pub fn describe(doing: &str, event: &Event) -> String {
    match event {
        Event::Waiting { holder } => format!("waiting for another migration: {holder}"),
        Event::Started { migration, position, of } => format!("{doing} {migration} ({position} of {of})"),
        Event::Finished { migration, took } => {
            let took = chrono::TimeDelta::from_std(*took).unwrap_or(chrono::TimeDelta::MAX);
            format!("{migration} took {}", how_long(took))
        }
        Event::Retrying { migration, attempt, after } => {
            let after = after.as_secs_f64();
            format!(
                "a lock is in the way of {migration}; attempt {} in {after:.1} s",
                attempt.saturating_add(1)
            )
        }
        Event::BuildingIndex { index, phase, .. } => match percent(event) {
            Some(percent) => format!("{index}: {phase}, {percent} %"),
            None => format!("{index}: {phase}"),
        },
    }
}

fn percent(event: &Event) -> Option<u64> {
    let Event::BuildingIndex { done, total, .. } = event else { return None };
    done.saturating_mul(100).checked_div(*total)
}

/// `runner`, which says on standard error what it does; where that is no terminal, only what it waits for.
pub(super) fn in_lines(runner: Runner, doing: &'static str) -> Runner {
    let is_terminal = std::io::stderr().is_terminal();
    let name = runner.name().to_owned();
    let last = Mutex::new(String::new());
    runner.observe(move |event| {
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        let is_wait = matches!(event, Event::Waiting { .. } | Event::Retrying { .. });
        if (is_terminal || is_wait) && is_worth_a_line(event, &mut last) {
            anstream::eprintln!("{}", paint(FAINT, format!("{name}: {}", describe(doing, event))));
        }
    })
}

/// Of an index build, which is told about twice a second, every tenth part of every phase.
fn is_worth_a_line(event: &Event, last: &mut String) -> bool {
    match event {
        Event::Finished { .. } => false,
        Event::BuildingIndex { index, phase, .. } => {
            let here = format!("{index} {phase} {}", percent(event).unwrap_or(0) / 10);
            let is_new = here != *last;
            *last = here;
            is_new
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn building(done: u64, total: u64) -> Event {
        Event::BuildingIndex { index: "a_idx".to_owned(), phase: "sorting".to_owned(), done, total }
    }

    #[test]
    fn events_are_told_in_words() {
        let started = Event::Started { migration: "m1_a".to_owned(), position: 2, of: 5 };
        assert_eq!(describe("up", &started), "up m1_a (2 of 5)");
        let after = Duration::from_millis(1_500);
        let retrying = Event::Retrying { migration: "m1_a".to_owned(), attempt: 1, after };
        assert_eq!(describe("up", &retrying), "a lock is in the way of m1_a; attempt 2 in 1.5 s");
        assert_eq!(describe("up", &building(25, 50)), "a_idx: sorting, 50 %");
        assert_eq!(describe("up", &building(3, 0)), "a_idx: sorting");
    }

    #[test]
    fn an_index_build_is_told_by_tenths() {
        let mut last = String::new();
        let told = [0, 5, 9, 10, 11, 95].map(|done| is_worth_a_line(&building(done, 100), &mut last));
        assert_eq!(told, [true, false, false, true, false, true]);
    }
}
