//! `archer purl`: package URLs held against the specification's rules.

use std::io::BufRead;

use anyhow::Context as _;
use clap::Subcommand;
use serde::Serialize;
use service::purl::Purl;
use service::purl::case::{Answer, Case, Disagreement};

use crate::Context;
use crate::output::{self, BAD, FAINT, GOOD, Outcome, STRONG, count, paint, plain};

/// What to do with package URLs.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Holds test cases, or package URLs, from standard input against the specification
    #[command(after_help = "Examples:\n  jq -c '.tests[]' cargo-test.json | archer purl check\n  \
        echo 'pkg:PyPI/Django_Filter@24.2' | archer purl check\n\n\
        A line is a case as in the test files of the specification (one JSON object: test_type, input,\n\
        expected_output, expected_failure), or a package URL, which should be canonical.\n\
        Ends with 0 where all agree, 3 where some don't, 1 where a line is neither.")]
    Check,
}

/// What came of all lines.
#[derive(Debug, Default, Serialize)]
struct Report {
    /// Lines that were a case or a package URL.
    checked: u64,
    disagreements: Vec<Found>,
    malformed: Vec<Malformed>,
}

#[derive(Debug, Serialize)]
struct Found {
    /// From 1.
    line: u64,
    #[serde(flatten)]
    disagreement: Disagreement,
}

#[derive(Debug, Serialize)]
struct Malformed {
    /// From 1.
    line: u64,
    error: String,
}

/// Checks what standard input holds. The outcome is [`Outcome::No`] if there was a disagreement, and
/// [`Outcome::Failed`] if a line could not be read.
///
/// # Errors
///
/// When standard input or output is gone.
pub fn run(context: &Context, command: &Command) -> anyhow::Result<Outcome> {
    let Command::Check = command;
    let report = check(std::io::stdin().lock(), |told| match told {
        _ if context.json => Ok(()),
        Told::Disagreement(found) => output::text(describe(found)),
        Told::Malformed(Malformed { line, error }) => {
            anstream::eprintln!("{} line {line}: {}", paint(BAD, "error:"), plain(error));
            Ok(())
        }
    })?;
    if context.json {
        output::json(&report)?;
    } else {
        output::text(summary(&report))?;
    }
    Ok(match (report.malformed.len(), report.disagreements.len()) {
        (0, 0) => Outcome::Done,
        (0, _) => Outcome::No,
        _ => Outcome::Failed,
    })
}

/// What is told while lines are read.
enum Told<'a> {
    Disagreement(&'a Found),
    Malformed(&'a Malformed),
}

fn check(
    mut input: impl BufRead,
    mut tell: impl FnMut(Told<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let mut octets = Vec::new();
    for line in 1.. {
        octets.clear();
        if input.read_until(b'\n', &mut octets).context("standard input can't be read")? == 0 {
            break;
        }
        let text = std::str::from_utf8(&octets).map(str::trim);
        let checked = match text {
            Ok("") => continue,
            Ok(text) => check_line(text),
            Err(error) => Err(format!("expected UTF-8: {error}")),
        };
        report.checked += u64::from(checked.is_ok());
        match checked {
            Ok(None) => {}
            Ok(Some(disagreement)) => {
                let found = Found { line, disagreement };
                tell(Told::Disagreement(&found))?;
                report.disagreements.push(found);
            }
            Err(error) => {
                let malformed = Malformed { line, error };
                tell(Told::Malformed(&malformed))?;
                report.malformed.push(malformed);
            }
        }
    }
    Ok(report)
}

fn check_line(text: &str) -> Result<Option<Disagreement>, String> {
    if text.starts_with('{') {
        let case = Case::from_json(text).map_err(|error| {
            // Every case is line 1 of itself.
            format!("no test case: {}", error.to_string().replace(" at line 1 column", ", column"))
        })?;
        return Ok(case.check());
    }
    let purl: Purl = text.parse().map_err(|error| format!("no package URL and no test case: {error}"))?;
    let canonical = purl.to_string();
    Ok((canonical != text).then(|| Disagreement {
        description: "the canonical form".to_owned(),
        test_type: "validate",
        input: Answer::Purl(text.to_owned()),
        expected: Some(Answer::Purl(text.to_owned())),
        found: Some(Answer::Purl(canonical)),
        error: None,
    }))
}

fn describe(Found { line, disagreement }: &Found) -> String {
    let Disagreement { description, test_type, input, expected, found, error } = disagreement;
    let answer = |answer: &Option<Answer>| match answer {
        Some(answer) => plain(&answer.to_string()),
        None => "a refusal".to_owned(),
    };
    let found = match error {
        Some(error) => format!("a refusal: {}", plain(error)),
        None => answer(found),
    };
    format!(
        "{} {test_type}: {}\n  {} {}\n  {} {}\n  {} {found}",
        paint(STRONG, format!("line {line}")),
        plain(description),
        paint(FAINT, "input   "),
        plain(&input.to_string()),
        paint(FAINT, "expected"),
        answer(expected),
        paint(FAINT, "found   "),
    )
}

fn summary(report: &Report) -> String {
    let (disagreements, malformed) = (report.disagreements.len() as u64, report.malformed.len() as u64);
    let style = if disagreements + malformed == 0 { GOOD } else { BAD };
    let mut text = format!(
        "{} checked, {}",
        count(report.checked),
        paint(style, format!("{} disagree", count(disagreements)))
    );
    if malformed > 0 {
        text.push_str(&format!(", {}", paint(BAD, format!("{} malformed", count(malformed)))));
    }
    text
}
