//! A document of npm's, taken apart: what it says of the package, and which versions there are.

use std::collections::{BTreeSet, HashMap};

use entity_ardb::{MaintainerKind, PackageStatus};
use serde_json::value::RawValue;

use super::{
    super::{
        check::{self, MAX_NAME_BYTES},
        json::{At, Flaws, Object, Quoted, text},
        registry::{Dependencies, Details, Extent, MAX_VERSIONS, Maintainer, Package},
        report::Rejections,
    },
    REGISTRY, manifest, repository,
};
use crate::ardb::name::{self, Name};

/// Whether a document, which is an object, is the abbreviated one: it says when the package was modified, and not when
/// each version was published.
pub(super) fn is_abbreviated(text: &str) -> bool {
    Object::parse(text).is_ok_and(|object| is_brief(&object))
}

fn is_brief(object: &Object<'_>) -> bool {
    object.has("modified") && !object.has("time")
}

/// A package that is no longer there.
pub(super) fn deleted(published: &str) -> (Option<Package>, Rejections) {
    match identity(published) {
        Ok((name, purl)) => {
            let package = Package {
                status: Some(PackageStatus::Removed),
                is_complete: true,
                ..empty(name, purl, published)
            };
            (Some(package), Rejections::default())
        }
        Err(reason) => (None, super::Rejection::new(published, reason).into()),
    }
}

/// What the document of the package `published`, which begins on `line` of `file`, says.
pub(super) fn packument(
    document: &str,
    published: &str,
    file: &str,
    line: usize,
) -> (Option<Package>, Rejections) {
    let mut flaws = Flaws::new(document, file, line);
    let package = read(&mut flaws, document, published);
    (package, flaws.into_rejections())
}

fn read<'a>(flaws: &mut Flaws<'a>, document: &'a str, published: &str) -> Option<Package> {
    let refused = |flaws: &mut Flaws<'a>, reason: &str| {
        flaws.push(document, At::Root, reason);
        None
    };
    let object = match Object::parse(document) {
        Ok(object) => object,
        Err(error) => return refused(flaws, &format!("is not what was expected: {error}")),
    };
    let (name, purl) = match identity(published) {
        Ok(identity) => identity,
        Err(reason) => return refused(flaws, &format!("name: {reason}")),
    };
    let is_brief = is_brief(&object);
    let times = object.get("time").and_then(|raw| flaws.object(raw, At::Field(&At::Root, "time")));
    let is_unpublished = times.as_ref().is_some_and(|times| times.has("unpublished"));
    let versions = match object.get("versions") {
        Some(raw) => flaws.object(raw, At::Field(&At::Root, "versions"))?,
        None if is_unpublished => {
            return Some(removed(flaws, &object, times.as_ref(), empty(name, purl, published)));
        }
        None => {
            return refused(
                flaws,
                "has neither versions nor time.unpublished, so is no document of a package",
            );
        }
    };
    let mut package = empty(name, purl, published);
    package.revision = revision(flaws, &object, times.as_ref());
    let tags = tags(flaws, &object);
    let at_versions = At::Field(&At::Root, "versions");
    let times: HashMap<&str, &'a RawValue> = times.iter().flat_map(Object::iter).collect();
    let mut are_all = true;
    for (number, raw) in versions.iter() {
        let at = at_versions.field(number);
        if package.versions.len() == MAX_VERSIONS {
            flaws.push(raw.get(), at, format_args!("is left out: at most {MAX_VERSIONS} versions are read"));
            are_all = false;
            break;
        }
        let source = manifest::Source { number, raw, at, published_at: times.get(number).copied(), is_brief };
        let version = manifest::version(flaws, &source, tags.get(number), &mut package.dependencies);
        are_all &= version.is_some();
        package.versions.extend(version);
    }
    package.is_complete = are_all;
    let latest = tags.iter().find(|(_, tags)| tags.contains("latest")).map(|(number, _)| &**number);
    package.status = Some(status(&package, latest));
    if !is_brief {
        let latest =
            latest.and_then(|number| versions.get(number)).and_then(|raw| Object::parse(raw.get()).ok());
        say(flaws, &object, latest.as_ref(), &mut package);
    }
    Some(package)
}

