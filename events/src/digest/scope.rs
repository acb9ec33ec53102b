//! Of what a digest tells.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::error::{Error, Result};

/// Of what a digest tells. Written `repo:acme/rocket`, `org:acme`, `user:octo`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One repository, by its name.
    Repository(String),
    /// All repositories of an owner: those whose name begins with it and a slash.
    Organization(String),
    /// All that a person did, by the name that the source gives.
    User(String),
}

impl Scope {
    /// The repository, the beginning of its name and the actor to look for; empty for any.
    pub(super) fn filters(&self) -> (&str, String, &str) {
        match self {
            Self::Repository(name) => (name, String::new(), ""),
            Self::Organization(owner) => ("", format!("{owner}/"), ""),
            Self::User(name) => ("", String::new(), name),
        }
    }
}

impl FromStr for Scope {
    type Err = Error;

    fn from_str(given: &str) -> Result<Self> {
        let unknown = || Error::Scope { given: given.to_owned() };
        let (kind, name) = given.split_once(':').ok_or_else(unknown)?;
        let name = name.trim();
        match kind {
            _ if name.is_empty() => Err(unknown()),
            "repo" => Ok(Self::Repository(name.to_owned())),
            "org" if !name.contains('/') => Ok(Self::Organization(name.to_owned())),
            "user" => Ok(Self::User(name.to_owned())),
            _ => Err(unknown()),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repository(name) => write!(f, "repo:{name}"),
            Self::Organization(owner) => write!(f, "org:{owner}"),
            Self::User(name) => write!(f, "user:{name}"),
        }
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_reads_back_from_its_text() {
        for text in ["repo:acme/rocket", "repo:rocket", "org:acme", "user:Jane Doe"] {
            assert_eq!(text.parse::<Scope>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn another_scope_is_refused_with_what_is_possible() {
        for text in ["", "acme/rocket", "repo:", "org: ", "org:a/b", "team:x", "package:serde", "Repo:a/b"] {
            let said = text.parse::<Scope>().unwrap_err().to_string();
            let expected =
                format!("`{text}` is not a scope; a digest is of repo:OWNER/NAME, org:OWNER or user:NAME");
            assert_eq!(said, expected);
        }
    }
}
