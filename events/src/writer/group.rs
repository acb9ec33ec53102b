//! Events that wait to be written, grouped by the month they happened in.

use std::collections::{BTreeMap, HashSet};

use chrono::Datelike as _;

use crate::envelope::{Event, EventId};

/// Year and month of `occurred_at`: the partition.
pub(super) type Month = (i32, u32);

/// The open groups.
#[derive(Default)]
pub(super) struct Groups {
    by_month: BTreeMap<Month, Group>,
    bytes: usize,
}

#[derive(Default)]
struct Group {
    events: Vec<Event>,
    ids: HashSet<EventId>,
    bytes: usize,
}

impl Groups {
    /// Adds `event` and says which month it is of and how many rows that has now; `None` if the month has the
    /// event already.
    pub(super) fn add(&mut self, event: Event) -> Option<(Month, usize)> {
        let month = (event.occurred_at.year(), event.occurred_at.month());
        let group = self.by_month.entry(month).or_default();
        if !group.ids.insert(event.event_id) {
            return None;
        }
        let bytes = held_bytes(&event);
        group.bytes += bytes;
        self.bytes += bytes;
        group.events.push(event);
        Some((month, group.events.len()))
    }

    /// The month that holds the most bytes.
    pub(super) fn fullest(&self) -> Option<Month> {
        self.by_month.iter().max_by_key(|(_, group)| group.bytes).map(|(month, _)| *month)
    }

    /// Takes the group of `month`.
    pub(super) fn take(&mut self, month: Month) -> Option<Vec<Event>> {
        let group = self.by_month.remove(&month)?;
        self.bytes -= group.bytes;
        Some(group.events)
    }

    /// About how many bytes are held.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// About what an event takes in memory: its texts, and what surrounds each of them.
fn held_bytes(event: &Event) -> usize {
    const AROUND_A_TEXT: usize = 32;
    let columns = [
        &event.tenant,
        &event.source,
        &event.kind,
        &event.action,
        &event.repository,
        &event.actor,
        &event.subject,
        &event.title,
        &event.url,
    ];
    let columns: usize = columns.iter().map(|text| text.len()).sum();
    let attributes: usize =
        event.attributes.iter().map(|(key, value)| key.len() + value.len() + 2 * AROUND_A_TEXT).sum();
    size_of::<Event>() + 2 * size_of::<EventId>() + columns + attributes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::writer::batch::tests::event;

    #[test]
    fn events_of_two_months_are_grouped_apart_and_one_that_comes_twice_is_taken_once() {
        let mut groups = Groups::default();
        assert_eq!(groups.add(event(1, "2024-01-31T23:59:59.999Z")), Some(((2024, 1), 1)));
        assert_eq!(groups.add(event(2, "2024-02-01T00:00:00Z")), Some(((2024, 2), 1)));
        assert_eq!(groups.add(event(3, "2024-02-29T00:00:00Z")), Some(((2024, 2), 2)));
        assert_eq!(groups.add(event(2, "2024-02-01T00:00:00Z")), None);
        let mut taken = Vec::new();
        while let Some(month) = groups.fullest() {
            let events = groups.take(month).unwrap();
            taken.push(events.iter().map(|event| event.event_id.0).collect::<Vec<_>>());
        }
        assert_eq!(taken, [vec![2, 3], vec![1]]);
        assert_eq!(groups.bytes(), 0);
    }
}
