//! Whether a secret is in a log, in any form in which a careless line could have it.
//!
//! A secret that a test makes begins with [`MARK`], so that one search finds them all, whoever has logged it: this
//! process, a program that it started, a server. A token that the service makes is known by its form, a prefix and
//! a checksum that is right; what has no such form by being in the list of the run.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use service::identitydb::secret::{Kind, is_well_formed};

/// What every secret of a test begins with.
pub const MARK: &str = "hush-hush-";

/// The file in a run's folder that has a secret a line, and is no log.
pub const KNOWN: &str = "known";

/// What is searched for: every form of [`MARK`] and of the secrets of one run.
pub struct Search {
    forms: Vec<String>,
}

impl Search {
    /// For the secrets `known` beside those that tell themselves.
    pub fn new<'a>(known: impl IntoIterator<Item = &'a str>) -> Self {
        Self { forms: std::iter::once(MARK).chain(known).flat_map(forms).collect() }
    }

    /// For one more; false if it is searched for already.
    pub fn add(&mut self, secret: &str) -> bool {
        let is_new = !self.forms.iter().any(|form| form == secret);
        if is_new {
            self.forms.extend(forms(secret));
        }
        is_new
    }

    /// Whether any of them is in `text`.
    pub fn finds(&self, text: &str) -> bool {
        self.forms.iter().any(|form| text.contains(form.as_str())) || has_token(text)
    }

    /// `file:line` of every line below `folder` that has one.
    pub fn places(&self, folder: &Path) -> std::io::Result<Vec<String>> {
        let mut places = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if !path.is_file() || path.file_name().is_some_and(|name| name == KNOWN) {
                continue;
            }
            for (at, line) in BufReader::new(File::open(&path)?).split(b'\n').enumerate() {
                if self.finds(&String::from_utf8_lossy(&line?)) {
                    places.push(format!("{}:{}", path.display(), at + 1));
                }
            }
        }
        Ok(places)
    }
}

/// As it is, in hexadecimal digits, as a list of bytes, and in base 64 wherever in a longer text it stands.
pub fn forms(secret: &str) -> Vec<String> {
    let bytes = secret.as_bytes();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let list: Vec<String> = bytes.iter().map(u8::to_string).collect();
    let mut forms = vec![secret.to_owned(), hex.to_uppercase(), hex, list.join(", ")];
    for before in 0..3 {
        let encoded = STANDARD_NO_PAD.encode([&vec![0; before], bytes].concat());
        // The characters at either end depend on what stands there, too.
        let whole = (before + bytes.len()) * 8 / 6;
        forms.push(encoded[(before * 8).div_ceil(6)..whole].to_owned());
    }
    forms
}

fn has_token(text: &str) -> bool {
    [Kind::ApiToken, Kind::Session, Kind::Invitation].into_iter().any(|kind| {
        text.match_indices(kind.prefix()).any(|(at, _)| {
            let end = text[at..].find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let token = end.map_or(&text[at..], |end| &text[at..at + end]);
            is_well_formed(kind, token)
        })
    })
}
