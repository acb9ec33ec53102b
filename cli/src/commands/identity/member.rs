//! `archer org add | remove | role`: who belongs to an organization, and as what.

use anyhow::anyhow;
use clap::Args;
use entity_identitydb::{Role, organization, user};
use sea_orm::{ActiveEnum as _, DatabaseConnection};
use serde_json::{Value, json};
use service::Error;
use service::identitydb::{Act, organization_user};

use super::or_last_owner;
use crate::output::{Outcome, print};
use crate::{Context, now};

/// A user in an organization.
#[derive(Args, Clone, Debug)]
pub struct Member {
    /// The organization
    organization: String,
    /// The user
    user: String,
}

/// What a member may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum RoleName {
    /// Everything
    Owner,
    /// Manages members
    Admin,
    /// Belongs to it
    Member,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Owner => Self::Owner,
            RoleName::Admin => Self::Admin,
            RoleName::Member => Self::Member,
        }
    }
}

async fn find(
    db: &DatabaseConnection,
    member: &Member,
) -> anyhow::Result<(organization::Model, user::Model)> {
    let organization = super::organization(db, &member.organization).await?;
    Ok((organization, super::user(db, &member.user).await?))
}

/// A membership, for programs.
fn membership(organization: &organization::Model, user: &user::Model, role: Option<Role>) -> Value {
    let role = role.map(|role| role.to_value());
    json!({ "organization": organization.name, "user": user.name, "role": role })
}

pub(super) async fn add(
    context: &Context,
    db: &DatabaseConnection,
    member: &Member,
    role: Role,
) -> anyhow::Result<Outcome> {
    let (organization, user) = find(db, member).await?;
    let added = organization_user::add(db, organization.id, user.id, role, &Act::system(now())).await;
    added.map_err(|error| match error {
        Error::Conflict { .. } => anyhow!(
            "{user} is a member of {organization} already; `archer org role {organization} {user} {}` changes as what",
            role.to_value(),
            user = user.name,
            organization = organization.name,
        ),
        error => error.into(),
    })?;
    print(context, &membership(&organization, &user, Some(role)), |_| {
        format!("{} is a member of {} as {}", user.name, organization.name, role.to_value())
    })
}

pub(super) async fn remove(
    context: &Context,
    db: &DatabaseConnection,
    member: &Member,
) -> anyhow::Result<Outcome> {
    let (organization, user) = find(db, member).await?;
    let removed = organization_user::remove(db, organization.id, user.id, &Act::system(now())).await;
    removed.map_err(|error| or_no_member(&organization, &user, error))?;
    print(context, &membership(&organization, &user, None), |_| {
        format!("{} is no member of {} any more", user.name, organization.name)
    })
}

pub(super) async fn change_role(
    context: &Context,
    db: &DatabaseConnection,
    member: &Member,
    role: Role,
) -> anyhow::Result<Outcome> {
    let (organization, user) = find(db, member).await?;
    let act = Act::system(now());
    let changed = organization_user::change_role(db, organization.id, user.id, role, &act).await;
    changed.map_err(|error| or_no_member(&organization, &user, error))?;
    print(context, &membership(&organization, &user, Some(role)), |_| {
        format!("{} is a member of {} as {}", user.name, organization.name, role.to_value())
    })
}

/// `error`, with names where somebody is no member, or the last owner.
fn or_no_member(organization: &organization::Model, user: &user::Model, error: Error) -> anyhow::Error {
    match error {
        Error::NotFound { what: "member", .. } => {
            let (user, organization) = (&user.name, &organization.name);
            anyhow!("{user} is no member of {organization}; `archer org show {organization}` lists them")
        }
        error => or_last_owner(&user.name, &organization.name, error),
    }
}
