//! What came of a command on one database, for people and for programs.

use anstyle::{AnsiColor, Style};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};
use serde_json::{Map, Value};

use crate::{DryRun, HistoryEntry, Migration, State, Status, Verification};

/// Done, or there.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// Wants attention.
pub const WARN: Style = AnsiColor::Yellow.on_default();
/// Wrong.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// May be skipped over.
pub const FAINT: Style = Style::new().dimmed();
const STRONG: Style = Style::new().bold();

/// What came of a command on one database.
///
/// As JSON it is an object of `database`, the fields of the answer, and `error`, which is null where nothing
/// failed. What was done before an error stays in the answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The runner's name for the database.
    pub database: String,
    /// The answer's fields.
    pub answer: Map<String, Value>,
    /// The answer in lines for people, with colours, each ended; empty if there is none.
    pub text: String,
    /// Whether the answer is no: something is pending, was found or has changed.
    pub is_no: bool,
    /// What went wrong, with the way out.
    pub error: Option<String>,
}

impl Report {
    /// Nothing done yet, nothing failed.
    pub fn new(database: impl Into<String>) -> Self {
        Self { database: database.into(), answer: Map::new(), text: String::new(), is_no: false, error: None }
    }

    /// Nothing done, because of `error`.
    pub fn failed(database: impl Into<String>, error: impl std::fmt::Display) -> Self {
        Self { error: Some(error.to_string()), ..Self::new(database) }
    }

    /// Adds a field to the answer.
    #[must_use]
    pub fn with(mut self, field: &str, value: &impl Serialize) -> Self {
        let value = serde_json::to_value(value).expect("an answer is plain data");
        self.answer.insert(field.to_owned(), value);
        self
    }

    /// Adds the fields of `answer`, except `database`.
    #[must_use]
    pub fn with_all(mut self, answer: &impl Serialize) -> Self {
        if let Ok(Value::Object(fields)) = serde_json::to_value(answer) {
            self.answer.extend(fields.into_iter().filter(|(name, _)| name != "database"));
        }
        self
    }

    /// Adds text for people.
    #[must_use]
    pub fn saying(mut self, text: impl AsRef<str>) -> Self {
        let text = text.as_ref();
        self.text.push_str(text);
        if !text.is_empty() && !text.ends_with('\n') {
            self.text.push('\n');
        }
        self
    }

    /// Adds names and what was done with them, such as `applied`, as a field of the answer as well.
    #[must_use]
    pub fn listing(self, done: &str, names: &[String]) -> Self {
        let named = names.iter().map(|name| Row::new(done, GOOD).column(name));
        let text = if names.is_empty() { nothing("nothing to do") } else { rows(&named.collect::<Vec<_>>()) };
        self.with(done, &names).saying(text)
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.answer.len() + 2))?;
        map.serialize_entry("database", &self.database)?;
        for (field, value) in &self.answer {
            map.serialize_entry(field, value)?;
        }
        map.serialize_entry("error", &self.error)?;
        map.end()
    }
}

/// The answer under the database's name; nothing where there is no answer. The error is not in it.
impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.text.is_empty() {
            return Ok(());
        }
        writeln!(f, "{}", paint(STRONG, &self.database))?;
        for line in self.text.lines() {
            if line.is_empty() { writeln!(f)? } else { writeln!(f, "  {line}")? }
        }
        Ok(())
    }
}

/// A line of a list: a coloured word, columns, and what comes below.
#[derive(Clone, Debug)]
pub struct Row {
    word: String,
    style: Style,
    columns: Vec<String>,
    below: Option<String>,
}

impl Row {
    /// A line that begins with `word`.
    pub fn new(word: impl Into<String>, style: Style) -> Self {
        Self { word: word.into(), style, columns: Vec::new(), below: None }
    }

    /// Adds a column.
    #[must_use]
    pub fn column(mut self, text: impl AsRef<str>) -> Self {
        self.columns.push(plain(text.as_ref()));
        self
    }

