//! A dependency in a document of npm's: a name and a text, which is a range of versions, a tag, another name, or an
//! address. Which of those it is, is decided as `npm-package-arg` does it.

use entity_ardb::DependencyKind;

use super::super::{
    check::{self, MAX_NAME_BYTES},
    json::Quoted,
    registry::{Dependencies, Dependency, MAX_DEPENDENCIES, Origin},
};

/// Adds what `name: text` says; `Err` with the reason why it says nothing.
pub(super) fn add(
    dependencies: &mut Dependencies,
    name: &str,
    text: &str,
    kind: DependencyKind,
    is_optional: bool,
) -> Result<(), String> {
    if dependencies.len() == MAX_DEPENDENCIES {
        return Err(format!("is left out: at most {MAX_DEPENDENCIES} dependencies are read of a document"));
    }
    check_name(name)?;
    let Required { package, requirement, origin } = required(text)?;
    let (package, alias) = match package {
        Some(package) if package != name => (package, name),
        _ => (name, ""),
    };
    check_name(package)?;
    dependencies.push(&Dependency {
        name: package,
        alias,
        requirement: if requirement.is_empty() { "*" } else { requirement },
        kind,
        is_optional,
        features: "",
        target: "",
        origin,
    });
    Ok(())
}

fn check_name(name: &str) -> Result<(), String> {
    check::length("the name", name, MAX_NAME_BYTES)?;
    let is_scoped = name.starts_with('@');
    let (scope, rest) = name.split_once('/').unwrap_or(("", name));
    if is_scoped != name.contains('/') || rest.is_empty() || rest.contains('/') || scope.len() == 1 {
        return Err(format!("{} is neither a name nor @scope/name", Quoted(name)));
    }
    if name.contains('\0') {
        return Err("the name has a NUL character, which the database can't hold".into());
    }
    Ok(())
}

/// What a text asks for.
#[derive(Debug, PartialEq, Eq)]
struct Required<'a> {
    /// Another name than that in the manifest.
    package: Option<&'a str>,
    requirement: &'a str,
    origin: Origin,
}

fn required(text: &str) -> Result<Required<'_>, String> {
    let text = text.trim();
    if let Some(alias) = text.strip_prefix("npm:") {
        // The @ of a scope is no end of the name.
        let end = alias.char_indices().skip(1).find(|(_, character)| *character == '@').map(|(at, _)| at);
        let (package, requirement) = end.map_or((alias, ""), |end| (&alias[..end], &alias[end + 1..]));
        if package.is_empty() {
            return Err(format!("{} names no package", Quoted(text)));
        }
        return Ok(Required {
            package: Some(package),
            requirement: requirement.trim(),
            origin: Origin::Registry,
        });
    }
    Ok(Required { package: None, requirement: text, origin: origin(text) })
}

/// Where the package is that `text` asks for.
fn origin(text: &str) -> Origin {
    let lower = text.to_ascii_lowercase();
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| lower.starts_with(prefix));
    let is_drive = lower.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
        && lower.get(1..3).is_some_and(|rest| matches!(rest, ":/" | ":\\"));
    let is_git_host = |rest: &str| {
        let host = rest.split('/').next().unwrap_or_default().trim_start_matches("www.");
        let is_archive = rest.contains("/archive/") || rest.contains("/tarball/") || rest.contains("/-/");
        ["github.com", "gitlab.com", "bitbucket.org", "gist.github.com"].contains(&host) && !is_archive
    };
    if begins(&["workspace:", "catalog:"]) {
        Origin::Workspace
    } else if begins(&["jsr:"]) {
        Origin::Jsr
    } else if begins(&["file:", "link:", "portal:", "patch:", "./", "../", "/", "~/", ".\\", "..\\"])
        || matches!(text, "." | "..")
        || is_drive
    {
        Origin::File
    } else if begins(&["git:", "git+", "git@", "ssh:", "github:", "gitlab:", "bitbucket:", "gist:"]) {
        Origin::Git
    } else if let Some((_, rest)) = lower.split_once("://") {
        if is_git_host(rest) { Origin::Git } else { Origin::Url }
    } else if [".tgz", ".tar.gz", ".tar"].iter().any(|end| lower.ends_with(end)) {
        Origin::File
    } else if lower.contains('/') {
        // No range and no tag has a slash: owner/name of GitHub's has one, a path may have more.
        let path = lower.split('#').next().unwrap_or_default();
        let is_short =
            path.matches('/').count() == 1 && !path.contains(|c: char| c.is_whitespace() || c == '@');
        if is_short { Origin::Git } else { Origin::File }
    } else {
        Origin::Registry
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_a_range_another_name_or_an_address() {
        for (text, package, requirement, found) in [
            ("^1.2.3", None, "^1.2.3", Origin::Registry),
            (" >=1 <2 || 3.x ", None, ">=1 <2 || 3.x", Origin::Registry),
            ("latest", None, "latest", Origin::Registry),
            ("", None, "", Origin::Registry),
            ("npm:other@^1", Some("other"), "^1", Origin::Registry),
            ("npm:@scope/other@1.x", Some("@scope/other"), "1.x", Origin::Registry),
            ("npm:@scope/other", Some("@scope/other"), "", Origin::Registry),
            ("jsr:@std/path@^1", None, "jsr:@std/path@^1", Origin::Jsr),
            ("workspace:^", None, "workspace:^", Origin::Workspace),
            ("catalog:", None, "catalog:", Origin::Workspace),
            ("acme/rocket#semver:^1", None, "acme/rocket#semver:^1", Origin::Git),
            ("github:acme/rocket", None, "github:acme/rocket", Origin::Git),
            ("git@github.com:acme/rocket.git", None, "git@github.com:acme/rocket.git", Origin::Git),
            (
                "git+ssh://git@git.example.org/a.git#v1",
                None,
                "git+ssh://git@git.example.org/a.git#v1",
                Origin::Git,
            ),
            ("https://github.com/acme/rocket.git", None, "https://github.com/acme/rocket.git", Origin::Git),
            ("https://git.example.org/a.git", None, "https://git.example.org/a.git", Origin::Url),
            ("a/b/c", None, "a/b/c", Origin::File),
            ("https://example.org/a.tgz", None, "https://example.org/a.tgz", Origin::Url),
            (
                "https://github.com/acme/rocket/archive/v1.tar.gz",
                None,
                "https://github.com/acme/rocket/archive/v1.tar.gz",
                Origin::Url,
            ),
            ("file:../rocket", None, "file:../rocket", Origin::File),
            ("link:../rocket", None, "link:../rocket", Origin::File),
            ("../rocket", None, "../rocket", Origin::File),
            ("C:\\rocket", None, "C:\\rocket", Origin::File),
            ("rocket-1.0.0.tgz", None, "rocket-1.0.0.tgz", Origin::File),
        ] {
            assert_eq!(required(text), Ok(Required { package, requirement, origin: found }), "{text}");
        }
        assert!(required("npm:").is_err());
    }

    #[test]
    fn a_name_is_plain_or_has_a_scope() {
        for name in ["a", "JSONStream", "@scope/a", "a.b_c~d"] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        for name in ["", "a/b", "@scope", "@/a", "@scope/", "@scope/a/b", "a\0", &"a".repeat(257)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
