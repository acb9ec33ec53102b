//! What makes two texts of SQL the same, and how they differ when they are not.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};
use similar::TextDiff;

use super::lexer::{Piece, pieces};
use super::{Direction, Migration, Statement};

/// The SQL of a migration as the ledger keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Recorded {
    /// SHA-256, hexadecimal, over the normalised statements of both directions.
    pub checksum: String,
    /// The statements of both directions, each under a comment with its direction and what it does.
    pub sql: Vec<String>,
}

impl Recorded {
    pub(super) fn of(migration: &dyn Migration) -> Self {
        let (up, down) = (migration.up(), migration.down());
        let mut hash = Sha256::new();
        for statements in [&up, &down] {
            hash.update((statements.len() as u64).to_be_bytes());
            for statement in statements {
                let text = normalized(&statement.sql);
                hash.update((text.len() as u64).to_be_bytes());
                hash.update(text);
            }
        }
        let checksum = hash.finalize().iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
        let up = up.iter().map(|statement| annotated(Direction::Up, statement));
        let down = down.iter().map(|statement| annotated(Direction::Down, statement));
        Self { checksum, sql: up.chain(down).collect() }
    }
}

fn annotated(direction: Direction, statement: &Statement) -> String {
    format!("{}{}\n{}", heading(direction), statement.about.replace('\n', " "), statement.sql.trim())
}

fn heading(direction: Direction) -> String {
    format!("-- {direction}: ")
}

/// Whether the first `count` statements of `direction` are the same as when `recorded` was kept.
pub(super) fn begins_alike(
    recorded: &[String],
    direction: Direction,
    statements: &[Statement],
    count: usize,
) -> bool {
    let heading = heading(direction);
    let mut recorded = recorded.iter().filter(|text| text.starts_with(&heading));
    count <= statements.len()
        && statements[..count].iter().all(|statement| {
            recorded.next().is_some_and(|text| normalized(text) == normalized(&statement.sql))
        })
}

/// `sql` without comments, and with one space for every run of white space outside literals.
pub(super) fn normalized(sql: &str) -> String {
    let mut text = String::with_capacity(sql.len());
    for piece in pieces(sql) {
        text.push_str(match piece {
            Piece::Gap => " ",
            Piece::Quoted(part) | Piece::Word(part) | Piece::Symbol(part) => part,
        });
    }
    text.trim().to_owned()
}

/// How `after` differs from `before`, line by line, with three lines around each difference.
pub(super) fn difference(before: &[String], after: &[String]) -> String {
    let whole = |statements: &[String]| statements.iter().map(|text| format!("{text}\n")).collect::<String>();
    let (before, after) = (whole(before), whole(after));
    let difference = TextDiff::from_lines(&before, &after);
    difference.unified_diff().context_radius(3).header("recorded", "now").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Of(&'static [&'static str], &'static [&'static str]);

    impl Migration for Of {
        fn name(&self) -> &'static str {
            "m"
        }

        fn up(&self) -> Vec<Statement> {
            self.0.iter().map(|sql| Statement::new("up", *sql)).collect()
        }

        fn down(&self) -> Vec<Statement> {
            self.1.iter().map(|sql| Statement::new("down", *sql)).collect()
        }
    }

    fn checksum(up: &'static [&'static str], down: &'static [&'static str]) -> String {
        Recorded::of(&Of(up, down)).checksum
    }

    #[test]
    fn comments_and_layout_do_not_count_and_everything_else_does() {
        let one = checksum(&["SELECT 'a  b', 1"], &["DROP TABLE x"]);
        assert_eq!(one.len(), 64);
        assert_eq!(one, checksum(&["\nSELECT -- why\n\t'a  b', /* x */ 1 "], &["DROP   TABLE x"]));
        for other in [
            checksum(&["SELECT 'a b', 1"], &["DROP TABLE x"]),
            checksum(&["select 'a  b', 1"], &["DROP TABLE x"]),
            checksum(&["SELECT 'a  b', 1"], &["DROP TABLE y"]),
            checksum(&["SELECT 'a  b'", ", 1"], &["DROP TABLE x"]),
            checksum(&["SELECT 'a  b', 1", "DROP TABLE x"], &[]),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn a_difference_shows_the_lines_and_those_around_them() {
        let before = Recorded::of(&Of(&["CREATE TABLE t\n(a UInt8)"], &["DROP TABLE t"])).sql;
        let after = Recorded::of(&Of(&["CREATE TABLE t\n(a UInt16)"], &["DROP TABLE t"])).sql;
        assert_eq!(
            difference(&before, &after),
            "--- recorded\n+++ now\n@@ -1,5 +1,5 @@\n -- up: up\n CREATE TABLE t\n-(a UInt8)\n+(a UInt16)\n \
             -- down: down\n DROP TABLE t\n"
        );
    }

    #[test]
    fn a_beginning_is_alike_when_its_statements_are() {
        let recorded = Recorded::of(&Of(&["A", "B", "C"], &["D"])).sql;
        let now = Of(&["A", "B -- same", "changed"], &["D"]);
        assert!(begins_alike(&recorded, Direction::Up, &now.up(), 2));
        assert!(!begins_alike(&recorded, Direction::Up, &now.up(), 3));
        assert!(begins_alike(&recorded, Direction::Down, &now.down(), 1));
        assert!(!begins_alike(&recorded, Direction::Down, &now.down(), 2));
        assert!(!begins_alike(&[], Direction::Up, &now.up(), 1));
    }
}
