//! Documents of PyPI's JSON API: of a package, and of a version.

use std::collections::{BTreeMap, BTreeSet};

use entity_ardb::{DependencyKind, MaintainerKind, PackageStatus};
use serde_json::{json, value::RawValue};

use super::{
    super::{
        check::{self, MAX_NAME_BYTES},
        json::{At, Flaws, Object, Quoted, text},
        registry::{
            Category, Dependencies, Dependency, Details, MAX_DEPENDENCIES, MAX_VERSIONS, Maintainer, Origin,
            Package, Requires, Version,
        },
    },
    Form, Head, REGISTRY, file, licence,
    requirement::{self, Requirement},
    version,
};
use crate::ardb::{name, repository};

/// As the schema has it.
const MAX_TARGET_BYTES: usize = 1024;

/// What the document says, `package` being what its head does.
pub(super) fn read<'a>(
    flaws: &mut Flaws<'a>,
    object: &Object<'a>,
    head: &Head,
    mut package: Package,
) -> Option<Package> {
    let info = object.get("info").and_then(|raw| flaws.object(raw, INFO))?;
    package.revision = flaws.count_of(object, "last_serial", At::Root);
    let mut are_all = true;
    if head.form == Form::Project {
        let releases =
            object.get("releases").and_then(|raw| flaws.object(raw, At::Field(&At::Root, "releases")))?;
        are_all = self::releases(flaws, &releases, &mut package);
    }
    // The package's document has the files of the newest version twice.
    if !package.versions.iter().any(|known| known.number == head.number) {
        let mut newest = match version(&head.number) {
            Ok(newest) => newest,
            Err(reason) => {
                flaws.push(object.get("info")?.get(), INFO.field("version"), reason);
                return None;
            }
        };
        let files = flaws.array_of(object, "urls", At::Root);
        describe(flaws, files, At::Field(&At::Root, "urls"), &mut newest);
        package.versions.push(newest);
    }
    package.is_complete = head.form == Form::Project && are_all;
    let classifiers = texts(flaws, &info, "classifiers");
    let Package { versions, dependencies, .. } = &mut package;
    if let Some(newest) = versions.iter_mut().find(|known| known.number == head.number) {
        release(flaws, &info, &classifiers, newest, dependencies);
    }
    say(flaws, &info, &classifiers, &mut package);
    package.maintainers = object.get("ownership").and_then(|raw| maintainers(flaws, raw));
    Some(package)
}

const INFO: At<'static> = At::Field(&At::Root, "info");

/// Every version with its files; whether each could be read.
fn releases<'a>(flaws: &mut Flaws<'a>, releases: &Object<'a>, package: &mut Package) -> bool {
    let at = At::Field(&At::Root, "releases");
    let mut are_all = true;
    for (number, raw) in releases.iter() {
        if package.versions.len() == MAX_VERSIONS {
            let reason = format!("is left out: at most {MAX_VERSIONS} versions are read");
            flaws.push(raw.get(), at.field(number), reason);
            return false;
        }
        match version(number) {
            Ok(mut version) => {
                let files = flaws.array(raw, at.field(number));
                describe(flaws, files, at.field(number), &mut version);
                package.versions.push(version);
            }
            Err(reason) => {
                flaws.push(raw.get(), at.field(number), reason);
                are_all = false;
            }
        }
    }
    are_all
}

fn describe<'a>(flaws: &mut Flaws<'a>, files: Vec<&'a RawValue>, at: At<'_>, version: &mut Version) {
    let files: Vec<_> = files
        .into_iter()
        .enumerate()
        .filter_map(|(index, raw)| file::read(flaws, raw, At::Item(&at, index), &file::API))
        .collect();
    file::describe(&files, version);
}

/// What `info` says of the version that it is about.
fn release<'a>(
    flaws: &mut Flaws<'a>,
    info: &Object<'a>,
    classifiers: &[String],
    version: &mut Version,
    dependencies: &mut Dependencies,
) {
    if info.get("yanked").is_some_and(|raw| raw.get() == "true") {
        version.is_yanked = true;
        let reason = flaws.text_of(info, "yanked_reason", INFO).filter(|reason| !reason.trim().is_empty());
        version.yanked_reason = version.yanked_reason.take().or(reason.map(Into::into));
    }
    let expression = flaws.text_of(info, "license_expression", INFO).unwrap_or_default();
    let text = flaws.text_of(info, "license", INFO).unwrap_or_default();
    version.licence = Some(licence::read(&expression, &text, classifiers));
    if let Some(python) = flaws.text_of(info, "requires_python", INFO).filter(|python| !python.is_empty()) {
        version.attributes.insert("requires_python".into(), python.into());
    }
    let extras = texts(flaws, info, "provides_extra");
    if !extras.is_empty() {
        version.attributes.insert("provides_extra".into(), json!(extras));
    }
    version.is_described = true;
    version.requires = Some(requires(flaws, info, dependencies));
}