    /// Puts `text` below, indented and red.
    #[must_use]
    pub fn below(mut self, text: Option<&str>) -> Self {
        self.below = text.map(plain);
        self
    }
}

/// The lines of a list, its columns aligned.
#[must_use]
pub fn rows(rows: &[Row]) -> String {
    let width = |text: &str| text.chars().count();
    let word = rows.iter().map(|row| width(&row.word)).max().unwrap_or(0);
    let columns = rows.iter().map(|row| row.columns.len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|at| {
            rows.iter().filter_map(|row| row.columns.get(at)).map(|text| width(text)).max().unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.columns.iter().zip(&widths).map(|(cell, width)| format!("  {cell:<width$}"));
        let line = format!("{:<word$}{}", row.word, cells.collect::<String>());
        let (first, rest) = line.trim_end().split_at(row.word.len());
        text.push_str(&format!("{}{rest}\n", paint(row.style, first)));
        for line in row.below.iter().flat_map(|below| below.lines()) {
            text.push_str(&format!("{:word$}  {}\n", "", paint(BAD, line)));
        }
    }
    text
}

/// A line that says that there is nothing.
#[must_use]
pub fn nothing(what: &str) -> String {
    format!("{}\n", paint(FAINT, what))
}

/// `text` in `style`; a stream of `anstream` drops the colour where there is no terminal.
pub fn paint(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Without the control characters that a terminal would obey, line breaks excepted.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect()
}

/// `2026-11-21 08:40:12 UTC`
#[must_use]
pub fn when(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// `12 ms`, `3.4 s`, `12 min 5 s` or `2 h 3 min`.
#[must_use]
pub fn how_long(took: TimeDelta) -> String {
    let ms = took.num_milliseconds().max(0);
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        60_000..3_600_000 => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1_000),
        _ => format!("{} h {} min", ms / 3_600_000, ms % 3_600_000 / 60_000),
    }
}

/// What `status` says.
pub(super) fn status(status: &Status) -> String {
    let lines: Vec<Row> = status.migrations.iter().map(migration).collect();
    if lines.is_empty() { nothing("no migrations") } else { rows(&lines) }
}

fn migration(migration: &Migration) -> Row {
    let style = match migration.state {
        State::Applied => GOOD,
        State::Interrupted => BAD,
        State::Changed | State::Pending | State::Running | State::Unknown => WARN,
    };
    let ran = migration.is_applied() || matches!(migration.state, State::Interrupted | State::Running);
    let applied_at = migration.applied_at.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    let at = applied_at.or(migration.started_at).filter(|_| ran).map(when);
    let took = match (migration.started_at, migration.finished_at) {
        (Some(start), Some(end)) if ran => how_long(end - start),
        _ => String::new(),
    };
    let note = if migration.depends_on_data { "depends on data" } else { "" };
    Row::new(migration.state.as_str(), style)
        .column(&migration.name)
        .column(at.unwrap_or_default())
        .column(took)
        .column(note)
        .below(migration.error.as_deref())
}

/// What `history` says.
pub(super) fn history(entries: &[HistoryEntry]) -> String {
    let lines: Vec<Row> = entries.iter().map(entry).collect();
    if lines.is_empty() { nothing("nothing was run yet") } else { rows(&lines) }
}

fn entry(entry: &HistoryEntry) -> Row {
    let (word, style) = match entry.success {
        Some(true) => ("done", GOOD),
        Some(false) => ("failed", BAD),
        None => ("open", WARN),
    };
    let took = entry.duration_ms.and_then(TimeDelta::try_milliseconds).map(how_long);
    Row::new(word, style)
        .column(when(entry.started_at))
        .column(&entry.action)
        .column(&entry.migration)
        .column(took.unwrap_or_default())
        .column(format!("{} on {} as {}", entry.program, entry.host, entry.role))
        .below(entry.error.as_deref())
}

