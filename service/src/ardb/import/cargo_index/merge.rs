//! From parsed crates to rows: COPY into temporary tables, then a statement per table.
//!
//! What a document no longer has is deleted before what it has is written, so that a first import, where there is
//! nothing to delete, does not look through what it has just written.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use entity_ardb::DocumentKind;
use sea_orm::sqlx::{self, PgConnection};

use super::{
    super::{
        copy::CopyRows,
        pipeline::{Document, Tally},
        statement::{deleted, documents, upsert, upserted},
    },
    ECOSYSTEM,
    line::{Crate, Dependency, Version},
};
use crate::{Error, Result};

/// The tables that a batch is staged in. An ordinal counts the batch's packages or versions, and stands in for the id
/// until there is one.
const STAGE: &str = "
    create temporary table staged_packages (
        ordinal integer not null, name text not null, normalized_name text not null, purl text not null,
        is_complete boolean not null, package_id bigint
    ) on commit drop;
    create temporary table staged_versions (
        package_ordinal integer not null, ordinal integer not null, number text not null, sort_key bytea not null,
        is_prerelease boolean not null, is_yanked boolean not null, checksum_sha256 bytea not null,
        published_at timestamptz, attributes jsonb not null
    ) on commit drop;
    create temporary table staged_dependencies (
        version_ordinal integer not null, name text not null, normalized_name text not null, alias text not null,
        requirement text not null, kind text not null, is_optional boolean not null,
        uses_default_features boolean not null, features text[] not null, target text not null, registry text not null
    ) on commit drop";

const COPY_PACKAGES: &str =
    "copy staged_packages (ordinal, name, normalized_name, purl, is_complete) from stdin (format binary)";
const COPY_VERSIONS: &str = "copy staged_versions from stdin (format binary)";
const COPY_DEPENDENCIES: &str = "copy staged_dependencies from stdin (format binary)";

/// The crates that are stored as of a later time than a complete file has them: with a newer newest version or, where
/// one side has no times, with more versions.
const OUTDATED: &str = "
    select found.normalized_name
    from unnest($2::text[], $3::timestamptz[], $4::bigint[]) as found (normalized_name, newest, versions)
    join packages package
        on package.ecosystem_id = $1 and package.namespace = '' and package.normalized_name = found.normalized_name
    cross join lateral (
        select max(published_at) as newest, count(*) as versions
        from versions where package_id = package.id and deleted_at is null
    ) kept
    where package.deleted_at is null and coalesce(found.newest < kept.newest, found.versions < kept.versions)";

const PACKAGES: &str = upsert!(
    "insert into packages (ecosystem_id, name, normalized_name, purl)
     select $1, staged.name, staged.normalized_name, staged.purl
     from staged_packages staged
     left join packages kept
         on kept.ecosystem_id = $1 and kept.namespace = '' and kept.normalized_name = staged.normalized_name
     where kept.id is null or kept.deleted_at is not null
        or (kept.name, kept.purl) is distinct from (staged.name, staged.purl)
     order by staged.normalized_name
     on conflict (ecosystem_id, namespace, normalized_name) do update set
         name = excluded.name, purl = excluded.purl, deleted_at = null"
);

const PACKAGE_IDS: &str = "
    update staged_packages staged set package_id = kept.id
    from packages kept
    where kept.ecosystem_id = $1 and kept.namespace = '' and kept.normalized_name = staged.normalized_name";

/// Versions that a file, all of whose lines were understood, no longer has.
const DELETE_VERSIONS: &str = "
    update versions kept set deleted_at = $1
    from staged_packages package
    where package.is_complete and kept.package_id = package.package_id and kept.deleted_at is null
      and not exists (
          select from staged_versions staged
          where staged.package_ordinal = package.ordinal and staged.number = kept.number
      )";

const DELETE_DEPENDENCIES_OF_DELETED: &str = "
    update dependencies kept set deleted_at = $1
    from staged_packages package
    join versions version on version.package_id = package.package_id
    where package.is_complete and version.deleted_at is not null
      and kept.version_id = version.id and kept.deleted_at is null
      and not exists (
          select from staged_versions staged
          where staged.package_ordinal = package.ordinal and staged.number = version.number
      )";