/// A dependency under one key: what several requirements with it ask for together.
#[derive(Default)]
struct Asked<'a> {
    name: &'a str,
    requirements: Vec<&'a str>,
    features: BTreeSet<&'a str>,
    is_optional: bool,
}

/// What the version depends on. Two requirements for one package under one marker both hold, as a comma says it.
fn requires<'a>(flaws: &mut Flaws<'a>, info: &Object<'a>, dependencies: &mut Dependencies) -> Requires {
    let start = dependencies.len();
    let at = INFO;
    let at = at.field("requires_dist");
    let before = flaws.total();
    let texts: Vec<_> = info
        .get("requires_dist")
        .map_or_else(Vec::new, |raw| flaws.array(raw, at))
        .into_iter()
        .enumerate()
        .filter_map(|(index, raw)| Some((index, raw, flaws.text(raw, At::Item(&at, index))?)))
        .collect();
    let mut asked = BTreeMap::<_, Asked<'_>>::new();
    for (index, raw, text) in &texts {
        let read = requirement::parse(text).and_then(|read| {
            check::length("the name", read.name, MAX_NAME_BYTES)?;
            check::length_or_empty("the marker", read.marker, MAX_TARGET_BYTES)?;
            Ok(read)
        });
        let Requirement { name, extras, specifier, url, marker, needs_extra } = match read {
            Ok(read) => read,
            Err(reason) => {
                flaws.push(raw.get(), At::Item(&at, *index), format_args!("{} {reason}", Quoted(text)));
                continue;
            }
        };
        let origin = url.map_or("", origin);
        let key = (name::normalize(REGISTRY.ecosystem, name), marker, origin);
        let asked = asked.entry(key).or_default();
        if asked.name.is_empty() {
            asked.name = name;
        }
        asked.requirements.extend(url.or(Some(specifier).filter(|specifier| !specifier.is_empty())));
        asked.features.extend(extras);
        asked.is_optional = needs_extra;
    }
    for ((_, target, origin), asked) in asked {
        if dependencies.len() == MAX_DEPENDENCIES {
            let reason =
                format!("are left out: at most {MAX_DEPENDENCIES} dependencies are read of a document");
            flaws.push("", at, reason);
            break;
        }
        let requirement = asked.requirements.join(",");
        let features: Vec<_> = asked.features.into_iter().collect();
        dependencies.push(&Dependency {
            name: asked.name,
            alias: "",
            requirement: if requirement.is_empty() { "*" } else { &requirement },
            kind: DependencyKind::Normal,
            is_optional: asked.is_optional,
            features: &features.join(","),
            target,
            origin: match origin {
                "git" => Origin::Git,
                "file" => Origin::File,
                "" => Origin::Registry,
                _ => Origin::Url,
            },
        });
    }
    Requires { range: start..dependencies.len(), is_complete: flaws.total() == before }
}

/// What kind of address a URL is.
fn origin(url: &str) -> &'static str {
    if url.starts_with("git+") {
        "git"
    } else if url.starts_with("file:") {
        "file"
    } else {
        "url"
    }
}

/// Texts in an array that may be missing.
fn texts<'a>(flaws: &mut Flaws<'a>, info: &Object<'a>, field: &str) -> Vec<String> {
    let at = INFO;
    let all = flaws.array_of(info, field, at);
    all.into_iter()
        .enumerate()
        .filter_map(|(index, raw)| flaws.text(raw, At::Item(&at.field(field), index)))
        .map(Into::into)
        .collect()
}

