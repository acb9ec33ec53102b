//! Links rows that name a package to the package, once it is known, and then brings up to date what follows from all rows
//! ([`derived`]).
//!
//! Set-based and at the end of every import, so that it does not matter which was imported first: of two imports that
//! run at the same time, the one that ends last sees the rows of both. Each statement finds only rows without a link.

use entity_ardb::DocumentKind;
use sea_orm::{
    DatabaseConnection,
    sqlx::{self, PgConnection},
};

use super::{
    pipeline::{Work, in_transaction},
    report::{Report, Rows},
};
use crate::{
    Result,
    ardb::{derived, inventory::CRATES_IO},
};

/// A dependency's package is looked for in the ecosystem of the version that depends, unless another registry holds
/// it.
const DEPENDENCIES: &str = "
    update dependencies dependency set package_id = known.id
    from versions version, packages dependent, packages known
    where dependency.package_id is null and dependency.registry = '' and dependency.deleted_at is null
      and version.id = dependency.version_id
      and dependent.id = version.package_id
      and known.ecosystem_id = dependent.ecosystem_id
      and known.namespace = dependency.namespace
      and known.normalized_name = dependency.normalized_name
      and known.deleted_at is null";

const AFFECTED_PACKAGES: &str = "
    update affected_packages affected set package_id = known.id
    from packages known
    where affected.package_id is null and affected.deleted_at is null
      and known.ecosystem_id = affected.ecosystem_id
      and known.namespace = affected.namespace
      and known.normalized_name = affected.normalized_name
      and known.deleted_at is null";

/// A component is the registry's package only where it comes from that registry: a workspace member or a git checkout
/// can have any name.
const COMPONENTS: &str = "
    update inventory_components component set package_id = known.id, version_id = version.id
    from packages known
    join ecosystems ecosystem on ecosystem.id = known.ecosystem_id
    join versions version on version.package_id = known.id and version.deleted_at is null
    where (component.package_id is null or component.version_id is null) and component.deleted_at is null
      and component.source = case ecosystem.name when 'cargo' then $1 else '' end
      and known.ecosystem_id = component.ecosystem_id
      and known.namespace = component.namespace
      and known.normalized_name = component.normalized_name
      and known.deleted_at is null
      and version.number = component.number";

/// As [`COMPONENTS`], for a version that is not known of a package that is.
const COMPONENT_PACKAGES: &str = "
    update inventory_components component set package_id = known.id
    from packages known
    join ecosystems ecosystem on ecosystem.id = known.ecosystem_id
    where component.package_id is null and component.deleted_at is null
      and component.source = case ecosystem.name when 'cargo' then $1 else '' end
      and known.ecosystem_id = component.ecosystem_id
      and known.namespace = component.namespace
      and known.normalized_name = component.normalized_name
      and known.deleted_at is null";

/// Links what can be linked, in one transaction, brings the derived tables up to date, in another, and counts both in
/// `report`. Nothing derived follows from inventories, so their imports don't pay for it. All others do, also where
/// nothing has changed: the run before may have been killed after its last batch.
pub(super) async fn link(db: &DatabaseConnection, kind: DocumentKind, report: &mut Report) -> Result<()> {
    for (table, updated) in in_transaction(db, &Link).await? {
        report.count(table, Rows { updated, ..Rows::default() });
    }
    if !matches!(kind, DocumentKind::Lockfile | DocumentKind::Sbom) {
        let (table, rows) = in_transaction(db, &Derive).await?;
        report.count(table, rows);
    }
    Ok(())
}

struct Derive;

impl Work for Derive {
    type Done = (&'static str, Rows);

    async fn run(&self, connection: &mut PgConnection) -> Result<Self::Done> {
        derived::refresh(connection).await
    }
}

struct Link;

impl Work for Link {
    type Done = [(&'static str, u64); 4];

    async fn run(&self, connection: &mut PgConnection) -> Result<Self::Done> {
        let dependencies = sqlx::query(DEPENDENCIES).execute(&mut *connection).await?;
        let affected = sqlx::query(AFFECTED_PACKAGES).execute(&mut *connection).await?;
        let components = sqlx::query(COMPONENTS).bind(CRATES_IO).execute(&mut *connection).await?;
        let packages = sqlx::query(COMPONENT_PACKAGES).bind(CRATES_IO).execute(&mut *connection).await?;
        Ok([
            ("dependencies", dependencies.rows_affected()),
            ("affected_packages", affected.rows_affected()),
            ("inventory_components", components.rows_affected()),
            ("inventory_components", packages.rows_affected()),
        ])
    }
}
