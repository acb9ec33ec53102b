//! `archer user`, `org`, `team`, `token`, `audit` and `erasure`: identitydb for operators.
//!
//! Whom something is done to is named as people name them, never by an id, except where there is no name: tokens,
//! requests. What is done is in the audit trail as the system's own. A secret is read by `secret::read` and shown
//! by `secret::show`, and nowhere else.

pub mod audit;
pub mod erasure;
mod invitation;
mod member;
pub mod organization;
mod secret;
pub mod team;
pub mod token;
pub mod user;

use std::fmt;
use std::str::FromStr;

use anyhow::{anyhow, bail};
use clap::builder::RangedU64ValueParser;
use dev::endpoints::Needs;
use entity_identitydb::{organization as org, team as teams, user as users};
use sea_orm::DatabaseConnection;
use sea_orm::prelude::DateTimeUtc;
use service::Error;
use service::identitydb::{name, organization as organizations, rule, team as team_of, user as user_of};

use crate::Context;
use crate::output::{self, count};
use crate::stores::Stores;

/// Runs `work` on identitydb.
async fn with_identitydb<T>(
    context: &Context,
    work: impl AsyncFnOnce(&DatabaseConnection) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let needs = Needs { identitydb: true, ..Needs::default() };
    Stores::with_migrated(context, needs, async |stores| work(stores.identitydb()?).await).await
}

/// The rows of a page: at least one, and no more than a terminal or a program wants at once.
fn page() -> RangedU64ValueParser {
    clap::value_parser!(u64).range(1..=100_000)
}

/// One page of what was read with a limit one higher, and whether there is more.
fn cut<T>(mut found: Vec<T>, limit: u64) -> (Vec<T>, bool) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.len() > limit;
    found.truncate(limit);
    (found, more)
}

/// Tells people, and no program, on standard error how to go on.
fn note(context: &Context, text: impl fmt::Display) {
    if !context.json {
        anstream::eprintln!("{text}");
    }
}

/// `2026-11-26 12:00`, UTC.
fn minute(at: DateTimeUtc) -> String {
    at.format("%F %H:%M").to_string()
}

/// The same, or what to say where there is none.
fn minute_or(at: Option<DateTimeUtc>, none: &str) -> String {
    at.map_or_else(|| none.to_owned(), minute)
}

/// What a rename did; another way of writing a name gives nothing up.
fn renamed(from: &str, to: &str) -> String {
    match name::canonical(from) == name::canonical(to) {
        true if from == to => format!("{to} is called that already"),
        true => format!("{from} is {to} from now on"),
        false => format!("{from} is {to} from now on; the old name is in quarantine"),
    }
}

/// How many rows of each table something was done to.
fn table_of_rows(rows: &[(&str, u64)]) -> String {
    let rows = rows.iter().map(|&(what, number)| vec![what.to_owned(), count(number)]);
    output::table(&["what", "rows"], rows, &[1])
}

/// A team as operators name it: `acme/core`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamName {
    organization: String,
    team: String,
}

impl FromStr for TeamName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (organization, team) = text.split_once('/').ok_or("expected the form acme/core")?;
        for name in [organization, team] {
            rule::name(name).map_err(|error| format!("{error}, as in acme/core"))?;
        }
        Ok(Self { organization: organization.to_owned(), team: team.to_owned() })
    }
}

impl fmt::Display for TeamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.organization, self.team)
    }
}

/// The live user called `name`.
async fn user(db: &DatabaseConnection, name: &str) -> anyhow::Result<users::Model> {
    let user = user_with_deleted(db, name).await?;
    match user.deleted_at {
        None => Ok(user),
        Some(at) => bail!(
            "user {:?} was deleted on {} (UTC); `archer user restore {}` brings it back",
            user.name,
            minute(at),
            user.name
        ),
    }
}

/// The user called `name`, deleted or not.
async fn user_with_deleted(db: &DatabaseConnection, name: &str) -> anyhow::Result<users::Model> {
    if let Some(user) = user_of::by_name_with_deleted(db, name).await? {
        return Ok(user);
    }
    if organizations::by_name_with_deleted(db, name).await?.is_some() {
        bail!("there is no user {name:?}, but an organization; `archer org show {name}` shows it");
    }
    if name.contains('@') {
        bail!("users go by name; `archer user list --email ADDRESS` finds out whose an address is");
    }
    bail!("there is no user {name:?}; `archer user list --name PART` looks for one")
}

