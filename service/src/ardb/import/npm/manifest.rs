//! A version in a document of npm's: the `package.json` that was published, and what the registry adds to it.

use std::collections::BTreeSet;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use entity_ardb::{DependencyKind, VersionScheme};
use serde_json::{Map, Value, json, value::RawValue};

use super::{
    super::{
        check::{self, MAX_NAME_BYTES},
        json::{At, Flaws, Object, Quoted, text},
        registry::{Dependencies, Requires, Version},
    },
    dependency, licence,
};
use crate::ardb::version::order;

/// A version before it is read.
pub(super) struct Source<'a, 'p> {
    pub(super) number: &'p str,
    pub(super) raw: &'a RawValue,
    pub(super) at: At<'p>,
    /// What the document says of it elsewhere.
    pub(super) published_at: Option<&'a RawValue>,
    /// Whether it is of an abbreviated document, which says nothing of licences.
    pub(super) is_brief: bool,
}

/// What `source` says; `None` with a flaw where it can't be a version.
pub(super) fn version<'a>(
    flaws: &mut Flaws<'a>,
    source: &Source<'a, '_>,
    tags: Option<&BTreeSet<String>>,
    dependencies: &mut Dependencies,
) -> Option<Version> {
    let Source { number, raw, at, is_brief, .. } = *source;
    if number.contains('\0') {
        flaws.push(raw.get(), at, "the number has a NUL character, which the database can't hold");
        return None;
    }
    if let Err(reason) = check::length("the number", number, MAX_NAME_BYTES) {
        flaws.push(raw.get(), at, reason);
        return None;
    }
    let manifest = flaws.object(raw, at)?;
    let (is_yanked, yanked_reason) = deprecated(flaws, &manifest, at);
    let published_at = source.published_at.filter(|raw| raw.get() != "null").and_then(|raw| {
        match text(raw).and_then(|text| check::time("the time", &text)) {
            Ok(time) => Some(time),
            Err(reason) => {
                let at = At::Root;
                flaws.push(raw.get(), at.field("time").field(number), reason);
                None
            }
        }
    });
    let mut version = Version {
        number: number.to_owned(),
        order: order::parse(VersionScheme::Semver, number),
        is_yanked,
        yanked_reason,
        checksum_sha256: None,
        checksums: Map::new(),
        size_bytes: None,
        published_at,
        licence: (!is_brief).then(|| licence::read(flaws, &manifest, at)),
        attributes: attributes(flaws, &manifest, at, tags),
        is_described: !is_brief,
        requires: None,
    };
    if let Some(dist) = flaws.object_of(&manifest, "dist", at) {
        distribution(flaws, &dist, at.field("dist"), &mut version);
    }
    version.requires = Some(requires(flaws, &manifest, at, dependencies));
    Some(version)
}

/// Whether its publisher advises against it, and why. `false` and an empty text take that back.
fn deprecated<'a>(flaws: &mut Flaws<'a>, manifest: &Object<'a>, at: At<'_>) -> (bool, Option<String>) {
    match manifest.get("deprecated") {
        None => (false, None),
        Some(raw) if raw.get() == "true" => (true, None),
        Some(raw) if raw.get() == "false" => (false, None),
        Some(raw) => match flaws.text(raw, at.field("deprecated")) {
            Some(reason) if reason.is_empty() => (false, None),
            reason => (true, reason.map(Into::into)),
        },
    }
}

/// Checksums, and what else is known of the archive. Its size is not: npm gives that of what it unpacks to.
fn distribution<'a>(flaws: &mut Flaws<'a>, dist: &Object<'a>, at: At<'_>, version: &mut Version) {
    let shasum = flaws.read_of(dist, "shasum", at, |text| {
        let is_sha1 = text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_sha1 { Ok(text.to_ascii_lowercase()) } else { Err(format!("{} is no SHA-1", Quoted(text))) }
    });
    let integrity = flaws.read_of(dist, "integrity", at, integrity).unwrap_or_default();
    for (algorithm, digits) in shasum.into_iter().map(|digits| ("sha1", digits)).chain(integrity) {
        if algorithm == "sha256" {
            version.checksum_sha256 = check::sha256(algorithm, &digits).ok();
        } else {
            version.checksums.insert(algorithm.into(), digits.into());
        }
    }
    for (field, attribute) in [("unpackedSize", "unpacked_size_bytes"), ("fileCount", "file_count")] {
        let count = flaws.count_of(dist, field, at);
        version.attributes.extend(count.map(|count| (attribute.to_owned(), count.into())));
    }
}

