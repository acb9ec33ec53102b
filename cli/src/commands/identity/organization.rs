//! `archer org`: groups of users that own things together.

use anyhow::bail;
use clap::{Args, Subcommand};
use entity_identitydb::{Role, organization, user};
use sea_orm::{ActiveEnum as _, DatabaseConnection};
use serde_json::{Value, json};
use service::Error;
use service::identitydb::organization::{Dependants, Filter};
use service::identitydb::{
    Act, invitation as invitations, organization as organizations, organization_user, team,
};

use super::invitation::{self, Invite, Uninvite};
use super::member::{self, Member, RoleName};
use super::{cut, minute, note, page, table_of_rows, why_taken, with_identitydb};
use crate::output::{self, FAINT, Outcome, STRONG, WARN, paint, plain, print};
use crate::{Context, now};

/// What to do with organizations.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Adds an organization with its first owner
    #[command(
        after_help = "Example:\n  archer org create acme --owner ada --display-name 'Acme Corporation'"
    )]
    Create(Create),
    /// Shows an organization: members, teams, open invitations
    #[command(after_help = "Examples:\n  archer org show acme\n  archer org show acme --members 1000\n  \
        archer org show acme --deleted")]
    Show(Show),
    /// Lists organizations by name
    #[command(after_help = "Examples:\n  archer org list\n  archer org list --name ac\n  \
        archer org list --limit 100 --after acme\n\n\
        A page ends with the name that the one after is asked for with. Ends with 3 where a filter finds none.")]
    List(List),
    /// Gives an organization another name; the one before is in quarantine for 90 days
    #[command(after_help = "Example:\n  archer org rename acme acme-corp")]
    Rename {
        /// The organization
        name: String,
        /// The new name
        to: String,
    },
    /// Makes a user a member; who was one before comes back with the new role
    #[command(after_help = "Examples:\n  archer org add acme bob\n  archer org add acme bob --role admin")]
    Add {
        /// Who, and where.
        #[command(flatten)]
        member: Member,
        /// As what
        #[arg(long, value_enum, default_value_t = RoleName::Member)]
        role: RoleName,
    },
    /// Ends a membership, and those in the organization's teams; the last owner stays
    #[command(after_help = "Example:\n  archer org remove acme bob")]
    Remove(Member),
    /// Gives a member another role; the last owner stays one
    #[command(after_help = "Example:\n  archer org role acme bob owner")]
    Role {
        /// Who, and where.
        #[command(flatten)]
        member: Member,
        /// As what
        role: RoleName,
    },
    /// Asks an address to join, and prints the secret that goes into the mail
    #[command(
        after_help = "Example:\n  archer org invite acme bob@example.org --by ada --role admin --days 7\n\n\
        Who has the secret may join. It goes to standard output, alone, and is not shown again. An open invitation of \
        the same address is withdrawn."
    )]
    Invite(Invite),
    /// Withdraws the open invitation of an address
    #[command(after_help = "Example:\n  archer org uninvite acme bob@example.org")]
    Uninvite(Uninvite),
    /// Deletes an organization and what hangs on it; `restore` brings both back
    #[command(after_help = "Example:\n  archer org delete acme\n\n\
        The name stays taken. Invitations don't come back.")]
    Delete {
        /// The organization
        name: String,
    },
    /// Brings a deleted organization back, with those of its members who are still there
    #[command(after_help = "Example:\n  archer org restore acme")]
    Restore {
        /// The organization
        name: String,
    },
}

/// `archer org create`
#[derive(Args, Clone, Debug)]
pub struct Create {
    /// 2 to 39 letters and digits, with single hyphens inside
    name: String,
    /// The user who owns it
    #[arg(long, value_name = "USER")]
    owner: String,
    /// What people read; without it, the name
    #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
    display_name: String,
}

/// `archer org show`
#[derive(Args, Clone, Debug)]
pub struct Show {
    /// The organization
    name: String,
    /// Also one that is deleted
    #[arg(long)]
    deleted: bool,
    /// At most so many members
    #[arg(long, default_value_t = 50, value_parser = page(), value_name = "LIMIT")]
    members: u64,
}

