//! The files of a release: what they say of it together.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::{Map, Value, value::RawValue};

use super::super::{
    check::{self, MAX_NAME_BYTES},
    json::{At, Flaws, Object, Quoted},
    registry::Version,
};

/// The longest name of a file that is kept.
const MAX_FILE_NAME_BYTES: usize = 1024;

/// A file of a release.
pub(super) struct File {
    pub(super) name: String,
    sha256: Option<[u8; 32]>,
    /// Others than SHA-256.
    checksums: Map<String, Value>,
    size_bytes: Option<i64>,
    published_at: Option<DateTime<Utc>>,
    is_yanked: bool,
    yanked_reason: Option<String>,
    requires_python: Option<String>,
}

/// How a document calls what it says of a file.
pub(super) struct Fields {
    hashes: &'static str,
    time: &'static str,
    requires_python: &'static str,
}

/// In the JSON API.
pub(super) const API: Fields =
    Fields { hashes: "digests", time: "upload_time_iso_8601", requires_python: "requires_python" };
/// In the JSON form of the simple API.
pub(super) const SIMPLE: Fields =
    Fields { hashes: "hashes", time: "upload-time", requires_python: "requires-python" };

/// Reads a file; `None` with a flaw where it has no name.
pub(super) fn read<'a>(
    flaws: &mut Flaws<'a>,
    raw: &'a RawValue,
    at: At<'_>,
    fields: &Fields,
) -> Option<File> {
    let object = flaws.object(raw, at)?;
    let Some(name) = flaws.text_of(&object, "filename", at) else {
        flaws.push(raw.get(), at, "has no filename");
        return None;
    };
    if let Err(reason) = check::length("filename", &name, MAX_FILE_NAME_BYTES) {
        flaws.push(raw.get(), at, reason);
        return None;
    }
    let mut file = File {
        name: name.into_owned(),
        sha256: None,
        checksums: Map::new(),
        size_bytes: flaws.count_of(&object, "size", at),
        published_at: flaws.read_of(&object, fields.time, at, time),
        is_yanked: false,
        yanked_reason: flaws.text_of(&object, "yanked_reason", at).map(Into::into),
        requires_python: flaws.text_of(&object, fields.requires_python, at).map(Into::into),
    };
    // The simple API has the reason where the JSON API says only that it is.
    match object.get("yanked") {
        Some(raw) if raw.get().starts_with('"') => {
            file.is_yanked = true;
            file.yanked_reason = flaws.text(raw, at.field("yanked")).map(Into::into);
        }
        yanked => file.is_yanked = yanked.is_some_and(|raw| raw.get() == "true"),
    }
    file.yanked_reason = file.yanked_reason.filter(|reason| !reason.trim().is_empty());
    let hashes = flaws.object_of(&object, fields.hashes, at);
    for (algorithm, raw) in hashes.iter().flat_map(Object::iter) {
        let at = at.field(fields.hashes);
        let Some(digits) = flaws.text(raw, at.field(algorithm)) else { continue };
        let is_hex = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        if algorithm == "sha256" {
            match check::sha256("sha256", &digits) {
                Ok(sum) => file.sha256 = Some(sum),
                Err(_) => flaws.push(
                    raw.get(),
                    at.field(algorithm),
                    format_args!("{} is no SHA-256", Quoted(&digits)),
                ),
            }
        } else if is_hex
            && digits.len() <= MAX_NAME_BYTES
            && algorithm.len() <= 32
            && !algorithm.contains('\0')
        {
            file.checksums.insert(algorithm.to_ascii_lowercase(), digits.to_ascii_lowercase().into());
        } else {
            flaws.push(raw.get(), at.field(algorithm), "is no hash in hexadecimal digits");
        }
    }
    Some(file)
}

/// With its offset, or without one in UTC.
fn time(text: &str) -> Result<DateTime<Utc>, String> {
    let plain = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f");
    match plain {
        Ok(time) => check::time("the time", &time.and_utc().to_rfc3339()),
        Err(_) => check::time("the time", text),
    }
}

/// Puts into `version` what `files` say of it.
///
/// It is yanked where each of them is. Checksums and size are those of the source archive or, where there is none, of the
/// first file by name; `attributes.files` has the SHA-256 of each. It was published when the first of them was.
pub(super) fn describe(files: &[File], version: &mut Version) {
    version.is_yanked = !files.is_empty() && files.iter().all(|file| file.is_yanked);
    version.yanked_reason =
        files.iter().filter(|_| version.is_yanked).find_map(|file| file.yanked_reason.clone());
    version.published_at = files.iter().filter_map(|file| file.published_at).min();
    let is_source =
        |file: &File| [".tar.gz", ".zip", ".tar.bz2", ".tgz"].iter().any(|end| file.name.ends_with(end));
    let chosen = files.iter().min_by_key(|file| (!is_source(file), &file.name));
    if let Some(chosen) = chosen {
        version.checksum_sha256 = chosen.sha256;
        version.checksums.clone_from(&chosen.checksums);
        version.size_bytes = chosen.size_bytes;
        if let Some(python) = &chosen.requires_python {
            version.attributes.insert("requires_python".into(), python.as_str().into());
        }
    }
    let hex = |sum: [u8; 32]| sum.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let sums: BTreeMap<_, _> =
        files.iter().filter_map(|file| Some((file.name.clone(), Value::from(hex(file.sha256?))))).collect();
    version.attributes.insert("files".into(), Value::Object(sums.into_iter().collect()));
}

/// Which version a file of the package `normalized_name` is of, by its name.
///
/// The name of a wheel or an egg has no hyphen that is not between its parts; that of a source archive can have.
pub(super) fn version_of<'f>(
    file: &'f str,
    normalized_name: &str,
    normalize: impl Fn(&str) -> String,
) -> Option<&'f str> {
    let ends = [".tar.gz", ".tar.bz2", ".tar.xz", ".tar.Z", ".tgz", ".tar", ".zip"];
    let source = ends.iter().find_map(|end| file.strip_suffix(end));
    let stem = source.or_else(|| file.rsplit_once('.').map(|(stem, _)| stem))?;
    let is_name = |at: &usize| normalize(&stem[..*at]) == normalized_name;
    let at = stem.match_indices('-').map(|(at, _)| at).find(is_name)?;
    let rest = &stem[at + 1..];
    if source.is_some() { Some(rest) } else { rest.split('-').next() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ardb::name;

    #[test]
    fn a_file_is_of_the_version_that_follows_the_name() {
        for (file, version) in [
            ("some_thing-1.0.tar.gz", Some("1.0")),
            ("some-thing-1.0-beta.zip", Some("1.0-beta")),
            ("Some.Thing-1.0.post1-py2.py3-none-any.whl", Some("1.0.post1")),
            ("some_thing-1.0-1-cp310-abi3-manylinux_2_17_x86_64.whl", Some("1.0")),
            ("some_thing-1.0-py2.7.egg", Some("1.0")),
            ("other-1.0.tar.gz", None),
            ("some_thing.tar.gz", None),
            ("", None),
        ] {
            assert_eq!(
                version_of(file, "some-thing", |text| name::normalize("pypi", text)),
                version,
                "{file}"
            );
        }
    }
}
