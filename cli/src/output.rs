//! What a command prints: tables and colours for people, JSON for programs.

use std::io::{self, Write};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde::Serialize;

use crate::Context;

/// How a command ended. DESIGN: 2, wrong usage, is clap's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done: 0.
    Done,
    /// Some of it failed, and has been said: 1.
    Failed,
    /// The answer is no (pending, not running, …): 3.
    No,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::SUCCESS,
            Outcome::Failed => Self::FAILURE,
            Outcome::No => Self::from(3),
        }
    }
}

/// Headings and names of things.
pub const STRONG: Style = Style::new().bold();
/// What is good or done.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// What wants attention.
pub const WARN: Style = AnsiColor::Yellow.on_default();
/// What is wrong.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// What may be skipped over.
pub const FAINT: Style = Style::new().dimmed();

/// `text` in `style`; the stream drops the colour where there is no terminal.
pub fn paint(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Prints `value` as one JSON document on standard output.
///
/// # Errors
///
/// When standard output is gone.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    // As an error of its own, a closed pipe would not be known for one.
    serde_json::to_writer_pretty(&mut out, value).map_err(io::Error::from)?;
    writeln!(out)?;
    Ok(())
}

/// Prints text for people on standard output, with colours where it is a terminal.
///
/// # Errors
///
/// When standard output is gone.
pub fn text(text: impl std::fmt::Display) -> anyhow::Result<()> {
    writeln!(anstream::stdout().lock(), "{text}")?;
    Ok(())
}

/// Prints `value` as JSON for programs, or as `describe` tells it to people.
///
/// # Errors
///
/// When standard output is gone.
pub fn print<T: Serialize>(
    context: &Context,
    value: &T,
    describe: impl FnOnce(&T) -> String,
) -> anyhow::Result<Outcome> {
    if context.json {
        json(value)?;
    } else {
        text(describe(value))?;
    }
    Ok(Outcome::Done)
}

/// A table without lines, its columns in `right` (by position) aligned to the right.
pub fn table<C: ToString>(
    header: &[&str],
    rows: impl IntoIterator<Item = Vec<C>>,
    right: &[usize],
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.iter().copied());
    for row in rows {
        table.add_row(row.iter().map(ToString::to_string));
    }
    for &position in right {
        if let Some(column) = table.column_mut(position) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let text = table.to_string();
    let mut lines = text.lines().map(|line| format!("  {}", line.trim_end()));
    let head = lines.next().map(|line| paint(FAINT, line));
    head.into_iter().chain(lines).collect::<Vec<_>>().join("\n")
}

/// `text` without the control characters that a terminal would obey, line breaks excepted: what comes
/// from an input is not to be trusted with them.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect()
}

/// An error and its causes. Many say their cause themselves; it is not said twice.
pub fn told(error: &anyhow::Error) -> String {
    let mut said = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        // sqlx's words around those of the server.
        if said.contains(cause.strip_prefix("error returned from database: ").unwrap_or(&cause)) {
            continue;
        }
        if !said.is_empty() {
            said.push_str(": ");
        }
        said.push_str(&cause);
    }
    said
}

/// `1234567` as `1,234,567`.
pub fn count(number: impl Into<u64>) -> String {
    let digits = number.into().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 session`, `2 sessions`.
pub fn so_many(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::{count, told};

    #[test]
    fn a_count_has_a_comma_between_groups_of_three() {
        assert_eq!([0u64, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn a_cause_that_is_said_already_is_not_said_again() {
        let inner = std::io::Error::other("connection refused");
        let error = anyhow::Error::new(inner).context("no server: connection refused").context("can't list");
        assert_eq!(told(&error), "can't list: no server: connection refused");
    }
}
