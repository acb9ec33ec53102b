//! `archer token`: what programs show instead of a password.

use anyhow::{Context as _, bail};
use chrono::TimeDelta;
use clap::{Args, Subcommand};
use entity_identitydb::{ApiTokenId, api_token};
use sea_orm::DatabaseConnection;
use sea_orm::prelude::DateTimeUtc;
use serde_json::{Value, json};
use service::Error;
use service::identitydb::api_token::{self as tokens, Request};
use service::identitydb::{Act, user as users};

use super::{minute, minute_or, secret, with_identitydb};
use crate::output::{self, BAD, FAINT, GOOD, Outcome, STRONG, WARN, paint, plain, print, so_many};
use crate::{Context, now};

/// What to do with tokens.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Makes a token and prints its secret, this once
    #[command(after_help = "Examples:\n  archer token create ada ci --scope packages:read --days 30\n  \
        archer token create ada ci --scope packages:read | gh secret set ARCHER_TOKEN\n\n\
        The secret goes to standard output, alone; everything else to standard error.")]
    Create(Create),
    /// Lists the tokens of a user, newest first, also expired ones
    #[command(after_help = "Example:\n  archer token list ada")]
    List {
        /// The user
        user: String,
    },
    /// Shows a token, revoked or not
    #[command(after_help = "Example:\n  archer token show 12")]
    Show {
        /// Its number, which `archer token list` shows
        id: i64,
    },
    /// Tells whose a token is, without using it: of one that has leaked
    #[command(after_help = "Example:\n  archer token identify < found.txt\n\n\
        It is the first line of standard input; on a terminal it is asked for, and not shown. Ends with 3 where it \
        is none of ours.")]
    Identify,
    /// Revokes a token, or all of a user; none comes back
    #[command(after_help = "Examples:\n  archer token revoke 12\n  archer token revoke --all-of ada")]
    Revoke(Revoke),
}

/// `archer token create`
#[derive(Args, Clone, Debug)]
pub struct Create {
    /// The user
    user: String,
    /// What the user calls it
    name: String,
    /// What it is good for, such as packages:read; several times or with commas
    #[arg(long = "scope", value_delimiter = ',', value_name = "SCOPE")]
    scopes: Vec<String>,
    /// Days after which it is refused
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3_650))]
    days: u32,
    /// Never expires; better not
    #[arg(long, conflicts_with = "days")]
    no_expiry: bool,
}

/// `archer token revoke`
#[derive(Args, Clone, Debug)]
#[group(required = true, multiple = false)]
pub struct Revoke {
    /// Its number, which `archer token list` shows
    id: Option<i64>,
    /// Every token of this user
    #[arg(long, value_name = "USER")]
    all_of: Option<String>,
}

/// Does it. The outcome is [`Outcome::No`] if a secret is none of ours.
///
/// # Errors
///
/// When there is no such token or user, the service refuses with its rule, or the database does.
pub async fn run(context: &Context, command: Command) -> anyhow::Result<Outcome> {
    match command {
        Command::Create(arguments) => {
            with_identitydb(context, async |db| create(context, db, &arguments).await).await
        }
        Command::List { user } => with_identitydb(context, async |db| list(context, db, &user).await).await,
        Command::Show { id } => {
            with_identitydb(context, async |db| {
                let token = find(db, ApiTokenId(id)).await?;
                show(context, db, &token).await
            })
            .await
        }
        Command::Identify => {
            let shown = secret::read("token", false)?;
            with_identitydb(context, async |db| match tokens::by_secret_with_deleted(db, &shown).await? {
                Some(token) => show(context, db, &token).await,
                None => {
                    print(context, &Value::Null, |_| paint(GOOD, "that is no token of anybody here"))?;
                    Ok(Outcome::No)
                }
            })
            .await
        }
        Command::Revoke(Revoke { id, all_of }) => {
            with_identitydb(context, async |db| match (id, all_of) {
                (Some(id), _) => revoke(context, db, ApiTokenId(id)).await,
                (None, user) => revoke_all(context, db, &user.context("expected a token or a user")?).await,
            })
            .await
        }
    }
}

