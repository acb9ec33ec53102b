//! Versions, their dependencies and downloads: so many that they are written in chunks of versions, each in a
//! transaction of its own.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::sqlx::{self, Connection as _, PgConnection};

use super::{
    super::{
        Report,
        pipeline::{FIRST_BACKOFF, MAX_ATTEMPTS},
        report::Rows,
        statement::{deleted, upsert, upserted},
    },
    merge::reject_lines,
    stage::Steps,
};
use crate::Result;

/// Ids of the dump that begin a chunk; versions have eight dependencies on average.
const CHUNKS: &str = "
    select id from (select id, row_number() over (order by id) as nth from dump_versions) numbered
    where nth % 50000 = 1 order by id";

const VERSIONS: &str = upsert!(
    "insert into versions (
         package_id, number, sort_key, is_prerelease, is_yanked, checksum_sha256, published_at, attributes, licence,
         licence_id, size_bytes
     )
     select package.package_id, staged.number, staged.sort_key, staged.is_prerelease, staged.is_yanked,
         staged.checksum_sha256, staged.published_at, staged.attributes, staged.licence, licence.id, staged.size_bytes
     from dump_versions staged
     join dump_crates package on package.id = staged.crate_id and not package.is_outdated
     left join (
         select distinct published, kept.id from dump_licences join licences kept using (expression)
     ) licence on licence.published = staged.licence
     left join versions kept on kept.package_id = package.package_id and kept.number = staged.number
     where staged.id >= $1 and staged.id < $2 and (kept.id is null or kept.deleted_at is not null
        or (kept.sort_key, kept.is_prerelease, kept.is_yanked, kept.checksum_sha256, kept.published_at, kept.attributes,
            kept.licence, kept.licence_id, kept.size_bytes)
        is distinct from (staged.sort_key, staged.is_prerelease, staged.is_yanked, staged.checksum_sha256,
            staged.published_at, staged.attributes, staged.licence, licence.id, staged.size_bytes))
     order by package.package_id, staged.sort_key
     on conflict (package_id, number) do update set
         sort_key = excluded.sort_key, is_prerelease = excluded.is_prerelease, is_yanked = excluded.is_yanked,
         checksum_sha256 = excluded.checksum_sha256, published_at = excluded.published_at,
         attributes = excluded.attributes, licence = excluded.licence, licence_id = excluded.licence_id,
         size_bytes = excluded.size_bytes, deleted_at = null"
);

/// A version that this very transaction created has no dependencies yet, and nobody else can give it any.
const VERSION_IDS: &str = "
    insert into dump_version_ids (id, version_id, is_new)
    select staged.id, kept.id, kept.created_at = now()
    from dump_versions staged
    join dump_crates package on package.id = staged.crate_id and not package.is_outdated
    join versions kept on kept.package_id = package.package_id and kept.number = staged.number
    where staged.id >= $1 and staged.id < $2";

/// The chunk's dependencies; `nth` is over 1 where an earlier one has the same key. In the order of the real table's
/// key.
const CHUNK: &str = "
    create temporary table dump_chunk on commit drop as
    select staged.line, version.version_id, version.is_new, known.package_id, known.name, known.normalized_name,
        staged.alias, staged.requirement, staged.kind, staged.is_optional, staged.uses_default_features,
        staged.features, staged.target,
        row_number() over (
            partition by version.version_id, staged.kind, staged.target collate \"C\", known.id, staged.alias collate \"C\"
            order by staged.line
        ) as nth
    from dump_dependencies staged
    join dump_version_ids version on version.id = staged.version_id
    join dump_crates known on known.id = staged.crate_id
    where staged.version_id >= $1 and staged.version_id < $2 and version.id >= $1 and version.id < $2";

const NEW_DEPENDENCIES: &str = "
    insert into dependencies (
        version_id, package_id, name, normalized_name, alias, requirement, kind, is_optional, uses_default_features,
        features, target
    )
    select version_id, package_id, name, normalized_name, alias, requirement, kind, is_optional, uses_default_features,
        features, target
    from dump_chunk where is_new and nth = 1";

const DELETE_DEPENDENCIES: &str = "
    update dependencies kept set deleted_at = $3
    from dump_version_ids version
    where version.id >= $1 and version.id < $2 and not version.is_new
      and kept.version_id = version.version_id and kept.deleted_at is null
      and not exists (
          select from dump_chunk staged
          where staged.version_id = kept.version_id and kept.namespace = '' and kept.registry = ''
            and (staged.kind, staged.target, staged.normalized_name, staged.alias)
              = (kept.kind, kept.target, kept.normalized_name, kept.alias)
      )";

const DEPENDENCIES: &str = upsert!(
    "insert into dependencies as kept (
         version_id, package_id, name, normalized_name, alias, requirement, kind, is_optional, uses_default_features,
         features, target
     )
     select version_id, package_id, name, normalized_name, alias, requirement, kind, is_optional,
         uses_default_features, features, target
     from dump_chunk where not is_new and nth = 1
     order by version_id, normalized_name collate \"C\"
     on conflict (version_id, kind, target, namespace, normalized_name, alias, registry) do update set
         package_id = excluded.package_id, name = excluded.name, requirement = excluded.requirement,
         is_optional = excluded.is_optional, uses_default_features = excluded.uses_default_features,
         features = excluded.features, deleted_at = null
     where kept.deleted_at is not null
        or (kept.package_id, kept.name, kept.requirement, kept.is_optional, kept.uses_default_features, kept.features)
        is distinct from (excluded.package_id, excluded.name, excluded.requirement, excluded.is_optional,
            excluded.uses_default_features, excluded.features)"
);

