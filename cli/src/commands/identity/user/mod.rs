//! `archer user`: people with an account.

mod email;
mod erase;
mod password;
mod show;

use anyhow::{anyhow, bail};
use clap::{Args, Subcommand};
use entity_identitydb::user;
use sea_orm::{DatabaseConnection, TransactionTrait as _};
use secrecy::SecretString;
use serde_json::{Value, json};
use service::Error;
use service::identitydb::external_account::{self, Account};
use service::identitydb::user::{Dependants, Filter, Registration};
use service::identitydb::{Act, export, session, user as users, user_email};

use self::password::{Chosen, Source};
use super::{cut, minute, note, or_last_owner, page, why_taken, with_identitydb};
use crate::output::{self, FAINT, Outcome, paint, plain, print, so_many};
use crate::{Context, now};

/// What to do with users.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Adds a user with a primary address
    #[command(
        after_help = "Examples:\n  archer user create ada --email ada@example.org --display-name 'Ada Lovelace'\n  \
        archer user create ada --email ada@example.org --verified --generate-password\n  \
        archer user create ada --email ada@example.org --password-stdin < file\n\n\
        Without a password, the user has to choose one by mail. A password that is made up goes to standard output, \
        alone, and is never shown again; it is no argument, because other processes see those."
    )]
    Create(Create),
    /// Shows a user: addresses, organizations, teams, sessions, tokens, accounts elsewhere
    #[command(after_help = "Examples:\n  archer user show ada\n  archer user show bob --deleted")]
    Show(show::Show),
    /// Lists users by name
    #[command(
        after_help = "Examples:\n  archer user list --name ad\n  archer user list --email ada@example.org\n  \
        archer user list --limit 100 --after zoe\n\n\
        A page ends with the name that the one after is asked for with. Ends with 3 where a filter finds nobody."
    )]
    List(List),
    /// Gives a user another name; the one before is in quarantine for 90 days
    #[command(after_help = "Example:\n  archer user rename ada ada-lovelace")]
    Rename {
        /// The user
        name: String,
        /// The new name
        to: String,
    },
    /// Sets a password; every session of the user ends
    #[command(after_help = "Examples:\n  archer user password ada\n  archer user password ada < file\n  \
        archer user password ada --generate | clip\n\n\
        It is the first line of standard input; on a terminal it is asked for, and not shown.")]
    Password(password::Set),
    /// Adds, verifies and removes addresses
    #[command(subcommand)]
    Email(email::Command),
    /// Ends every session of a user, or one
    #[command(
        after_help = "Examples:\n  archer user sign-out ada\n  archer user sign-out ada --session 12\n\n\
        Tokens go on; `archer token revoke --all-of ada` ends those."
    )]
    SignOut {
        /// The user
        name: String,
        /// Only the session of this number, which `archer user show` has
        #[arg(long, value_name = "SESSION")]
        session: Option<i64>,
    },
    /// Takes an account elsewhere from a user, who can't sign in with it any more
    #[command(after_help = "Example:\n  archer user unlink ada github github.com 583231\n\n\
        `archer user show` lists them, in these words.")]
    Unlink(Unlink),
    /// Deletes a user and what hangs on them; `restore` brings both back
    #[command(after_help = "Example:\n  archer user delete bob\n\n\
        The name stays taken. Sessions, tokens and codes don't come back.")]
    Delete {
        /// The user
        name: String,
    },
    /// Brings a deleted user back
    #[command(after_help = "Example:\n  archer user restore bob")]
    Restore {
        /// The user
        name: String,
    },
    /// Erases a user, deleted or not, for good (GDPR, article 17)
    #[command(after_help = "Examples:\n  archer user export bob > bob.json\n  archer user erase bob\n  \
        archer user erase bob --yes\n\n\
        Says how many rows of each table that were. Other stores are asked for the same: `archer erasure list`. \
        Events are found by what their source calls a person, so `archer events erase --actor NAME` comes first: \
        afterwards nobody here knows the names.")]
    Erase(erase::Erase),
    /// Prints everything about a user as JSON, deleted rows too, and no secrets (GDPR, article 15)
    #[command(after_help = "Example:\n  archer user export ada > ada.json")]
    Export {
        /// The user, deleted or not
        name: String,
    },
}

/// `archer user create`
#[derive(Args, Clone, Debug)]
pub struct Create {
    /// 2 to 39 letters and digits, with single hyphens inside
    name: String,
    /// The primary address
    #[arg(long, value_name = "ADDRESS")]
    email: String,
    /// What people read; without it, the name
    #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
    display_name: String,
    /// Takes the address as proven
    #[arg(long)]
    verified: bool,
    #[command(flatten)]
    source: Source,
}

