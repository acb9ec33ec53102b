//! From text to components, from right to left, by the specification's instructions ("How to parse a PURL").

use super::encoding::decode;
use super::error::{Component, Error, Result};
use super::{Builder, Purl, types};

/// How the keys of qualifiers are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keys {
    /// In any case.
    Lowered,
    /// Those that the type defines, in lower case only; others in any case.
    OwnAsDefined,
}

pub(super) fn parse(text: &str, keys: Keys) -> Result<Purl> {
    let (rest, subpath) = split_last(text, '#');
    let (rest, qualifiers) = split_last(rest, '?');
    let no_scheme = || Error::new(Component::Scheme, "pkg:", text);
    let (scheme, rest) = rest.split_once(':').ok_or_else(no_scheme)?;
    if !scheme.eq_ignore_ascii_case("pkg") {
        return Err(no_scheme());
    }
    let (kind, rest) = kind_of(rest.trim_start_matches('/'))?;
    let definition = types::find(&kind);
    let (path, version) = split_version(rest)?;

    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let has_path_names = definition.is_some_and(|definition| definition.has_path_names);
    let name_at = if has_path_names { segments.len().min(1) } else { segments.len().saturating_sub(1) };
    let (namespace, name) = segments.split_at(name_at);
    let name = name.iter().map(|segment| decode(Component::Name, segment)).collect::<Result<Vec<_>>>()?;
    let mut builder = Builder::new(kind, name.join("/"));
    builder.namespace = decode_segments(Component::Namespace, namespace.iter().copied())?;
    if let Some(version) = version {
        builder.version = decode(Component::Version, version)?;
    }
    for pair in qualifiers.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let lowered = key.to_ascii_lowercase();
        let is_own = || definition.is_some_and(|own| own.qualifiers.iter().any(|one| one.key == lowered));
        if keys == Keys::OwnAsDefined && key != lowered && is_own() {
            return Err(Error::new(Component::Qualifiers, format!("the key {lowered}"), key));
        }
        builder.qualifiers.push((lowered, decode(Component::Qualifiers, value)?));
    }
    builder.subpath = decode_segments(Component::Subpath, subpath.unwrap_or_default().split('/'))?;
    builder.build()
}

fn split_last(text: &str, separator: char) -> (&str, Option<&str>) {
    text.rsplit_once(separator).map_or((text, None), |(left, right)| (left, Some(right)))
}

/// The type, in lower case, and what follows it.
fn kind_of(rest: &str) -> Result<(String, &str)> {
    let (kind, rest) = rest.split_once('/').unwrap_or((rest, ""));
    Ok((super::builder::kind(kind)?, rest))
}

/// Splits at the last `@`. One that begins a segment which is not the last is an npm scope that should have been
/// encoded (`pkg:npm/@babel/core`), and no separator.
fn split_version(rest: &str) -> Result<(&str, Option<&str>)> {
    let Some((path, version)) = rest.rsplit_once('@') else { return Ok((rest, None)) };
    if !path.is_empty() && !path.ends_with('/') {
        return Ok((path, Some(version)));
    }
    if version.contains('/') {
        return Ok((rest, None));
    }
    Err(Error::new(Component::Name, "a name before the @ of the version", ""))
}

/// Decodes each segment, leaves out empty ones, and joins them by `/`.
fn decode_segments<'a>(component: Component, segments: impl Iterator<Item = &'a str>) -> Result<String> {
    let mut joined = String::new();
    for segment in segments.filter(|segment| !segment.is_empty()) {
        let segment = decode(component, segment)?;
        if segment.contains('/') {
            return Err(Error::new(component, "segments without an encoded /", &segment));
        }
        if !joined.is_empty() {
            joined.push('/');
        }
        joined.push_str(&segment);
    }
    Ok(joined)
}
