//! `archer version`: versions held against each other and against ranges, line by line.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::io::{self, BufRead, Read as _};

use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use service::ardb::version::ecosystem::{self, Ecosystem};
use service::ardb::version::order::{self, Scheme};
use service::ardb::version::range::{self, Event};

use crate::Context;
use crate::output::{self, BAD, GOOD, Outcome, WARN, count, paint, plain, so_many};

/// Longer lines are no cases.
const MAX_LINE_BYTES: u64 = 4 * 1024 * 1024;

/// What to do with the lines.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Checks lines `a < b`, `a = b` and `a > b` from standard input against the ecosystem's order
    #[command(after_help = "Examples:\n  echo '1.0rc1 < 1.0' | archer version compare --ecosystem PyPI\n  \
        archer version compare --ecosystem Debian < versions.txt\n\n\
        Blank lines and lines that begin with # or // are skipped. Exit code 3: some line disagrees; \
        1: some line is malformed.")]
    Compare(Arguments),
    /// Tells for each line of JSON from standard input whether the version is affected
    #[command(after_help = "Example:\n  \
        echo '{\"version\":\"1.2\",\"ranges\":[{\"events\":[{\"introduced\":\"0\"},{\"fixed\":\"1.3\"}]}]}' \\\n    \
        | archer version affects --ecosystem npm\n\n\
        ranges and versions are those of an OSV record, either may be left out. Prints true or false per line; exit code 1: some \
        line is malformed, which prints error in its place.")]
    Affects(Arguments),
}

/// Which order to compare by.
#[derive(Args, Clone, Debug)]
pub struct Arguments {
    /// By OSV's name, the purl type or ours: crates.io, cargo, PyPI, Debian:12, …
    #[arg(long, value_name = "NAME", value_parser = ecosystem)]
    ecosystem: Ecosystem,
}

fn ecosystem(name: &str) -> Result<Ecosystem, String> {
    ecosystem::find(name).ok_or_else(|| {
        let listed = ecosystem::ECOSYSTEMS.iter().map(|known| {
            let aliases = known.aliases.join(", ");
            if aliases.is_empty() { known.name.to_owned() } else { format!("{} ({aliases})", known.name) }
        });
        format!("unknown; known are {}", listed.collect::<Vec<_>>().join(", "))
    })
}

/// Reads standard input to its end and answers per line.
///
/// # Errors
///
/// When standard input can't be read, or standard output is gone.
pub fn run(context: &Context, command: &Command) -> anyhow::Result<Outcome> {
    let input = io::stdin().lock();
    match command {
        Command::Compare(Arguments { ecosystem }) => compare(context, *ecosystem, input),
        Command::Affects(Arguments { ecosystem }) => affects(context, *ecosystem, input),
    }
}