const VERSIONS: &str = upsert!(
    "insert into versions (
         package_id, number, sort_key, is_prerelease, is_yanked, checksum_sha256, published_at, attributes
     )
     select package.package_id, staged.number, staged.sort_key, staged.is_prerelease, staged.is_yanked,
         staged.checksum_sha256, staged.published_at, staged.attributes
     from staged_versions staged
     join staged_packages package on package.ordinal = staged.package_ordinal
     left join versions kept on kept.package_id = package.package_id and kept.number = staged.number
     where kept.id is null or kept.deleted_at is not null
        or (kept.sort_key, kept.is_prerelease, kept.is_yanked, kept.checksum_sha256, kept.published_at, kept.attributes)
        is distinct from (staged.sort_key, staged.is_prerelease, staged.is_yanked, staged.checksum_sha256,
            staged.published_at, staged.attributes)
     order by package.package_id, staged.sort_key
     on conflict (package_id, number) do update set
         sort_key = excluded.sort_key, is_prerelease = excluded.is_prerelease, is_yanked = excluded.is_yanked,
         checksum_sha256 = excluded.checksum_sha256, published_at = excluded.published_at,
         attributes = excluded.attributes, deleted_at = null"
);

const VERSION_IDS: &str = "
    create temporary table staged_version_ids on commit drop as
    select staged.ordinal, kept.id as version_id
    from staged_versions staged
    join staged_packages package on package.ordinal = staged.package_ordinal
    join versions kept on kept.package_id = package.package_id and kept.number = staged.number";

const DELETE_DEPENDENCIES: &str = "
    update dependencies kept set deleted_at = $1
    from staged_version_ids version
    where kept.version_id = version.version_id and kept.deleted_at is null
      and not exists (
          select from staged_dependencies staged
          where staged.version_ordinal = version.ordinal and kept.namespace = ''
            and (staged.kind, staged.target, staged.normalized_name, staged.alias, staged.registry)
              = (kept.kind, kept.target, kept.normalized_name, kept.alias, kept.registry)
      )";

const DEPENDENCIES: &str = upsert!(
    "insert into dependencies (
         version_id, package_id, name, normalized_name, alias, requirement, kind, is_optional, uses_default_features,
         features, target, registry
     )
     select version.version_id, known.id, staged.name, staged.normalized_name, staged.alias, staged.requirement,
         staged.kind, staged.is_optional, staged.uses_default_features, staged.features, staged.target, staged.registry
     from staged_dependencies staged
     join staged_version_ids version on version.ordinal = staged.version_ordinal
     left join packages known
         on known.ecosystem_id = $1 and known.namespace = '' and known.normalized_name = staged.normalized_name
        and known.deleted_at is null and staged.registry = ''
     left join dependencies kept
         on kept.version_id = version.version_id and kept.namespace = ''
        and (kept.kind, kept.target, kept.normalized_name, kept.alias, kept.registry)
          = (staged.kind, staged.target, staged.normalized_name, staged.alias, staged.registry)
     where kept.id is null or kept.deleted_at is not null
        or (kept.package_id, kept.name, kept.requirement, kept.is_optional, kept.uses_default_features, kept.features)
        is distinct from (known.id, staged.name, staged.requirement, staged.is_optional, staged.uses_default_features,
            staged.features)
     order by version.version_id, staged.normalized_name collate \"C\"
     on conflict (version_id, kind, target, namespace, normalized_name, alias, registry) do update set
         package_id = excluded.package_id, name = excluded.name, requirement = excluded.requirement,
         is_optional = excluded.is_optional, uses_default_features = excluded.uses_default_features,
         features = excluded.features, deleted_at = null"
);

/// Writes a batch of crates in the transaction that `connection` is in.
pub(super) async fn merge(
    connection: &mut PgConnection,
    batch: &[Document<Crate>],
    now: DateTime<Utc>,
) -> Result<Tally> {
    let ecosystem_id = ecosystem_id(connection).await?;
    let outdated = outdated(connection, ecosystem_id, batch).await?;
    let current: Vec<_> =
        batch.iter().filter(|document| !outdated.contains(&document.parsed.normalized_name)).collect();
    let mut tally = documents(connection, DocumentKind::CargoIndex, &current, now).await?;
    tally.outdated = outdated.len() as u64;
    if current.is_empty() {
        return Ok(tally);
    }
    stage(connection, &current).await?;

    let packages = upserted(connection, sqlx::query_as(PACKAGES).bind(ecosystem_id)).await?;
    sqlx::query(PACKAGE_IDS).bind(ecosystem_id).execute(&mut *connection).await?;
    let mut versions = deleted(connection, sqlx::query(DELETE_VERSIONS).bind(now)).await?;
    let mut dependencies = deleted(connection, sqlx::query(DELETE_DEPENDENCIES_OF_DELETED).bind(now)).await?;
    versions += upserted(connection, sqlx::query_as(VERSIONS)).await?;
    sqlx::query(VERSION_IDS).execute(&mut *connection).await?;
    sqlx::query("analyze staged_version_ids").execute(&mut *connection).await?;
    dependencies += deleted(connection, sqlx::query(DELETE_DEPENDENCIES).bind(now)).await?;
    dependencies += upserted(connection, sqlx::query_as(DEPENDENCIES).bind(ecosystem_id)).await?;

    tally.rows.extend([("packages", packages), ("versions", versions), ("dependencies", dependencies)]);
    Ok(tally)
}