/// `archer user list`
#[derive(Args, Clone, Debug)]
pub struct List {
    /// Those with this in the name, in any letter case
    #[arg(long, value_name = "PART")]
    name: Option<String>,
    /// Those who gave this address, verified or not
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// The deleted ones instead, erased ones among them
    #[arg(long)]
    deleted: bool,
    /// Those behind this name
    #[arg(long, value_name = "NAME")]
    after: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 50, value_parser = page())]
    limit: u64,
}

/// `archer user unlink`
#[derive(Args, Clone, Debug)]
pub struct Unlink {
    /// The user
    name: String,
    /// What kind of service it is
    provider: String,
    /// Where that runs
    host: String,
    /// What the account is called there
    subject: String,
}

/// Does it. The outcome is [`Outcome::No`] if a filter finds nobody, or somebody did not agree.
///
/// # Errors
///
/// When there is no such user, the service refuses with its rule, or the database does.
pub async fn run(context: &Context, command: Command) -> anyhow::Result<Outcome> {
    match command {
        Command::Create(create) => {
            // Asked for before anything is opened, so that nothing waits for somebody who types.
            let chosen = create.source.choose()?;
            with_identitydb(context, async |db| self::create(context, db, &create, chosen).await).await
        }
        Command::Show(arguments) => {
            with_identitydb(context, async |db| show::run(context, db, &arguments).await).await
        }
        Command::List(arguments) => {
            with_identitydb(context, async |db| list(context, db, &arguments).await).await
        }
        Command::Rename { name, to } => {
            with_identitydb(context, async |db| rename(context, db, &name, &to).await).await
        }
        Command::Password(set) => password::run(context, set).await,
        Command::Email(command) => {
            with_identitydb(context, async |db| email::run(context, db, command).await).await
        }
        Command::SignOut { name, session } => {
            with_identitydb(context, async |db| sign_out(context, db, &name, session).await).await
        }
        Command::Unlink(unlink) => {
            with_identitydb(context, async |db| self::unlink(context, db, &unlink).await).await
        }
        Command::Delete { name } => {
            with_identitydb(context, async |db| delete(context, db, &name).await).await
        }
        Command::Restore { name } => {
            with_identitydb(context, async |db| restore(context, db, &name).await).await
        }
        Command::Erase(erase) => {
            with_identitydb(context, async |db| erase::run(context, db, &erase).await).await
        }
        Command::Export { name } => with_identitydb(context, async |db| export(db, &name).await).await,
    }
}

/// The user, the proof of the address and the password are one transaction: all of them, or nothing.
async fn create(
    context: &Context,
    db: &DatabaseConnection,
    create: &Create,
    chosen: Option<Chosen>,
) -> anyhow::Result<Outcome> {
    let (name, email) = (create.name.as_str(), create.email.as_str());
    let act = Act::system(now());
    let txn = db.begin().await?;
    let registration = Registration { name, display_name: &create.display_name, email };
    let user = match users::register(&txn, &registration, &act).await {
        Ok(user) => user,
        Err(error) => {
            drop(txn);
            return Err(why_taken(db, name, error, act.at).await?);
        }
    };
    if create.verified {
        for row in user_email::of_user(&txn, user.id).await? {
            user_email::verify(&txn, row.id, &act).await.map_err(|error| email::or_verified(email, error))?;
        }
    }
    if let Some(chosen) = &chosen {
        password::store(&txn, user.id, &chosen.password, &act).await?;
    }
    txn.commit().await?;
    let about = format!("created user {}", user.name);
    match chosen {
        Some(Chosen { password, is_made_up: true }) => show_password(context, &user, &password, &about),
        _ => print(context, &as_json(&user), |_| about),
    }
}

/// Shows a password that was made up.
fn show_password(
    context: &Context,
    user: &user::Model,
    password: &SecretString,
    about: &str,
) -> anyhow::Result<Outcome> {
    let told = json!({ "user": as_json(user) });
    let about = format!("{about}; the password above is not shown again");
    let way_out = format!("`archer user password {} --generate` makes another one up", user.name);
    super::secret::show(context, password, ("password", told), &about, &way_out)?;
    Ok(Outcome::Done)
}

async fn list(context: &Context, db: &DatabaseConnection, list: &List) -> anyhow::Result<Outcome> {
    let filter = Filter { part: list.name.as_deref(), email: list.email.as_deref(), deleted: list.deleted };
    let found = users::list(db, filter, list.after.as_deref(), list.limit + 1).await?;
    let (found, more) = cut(found, list.limit);
    if context.json {
        output::json(&found.iter().map(as_json).collect::<Vec<_>>())?;
    } else if found.is_empty() {
        let none = if filter == Filter::default() && list.after.is_none() {
            "there is no user yet; `archer user create` makes one"
        } else {
            "there is no such user"
        };
        output::text(paint(FAINT, none))?;
    } else {
        let rows = found.iter().map(|user| {
            let deleted = super::minute_or(user.deleted_at, "");
            vec![user.name.clone(), plain(&user.display_name), minute(user.created_at), deleted]
        });
        let deleted = if list.deleted { "deleted (UTC)" } else { "" };
        output::text(output::table(&["user", "called", "since (UTC)", deleted], rows, &[]))?;
    }
    if let (true, Some(last)) = (more, found.last()) {
        note(context, paint(FAINT, format!("more: --after {}", last.name)));
    }
    Ok(if found.is_empty() && filter != Filter::default() { Outcome::No } else { Outcome::Done })
}