async fn create(context: &Context, db: &DatabaseConnection, create: &Create) -> anyhow::Result<Outcome> {
    let user = super::user(db, &create.user).await?;
    let at = now();
    let expires_at = (!create.no_expiry).then(|| at + TimeDelta::days(create.days.into()));
    let request = Request { name: &create.name, scopes: &create.scopes, expires_at };
    let minted = tokens::mint(db, user.id, &request, &mut rand::rng(), &Act::system(at)).await?;
    let token = &minted.token;
    let told = json!({ "token": as_json(token, &user.name) });
    let about = format!(
        "token {} of {}, {}; its secret above is not shown again",
        token.id.0,
        user.name,
        expires_at
            .map_or_else(|| "which does not expire".to_owned(), |at| format!("until {} (UTC)", minute(at)))
    );
    let way_out = format!("revoke the token: `archer token revoke {}`", token.id.0);
    secret::show(context, &minted.secret, ("secret", told), &about, &way_out)?;
    Ok(Outcome::Done)
}

async fn list(context: &Context, db: &DatabaseConnection, name: &str) -> anyhow::Result<Outcome> {
    let user = super::user(db, name).await?;
    let found = tokens::of_user(db, user.id).await?;
    let listed: Vec<Value> = found.iter().map(|token| as_json(token, &user.name)).collect();
    print(context, &listed, |_| match found.as_slice() {
        [] => paint(FAINT, format!("{} has no token", user.name)),
        found => table(found),
    })
}

async fn find(db: &DatabaseConnection, id: ApiTokenId) -> anyhow::Result<api_token::Model> {
    let found = tokens::by_id_with_deleted(db, id).await?;
    found.with_context(|| {
        format!("there is no token {}; `archer token list USER` lists those of a user", id.0)
    })
}

async fn show(
    context: &Context,
    db: &DatabaseConnection,
    token: &api_token::Model,
) -> anyhow::Result<Outcome> {
    let owner = users::by_ids_with_deleted(db, [token.user_id]).await?.pop();
    let owner = owner.map(|user| user.name).unwrap_or_default();
    print(context, &as_json(token, &owner), |_| {
        let heading = format!("{} of {owner}: token {}", paint(STRONG, plain(&token.name)), token.id.0);
        format!("{heading}\n{}", table(std::slice::from_ref(token)))
    })
}

async fn revoke(context: &Context, db: &DatabaseConnection, id: ApiTokenId) -> anyhow::Result<Outcome> {
    let token = find(db, id).await?;
    match tokens::revoke(db, id, &Act::system(now())).await {
        Err(Error::NotFound { .. }) => bail!("token {} is revoked already", id.0),
        done => done?,
    }
    print(context, &json!({ "revoked": 1 }), |_| format!("revoked token {}, {}", id.0, plain(&token.name)))
}

async fn revoke_all(context: &Context, db: &DatabaseConnection, name: &str) -> anyhow::Result<Outcome> {
    let user = super::user(db, name).await?;
    let revoked = tokens::revoke_all(db, user.id, &Act::system(now())).await?;
    print(context, &json!({ "revoked": revoked }), |_| {
        format!("revoked {} of {}", so_many(revoked, "token"), user.name)
    })
}

/// Tokens for people.
pub(super) fn table(found: &[api_token::Model]) -> String {
    let at = now();
    let rows = found.iter().map(|token| {
        vec![
            token.id.0.to_string(),
            plain(&token.name),
            format!("…{}", token.hint),
            token.scopes.join(" "),
            minute_or(token.last_used_at, "never"),
            state(token, at),
        ]
    });
    output::table(&["token", "called", "ends in", "scopes", "last used", ""], rows, &[0])
}

fn state(token: &api_token::Model, at: DateTimeUtc) -> String {
    match (token.deleted_at, token.expires_at) {
        (Some(revoked), _) => paint(BAD, format!("revoked {}", minute(revoked))),
        (None, Some(expiry)) if expiry <= at => paint(WARN, format!("expired {}", minute(expiry))),
        (None, Some(expiry)) => format!("until {}", minute(expiry)),
        (None, None) => paint(WARN, "does not expire"),
    }
}

/// A token for programs: neither secret nor hash.
pub(super) fn as_json(token: &api_token::Model, user: &str) -> Value {
    json!({
        "id": token.id.0,
        "user": user,
        "name": token.name,
        "hint": token.hint,
        "scopes": token.scopes,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "last_used_at": token.last_used_at,
        "revoked_at": token.deleted_at,
    })
}