/// `archer org list`
#[derive(Args, Clone, Debug)]
pub struct List {
    /// Those with this in the name, in any letter case
    #[arg(long, value_name = "PART")]
    name: Option<String>,
    /// The deleted ones instead
    #[arg(long)]
    deleted: bool,
    /// Those behind this name
    #[arg(long, value_name = "NAME")]
    after: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 50, value_parser = page())]
    limit: u64,
}

/// Does it. The outcome is [`Outcome::No`] if a filter finds none.
///
/// # Errors
///
/// When there is no such organization or user, the service refuses with its rule, or the database does.
pub async fn run(context: &Context, command: Command) -> anyhow::Result<Outcome> {
    with_identitydb(context, async |db| match command {
        Command::Create(arguments) => create(context, db, &arguments).await,
        Command::Show(arguments) => show(context, db, &arguments).await,
        Command::List(arguments) => list(context, db, &arguments).await,
        Command::Rename { name, to } => rename(context, db, &name, &to).await,
        Command::Add { member, role } => member::add(context, db, &member, role.into()).await,
        Command::Remove(member) => member::remove(context, db, &member).await,
        Command::Role { member, role } => member::change_role(context, db, &member, role.into()).await,
        Command::Invite(arguments) => invitation::invite(context, db, &arguments).await,
        Command::Uninvite(arguments) => invitation::withdraw(context, db, &arguments).await,
        Command::Delete { name } => delete(context, db, &name).await,
        Command::Restore { name } => restore(context, db, &name).await,
    })
    .await
}

async fn create(context: &Context, db: &DatabaseConnection, create: &Create) -> anyhow::Result<Outcome> {
    let owner = super::user(db, &create.owner).await?;
    let act = Act::system(now());
    match organizations::create(db, &create.name, &create.display_name, owner.id, &act).await {
        Ok(made) => print(context, &as_json(&made), |_| {
            format!("created organization {}, which {} owns", made.name, owner.name)
        }),
        Err(error) => Err(why_taken(db, &create.name, error, act.at).await?),
    }
}

async fn show(context: &Context, db: &DatabaseConnection, show: &Show) -> anyhow::Result<Outcome> {
    let found = match show.deleted {
        true => super::organization_with_deleted(db, &show.name).await?,
        false => super::organization(db, &show.name).await?,
    };
    let members = organization_user::members(db, found.id, show.members + 1).await?;
    let (members, more) = cut(members, show.members);
    let teams = team::of_organization(db, found.id).await?;
    let invited = invitations::open(db, found.id, now()).await?;
    let mut value = as_json(&found);
    let as_member =
        |(user, role): &(user::Model, Role)| json!({ "name": user.name, "role": role.to_value() });
    value["members"] = members.iter().map(as_member).collect();
    value["has_more_members"] = more.into();
    value["teams"] = teams.iter().map(|team| team.name.clone()).collect();
    value["invitations"] = invited.iter().map(invitation::as_json).collect();
    print(context, &value, |_| {
        let mut text = heading(&found);
        let mut add = |header: &[&str], rows: Vec<Vec<String>>| {
            if !rows.is_empty() {
                text.push_str(&format!("\n{}", output::table(header, rows, &[])));
            }
        };
        let row = |(user, role): &(user::Model, Role)| {
            vec![user.name.clone(), plain(&user.display_name), role.to_value()]
        };
        add(&["member", "called", "as"], members.iter().map(row).collect());
        let team = |team: &entity_identitydb::team::Model| {
            vec![format!("{}/{}", found.name, team.name), plain(&team.display_name)]
        };
        add(&["team", "called"], teams.iter().map(team).collect());
        let invited =
            invited.iter().map(|row| vec![row.email.clone(), row.role.to_value(), minute(row.expires_at)]);
        add(&["invited", "as", "until (UTC)"], invited.collect());
        text
    })?;
    if more {
        note(context, paint(FAINT, format!("there are more members: --members {}", show.members * 10)));
    }
    Ok(Outcome::Done)
}