fn empty(name: Name, purl: String, published: &str) -> Package {
    Package {
        name,
        purl,
        revision: None,
        extent: Extent::Listing { forms: vec![published.to_owned(), format!("{published} abbreviated")] },
        is_complete: false,
        status: None,
        details: None,
        keywords: None,
        categories: None,
        maintainers: None,
        versions: Vec::new(),
        dependencies: Dependencies::default(),
    }
}

/// A package whose publisher took it back. What was said of it stays.
fn removed<'a>(
    flaws: &mut Flaws<'a>,
    object: &Object<'a>,
    times: Option<&Object<'a>>,
    empty: Package,
) -> Package {
    let revision = revision(flaws, object, times);
    Package { status: Some(PackageStatus::Removed), is_complete: true, revision, ..empty }
}

/// The name taken apart and the package URL, or why the name is none.
fn identity(published: &str) -> Result<(Name, String), String> {
    if published.starts_with('@') != published.contains('/') || published.matches('/').count() > 1 {
        return Err(format!("{} is neither a name nor @scope/name", Quoted(published)));
    }
    let name = name::split(REGISTRY.ecosystem, published);
    let purl = name.purl(REGISTRY.ecosystem).map_err(|error| format!("{}: {error}", Quoted(published)))?;
    Ok((name, purl.to_string()))
}

/// When the document was modified, in milliseconds since 1970.
fn revision<'a>(flaws: &mut Flaws<'a>, object: &Object<'a>, times: Option<&Object<'a>>) -> Option<i64> {
    let at = At::Root;
    let modified = match times {
        Some(times) => {
            flaws.read_of(times, "modified", at.field("time"), |text| check::time("the time", text))
        }
        None => flaws.read_of(object, "modified", at, |text| check::time("the time", text)),
    };
    modified.map(|time| time.timestamp_millis())
}

/// From a version to its tags.
fn tags<'a>(flaws: &mut Flaws<'a>, object: &Object<'a>) -> HashMap<String, BTreeSet<String>> {
    let mut tags = HashMap::<_, BTreeSet<_>>::new();
    let at = At::Root;
    let at = at.field("dist-tags");
    let said = object.get("dist-tags").and_then(|raw| flaws.object(raw, at));
    for (tag, raw) in said.iter().flat_map(Object::iter) {
        if tag.contains('\0') || tag.len() > MAX_NAME_BYTES {
            flaws.push(
                raw.get(),
                at.field(tag),
                "is no tag that is kept: it is too long or has a NUL character",
            );
            continue;
        }
        if let Some(number) = flaws.text(raw, at.field(tag)) {
            tags.entry(number.into_owned()).or_default().insert(tag.to_owned());
        }
    }
    tags
}

fn status(package: &Package, latest: Option<&str>) -> PackageStatus {
    let latest = latest.and_then(|number| package.versions.iter().find(|version| version.number == number));
    if package.versions.is_empty() {
        if package.is_complete { PackageStatus::Removed } else { PackageStatus::Active }
    } else if latest
        .map_or_else(|| package.versions.iter().all(|version| version.is_yanked), |latest| latest.is_yanked)
    {
        PackageStatus::Deprecated
    } else {
        PackageStatus::Active
    }
}

