//! The specification's test cases, in the form of the `tests` of its fixture files (purl-test.schema-0.2), and
//! whether this module agrees with one.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Error, Purl, Result};

/// One case.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Case {
    #[serde(default)]
    description: String,
    #[serde(default)]
    expected_failure: bool,
    #[serde(flatten)]
    task: Task,
}

/// What is to be done, with what, and what should come of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "test_type", rename_all = "lowercase")]
enum Task {
    /// Take a package URL apart.
    Parse { input: String, expected_output: Option<Components> },
    /// Make a package URL of components.
    Build { input: Components, expected_output: Option<String> },
    /// Bring a package URL into its canonical form.
    #[serde(alias = "roundtrip")]
    Validate { input: String, expected_output: Option<String> },
}

/// The components of a package URL, decoded, as a case writes them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Components {
    /// The type.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Its segments joined by `/`.
    pub namespace: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// The version.
    pub version: Option<String>,
    /// Null and an empty object are the same.
    pub qualifiers: Option<BTreeMap<String, String>>,
    /// Its segments joined by `/`.
    pub subpath: Option<String>,
}

/// What a case gives, or what comes of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// A package URL.
    Purl(String),
    /// One taken apart.
    Components(Components),
}

/// A package URL, or components as JSON.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Purl(purl) => f.write_str(purl),
            Self::Components(components) => {
                f.write_str(&serde_json::to_string(components).map_err(|_| fmt::Error)?)
            }
        }
    }
}

/// What a case expects, and what came instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Disagreement {
    /// What the case is about.
    pub description: String,
    /// `parse`, `build` or `validate`.
    pub test_type: &'static str,
    /// What the case gives.
    pub input: Answer,
    /// Null: that it is refused.
    pub expected: Option<Answer>,
    /// Null: it was refused.
    pub found: Option<Answer>,
    /// Why it was refused.
    pub error: Option<String>,
}

impl Case {
    /// Reads a case.
    ///
    /// # Errors
    ///
    /// When `json` is none; the error names the field.
    pub fn from_json(json: &str) -> serde_json::Result<Self> {
        let mut case: Self = serde_json::from_str(json)?;
        let is_given = match &mut case.task {
            Task::Parse { expected_output, .. } => {
                if let Some(expected) = expected_output {
                    expected.qualifiers.take_if(|qualifiers| qualifiers.is_empty());
                }
                expected_output.is_some()
            }
            Task::Build { expected_output, .. } | Task::Validate { expected_output, .. } => {
                expected_output.is_some()
            }
        };
        if !is_given && !case.expected_failure {
            let missing = "expected_output is missing, and expected_failure is not true";
            return Err(serde::de::Error::custom(missing));
        }
        Ok(case)
    }

    /// Does what the case asks for, and tells if something else comes of it than the case expects.
    ///
    /// Parsing is [`Purl::parse_strictly`]; validating is [`FromStr`](std::str::FromStr) and printing.
    #[must_use]
    pub fn check(&self) -> Option<Disagreement> {
        let print = |purl: Purl| Answer::Purl(purl.to_string());
        let (test_type, input, expected, done) = match &self.task {
            Task::Parse { input, expected_output } => (
                "parse",
                Answer::Purl(input.clone()),
                expected_output.clone().map(Answer::Components),
                Purl::parse_strictly(input).map(|purl| Answer::Components(purl.into())),
            ),
            Task::Build { input, expected_output } => (
                "build",
                Answer::Components(input.clone()),
                expected_output.clone().map(Answer::Purl),
                input.clone().build().map(print),
            ),
            Task::Validate { input, expected_output } => (
                "validate",
                Answer::Purl(input.clone()),
                expected_output.clone().map(Answer::Purl),
                input.parse().map(print),
            ),
        };
        let expected = expected.filter(|_| !self.expected_failure);
        let (found, error) = match done {
            Ok(found) => (Some(found), None),
            Err(error) => (None, Some(error.to_string())),
        };
        let description = self.description.clone();
        (found != expected).then_some(Disagreement { description, test_type, input, expected, found, error })
    }
}

impl Components {
    fn build(self) -> Result<Purl, Error> {
        let builder = Purl::new(self.kind.unwrap_or_default(), self.name.unwrap_or_default())
            .with_namespace(self.namespace.unwrap_or_default())
            .with_version(self.version.unwrap_or_default())
            .with_subpath(self.subpath.unwrap_or_default());
        let qualifiers = self.qualifiers.unwrap_or_default().into_iter();
        qualifiers.fold(builder, |builder, (key, value)| builder.with_qualifier(key, value)).build()
    }
}

impl From<Purl> for Components {
    fn from(purl: Purl) -> Self {
        Self {
            kind: Some(purl.kind),
            namespace: purl.namespace,
            name: Some(purl.name),
            version: purl.version,
            qualifiers: (!purl.qualifiers.is_empty()).then_some(purl.qualifiers),
            subpath: purl.subpath,
        }
    }
}