/// The live organization called `name`.
async fn organization(db: &DatabaseConnection, name: &str) -> anyhow::Result<org::Model> {
    let organization = organization_with_deleted(db, name).await?;
    match organization.deleted_at {
        None => Ok(organization),
        Some(at) => bail!(
            "organization {:?} was deleted on {} (UTC); `archer org restore {}` brings it back",
            organization.name,
            minute(at),
            organization.name
        ),
    }
}

/// The organization called `name`, deleted or not.
async fn organization_with_deleted(db: &DatabaseConnection, name: &str) -> anyhow::Result<org::Model> {
    if let Some(organization) = organizations::by_name_with_deleted(db, name).await? {
        return Ok(organization);
    }
    if user_of::by_name_with_deleted(db, name).await?.is_some() {
        bail!("there is no organization {name:?}, but a user; `archer user show {name}` shows it");
    }
    bail!("there is no organization {name:?}; `archer org list --name PART` looks for one")
}

/// The live team called `name`.
async fn team(db: &DatabaseConnection, name: &TeamName) -> anyhow::Result<teams::Model> {
    let organization = organization(db, &name.organization).await?;
    if let Some(team) = team_of::by_name(db, organization.id, &name.team).await? {
        return Ok(team);
    }
    let organization = organization.name;
    bail!("there is no team {name} here; `archer team list {organization}` lists those of {organization}")
}

/// `error`, which came of giving the name `wanted` to something; a conflict says who or what is in the way, and
/// until when.
async fn why_taken(
    db: &DatabaseConnection,
    wanted: &str,
    error: Error,
    at: DateTimeUtc,
) -> anyhow::Result<anyhow::Error> {
    let Error::Conflict { .. } = error else { return Ok(error.into()) };
    let Some(row) = name::taken(db, wanted, at).await? else { return Ok(error.into()) };
    if let Some(available_at) = row.available_at {
        return Ok(anyhow!(
            "the name {wanted:?} was given up and is in quarantine until {} (UTC); \
             whoever had it can have it back before",
            minute(available_at)
        ));
    }
    let (kind, held, deleted_at) = match (row.user_id, row.organization_id) {
        (Some(id), _) => {
            let holder = user_of::by_ids_with_deleted(db, [id]).await?.pop();
            ("user", holder.as_ref().map(|row| row.name.clone()), holder.and_then(|row| row.deleted_at))
        }
        (None, Some(id)) => {
            let holder = organizations::by_ids_with_deleted(db, [id]).await?.pop();
            ("org", holder.as_ref().map(|row| row.name.clone()), holder.and_then(|row| row.deleted_at))
        }
        (None, None) => return Ok(anyhow!("the name {wanted:?} is reserved; take another one")),
    };
    let Some(held) = held else { return Ok(error.into()) };
    let noun = if kind == "org" { "organization" } else { kind };
    let same = held.eq_ignore_ascii_case(wanted);
    let like = if same { String::new() } else { format!(", which looks like {wanted:?}") };
    Ok(match deleted_at {
        None => anyhow!("{noun} {held:?} is there already{like}; take another name"),
        Some(_) => anyhow!(
            "{noun} {held:?} is deleted and keeps its name{like}; `archer {kind} restore {held}` brings it back"
        ),
    })
}

/// `error`; where `user` is the last owner of an organization, with what to type about it.
fn or_last_owner(user: &str, organization: &str, error: Error) -> anyhow::Error {
    match error {
        Error::Invalid { field: "user", reason } => {
            anyhow!("{user} {reason}: `archer org role {organization} MEMBER owner`")
        }
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::TeamName;

    #[test]
    fn a_team_is_named_after_its_organization() {
        let parsed = "acme/core".parse::<TeamName>().map(|name| name.to_string());
        assert_eq!(parsed.as_deref(), Ok("acme/core"));
        for text in ["", "core", "/core", "acme/", "acme/core/x", "acme/c\0re", "ac me/core"] {
            assert!(text.parse::<TeamName>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_page_knows_whether_there_is_more() {
        assert_eq!(super::cut(vec![1, 2, 3], 2), (vec![1, 2], true));
        assert_eq!(super::cut(vec![1, 2], 2), (vec![1, 2], false));
    }
}
