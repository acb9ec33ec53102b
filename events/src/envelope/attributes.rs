//! Attributes: what a source says beyond the columns, bounded in number and size.

use std::collections::BTreeMap;

use serde::Serialize;

use super::scrub::{LONGEST_SECRET, is_secret_name, scrub, scrub_start};
use super::text;

/// How many attributes an event keeps.
pub const MAX_ATTRIBUTES: usize = 48;
/// How long a key may be, in bytes; a longer one is cut and ends in `…`.
pub const MAX_KEY_BYTES: usize = 64;
/// How long a value may be, in bytes; a longer one is cut and ends in `…`.
pub const MAX_VALUE_BYTES: usize = 1024;

/// The key under which an event says that something did not fit.
const CUT: &str = "_cut";

/// A bounded, scrubbed map of names to texts.
///
/// What does not fit is counted in the entry `_cut`, for example `2 attributes, 1 key, 1 value`: nothing is lost
/// silently. Values of keys that speak of secrets become `[secret]`, the rest goes through [`scrub`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Attributes {
    entries: BTreeMap<String, String>,
    #[serde(skip)]
    dropped: usize,
    #[serde(skip)]
    shortened: usize,
    #[serde(skip)]
    shortened_keys: usize,
}

impl Attributes {
    /// No attributes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What was bounded and scrubbed before, as it was stored.
    pub(crate) fn stored(entries: BTreeMap<String, String>) -> Self {
        Self { entries, dropped: 0, shortened: 0, shortened_keys: 0 }
    }

    /// Sets `key` to `value`. An empty value says nothing and is left out.
    pub fn set(&mut self, key: &str, value: &str) {
        if value.is_empty() {
            return;
        }
        let name = text::clean_line(key, MAX_KEY_BYTES);
        let is_there = self.entries.contains_key(&name);
        // Two keys that differ only behind the cut are one then; the first stays.
        let was_key_cut = name.ends_with('…') && !key.ends_with('…');
        let is_full = self.len() >= MAX_ATTRIBUTES - 1 && !is_there;
        if is_full || name == CUT || (was_key_cut && is_there) {
            self.dropped += 1;
            self.note();
            return;
        }
        let (value, was_cut) = if is_secret_name(key) {
            ("[secret]".to_owned(), false)
        } else {
            // Scrubbed before it is cut, so that the cut cannot split a secret and hide it from the scrubber;
            // what lies far behind the cut need not be looked at.
            let near = &value[..value.floor_char_boundary(MAX_VALUE_BYTES + LONGEST_SECRET)];
            let is_all = near.len() == value.len();
            let clean = if is_all { scrub(near) } else { scrub_start(near).into() };
            let (kept, was_cut) = text::block(&clean, MAX_VALUE_BYTES);
            (kept, was_cut || !is_all)
        };
        self.entries.insert(name, value);
        self.shortened += usize::from(was_cut);
        self.shortened_keys += usize::from(was_key_cut);
        if was_cut || was_key_cut {
            self.note();
        }
    }

    fn note(&mut self) {
        let part = |count: usize, what: &str| match count {
            0 => None,
            1 => Some(format!("1 {what}")),
            _ => Some(format!("{count} {what}s")),
        };
        let parts = [
            part(self.dropped, "attribute"),
            part(self.shortened_keys, "key"),
            part(self.shortened, "value"),
        ];
        let note = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
        self.entries.insert(CUT.to_owned(), note);
    }

    /// The value of `key`, if there is one.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.entries.get(key).map(String::as_str)
    }

    /// All attributes, sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// How many there are, the note of what was cut not counted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len() - usize::from(self.entries.contains_key(CUT))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_counted() {
        let mut attributes = Attributes::new();
        for index in 0..MAX_ATTRIBUTES + 4 {
            attributes.set(&format!("k{index:03}"), "v");
        }
        attributes.set("k000", &"x".repeat(MAX_VALUE_BYTES + 1));
        assert_eq!(attributes.iter().count(), MAX_ATTRIBUTES);
        assert_eq!(attributes.get("_cut"), Some("5 attributes, 1 value"));
        assert_eq!(attributes.get("k000").map(str::len), Some(MAX_VALUE_BYTES));
    }

    #[test]
    fn a_long_key_is_cut_and_an_empty_value_left_out() {
        let mut attributes = Attributes::new();
        attributes.set(&"k".repeat(1000), "v");
        attributes.set("nothing", "");
        let keys: Vec<_> = attributes.iter().map(|(key, _)| key.len()).collect();
        assert_eq!(keys, ["_cut".len(), MAX_KEY_BYTES]);
        assert_eq!(attributes.get("_cut"), Some("1 key"));
    }

    #[test]
    fn of_keys_that_are_the_same_when_cut_the_first_stays_and_the_others_are_counted() {
        let mut attributes = Attributes::new();
        for index in 0..3 {
            attributes.set(&format!("{}{index}", "k".repeat(100)), &index.to_string());
        }
        let kept: Vec<_> = attributes.iter().map(|(_, value)| value).collect();
        assert_eq!(kept, ["2 attributes, 1 key", "0"]);
    }

    #[test]
    fn a_source_cannot_forge_the_note() {
        let mut attributes = Attributes::new();
        attributes.set("_cut", "nothing at all");
        assert_eq!(attributes.get("_cut"), Some("1 attribute"));
    }

    #[test]
    fn secrets_and_addresses_are_not_kept() {
        let mut attributes = Attributes::new();
        attributes.set("hook.Secret", "abc");
        attributes.set("note", "ask jane@example.org");
        attributes.set("note_at_the_cut", &format!("{}jane@example.org", "x ".repeat(508)));
        assert_eq!(attributes.get("hook.Secret"), Some("[secret]"));
        assert_eq!(attributes.get("note"), Some("ask [email]"));
        assert!(!attributes.get("note_at_the_cut").unwrap().contains("jane"), "{attributes:?}");
    }

    #[test]
    fn a_key_is_scrubbed_before_it_is_cut() {
        let mut attributes = Attributes::new();
        attributes.set("by jane@example.org", "1");
        attributes.set(&format!("{} ghp_A1b2C3d4E5f6G7h8I9j0", "k".repeat(50)), "2");
        let keys: Vec<_> = attributes.iter().map(|(key, _)| key.to_owned()).collect();
        assert_eq!(keys, ["by [email]".to_owned(), format!("{} [secret]", "k".repeat(50))]);
    }

    #[test]
    fn no_half_of_a_secret_is_left_where_a_long_value_is_cut() {
        let mut attributes = Attributes::new();
        attributes.set("note", &format!("{}@example.org ", "jane".repeat(15)).repeat(1000));
        assert!(!attributes.get("note").unwrap().contains("jane"), "{attributes:?}");
        assert_eq!(attributes.get("_cut"), Some("1 value"));
    }
}