async fn rename(context: &Context, db: &DatabaseConnection, name: &str, to: &str) -> anyhow::Result<Outcome> {
    let user = super::user(db, name).await?;
    let act = Act::system(now());
    match users::rename(db, user.id, to, &act).await {
        Ok(renamed) => print(context, &as_json(&renamed), |_| super::renamed(&user.name, &renamed.name)),
        Err(error) => Err(why_taken(db, to, error, act.at).await?),
    }
}

async fn sign_out(
    context: &Context,
    db: &DatabaseConnection,
    name: &str,
    only: Option<i64>,
) -> anyhow::Result<Outcome> {
    let user = super::user(db, name).await?;
    let act = Act::system(now());
    let ended = match only {
        None => session::end_all(db, user.id, &act).await?,
        Some(id) => {
            let going_on = session::of_user(db, user.id, act.at).await?;
            let Some(found) = going_on.iter().find(|session| session.id.0 == id) else {
                bail!("{} has no session {id}; `archer user show {}` lists them", user.name, user.name);
            };
            session::end(db, found.id, &act).await?;
            1
        }
    };
    let told = json!({ "user": user.name, "sessions": ended });
    print(context, &told, |_| format!("ended {} of {}", so_many(ended, "session"), user.name))
}

async fn unlink(context: &Context, db: &DatabaseConnection, unlink: &Unlink) -> anyhow::Result<Outcome> {
    let user = super::user(db, &unlink.name).await?;
    let Unlink { provider, host, subject, .. } = unlink;
    let account = Account { provider, host, subject };
    let found = external_account::find(db, &account).await?.filter(|found| found.user_id == user.id);
    let Some(found) = found else {
        bail!(
            "{} has no {provider} account {subject:?} on {host}; `archer user show {}` lists them",
            user.name,
            user.name
        );
    };
    external_account::unlink(db, found.id, &Act::system(now())).await?;
    let told =
        json!({ "user": user.name, "unlinked": { "provider": provider, "host": host, "subject": subject } });
    print(context, &told, |_| format!("unlinked {provider} account {subject} from {}", user.name))
}

async fn delete(context: &Context, db: &DatabaseConnection, name: &str) -> anyhow::Result<Outcome> {
    let user = super::user(db, name).await?;
    let gone = users::delete(db, user.id, &Act::system(now())).await;
    let gone = gone.map_err(|error| or_last_owner(&user.name, "ORGANIZATION", error))?;
    let told = json!({ "user": user.name, "deleted": gone });
    print(context, &told, |_| format!("deleted user {}, and with it\n{}", user.name, rows(&gone)))
}

async fn restore(context: &Context, db: &DatabaseConnection, name: &str) -> anyhow::Result<Outcome> {
    let user = super::user_with_deleted(db, name).await?;
    if user.deleted_at.is_none() {
        bail!("user {:?} is not deleted", user.name);
    }
    let back = match users::undelete(db, user.id, &Act::system(now())).await {
        Err(Error::NotFound { .. }) => return Err(anyhow!("user {:?} was erased, for good", user.name)),
        done => done?,
    };
    let told = json!({ "user": user.name, "restored": back });
    print(context, &told, |_| format!("restored user {}, and with it\n{}", user.name, rows(&back)))
}

/// A document is what was asked for, so it is JSON for people, too.
async fn export(db: &DatabaseConnection, name: &str) -> anyhow::Result<Outcome> {
    let user = super::user_with_deleted(db, name).await?;
    let Some(document) = export::of_user(db, user.id).await? else {
        bail!("user {:?} is gone", user.name);
    };
    output::json(&document)?;
    Ok(Outcome::Done)
}

/// How many rows of each table hung on a user.
fn rows(done: &Dependants) -> String {
    let Dependants {
        one_time_codes,
        api_tokens,
        sessions,
        passwords,
        external_accounts,
        emails,
        team_memberships,
        memberships,
    } = *done;
    super::table_of_rows(&[
        ("codes", one_time_codes),
        ("tokens", api_tokens),
        ("sessions", sessions),
        ("passwords", passwords),
        ("accounts elsewhere", external_accounts),
        ("addresses", emails),
        ("memberships in teams", team_memberships),
        ("memberships in organizations", memberships),
    ])
}

/// A user for programs.
fn as_json(user: &user::Model) -> Value {
    json!({
        "id": user.id.0,
        "name": user.name,
        "display_name": user.display_name,
        "created_at": user.created_at,
        "deleted_at": user.deleted_at,
    })
}
