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
    let host = host.trim_start_matches("www.");
    if host.is_empty() || host.len() > 256 || !host.contains('.') || host.chars().any(|c| !is_of_host(c)) {
        return None;
    }
    let is_owner_and_name = OWNER_AND_NAME.contains(&host);
    let path = if is_owner_and_name { path.to_ascii_lowercase() } else { path.to_owned() };
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    let mut segments: Vec<&str> = if is_owner_and_name {
        segments.take(2).collect()
    } else {
        segments.take_while(|segment| !is_mark(segment)).collect()
    };
    // Until a name is left, so that the URL is its own.
    while let Some(last) = segments.pop() {
        let name = last.trim_end_matches(".git");
        if !name.is_empty() && (is_owner_and_name || !is_mark(name)) {
            segments.push(name);
            break;
        }
    }
    if is_owner_and_name && segments.len() < 2 {
        return None;
    }
    let path = segments.join("/");
    let url = format!("https://{host}/{path}");
    let is_kept =
        !path.is_empty() && url.len() <= 1024 && !path.chars().any(|c| c.is_whitespace() || c.is_control());
    is_kept.then(|| Repository { url, host: host.into(), path })
}

/// What GitLab has between the repository and a place within it.
fn is_mark(segment: &str) -> bool {
    segment == "-"
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
            ("https://git.example.org/a/b.git.git", "https://git.example.org/a/b"),
            ("https://git.example.org/a/.git", "https://git.example.org/a"),
            ("https://git.example.org/a/-.git", "https://git.example.org/a"),
            ("https://www.www.github.com/Acme/Rocket.GIT", "https://github.com/acme/rocket"),
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
            "https://github.com/acme/.git",
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
