//! JSON of which a part may be other than expected: what is wrong is put down with its line and its path, and the rest
//! is read.
//!
//! A document is one borrowed text. An object is taken apart into names and texts of values, of which only those that are
//! asked for are read further, so that what nobody asks for costs no memory. Of a name that is there twice the last
//! value counts, as in JavaScript and Python.

use std::{
    borrow::Cow,
    collections::HashSet,
    fmt::{self, Write as _},
};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{Rejection, check, report::Rejections};

/// The longest text that is kept of a field, in bytes.
pub(super) const MAX_TEXT_BYTES: usize = 64 * 1024;
/// How much of a value a reason quotes.
const MAX_QUOTED_CHARACTERS: usize = 80;

/// An object: names, each once, and the texts of their values.
pub(super) struct Object<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Object<'a> {
    /// Of a text that holds one; the error is that of JSON.
    pub(super) fn parse(text: &'a str) -> serde_json::Result<Self> {
        serde_json::from_str(text)
    }

    /// `None` where it is not there or null.
    pub(super) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.raw(name).filter(|raw| raw.get() != "null")
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    fn raw(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, raw)| *raw)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(name, raw)| (&**name, *raw))
    }
}

/// A name in an object; borrowed where nothing in it is escaped.
struct Name<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }
        deserializer.deserialize_str(Names)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Objects;
        impl<'de> Visitor<'de> for Objects {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some((Name(name), raw)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
                    entries.push((name, raw));
                }
                let mut seen = HashSet::with_capacity(entries.len());
                let is_last: Vec<bool> = entries.iter().rev().map(|(name, _)| seen.insert(&**name)).collect();
                if is_last.contains(&false) {
                    let mut is_last = is_last.into_iter().rev();
                    entries.retain(|_| is_last.next() == Some(true));
                }
                Ok(Object(entries))
            }
        }
        deserializer.deserialize_map(Objects)
    }
}

/// Where in a document something is, as `versions["1.0.0"].dist`.
#[derive(Clone, Copy)]
pub(super) enum At<'p> {
    Root,
    Field(&'p At<'p>, &'p str),
    Item(&'p At<'p>, usize),
}

impl<'p> At<'p> {
    pub(super) fn field(&'p self, name: &'p str) -> Self {
        Self::Field(self, name)
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain = |name: &str| {
            !name.is_empty()
                && name.len() <= MAX_QUOTED_CHARACTERS
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
                && !name.starts_with(|first: char| first.is_ascii_digit())
        };
        match self {
            Self::Root => Ok(()),
            Self::Field(Self::Root, name) if is_plain(name) => f.write_str(name),
            Self::Field(parent, name) if is_plain(name) => write!(f, "{parent}.{name}"),
            Self::Field(parent, name) => write!(f, "{parent}[{}]", Quoted(name)),
            Self::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// The beginning of a text, in quotes.
pub(super) struct Quoted<'a>(pub(super) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.char_indices();
        match rest.nth(MAX_QUOTED_CHARACTERS) {
            Some((end, _)) => write!(f, "{:?}…", &self.0[..end]),
            None => write!(f, "{:?}", self.0),
        }
    }
}

/// What is wrong in a document.
pub(super) struct Flaws<'a> {
    text: &'a str,
    file: &'a str,
    rejections: Rejections,
    /// The place that was counted to last, and its line.
    last: (usize, usize),
}

impl<'a> Flaws<'a> {
    /// Of a document that begins on `first_line` of `file`.
    pub(super) fn new(text: &'a str, file: &'a str, first_line: usize) -> Self {
        Self { text, file, rejections: Rejections::default(), last: (0, first_line) }
    }

    pub(super) fn into_rejections(self) -> Rejections {
        self.rejections
    }

    /// How many there are.
    pub(super) fn total(&self) -> u64 {
        self.rejections.total
    }

    /// Puts down what is wrong with `part`, a slice of the document, which `at` leads to.
    pub(super) fn push(&mut self, part: &str, at: At<'_>, reason: impl fmt::Display) {
        let mut text = at.to_string();
        if !text.is_empty() {
            text.push_str(": ");
        }
        let _ = write!(text, "{reason}");
        let line = self.line(part);
        let place = format!("{}:{line}", self.file);
        self.rejections.push(Rejection::new(place, text));
    }

    /// Counted from where it was counted to before, so that many flaws cost one walk through the document.
    fn line(&mut self, part: &str) -> usize {
        let offset = part.as_ptr().addr().wrapping_sub(self.text.as_ptr().addr());
        let offset = if offset <= self.text.len() { offset } else { 0 };
        let (last, line) = self.last;
        let between = &self.text.as_bytes()[last.min(offset)..last.max(offset)];
        let lines = between.iter().filter(|byte| **byte == b'\n').count();
        let line = if offset >= last { line + lines } else { line - lines };
        self.last = (offset, line);
        line
    }

