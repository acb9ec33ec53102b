//! Stored payloads: a folder or a zip in the layout `<event>/<action>.payload.json` or `<event>.payload.json`.
//!
//! Only the folder's name (or, at the top, the file's name up to its first dot) is used, as the event's name.
//! What follows in the name is a label; the action is in the payload. Files that do not end in `.json` and
//! hidden ones are no payloads and are left alone.

use std::path::Path;

use super::{SOURCE, normalise};
use crate::envelope::{Intake, Normalised, Rejection};
use crate::error::Result;
use crate::source::documents::Documents;

/// Opens a folder or a zip of webhook payloads.
///
/// Yields, in the order of the names, one event or rejection per payload; a payload that cannot be read, is
/// too large or is no event is a rejection with its place, and the next one follows. One payload at a time is
/// in memory.
///
/// # Errors
///
/// [`crate::Error::Input`] if `path` is neither a readable folder nor a zip.
pub fn read(intake: Intake, path: &Path) -> Result<Payloads> {
    Ok(Payloads { intake, documents: Documents::open_archive(path, "webhook payloads")? })
}

/// The payloads of a folder or zip; see [`read`].
pub struct Payloads {
    intake: Intake,
    documents: Documents,
}

impl Iterator for Payloads {
    type Item = Normalised;

    fn next(&mut self) -> Option<Normalised> {
        let document = self.documents.next()?;
        let place = document.place;
        Some(match (event_name(&place), document.body) {
            (_, Err(reason)) => Err(Rejection::new(&self.intake, SOURCE, &place, &reason, b"")),
            (Some(event), Ok(body)) => normalise(&self.intake, &place, event, None, &body),
            (None, Ok(body)) => {
                let reason = "its name does not say which event it is: expected <event>/<action>.payload.json or <event>.payload.json";
                Err(Rejection::new(&self.intake, SOURCE, &place, reason, &body))
            }
        })
    }
}

/// The name of the folder that the file is in; at the top the file's name up to its first dot.
fn event_name(place: &str) -> Option<&str> {
    let mut parts = place.rsplit('/');
    let file = parts.next()?;
    match parts.next() {
        Some(folder) => Some(folder),
        // A lone `payload.json` is what lies inside of an event's folder.
        None => file.split('.').next().filter(|stem| super::is_event_name(stem) && *stem != "payload"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_event_is_named_by_the_folder_or_at_the_top_by_the_file() {
        for (place, event) in [
            ("pull_request/opened.with-organization.payload.json", Some("pull_request")),
            ("corpus/push/1.payload.json", Some("push")),
            ("push.payload.json", Some("push")),
            ("push.json", Some("push")),
            ("payload.json", None),
            ("1.payload.json", None),
            ("with-installation.payload.json", None),
        ] {
            assert_eq!(event_name(place), event, "{place}");
        }
    }
}
