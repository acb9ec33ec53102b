//! `archer user email`: the addresses of a user.

use anyhow::{anyhow, bail};
use clap::{Args, Subcommand};
use entity_identitydb::{user, user_email};
use sea_orm::{DatabaseConnection, TransactionTrait as _};
use serde_json::{Value, json};
use service::Error;
use service::identitydb::{Act, user_email as emails};

use crate::output::{Outcome, print};
use crate::{Context, now};

/// What to do with an address. `archer user show` lists those of a user.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Adds an address; the primary one if the user has no other
    #[command(after_help = "Example:\n  archer user email add ada countess@example.org --verified")]
    Add {
        /// Whose, and which.
        #[command(flatten)]
        address: Address,
        /// Takes it as proven
        #[arg(long)]
        verified: bool,
    },
    /// Takes an address as proven, so that its user can sign in with it
    #[command(after_help = "Example:\n  archer user email verify ada ada@example.org")]
    Verify(Address),
    /// Makes an address the one that mail goes to
    #[command(after_help = "Example:\n  archer user email primary ada countess@example.org")]
    Primary(Address),
    /// Notes that mail to an address came back for good; it is not proven any more
    #[command(after_help = "Example:\n  archer user email bounce ada ada@example.org")]
    Bounce(Address),
    /// Takes an address from its user; the primary one goes last
    #[command(after_help = "Example:\n  archer user email remove ada ada@example.org")]
    Remove(Address),
}

/// An address of a user.
#[derive(Args, Clone, Debug)]
pub struct Address {
    /// The user
    name: String,
    /// The address
    email: String,
}

/// Does it.
pub async fn run(context: &Context, db: &DatabaseConnection, command: Command) -> anyhow::Result<Outcome> {
    let act = Act::system(now());
    match command {
        Command::Add { address: Address { name, email }, verified } => {
            let user = super::super::user(db, &name).await?;
            let txn = db.begin().await?; // added and verified, or nothing
            let mut row = match emails::add(&txn, user.id, &email, &act).await {
                Err(Error::Conflict { .. }) => bail!("{} has the address {email:?} already", user.name),
                added => added?,
            };
            if verified {
                row = emails::verify(&txn, row.id, &act).await.map_err(|error| or_verified(&email, error))?;
            }
            txn.commit().await?;
            print(context, &as_json(&row), |row| format!("added {} to {}", row["email"], user.name))
        }
        Command::Verify(address) => {
            let (user, row) = find(db, &address).await?;
            let row =
                emails::verify(db, row.id, &act).await.map_err(|error| or_verified(&row.email, error))?;
            print(context, &as_json(&row), |_| format!("{} of {} is verified", row.email, user.name))
        }
        Command::Primary(address) => {
            let (user, row) = find(db, &address).await?;
            let row = emails::make_primary(db, row.id, &act).await?;
            print(context, &as_json(&row), |_| {
                format!("{} is the primary address of {}", row.email, user.name)
            })
        }
        Command::Bounce(address) => {
            let (user, row) = find(db, &address).await?;
            let row = emails::bounced(db, row.id, &act).await?;
            print(context, &as_json(&row), |_| format!("mail to {} of {} bounces", row.email, user.name))
        }
        Command::Remove(address) => {
            let (user, row) = find(db, &address).await?;
            match emails::remove(db, row.id, &act).await {
                Err(Error::Invalid { field: "email", reason }) => {
                    bail!("{} {reason}: `archer user email primary {} ADDRESS`", row.email, user.name)
                }
                removed => removed?,
            }
            let told = json!({ "user": user.name, "removed": row.email });
            print(context, &told, |_| format!("removed {} from {}", row.email, user.name))
        }
    }
}

/// `error`; where somebody else has verified the address, with who.
pub fn or_verified(email: &str, error: Error) -> anyhow::Error {
    match error {
        Error::Conflict { .. } => {
            anyhow!("another user has verified {email:?}; `archer user list --email {email}` finds out who")
        }
        other => other.into(),
    }
}

async fn find(
    db: &DatabaseConnection,
    Address { name, email }: &Address,
) -> anyhow::Result<(user::Model, user_email::Model)> {
    let user = super::super::user(db, name).await?;
    let known = emails::of_user(db, user.id).await?;
    let listed = known.iter().map(|row| row.email.clone()).collect::<Vec<_>>().join(", ");
    match known.into_iter().find(|row| row.email.eq_ignore_ascii_case(email)) {
        Some(row) => Ok((user, row)),
        None if listed.is_empty() => bail!("{} has no address", user.name),
        None => bail!("{} has no address {email:?}; there are: {listed}", user.name),
    }
}

/// An address for programs.
pub fn as_json(row: &user_email::Model) -> Value {
    json!({
        "email": row.email,
        "is_primary": row.is_primary,
        "verified_at": row.verified_at,
        "bounced_at": row.bounced_at,
    })
}
