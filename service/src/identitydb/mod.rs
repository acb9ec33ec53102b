//! Users, organizations and who belongs to which.
//!
//! A file per noun, as in `entity-identitydb`. Reads leave deleted rows out; nothing is ever removed from a
//! table. [`rule`] holds what a name and an email must look like, the same as the database's CHECKs.
//!
//! Locks are always taken in one order, so that no two calls wait for each other: users, then organizations
//! by id, then what hangs on them.
//!
//! ```no_run
//! use entity_identitydb::Role;
//! use service::identitydb::{organization, organization_user, user};
//!
//! # async fn example(db: &sea_orm::DatabaseConnection) -> service::Result<()> {
//! let ada = user::Registration { name: "ada", display_name: "", email: "ada@example.org" };
//! let ada = user::register(db, &ada).await?;
//! let acme = organization::create(db, "acme", "Acme", ada.id).await?;
//!
//! let bob = user::Registration { name: "bob", display_name: "Bob", email: "bob@example.org" };
//! let bob = user::register(db, &bob).await?;
//! organization_user::add(db, acme.id, bob.id, Role::Member).await?;
//! for (member, role) in organization_user::members(db, acme.id, 100).await? {
//!     println!("{} {role:?}", member.name);
//! }
//! # Ok(())
//! # }
//! ```

use sea_orm::{DbErr, RuntimeErr};

use crate::error::Error;

pub mod organization;
pub mod organization_user;
pub mod rule;
mod scope;
pub mod user;
pub mod user_email;

/// `error` as a [`Error::Conflict`] about `what` where it is a violation of the unique key `key`.
fn conflict_on(key: &str, what: impl FnOnce() -> String) -> impl FnOnce(DbErr) -> Error {
    move |error| if constraint(&error) == Some(key) { Error::Conflict { what: what() } } else { error.into() }
}

/// Name of the constraint that a statement violated, from the driver's error beneath SeaORM's.
fn constraint(error: &DbErr) -> Option<&str> {
    let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) = error
    else {
        return None;
    };
    error.as_database_error()?.constraint()
}
