//! SQL as text: where a statement ends, what of it counts, and how two versions of it differ.
//!
//! Everything here goes by tokens, not by grammar, so that it also holds for a statement that the parser
//! does not know yet.

use std::fmt::Write;
use std::ops::Range;

use sha2::{Digest, Sha256};
use similar::TextDiff;
use squawk_syntax::{SourceFile, SyntaxKind};

/// `name` as an identifier.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The single statements of `sql`, trimmed, without their `;`. Comments before a statement belong to it; a
/// text of nothing but comments holds none.
pub(crate) fn split(sql: &str) -> Vec<&str> {
    let mut statements = Vec::new();
    let mut open = Open::default();
    let mut statement: Option<Range<usize>> = None;
    let mut says_something = false;
    let mut finish = |statement: Option<Range<usize>>, says_something: bool| {
        if let Some(range) = statement.filter(|_| says_something) {
            statements.push(&sql[range]);
        }
    };
    for (kind, range) in tokens(sql) {
        if kind == SyntaxKind::SEMICOLON && open.nothing() {
            finish(statement.take(), says_something);
            says_something = false;
            open = Open::default();
        } else if kind != SyntaxKind::WHITESPACE {
            statement = Some(statement.map_or(range.start, |statement| statement.start)..range.end);
            if kind != SyntaxKind::COMMENT {
                says_something = true;
                open.see(kind);
            }
        }
    }
    finish(statement, says_something);
    statements
}

/// `sql` without its comments, every run of whitespace a single space. Literals, quoted names and
/// dollar-quoted bodies stay as they are.
pub(crate) fn normalized(sql: &str) -> String {
    let mut text = String::with_capacity(sql.len());
    let mut gap = false;
    for (kind, range) in tokens(sql) {
        if matches!(kind, SyntaxKind::WHITESPACE | SyntaxKind::COMMENT) {
            gap = !text.is_empty();
            continue;
        }
        if std::mem::take(&mut gap) {
            text.push(' ');
        }
        text.push_str(&sql[range]);
    }
    text
}

/// The tokens of `sql` with one space between any two, and without the `;` at its end: the same text for what
/// differs in nothing but layout and comments.
fn essence(sql: &str) -> String {
    let said = tokens(sql).filter(|(kind, _)| !matches!(kind, SyntaxKind::WHITESPACE | SyntaxKind::COMMENT));
    let mut said: Vec<_> = said.collect();
    while said.pop_if(|(kind, _)| *kind == SyntaxKind::SEMICOLON).is_some() {}
    said.into_iter().map(|(_, range)| &sql[range]).collect::<Vec<_>>().join(" ")
}

/// SHA-256, in hex, of the statements: the same for what differs in nothing but layout and comments.
pub(crate) fn fingerprint<'a>(statements: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for statement in statements {
        let statement = essence(statement);
        // The length keeps two statements apart from one that reads like both.
        hash.update(u64::try_from(statement.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(statement);
    }
    hash.finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a string takes what is written to it");
        hex
    })
}

/// What turns `before`, called `applied`, into `after`, called `now`: a unified diff by lines, with three
/// lines of context. Empty when nothing differs.
pub(crate) fn difference(before: &[String], after: &[String]) -> String {
    let (before, after) = (script(before), script(after));
    TextDiff::from_lines(before.as_str(), after.as_str())
        .unified_diff()
        .context_radius(3)
        .header("applied", "now")
        .to_string()
}

/// Whether a statement that answers with rows may change some: it inserts, updates, deletes or merges, on
/// its own or within a `with`.
pub(crate) fn writes(sql: &str) -> bool {
    let mut kinds = tokens(sql)
        .map(|(kind, _)| kind)
        .filter(|kind| !matches!(kind, SyntaxKind::WHITESPACE | SyntaxKind::COMMENT));
    kinds.next().is_some_and(|first| {
        use SyntaxKind::{DELETE_KW, INSERT_KW, MERGE_KW, RETURNING_KW, UPDATE_KW};
        matches!(first, DELETE_KW | INSERT_KW | MERGE_KW | UPDATE_KW)
            || kinds.any(|kind| kind == RETURNING_KW)
    })
}

