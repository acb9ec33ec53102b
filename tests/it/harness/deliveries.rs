//! What all sources deliver: real payloads where there are any, and a few of the project's own at all times.

use std::io::Read as _;
use std::path::Path;

use events::source::{bitbucket, browser, cloudevents, github, gitlab, heartbeats, ndjson};
use events::{Intake, Normalised};
use serde_json::Value;

use super::corpus;

/// How many events [`own_deliveries`] has.
pub const OWN_EVENTS: usize = 18;

/// How many inputs of [`own_deliveries`] are no events.
pub const OWN_REJECTIONS: usize = 4;

/// The project's own deliveries of every source, as they arrive at `intake`.
pub fn own_deliveries(intake: &Intake) -> Vec<Normalised> {
    let issue = br#"{"action":"opened","issue":{"number":7,"updated_at":"2024-05-01T10:00:00Z"},"sender":{"login":"octo"},"repository":{"full_name":"acme/rocket"}}"#;
    let spaced = br#"{ "ref": "refs/heads/main", "before": "0" }"#;
    let note = br#"{"object_kind":"note","user":{"username":"mona"},"object_attributes":{"id":1,"updated_at":"2024-05-02T10:00:00Z"}}"#;
    let push = br#"{"push":{"changes":[{"new":{"target":{"date":"2024-03-31T23:59:59Z"}}}]},"actor":{"nickname":"octo"}}"#;
    let beats = br#"[{"entity":"/home/octo/rocket/a.rs","time":1714557600.25,"project":"rocket"},{"id":"b2","file":"b.rs","at":"2024-05-31T23:59:59.999Z"},{"entity":7}]"#;
    let pages = br#"{"events":[{"kind":"page.viewed","time":1714557600,"actor":"octo","url":"https://example.org/x?q=1"},{"id":"2","kind":"page.left","time":1714557601},{"kind":"page.viewed"}]}"#;
    let cloud = br#"{"specversion":"1.0","id":"1","source":"/builds","type":"build.finished","time":"2024-04-30T23:59:59Z","data":{"ok":true}}"#;
    let clouds = br#"[{"specversion":"1.0","id":"2","source":"/builds","type":"build.started"},{"specversion":"1.0","id":"3","source":"/builds","type":"build.started","time":"1999-12-31T23:59:59Z"},{"specversion":"1.0"}]"#;
    let binary: [(&str, &[u8]); 6] = [
        ("ce-specversion", b"1.0"),
        ("ce-id", b"4"),
        ("ce-source", b"/builds"),
        ("ce-type", b"build.failed"),
        ("ce-time", b"2024-05-01T00:00:00Z"),
        ("content-type", b"application/json"),
    ];
    let mut all = vec![
        github::event(intake, "issues", Some("72d3162e"), issue),
        // Under another delivery's id it is another event, whatever its content.
        github::event(intake, "issues", Some("72d3162f"), issue),
        github::event(intake, "push", None, spaced),
        github::event(intake, "invented_tomorrow", None, spaced),
        github::event(intake, "push", Some("72d31630"), b"{"),
        gitlab::event(intake, Some("d1"), note),
        gitlab::event(intake, None, note),
        bitbucket::event(intake, "repo:push", None, push),
        bitbucket::event(intake, "repo:push", Some("r1"), push),
        cloudevents::structured(intake, cloud),
        ndjson::event(intake, br#"{"kind":"build.finished","time":1714557600,"actor":"octo"}"#),
        ndjson::event(intake, br#"{"id":"n2","source":"ci","kind":"build.finished","time":1714557600}"#),
    ];
    all.extend(heartbeats::events(intake, "octo", beats));
    all.extend(browser::events(intake, "octo", pages));
    all.extend(cloudevents::batch(intake, clouds));
    all.extend(cloudevents::request(intake, binary, br#"{"ok":false}"#));
    all
}

/// Every real payload of every source.
pub struct RealDeliveries {
    folder: tempfile::TempDir,
    payloads: Vec<Payload>,
}

/// Source, the key that it comes under, and the document.
type Payload = (&'static str, String, Value);

impl RealDeliveries {
    /// `None`, saying so, where there are none.
    pub fn find() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let mut payloads = Vec::new();
        for (zip, within, source) in [
            ("github-webhooks.zip", "", "github"),
            ("gitlab-bitbucket-webhooks.zip", "gitlab/", "gitlab"),
            ("gitlab-bitbucket-webhooks.zip", "bitbucket/", "bitbucket"),
            ("editor-heartbeats.zip", "", "heartbeats"),
        ] {
            for (name, body) in corpus_entries(&corpus(zip)?, within) {
                let document: Value = serde_json::from_slice(&body).expect("it is JSON");
                let mut parts = name.rsplit('/');
                let (file, parent) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
                let key = match source {
                    // The event's name, and the kind of the request.
                    "github" => parent.to_owned(),
                    "bitbucket" => file.to_owned(),
                    _ => String::new(),
                };
                let place = folder.path().join(source).join(if source == "github" { parent } else { "" });
                std::fs::create_dir_all(&place).expect("a folder can be made");
                std::fs::write(place.join(file), body).expect("a file can be written");
                match document {
                    Value::Array(items) if source == "heartbeats" => {
                        payloads.extend(items.into_iter().map(|item| (source, key.clone(), item)));
                    }
                    document => payloads.push((source, key, document)),
                }
            }
        }
        Some(Self { folder, payloads })
    }

    /// How many of them differ, as JSON or in the key that they come under.
    pub fn distinct(&self) -> usize {
        let mut seen: Vec<&Payload> = Vec::new();
        for payload in &self.payloads {
            if !seen.contains(&payload) {
                seen.push(payload);
            }
        }
        seen.len()
    }

    /// All of them, as they arrive at `intake`.
    pub fn at(&self, intake: &Intake) -> Vec<Normalised> {
        let of = |source: &str| self.folder.path().join(source);
        let mut all: Vec<_> = github::read(intake.clone(), &of("github")).expect("it is there").collect();
        all.extend(gitlab::read(intake.clone(), &of("gitlab")).expect("it is there"));
        all.extend(bitbucket::read(intake.clone(), &of("bitbucket")).expect("it is there"));
        all.extend(heartbeats::read(intake.clone(), "octo", &of("heartbeats")).expect("it is there"));
        all
    }
}

/// Every `.json` entry of a zip whose name begins with `folder`, in the order of the names.
pub fn corpus_entries(zip: &Path, folder: &str) -> Vec<(String, Vec<u8>)> {
    let file = std::fs::File::open(zip).expect("it is there");
    let mut archive = zip::ZipArchive::new(file).expect("it is a zip");
    let names: Vec<_> = archive.file_names().map(|name| name.expect("it has a name").into_owned()).collect();
    let mut found: Vec<_> = names
        .into_iter()
        .filter(|name| name.starts_with(folder) && name.ends_with(".json"))
        .map(|name| {
            let mut body = Vec::new();
            let mut entry = archive.by_name(&name).expect("it is there");
            entry.read_to_end(&mut body).expect("it can be unpacked");
            (name, body)
        })
        .collect();
    found.sort();
    found
}

/// The same in every run: `items` in an order that `seed` gives.
pub fn shuffled<T>(mut items: Vec<T>, seed: u64) -> Vec<T> {
    use rand::SeedableRng as _;
    use rand::seq::SliceRandom as _;
    items.shuffle(&mut rand::rngs::StdRng::seed_from_u64(seed));
    items
}