/// Hashes as Subresource Integrity has them: `algorithm-base64`, several apart by spaces.
fn integrity(text: &str) -> Result<Vec<(&'static str, String)>, String> {
    let mut hashes = Vec::new();
    for hash in text.split_ascii_whitespace() {
        let (algorithm, rest) = hash.split_once('-').unwrap_or((hash, ""));
        let known = [("sha1", 20), ("sha256", 32), ("sha384", 48), ("sha512", 64)];
        // Clients leave out what they don't know.
        let Some((algorithm, bytes)) = known.into_iter().find(|(known, _)| *known == algorithm) else {
            continue;
        };
        let digest = rest.split('?').next().unwrap_or_default();
        match BASE64_STANDARD.decode(digest) {
            Ok(digest) if digest.len() == bytes => {
                hashes.push((algorithm, digest.iter().map(|byte| format!("{byte:02x}")).collect()));
            }
            _ => return Err(format!("{} is no {algorithm}- and its hash in Base64", Quoted(hash))),
        }
    }
    Ok(hashes)
}

/// What there is no column for.
fn attributes<'a>(
    flaws: &mut Flaws<'a>,
    manifest: &Object<'a>,
    at: At<'_>,
    tags: Option<&BTreeSet<String>>,
) -> Map<String, Value> {
    let mut attributes = Map::new();
    // Null takes the tags away that an abbreviated document no longer has.
    attributes.insert("dist_tags".into(), json!(tags));
    if let Some(raw) = manifest.get("engines").filter(|raw| raw.get().starts_with('{')) {
        let engines = flaws.object(raw, at.field("engines"));
        let engines: Map<_, _> = engines
            .iter()
            .flat_map(Object::iter)
            .filter(|(engine, _)| !engine.contains('\0') && engine.len() <= MAX_NAME_BYTES)
            .filter_map(|(engine, raw)| {
                let text = flaws.text(raw, at.field("engines").field(engine))?;
                Some((engine.to_owned(), text.into()))
            })
            .collect();
        if !engines.is_empty() {
            attributes.insert("engines".into(), engines.into());
        }
    }
    for field in ["os", "cpu", "libc"] {
        let Some(raw) = manifest.get(field) else { continue };
        let at = at.field(field);
        let all = if raw.get().starts_with('[') { flaws.array(raw, at) } else { vec![raw] };
        let all: Vec<_> = all.into_iter().filter_map(|raw| flaws.text(raw, at)).collect();
        if !all.is_empty() {
            attributes.insert(field.into(), json!(all));
        }
    }
    if has_install_script(manifest) {
        attributes.insert("has_install_script".into(), true.into());
    }
    let bundled = bundled(flaws, manifest, at);
    if !bundled.is_empty() {
        attributes.insert("bundled_dependencies".into(), json!(bundled));
    }
    attributes
}

/// Whether installing it runs code of its own.
fn has_install_script(manifest: &Object<'_>) -> bool {
    if manifest.get("hasInstallScript").is_some_and(|raw| raw.get() == "true") {
        return true;
    }
    let scripts = manifest.get("scripts").and_then(|raw| Object::parse(raw.get()).ok());
    scripts
        .is_some_and(|scripts| ["preinstall", "install", "postinstall"].iter().any(|name| scripts.has(name)))
}