/// What a statement has begun and not ended: within it a `;` does not end the statement.
#[derive(Default)]
struct Open {
    parentheses: usize,
    /// `begin atomic` and the `case`s within, all of which an `end` ends.
    blocks: usize,
    after_begin: bool,
}

impl Open {
    fn see(&mut self, kind: SyntaxKind) {
        let after_begin = std::mem::replace(&mut self.after_begin, kind == SyntaxKind::BEGIN_KW);
        match kind {
            SyntaxKind::L_PAREN => self.parentheses += 1,
            SyntaxKind::R_PAREN => self.parentheses = self.parentheses.saturating_sub(1),
            SyntaxKind::ATOMIC_KW if after_begin => self.blocks += 1,
            SyntaxKind::CASE_KW if self.blocks > 0 => self.blocks += 1,
            SyntaxKind::END_KW => self.blocks = self.blocks.saturating_sub(1),
            _ => {}
        }
    }

    fn nothing(&self) -> bool {
        self.parentheses == 0 && self.blocks == 0
    }
}

/// Every token with its place, whitespace and comments too: together they are the whole of `sql`.
fn tokens(sql: &str) -> impl Iterator<Item = (SyntaxKind, Range<usize>)> {
    let root = SourceFile::parse(sql).syntax_node();
    root.descendants_with_tokens()
        .filter_map(|element| element.into_token())
        .map(|token| (token.kind(), token.text_range().into()))
}

fn script(statements: &[String]) -> String {
    statements.iter().fold(String::new(), |mut script, statement| {
        let statement = statement.trim_end();
        script.push_str(statement);
        script.push_str(if statement.ends_with(';') { "\n" } else { ";\n" });
        script
    })
}

#[cfg(test)]
mod tests {
    use squawk_syntax::ast::AstNode;

    use super::*;

    /// As the parser has them, for what it understands.
    fn parsed(sql: &str) -> usize {
        let parse = SourceFile::parse(sql);
        assert!(parse.clone().ok().is_ok(), "{sql}: {:?}", parse.errors());
        parse.tree().stmts().filter(|stmt| !stmt.syntax().text().is_empty()).count()
    }

    #[test]
    fn a_semicolon_ends_a_statement_only_where_it_stands_by_itself() {
        let statements = [
            "create table a (b text default ';')",
            "do $$ begin perform 1; perform 2; end $$",
            "do $body$ begin execute $$ select ';' $$; end $body$",
            "insert into a values (E'it\\'s; so', 'it''s; so')",
            "/* a; /* b; */ c; */ select 1 -- d; e\n + 1 as \"f;g\"",
            "create function f(a int) returns int begin atomic select case when a > 0 then 1 else 2 end; select 3; end",
            "create rule r as on insert to a do also (delete from b; delete from c)",
            "select U&'d\\0061t;a', B'01', X'1F', N'n;'",
            "begin",
            "select $1",
            "end",
        ];
        let text = statements.join(";\n\n");
        assert_eq!(split(&text), statements);
        assert_eq!(split(&format!("; {text} ;;")), statements);
        let known = statements.iter().filter(|sql| !sql.contains("$1")).copied().collect::<Vec<_>>();
        assert_eq!(parsed(&known.join(";\n")), known.len());
    }

    #[test]
    fn a_comment_belongs_to_the_statement_after_it() {
        let text = "-- one\nselect 1; -- two; still\n/* 2 */ select 2\n;\n-- the end";
        assert_eq!(split(text), ["-- one\nselect 1", "-- two; still\n/* 2 */ select 2"]);
        assert!(split("-- nothing; at all").is_empty() && split(" \n ;; ").is_empty());
    }

