//! Canonical JSON: the same bytes for the same content, whatever the order of keys and the white space.

use serde_json::Value;

/// Writes `value` without white space and with the keys of every object sorted by their bytes.
///
/// Two documents that differ only in key order, white space or the escaping of characters give the same
/// bytes. (Not RFC 8785: numbers stay as they were parsed, so `1` and `1.0` differ.)
#[must_use]
pub fn canonical_json(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    write(value, &mut out);
    out
}

fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Object(object) => {
            // Sorted here, and not by the map's own order: that depends on a feature that any crate of a
            // build may switch on for all.
            let mut entries: Vec<_> = object.iter().collect();
            entries.sort_unstable_by(|left, right| left.0.cmp(right.0));
            out.push(b'{');
            for (index, (key, value)) in entries.into_iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                scalar(&Value::String(key.clone()), out);
                out.push(b':');
                write(value, out);
            }
            out.push(b'}');
        }
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(item, out);
            }
            out.push(b']');
        }
        other => scalar(other, out),
    }
}

fn scalar(value: &Value, out: &mut Vec<u8>) {
    serde_json::to_writer(out, value).expect("a JSON value is written to memory");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> String {
        String::from_utf8(canonical_json(&serde_json::from_str(text).unwrap())).unwrap()
    }

    #[test]
    fn key_order_white_space_and_escapes_do_not_matter() {
        let expected = r#"{"a":[1,{"x":null,"y":"é\n"}],"b":true}"#;
        assert_eq!(canonical(r#"{"b":true,"a":[1,{"y":"é\n","x":null}]}"#), expected);
        assert_eq!(
            canonical("{ \"a\" : [ 1, {\"x\":null,\t\"y\":\"\\u00e9\\u000a\"} ],\n\"b\":true }"),
            expected
        );
    }

    #[test]
    fn the_order_of_an_array_and_the_type_of_a_value_do_matter() {
        assert_ne!(canonical("[1,2]"), canonical("[2,1]"));
        assert_ne!(canonical(r#"["1"]"#), canonical("[1]"));
    }
}
