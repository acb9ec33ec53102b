//! What a statement does to the data that is there, told from its leading words.
//!
//! This is a set of rules and no parser: a statement is read as far as its verb, its table, and for `ALTER TABLE`
//! the verb of each command. What no rule knows is [`EffectKind::Unknown`], never taken to be harmless.

use std::fmt;

use serde::Serialize;

use super::lexer::{Piece, pieces};
use EffectKind::{Copies, Loses, Metadata, Rewrites, Unknown};

/// What becomes of the data that is there, from the harmless to what can't be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EffectKind {
    /// Nothing: only the description of the table changes, at once whatever its size.
    Metadata,
    /// Rows are read, and written to another place; takes time by their number.
    Copies,
    /// Parts are written anew, in whole or in part: a mutation, which takes time by the size of the table.
    Rewrites,
    /// Rows or columns are gone afterwards.
    Loses,
    /// No rule knows this statement.
    Unknown,
}

impl fmt::Display for EffectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Metadata => "metadata only",
            Copies => "copies rows",
            Rewrites => "rewrites parts",
            Loses => "loses data",
            Unknown => "not known",
        })
    }
}

/// What one command of a statement does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Effect {
    /// What becomes of the data.
    pub kind: EffectKind,
    /// The command's verb: `ADD COLUMN`, `CREATE TABLE`.
    pub command: String,
    /// More exactly, in a few words.
    pub note: &'static str,
}

/// Commands of `ALTER TABLE`, by their first words; of several that match, the first counts.
const ALTER: &[(&str, EffectKind, &str)] = &[
    ("ADD COLUMN", Metadata, "old rows have its default when they are read"),
    ("ADD CONSTRAINT", Metadata, "checked for new rows only"),
    ("ADD", Metadata, "for new parts only, until it is materialized"),
    ("DROP CONSTRAINT", Metadata, "later rows are not checked"),
    ("DROP COLUMN", Loses, "the column's files are removed from every part"),
    ("DROP INDEX", Rewrites, "its files are removed from every part"),
    ("DROP PROJECTION", Rewrites, "its files are removed from every part"),
    ("DROP STATISTICS", Rewrites, "its files are removed from every part"),
    ("DROP", Loses, "the rows of the partition are gone"),
    ("DETACH", Loses, "the rows of the partition are out of reach until they are attached"),
    ("CLEAR COLUMN", Loses, "the column's values become its default"),
    ("CLEAR", Rewrites, "its files are removed from every part"),
    ("RENAME COLUMN", Rewrites, "every part is written with hard links and the new name"),
    ("COMMENT", Metadata, ""),
    ("MODIFY COMMENT", Metadata, ""),
    ("MODIFY SETTING", Metadata, "for what is done from now on"),
    ("RESET SETTING", Metadata, "for what is done from now on"),
    ("MODIFY ORDER BY", Metadata, "takes only columns that the same statement adds"),
    ("MODIFY SAMPLE BY", Metadata, ""),
    ("MODIFY QUERY", Metadata, "for what is inserted from now on"),
    ("MODIFY REFRESH", Metadata, ""),
    ("MODIFY TTL", Rewrites, "rows that are due by the new rule are removed"),
    ("REMOVE TTL", Metadata, ""),
    ("UPDATE", Rewrites, "the columns it sets, in every part"),
    ("DELETE", Loses, "the rows it matches; every part is written anew"),
    ("MATERIALIZE", Rewrites, "in every part that lacks it"),
    ("APPLY", Rewrites, "every part that has deleted rows"),
    ("REPLACE", Loses, "the rows that were in the partition are gone"),
    ("ATTACH", Copies, "parts are linked into the table"),
    ("MOVE", Rewrites, "parts are moved to another place or table"),
    ("FREEZE", Metadata, "parts are linked for a backup"),
];