    /// The object that `raw` is; `None` with a flaw where it is none.
    pub(super) fn object(&mut self, raw: &'a RawValue, at: At<'_>) -> Option<Object<'a>> {
        match Object::parse(raw.get()) {
            Ok(object) => Some(object),
            Err(error) if raw.get().starts_with('{') => {
                self.push(raw.get(), at, format_args!("can't be read: {error}"));
                None
            }
            Err(_) => {
                self.push(raw.get(), at, format_args!("is {}, expected an object", kind(raw)));
                None
            }
        }
    }

    /// The elements of the array that `raw` is; none with a flaw where it is none.
    pub(super) fn array(&mut self, raw: &'a RawValue, at: At<'_>) -> Vec<&'a RawValue> {
        serde_json::from_str(raw.get()).unwrap_or_else(|_| {
            self.push(raw.get(), at, format_args!("is {}, expected an array", kind(raw)));
            Vec::new()
        })
    }

    /// The text that `raw` is, if the database can hold it; `None` with a flaw where it is none.
    pub(super) fn text(&mut self, raw: &'a RawValue, at: At<'_>) -> Option<Cow<'a, str>> {
        match text(raw) {
            Ok(text) => Some(text),
            Err(reason) => {
                self.push(raw.get(), at, reason);
                None
            }
        }
    }

    /// The text of `field`; `None` where there is none, with a flaw where it is something else.
    pub(super) fn text_of(&mut self, object: &Object<'a>, field: &str, at: At<'_>) -> Option<Cow<'a, str>> {
        self.text(object.get(field)?, at.field(field))
    }

    /// The object in `field`, as [`text_of`](Self::text_of).
    pub(super) fn object_of(&mut self, object: &Object<'a>, field: &str, at: At<'_>) -> Option<Object<'a>> {
        self.object(object.get(field)?, at.field(field))
    }

    /// The elements of the array in `field`.
    pub(super) fn array_of(&mut self, object: &Object<'a>, field: &str, at: At<'_>) -> Vec<&'a RawValue> {
        object.get(field).map_or_else(Vec::new, |raw| self.array(raw, at.field(field)))
    }

    /// The number of at least 0 in `field`.
    pub(super) fn count_of(&mut self, object: &Object<'a>, field: &str, at: At<'_>) -> Option<i64> {
        let raw = object.get(field)?;
        let count = raw.get().parse().ok().filter(|count| *count >= 0);
        if count.is_none() {
            let number = &raw.get()[..raw.get().len().min(MAX_QUOTED_CHARACTERS)];
            let found = if kind(raw) == "a number" { number } else { kind(raw) };
            let reason = format!("is {found}, expected a whole number of at least 0");
            self.push(raw.get(), at.field(field), reason);
        }
        count
    }

    /// What `read` makes of the text in `field`; `None` with a flaw where that is an error.
    pub(super) fn read_of<T>(
        &mut self,
        object: &Object<'a>,
        field: &str,
        at: At<'_>,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let raw = object.get(field)?;
        match text(raw).and_then(|text| read(&text)) {
            Ok(value) => Some(value),
            Err(reason) => {
                self.push(raw.get(), at.field(field), reason);
                None
            }
        }
    }
}

/// The text that `raw` is, or why the database can't have it.
pub(super) fn text(raw: &RawValue) -> Result<Cow<'_, str>, String> {
    let Ok(Name(text)) = serde_json::from_str(raw.get()) else {
        return Err(if raw.get().starts_with('"') {
            "has an escape that stands for no character".into()
        } else {
            format!("is {}, expected a text", kind(raw))
        });
    };
    check::length_or_empty("the text", &text, MAX_TEXT_BYTES)?;
    if text.contains('\0') {
        return Err("has a NUL character, which the database can't hold".into());
    }
    Ok(text)
}

/// What kind of value it is, for people.
pub(super) fn kind(raw: &RawValue) -> &'static str {
    match raw.get().as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b'"') => "a text",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_name_that_is_there_twice_the_last_value_counts() {
        let object = Object::parse(r#"{"a": 1, "b": 2, "\u0061": 3}"#).unwrap();
        let entries: Vec<_> = object.iter().map(|(name, raw)| (name, raw.get())).collect();
        assert_eq!(entries, [("b", "2"), ("a", "3")]);
    }

    #[test]
    fn a_flaw_has_its_line_and_its_path() {
        let text = "{\n\"a\": {\n\"1.0\": [\n7]},\n\"b\": \"\\u0000\", \"c\": \"\\ud800\"}";
        let object = Object::parse(text).unwrap();
        let mut flaws = Flaws::new(text, "file", 3);
        assert!(flaws.text_of(&object, "b", At::Root).is_none());
        assert!(flaws.text_of(&object, "c", At::Root).is_none());
        assert!(flaws.text_of(&object, "d", At::Root).is_none());
        let a = flaws.object_of(&object, "a", At::Root).unwrap();
        let at = At::Root.field("a");
        let items = flaws.array_of(&a, "1.0", at);
        flaws.text(items[0], At::Item(&at.field("1.0"), 0));
        let found: Vec<_> =
            flaws.into_rejections().listed.iter().map(|r| format!("{} {}", r.place, r.reason)).collect();
        assert_eq!(
            found,
            [
                "file:7 b: has a NUL character, which the database can't hold",
                "file:7 c: has an escape that stands for no character",
                "file:6 a[\"1.0\"][0]: is a number, expected a text",
            ]
        );
    }

    #[test]
    fn what_a_reason_quotes_is_bounded() {
        assert_eq!(Quoted("a").to_string(), "\"a\"");
        assert_eq!(Quoted(&"é".repeat(100)).to_string(), format!("\"{}\"…", "é".repeat(80)));
    }
}