async fn ecosystem_id(connection: &mut PgConnection) -> Result<i64> {
    let select = "select id from ecosystems where name = $1 and deleted_at is null";
    let found = sqlx::query_scalar(select).bind(ECOSYSTEM).fetch_optional(connection).await?;
    found.ok_or_else(|| Error::NotFound { what: "ecosystem", key: ECOSYSTEM.into() })
}

/// The normalized names of those crates of `batch` that an older index describes.
async fn outdated(
    connection: &mut PgConnection,
    ecosystem_id: i64,
    batch: &[Document<Crate>],
) -> Result<HashSet<String>> {
    // What was left out of a file could be its newest version.
    let complete: Vec<_> =
        batch.iter().map(|document| &document.parsed).filter(|parsed| parsed.is_complete).collect();
    let newest = |parsed: &&Crate| parsed.versions.iter().filter_map(|version| version.published_at).max();
    let outdated: Vec<String> = sqlx::query_scalar(OUTDATED)
        .bind(ecosystem_id)
        .bind(complete.iter().map(|parsed| parsed.normalized_name.as_str()).collect::<Vec<_>>())
        .bind(complete.iter().map(newest).collect::<Vec<_>>())
        .bind(complete.iter().map(|parsed| parsed.versions.len() as i64).collect::<Vec<_>>())
        .fetch_all(connection)
        .await?;
    Ok(outdated.into_iter().collect())
}

async fn stage(connection: &mut PgConnection, batch: &[&Document<Crate>]) -> Result<()> {
    let (mut packages, mut versions, mut dependencies) = (CopyRows::new(), CopyRows::new(), CopyRows::new());
    let mut version_ordinal = 0;
    for (package_ordinal, Document { parsed, .. }) in (0..).zip(batch) {
        let Crate { name, normalized_name, purl, is_complete, .. } = parsed;
        packages.row(5).integer(package_ordinal).text(name).text(normalized_name).text(purl);
        packages.boolean(*is_complete);
        for version in &parsed.versions {
            stage_version(&mut versions, package_ordinal, version_ordinal, version);
            for dependency in &version.dependencies {
                stage_dependency(&mut dependencies, version_ordinal, dependency);
            }
            version_ordinal += 1;
        }
    }
    sqlx::raw_sql(STAGE).execute(&mut *connection).await?;
    packages.send(connection, COPY_PACKAGES).await?;
    versions.send(connection, COPY_VERSIONS).await?;
    dependencies.send(connection, COPY_DEPENDENCIES).await?;
    // Without figures the planner takes the tables for small ones and joins them row by row.
    sqlx::raw_sql("analyze staged_packages, staged_versions, staged_dependencies")
        .execute(connection)
        .await?;
    Ok(())
}

fn stage_version(rows: &mut CopyRows, package_ordinal: i32, ordinal: i32, version: &Version) {
    rows.row(9)
        .integer(package_ordinal)
        .integer(ordinal)
        .text(&version.number)
        .bytea(&version.order.key)
        .boolean(version.order.is_prerelease)
        .boolean(version.is_yanked)
        .bytea(&version.checksum_sha256)
        .optional(version.published_at, CopyRows::timestamptz)
        .jsonb(&version.attributes);
}

fn stage_dependency(rows: &mut CopyRows, version_ordinal: i32, dependency: &Dependency) {
    rows.row(11)
        .integer(version_ordinal)
        .text(&dependency.name)
        .text(&dependency.normalized_name)
        .text(&dependency.alias)
        .text(&dependency.requirement)
        .text(&dependency.kind)
        .boolean(dependency.is_optional)
        .boolean(dependency.uses_default_features)
        .text_array(&dependency.features)
        .text(&dependency.target)
        .text(&dependency.registry);
}
