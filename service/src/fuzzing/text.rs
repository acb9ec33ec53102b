//! What publishers write in one line: package URLs, names, licences, addresses of repositories.

use crate::{
    ardb::{
        inventory::Owner,
        licence::{self, Licence},
        name::{self, Name},
        repository::{self, Repository},
        version::ecosystem,
    },
    purl::{Purl, case, types},
};

/// What a package URL prints parses to itself, prints the same again, and is what its components build; what is taken
/// strictly is taken, and a test case in JSON is read.
pub(super) fn purl(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let parsed = text.parse::<Purl>();
    if let Ok(strict) = Purl::parse_strictly(text) {
        assert_eq!(parsed.as_ref(), Ok(&strict), "{text:?}");
    }
    let _ = case::Case::from_json(text);
    let Ok(purl) = parsed else { return };
    let printed = purl.to_string();
    assert_eq!(printed.parse::<Purl>().as_ref(), Ok(&purl), "{printed}");
    assert_eq!(Purl::parse_strictly(&printed).as_ref(), Ok(&purl), "{printed}");
    assert!(printed.is_ascii() && !printed.contains(char::is_control), "{printed:?}");

    let mut builder = Purl::new(purl.kind(), purl.name())
        .with_namespace(purl.namespace().unwrap_or_default())
        .with_version(purl.version().unwrap_or_default())
        .with_subpath(purl.subpath().unwrap_or_default());
    for (key, value) in purl.qualifiers() {
        builder = builder.with_qualifier(key, value);
    }
    assert_eq!(builder.build(), Ok(purl), "{printed}");
}

/// An ecosystem by the first byte, then a name: its form is the form of itself, and a package URL of the package has
/// the same.
pub(super) fn name(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let Ok(text) = str::from_utf8(rest) else { return };
    let _ = ecosystem::find(text);
    if let Ok(owner) = text.parse::<Owner>() {
        assert_eq!(owner.to_string().parse::<Owner>().ok(), Some(owner));
    }
    let kind = types::TYPES[usize::from(*first) % types::TYPES.len()].name;
    let Name { namespace, name, normalized } = name::split(kind, text);
    assert_eq!(name::normalize(kind, &name), normalized, "{kind} {text:?}");
    assert_eq!(name::normalize(kind, &normalized), normalized, "{kind} {text:?}");
    if let Ok(purl) = Purl::of_package(kind, &namespace, &name, None)
        && purl.namespace().unwrap_or_default() == namespace
    {
        assert_eq!(name::normalize(kind, purl.name()), normalized, "{kind} {text:?}: {purl}");
    }
}

/// An expression that was normalised is normal, and keeps to what `licences` takes.
pub(super) fn licence(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let Some(found) = licence::normalize(text) else { return };
    let Licence { expression, .. } = &found;
    assert!((1..=1024).contains(&expression.len()), "{text:?}");
    assert_eq!(licence::normalize(expression).as_ref(), Some(&found), "{text:?}");
}

/// The URL of a repository is that repository's, and keeps to what `repositories` takes.
pub(super) fn repository(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let Some(found) = repository::normalize(text) else { return };
    let Repository { url, host, path } = &found;
    assert_eq!(*url, format!("https://{host}/{path}"));
    assert!(url.len() <= 1024 && (1..=256).contains(&host.len()), "{text:?}");
    assert!(!path.is_empty() && !path.starts_with('/') && !path.ends_with('/'), "{text:?}");
    assert!(!path.ends_with(".git") && !url.contains(char::is_control), "{text:?}");
    assert_eq!(repository::normalize(url).as_ref(), Some(&found), "{text:?}");
}