/// Names of the dependencies that the archive brings along; all of them where it says only that it does.
fn bundled<'a>(flaws: &mut Flaws<'a>, manifest: &Object<'a>, at: At<'_>) -> BTreeSet<String> {
    for field in ["bundleDependencies", "bundledDependencies"] {
        let Some(raw) = manifest.get(field) else { continue };
        let at = at.field(field);
        match raw.get().as_bytes().first() {
            Some(b'f') => {}
            Some(b't') => {
                let all = manifest.get("dependencies").and_then(|raw| Object::parse(raw.get()).ok());
                return all.iter().flat_map(Object::iter).map(|(name, _)| name.replace('\0', "")).collect();
            }
            // From before npm checked it: as the dependencies are written.
            Some(b'{') => {
                let all = flaws.object(raw, at);
                return all.iter().flat_map(Object::iter).map(|(name, _)| name.replace('\0', "")).collect();
            }
            _ => {
                let all = flaws.array(raw, at);
                return all.into_iter().filter_map(|raw| flaws.text(raw, at)).map(Into::into).collect();
            }
        }
    }
    BTreeSet::new()
}

/// What the version depends on. What is optional is, in documents, among the others once more.
fn requires<'a>(
    flaws: &mut Flaws<'a>,
    manifest: &Object<'a>,
    at: At<'_>,
    dependencies: &mut Dependencies,
) -> Requires {
    use DependencyKind::{Dev, Normal, Peer};
    let start = dependencies.len();
    let mut is_complete = true;
    let mut group = |field: &str, flaws: &mut Flaws<'a>| -> Option<Object<'a>> {
        let raw = manifest.get(field)?;
        // An empty array is what some tools write for none.
        let is_none = raw.get().starts_with('[') && serde_json::from_str::<[(); 0]>(raw.get()).is_ok();
        let object = (!is_none).then(|| flaws.object(raw, at.field(field))).flatten();
        is_complete &= is_none || object.is_some();
        object
    };
    let normal = group("dependencies", flaws);
    let optional = group("optionalDependencies", flaws);
    let peer = group("peerDependencies", flaws);
    let dev = group("devDependencies", flaws);
    let meta = manifest.get("peerDependenciesMeta").and_then(|raw| Object::parse(raw.get()).ok());
    let optional_names: BTreeSet<&str> =
        optional.iter().flat_map(Object::iter).map(|(name, _)| name).collect();
    let optional_peers: BTreeSet<&str> = meta
        .iter()
        .flat_map(Object::iter)
        .filter(|(_, raw)| {
            let meta = Object::parse(raw.get()).ok();
            meta.is_some_and(|meta| meta.get("optional").is_some_and(|raw| raw.get() == "true"))
        })
        .map(|(name, _)| name)
        .collect();
    let groups = [
        ("dependencies", &normal, Normal),
        ("optionalDependencies", &optional, Normal),
        ("peerDependencies", &peer, Peer),
        ("devDependencies", &dev, Dev),
    ];
    for (field, group, kind) in groups {
        for (name, raw) in group.iter().flat_map(Object::iter) {
            if field == "dependencies" && optional_names.contains(name) {
                continue;
            }
            let is_optional =
                field == "optionalDependencies" || kind == Peer && optional_peers.contains(name);
            let at = at.field(field);
            let read = text(raw)
                .and_then(|requirement| dependency::add(dependencies, name, &requirement, kind, is_optional));
            if let Err(reason) = read {
                flaws.push(raw.get(), at.field(name), reason);
                is_complete = false;
            }
        }
    }
    Requires { range: start..dependencies.len(), is_complete }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integrity_is_one_hash_or_several_and_what_is_unknown_is_left_out() {
        let sha1 = ("sha1", "00".repeat(20));
        assert_eq!(integrity("sha1-AAAAAAAAAAAAAAAAAAAAAAAAAAA=?x"), Ok(vec![sha1.clone()]));
        assert_eq!(integrity(" md5-x  sha1-AAAAAAAAAAAAAAAAAAAAAAAAAAA= "), Ok(vec![sha1]));
        assert_eq!(integrity(""), Ok(vec![]));
        for text in ["sha512-AAAA", "sha512", "sha1-!"] {
            assert!(integrity(text).is_err(), "{text}");
        }
    }
}
