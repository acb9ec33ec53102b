//! `repository` in npm's documents: a URL, a shorthand such as `github:acme/rocket`, or an object with either.

use serde_json::value::RawValue;

use super::super::json::{At, Flaws};
use crate::ardb::repository::{Repository, normalize};

/// Where the package is developed; `None` where that is not given, or is no URL of a repository.
pub(super) fn read<'a>(flaws: &mut Flaws<'a>, raw: &'a RawValue, at: At<'_>) -> Option<Repository> {
    let text = match raw.get().as_bytes().first() {
        Some(b'[') => {
            let first = flaws.array(raw, at).into_iter().next()?;
            return read(flaws, first, at);
        }
        Some(b'{') => {
            let object = flaws.object(raw, at)?;
            flaws.text_of(&object, "url", at)?
        }
        _ => flaws.text(raw, at)?,
    };
    normalize(&expand(text.trim()))
}

/// The URL that a shorthand stands for; `owner/name` alone is GitHub's.
fn expand(text: &str) -> String {
    let hosts = [("github:", "github.com"), ("gitlab:", "gitlab.com"), ("bitbucket:", "bitbucket.org")];
    for (prefix, host) in hosts {
        if let Some(path) = text.strip_prefix(prefix) {
            return format!("https://{host}/{path}");
        }
    }
    let is_short = text.split('/').count() == 2
        && !text.contains([':', '@', ' '])
        && text.split('/').all(|part| !part.is_empty() && !part.starts_with('.'));
    if is_short { format!("https://github.com/{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shorthand_stands_for_its_url() {
        for (text, url) in [
            ("acme/rocket", Some("https://github.com/acme/rocket")),
            ("github:acme/rocket#main", Some("https://github.com/acme/rocket")),
            ("gitlab:acme/core/rocket", Some("https://gitlab.com/acme/core/rocket")),
            ("bitbucket:acme/rocket", Some("https://bitbucket.org/acme/rocket")),
            ("git@git.example.org:acme/rocket.git", Some("https://git.example.org/acme/rocket")),
            ("gist:11081aaa281", None),
            ("../rocket", None),
            ("rocket", None),
        ] {
            assert_eq!(normalize(&expand(text)).map(|found| found.url).as_deref(), url, "{text}");
        }
    }
}
