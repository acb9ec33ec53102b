//! `archer org invite | uninvite`: addresses that are asked to join an organization.

use anyhow::bail;
use chrono::TimeDelta;
use clap::Args;
use entity_identitydb::invitation;
use sea_orm::{ActiveEnum as _, DatabaseConnection};
use serde_json::{Value, json};
use service::identitydb::{Act, invitation as invitations};

use super::member::RoleName;
use super::{minute, secret};
use crate::output::{Outcome, print};
use crate::{Context, now};

/// `archer org invite`
#[derive(Args, Clone, Debug)]
pub struct Invite {
    /// The organization
    organization: String,
    /// Who is asked
    email: String,
    /// The user in whose name
    #[arg(long, value_name = "USER")]
    by: String,
    /// As what
    #[arg(long, value_enum, default_value_t = RoleName::Member)]
    role: RoleName,
    /// Days after which it is refused
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=365))]
    days: u32,
}

/// `archer org uninvite`
#[derive(Args, Clone, Debug)]
pub struct Uninvite {
    /// The organization
    organization: String,
    /// Who was asked
    email: String,
}

pub(super) async fn invite(
    context: &Context,
    db: &DatabaseConnection,
    invite: &Invite,
) -> anyhow::Result<Outcome> {
    let organization = super::organization(db, &invite.organization).await?;
    let inviter = super::user(db, &invite.by).await?;
    let to = (invite.email.as_str(), invite.role.into());
    let lifetime = TimeDelta::days(invite.days.into());
    let (rng, act) = (&mut rand::rng(), &Act::system(now()));
    let (row, secret) = invitations::invite(db, organization.id, to, inviter.id, lifetime, rng, act).await?;
    let told = json!({ "invitation": as_json(&row) });
    let name = &organization.name;
    let until = minute(row.expires_at);
    let about =
        format!("invited {} to {name}, until {until} (UTC); the secret above is not shown again", row.email);
    let way_out = format!("`archer org uninvite {name} {}` withdraws the invitation", row.email);
    secret::show(context, &secret, ("secret", told), &about, &way_out)?;
    Ok(Outcome::Done)
}

pub(super) async fn withdraw(
    context: &Context,
    db: &DatabaseConnection,
    Uninvite { organization, email }: &Uninvite,
) -> anyhow::Result<Outcome> {
    let organization = super::organization(db, organization).await?;
    let (name, act) = (&organization.name, Act::system(now()));
    let open = invitations::open(db, organization.id, act.at).await?;
    let Some(row) = open.iter().find(|row| row.email.eq_ignore_ascii_case(email)) else {
        bail!("{name} has no open invitation of {email:?}; `archer org show {name}` lists them");
    };
    invitations::withdraw(db, row.id, &act).await?;
    let told = json!({ "organization": name, "withdrawn": row.email });
    print(context, &told, |_| format!("withdrew the invitation of {} to {name}", row.email))
}

/// An invitation for programs: neither secret nor hash.
pub(super) fn as_json(row: &invitation::Model) -> Value {
    json!({ "id": row.id.0, "email": row.email, "role": row.role.to_value(), "expires_at": row.expires_at })
}