/// What `verify` says.
pub(super) fn verification(verification: &Verification) -> String {
    let mut lines = Vec::new();
    for migration in &verification.migrations {
        let (word, style) = if migration.findings.is_empty() { ("sound", GOOD) } else { ("found", BAD) };
        let findings: Vec<String> = migration.findings.iter().map(ToString::to_string).collect();
        let took = i64::try_from(migration.took_ms).unwrap_or(i64::MAX);
        let line = Row::new(word, style)
            .column(&migration.name)
            .column(format!("{} rows", migration.rows))
            .column(how_long(TimeDelta::try_milliseconds(took).unwrap_or(TimeDelta::MAX)));
        let found = findings.join("\n");
        lines.push(line.below((!found.is_empty()).then_some(found.as_str())));
        lines.extend(
            migration.tables_without_rows.iter().map(|table| Row::new("no rows", WARN).column(table)),
        );
    }
    if lines.is_empty() { nothing("no migrations") } else { rows(&lines) }
}

/// The SQL of a dry run, in a form that could be sent.
pub(super) fn sql(runs: &[DryRun]) -> String {
    if runs.is_empty() {
        return nothing("nothing to do");
    }
    let mut text = String::new();
    for run in runs {
        let place = if run.transactional { "" } else { ", outside a transaction" };
        let data = if run.depends_on_data { ", and more that depends on data" } else { "" };
        text.push_str(&format!("{}\n", paint(FAINT, format!("-- {}{place}{data}", run.name))));
        for statement in &run.statements {
            let statement = plain(statement.trim());
            text.push_str(statement.trim_end_matches(';'));
            text.push_str(";\n");
        }
    }
    text
}

/// Migrations whose SQL has changed, each with its difference.
#[must_use]
pub fn differences<'a>(changes: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::new();
    for (migration, difference) in changes {
        text.push_str(&format!("{}  {migration}\n", paint(WARN, "changed")));
        for line in difference.lines() {
            let line = plain(line);
            let style = match line.as_bytes().first() {
                Some(b'+') => GOOD,
                Some(b'-') => BAD,
                _ => FAINT,
            };
            text.push_str(&format!("  {}\n", paint(style, line)));
        }
    }
    if text.is_empty() { nothing("nothing has changed") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without_colours(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn columns_are_aligned_and_what_comes_below_is_indented() {
        let list = [
            Row::new("applied", GOOD).column("m1_a").column("now"),
            Row::new("failed", BAD).column("m2_longer").below(Some("first\nsecond\u{1b}[2J")),
        ];
        let expected = "applied  m1_a       now\nfailed   m2_longer\n         first\n         second [2J\n";
        assert_eq!(without_colours(&rows(&list)), expected);
    }

    #[test]
    fn as_json_the_answer_s_fields_stand_between_database_and_error() {
        let report = Report::new("shop").listing("applied", &["m1_a".to_owned()]);
        assert_eq!(
            serde_json::to_string(&report).unwrap(),
            r#"{"database":"shop","applied":["m1_a"],"error":null}"#
        );
        assert_eq!(without_colours(&report.to_string()), "shop\n  applied  m1_a\n");
        let failed = Report::failed("shop", "no");
        assert_eq!(serde_json::to_string(&failed).unwrap(), r#"{"database":"shop","error":"no"}"#);
        assert_eq!(failed.to_string(), "");
    }

    #[test]
    fn a_duration_is_told_in_the_units_of_its_size() {
        let told = [0, 999, 3_450, 725_000, 7_380_000].map(|ms| how_long(TimeDelta::milliseconds(ms)));
        assert_eq!(told, ["0 ms", "999 ms", "3.4 s", "12 min 5 s", "2 h 3 min"]);
    }

    #[test]
    fn a_dry_run_is_sql() {
        let run = DryRun {
            name: "m1_a".to_owned(),
            statements: vec!["create table a ();\n".to_owned(), "drop table b".to_owned()],
            depends_on_data: false,
            transactional: false,
        };
        let expected = "-- m1_a, outside a transaction\ncreate table a ();\ndrop table b;\n";
        assert_eq!(without_colours(&sql(&[run])), expected);
    }
}
