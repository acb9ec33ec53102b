//! Reading JSON that others wrote: what is missing or of another type counts as not said.

use serde_json::Value;

use crate::envelope::Attributes;
use crate::envelope::time::{self, Reading};

/// Parses a document that has to be an object.
///
/// The parser refuses what is nested deeper than 128 levels, invalid UTF-8, and numbers that no float holds.
///
/// # Errors
///
/// What is wrong, with line and column.
pub(super) fn object(raw: &[u8]) -> Result<Value, String> {
    let value = parse(raw)?;
    if value.is_object() { Ok(value) } else { Err(format!("expected a JSON object, got {}", name(&value))) }
}

/// Parses any document; see [`object`].
pub(super) fn parse(raw: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(raw).map_err(|error| format!("not JSON: {error}"))
}

/// What `value` is, for a sentence.
pub(super) fn name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// The value at a `/`-separated path, if it is there.
pub(super) fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('/').try_fold(value, |value, key| value.get(key))
}

/// The text at a `/`-separated path; empty if there is none.
pub(super) fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    at(value, path).and_then(Value::as_str).unwrap_or_default()
}

/// The first of the texts at `paths` that is not empty.
pub(super) fn first_text<'a>(value: &'a Value, paths: &[&str]) -> &'a str {
    paths.iter().map(|path| text(value, path)).find(|text| !text.is_empty()).unwrap_or_default()
}

/// The first line of `text` that says something.
pub(super) fn first_line(text: &str) -> &str {
    text.trim_start().lines().next().unwrap_or_default()
}

/// `text` if it is a link to a page, else nothing.
pub(super) fn web_url(text: &str) -> &str {
    if text.starts_with("https://") || text.starts_with("http://") { text } else { "" }
}

/// The name of a branch or tag without what says that it is one.
pub(super) fn short_ref(name: &str) -> &str {
    name.strip_prefix("refs/heads/").or_else(|| name.strip_prefix("refs/tags/")).unwrap_or(name)
}

/// A commit's id in the length that people use.
pub(super) fn short_id(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

/// Reads a text or a number as a time.
pub(super) fn read_time(value: &Value) -> Reading {
    match value {
        Value::String(text) => time::read_text(text),
        // What no 64 bits hold is far out of range.
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => time::read_number(whole),
            (None, Some(float)) => time::read_float(float),
            (None, None) => Reading::OutOfRange,
        },
        _ => Reading::NotATime,
    }
}

/// The first of the values at `paths` that is a time; one out of range is an answer, too.
pub(super) fn first_time(value: &Value, paths: &[&str]) -> Reading {
    let read = paths.iter().filter_map(|path| at(value, path)).map(read_time);
    read.into_iter().find(|reading| *reading != Reading::NotATime).unwrap_or(Reading::NotATime)
}

/// Sets an attribute to a text, a number or a truth; anything else says nothing.
pub(super) fn set(attributes: &mut Attributes, name: &str, value: Option<&Value>) {
    match value {
        Some(Value::String(text)) => attributes.set(name, text),
        Some(Value::Number(number)) => attributes.set(name, &number.to_string()),
        Some(Value::Bool(flag)) => attributes.set(name, if *flag { "true" } else { "false" }),
        _ => {}
    }
}

/// Sets an attribute for every scalar of `object` whose key is not in `known`, and for nothing else.
pub(super) fn set_scalars(attributes: &mut Attributes, prefix: &str, object: Option<&Value>, known: &[&str]) {
    for (key, value) in object.and_then(Value::as_object).into_iter().flatten() {
        if !known.contains(&key.as_str()) {
            set(attributes, &dotted(prefix, key), Some(value));
        }
    }
}

fn dotted(prefix: &str, key: &str) -> String {
    if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") }
}

/// Sets an attribute for every scalar of `object` whose key is not in `known`, and one with compact JSON for
/// every list or object that is. `prefix` and a dot go before the key unless it is empty.
pub(super) fn set_all(attributes: &mut Attributes, prefix: &str, object: &Value, known: &[&str]) {
    let others = object.as_object().into_iter().flatten().filter(|(key, _)| !known.contains(&key.as_str()));
    for (key, value) in others {
        let name = dotted(prefix, key);
        match value {
            Value::Array(_) | Value::Object(_) => attributes.set(&name, &value.to_string()),
            scalar => set(attributes, &name, Some(scalar)),
        }
    }
}

/// The text of the first of `keys` that is there and not null.
///
/// # Errors
///
/// If it is no text; the sentence names the key.
pub(super) fn optional<'a>(object: &'a Value, keys: &[&str]) -> Result<&'a str, String> {
    let found = keys.iter().find_map(|key| object.get(key).filter(|it| !it.is_null()).map(|it| (key, it)));
    match found {
        None => Ok(""),
        Some((_, Value::String(text))) => Ok(text),
        Some((key, other)) => Err(format!("`{key}`: expected a text, got {}", name(other))),
    }
}

/// As [`optional`], of a text that has to be there.
pub(super) fn required<'a>(object: &'a Value, keys: &[&str]) -> Result<&'a str, String> {
    let text = optional(object, keys)?;
    let first = keys.first().copied().unwrap_or_default();
    if text.trim().is_empty() { Err(format!("`{first}` is missing: expected a text")) } else { Ok(text) }
}

/// The time at the first of `keys` that is there and not null: text, seconds or milliseconds since 1970.
///
/// # Errors
///
/// If it is no time; the sentence names the key.
pub(super) fn optional_time(object: &Value, keys: &[&str]) -> Result<Reading, String> {
    let found = keys.iter().find_map(|key| object.get(key).filter(|it| !it.is_null()).map(|it| (key, it)));
    match found.map(|(key, value)| (key, value, read_time(value))) {
        None => Ok(Reading::NotATime),
        Some((key, value, Reading::NotATime)) => {
            let got = if value.is_string() { "another text" } else { name(value) };
            Err(format!(
                "`{key}`: expected a time such as 2024-05-01T10:00:00Z or seconds since 1970, got {got}"
            ))
        }
        Some((_, _, reading)) => Ok(reading),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_or_of_another_type_is_empty() {
        let value = serde_json::json!({"a": {"b": "x", "n": 1}, "l": ["y"]});
        assert_eq!(text(&value, "a/b"), "x");
        for path in ["a", "a/n", "a/b/c", "l/0", "z", ""] {
            assert_eq!(text(&value, path), "", "{path}");
        }
        assert_eq!(first_text(&value, &["z", "a/n", "a/b"]), "x");
    }

    #[test]
    fn a_time_may_be_a_text_whole_seconds_or_a_fraction() {
        let value = serde_json::json!({"t": "2024-05-01T10:00:00Z", "w": 1_714_557_600, "f": 1_714_557_600.219_124, "x": true});
        let expected = |text: &str| Reading::Time(text.parse().unwrap());
        assert_eq!(first_time(&value, &["x", "t"]), expected("2024-05-01T10:00:00Z"));
        assert_eq!(first_time(&value, &["w"]), expected("2024-05-01T10:00:00Z"));
        assert_eq!(first_time(&value, &["f"]), expected("2024-05-01T10:00:00.219Z"));
        assert_eq!(first_time(&value, &["x", "z"]), Reading::NotATime);
    }
}
