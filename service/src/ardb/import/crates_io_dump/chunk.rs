//! Versions, their dependencies and downloads: so many that they are written in chunks, each of some crates with all that
//! belongs to them, in a transaction of its own. By crate, so that what triggers derive of a crate is derived once.
//!
//! A version that a chunk created has no dependencies and downloads yet, and nobody else can give it any: what is staged
//! of it is inserted and not compared.

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
    merge::{Rejected, TWICE_REASON, reject_lines},
    stage::Steps,
};
use crate::Result;

/// The crate that each chunk begins with; versions have eight dependencies on average.
pub(super) const CHUNKS: &str = "
    select min(crate_id) from (
        select crate_id, (sum(count(*)) over (order by crate_id) - count(*))::bigint / 50000 as nth
        from dump_versions group by crate_id
    ) numbered
    group by nth order by 1";

/// What is staged of versions, with their licences, as rows of `versions`; with more columns where wanted.
macro_rules! insert_versions {
    ($columns:literal, $values:literal) => {
        concat!(
            "insert into versions (",
            $columns,
            "package_id, number, sort_key, is_prerelease, is_yanked, checksum_sha256, published_at, attributes, licence,
             licence_id, size_bytes
         )
         select ",
            $values,
            "package.package_id, staged.number, staged.sort_key, staged.is_prerelease, staged.is_yanked,
             staged.checksum_sha256, staged.published_at, staged.attributes, staged.licence, licence.id,
             staged.size_bytes
         from dump_versions staged
         join dump_crates package on package.id = staged.crate_id and not package.is_outdated
         left join (
             select distinct published, kept.id from dump_licences join licences kept using (expression)
         ) licence on licence.published = staged.licence "
        )
    };
}
pub(super) use insert_versions;

