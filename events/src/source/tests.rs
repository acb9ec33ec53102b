//! What holds for every source: nothing planted survives.

use super::{bitbucket, browser, cloudevents, github, gitlab, heartbeats, ndjson};
use crate::envelope::{Intake, Normalised};

fn intake() -> Intake {
    Intake::new("default", "2024-06-01T12:00:00Z".parse().unwrap())
}

/// What every source makes of `body`.
fn all(body: &[u8]) -> Vec<Normalised> {
    let intake = intake();
    let mut items = vec![
        github::event(&intake, "issues", None, body),
        gitlab::event(&intake, None, body),
        bitbucket::event(&intake, "repo:push", None, body),
        cloudevents::structured(&intake, body),
        ndjson::event(&intake, body),
    ];
    items.extend(heartbeats::events(&intake, "octo", body));
    items.extend(browser::events(&intake, "octo", body));
    items.extend(cloudevents::batch(&intake, body));
    items
}

#[test]
fn no_secret_and_no_address_survives_in_any_field_of_any_source() {
    let secrets = [
        ("jane@example.org", "jane"),
        ("10.11.12.13", "10.11.12"),
        ("2001:db8::4242", "4242"),
        ("ghp_A1b2C3d4E5f6G7h8I9j0", "A1b2C3d4"),
        ("https://u:hunter2@example.org/x", "hunter2"),
        ("Authorization: Basic aHVudGVyMg==", "aHVudGVyMg"),
        ("-----BEGIN RSA PRIVATE KEY-----\\nMIIEhunter2\\n-----END RSA PRIVATE KEY-----", "hunter2"),
        ("x?access_token=hunter2&y=1", "hunter2"),
    ];
    let template = include_str!("tests/every_field.json");
    for (secret, core) in secrets {
        for around in ["", "x ", "(", "é "] {
            let planted = template.replace("PLANTED", &format!("{around}{secret}"));
            // Whole, and broken off, so that it is kept as a dead letter.
            for body in [&planted[..], &planted[..planted.len() - 2]] {
                for item in all(body.as_bytes()) {
                    let text = format!("{item:?}");
                    assert!(!text.contains(core), "{secret}: {text}");
                }
            }
        }
    }
}
