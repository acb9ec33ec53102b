//! The [HTTP binding](https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md): which
//! mode a request is in, and events whose attributes are headers.

use percent_encoding::percent_decode;
use serde_json::{Map, Value};

use super::{SOURCE, batch, one, structured};
use crate::envelope::{Intake, Normalised};
use crate::source::draft::Input;
use crate::source::json;

/// Normalises an HTTP request, whatever its mode: structured or batched by its `Content-Type`, else binary.
///
/// In the binary mode the attributes are headers that begin with `ce-`, percent-encoded, and the body is the data, of
/// the type that `Content-Type` says. The names of headers are read without regard to case; those of others are
/// never looked at.
pub fn request<'a>(
    intake: &Intake,
    headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    body: &[u8],
) -> Vec<Normalised> {
    let input = Input { place: "request", raw: body };
    let attributes = match attributes(headers) {
        Ok(attributes) => attributes,
        Err(reason) => return vec![Err(input.reject(intake, SOURCE, &reason))],
    };
    let content_type = attributes.get("datacontenttype").and_then(Value::as_str).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media_type.as_str() {
        "application/cloudevents+json" | "application/cloudevents" => vec![structured(intake, body)],
        "application/cloudevents-batch+json" | "application/cloudevents-batch" => batch(intake, body),
        other if other.starts_with("application/cloudevents") => {
            let reason = format!("`{other}` is not a format that is read: expected JSON");
            vec![Err(input.reject(intake, SOURCE, &reason))]
        }
        _ => vec![binary(intake, &input, attributes, &media_type)],
    }
}

fn binary(intake: &Intake, input: &Input, mut event: Map<String, Value>, media_type: &str) -> Normalised {
    let is_json = media_type.ends_with("/json") || media_type.ends_with("+json");
    if is_json && !input.raw.is_empty() {
        match json::parse(input.raw) {
            Ok(data) => event.insert("data".to_owned(), data),
            Err(reason) => return Err(input.reject(intake, SOURCE, &format!("the data is {reason}"))),
        };
    } else if let Ok(text) = std::str::from_utf8(input.raw).map(str::trim)
        && media_type.starts_with("text/")
    {
        event.insert("data".to_owned(), text.into());
    } else if !input.raw.is_empty() {
        event.insert("databytes".to_owned(), input.raw.len().into());
    }
    one(intake, input, &Value::Object(event))
}

/// The attributes in `headers`, `Content-Type` among them.
fn attributes<'a>(
    headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
) -> Result<Map<String, Value>, String> {
    let mut found = Map::new();
    for (header, value) in headers {
        let header = header.to_ascii_lowercase();
        let (name, value) = match header.strip_prefix("ce-") {
            Some(name) => (name, percent_decode(value).decode_utf8()),
            None if header == "content-type" => ("datacontenttype", percent_decode(value).decode_utf8()),
            None => continue,
        };
        let value = value.map_err(|_| format!("header `{header}`: expected percent-encoded UTF-8"))?;
        if name.starts_with("data") && header.starts_with("ce-") && name != "dataschema" {
            return Err(format!("header `{header}` is not an attribute of the binary mode"));
        }
        if found.insert(name.to_owned(), value.into_owned().into()).is_some() {
            return Err(format!("header `{header}` comes twice"));
        }
    }
    Ok(found)
}
