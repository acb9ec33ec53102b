//! `archer team`: members of an organization who are addressed together.

use anyhow::{anyhow, bail};
use clap::{Args, Subcommand};
use entity_identitydb::team;
use sea_orm::DatabaseConnection;
use serde_json::{Value, json};
use service::Error;
use service::identitydb::{Act, team as teams, team_user};

use super::{TeamName, cut, minute, note, page, with_identitydb};
use crate::output::{self, FAINT, Outcome, STRONG, paint, plain, print, so_many};
use crate::{Context, now};

/// What to do with teams.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Adds a team to an organization
    #[command(after_help = "Example:\n  archer team create acme/core --display-name 'Those who ship'")]
    Create {
        /// Its organization and name
        team: TeamName,
        /// What people read; without it, the name
        #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
        display_name: String,
    },
    /// Shows a team and its members
    #[command(after_help = "Example:\n  archer team show acme/core")]
    Show {
        /// Its organization and name
        team: TeamName,
        /// At most so many members
        #[arg(long, default_value_t = 50, value_parser = page(), value_name = "LIMIT")]
        members: u64,
    },
    /// Lists the teams of an organization by name
    #[command(after_help = "Example:\n  archer team list acme")]
    List {
        /// The organization
        organization: String,
    },
    /// Makes a member of the organization a member of its team
    #[command(after_help = "Example:\n  archer team add acme/core bob")]
    Add(Member),
    /// Ends a membership in a team; that in the organization goes on
    #[command(after_help = "Example:\n  archer team remove acme/core bob")]
    Remove(Member),
    /// Deletes a team; its name is free again, and it does not come back
    #[command(after_help = "Example:\n  archer team delete acme/core")]
    Delete {
        /// Its organization and name
        team: TeamName,
    },
}

/// A user in a team.
#[derive(Args, Clone, Debug)]
pub struct Member {
    /// The organization and the name of the team
    team: TeamName,
    /// The user
    user: String,
}

/// Does it.
///
/// # Errors
///
/// When there is no such team or user, the service refuses with its rule, or the database does.
pub async fn run(context: &Context, command: Command) -> anyhow::Result<Outcome> {
    with_identitydb(context, async |db| match command {
        Command::Create { team, display_name } => create(context, db, &team, &display_name).await,
        Command::Show { team, members } => show(context, db, &team, members).await,
        Command::List { organization } => list(context, db, &organization).await,
        Command::Add(member) => add(context, db, &member).await,
        Command::Remove(member) => remove(context, db, &member).await,
        Command::Delete { team } => delete(context, db, &team).await,
    })
    .await
}

async fn create(
    context: &Context,
    db: &DatabaseConnection,
    name: &TeamName,
    display_name: &str,
) -> anyhow::Result<Outcome> {
    let organization = super::organization(db, &name.organization).await?;
    let made = teams::create(db, organization.id, &name.team, display_name, &Act::system(now())).await;
    let made = match made {
        Err(Error::Conflict { .. }) => {
            bail!("team {name} is there already; `archer team show {name}` shows it")
        }
        made => made?,
    };
    print(context, &as_json(&organization.name, &made), |_| format!("created team {name}"))
}

async fn show(
    context: &Context,
    db: &DatabaseConnection,
    name: &TeamName,
    limit: u64,
) -> anyhow::Result<Outcome> {
    let found = super::team(db, name).await?;
    let (members, more) = cut(team_user::members(db, found.id, limit + 1).await?, limit);
    let mut value = as_json(&name.organization, &found);
    value["members"] = members.iter().map(|user| user.name.clone()).collect();
    value["has_more_members"] = more.into();
    print(context, &value, |_| {
        let called = match found.display_name.as_str() {
            "" => String::new(),
            called => format!(", {}", plain(called)),
        };
        let since = minute(found.created_at);
        let heading = format!("{}{called}: team {} since {since} (UTC)", paint(STRONG, name), found.id.0);
        if members.is_empty() {
            return format!("{heading}\n{}", paint(FAINT, "nobody is in it"));
        }
        let rows = members.iter().map(|user| vec![user.name.clone(), plain(&user.display_name)]);
        format!("{heading}\n{}", output::table(&["member", "called"], rows, &[]))
    })?;
    if more {
        note(context, paint(FAINT, format!("there are more members: --members {}", limit * 10)));
    }
    Ok(Outcome::Done)
}

async fn list(context: &Context, db: &DatabaseConnection, name: &str) -> anyhow::Result<Outcome> {
    let organization = super::organization(db, name).await?;
    let found = teams::of_organization(db, organization.id).await?;
    let listed: Vec<Value> = found.iter().map(|team| as_json(&organization.name, team)).collect();
    print(context, &listed, |_| {
        if found.is_empty() {
            let name = &organization.name;
            return paint(
                FAINT,
                format!("{name} has no team yet; `archer team create {name}/NAME` makes one"),
            );
        }
        let rows = found.iter().map(|team| {
            vec![
                format!("{}/{}", organization.name, team.name),
                plain(&team.display_name),
                minute(team.created_at),
            ]
        });
        output::table(&["team", "called", "since (UTC)"], rows, &[])
    })
}

async fn add(context: &Context, db: &DatabaseConnection, member: &Member) -> anyhow::Result<Outcome> {
    let Member { team: name, .. } = member;
    let team = super::team(db, name).await?;
    let user = super::user(db, &member.user).await?;
    team_user::add(db, team.id, user.id, &Act::system(now())).await.map_err(|error| match error {
        Error::Conflict { .. } => anyhow!("{} is in {name} already", user.name),
        Error::Invalid { field: "user", .. } => {
            let (user, organization) = (&user.name, &name.organization);
            anyhow!("{user} is no member of {organization}; `archer org add {organization} {user}` first")
        }
        error => error.into(),
    })?;
    let told = json!({ "team": name.to_string(), "user": user.name });
    print(context, &told, |_| format!("{} is in {name}", user.name))
}

async fn remove(context: &Context, db: &DatabaseConnection, member: &Member) -> anyhow::Result<Outcome> {
    let Member { team: name, .. } = member;
    let team = super::team(db, name).await?;
    let user = super::user(db, &member.user).await?;
    team_user::remove(db, team.id, user.id, &Act::system(now())).await.map_err(|error| match error {
        Error::NotFound { what: "member", .. } => {
            anyhow!("{} is not in {name}; `archer team show {name}` lists who is", user.name)
        }
        error => error.into(),
    })?;
    let told = json!({ "team": name.to_string(), "user": user.name });
    print(context, &told, |_| format!("{} is not in {name} any more", user.name))
}

async fn delete(context: &Context, db: &DatabaseConnection, name: &TeamName) -> anyhow::Result<Outcome> {
    let team = super::team(db, name).await?;
    let members = teams::delete(db, team.id, &Act::system(now())).await?;
    let told = json!({ "team": name.to_string(), "deleted": { "team_memberships": members } });
    print(context, &told, |_| format!("deleted team {name}, and with it {}", so_many(members, "membership")))
}

/// A team for programs.
fn as_json(organization: &str, team: &team::Model) -> Value {
    json!({
        "id": team.id.0,
        "organization": organization,
        "name": team.name,
        "display_name": team.display_name,
        "created_at": team.created_at,
    })
}
