//! `archer derived`: tables that follow from others, held against them.

use clap::{Args, Subcommand};
use dev::endpoints::Needs;
use sea_orm::DatabaseConnection;
use serde::Serialize;
use service::ardb::derived::{self, Example, Verified};
use service::ardb::import::Rows;

use crate::Context;
use crate::output::{self, BAD, FAINT, GOOD, Outcome, count, paint, plain};
use crate::stores::Stores;

/// What to do with derived tables.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Compares each derived table of ardb with what it should hold
    #[command(after_help = "Examples:\n  archer derived verify\n  archer derived verify --repair\n\n\
        Triggers and imports keep these tables; rows that were changed around them are found here.\n\
        Ends with 0 where all is as it should be or was repaired, 3 where something differs.")]
    Verify(Verify),
}

/// `archer derived verify`
#[derive(Args, Clone, Copy, Debug)]
pub struct Verify {
    /// Writes what differs, and nothing else
    #[arg(long)]
    repair: bool,
}

#[derive(Serialize)]
struct Checked {
    #[serde(flatten)]
    verified: Verified,
    /// What was written; `None`: nothing was to be.
    repaired: Option<Rows>,
}

/// Verifies, and repairs where it is told to. The outcome is [`Outcome::No`] if something differs and was not repaired.
///
/// # Errors
///
/// When the database refuses.
pub async fn run(context: &Context, command: Command) -> anyhow::Result<Outcome> {
    let Command::Verify(Verify { repair }) = command;
    let needs = Needs { ardb: true, ..Needs::default() };
    let checked =
        Stores::with_migrated(context, needs, async |stores| check(stores.ardb()?, repair).await).await?;
    if context.json {
        output::json(&checked)?;
    } else {
        output::text(describe(&checked))?;
    }
    let is_done = |checked: &Checked| checked.verified.is_right() || checked.repaired.is_some();
    Ok(if checked.iter().all(is_done) { Outcome::Done } else { Outcome::No })
}

async fn check(ardb: &DatabaseConnection, repair: bool) -> anyhow::Result<Vec<Checked>> {
    let mut checked = Vec::new();
    for (table, verified) in derived::TABLES.iter().zip(derived::verify(ardb).await?) {
        let repaired =
            if repair && !verified.is_right() { Some(derived::repair(ardb, table).await?) } else { None };
        checked.push(Checked { verified, repaired });
    }
    Ok(checked)
}

fn describe(checked: &[Checked]) -> String {
    let rows = checked.iter().map(|Checked { verified, repaired }| {
        let state = match repaired {
            _ if verified.is_right() => paint(GOOD, "as it should be"),
            Some(_) => paint(GOOD, "repaired"),
            None => paint(BAD, "differs"),
        };
        let Verified { table, missing, superfluous, different, .. } = verified;
        vec![(*table).to_owned(), count(*missing), count(*superfluous), count(*different), state]
    });
    let mut text = output::table(&["table", "missing", "superfluous", "different", ""], rows, &[1, 2, 3]);
    for Checked { verified, .. } in checked {
        for example in &verified.examples {
            text.push_str(&format!("\n{}", describe_example(verified.table, example)));
        }
    }
    if checked.iter().any(|checked| !checked.verified.is_right() && checked.repaired.is_none()) {
        text.push_str("\n`archer derived verify --repair` writes what differs");
    }
    text
}

fn describe_example(table: &str, Example { expected, found }: &Example) -> String {
    let row = |row: &Option<serde_json::Value>| {
        row.as_ref().map_or_else(|| "no row".to_owned(), |row| plain(&row.to_string()))
    };
    format!("{table} {} {}\n  {} {}", paint(FAINT, "has"), row(found), paint(FAINT, "not"), row(expected))
}
