//! Documents of the simple API in JSON (PEP 691, with versions and sizes by PEP 700 and a status by PEP 792): files, which
//! are sorted to versions by their names.

use std::collections::BTreeMap;

use entity_ardb::{PackageStatus, VersionScheme};

use super::{
    super::{
        json::{At, Flaws, Object, Quoted},
        registry::{MAX_VERSIONS, Package},
    },
    REGISTRY, file, version,
};
use crate::ardb::{name, version::order};

/// What the document says, `package` being what its head does.
pub(super) fn read<'a>(flaws: &mut Flaws<'a>, object: &Object<'a>, mut package: Package) -> Option<Package> {
    let at = At::Root;
    let meta = flaws.object_of(object, "meta", at);
    package.revision = meta.and_then(|meta| flaws.count_of(&meta, "_last-serial", at.field("meta")));
    package.status = status(flaws, object);

    let mut releases = BTreeMap::<String, Vec<file::File>>::new();
    let mut are_all = true;
    for (index, raw) in flaws.array_of(object, "versions", at).into_iter().enumerate() {
        match flaws.text(raw, At::Item(&at.field("versions"), index)) {
            Some(number) => _ = releases.entry(number.into_owned()).or_default(),
            None => are_all = false,
        }
    }
    let is_listed = object.has("versions");
    // A file's name may spell the version otherwise than the list does.
    let spellings: BTreeMap<_, _> = releases
        .keys()
        .filter_map(|number| Some((order::key(VersionScheme::Pep440, number)?, number.clone())))
        .collect();
    for (index, raw) in flaws.array_of(object, "files", at).into_iter().enumerate() {
        let at = at.field("files");
        let at = At::Item(&at, index);
        let Some(file) = file::read(flaws, raw, at, &file::SIMPLE) else {
            are_all = false;
            continue;
        };
        let normalize = |text: &str| name::normalize(REGISTRY.ecosystem, text);
        let number = file::version_of(&file.name, &package.name.normalized, normalize).and_then(|number| {
            let same = order::key(VersionScheme::Pep440, number).and_then(|key| spellings.get(&key));
            match same {
                Some(same) => Some(same.clone()),
                None => (!is_listed || releases.contains_key(number)).then(|| number.to_owned()),
            }
        });
        match number {
            Some(number) => releases.entry(number).or_default().push(file),
            None => {
                let reason = format!("{} is of no version of the package by its name", Quoted(&file.name));
                flaws.push(raw.get(), at, reason);
                are_all = false;
            }
        }
    }
    for (number, files) in releases {
        if package.versions.len() == MAX_VERSIONS {
            flaws.push("", at.field("versions"), format_args!("at most {MAX_VERSIONS} versions are read"));
            are_all = false;
            break;
        }
        match version(&number) {
            Ok(mut version) => {
                file::describe(&files, &mut version);
                package.versions.push(version);
            }
            Err(reason) => {
                flaws.push("", at.field("versions").field(&number), reason);
                are_all = false;
            }
        }
    }
    package.is_complete = are_all;
    Some(package)
}

/// `None`: the document is from before there was one.
fn status<'a>(flaws: &mut Flaws<'a>, object: &Object<'a>) -> Option<PackageStatus> {
    let at = At::Root;
    let said = flaws.object_of(object, "project-status", at)?;
    flaws.read_of(&said, "status", at.field("project-status"), |status| match status {
        "active" => Ok(PackageStatus::Active),
        "archived" => Ok(PackageStatus::Archived),
        "deprecated" => Ok(PackageStatus::Deprecated),
        // Its files are kept from installers.
        "quarantined" => Ok(PackageStatus::Removed),
        other => Err(format!("{} is none of active, archived, deprecated, quarantined", Quoted(other))),
    })
}
