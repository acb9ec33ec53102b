//! A draft: what a source found in one input, on its way to an [`Event`].

use std::collections::VecDeque;

use serde_json::Value;

use super::json;
use crate::envelope::time::{self, Reading};
use crate::envelope::{Attributes, Event, EventId, Intake, Normalised, Rejection, clean_line, limit, line};

/// The columns of an event as a source found them: not yet bounded, not yet scrubbed.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    /// From general to special, without the action.
    pub kind: &'a str,
    /// The last part of the kind; empty when the source says none.
    pub action: &'a str,
    pub repository: &'a str,
    pub actor: &'a str,
    pub occurred_at: Reading,
    pub subject: &'a str,
    pub title: &'a str,
    pub url: &'a str,
    pub attributes: Attributes,
}

impl Draft<'_> {
    /// The event, bounded and scrubbed; a rejection if its time is out of range.
    pub(super) fn finish(
        self,
        intake: &Intake,
        source: &str,
        event_id: EventId,
        input: &Input,
    ) -> Normalised {
        let occurred_at = match self.occurred_at {
            Reading::Time(at) => at,
            Reading::NotATime => time::UNKNOWN,
            Reading::OutOfRange => {
                let reason = "its time is out of range: expected one from 1900-01-01 to before 2299-12-31";
                let mut rejection = input.reject(intake, source, reason);
                rejection.event_id = Some(event_id);
                return Err(rejection);
            }
        };
        let action = clean_line(self.action, limit::KIND / 2);
        // The action is what readers group by, so the general part is what gives way.
        let general = clean_line(self.kind, limit::KIND - 1 - action.len());
        let kind = if action.is_empty() { general } else { format!("{general}.{action}") };
        Ok(Event {
            tenant: intake.tenant.clone(),
            event_id,
            source: clean_line(source, limit::NAME),
            kind: line(&kind, limit::KIND),
            action,
            repository: clean_line(self.repository, limit::REFERENCE),
            actor: clean_line(self.actor, limit::REFERENCE),
            occurred_at,
            received_at: intake.received_at,
            subject: clean_line(self.subject, limit::REFERENCE),
            title: clean_line(self.title, limit::TITLE),
            url: clean_line(self.url, limit::URL),
            attributes: self.attributes,
        })
    }
}

/// One input and where it was found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Input<'a> {
    /// For people to find it again.
    pub place: &'a str,
    pub raw: &'a [u8],
}

impl Input<'_> {
    /// Why this input is no event of `source`.
    pub(super) fn reject(&self, intake: &Intake, source: &str, reason: &str) -> Box<Rejection> {
        Rejection::new(intake, source, self.place, reason, self.raw)
    }

    /// Appends what `one` makes of this input: of each item where it is a list, or an object with the list in
    /// `events`; else of it as a whole. The place of an item ends in its number, counted from 0.
    pub(super) fn each(
        &self,
        intake: &Intake,
        source: &str,
        out: &mut VecDeque<Normalised>,
        one: impl Fn(&Input, &Value) -> Normalised,
    ) {
        let value = match json::parse(self.raw) {
            Ok(value) => value,
            Err(reason) => return out.push_back(Err(self.reject(intake, source, &reason))),
        };
        let Some(items) = value.get("events").unwrap_or(&value).as_array() else {
            return out.push_back(one(self, &value));
        };
        for (number, item) in items.iter().enumerate() {
            // What is kept of an item that is rejected is the item and not the whole list.
            let (place, raw) = (format!("{}[{number}]", self.place), item.to_string());
            out.push_back(one(&Input { place: &place, raw: raw.as_bytes() }, item));
        }
    }
}

/// Where a webhook delivery was, for people: its id, else its `name`, which is the event's as its header has it.
pub(super) fn place_of(delivery: Option<&str>, name: &str) -> String {
    match delivery {
        Some(id) => format!("delivery {id}"),
        None if name.is_empty() => "delivery".to_owned(),
        None => name.to_owned(),
    }
}