/// Other statements, likewise.
const OTHER: &[(&str, EffectKind, &str)] = &[
    ("DROP TABLE", Loses, "the table with its rows"),
    ("DROP DATABASE", Loses, "the database with all tables"),
    ("DROP VIEW", Metadata, "but the rows of a materialized view that keeps them itself"),
    ("DROP INDEX", Rewrites, "its files are removed from every part"),
    ("DROP DICTIONARY", Metadata, ""),
    ("DROP FUNCTION", Metadata, ""),
    ("TRUNCATE", Loses, "every row of the table"),
    ("DETACH", Loses, "the rows are out of reach until it is attached"),
    ("ATTACH", Metadata, ""),
    ("RENAME", Metadata, "queries for the old name fail from now on"),
    ("EXCHANGE", Metadata, "both names change their table at once"),
    ("INSERT", Copies, "rows are written; run again, they are written again unless that is guarded against"),
    ("DELETE", Loses, "the rows it matches, masked at once and removed by merges"),
    ("UPDATE", Rewrites, "the rows it matches"),
    ("OPTIMIZE", Rewrites, "parts are merged"),
];

/// After the column's name in `MODIFY COLUMN`: what leaves the stored values alone.
const COLUMN_METADATA: &[&str] = &[
    "DEFAULT",
    "MATERIALIZED",
    "ALIAS",
    "EPHEMERAL",
    "COMMENT",
    "REMOVE",
    "CODEC",
    "FIRST",
    "AFTER",
    "MODIFY",
    "RESET",
];

/// What CREATE makes beside tables and views that holds no data of its own.
const OTHER_KINDS: [&str; 4] = ["DICTIONARY", "FUNCTION", "DATABASE", "INDEX"];

/// A table as a statement names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TableName {
    /// `None`: the one that statements run in.
    pub database: Option<String>,
    pub table: String,
}

/// What `sql` does, by command, and to which table.
pub(super) fn of(sql: &str) -> (Vec<Effect>, Option<TableName>) {
    let tokens: Vec<Piece<'_>> = pieces(sql).into_iter().filter(|piece| *piece != Piece::Gap).collect();
    match word(&tokens, 0).as_str() {
        "CREATE" => create(&tokens),
        "ALTER" => alter(&tokens),
        first => {
            let effect = by_rule(OTHER, &tokens);
            let skip: &[&str] = match first {
                "INSERT" => &["INSERT", "INTO", "TABLE"],
                "DELETE" => &["DELETE", "FROM"],
                "UPDATE" => &["UPDATE"],
                _ => &[
                    "DROP", "TRUNCATE", "DETACH", "ATTACH", "RENAME", "EXCHANGE", "OPTIMIZE", "TABLE",
                    "TABLES",
                ],
            };
            let name =
                if effect.kind == Unknown { None } else { table_name(&tokens, skip).map(|(name, _)| name) };
            (vec![effect], name)
        }
    }
}

/// What a table's name can follow, beside `AND` in an EXCHANGE.
const BEFORE_A_TABLE: &[&str] =
    &["TABLE", "TABLES", "VIEW", "DICTIONARY", "EXISTS", "INTO", "FROM", "JOIN", "TO", "UPDATE"];

/// Whether `sql` names a database, so that it does the same wherever it runs. Reading from `system` is fine.
pub(super) fn names_database(sql: &str) -> bool {
    let tokens: Vec<Piece<'_>> = pieces(sql).into_iter().filter(|piece| *piece != Piece::Gap).collect();
    let is_name = |at: usize| match tokens.get(at) {
        Some(Piece::Word(word)) => !word.starts_with(|c: char| c.is_ascii_digit()),
        Some(Piece::Quoted(quoted)) => quoted.starts_with(['`', '"']),
        _ => false,
    };
    let is_exchange = word(&tokens, 0) == "EXCHANGE";
    let precedes_a_table = |at: usize| match word(&tokens, at).as_str() {
        "FROM" | "JOIN" => in_query(&tokens[..at]) && word(&tokens, at + 1) != "SYSTEM",
        "AND" => is_exchange,
        word => is_one_of(word, BEFORE_A_TABLE),
    };
    let qualified = (0..tokens.len()).any(|at| {
        precedes_a_table(at)
            && is_name(at + 1)
            && tokens.get(at + 2) == Some(&Piece::Symbol("."))
            && is_name(at + 3)
    });
    qualified || word(&tokens, 1) == "DATABASE"
}

