//! The name of a repository, taken from the URL of its remote.

use url::Url;

/// `owner/name` of a remote URL: its path without `.git`. Host, user and password are dropped. A path on this
/// machine gives its last part. `None` if nothing is left.
pub(super) fn name(remote: &str) -> Option<String> {
    let remote = remote.trim();
    let path = if remote.contains("://") {
        let url = Url::parse(remote).ok()?;
        let path = percent_encoding::percent_decode_str(url.path()).decode_utf8_lossy().into_owned();
        if url.scheme() == "file" { last_part(&path).to_owned() } else { path }
    } else {
        match remote.split_once(':') {
            // `user@host:owner/name`; a single letter before the colon is a drive.
            Some((host, path)) if host.len() > 1 && !host.contains('/') => path.to_owned(),
            _ => last_part(remote).to_owned(),
        }
    };
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path).trim_matches('/');
    (!path.is_empty()).then(|| path.to_owned())
}

fn last_part(path: &str) -> &str {
    let path = path.trim_end_matches(['/', '\\']);
    let path = path.strip_suffix("/.git").unwrap_or(path);
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_remote_gives_the_name_and_never_the_credentials() {
        for (remote, expected) in [
            ("https://example.org/acme/rocket.git", Some("acme/rocket")),
            ("https://jane:pw@example.org/acme/rocket", Some("acme/rocket")),
            ("https://example.org/group/sub/name.git/", Some("group/sub/name")),
            ("ssh://git@example.org:2222/acme/rocket.git", Some("acme/rocket")),
            ("git@example.org:acme/rocket.git\n", Some("acme/rocket")),
            ("example.org:/srv/acme/rocket", Some("srv/acme/rocket")),
            ("file:///srv/git/rocket.git", Some("rocket")),
            ("/srv/git/rocket.git", Some("rocket")),
            ("/home/jane/rocket/.git", Some("rocket")),
            ("../rocket", Some("rocket")),
            ("C:\\work\\rocket", Some("rocket")),
            ("https://example.org/", None),
            ("https://exa mple/acme", None),
            ("", None),
        ] {
            assert_eq!(name(remote).as_deref(), expected, "{remote}");
        }
    }
}