fn heading(found: &organization::Model) -> String {
    let called = match found.display_name.as_str() {
        "" => String::new(),
        name => format!(", {}", plain(name)),
    };
    let state = match found.deleted_at {
        None => String::new(),
        Some(at) => paint(WARN, format!(", deleted on {}", minute(at))),
    };
    let since = minute(found.created_at);
    format!("{}{called}: organization {} since {since} (UTC){state}", paint(STRONG, &found.name), found.id.0)
}

async fn list(context: &Context, db: &DatabaseConnection, list: &List) -> anyhow::Result<Outcome> {
    let filter = Filter { part: list.name.as_deref(), deleted: list.deleted };
    let found = organizations::list(db, filter, list.after.as_deref(), list.limit + 1).await?;
    let (found, more) = cut(found, list.limit);
    if context.json {
        output::json(&found.iter().map(as_json).collect::<Vec<_>>())?;
    } else if found.is_empty() {
        let none = if filter == Filter::default() && list.after.is_none() {
            "there is no organization yet; `archer org create` makes one"
        } else {
            "there is no such organization"
        };
        output::text(paint(FAINT, none))?;
    } else {
        let rows = found.iter().map(|row| {
            let deleted = super::minute_or(row.deleted_at, "");
            vec![row.name.clone(), plain(&row.display_name), minute(row.created_at), deleted]
        });
        let deleted = if list.deleted { "deleted (UTC)" } else { "" };
        output::text(output::table(&["organization", "called", "since (UTC)", deleted], rows, &[]))?;
    }
    if let (true, Some(last)) = (more, found.last()) {
        note(context, paint(FAINT, format!("more: --after {}", last.name)));
    }
    Ok(if found.is_empty() && filter != Filter::default() { Outcome::No } else { Outcome::Done })
}

async fn rename(context: &Context, db: &DatabaseConnection, name: &str, to: &str) -> anyhow::Result<Outcome> {
    let before = super::organization(db, name).await?;
    let act = Act::system(now());
    match organizations::rename(db, before.id, to, &act).await {
        Ok(renamed) => print(context, &as_json(&renamed), |_| super::renamed(&before.name, &renamed.name)),
        Err(error) => Err(why_taken(db, to, error, act.at).await?),
    }
}

async fn delete(context: &Context, db: &DatabaseConnection, name: &str) -> anyhow::Result<Outcome> {
    let found = super::organization(db, name).await?;
    let gone = organizations::delete(db, found.id, &Act::system(now())).await?;
    let told = json!({ "organization": found.name, "deleted": gone });
    print(context, &told, |_| format!("deleted organization {}, and with it\n{}", found.name, rows(&gone)))
}

async fn restore(context: &Context, db: &DatabaseConnection, name: &str) -> anyhow::Result<Outcome> {
    let found = super::organization_with_deleted(db, name).await?;
    if found.deleted_at.is_none() {
        bail!("organization {:?} is not deleted", found.name);
    }
    let back = match organizations::undelete(db, found.id, &Act::system(now())).await {
        Err(Error::Invalid { field: "user", reason }) => bail!("{reason}: `archer user restore OWNER`"),
        done => done?,
    };
    let told = json!({ "organization": found.name, "restored": back });
    print(context, &told, |_| format!("restored organization {}, and with it\n{}", found.name, rows(&back)))
}

/// How many rows of each table hung on an organization.
fn rows(done: &Dependants) -> String {
    let Dependants { invitations, team_memberships, teams, memberships } = *done;
    table_of_rows(&[
        ("invitations", invitations),
        ("memberships in teams", team_memberships),
        ("teams", teams),
        ("memberships", memberships),
    ])
}

/// An organization for programs.
fn as_json(found: &organization::Model) -> Value {
    json!({
        "id": found.id.0,
        "name": found.name,
        "display_name": found.display_name,
        "created_at": found.created_at,
        "deleted_at": found.deleted_at,
    })
}
