//! `license` in npm's documents: an expression of SPDX, and what stood there before that was asked for: other texts, an
//! object with a `type`, an array of either, `licenses`.

use serde_json::value::RawValue;

use super::super::{
    json::{At, Flaws, Object},
    registry::Published,
};
use crate::ardb::licence::normalize;

/// The licence of a version; the empty one where none is given. Of several any one will do, which npm meant by them.
pub(super) fn read<'a>(flaws: &mut Flaws<'a>, manifest: &Object<'a>, at: At<'_>) -> Published {
    let mut names = Vec::new();
    for field in ["license", "licence", "licenses"] {
        if let Some(raw) = manifest.get(field) {
            gather(flaws, raw, at.field(field), true, &mut names);
            break;
        }
    }
    let text = match names.len() {
        1 => names.remove(0),
        // What is an expression of its own stays one.
        _ => names
            .iter()
            .map(|name| if name.contains(' ') { format!("({name})") } else { name.clone() })
            .collect::<Vec<_>>()
            .join(" OR "),
    };
    let licence = normalize(&text);
    Published { text, licence }
}

fn gather<'a>(
    flaws: &mut Flaws<'a>,
    raw: &'a RawValue,
    at: At<'_>,
    may_be_several: bool,
    names: &mut Vec<String>,
) {
    let name = match raw.get().as_bytes().first() {
        Some(b'[') if may_be_several => {
            for (index, raw) in flaws.array(raw, at).into_iter().enumerate() {
                gather(flaws, raw, At::Item(&at, index), false, names);
            }
            return;
        }
        Some(b'{') => {
            let object = flaws.object(raw, at);
            let field =
                |object: &Object<'a>, field: &str, flaws: &mut Flaws<'a>| flaws.text_of(object, field, at);
            object.and_then(|object| {
                field(&object, "type", flaws)
                    .or_else(|| field(&object, "name", flaws))
                    .or_else(|| field(&object, "url", flaws))
            })
        }
        Some(b'f') => return,
        _ => flaws.text(raw, at),
    };
    names.extend(name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()));
}
