//! Adds the version scheme `pub`, in which build metadata counts, and gives it to the ecosystem of that name.
//!
//! Locks: ACCESS EXCLUSIVE on `ecosystems` for as long as its few rows are checked; ROW EXCLUSIVE for the update.
//! `down` puts `pub` and whatever else took the scheme back to `semver`, by which versions that differ only in build
//! metadata are equal. Keys that are stored are left as they are; the next import makes them anew.

use migration_runner::Claims;
use sea_orm_migration::prelude::*;

const UP: &str = r#"
alter table ecosystems drop constraint ecosystems_version_scheme_check;
alter table ecosystems add constraint ecosystems_version_scheme_check check (version_scheme in (
    'semver', 'pub', 'pep440', 'maven', 'gem', 'nuget', 'composer', 'deb', 'rpm', 'apk', 'cran', 'hackage', 'opaque'
));

update ecosystems set version_scheme = 'pub' where name = 'pub' and version_scheme = 'semver';
"#;

const DOWN: &str = r#"
update ecosystems set version_scheme = 'semver' where version_scheme = 'pub';

alter table ecosystems drop constraint ecosystems_version_scheme_check;
alter table ecosystems add constraint ecosystems_version_scheme_check check (version_scheme in (
    'semver', 'pep440', 'maven', 'gem', 'nuget', 'composer', 'deb', 'rpm', 'apk', 'cran', 'hackage', 'opaque'
));
"#;

/// The trigger of the table moves `updated_at` both ways.
pub const CLAIMS: Claims = Claims::new().down_loses(&["ecosystems.updated_at"]);

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(UP).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(DOWN).await.map(drop)
    }
}
