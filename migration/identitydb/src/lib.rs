//! Migrations of identitydb: users and what they prove themselves with, organizations, teams, audit.
//!
//! One file per migration, `mYYYYMMDD_HHMMSS_<change>.rs`. Each opens with what changes, which locks it
//! takes and what `down` loses, and holds its SQL as text, so that what runs is what was reviewed. No
//! entity is imported: a migration means the same when the entities have moved on.
//!
//! `sea-orm-cli migrate generate <change> -d migration/identitydb` adds a file and enters it below. The
//! command finds the two lists by their form: the `mod` lines stay together, and the vector's is the
//! last closing bracket of this file that ends a line.

use migration_runner::Runner;
use sea_orm_migration::prelude::*;

mod m20261102_090000_create_identitydb_set_updated_at;
mod m20261102_090100_create_citext;
mod m20261102_090200_create_users;
mod m20261102_090300_create_organizations;
mod m20261126_100000_create_names;
mod m20261126_100100_guard_owners_and_primary_emails;
mod m20261126_100200_create_credentials;
mod m20261126_100300_create_teams_and_roles;
mod m20261126_100400_create_audit_events;
mod m20261126_100500_grant_roles;
mod m20261126_100600_hand_over_to_the_owner;

/// What applies and reverts them, with what they claim.
pub fn runner() -> Runner {
    Runner::new::<Migrator>("identitydb")
}

/// Every migration of identitydb, oldest first.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migration_table_name() -> DynIden {
        "identitydb_migrations".into_iden()
    }

    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261102_090000_create_identitydb_set_updated_at::Migration),
            Box::new(m20261102_090100_create_citext::Migration),
            Box::new(m20261102_090200_create_users::Migration),
            Box::new(m20261102_090300_create_organizations::Migration),
            Box::new(m20261126_100000_create_names::Migration),
            Box::new(m20261126_100100_guard_owners_and_primary_emails::Migration),
            Box::new(m20261126_100200_create_credentials::Migration),
            Box::new(m20261126_100300_create_teams_and_roles::Migration),
            Box::new(m20261126_100400_create_audit_events::Migration),
            Box::new(m20261126_100500_grant_roles::Migration),
            Box::new(m20261126_100600_hand_over_to_the_owner::Migration),
        ]
    }
}
