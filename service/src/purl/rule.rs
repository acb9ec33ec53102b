//! The vocabulary of type definitions: what a definition may say about a component, and how it is carried out.

use std::borrow::Cow;

/// Whether a type has a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// Every package URL of the type has it.
    Required,
    /// It may have one.
    Optional,
    /// It has none.
    Prohibited,
}

/// What becomes of capitals in the canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// They stay.
    Sensitive,
    /// Lower case.
    Lower,
    /// Upper case.
    Upper,
    /// Lower case where the namespace is GitHub, whose names ignore case; elsewhere they stay.
    LowerAtGithub,
    /// Lower case where the qualifier `repository_url` is a Databricks host; elsewhere they stay.
    LowerAtDatabricks,
}

/// A normalisation beside that of case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rewrite {
    /// `_` becomes `-`.
    UnderscoreToDash,
    /// What separates words, `_` and space, becomes `-`; case stays.
    KebabCase,
    /// What is none of `a-z`, `0-9` becomes `_`.
    OtherToUnderscore,
}

/// A limit on what a component may be, once it is normalised.
#[derive(Clone, Copy, Debug)]
pub struct Permitted {
    /// The limit in words or as the definition's regular expression, as an error repeats it.
    pub expected: &'static str,
    /// Whether `expected` is the definition's `permitted_characters`; otherwise its note says it.
    pub is_pattern: bool,
    /// Whether a value keeps to it.
    pub accepts: fn(&str) -> bool,
}

/// What a definition says about one component.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// What becomes of capitals.
    pub case: Case,
    /// What else is rewritten, after case.
    pub rewrite: Option<Rewrite>,
    /// What it may be.
    pub permitted: Option<Permitted>,
}

/// What a component's rule may depend on besides the component.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Surroundings<'a> {
    pub(super) namespace: &'a str,
    pub(super) repository_url: &'a str,
}

impl Rule {
    /// Anything, as it is.
    pub(super) const ANY: Self = Self { case: Case::Sensitive, rewrite: None, permitted: None };
    /// Anything, in lower case.
    pub(super) const LOWER: Self = Self { case: Case::Lower, ..Self::ANY };

    pub(super) const fn case(case: Case) -> Self {
        Self { case, ..Self::ANY }
    }

    pub(super) const fn rewrite(self, rewrite: Rewrite) -> Self {
        Self { rewrite: Some(rewrite), ..self }
    }

    pub(super) const fn pattern(self, expected: &'static str, accepts: fn(&str) -> bool) -> Self {
        Self { permitted: Some(Permitted { expected, is_pattern: true, accepts }), ..self }
    }

    pub(super) const fn noted(self, expected: &'static str, accepts: fn(&str) -> bool) -> Self {
        Self { permitted: Some(Permitted { expected, is_pattern: false, accepts }), ..self }
    }

    /// `value` in its canonical form. Lower case is Unicode's full mapping (ECMA-427, 5.5).
    pub(super) fn normalize<'a>(&self, value: &'a str, around: Surroundings<'_>) -> Cow<'a, str> {
        let is_lower = match self.case {
            Case::Sensitive | Case::Upper => false,
            Case::Lower => true,
            Case::LowerAtGithub => {
                ["github", "github.com"].iter().any(|host| around.namespace.eq_ignore_ascii_case(host))
            }
            Case::LowerAtDatabricks => is_databricks(around.repository_url),
        };
        let cased = if is_lower {
            Cow::Owned(value.to_lowercase())
        } else if self.case == Case::Upper {
            Cow::Owned(value.to_uppercase())
        } else {
            Cow::Borrowed(value)
        };
        match self.rewrite {
            None => cased,
            Some(Rewrite::UnderscoreToDash) => Cow::Owned(cased.replace('_', "-")),
            Some(Rewrite::KebabCase) => Cow::Owned(cased.replace(['_', ' '], "-")),
            Some(Rewrite::OtherToUnderscore) => {
                let is_kept = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
                Cow::Owned(cased.chars().map(|c| if is_kept(c) { c } else { '_' }).collect())
            }
        }
    }
}

fn is_databricks(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#', ':']).next().unwrap_or_default().to_ascii_lowercase();
    ["azuredatabricks.net", "databricks.com"]
        .iter()
        .any(|domain| host.strip_suffix(domain).is_some_and(|front| front.is_empty() || front.ends_with('.')))
}

/// A qualifier that a definition knows. Others are allowed, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Qualifier {
    /// In lower case.
    pub key: &'static str,
    /// Whether a package URL of the type is invalid without it.
    pub is_required: bool,
    /// What its absence means.
    pub default: Option<&'static str>,
}

/// One type's definition.
#[derive(Clone, Copy, Debug)]
pub struct Type {
    /// In lower case, as it stands in a package URL.
    pub name: &'static str,
    /// Whether there is a namespace.
    pub namespace_requirement: Requirement,
    /// The namespace, its segments joined by `/`.
    pub namespace: Rule,
    /// The package's name.
    pub package_name: Rule,
    /// The version.
    pub version: Rule,
    /// The subpath.
    pub subpath: Rule,
    /// Whether the namespace is the first segment alone and the name a path, its `/` not encoded.
    pub has_path_names: bool,
    /// The type's own qualifiers.
    pub qualifiers: &'static [Qualifier],
    /// Whether packages of the type come from a registry.
    pub has_registry: bool,
    /// Which one, where the qualifier `repository_url` names none.
    pub default_registry: Option<&'static str>,
}

impl Type {
    /// A type with the rules that all types share, with a registry and without a default one.
    pub(super) const fn new(name: &'static str, namespace: Requirement) -> Self {
        Self {
            name,
            namespace_requirement: namespace,
            namespace: Rule::ANY,
            package_name: Rule::ANY,
            version: Rule::ANY,
            subpath: Rule::ANY,
            has_path_names: false,
            qualifiers: &[],
            has_registry: true,
            default_registry: None,
        }
    }

    pub(super) const fn namespace(self, namespace: Rule) -> Self {
        Self { namespace, ..self }
    }

    pub(super) const fn package_name(self, package_name: Rule) -> Self {
        Self { package_name, ..self }
    }

    pub(super) const fn version(self, version: Rule) -> Self {
        Self { version, ..self }
    }

    pub(super) const fn subpath(self, subpath: Rule) -> Self {
        Self { subpath, ..self }
    }

    pub(super) const fn path_names(self) -> Self {
        Self { has_path_names: true, ..self }
    }

    pub(super) const fn qualifiers(self, qualifiers: &'static [Qualifier]) -> Self {
        Self { qualifiers, ..self }
    }

    pub(super) const fn registry(self, url: &'static str) -> Self {
        Self { default_registry: Some(url), ..self }
    }

    pub(super) const fn no_registry(self) -> Self {
        Self { has_registry: false, ..self }
    }

    /// `name`, which is without its namespace, in its canonical form, whatever else the package URL says.
    #[must_use]
    pub fn normalize_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        self.package_name.normalize(name, Surroundings::default())
    }

    /// `namespace` in its canonical form.
    #[must_use]
    pub fn normalize_namespace<'a>(&self, namespace: &'a str) -> Cow<'a, str> {
        self.namespace.normalize(namespace, Surroundings::default())
    }
}
