//! ClickHouse SQL cut into words, literals and symbols: enough to compare two texts and to see what a statement
//! is about, and no more.

/// A piece of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// White space and comments, however much of them.
    Gap,
    /// A string or a quoted name, with its quotes.
    Quoted(&'a str),
    /// A name, keyword or number.
    Word(&'a str),
    /// Any other single character.
    Symbol(&'a str),
}

/// The pieces of `sql`, in order. A literal or comment without an end goes to the end of the text.
pub(super) fn pieces(sql: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let gap = gap(rest);
        let (piece, end) = if gap > 0 {
            (Piece::Gap, gap)
        } else if matches!(first, '\'' | '"' | '`') {
            let end = quoted(rest, first);
            (Piece::Quoted(&rest[..end]), end)
        } else if let Some(end) = heredoc(rest) {
            (Piece::Quoted(&rest[..end]), end)
        } else if is_word(first) {
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            (Piece::Word(&rest[..end]), end)
        } else {
            let end = first.len_utf8();
            (Piece::Symbol(&rest[..end]), end)
        };
        pieces.push(piece);
        rest = &rest[end..];
    }
    pieces
}

/// How long the white space and the comments are that `rest` begins with.
fn gap(rest: &str) -> usize {
    let mut at = 0;
    loop {
        let here = &rest[at..];
        let end_of = |mark: &str| here.find(mark).map_or(here.len(), |found| found + mark.len());
        at += if here.starts_with(char::is_whitespace) {
            here.len() - here.trim_start().len()
        } else if ["--", "#!", "# "].iter().any(|mark| here.starts_with(mark)) {
            end_of("\n")
        } else if let Some(comment) = here.strip_prefix("/*") {
            comment.find("*/").map_or(here.len(), |found| found + 4)
        } else {
            return at;
        };
    }
}

/// Where the literal ends that `rest` begins with: a backslash guards the next character, a doubled quote is one.
fn quoted(rest: &str, quote: char) -> usize {
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' || (c == quote && chars.peek().is_some_and(|(_, next)| *next == quote)) {
            chars.next();
        } else if c == quote {
            return at + 1;
        }
    }
    rest.len()
}

/// Where the text between two equal `$tag$` ends, if `rest` begins with one.
fn heredoc(rest: &str) -> Option<usize> {
    let tag_end = rest.strip_prefix('$')?.find('$')? + 2;
    let tag = &rest[..tag_end];
    if !tag[1..tag_end - 1].chars().all(is_word) {
        return None;
    }
    Some(tag_end + rest[tag_end..].find(tag)? + tag_end)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::Piece::{Gap, Quoted, Symbol, Word};
    use super::*;

    #[test]
    fn words_symbols_and_quoted_text_are_told_apart() {
        let found = pieces("SELECT `a``b`.\"c\" + 'it''s'");
        let expected = [
            Word("SELECT"),
            Gap,
            Quoted("`a``b`"),
            Symbol("."),
            Quoted("\"c\""),
            Gap,
            Symbol("+"),
            Gap,
            Quoted("'it''s'"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_backslash_guards_the_quote_behind_it() {
        assert_eq!(pieces(r"'a\'b' x"), [Quoted(r"'a\'b'"), Gap, Word("x")]);
        assert_eq!(pieces(r"'a\\' x"), [Quoted(r"'a\\'"), Gap, Word("x")]);
        assert_eq!(pieces(r"`a\`b` x"), [Quoted(r"`a\`b`"), Gap, Word("x")]);
    }

    #[test]
    fn every_kind_of_comment_is_part_of_the_gap() {
        for comment in ["-- it's\n", "#! it's\n", "# it's\n", "/* it's -- */", "/**/", " /*a*/--b\n\t"] {
            assert_eq!(pieces(&format!("a {comment} b")), [Word("a"), Gap, Word("b")], "{comment:?}");
        }
        assert_eq!(pieces("a -- to the end"), [Word("a"), Gap]);
        assert_eq!(pieces("a/* to the end"), [Word("a"), Gap]);
    }

    #[test]
    fn what_looks_like_a_comment_inside_a_literal_is_none() {
        for literal in ["'-- a'", "'/* a */'", "`# a`", "\"--\"", "$x$ it's -- $x$", "$$'$$"] {
            assert_eq!(pieces(literal), [Quoted(literal)]);
        }
        assert_eq!(
            pieces("a-b/c#"),
            [Word("a"), Symbol("-"), Word("b"), Symbol("/"), Word("c"), Symbol("#")]
        );
    }

    #[test]
    fn no_text_however_broken_loses_a_character() {
        for text in ["'a", "'a\\", "'''", "$a", "$a$b", "ü'ß", "`", "\u{a0}x", "/*/", "''", "$ $x$ $"] {
            let kept: usize = pieces(text)
                .iter()
                .map(|piece| match piece {
                    Gap => 0,
                    Quoted(text) | Word(text) | Symbol(text) => text.len(),
                })
                .sum();
            let gaps: usize = text.chars().filter(|c| c.is_whitespace()).map(char::len_utf8).sum();
            assert!(kept == text.len() || kept + gaps == text.len() || text == "/*/", "{text:?}");
        }
    }
}
