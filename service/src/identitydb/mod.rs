//! Users and what they prove themselves with, organizations, teams, and what was done.
//!
//! A file per noun, as in `entity-identitydb`. Reads leave deleted rows out; only [`erasure`] ever removes a row.
//! [`rule`] holds what a name, an email and the like must look like, the same as the database's CHECKs.
//!
//! Every write is told by an [`Act`] who does it, from where, and when, and adds to the audit trail in its own
//! transaction. Time, randomness and keys are arguments; secrets are [`secrecy`] types, which no Debug, log or error
//! shows.
//!
//! Locks are always taken in one order, so that no two calls wait for each other: users, then organizations
//! by id, then what hangs on them. What must hold whoever writes (an organization keeps an owner, a user with
//! addresses a primary one, a changed password ends the other sessions) is a trigger in the database as well.
//!
//! Services connect as a member of the role `identitydb_writer`, which is enough for everything here; reports as one of
//! `identitydb_reader`, and what migrates as one of `identitydb_owner`, which owns it all. The README says how an
//! operator sets that up.
//!
//! # Users and organizations
//!
//! ```no_run
//! use entity_identitydb::Role;
//! use service::identitydb::permission::{self, Object};
//! use service::identitydb::{Act, organization, organization_user, user};
//!
//! # async fn example(db: &sea_orm::DatabaseConnection, now: chrono::DateTime<chrono::Utc>) -> service::Result<()> {
//! let ada = user::Registration { name: "ada", display_name: "", email: "ada@example.org" };
//! let ada = user::register(db, &ada, &Act::newcomer(now)).await?;
//! let by_ada = Act::by(ada.id, now);
//! let acme = organization::create(db, "acme", "Acme", ada.id, &by_ada).await?;
//!
//! let bob = user::Registration { name: "bob", display_name: "Bob", email: "bob@example.org" };
//! let bob = user::register(db, &bob, &Act::newcomer(now)).await?;
//! organization_user::add(db, acme.id, bob.id, Role::Member, &by_ada).await?;
//! assert!(!permission::can(db, bob.id, "invite", Object::Organization(acme.id)).await?);
//!
//! // Deletes what hangs on bob, in order, and says how much that was; undelete brings it back.
//! let gone = user::delete(db, bob.id, &by_ada).await?;
//! println!("{} memberships", gone.memberships);
//! user::undelete(db, bob.id, &by_ada).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Passwords, sessions and tokens
//!
//! ```no_run
//! use chrono::TimeDelta;
//! use secrecy::{ExposeSecret, SecretString};
//! use service::identitydb::password::{Hasher, Scheme};
//! use service::identitydb::{Act, Origin, api_token, session};
//!
//! # async fn example(
//! #     db: &sea_orm::DatabaseConnection, now: chrono::DateTime<chrono::Utc>, typed: SecretString, shown: SecretString,
//! # ) -> service::Result<()> {
//! let hasher = Hasher::new(Scheme::CURRENT, 2)?; // one for the process: two hashes at once, 19 MiB each
//! let mut rng = rand::rng();
//! let act = Act::newcomer(now).from(Origin { address: "203.0.113.7", agent: "Firefox/150" });
//!
//! let login = session::Login { login: "ada", password: &typed };
//! let signed_in = session::sign_in(db, &hasher, &login, TimeDelta::days(30), &mut rng, &act).await?;
//! let by_user = Act::by(signed_in.session.user_id, now);
//!
//! let request = api_token::Request { name: "ci", scopes: &["packages:read".to_owned()], expires_at: None };
//! let minted = api_token::mint(db, signed_in.session.user_id, &request, &mut rng, &by_user).await?;
//! println!("{}", minted.secret.expose_secret()); // now or never
//!
//! let bearer = api_token::authenticate(db, &shown, now).await?; // Refused, whatever is wrong with it
//! println!("{} with {:?}", bearer.user_name, bearer.scopes);
//! # Ok(())
//! # }
//! ```

use chrono::TimeDelta;
use sea_orm::prelude::DateTimeUtc;
use sea_orm::{DbErr, RuntimeErr, TransactionSession};

use crate::error::{Error, Result};

mod act;
pub mod api_token;
pub mod audit_event;
pub mod erasure;
pub mod export;
pub mod external_account;
pub mod invitation;
pub mod keyring;
pub mod name;
pub mod one_time_code;
pub mod organization;
pub mod organization_user;
pub mod password;
pub mod permission;
pub mod rule;
mod scope;
pub mod secret;
pub mod session;
pub mod team;
pub mod team_user;
pub mod user;
pub mod user_email;

pub use act::{Act, Actor, Origin};

/// `error` as a [`Error::Conflict`] about `what` where it is a violation of one of the unique keys `keys`.
fn conflict_on(keys: &'static [&'static str], what: impl FnOnce() -> String) -> impl FnOnce(DbErr) -> Error {
    move |error| match constraint(&error) {
        Some(key) if keys.contains(&key) => Error::Conflict { what: what() },
        _ => error.into(),
    }
}

/// Ends a transaction. What the database checks only now is said as the rule that it is.
async fn commit(txn: impl TransactionSession) -> Result<()> {
    txn.commit().await.map_err(|error| match constraint(&error) {
        Some("organizations_users_owner_check") => {
            let reason = "is the last owner of an organization; make another member an owner first";
            Error::Invalid { field: "user", reason: reason.to_owned() }
        }
        Some("user_emails_primary_check") => is_primary(),
        _ => error.into(),
    })
}

/// Why an address stays while its user has others.
fn is_primary() -> Error {
    let reason = "is the primary address; make another one the primary address first";
    Error::Invalid { field: "email", reason: reason.to_owned() }
}

/// When what begins at `at` and lives for `lifetime` ends.
fn expiry(at: DateTimeUtc, lifetime: TimeDelta) -> Result<DateTimeUtc> {
    let end = (lifetime > TimeDelta::zero()).then(|| at.checked_add_signed(lifetime)).flatten();
    let reason = || "expected a time that is longer than none and ends within the calendar".to_owned();
    end.ok_or_else(|| Error::Invalid { field: "lifetime", reason: reason() })
}

/// Name of the constraint that a statement violated, from the driver's error beneath SeaORM's.
fn constraint(error: &DbErr) -> Option<&str> {
    let (DbErr::Conn(RuntimeErr::SqlxError(error))
    | DbErr::Exec(RuntimeErr::SqlxError(error))
    | DbErr::Query(RuntimeErr::SqlxError(error))) = error
    else {
        return None;
    };
    error.as_database_error()?.constraint()
}