const VERSIONS: &str = upsert!(concat!(
    insert_versions!("", ""),
    "left join versions kept on kept.package_id = package.package_id and kept.number = staged.number
     where staged.crate_id >= $1 and staged.crate_id < $2 and (kept.id is null or kept.deleted_at is not null
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
));

/// The chunk's versions, by their ids in the dump and here.
const CHUNK: &str = "
    create temporary table dump_chunk on commit drop as
    select staged.id, kept.id as version_id, kept.created_at = now() as is_new
    from dump_versions staged
    join dump_crates package on package.id = staged.crate_id and not package.is_outdated
    join versions kept on kept.package_id = package.package_id and kept.number = staged.number
    where staged.crate_id >= $1 and staged.crate_id < $2
    order by kept.id";

/// Versions that are not new, and dependencies of those that are.
const CHUNK_SIZES: &str = "
    select (select count(*) from dump_chunk where not is_new), (
        select count(*) from dump_chunk version join dump_dependencies staged on staged.version_id = version.id
        where version.is_new
    )";

/// In the order of the key, so that the index is written from left to right.
const NEW_DEPENDENCIES: &str = r#"
    insert into dependencies (
        version_id, package_id, name, normalized_name, alias, requirement, kind, is_optional, uses_default_features,
        features, target
    )
    select distinct on (
            version.version_id, staged.kind collate "C", staged.target collate "C", known.normalized_name collate "C",
            staged.alias collate "C"
        )
        version.version_id, known.package_id, known.name, known.normalized_name, staged.alias, staged.requirement,
        staged.kind, staged.is_optional, staged.uses_default_features, staged.features, staged.target
    from dump_chunk version
    join dump_dependencies staged on staged.version_id = version.id
    join dump_crates known on known.id = staged.crate_id
    where version.is_new
    order by version.version_id, staged.kind collate "C", staged.target collate "C", known.normalized_name collate "C",
        staged.alias collate "C", staged.line"#;

/// What the versions that were there before, or all of them ask for; `nth` is over 1 where an earlier line has the
/// same key.
const CHUNK_DEPENDENCIES: &str = r#"
    create temporary table dump_chunk_dependencies on commit drop as
    select staged.line, version.version_id, version.is_new, known.package_id, known.name, known.normalized_name,
        staged.alias, staged.requirement, staged.kind, staged.is_optional, staged.uses_default_features,
        staged.features, staged.target,
        row_number() over (
            partition by version.version_id, staged.kind, staged.target collate "C", known.id, staged.alias collate "C"
            order by staged.line
        ) as nth
    from dump_chunk version
    join dump_dependencies staged on staged.version_id = version.id
    join dump_crates known on known.id = staged.crate_id"#;

const DELETE_DEPENDENCIES: &str = "
    update dependencies kept set deleted_at = $1
    from dump_chunk version
    where not version.is_new and kept.version_id = version.version_id and kept.deleted_at is null
      and not exists (
          select from dump_chunk_dependencies staged
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
     from dump_chunk_dependencies where not is_new and nth = 1
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

const DEPENDENCIES_TWICE: &str = "select line from dump_chunk_dependencies where nth > 1";

/// An insert that also updates can't tell the two apart in a partitioned table, so these are two statements.
const CHANGED_DOWNLOADS: &str = "
    update version_downloads kept set downloads = staged.downloads
    from (
        select distinct on (version.version_id, staged.day) version.version_id, staged.day, staged.downloads
        from dump_downloads staged
        join dump_chunk version on version.id = staged.version_id and not version.is_new
        order by version.version_id, staged.day, staged.line
    ) staged
    where kept.version_id = staged.version_id and kept.day = staged.day and kept.downloads <> staged.downloads";

pub(super) const NEW_DOWNLOADS: &str = "
    insert into version_downloads (version_id, day, downloads)
    select distinct on (version.version_id, staged.day) version.version_id, staged.day, staged.downloads
    from dump_downloads staged
    join dump_chunk version on version.id = staged.version_id
    order by version.version_id, staged.day, staged.line
    on conflict (version_id, day) do nothing";

pub(super) const DOWNLOADS_TWICE: &str = "
    select line from (
        select staged.line, row_number() over (partition by staged.version_id, staged.day order by staged.line) as nth
        from dump_downloads staged join dump_chunk version on version.id = staged.version_id
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

/// What became of a chunk.
#[derive(Default)]
pub(super) struct Written {
    pub(super) versions: Rows,
    pub(super) dependencies: Rows,
    pub(super) downloads: Rows,
    pub(super) dependencies_twice: Rejected,
    pub(super) downloads_twice: Rejected,
}

impl Written {
    pub(super) fn report(self, report: &mut Report) {
        report.count("versions", self.versions);
        report.count("dependencies", self.dependencies);
        report.count("version_downloads", self.downloads);
        reject_lines(report, "dependencies", self.dependencies_twice, TWICE_REASON);
        reject_lines(report, "version_downloads", self.downloads_twice, TWICE_REASON);
    }
}

/// By which a chunk finds what belongs to it.
const INDEXES: &str = "
    create index on dump_dependencies (version_id);
    create index on dump_downloads (version_id)";

/// Makes the partitions that downloads of `months` need.
pub(super) async fn partitions(connection: &mut PgConnection, months: &BTreeSet<NaiveDate>) -> Result<()> {
    for month in months {
        let add = "select ardb_add_version_downloads_partition($1)";
        sqlx::query(add).bind(month).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Writes versions with their dependencies and downloads.
pub(super) async fn versions(
    connection: &mut PgConnection,
    deletes: Option<DateTime<Utc>>,
    report: &mut Report,
    progress: &Steps<'_>,
) -> Result<()> {
    sqlx::raw_sql(INDEXES).execute(&mut *connection).await?;
    let mut bounds: Vec<i64> = sqlx::query_scalar(CHUNKS).fetch_all(&mut *connection).await?;
    bounds.push(i64::MAX);
    let mut steps = progress.of(bounds.len() - 1);
    for ends in bounds.windows(2) {
        let written =
            retried(connection, async |connection| chunk(connection, ends[0], ends[1], deletes).await)
                .await?;
        written.report(report);
        steps.step();
    }
    Ok(())
}

/// Writes what belongs to the crates from one id of the dump up to another.
async fn chunk(
    connection: &mut PgConnection,
    from: i64,
    to: i64,
    deletes: Option<DateTime<Utc>>,
) -> Result<Written> {
    let mut written = Written {
        versions: upserted(connection, sqlx::query_as(VERSIONS).bind(from).bind(to)).await?,
        ..Written::default()
    };
    sqlx::query(CHUNK).bind(from).bind(to).execute(&mut *connection).await?;
    sqlx::raw_sql("analyze dump_chunk").execute(&mut *connection).await?;
    let (old_versions, new_dependencies): (i64, i64) =
        sqlx::query_as(CHUNK_SIZES).fetch_one(&mut *connection).await?;

    let inserted = sqlx::query(NEW_DEPENDENCIES).execute(&mut *connection).await?.rows_affected();
    written.dependencies.inserted = inserted;
    if old_versions > 0 || inserted < new_dependencies.unsigned_abs() {
        sqlx::query(CHUNK_DEPENDENCIES).execute(&mut *connection).await?;
        sqlx::raw_sql("analyze dump_chunk_dependencies").execute(&mut *connection).await?;
        written.dependencies_twice = Rejected::select(connection, DEPENDENCIES_TWICE).await?;
    }
    if old_versions > 0 {
        if let Some(now) = deletes {
            written.dependencies += deleted(connection, sqlx::query(DELETE_DEPENDENCIES).bind(now)).await?;
        }
        written.dependencies += upserted(connection, sqlx::query_as(DEPENDENCIES)).await?;
        written.downloads.updated =
            sqlx::query(CHANGED_DOWNLOADS).execute(&mut *connection).await?.rows_affected();
    }
    written.downloads.inserted = sqlx::query(NEW_DOWNLOADS).execute(&mut *connection).await?.rows_affected();
    written.downloads_twice = Rejected::select(connection, DOWNLOADS_TWICE).await?;
    Ok(written)
}
