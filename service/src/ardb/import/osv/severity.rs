//! Severities: what a record says, and what follows from a CVSS vector.

use std::collections::BTreeSet;

use cvss::Cvss;
use entity_ardb::SeverityRating;
use serde::Deserialize;

use super::super::check;

const MAX_KIND_BYTES: usize = 64;
const MAX_VECTOR_BYTES: usize = 1024;

/// As OSV has it.
#[derive(Deserialize)]
pub(super) struct Given {
    r#type: String,
    score: String,
}

/// A row of `advisory_severities`.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Severity {
    pub(super) kind: String,
    pub(super) vector: String,
    pub(super) score_tenths: Option<i32>,
    pub(super) rating: Option<SeverityRating>,
}

/// Each severity that is given, once; empty ones say nothing.
pub(super) fn severities<'a>(given: impl Iterator<Item = &'a Given>) -> Result<BTreeSet<Severity>, String> {
    given.filter(|given| !given.score.is_empty()).map(severity).collect()
}

/// The vector of the highest CVSS version.
pub(super) fn main_vector(severities: &BTreeSet<Severity>) -> Option<&str> {
    let vectors = severities.iter().filter(|severity| severity.kind.starts_with("CVSS_V"));
    vectors
        .max_by(|a, b| a.kind.cmp(&b.kind).then_with(|| b.vector.cmp(&a.vector)))
        .map(|found| found.vector.as_str())
}

#[cfg(any(test, feature = "fuzzing"))]
pub(super) fn fuzz(data: &[u8]) {
    let Some((kind, score)) = str::from_utf8(data).ok().and_then(|text| text.split_once('\n')) else {
        return;
    };
    // What a record is read from has no NUL.
    if let Ok(severity) = severity(&Given { r#type: kind.into(), score: score.into() })
        && !kind.contains('\0')
        && !score.contains('\0')
    {
        severity.assert_kept();
    }
}

#[cfg(any(test, feature = "fuzzing"))]
impl Severity {
    /// That the columns take it, and that a score and its rating are of one scale.
    pub(super) fn assert_kept(&self) {
        super::super::fuzzing::assert_text(&self.kind, 1..=MAX_KIND_BYTES);
        super::super::fuzzing::assert_text(&self.vector, 1..=MAX_VECTOR_BYTES);
        let rated = self.score_tenths.map(|score| match score {
            0 => SeverityRating::None,
            1..=39 => SeverityRating::Low,
            40..=69 => SeverityRating::Medium,
            70..=89 => SeverityRating::High,
            _ => SeverityRating::Critical,
        });
        assert!(self.score_tenths.is_none_or(|score| (0..=100).contains(&score)), "{self:?}");
        // A vector of version 2, of whatever kind it is said to be, has that version's scale: no None, no Critical.
        assert!(rated.is_none() || rated == self.rating || !self.vector.contains("CVSS:"), "{self:?}");
    }
}

fn severity(given: &Given) -> Result<Severity, String> {
    check::length("type of a severity", &given.r#type, MAX_KIND_BYTES)?;
    check::length("score of a severity", &given.score, MAX_VECTOR_BYTES)?;
    let parsed = given.r#type.starts_with("CVSS_V").then(|| cvss(&given.score)).flatten();
    let rating = match &parsed {
        Some(cvss) => Some(rating(cvss.severity())),
        None => given.score.parse().ok().map(rating),
    };
    Ok(Severity {
        kind: given.r#type.clone(),
        vector: given.score.clone(),
        // Scores have one decimal and are 10.0 at the most.
        score_tenths: parsed.map(|cvss| (cvss.score() * 10.0).round() as i32),
        rating,
    })
}

/// A vector of any version that says enough for a score; 2.0 may be in parentheses.
///
/// The crate takes one without all of the mandatory metrics, and scores it 0.
fn cvss(vector: &str) -> Option<Cvss> {
    let vector = vector.trim_start_matches('(').trim_end_matches(')');
    let cvss: Cvss = vector.parse().ok()?;
    let mandatory: &[&str] = match &cvss {
        Cvss::CvssV20(_) => &["AV", "AC", "Au", "C", "I", "A"],
        Cvss::CvssV30(_) | Cvss::CvssV31(_) => &["AV", "AC", "PR", "UI", "S", "C", "I", "A"],
        Cvss::CvssV40(_) => &["AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA"],
        _ => return None,
    };
    let has = |metric: &&str| {
        vector.split('/').any(|part| part.split_once(':').is_some_and(|(name, _)| name == *metric))
    };
    mandatory.iter().all(has).then_some(cvss)
}

fn rating(severity: cvss::Severity) -> SeverityRating {
    match severity {
        cvss::Severity::None => SeverityRating::None,
        cvss::Severity::Low => SeverityRating::Low,
        cvss::Severity::Medium => SeverityRating::Medium,
        cvss::Severity::High => SeverityRating::High,
        cvss::Severity::Critical => SeverityRating::Critical,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rated(kind: &str, score: &str) -> (Option<i32>, Option<SeverityRating>) {
        let given = Given { r#type: kind.into(), score: score.into() };
        let severity = severity(&given).unwrap();
        (severity.score_tenths, severity.rating)
    }

    /// Scores by FIRST's own calculators and examples.
    #[test]
    fn a_vector_has_the_score_and_rating_of_its_version() {
        use SeverityRating::{Critical, High, Medium, None as Harmless};
        for (kind, vector, score, rating) in [
            ("CVSS_V2", "AV:N/AC:L/Au:N/C:N/I:N/A:C", 78, High),
            ("CVSS_V3", "CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 61, Medium),
            ("CVSS_V3", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 98, Critical),
            ("CVSS_V3", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0, Harmless),
            ("CVSS_V4", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 93, Critical),
        ] {
            assert_eq!(rated(kind, vector), (Some(score), Some(rating)), "{vector}");
        }
    }

    #[test]
    fn a_word_is_a_rating_without_a_score_and_what_is_neither_has_none() {
        assert_eq!(rated("Ubuntu", "medium"), (None, Some(SeverityRating::Medium)));
        assert_eq!(rated("Ubuntu", "negligible"), (None, None));
        assert_eq!(rated("CVSS_V3", "CVSS:3.1/AV:N"), (None, None));
        assert_eq!(rated("CVSS_V4", "CVSS:9.0/AV:N"), (None, None));
    }
}