/// An insert that also updates can't tell the two apart in a partitioned table, so these are two statements.
const CHANGED_DOWNLOADS: &str = "
    update version_downloads kept set downloads = staged.downloads
    from (
        select distinct on (version.version_id, staged.day) version.version_id, staged.day, staged.downloads
        from dump_downloads staged
        join dump_version_ids version on version.id = staged.version_id and not version.is_new
        where staged.version_id >= $1 and staged.version_id < $2
        order by version.version_id, staged.day, staged.line
    ) staged
    where kept.version_id = staged.version_id and kept.day = staged.day and kept.downloads <> staged.downloads";

const NEW_DOWNLOADS: &str = "
    insert into version_downloads (version_id, day, downloads)
    select distinct on (version.version_id, staged.day) version.version_id, staged.day, staged.downloads
    from dump_downloads staged
    join dump_version_ids version on version.id = staged.version_id
    where staged.version_id >= $1 and staged.version_id < $2
    order by version.version_id, staged.day, staged.line
    on conflict (version_id, day) do nothing";

const DOWNLOADS_TWICE: &str = "
    select line from (
        select line, row_number() over (partition by version_id, day order by line) as nth
        from dump_downloads where version_id >= $1 and version_id < $2
    ) numbered where nth > 1";

/// Runs `work` in a transaction on `connection`, and again where it met another's locks.
pub(super) async fn retried<T>(
    connection: &mut PgConnection,
    work: impl AsyncFn(&mut PgConnection) -> Result<T>,
) -> Result<T> {
    let mut backoff = FIRST_BACKOFF;
    let mut attempts = 1;
    loop {
        let mut transaction = connection.begin().await?;
        match work(&mut transaction).await {
            Ok(done) => {
                transaction.commit().await?;
                return Ok(done);
            }
            Err(error) if error.is_transient() && attempts < MAX_ATTEMPTS => {
                tracing::debug!(%error, "the transaction is run again");
                transaction.rollback().await?;
                tokio::time::sleep(backoff).await;
                backoff *= 2;
                attempts += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Where each chunk begins, and an end beyond the last.
async fn bounds(connection: &mut PgConnection) -> Result<Vec<i64>> {
    let mut bounds: Vec<i64> = sqlx::query_scalar(CHUNKS).fetch_all(connection).await?;
    bounds.push(i64::MAX);
    Ok(bounds)
}

/// Writes versions and their dependencies.
pub(super) async fn versions(
    connection: &mut PgConnection,
    deletes: Option<DateTime<Utc>>,
    report: &mut Report,
    progress: &Steps<'_>,
) -> Result<()> {
    let bounds = bounds(connection).await?;
    for (done, ends) in bounds.windows(2).enumerate() {
        let written =
            retried(connection, async |connection| chunk(connection, ends[0], ends[1], deletes).await)
                .await?;
        let (versions, dependencies, twice) = written;
        report.count("versions", versions);
        report.count("dependencies", dependencies);
        reject_lines(report, "dependencies", twice, "is there twice; only the first is read");
        progress.merged(done + 1, bounds.len());
    }
    sqlx::raw_sql("create index on dump_version_ids (id); analyze dump_version_ids")
        .execute(connection)
        .await?;
    Ok(())
}

async fn chunk(
    connection: &mut PgConnection,
    from: i64,
    to: i64,
    deletes: Option<DateTime<Utc>>,
) -> Result<(Rows, Rows, Vec<i64>)> {
    let versions = upserted(connection, sqlx::query_as(VERSIONS).bind(from).bind(to)).await?;
    sqlx::query(VERSION_IDS).bind(from).bind(to).execute(&mut *connection).await?;
    sqlx::query(CHUNK).bind(from).bind(to).execute(&mut *connection).await?;
    let inserted = sqlx::query(NEW_DEPENDENCIES).execute(&mut *connection).await?.rows_affected();
    let mut dependencies = Rows { inserted, ..Rows::default() };
    if let Some(now) = deletes {
        let delete = sqlx::query(DELETE_DEPENDENCIES).bind(from).bind(to).bind(now);
        dependencies += deleted(connection, delete).await?;
    }
    dependencies += upserted(connection, sqlx::query_as(DEPENDENCIES)).await?;
    let twice = sqlx::query_scalar("select line from dump_chunk where nth > 1").fetch_all(connection).await?;
    Ok((versions, dependencies, twice))
}

/// Writes downloads, with the partitions that they need.
pub(super) async fn downloads(
    connection: &mut PgConnection,
    months: &BTreeSet<NaiveDate>,
    report: &mut Report,
) -> Result<()> {
    for month in months {
        let add = "select ardb_add_version_downloads_partition($1)";
        sqlx::query(add).bind(month).execute(&mut *connection).await?;
    }
    let bounds = bounds(connection).await?;
    for ends in bounds.windows(2) {
        let (rows, twice) = retried(connection, async |connection| {
            let changed = sqlx::query(CHANGED_DOWNLOADS).bind(ends[0]).bind(ends[1]);
            let updated = changed.execute(&mut *connection).await?.rows_affected();
            let new = sqlx::query(NEW_DOWNLOADS).bind(ends[0]).bind(ends[1]);
            let inserted = new.execute(&mut *connection).await?.rows_affected();
            let rows = Rows { inserted, updated, deleted: 0 };
            let twice = sqlx::query_scalar(DOWNLOADS_TWICE).bind(ends[0]).bind(ends[1]);
            Ok((rows, twice.fetch_all(connection).await?))
        })
        .await?;
        report.count("version_downloads", rows);
        reject_lines(report, "version_downloads", twice, "is there twice; only the first is read");
    }
    Ok(())
}