/// What is said of the package itself; where it says nothing, its `latest` version may.
fn say<'a>(flaws: &mut Flaws<'a>, object: &Object<'a>, latest: Option<&Object<'a>>, package: &mut Package) {
    let at = At::Root;
    let either = |field: &str| object.get(field).or_else(|| latest.and_then(|latest| latest.get(field)));
    let mut details = Details::default();
    if let Some(raw) = either("description") {
        details.description = flaws.text(raw, at.field("description")).unwrap_or_default().into_owned();
    }
    if let Some(raw) = either("homepage") {
        details.homepage_url = homepage(flaws, raw, at.field("homepage")).unwrap_or_default();
    }
    if let Some(raw) = either("repository") {
        details.repository = repository::read(flaws, raw, at.field("repository"));
    }
    package.details = Some(details);
    package.keywords =
        Some(either("keywords").map_or_else(Vec::new, |raw| keywords(flaws, raw, at.field("keywords"))));
    package.maintainers =
        object.get("maintainers").map(|raw| maintainers(flaws, raw, at.field("maintainers")));
}

/// A text; from before npm checked it also an object with a `url`, or an array of either.
fn homepage<'a>(flaws: &mut Flaws<'a>, raw: &'a RawValue, at: At<'_>) -> Option<String> {
    match raw.get().as_bytes().first() {
        Some(b'[') => {
            let first = flaws.array(raw, at).into_iter().next()?;
            homepage(flaws, first, at)
        }
        Some(b'{') => {
            let object = flaws.object(raw, at)?;
            flaws.text_of(&object, "url", at).map(Into::into)
        }
        Some(b'f') => None,
        _ => flaws.text(raw, at).map(Into::into),
    }
}

/// An array of words; from before npm checked it also words between commas, or an object whose values are words.
fn keywords<'a>(flaws: &mut Flaws<'a>, raw: &'a RawValue, at: At<'_>) -> Vec<String> {
    let mut words = BTreeSet::new();
    match raw.get().as_bytes().first() {
        Some(b'[') => {
            for (index, raw) in flaws.array(raw, at).into_iter().enumerate() {
                if let Some(word) = flaws.text(raw, At::Item(&at, index)) {
                    keyword(flaws, raw, At::Item(&at, index), &word, &mut words);
                }
            }
        }
        Some(b'{') => {
            let object = flaws.object(raw, at);
            for (_, raw) in object.iter().flat_map(Object::iter) {
                if let Some(word) = flaws.text(raw, at) {
                    keyword(flaws, raw, at, &word, &mut words);
                }
            }
        }
        _ => {
            let text = flaws.text(raw, at).unwrap_or_default();
            for word in text.split(',') {
                keyword(flaws, raw, at, word, &mut words);
            }
        }
    }
    words.into_iter().collect()
}

fn keyword<'a>(
    flaws: &mut Flaws<'a>,
    raw: &'a RawValue,
    at: At<'_>,
    word: &str,
    words: &mut BTreeSet<String>,
) {
    let word = word.trim().to_lowercase();
    match check::length_or_empty("the keyword", &word, MAX_NAME_BYTES) {
        Ok(()) if word.is_empty() => {}
        Ok(()) => _ = words.insert(word),
        Err(reason) => flaws.push(raw.get(), at, reason),
    }
}

/// Accounts: objects with a name, or texts `name <address>`. One alone may stand without its array.
fn maintainers<'a>(flaws: &mut Flaws<'a>, raw: &'a RawValue, at: At<'_>) -> Vec<Maintainer> {
    let all = if raw.get().starts_with('[') { flaws.array(raw, at) } else { vec![raw] };
    let mut logins = BTreeSet::new();
    for (index, raw) in all.into_iter().enumerate() {
        let at = At::Item(&at, index);
        let login = if raw.get().starts_with('{') {
            let object = flaws.object(raw, at);
            let name = object.as_ref().and_then(|object| object.get("name"));
            name.map_or_else(|| Err("has no name".into()), text)
        } else {
            text(raw)
        };
        let login = login.and_then(|login| {
            let login = login.split(['<', '(']).next().unwrap_or_default().trim().to_owned();
            check::length("the name", &login, MAX_NAME_BYTES).map(|()| login)
        });
        match login {
            Ok(login) => _ = logins.insert(login),
            Err(reason) => flaws.push(raw.get(), at, reason),
        }
    }
    logins.into_iter().map(|login| Maintainer { kind: MaintainerKind::User, login }).collect()
}
