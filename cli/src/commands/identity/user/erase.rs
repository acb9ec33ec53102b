//! `archer user erase`: for good.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use anyhow::bail;
use clap::Args;
use sea_orm::DatabaseConnection;
use serde_json::json;
use service::Error;
use service::identitydb::Act;
use service::identitydb::erasure::{self, Rows};

use crate::commands::identity::{or_last_owner, table_of_rows, user_with_deleted};
use crate::output::{BAD, Outcome, paint, print};
use crate::{Context, now};

/// `archer user erase`
#[derive(Args, Clone, Debug)]
pub struct Erase {
    /// The user, deleted or not
    name: String,
    /// Asks nobody
    #[arg(long)]
    yes: bool,
}

/// Erases. The outcome is [`Outcome::No`] if somebody was asked and did not agree.
pub async fn run(context: &Context, db: &DatabaseConnection, erase: &Erase) -> anyhow::Result<Outcome> {
    let user = user_with_deleted(db, &erase.name).await?;
    if !erase.yes && !confirm(&user.name)? {
        anstream::eprintln!("nothing was erased");
        return Ok(Outcome::No);
    }
    let done = match erasure::erase(db, user.id, &mut rand::rng(), &Act::system(now())).await {
        Err(Error::Conflict { .. }) => bail!("user {:?} is erased already", user.name),
        done => done.map_err(|error| or_last_owner(&user.name, "ORGANIZATION", error))?,
    };
    let request = done.request.id.0;
    let told = json!({ "user_id": user.id.0, "rows": done.rows, "request": request });
    print(context, &told, |_| {
        format!(
            "erased user {}\n{}\nother stores are asked for the same by request {request}: `archer erasure list`",
            user.id.0,
            rows(&done.rows)
        )
    })
}

/// Has somebody at the terminal type the name.
fn confirm(name: &str) -> anyhow::Result<bool> {
    if !io::stdin().is_terminal() {
        bail!("this erases user {name:?} for good, and there is no terminal to ask on: say --yes");
    }
    anstream::eprint!("This {}. Type `{name}` to go on: ", paint(BAD, format!("erases {name} for good")));
    io::stderr().flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim() == name)
}

fn rows(rows: &Rows) -> String {
    let Rows {
        invitations,
        passwords,
        sessions,
        api_tokens,
        one_time_codes,
        external_accounts,
        emails,
        team_memberships,
        memberships,
        origins,
        names,
    } = *rows;
    table_of_rows(&[
        ("invitations removed", invitations),
        ("passwords removed", passwords),
        ("sessions removed", sessions),
        ("tokens removed", api_tokens),
        ("codes removed", one_time_codes),
        ("accounts elsewhere removed", external_accounts),
        ("addresses removed", emails),
        ("memberships in teams ended", team_memberships),
        ("memberships in organizations ended", memberships),
        ("origins emptied", origins),
        ("names reduced to their keys", names),
    ])
}
