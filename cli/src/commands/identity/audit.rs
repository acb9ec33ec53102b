//! `archer audit`: who did what to what, from where.

use std::collections::HashMap;
use std::str::FromStr;

use clap::{Args, Subcommand};
use entity_identitydb::{AuditEventId, OrganizationId, UserId, audit_event};
use sea_orm::DatabaseConnection;
use serde_json::{Value, json};
use service::identitydb::audit_event::{self as events, Filter};
use service::identitydb::{organization as organizations, user as users};

use super::{TeamName, cut, note, page, with_identitydb};
use crate::output::{self, FAINT, Outcome, paint, plain, print};
use crate::{Context, now};

/// What to do with the audit trail.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Lists what was done, newest first
    #[command(after_help = "Examples:\n  archer audit list\n  archer audit list --org acme\n  \
        archer audit list --by ada --limit 200\n  archer audit list --object token:12\n\n\
        What operators and the system itself did is by nobody. A page ends with the number that the one after is \
        asked for with. Ends with 3 where a filter finds nothing.")]
    List(List),
    /// Prepares the partition of next month; once a month is enough
    #[command(after_help = "Example:\n  archer audit add-month\n\n\
        Nothing is lost without it: what comes in a month that nobody prepared is kept in a partition of its own.")]
    AddMonth,
}

/// `archer audit list`
#[derive(Args, Clone, Debug)]
pub struct List {
    #[command(flatten)]
    about: About,
    /// What this user did
    #[arg(long, value_name = "USER")]
    by: Option<String>,
    /// What was done before the entry of this number
    #[arg(long, value_name = "ENTRY")]
    before: Option<i64>,
    /// At most so many
    #[arg(long, default_value_t = 50, value_parser = page())]
    limit: u64,
}

/// To what it was done; none of them: to anything.
#[derive(Args, Clone, Debug)]
#[group(multiple = false)]
pub struct About {
    /// What was done to this user, deleted or not
    #[arg(long)]
    user: Option<String>,
    /// What was done to this organization, deleted or not
    #[arg(long)]
    org: Option<String>,
    /// What was done to this team
    #[arg(long)]
    team: Option<TeamName>,
    /// What was done to something of another kind, such as token:12 or email:3
    #[arg(long, value_name = "KIND:ID")]
    object: Option<Object>,
}

/// What an entry is about, by kind and number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    kind: String,
    id: i64,
}

impl FromStr for Object {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let form = "expected a kind and a number, as in token:12";
        let (kind, id) = text.split_once(':').ok_or(form)?;
        Ok(Self { kind: kind.to_owned(), id: id.parse().map_err(|_| form)? })
    }
}

/// Lists or prepares. The outcome is [`Outcome::No`] if a filter finds nothing.
///
/// # Errors
///
/// When there is no such user, organization or team, or the database refuses.
pub async fn run(context: &Context, command: Command) -> anyhow::Result<Outcome> {
    with_identitydb(context, async |db| match command {
        Command::List(arguments) => list(context, db, &arguments).await,
        Command::AddMonth => {
            let next = now().date_naive() + chrono::Months::new(1);
            let added = events::add_month(db, next).await?;
            let month = next.format("%Y-%m").to_string();
            let told = json!({ "month": month, "added": added });
            let what = if added { "is prepared" } else { "was prepared before" };
            print(context, &told, |_| format!("{month} {what}"))
        }
    })
    .await
}

