//! `archer user password`, and the password of a new user.

use clap::Args;
use entity_identitydb::UserId;
use sea_orm::{ConnectionTrait, TransactionTrait};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use service::identitydb::password::{self, Hasher, Scheme};
use service::identitydb::{Act, rule};

use super::show_password;
use crate::commands::identity::{secret, user, with_identitydb};
use crate::output::{Outcome, print};
use crate::{Context, now};

/// Where the password of a new user comes from; neither: there is none.
#[derive(Args, Clone, Copy, Debug)]
#[group(multiple = false)]
pub struct Source {
    /// Reads the password: the first line of standard input, or asks on a terminal
    #[arg(long)]
    password_stdin: bool,
    /// Makes a password up and prints it, alone, on standard output
    #[arg(long)]
    generate_password: bool,
}

/// `archer user password`
#[derive(Args, Clone, Debug)]
pub struct Set {
    /// The user
    name: String,
    /// Makes one up and prints it, alone, on standard output
    #[arg(long)]
    generate: bool,
}

/// A password, and whether nobody knows it yet.
#[derive(Debug)]
pub struct Chosen {
    pub password: SecretString,
    pub is_made_up: bool,
}

impl Source {
    pub fn choose(self) -> anyhow::Result<Option<Chosen>> {
        match self {
            Self { generate_password: true, .. } => Ok(Some(make_up())),
            Self { password_stdin: true, .. } => Ok(Some(read()?)),
            Self { password_stdin: false, generate_password: false } => Ok(None),
        }
    }
}

fn make_up() -> Chosen {
    Chosen { password: password::generate(&mut rand::rng()), is_made_up: true }
}

fn read() -> anyhow::Result<Chosen> {
    let password = secret::read("password", true)?;
    rule::password(password.expose_secret())?;
    Ok(Chosen { password, is_made_up: false })
}

/// Sets a password.
pub async fn run(context: &Context, set: Set) -> anyhow::Result<Outcome> {
    let Chosen { password, is_made_up } = if set.generate { make_up() } else { read()? };
    with_identitydb(context, async |db| {
        let user = user(db, &set.name).await?;
        store(db, user.id, &password, &Act::system(now())).await?;
        let about = format!("set the password of {}; every session has ended", user.name);
        if is_made_up {
            return show_password(context, &user, &password, &about);
        }
        print(context, &json!({ "user": super::as_json(&user) }), |_| about)
    })
    .await
}

pub async fn store(
    db: &(impl ConnectionTrait + TransactionTrait),
    user: UserId,
    password: &SecretString,
    act: &Act<'_>,
) -> service::Result<()> {
    let hasher = Hasher::new(Scheme::CURRENT, 1)?;
    password::set(db, &hasher, user, password, &mut rand::rng(), act).await
}