/// Whether what follows `tokens` stands in a query and not in brackets like those of `extract(DAY FROM t.x)`.
fn in_query(tokens: &[Piece<'_>]) -> bool {
    let mut depth = 0_i32;
    let opening = tokens.iter().rposition(|piece| {
        depth += bracket(piece);
        depth > 0
    });
    opening.is_none_or(|at| {
        is_one_of(&word(tokens, at + 1), &["SELECT", "WITH"])
            || tokens.get(at + 1) == Some(&Piece::Symbol("("))
    })
}

fn create(tokens: &[Piece<'_>]) -> (Vec<Effect>, Option<TableName>) {
    let skip = ["CREATE", "OR", "REPLACE", "TEMPORARY", "MATERIALIZED", "TABLE", "VIEW"];
    let head: Vec<_> =
        (0..tokens.len()).map(|at| word(tokens, at)).take_while(|word| is_one_of(word, &skip)).collect();
    let has = |wanted: &str| words_outside_brackets(tokens).any(|word| word.eq_ignore_ascii_case(wanted));
    let (is_table, is_view) =
        (head.iter().any(|word| word == "TABLE"), head.iter().any(|word| word == "VIEW"));
    let (kind, note) = if is_table && head.iter().any(|word| word == "REPLACE") {
        (Loses, "a table of this name is replaced, with its rows")
    } else if is_table && has("SELECT") && !has("EMPTY") {
        (Copies, "filled from a query")
    } else if is_view && has("POPULATE") {
        (Copies, "filled from the rows that are there")
    } else if is_view && head.iter().any(|word| word == "MATERIALIZED") {
        (Metadata, "sees the rows that are inserted from now on")
    } else if is_table || is_view || is_one_of(&word(tokens, head.len()), &OTHER_KINDS) {
        (Metadata, "")
    } else {
        (Unknown, "no rule for this statement: see what it does")
    };
    let mut command = head;
    if !is_table && !is_view {
        command.push(word(tokens, command.len()));
    }
    let name = if is_table || is_view { table_name(tokens, &skip).map(|(name, _)| name) } else { None };
    (vec![Effect { kind, command: command.join(" "), note }], name)
}

fn alter(tokens: &[Piece<'_>]) -> (Vec<Effect>, Option<TableName>) {
    let Some((name, mut at)) = table_name(tokens, &["ALTER", "TABLE"]).filter(|_| word(tokens, 1) == "TABLE")
    else {
        return (vec![by_rule(&[], tokens)], None);
    };
    if word(tokens, at) == "ON" && word(tokens, at + 1) == "CLUSTER" {
        at += 3;
    }
    let mut effects = Vec::new();
    for command in commands(&tokens[at.min(tokens.len())..]) {
        // A comma also separates what an UPDATE sets.
        let follows_an_update = effects.last().is_some_and(|last: &Effect| last.command == "UPDATE");
        let effect = match (word(command, 0).as_str(), word(command, 1).as_str()) {
            ("MODIFY" | "ALTER", "COLUMN") => modify_column(command),
            _ => by_rule(ALTER, command),
        };
        if effect.kind != Unknown || !follows_an_update {
            effects.push(effect);
        }
    }
    (effects, Some(name))
}

fn modify_column(command: &[Piece<'_>]) -> Effect {
    let guard = if word(command, 2) == "IF" { 2 } else { 0 };
    let mut after = 3 + guard;
    while matches!(command.get(after), Some(Piece::Symbol("."))) {
        after += 2;
    }
    let (kind, note) = if is_one_of(&word(command, after), COLUMN_METADATA) {
        (Metadata, "for what is written from now on")
    } else {
        (Rewrites, "the column in every part, if its type or TTL changes")
    };
    Effect { kind, command: format!("{} COLUMN", word(command, 0)), note }
}

fn by_rule(rules: &[(&str, EffectKind, &'static str)], tokens: &[Piece<'_>]) -> Effect {
    let matches = |verb: &str| verb.split(' ').enumerate().all(|(at, wanted)| word(tokens, at) == wanted);
    if let Some((verb, kind, note)) = rules.iter().find(|(verb, ..)| matches(verb)) {
        // `ADD` stands for `ADD INDEX` and others: the second word says which.
        let second = if verb.contains(' ') || *verb == "UPDATE" { String::new() } else { word(tokens, 1) };
        let is_keyword = second.len() > 2 && rules.len() == ALTER.len();
        let command = if is_keyword { format!("{verb} {second}") } else { (*verb).to_owned() };
        return Effect { kind: *kind, command, note };
    }
    let command = [word(tokens, 0), word(tokens, 1)].join(" ").trim().to_owned();
    Effect { kind: Unknown, command, note: "no rule for this statement: see what it does" }
}

/// The commands of an ALTER, cut at the commas outside brackets.
fn commands<'a, 'b>(tokens: &'b [Piece<'a>]) -> Vec<&'b [Piece<'a>]> {
    let mut depth = 0_i32;
    tokens
        .split(|piece| {
            depth += bracket(piece);
            depth == 0 && *piece == Piece::Symbol(",")
        })
        .filter(|command| !command.is_empty())
        .collect()
}

fn words_outside_brackets<'a>(tokens: &[Piece<'a>]) -> impl Iterator<Item = &'a str> {
    let mut depth = 0_i32;
    tokens.iter().filter_map(move |piece| {
        depth += bracket(piece);
        match piece {
            Piece::Word(word) if depth == 0 => Some(*word),
            _ => None,
        }
    })
}