async fn list(context: &Context, db: &DatabaseConnection, list: &List) -> anyhow::Result<Outcome> {
    let object = match &list.about {
        About { user: Some(name), .. } => {
            Some(Object { kind: "user".to_owned(), id: super::user_with_deleted(db, name).await?.id.0 })
        }
        About { org: Some(name), .. } => Some(Object {
            kind: "organization".to_owned(),
            id: super::organization_with_deleted(db, name).await?.id.0,
        }),
        About { team: Some(name), .. } => {
            Some(Object { kind: "team".to_owned(), id: super::team(db, name).await?.id.0 })
        }
        About { object, .. } => object.clone(),
    };
    let actor = match &list.by {
        Some(name) => Some(super::user_with_deleted(db, name).await?.id),
        None => None,
    };
    let filter = Filter { object: object.as_ref().map(|object| (object.kind.as_str(), object.id)), actor };
    let found = events::read(db, filter, list.before.map(AuditEventId), list.limit + 1).await?;
    let (found, more) = cut(found, list.limit);
    let names = Names::of(db, &found).await?;
    print(context, &found.iter().map(|entry| names.as_json(entry)).collect::<Vec<_>>(), |_| {
        if found.is_empty() {
            return paint(FAINT, "nothing of that kind was done");
        }
        let header = ["entry", "when (UTC)", "who", "did", "to", "from", ""];
        output::table(&header, found.iter().map(|entry| names.as_row(entry)), &[0])
    })?;
    if let (true, Some(last)) = (more, found.last()) {
        note(context, paint(FAINT, format!("more: --before {}", last.id.0)));
    }
    Ok(if found.is_empty() && filter != Filter::default() { Outcome::No } else { Outcome::Done })
}

/// What the ids in some entries stand for today.
struct Names {
    users: HashMap<i64, String>,
    organizations: HashMap<i64, String>,
    /// Address and program.
    origins: HashMap<i64, (String, String)>,
}

impl Names {
    async fn of(db: &DatabaseConnection, entries: &[audit_event::Model]) -> anyhow::Result<Self> {
        let objects = |kind: &'static str| {
            entries.iter().filter(move |entry| entry.object_kind == kind).map(|entry| entry.object_id)
        };
        let actors = entries.iter().filter_map(|entry| entry.actor_user_id);
        let users = users::by_ids_with_deleted(db, actors.chain(objects("user").map(UserId))).await?;
        let of = objects("organization").map(OrganizationId);
        let organizations = organizations::by_ids_with_deleted(db, of).await?;
        let origins = events::origins(db, entries).await?;
        Ok(Self {
            users: users.into_iter().map(|user| (user.id.0, user.name)).collect(),
            organizations: organizations.into_iter().map(|row| (row.id.0, row.name)).collect(),
            origins: origins.into_iter().map(|row| (row.id.0, (row.address, row.agent))).collect(),
        })
    }

    fn actor(&self, entry: &audit_event::Model) -> Option<&String> {
        self.users.get(&entry.actor_user_id?.0)
    }

    fn object(&self, entry: &audit_event::Model) -> Option<&String> {
        match entry.object_kind.as_str() {
            "user" => self.users.get(&entry.object_id),
            "organization" => self.organizations.get(&entry.object_id),
            _ => None,
        }
    }

    fn as_json(&self, entry: &audit_event::Model) -> Value {
        let origin = entry.origin_id.and_then(|id| self.origins.get(&id.0));
        json!({
            "id": entry.id.0,
            "occurred_at": entry.occurred_at,
            "actor": entry.actor_user_id.map(|id| json!({ "id": id.0, "name": self.actor(entry) })),
            "origin": origin.map(|(address, agent)| json!({ "address": address, "agent": agent })),
            "action": entry.action,
            "object": { "kind": entry.object_kind, "id": entry.object_id, "name": self.object(entry) },
            "before": entry.before,
            "after": entry.after,
        })
    }

    fn as_row(&self, entry: &audit_event::Model) -> Vec<String> {
        let object = match self.object(entry) {
            Some(name) => format!("{} {name}", entry.object_kind),
            None => format!("{} {}", entry.object_kind, entry.object_id),
        };
        let origin = entry.origin_id.and_then(|id| self.origins.get(&id.0));
        let text = |value: &Option<Value>| value.as_ref().map(|value| plain(&value.to_string()));
        let changed = match (text(&entry.before), text(&entry.after)) {
            (Some(before), Some(after)) => format!("{before} → {after}"),
            (Some(before), None) => format!("{before} → "),
            (None, after) => after.unwrap_or_default(),
        };
        vec![
            entry.id.0.to_string(),
            entry.occurred_at.format("%F %T").to_string(),
            self.actor(entry).cloned().unwrap_or_else(|| "the system".to_owned()),
            entry.action.clone(),
            object,
            origin.map(|(address, _)| plain(address)).unwrap_or_default(),
            changed,
        ]
    }
}
