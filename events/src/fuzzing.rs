//! What the fuzz targets call, and what replays their findings as a test. Not for anybody else.
//!
//! Each target reads whatever bytes it is given; it must not panic, and what it makes of them must fit the tables: one
//! row that a column refused would hold back its batch.

use crate::{
    envelope::{
        Attributes, Event, EventId, Intake, MAX_ATTRIBUTES, MAX_KEY_BYTES, MAX_PAYLOAD_BYTES,
        MAX_VALUE_BYTES, Normalised, Rejection, limit, scrub, time,
    },
    source::{bitbucket, browser, cloudevents, git, github, gitlab, heartbeats, ndjson},
    writer,
};

/// A target: its name, which is that of its file and of its corpus, and what it runs.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: &[Target] = &[
    ("log_record", writer::fuzz_record),
    ("scrub", scrubbed),
    ("source_bitbucket", source_bitbucket),
    ("source_browser", source_browser),
    ("source_cloudevents", source_cloudevents),
    ("source_git", source_git),
    ("source_github", source_github),
    ("source_gitlab", source_gitlab),
    ("source_heartbeats", source_heartbeats),
    ("source_ndjson", source_ndjson),
];

/// Runs the target `name` over `data`.
///
/// # Panics
///
/// If there is no such target, or it found something.
pub fn run(name: &str, data: &[u8]) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).expect("the target is in the list");
    target(data);
}

/// Delivered twice, at different times, `read` makes the same events, and all that it makes fits the tables.
fn delivered(read: impl Fn(&Intake) -> Vec<Normalised>) {
    let intake = |at: &str| Intake::new(Intake::DEFAULT_TENANT, at.parse().expect("the constant is a time"));
    let (first, again) = (intake("2024-06-01T12:00:00Z"), intake("2025-01-31T23:59:59.999Z"));
    let items = read(&first);
    items.iter().for_each(|item| assert_fits(item, &first));
    let redelivered = read(&again).into_iter().map(|item| match item {
        Ok(event) => Ok(Event { received_at: first.received_at, ..event }),
        Err(rejection) => Err(Box::new(Rejection { received_at: first.received_at, ..*rejection })),
    });
    assert!(redelivered.eq(items), "a redelivery is the same event");
}

fn assert_fits(item: &Normalised, intake: &Intake) {
    match item {
        Ok(event) => {
            assert_event(event);
            assert_eq!((&event.tenant, event.received_at), (&intake.tenant, intake.received_at));
        }
        Err(rejection) => {
            assert!(!rejection.place.is_empty() && !rejection.reason.is_empty(), "{rejection:?}");
            assert_line(&rejection.place, limit::URL);
            assert_line(&rejection.reason, limit::URL);
            assert!(rejection.payload.len() <= MAX_PAYLOAD_BYTES, "{} bytes", rejection.payload.len());
        }
    }
}

fn assert_event(event: &Event) {
    assert!(!event.kind.is_empty() && !event.source.is_empty(), "{event:?}");
    for (text, bytes) in [
        (&event.tenant, limit::NAME),
        (&event.source, limit::NAME),
        (&event.kind, limit::KIND),
        (&event.action, limit::KIND),
        (&event.repository, limit::REFERENCE),
        (&event.actor, limit::REFERENCE),
        (&event.subject, limit::REFERENCE),
        (&event.title, limit::TITLE),
        (&event.url, limit::URL),
    ] {
        assert_line(text, bytes);
    }
    assert!(event.url.is_empty() || event.url.starts_with("http://") || event.url.starts_with("https://"));
    assert!(
        time::accept(event.occurred_at) == time::Reading::Time(event.occurred_at),
        "{}",
        event.occurred_at
    );
    let attributes: &Attributes = &event.attributes;
    assert!(attributes.len() <= MAX_ATTRIBUTES, "{} attributes", attributes.len());
    for (key, value) in attributes.iter() {
        assert_line(key, MAX_KEY_BYTES);
        assert!((1..=MAX_VALUE_BYTES).contains(&value.len()), "{key}: {} bytes", value.len());
    }
}

fn assert_line(text: &str, bytes: usize) {
    assert!(text.len() <= bytes, "{} of {bytes} bytes: {text:?}", text.len());
    assert!(!text.contains(char::is_control), "{text:?}");
}

/// What was scrubbed stays as it is, and an id that is read prints as itself.
fn scrubbed(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let clean = scrub(text);
    assert_eq!(scrub(&clean), clean, "{text:?}");
    let _ = (time::read_text(text), text.parse().map(time::read_number), text.parse().map(time::read_float));
    if let Ok(id) = text.parse::<EventId>() {
        assert_eq!(id.to_string().parse(), Ok(id), "{text:?}");
    }
}

/// The event key, a line, then the body.
fn source_bitbucket(data: &[u8]) {
    let (key, body) = first_line(data);
    delivered(|intake| vec![bitbucket::event(intake, key, None, body)]);
}

fn source_browser(data: &[u8]) {
    delivered(|intake| browser::events(intake, "octo", data));
}

/// Headers, a line each with a colon, then a blank line and the body, in every mode.
fn source_cloudevents(data: &[u8]) {
    let end = data.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = end.map_or((&b""[..], data), |at| (&data[..at], &data[at + 2..]));
    let headers = head.split(|byte| *byte == b'\n').filter_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        Some((str::from_utf8(&line[..colon]).ok()?, &line[colon + 1..]))
    });
    let headers: Vec<(&str, &[u8])> = headers.collect();
    delivered(|intake| cloudevents::request(intake, headers.iter().copied(), body));
    delivered(|intake| vec![cloudevents::structured(intake, body)]);
    delivered(|intake| cloudevents::batch(intake, body));
}

/// A commit object; and, as text, the address of a remote.
fn source_git(data: &[u8]) {
    delivered(|intake| vec![git::fuzz(intake, data)]);
}

/// The event's name, a line, then the body.
fn source_github(data: &[u8]) {
    let (name, body) = first_line(data);
    delivered(|intake| vec![github::event(intake, name, Some("72d3162e-cc78-11e3"), body)]);
    delivered(|intake| vec![github::event(intake, name, None, body)]);
}

fn source_gitlab(data: &[u8]) {
    delivered(|intake| vec![gitlab::event(intake, None, data)]);
}

fn source_heartbeats(data: &[u8]) {
    delivered(|intake| heartbeats::events(intake, "octo", data));
}

fn source_ndjson(data: &[u8]) {
    delivered(|intake| vec![ndjson::event(intake, data)]);
}

/// The first line as text, and what is behind it.
fn first_line(data: &[u8]) -> (&str, &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    (str::from_utf8(&data[..end]).unwrap_or_default(), data.get(end + 1..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn every_finding_in_the_corpus_is_read_and_holds_what_its_target_asserts() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
        for (name, target) in TARGETS {
            assert!(fuzz.join("fuzz_targets").join(format!("{name}.rs")).exists(), "{name} has a target");
            let words = fs::read_to_string(fuzz.join("dictionaries").join(format!("{name}.dict")));
            assert!(words.is_ok_and(|words| !words.is_empty()), "{name} has a dictionary");
            let findings = fs::read_dir(fuzz.join("corpus").join(name)).unwrap();
            let mut read = 0;
            for finding in findings {
                target(&fs::read(finding.unwrap().path()).unwrap());
                read += 1;
            }
            assert!(read > 0, "{name} has a corpus");
        }
    }
}