#[derive(Serialize)]
struct Compared {
    ecosystem: &'static str,
    compared: u64,
    disagreements: Vec<Disagreement>,
    malformed: Vec<Malformed>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Disagreement {
    line: u64,
    case: String,
    /// `<`, `=` or `>`; `None`: a version does not parse.
    found: Option<char>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Malformed {
    line: u64,
    reason: String,
}

fn compare(context: &Context, ecosystem: Ecosystem, input: impl BufRead) -> anyhow::Result<Outcome> {
    let mut all =
        Compared { ecosystem: ecosystem.name, compared: 0, disagreements: Vec::new(), malformed: Vec::new() };
    lines(input, |line, text| {
        match text.map(str::trim).and_then(|text| Ok((text, case(text)?))) {
            Err(reason) => {
                all.malformed.push(Malformed { line, reason });
            }
            Ok((_, None)) => {}
            Ok((text, Some((a, operator, b)))) => {
                all.compared += 1;
                let found = order::compare(ecosystem.scheme, a, b).map(sign);
                if found != Some(operator) {
                    all.disagreements.push(Disagreement { line, case: text.to_owned(), found });
                }
            }
        }
        Ok(())
    })?;
    if context.json {
        output::json(&all)?;
    } else {
        for Disagreement { line, case, found } in &all.disagreements {
            let found = found.map_or("does not parse".to_owned(), |found| format!("came out as {found}"));
            output::text(format!("{} {line}: {} {found}", paint(WARN, "line"), plain(case)))?;
        }
        complain(&all.malformed);
        let style = if all.disagreements.is_empty() { GOOD } else { WARN };
        let number = all.disagreements.len() as u64;
        let disagree = paint(style, format!("{} of them disagree", count(number)));
        let pairs = so_many(all.compared, "pair");
        output::text(format!("{pairs} of {} compared, {disagree}", all.ecosystem))?;
    }
    Ok(match (all.malformed.is_empty(), all.disagreements.is_empty()) {
        (false, _) => Outcome::Failed,
        (true, false) => Outcome::No,
        (true, true) => Outcome::Done,
    })
}

/// `a < b` in its three parts; `None` for a blank line and a comment.
fn case(text: &str) -> Result<Option<(&str, char, &str)>, String> {
    if text.is_empty() || text.starts_with('#') || text.starts_with("//") {
        return Ok(None);
    }
    match text.split_whitespace().collect::<Vec<_>>()[..] {
        [a, "<", b] => Ok(Some((a, '<', b))),
        [a, "=", b] => Ok(Some((a, '=', b))),
        [a, ">", b] => Ok(Some((a, '>', b))),
        _ => Err("is none of a < b, a = b, a > b with spaces between".to_owned()),
    }
}

fn sign(found: Ordering) -> char {
    match found {
        Ordering::Less => '<',
        Ordering::Equal => '=',
        Ordering::Greater => '>',
    }
}

/// A line of `archer version affects`: what of an OSV record's `affected` is asked, and a version.
#[derive(Deserialize)]
struct Question {
    version: String,
    #[serde(default)]
    ranges: Vec<Range>,
    #[serde(default)]
    versions: Vec<String>,
}

#[derive(Deserialize)]
struct Range {
    r#type: Option<String>,
    #[serde(default)]
    events: Vec<BTreeMap<String, String>>,
}

#[derive(Serialize)]
struct Answered {
    ecosystem: &'static str,
    /// By line; null: the line is malformed.
    affected: Vec<Option<bool>>,
    malformed: Vec<Malformed>,
}

fn affects(context: &Context, ecosystem: Ecosystem, input: impl BufRead) -> anyhow::Result<Outcome> {
    let mut all = Answered { ecosystem: ecosystem.name, affected: Vec::new(), malformed: Vec::new() };
    lines(input, |line, text| {
        let answer = match text {
            Ok(text) if text.trim().is_empty() => return Ok(()),
            Ok(text) => answer(text, ecosystem.scheme),
            Err(reason) => Err(reason),
        };
        let said = answer.as_ref().map_or("error".to_owned(), ToString::to_string);
        if context.json {
            all.affected.push(answer.as_ref().ok().copied());
        } else {
            output::text(said)?;
        }
        all.malformed.extend(answer.err().map(|reason| Malformed { line, reason }));
        Ok(())
    })?;
    if context.json {
        output::json(&all)?;
    } else {
        complain(&all.malformed);
    }
    Ok(if all.malformed.is_empty() { Outcome::Done } else { Outcome::Failed })
}

fn answer(text: &str, scheme: Scheme) -> Result<bool, String> {
    let question: Question = serde_json::from_str(text).map_err(|error| match error.is_eof() {
        true => "ends within its JSON; a question is one line".to_owned(),
        false => error.to_string().replace(" at line 1 column ", ", at byte "),
    })?;
    let mut ranges = Vec::new();
    for Range { r#type, events } in question.ranges {
        let kind = r#type.as_deref().unwrap_or("ECOSYSTEM");
        // Commits have an order only in their repository's history.
        if kind == "GIT" {
            continue;
        }
        if !matches!(kind, "SEMVER" | "ECOSYSTEM") {
            return Err(format!("range type {kind:?} is none of SEMVER, ECOSYSTEM, GIT"));
        }
        let events = events.into_iter().flatten().map(|(kind, version)| {
            Event::new(&kind, version)
                .ok_or_else(|| format!("event {kind:?} is none of introduced, fixed, last_affected, limit"))
        });
        ranges.push(events.collect::<Result<Vec<_>, _>>()?);
    }
    Ok(range::affects(scheme, &question.version, &ranges, &question.versions))
}

/// Hands on each line with its number, from 1; in place of one that is too long or no UTF-8, a reason.
fn lines(
    mut input: impl BufRead,
    mut each: impl FnMut(u64, Result<&str, String>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut bytes = Vec::new();
    for line in 1.. {
        bytes.clear();
        if input.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut bytes)? == 0 {
            break;
        }
        let is_cut = bytes.len() as u64 == MAX_LINE_BYTES && !bytes.ends_with(b"\n");
        if is_cut {
            input.skip_until(b'\n')?;
            each(line, Err(format!("is longer than {} bytes", count(MAX_LINE_BYTES))))?;
        } else {
            each(line, std::str::from_utf8(&bytes).map_err(|_| "is not UTF-8".to_owned()))?;
        }
    }
    Ok(())
}

fn complain(malformed: &[Malformed]) {
    for Malformed { line, reason } in malformed {
        anstream::eprintln!("{} line {line} {}", paint(BAD, "error:"), plain(reason));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_case_a_comment_or_an_error() {
        assert_eq!(case("1.0 < 2.0"), Ok(Some(("1.0", '<', "2.0"))));
        assert_eq!([case(""), case("# 1 < 2"), case("// 1 < 2")], [Ok(None), Ok(None), Ok(None)]);
        for malformed in ["1", "1 <", "1 <= 2", "1<2", "1 < 2 < 3"] {
            assert!(case(malformed).is_err(), "{malformed}");
        }
    }

    #[test]
    fn a_line_that_is_no_text_is_named_and_the_rest_is_kept() {
        let mut found = Vec::new();
        lines(&b"a\n\xff\nb"[..], |line, text| {
            found.push((line, text.map(str::to_owned)));
            Ok(())
        })
        .unwrap();
        let expected = [(1, Ok("a\n".into())), (2, Err("is not UTF-8".into())), (3, Ok("b".into()))];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_question_is_answered_by_ranges_and_by_enumeration() {
        let line = |version: &str, kind: &str| {
            format!(
                r#"{{"version": "{version}", "versions": ["0.9"], "ranges": [
                    {{"type": "{kind}", "events": [{{"fixed": "2.0"}}, {{"introduced": "1.0"}}]}}]}}"#
            )
        };
        let answers =
            ["0.9", "1", "2.0.0"].map(|version| answer(&line(version, "ECOSYSTEM"), Scheme::Pep440));
        assert_eq!(answers, [Ok(true), Ok(true), Ok(false)]);
        assert_eq!(answer(&line("1", "GIT"), Scheme::Pep440), Ok(false));
        assert!(answer(&line("1", "OTHER"), Scheme::Pep440).is_err());
        assert!(answer("{}", Scheme::Pep440).is_err());
    }

    #[test]
    fn an_unknown_ecosystem_is_told_the_known_ones() {
        let error = ecosystem("commodore").unwrap_err();
        assert!(error.contains("cargo (crates.io)") && error.contains("pypi"), "{error}");
    }
}
