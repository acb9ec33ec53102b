//! `package-lock.json` of npm 7 and newer (versions 2 and 3): `packages` by the folder each is installed in.
//!
//! A package in `node_modules` that comes from a registry, whichever mirror, has no source; one from git, a file or
//! another address has that; a folder of the project itself (a workspace) is `file:` and the folder. Which copy a
//! package gets by requiring a name is Node's rule: the nearest `node_modules` upwards from it.

use std::collections::{BTreeMap, HashMap, HashSet};

use entity_ardb::{ComponentScope, RelationKind};
use serde::Deserialize;
use serde_json::Value;

use super::{
    super::{
        check,
        inventory::{Found, Inventory, Key},
    },
    Flaw,
};
use crate::ardb::name;

const ECOSYSTEM: &str = "npm";
const FOLDER: &str = "node_modules/";

/// The longest folder that a package is installed in; Linux opens none of four times that.
const MAX_PATH_BYTES: usize = 1024;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Lock {
    lockfile_version: u32,
    packages: Option<BTreeMap<String, Package>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Package {
    name: Option<String>,
    version: Option<String>,
    resolved: Option<String>,
    #[serde(default)]
    link: bool,
    #[serde(default)]
    dev: bool,
    #[serde(default)]
    optional: bool,
    #[serde(default)]
    dev_optional: bool,
    /// A string, since some publish objects.
    license: Option<Value>,
    #[serde(default)]
    dependencies: BTreeMap<String, Value>,
    #[serde(default)]
    dev_dependencies: BTreeMap<String, Value>,
    #[serde(default)]
    optional_dependencies: BTreeMap<String, Value>,
    #[serde(default)]
    peer_dependencies: BTreeMap<String, Value>,
}

pub(super) fn parse(content: &str) -> Result<Inventory, Flaw> {
    let lock: Lock = check::json(content.as_bytes())?;
    if !(2..=3).contains(&lock.lockfile_version) {
        let reason = format!(
            "lockfileVersion is {}, expected 2 or 3; npm 7 and newer write it anew by `npm install`",
            lock.lockfile_version
        );
        return Err(Flaw::at(content, content.find("lockfileVersion").unwrap_or(0), reason));
    }
    let packages = lock.packages.ok_or_else(|| Flaw::new(1, "has no `packages`, expected an object"))?;
    let mut inventory = Inventory::default();
    let mut keys = HashMap::<&str, Key>::new();
    for (path, package) in packages.iter().filter(|(path, package)| !path.is_empty() && !package.link) {
        let refused = |reason: String| refused(content, path, &reason);
        check::length("the folder", path, MAX_PATH_BYTES).map_err(refused)?;
        keys.insert(path, inventory.add(component(path, package)).map_err(refused)?);
    }
    for (path, package) in packages.iter().filter(|(_, package)| package.link) {
        if let Some(target) = package.resolved.as_deref().and_then(|resolved| keys.get(resolved)).cloned() {
            keys.insert(path, target);
        }
    }
    // Few of the folders above a package have a `node_modules`; only there is it worth looking.
    let holders: HashSet<&str> = keys.keys().filter_map(|path| holder(path)).collect();
    for (path, package) in packages.iter().filter(|(_, package)| !package.link) {
        let from = keys.get(path.as_str());
        let folders: Vec<&str> = upwards(path).filter(|folder| holders.contains(folder)).collect();
        let names = package.dependencies.keys().chain(package.dev_dependencies.keys());
        let names = names.chain(package.optional_dependencies.keys()).chain(package.peer_dependencies.keys());
        for name in names {
            // What is optional or a peer need not be there.
            if let Some(to) = folders.iter().find_map(|folder| keys.get(installed(folder, name).as_str())) {
                let related = inventory.relate(from, RelationKind::DependsOn, to);
                related.map_err(|reason| refused(content, path, &reason))?;
            }
        }
    }
    Ok(inventory)
}

fn component(path: &str, package: &Package) -> Found {
    let (is_installed, folder_name) = match path.rfind(FOLDER) {
        Some(at) => (true, &path[at + FOLDER.len()..]),
        None => (false, path.rsplit('/').next().unwrap_or(path)),
    };
    // An alias is installed under a name that is not its package's.
    let published = package.name.as_deref().unwrap_or(folder_name);
    let scope = if package.dev || package.dev_optional {
        ComponentScope::Dev
    } else if package.optional {
        ComponentScope::Optional
    } else {
        ComponentScope::Required
    };
    let source = match package.resolved.as_deref() {
        _ if !is_installed => format!("file:{path}"),
        // The form of every registry's archives: NAME/-/NAME-VERSION.tgz
        Some(resolved) if !(resolved.starts_with("http") && resolved.contains("/-/")) => resolved.to_owned(),
        _ => String::new(),
    };
    Found {
        source,
        scope: Some(scope),
        licence: package.license.as_ref().and_then(Value::as_str).map(str::to_owned),
        ..Found::new(
            ECOSYSTEM,
            name::split(ECOSYSTEM, published),
            package.version.as_deref().unwrap_or_default(),
        )
    }
}

/// `path` and the folders above it, up to the project's own, which is empty.
fn upwards(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |folder| {
        (!folder.is_empty()).then(|| folder.rfind('/').map_or("", |at| &folder[..at]))
    })
}

/// The folder whose `node_modules` the package in `path` lies in.
fn holder(path: &str) -> Option<&str> {
    let folder = &path[..path.rfind(FOLDER)?];
    Some(folder.strip_suffix('/').unwrap_or(folder))
}

/// Where `name` lies, if it is installed in `folder`.
fn installed(folder: &str, name: &str) -> String {
    let separator = if folder.is_empty() { "" } else { "/" };
    format!("{folder}{separator}{FOLDER}{name}")
}

fn refused(content: &str, path: &str, reason: &str) -> Flaw {
    let at = content.find(&format!("{}:", Value::from(path))).unwrap_or(0);
    Flaw::at(content, at, format!("packages[{path:?}]: {reason}"))
}
