//! Why a text is no package URL, or parts make none.

use std::borrow::Cow;
use std::fmt;

/// The result of this module's fallible functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// How much of a refused component an error repeats, in characters.
const SHOWN: usize = 80;

/// A component that breaks a rule, and the rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{component}: expected {expected}, found {found:?}")]
pub struct Error {
    /// Which component.
    pub component: Component,
    /// What belongs there.
    pub expected: Cow<'static, str>,
    /// What is there, cut after 80 characters; empty: nothing.
    pub found: String,
}

impl Error {
    pub(super) fn new(component: Component, expected: impl Into<Cow<'static, str>>, found: &str) -> Self {
        let mut shown: String = found.chars().take(SHOWN).collect();
        if shown.len() < found.len() {
            shown.push('…');
        }
        Self { component, expected: expected.into(), found: shown }
    }
}

/// The seven components of a package URL, in their order (ECMA-427, 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Component {
    /// `pkg:`
    Scheme,
    /// Such as `npm`.
    Type,
    /// Between the type and the name.
    Namespace,
    /// The name of the package.
    Name,
    /// After `@`.
    Version,
    /// After `?`.
    Qualifiers,
    /// After `#`.
    Subpath,
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "scheme",
            Self::Type => "type",
            Self::Namespace => "namespace",
            Self::Name => "name",
            Self::Version => "version",
            Self::Qualifiers => "qualifiers",
            Self::Subpath => "subpath",
        })
    }
}
