//! Package URLs, `pkg:type/namespace/name@version?qualifiers#subpath`, by ECMA-427.
//!
//! What lives here: reading, checking, normalising, building and printing them, driven by [`types`], the table of the
//! registered types. [`case`](mod@case) holds all of it against the specification's own test cases. What does not: how
//! an ecosystem's own tools write a name (`ardb::name`, which asks the table for the rules that both have), and
//! requests to registries.
//!
//! ```
//! use service::purl::Purl;
//!
//! let purl: Purl = "pkg:PyPI/Django_Filter@24.2?file_name=".parse()?;
//! assert_eq!(purl.to_string(), "pkg:pypi/django-filter@24.2");
//!
//! let built = Purl::new("npm", "core").with_namespace("@babel").with_version("7.0.0").build()?;
//! assert_eq!(built.to_string(), "pkg:npm/%40babel/core@7.0.0");
//! # Ok::<(), service::purl::Error>(())
//! ```
//!
//! A [`Purl`] is always canonical: whatever made it normalised it by its type's rules, so two that are equal print
//! alike, and what one prints parses to itself. A type that is not registered is taken with the rules that all types
//! share.

mod builder;
pub mod case;
mod encoding;
mod error;
mod parse;
pub mod rule;
pub mod types;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use builder::Builder;
pub use error::{Component, Error, Result};

/// A package URL in its canonical form. As serde sees it: a string.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Purl {
    kind: String,
    namespace: Option<String>,
    name: String,
    version: Option<String>,
    qualifiers: BTreeMap<String, String>,
    subpath: Option<String>,
}

impl Purl {
    /// A builder of the package URL of `name`, whose type is `kind`; [`Builder::build`] checks and normalises.
    #[expect(
        clippy::new_ret_no_self,
        reason = "a type may require more than its name, so this is no Purl yet"
    )]
    pub fn new(kind: impl Into<String>, name: impl Into<String>) -> Builder {
        Builder::new(kind.into(), name.into())
    }

    /// The package URL of a version of a package, or of the package, as `ardb` has them: `namespace` is empty where
    /// there is none, `purl_type` is that of the ecosystem.
    ///
    /// # Errors
    ///
    /// When the type's rules refuse them, and where a `/` around or beside another would be left out, which makes the
    /// package URL another package's. A type that requires a qualifier (julia, swid) always does.
    pub fn of_package(purl_type: &str, namespace: &str, name: &str, version: Option<&str>) -> Result<Self> {
        let is_kept = |part: &str| part.is_empty() || part.split('/').all(|segment| !segment.is_empty());
        for (component, part) in [(Component::Namespace, namespace), (Component::Name, name)] {
            if !is_kept(part) {
                return Err(Error::new(component, "no / but between segments", part));
            }
        }
        let builder = Self::new(purl_type, name).with_namespace(namespace);
        match version {
            Some(version) => builder.with_version(version).build(),
            None => builder.build(),
        }
    }

    /// Parses as [`FromStr`] does, and refuses a key of the type's own qualifiers that is not in lower case.
    ///
    /// The specification's instructions for parsing lower every key, and so does `FromStr`; its test cases for
    /// parsing accept that of a general key (`repositorY_url`) and refuse that of a type's own (`Platform` of gem,
    /// `Arch` of rpm).
    ///
    /// # Errors
    ///
    /// When `text` is no package URL, or one with such a key.
    pub fn parse_strictly(text: &str) -> Result<Self> {
        parse::parse(text, parse::Keys::OwnAsDefined)
    }

    /// The type, in lower case: `npm`.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The namespace, its segments joined by `/`: `github.com/gorilla`.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// The name of the package.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The qualifiers by key; no value is empty.
    #[must_use]
    pub fn qualifiers(&self) -> &BTreeMap<String, String> {
        &self.qualifiers
    }

    /// The path within the package, without a `/` around it.
    #[must_use]
    pub fn subpath(&self) -> Option<&str> {
        self.subpath.as_deref()
    }

    /// The definition of the type, or `None` if it is not registered.
    #[must_use]
    pub fn definition(&self) -> Option<&'static rule::Type> {
        types::find(&self.kind)
    }
}

/// Takes what the specification's instructions for parsing and its lenient grammar take: another case of scheme,
/// type and keys, slashes after the scheme and around segments, characters that should have been encoded, empty
/// qualifiers.
impl FromStr for Purl {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        parse::parse(text, parse::Keys::Lowered)
    }
}

/// The canonical form.
impl fmt::Display for Purl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pkg:{}/", self.kind)?;
        if let Some(namespace) = &self.namespace {
            encoding::encode_segments(f, namespace)?;
            f.write_str("/")?;
        }
        if self.definition().is_some_and(|definition| definition.has_path_names) {
            encoding::encode_segments(f, &self.name)?;
        } else {
            encoding::encode(f, &self.name)?;
        }
        if let Some(version) = &self.version {
            f.write_str("@")?;
            encoding::encode(f, version)?;
        }
        for (position, (key, value)) in self.qualifiers.iter().enumerate() {
            write!(f, "{}{key}=", if position == 0 { '?' } else { '&' })?;
            encoding::encode(f, value)?;
        }
        if let Some(subpath) = &self.subpath {
            f.write_str("#")?;
            encoding::encode_segments(f, subpath)?;
        }
        Ok(())
    }
}

impl Serialize for Purl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Purl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
