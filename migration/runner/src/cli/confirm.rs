//! Asking before something is lost.

use std::io::{BufRead, IsTerminal, Write as _};

use sea_orm::DatabaseConnection;

use super::args::Command;
use super::report::{self, BAD, paint};
use crate::{Accepted, Runner};

/// Why a command was not carried out. Nothing was changed then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is nobody to ask.
    #[error("this {what}; there is no terminal to ask on: say --yes, or set MIGRATION_YES=1")]
    NobodyToAsk {
        /// What would happen: `loses everything in shop`.
        what: String,
    },
    /// One of the databases is marked as production, so none of them is touched.
    #[error("nothing was changed: {database} is marked as production, and this would lose everything in it")]
    Production {
        /// Its name.
        database: String,
    },
    /// Somebody was asked, and did not agree.
    #[error("nothing was changed")]
    Declined,
}

/// What a command would lose in one database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stake {
    /// The database, as the person at the terminal has to type it.
    pub database: String,
    /// What would be lost: `everything in shop`, `3 migrations of shop`.
    pub what: String,
}

impl Stake {
    /// Everything in `database`.
    #[must_use]
    pub fn everything(database: &str) -> Self {
        Self { database: database.to_owned(), what: format!("everything in {database}") }
    }

    /// What `count` migrations of `database` have made; `None` for a single one, which is not asked about.
    #[must_use]
    pub fn migrations(database: &str, count: usize) -> Option<Self> {
        let what = format!("what {count} migrations of {database} have made");
        (count > 1).then(|| Self { database: database.to_owned(), what })
    }
}

/// What `command` would lose in `db`, if that is to be asked about. Not where the database is marked as
/// production, since that is refused anyway, nor where it can't be told, since the command says why.
pub async fn stake(runner: &Runner, db: &DatabaseConnection, command: &Command) -> Option<Stake> {
    if !command.loses_data() || runner.is_production(db).await.unwrap_or(false) {
        return None;
    }
    match command {
        Command::Down(down) => {
            let status = runner.status(db).await.ok()?;
            let count = runner.to_revert(&status, &down.extent()).ok()?.len();
            Stake::migrations(runner.name(), count)
        }
        _ => Some(Stake::everything(runner.name())),
    }
}

/// Refuses a command that loses everything in several databases, if one of them is marked as production:
/// before any of them is touched.
///
/// # Errors
///
/// [`Refusal::Production`]. A database that can't be asked is left to the command, which says why.
pub async fn refuse_production<'a>(
    command: &Command,
    databases: impl IntoIterator<Item = (&'a Runner, &'a DatabaseConnection)>,
) -> Result<(), Refusal> {
    if command.loses_everything() {
        for (runner, db) in databases {
            if runner.is_production(db).await.unwrap_or(false) {
                return Err(Refusal::Production { database: runner.name().to_owned() });
            }
        }
    }
    Ok(())
}

/// Has a person at the terminal type the names of the databases that lose something.
///
/// # Errors
///
/// [`Refusal`], unless they did, or `yes` answers, or there is no stake.
pub fn confirm_loss(stakes: &[Stake], yes: bool) -> Result<(), Refusal> {
    if yes || stakes.is_empty() {
        return Ok(());
    }
    let what = stakes.iter().map(|stake| stake.what.as_str()).collect::<Vec<_>>().join(", ");
    let expected = stakes.iter().map(|stake| stake.database.as_str()).collect::<Vec<_>>().join(" ");
    let what = format!("loses {what}");
    let question = format!("This {}. Type `{expected}` to go on: ", paint(BAD, &what));
    if ask(&question, what)? == expected { Ok(()) } else { Err(Refusal::Declined) }
}

/// Shows changed SQL and asks whether to accept it. `changes` are a database, and what has changed there.
///
/// # Errors
///
/// [`Refusal`], unless the answer is yes, or `yes` gives it, or nothing has changed.
pub fn confirm_changes(changes: &[(String, Vec<Accepted>)], yes: bool) -> Result<(), Refusal> {
    if yes || changes.iter().all(|(_, changes)| changes.is_empty()) {
        return Ok(());
    }
    let mut names = Vec::new();
    for (database, changes) in changes.iter().filter(|(_, changes)| !changes.is_empty()) {
        let listed = changes.iter().map(|change| (change.migration.as_str(), change.difference.as_str()));
        anstream::eprintln!("{database}\n{}", report::differences(listed));
        names.push(database.as_str());
    }
    let what = format!("accepts the changed SQL of {}", names.join(", "));
    let answer = ask("Is the database as the new SQL has it? [y/N] ", what)?;
    if matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes") { Ok(()) } else { Err(Refusal::Declined) }
}

fn ask(question: &str, what: String) -> Result<String, Refusal> {
    if !std::io::stdin().is_terminal() {
        return Err(Refusal::NobodyToAsk { what });
    }
    anstream::eprint!("{question}");
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    match std::io::stdin().lock().read_line(&mut answer) {
        Ok(_) => Ok(answer.trim().to_owned()),
        Err(_) => Err(Refusal::Declined),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_asked_where_nothing_is_at_stake_or_the_answer_is_given() {
        assert_eq!(confirm_loss(&[], false), Ok(()));
        assert_eq!(confirm_loss(&[Stake::everything("shop")], true), Ok(()));
        assert_eq!(confirm_changes(&[("shop".to_owned(), Vec::new())], false), Ok(()));
        assert_eq!(Stake::migrations("shop", 1), None);
    }
}
