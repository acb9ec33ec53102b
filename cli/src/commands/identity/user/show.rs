//! `archer user show`: all that an operator wants to know of one user.

use clap::Args;
use entity_identitydb::{api_token, external_account, organization, session, user, user_email};
use sea_orm::prelude::DateTimeUtc;
use sea_orm::{ActiveEnum as _, DatabaseConnection};
use serde_json::{Value, json};
use service::identitydb::{
    erasure, external_account as accounts, organization_user, password, session as sessions, team_user,
    user_email as emails,
};

use super::email;
use crate::commands::identity::{self, minute, minute_or, token};
use crate::output::{self, BAD, FAINT, GOOD, Outcome, STRONG, WARN, paint, plain, print, so_many};
use crate::{Context, now};

/// `archer user show`
#[derive(Args, Clone, Debug)]
pub struct Show {
    /// The user
    name: String,
    /// Also one who is deleted
    #[arg(long)]
    deleted: bool,
}

struct Shown {
    user: user::Model,
    is_erased: bool,
    password_changed_at: Option<DateTimeUtc>,
    emails: Vec<user_email::Model>,
    organizations: Vec<(organization::Model, entity_identitydb::Role)>,
    teams: Vec<String>,
    sessions: Vec<session::Model>,
    tokens: Vec<api_token::Model>,
    accounts: Vec<external_account::Model>,
}

/// Shows a user.
pub async fn run(context: &Context, db: &DatabaseConnection, show: &Show) -> anyhow::Result<Outcome> {
    let user = match show.deleted {
        true => identity::user_with_deleted(db, &show.name).await?,
        false => identity::user(db, &show.name).await?,
    };
    let id = user.id;
    let teams = team_user::of_user(db, id).await?;
    let shown = Shown {
        is_erased: !erasure::of_users(db, [id]).await?.is_empty(),
        password_changed_at: password::changed_at(db, id).await?,
        emails: emails::of_user(db, id).await?,
        organizations: organization_user::of_user(db, id).await?,
        teams: teams.into_iter().map(|(team, of)| format!("{}/{}", of.name, team.name)).collect(),
        sessions: sessions::of_user(db, id, now()).await?,
        tokens: service::identitydb::api_token::of_user(db, id).await?,
        accounts: accounts::of_user(db, id).await?,
        user,
    };
    print(context, &as_json(&shown), |_| describe(&shown))
}

fn as_json(shown: &Shown) -> Value {
    let mut value = super::as_json(&shown.user);
    let roles = shown.organizations.iter();
    let sessions = shown.sessions.iter().map(|session| {
        json!({
            "id": session.id.0,
            "created_at": session.created_at,
            "expires_at": session.expires_at,
            "last_used_at": session.last_used_at,
        })
    });
    let accounts = shown.accounts.iter().map(
        |account| json!({ "provider": account.provider, "host": account.host, "subject": account.subject }),
    );
    value["is_erased"] = shown.is_erased.into();
    value["password_changed_at"] = json!(shown.password_changed_at);
    value["emails"] = shown.emails.iter().map(email::as_json).collect();
    value["organizations"] =
        roles.map(|(of, role)| json!({ "name": of.name, "role": role.to_value() })).collect();
    value["teams"] = json!(shown.teams);
    value["sessions"] = sessions.collect();
    value["tokens"] = shown.tokens.iter().map(|row| token::as_json(row, &shown.user.name)).collect();
    value["external_accounts"] = accounts.collect();
    value
}

fn describe(shown: &Shown) -> String {
    let user = &shown.user;
    let called =
        if user.display_name.is_empty() { String::new() } else { format!(", {}", plain(&user.display_name)) };
    let state = match user.deleted_at {
        None => String::new(),
        Some(at) if shown.is_erased => paint(BAD, format!(", erased on {}", minute(at))),
        Some(at) => paint(WARN, format!(", deleted on {}", minute(at))),
    };
    let mut text = format!(
        "{}{called}: user {} since {} (UTC){state}\n",
        paint(STRONG, &user.name),
        user.id.0,
        minute(user.created_at)
    );
    let password = match shown.password_changed_at {
        Some(at) => format!("a password of {}", minute(at)),
        None => "no password".to_owned(),
    };
    text.push_str(&paint(
        FAINT,
        format!(
            "{password}, {}, {}",
            so_many(shown.sessions.len() as u64, "session"),
            so_many(shown.tokens.len() as u64, "token")
        ),
    ));
    let mut add = |header: &[&str], rows: Vec<Vec<String>>| {
        if !rows.is_empty() {
            text.push_str(&format!("\n{}", output::table(header, rows, &[])));
        }
    };
    let emails = shown.emails.iter().map(|row| {
        let primary = if row.is_primary { "primary" } else { "" };
        let state = match (row.verified_at, row.bounced_at) {
            (Some(at), _) => paint(GOOD, format!("verified {}", minute(at))),
            (None, Some(at)) => paint(BAD, format!("bounces since {}", minute(at))),
            (None, None) => paint(WARN, "not verified"),
        };
        vec![row.email.clone(), primary.to_owned(), state]
    });
    add(&["address", "", ""], emails.collect());
    let organizations = shown.organizations.iter();
    add(
        &["organization", "as"],
        organizations.map(|(of, role)| vec![of.name.clone(), role.to_value()]).collect(),
    );
    add(&["team"], shown.teams.iter().map(|team| vec![team.clone()]).collect());
    let accounts = shown.accounts.iter();
    add(
        &["account at", "on", "is"],
        accounts.map(|row| vec![row.provider.clone(), row.host.clone(), plain(&row.subject)]).collect(),
    );
    let sessions = shown.sessions.iter().map(|row| {
        vec![
            row.id.0.to_string(),
            minute(row.created_at),
            minute_or(row.last_used_at, "never"),
            minute(row.expires_at),
        ]
    });
    add(&["session", "since", "last used", "until"], sessions.collect());
    if !shown.tokens.is_empty() {
        text.push_str(&format!("\n{}", token::table(&shown.tokens)));
    }
    text
}
