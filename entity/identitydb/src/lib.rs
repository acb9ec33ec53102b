//! Entities of identitydb: users and what they prove themselves with, organizations, teams, audit.
//!
//! An entity is the shape of a table: its columns, its typed id, its relations. What lives here has no
//! queries of its own, no rules and no clock; those are in `service`, under the same nouns. The schema is
//! made by `migration-identitydb`, and a test holds the two to each other.
//!
//! ```no_run
//! use entity_identitydb::{Role, organization, organization_user, user};
//! use sea_orm::{ActiveValue::Set, DatabaseConnection, DbErr, EntityLoaderTrait, entity::prelude::*};
//!
//! # async fn example(db: &DatabaseConnection) -> Result<(), DbErr> {
//! // Names and emails are citext: found in any letter case, kept in the one they were given in.
//! let ada: Option<user::Model> = user::Entity::find().filter(user::Column::Name.eq("ADA")).one(db).await?;
//! let acme: Option<organization::Model> = organization::Entity::find_by_name("Acme").one(db).await?;
//!
//! if let (Some(ada), Some(acme)) = (ada, acme) {
//!     let member = organization_user::ActiveModel {
//!         organization_id: Set(acme.id),
//!         user_id: Set(ada.id),
//!         role: Set(Role::Admin),
//!         ..Default::default()
//!     };
//!     member.insert(db).await?;
//! }
//!
//! // Organizations with their users, through organizations_users: two queries.
//! let all: Vec<organization::ModelEx> = organization::Entity::load().with(user::Entity).all(db).await?;
//! # Ok(())
//! # }
//! ```
//!
//! Deleted rows stay in the table with `deleted_at` set, and an entity does not hide them, neither among
//! rows nor along relations; the scopes of `service` do. `created_at` and `updated_at` are set by the
//! database: leave them out.
//!
//! | noun | entities |
//! |---|---|
//! | users | [`user`], [`user_email`], [`name`], [`erasure_request`] |
//! | what they prove themselves with | [`password`], [`session`], [`api_token`], [`one_time_code`], [`external_account`] |
//! | organizations | [`organization`], [`organization_user`], [`team`], [`team_user`], [`invitation`] |
//! | what members may do | [`role`], [`permission`] |
//! | what was done | [`audit_event`], [`origin`] |
#![expect(
    missing_docs,
    reason = "a field that its name explains has no comment, nor has what sea-orm derives"
)]

pub mod api_token;
pub mod audit_event;
pub mod erasure_request;
pub mod external_account;
pub mod invitation;
pub mod name;
pub mod one_time_code;
pub mod organization;
pub mod organization_user;
pub mod origin;
pub mod password;
pub mod permission;
pub mod role;
pub mod session;
pub mod team;
pub mod team_user;
pub mod user;
pub mod user_email;

pub use api_token::ApiTokenId;
pub use audit_event::AuditEventId;
pub use erasure_request::ErasureRequestId;
pub use external_account::ExternalAccountId;
pub use invitation::InvitationId;
pub use name::NameId;
pub use one_time_code::{OneTimeCodeId, Purpose};
pub use organization::OrganizationId;
pub use organization_user::{OrganizationUserId, Role};
pub use origin::OriginId;
pub use password::PasswordId;
pub use permission::PermissionId;
pub use role::RoleId;
pub use session::SessionId;
pub use team::TeamId;
pub use team_user::TeamUserId;
pub use user::UserId;
pub use user_email::UserEmailId;

use sea_orm::{DbBackend, Schema, sea_query::TableCreateStatement};

/// Every table of identitydb as its entity declares it, referenced tables first.
///
/// To compare with a database, not to create one: constraints, triggers and comments are in the migrations
/// alone.
#[must_use]
pub fn tables() -> Vec<TableCreateStatement> {
    let schema = Schema::new(DbBackend::Postgres);
    vec![
        schema.create_table_from_entity(user::Entity),
        schema.create_table_from_entity(user_email::Entity),
        schema.create_table_from_entity(organization::Entity),
        schema.create_table_from_entity(organization_user::Entity),
        schema.create_table_from_entity(name::Entity),
        schema.create_table_from_entity(origin::Entity),
        schema.create_table_from_entity(session::Entity),
        schema.create_table_from_entity(password::Entity),
        schema.create_table_from_entity(api_token::Entity),
        schema.create_table_from_entity(one_time_code::Entity),
        schema.create_table_from_entity(external_account::Entity),
        schema.create_table_from_entity(team::Entity),
        schema.create_table_from_entity(team_user::Entity),
        schema.create_table_from_entity(role::Entity),
        schema.create_table_from_entity(permission::Entity),
        schema.create_table_from_entity(invitation::Entity),
        schema.create_table_from_entity(audit_event::Entity),
        schema.create_table_from_entity(erasure_request::Entity),
    ]
}
