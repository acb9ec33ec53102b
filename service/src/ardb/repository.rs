//! Repositories: from what publishers write to one URL per repository.

/// A repository as `repositories` keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// `https://` + host + `/` + path.
    pub url: String,
    /// In lower case.
    pub host: String,
    /// Without leading and trailing slashes and without `.git`.
    pub path: String,
}

/// Hosts on which a repository is an owner and a name, in any letter case, and what follows is a place within it.
const OWNER_AND_NAME: [&str; 3] = ["github.com", "bitbucket.org", "codeberg.org"];

/// What `published` names, in whichever way git can reach it; `None` where it is no address of a repository.
///
/// ```
/// use service::ardb::repository::normalize;
///
/// for published in ["git@github.com:acme/Rocket.git", "http://www.github.com/Acme/rocket/tree/main/core?tab=readme"] {
///     assert_eq!(normalize(published).expect("is one").url, "https://github.com/acme/rocket");
/// }
/// assert_eq!(normalize("on my disk"), None);
/// ```
#[must_use]
pub fn normalize(published: &str) -> Option<Repository> {
    let text = published.trim();
    let text = text.strip_prefix("git+").unwrap_or(text);
    let rest = match text.split_once("://") {
        Some(("http" | "https" | "git" | "ssh", rest)) => rest.to_owned(),
        Some(_) => return None,
        // The short form of ssh: user@host:path.
        None => text.split_once('@')?.1.replacen(':', "/", 1),
    };
    let rest = rest.split(['?', '#']).next()?;
    let (authority, path) = rest.split_once('/')?;
    let host = authority.rsplit('@').next()?;
    let host = host.split(':').next()?.to_ascii_lowercase();
    let host = host.strip_prefix("www.").unwrap_or(&host);
    if host.is_empty() || host.len() > 256 || !host.contains('.') || host.chars().any(|c| !is_of_host(c)) {
        return None;
    }
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let path = if OWNER_AND_NAME.contains(&host) {
        segments.get(..2)?.join("/").to_ascii_lowercase()
    } else {
        // GitLab's mark between the repository and a place within it.
        segments.split(|segment| *segment == "-").next()?.join("/")
    };
    let path = path.strip_suffix(".git").unwrap_or(&path);
    let url = format!("https://{host}/{path}");
    let is_kept =
        !path.is_empty() && url.len() <= 1024 && !path.chars().any(|c| c.is_whitespace() || c.is_control());
    is_kept.then(|| Repository { url, host: host.into(), path: path.into() })
}

fn is_of_host(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '.' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_repository_has_one_url() {
        for (published, url) in [
            ("https://github.com/acme/rocket", "https://github.com/acme/rocket"),
            ("git+https://user:secret@GitHub.com:443/Acme/Rocket.git/", "https://github.com/acme/rocket"),
            ("git://git.example.org/a/b/C.git", "https://git.example.org/a/b/C"),
            ("ssh://git@git.example.org/a/b", "https://git.example.org/a/b"),
            ("https://git.example.org/group/sub/name/-/tree/main", "https://git.example.org/group/sub/name"),
        ] {
            assert_eq!(normalize(published).map(|found| found.url).as_deref(), Some(url), "{published}");
        }
    }

    #[test]
    fn what_is_no_address_of_a_repository_is_none() {
        for published in [
            "",
            "https://",
            "https://github.com/acme",
            "file:///home/ada",
            "a b@c d:e",
            "https://h ost.org/a",
            "https://localhost/a",
            "https://example.org/",
        ] {
            assert_eq!(normalize(published), None, "{published}");
        }
    }
}