/// What `info` says of the package.
fn say<'a>(flaws: &mut Flaws<'a>, info: &Object<'a>, classifiers: &[String], package: &mut Package) {
    let mut text = |field: &str| flaws.text_of(info, field, INFO).unwrap_or_default().trim().to_owned();
    let mut details = Details {
        description: text("summary"),
        homepage_url: text("home_page"),
        documentation_url: text("docs_url"),
        repository: None,
    };
    let words = text("keywords");
    let urls = flaws.object_of(info, "project_urls", INFO);
    for (label, raw) in urls.iter().flat_map(Object::iter) {
        let Some(url) = flaws.text(raw, INFO.field("project_urls").field(label)) else { continue };
        let label: String = label.chars().filter(char::is_ascii_alphanumeric).collect();
        match label.to_ascii_lowercase().as_str() {
            "homepage" if details.homepage_url.is_empty() => details.homepage_url = url.into(),
            "documentation" | "docs" if details.documentation_url.is_empty() => {
                details.documentation_url = url.into();
            }
            "source" | "sourcecode" | "repository" | "github" | "code" if details.repository.is_none() => {
                details.repository = repository::normalize(&url);
            }
            _ => {}
        }
    }
    // Where nothing else is said, a page of a host of repositories is the repository's.
    if details.repository.is_none() {
        let hosts = ["github.com", "gitlab.com", "bitbucket.org", "codeberg.org"];
        details.repository =
            repository::normalize(&details.homepage_url).filter(|found| hosts.contains(&&*found.host));
    }
    package.details = Some(details);
    package.keywords = Some(keywords(flaws, info, &words));
    package.categories = Some(categories(flaws, info, classifiers));
    if classifiers.iter().any(|one| one == "Development Status :: 7 - Inactive") {
        package.status = Some(PackageStatus::Archived);
    }
}

/// Words between commas or, where there is none, between spaces.
fn keywords<'a>(flaws: &mut Flaws<'a>, info: &Object<'a>, words: &str) -> Vec<String> {
    let comma = words.contains(',');
    let words = words.split(|c: char| if comma { c == ',' } else { c.is_whitespace() });
    let mut kept = BTreeSet::new();
    for word in words.map(|word| word.trim().to_lowercase()).filter(|word| !word.is_empty()) {
        match check::length("the keyword", &word, MAX_NAME_BYTES) {
            Ok(()) => _ = kept.insert(word),
            Err(reason) => {
                let part = info.get("keywords").map_or("", RawValue::get);
                flaws.push(part, INFO.field("keywords"), reason);
            }
        }
    }
    kept.into_iter().collect()
}

/// Topics, by the whole of their classifier.
fn categories<'a>(flaws: &mut Flaws<'a>, info: &Object<'a>, classifiers: &[String]) -> Vec<Category> {
    let mut kept = BTreeSet::new();
    for slug in classifiers.iter().filter(|one| one.starts_with("Topic :: ")) {
        let name = slug.rsplit(" :: ").next().unwrap_or(slug).trim();
        match check::length("the classifier", slug, MAX_NAME_BYTES).and(check::length(
            "its name",
            name,
            MAX_NAME_BYTES,
        )) {
            Ok(()) => _ = kept.insert(Category { slug: slug.clone(), name: name.to_owned() }),
            Err(reason) => {
                let part = info.get("classifiers").map_or("", RawValue::get);
                flaws.push(part, INFO.field("classifiers"), reason);
            }
        }
    }
    kept.into_iter().collect()
}

/// Who owns or maintains the package.
fn maintainers<'a>(flaws: &mut Flaws<'a>, raw: &'a RawValue) -> Option<Vec<Maintainer>> {
    let at = At::Field(&At::Root, "ownership");
    let ownership = flaws.object(raw, at)?;
    let mut found = BTreeMap::new();
    let mut add = |flaws: &mut Flaws<'a>, raw: &'a RawValue, at: At<'_>, kind| {
        let login =
            text(raw).and_then(|login| check::length("the name", &login, MAX_NAME_BYTES).map(|()| login));
        match login {
            Ok(login) => _ = found.insert((login.into_owned(), kind), ()),
            Err(reason) => flaws.push(raw.get(), at, reason),
        }
    };
    if let Some(raw) = ownership.get("organization") {
        add(flaws, raw, at.field("organization"), MaintainerKind::Team);
    }
    let at = at.field("roles");
    for (index, raw) in
        ownership.get("roles").map_or_else(Vec::new, |raw| flaws.array(raw, at)).into_iter().enumerate()
    {
        let at = At::Item(&at, index);
        let role = flaws.object(raw, at);
        match role.as_ref().and_then(|role| role.get("user")) {
            Some(user) => add(flaws, user, at.field("user"), MaintainerKind::User),
            None => flaws.push(raw.get(), at, "has no user"),
        }
    }
    Some(found.into_keys().map(|(login, kind)| Maintainer { kind, login }).collect())
}
