//! SQL of one's own.

use super::table::{self, Table};
use crate::client::Client;
use crate::error::{Error, Result};

/// How a statement that asks begins. Read-only rights alone would let `KILL QUERY` and `BACKUP` pass.
const QUESTIONS: [&str; 7] = ["SELECT", "WITH", "EXPLAIN", "SHOW", "DESCRIBE", "DESC", "EXISTS"];

/// Runs one statement that reads, with read-only rights.
///
/// The server refuses, whoever asks, what would change something or lift the bounds: at most
/// [`super::MAX_ROWS`] rows and [`super::MAX_BYTES`] come back, within [`super::MAX_SECONDS`]. It also refuses the
/// table functions that reach another server or a file (`url(…)`, `file(…)`). The statement must not name a
/// `FORMAT`.
///
/// What it may read depends on the server and the grants of the client's user: which databases, `system` among
/// them. No grant and no read-only right covers the scalar function `file('…')`: a ClickHouse server gives it the
/// files below its `user_files_path`, and the embedded one of `archer dev`, a `clickhouse local`, every file
/// that its process can read. So do not pass on SQL of people who may not read those.
///
/// # Errors
///
/// [`crate::Error::NoQuestion`] for a statement that does something else than ask. [`crate::Error::Server`] if the
/// server refuses it: code 62 for a syntax error, 164 for what is not read-only, 497 for what the user is not
/// granted, 159 when it takes too long. [`crate::Error::Answer`] if it names a `FORMAT`.
pub async fn raw(client: &Client, sql: &str) -> Result<Table> {
    let first = first_word(sql);
    if !QUESTIONS.iter().any(|question| first.eq_ignore_ascii_case(question)) {
        return Err(Error::NoQuestion { found: first.chars().take(40).collect() });
    }
    table::fetch(client, client.query(sql)).await
}

/// The first word of a statement, behind white space, opening brackets and comments.
fn first_word(sql: &str) -> &str {
    let mut rest = sql;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
        let after = if let Some(comment) = rest.strip_prefix("--") {
            comment.split_once('\n')
        } else if let Some(comment) = rest.strip_prefix("/*") {
            comment.split_once("*/")
        } else {
            return rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
        };
        rest = after.map_or("", |(_, after)| after);
    }
}

#[cfg(test)]
mod tests {
    use super::first_word;

    #[test]
    fn the_first_word_is_found_behind_comments_and_brackets() {
        for (sql, word) in [
            ("select 1", "select"),
            ("  (SELECT 1)", "SELECT"),
            ("-- kill\n/* kill */ with x as (select 1) select 1", "with"),
            ("kill query where 1", "kill"),
            ("/* select", ""),
            ("-- select", ""),
            ("", ""),
        ] {
            assert_eq!(first_word(sql), word, "{sql}");
        }
    }
}
