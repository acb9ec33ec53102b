//! Licences: from what publishers write to SPDX expressions.

use spdx::{Expression, ParseMode};

/// The longest expression that is kept, in bytes, as the schema has it.
const MAX_BYTES: usize = 1024;

/// A licence as `licences` keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Licence {
    /// An SPDX expression in canonical spelling, or the text as it was published.
    pub expression: String,
    /// Whether it is an SPDX expression.
    pub is_spdx: bool,
}

/// What the `published` text names; `None` where it is blank or longer than any expression.
///
/// The slash that cargo took for "or" until 2018 and other spellings from before SPDX 2 are read as what they mean.
///
/// ```
/// use service::ardb::licence::normalize;
///
/// let both = normalize("MIT/Apache-2.0").expect("is a licence");
/// assert_eq!((both.expression.as_str(), both.is_spdx), ("MIT OR Apache-2.0", true));
/// assert!(!normalize("ask Ada").expect("is kept").is_spdx);
/// ```
#[must_use]
pub fn normalize(published: &str) -> Option<Licence> {
    let text = published.trim();
    if text.is_empty() || text.len() > MAX_BYTES {
        return None;
    }
    let canonical = Expression::canonicalize(text).ok().flatten().unwrap_or_else(|| text.to_owned());
    let is_spdx =
        canonical.len() <= MAX_BYTES && Expression::parse_mode(&canonical, ParseMode::STRICT).is_ok();
    Some(Licence { expression: if is_spdx { canonical } else { text.to_owned() }, is_spdx })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_licence_become_one_expression() {
        for (published, expression, is_spdx) in [
            ("MIT", "MIT", true),
            (" MIT OR Apache-2.0 ", "MIT OR Apache-2.0", true),
            ("MIT / Apache-2.0", "MIT OR Apache-2.0", true),
            ("(MIT OR Apache-2.0) AND BSD-3-Clause", "(MIT OR Apache-2.0) AND BSD-3-Clause", true),
            ("LicenseRef-acme", "LicenseRef-acme", true),
            ("MIT OR", "MIT OR", false),
            ("non-standard", "non-standard", false),
        ] {
            let found = normalize(published);
            assert_eq!(found, Some(Licence { expression: expression.into(), is_spdx }), "{published:?}");
        }
        assert_eq!(normalize(" "), None);
        assert_eq!(normalize(&"x".repeat(1025)), None);
    }
}