fn bracket(piece: &Piece<'_>) -> i32 {
    match piece {
        Piece::Symbol("(" | "[" | "{") => 1,
        Piece::Symbol(")" | "]" | "}") => -1,
        _ => 0,
    }
}

/// The name behind the keywords in `skip` and `IF [NOT] EXISTS`, and where the rest begins.
fn table_name(tokens: &[Piece<'_>], skip: &[&str]) -> Option<(TableName, usize)> {
    let mut at = 0;
    while is_one_of(&word(tokens, at), skip) || is_one_of(&word(tokens, at), &["IF", "NOT", "EXISTS"]) {
        at += 1;
    }
    let name = |at: usize| match tokens.get(at)? {
        Piece::Word(word) => Some((*word).to_owned()),
        Piece::Quoted(quoted) if !quoted.starts_with('\'') => Some(unquoted(quoted)),
        _ => None,
    };
    let first = name(at)?;
    if tokens.get(at + 1) == Some(&Piece::Symbol(".")) {
        return Some((TableName { database: Some(first), table: name(at + 2)? }, at + 3));
    }
    Some((TableName { database: None, table: first }, at + 1))
}

fn unquoted(quoted: &str) -> String {
    let quote = &quoted[..1];
    let inner = quoted[1..].strip_suffix(quote).unwrap_or(&quoted[1..]);
    inner.replace(&quote.repeat(2), quote).replace(&format!("\\{quote}"), quote).replace("\\\\", "\\")
}

fn word(tokens: &[Piece<'_>], at: usize) -> String {
    match tokens.get(at) {
        Some(Piece::Word(word)) => word.to_ascii_uppercase(),
        _ => String::new(),
    }
}

fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.contains(&word)
}

#[cfg(test)]
mod tests;