    #[test]
    fn what_no_parser_understands_is_split_all_the_same() {
        let text = "frobnicate all the ')' tables; alter table a frobnicate (b; c); select 'open; end";
        assert_eq!(
            split(text),
            ["frobnicate all the ')' tables", "alter table a frobnicate (b; c)", "select 'open; end"]
        );
        for broken in
            ["select (1; select 2", "create function f() begin atomic select 1; select", "$$ ;", "/* ;"]
        {
            assert!(split(broken).len() <= 1, "{broken}");
        }
    }

    #[test]
    fn only_comments_and_whitespace_outside_of_literals_are_normalized() {
        let sql = "-- why\n create  table\t\"a  b\" ( c text /* d */ default 'e  -- f' )\n;";
        assert_eq!(normalized(sql), "create table \"a  b\" ( c text default 'e  -- f' ) ;");
        for kept in
            ["do $$  -- a\n  b $$", "select E'a\\'  b'", "select $q$ /*  */ $q$", "select a.b+1, 'c\n\n  d'"]
        {
            assert_eq!(normalized(kept), kept);
        }
        assert_eq!(normalized("select a/**/from b--c"), "select a from b");
        assert_eq!(normalized("  -- nothing\n"), "");
    }

    #[test]
    fn a_fingerprint_tells_texts_apart_and_not_their_layout() {
        let one = fingerprint(["select 1", "select 2"]);
        assert_eq!(one, fingerprint(["select   1 -- one", "\nselect 2 ;"]));
        assert_eq!(fingerprint(["create index on a(b, c)"]), fingerprint(["create index on a (b,c);"]));
        assert_eq!(one.len(), 64);
        let others = [
            fingerprint(["select 2", "select 1"]),
            fingerprint(["select 1 select 2"]),
            fingerprint(["select 1", "select 2", ""]),
            fingerprint(["select '1'", "select 2"]),
            fingerprint([]),
        ];
        for (position, other) in others.iter().enumerate() {
            assert!(*other != one && !others[..position].contains(other), "{position}");
        }
    }

    #[test]
    fn a_difference_names_both_sides_and_shows_what_is_around() {
        let before = ["create table a (\n  b int\n)".to_owned(), "drop table c;".to_owned()];
        let after = ["create table a (\n  b bigint\n)".to_owned(), "drop table c;".to_owned()];
        assert_eq!(
            difference(&before, &after),
            "--- applied\n+++ now\n@@ -1,4 +1,4 @@\n create table a (\n-  b int\n+  b bigint\n );\n drop table c;\n"
        );
        assert_eq!(difference(&before, &before), "");
    }

    #[test]
    fn a_query_that_changes_rows_is_told_from_one_that_asks() {
        for sql in [
            "insert into a values (1) returning id",
            "-- b\nUPDATE a SET b = 1",
            "with gone as (delete from a returning b) select * from gone",
        ] {
            assert!(writes(sql), "{sql}");
        }
        for sql in ["select 'returning'", "select 1 as \"returning\"", "show all", ""] {
            assert!(!writes(sql), "{sql}");
        }
    }

    #[test]
    fn no_text_whatever_makes_it_stop() {
        let seeds = [
            "create function f(a int) returns int language sql begin atomic select case a when 1 then 2 end; end;",
            "do $x$ begin end $x$; insert into a (b, c) values (E'\\'', $1, U&'\\00e9') on conflict do nothing;",
            "alter table a add constraint b check (c > 0) not valid; create index concurrently on a using gin (b);",
        ];
        for seed in seeds {
            for start in 0..seed.len() {
                for cut in [1, 2, 7, 40] {
                    let end = (start + cut).min(seed.len());
                    let sql = format!("{}{}", &seed[..start], &seed[end..]);
                    let whole: String = tokens(&sql).map(|(_, range)| &sql[range]).collect();
                    assert_eq!(whole, sql);
                    assert_eq!(normalized(&normalized(&sql)), normalized(&sql));
                    assert!(split(&sql).iter().all(|statement| statement.trim() == *statement));
                }
            }
        }
    }
}
