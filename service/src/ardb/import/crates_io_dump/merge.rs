//! From staging tables to the real ones: first what there is little of, then versions and what belongs to them, chunk by
//! chunk.
//!
//! Every transaction leaves rows that a later import finds and completes. All but the last return before their log is on
//! disk, and the last, which records the dump as imported, waits for the whole log: so a dump that is recorded is stored,
//! and after a crash the next import makes up for what was lost.

use chrono::{DateTime, Utc};
use entity_ardb::DocumentKind;
use sea_orm::{
    ActiveEnum as _,
    sqlx::{self, AssertSqlSafe, Connection as _, PgConnection},
};

use super::{
    super::{
        MAX_LISTED_REJECTIONS, Rejection, Report,
        report::{Rejections, Rows},
        statement::{deleted, upsert, upserted},
    },
    ECOSYSTEM, LOCATOR,
    age::{self, Age, Which},
    chunk, pairs,
    read::Dump,
    stage::Steps,
    summary,
};
use crate::{Error, Result};

/// Deletes rows whose key an earlier line has, and gives their lines.
macro_rules! twice {
    ($table:literal, $key:literal) => {
        concat!(
            "with again as (select ctid, row_number() over (partition by ",
            $key,
            " order by line) as nth from ",
            $table,
            ")
             delete from ",
            $table,
            " staged using again where again.ctid = staged.ctid and again.nth > 1
             returning staged.line"
        )
    };
}

/// Deletes rows that refer to nothing, and gives their lines.
macro_rules! orphans {
    ($table:literal, $known:literal) => {
        concat!(
            "delete from ",
            $table,
            " staged where not exists (select from ",
            $known,
            ") returning staged.line"
        )
    };
}

/// Records that are there again: of several with one key the first stays. A table of the dump, and the deletion.
const TWICE: &[(&str, &str)] = &[
    ("crates", twice!("dump_crates", "id")),
    ("crates", twice!("dump_crates", "normalized_name")),
    ("versions", twice!("dump_versions", "id")),
    ("versions", twice!("dump_versions", "crate_id, number")),
    ("keywords", twice!("dump_keywords", "id")),
    ("categories", twice!("dump_categories", "id")),
    ("categories", twice!("dump_categories", "slug")),
    ("default_versions", twice!("dump_default_versions", "crate_id")),
    ("crate_downloads", twice!("dump_crate_downloads", "crate_id")),
];

/// Records that refer to nothing.
const ORPHANS: &[(&str, &str)] = &[
    ("versions", orphans!("dump_versions", "dump_crates known where known.id = staged.crate_id")),
    ("dependencies", orphans!("dump_dependencies", "dump_versions known where known.id = staged.version_id")),
    ("dependencies", orphans!("dump_dependencies", "dump_crates known where known.id = staged.crate_id")),
    ("crate_owners", orphans!("dump_owners", "dump_crates known where known.id = staged.crate_id")),
    (
        "crate_owners",
        orphans!(
            "dump_owners",
            "dump_accounts known where known.kind = staged.kind and known.id = staged.account_id"
        ),
    ),
    (
        "crates_keywords",
        orphans!("dump_crates_keywords", "dump_crates known where known.id = staged.crate_id"),
    ),
    (
        "crates_keywords",
        orphans!("dump_crates_keywords", "dump_keywords known where known.id = staged.keyword_id"),
    ),
    (
        "crates_categories",
        orphans!("dump_crates_categories", "dump_crates known where known.id = staged.crate_id"),
    ),
    (
        "crates_categories",
        orphans!("dump_crates_categories", "dump_categories known where known.id = staged.category_id"),
    ),
    (
        "version_downloads",
        orphans!("dump_downloads", "dump_versions known where known.id = staged.version_id"),
    ),
    (
        "default_versions",
        orphans!(
            "dump_default_versions",
            "dump_versions known where known.id = staged.version_id and known.crate_id = staged.crate_id"
        ),
    ),
    (
        "crate_downloads",
        orphans!("dump_crate_downloads", "dump_crates known where known.id = staged.crate_id"),
    ),
];

pub(super) const TWICE_REASON: &str = "is there twice; only the first is read";

const INDEXES: &str = "
    create unique index on dump_crates (id);
    create index on dump_versions (crate_id);
    analyze dump_crates, dump_versions (id, crate_id, number, licence), dump_licences, dump_dependencies, dump_accounts,
        dump_owners, dump_keywords, dump_crates_keywords, dump_categories, dump_crates_categories, dump_downloads,
        dump_default_versions, dump_crate_downloads";

const OUTDATED: &str = "
    update dump_crates staged set is_outdated = true
    from packages package
    where package.ecosystem_id = $1 and package.namespace = '' and package.normalized_name = staged.normalized_name
      and exists (
          select from versions version
          where version.package_id = package.id and version.deleted_at is null and version.published_at > $2)";

const REPOSITORIES: &str = upsert!(
    "insert into repositories as kept (url, host, path)
     select distinct on (repository_url) repository_url, repository_host, repository_path
     from dump_crates where repository_url is not null order by repository_url
     on conflict (url) do update set deleted_at = null where kept.deleted_at is not null"
);

const LICENCES: &str = upsert!(
    "insert into licences as kept (expression, is_spdx)
     select distinct on (expression) expression, is_spdx from dump_licences order by expression
     on conflict (expression) do update set is_spdx = excluded.is_spdx, deleted_at = null
     where kept.is_spdx <> excluded.is_spdx or kept.deleted_at is not null"
);

const PACKAGES: &str = upsert!(
    "insert into packages as kept (
         id, ecosystem_id, name, normalized_name, purl, description, homepage_url, documentation_url, repository_id
     )
     select coalesce($2 + staged.id, nextval('packages_id_seq')), $1, staged.name, staged.normalized_name, staged.purl, staged.description, staged.homepage_url,
         staged.documentation_url, repository.id
     from dump_crates staged left join repositories repository on repository.url = staged.repository_url
     where not staged.is_outdated
     order by staged.normalized_name
     on conflict (ecosystem_id, namespace, normalized_name) do update set
         name = excluded.name, purl = excluded.purl, description = excluded.description,
         homepage_url = excluded.homepage_url, documentation_url = excluded.documentation_url,
         repository_id = excluded.repository_id, deleted_at = null
     where kept.deleted_at is not null
        or (kept.name, kept.purl, kept.description, kept.homepage_url, kept.documentation_url, kept.repository_id)
        is distinct from (excluded.name, excluded.purl, excluded.description, excluded.homepage_url,
            excluded.documentation_url, excluded.repository_id)"
);

const PACKAGE_IDS: &str = "
    update dump_crates staged set package_id = kept.id
    from packages kept
    where kept.ecosystem_id = $1 and kept.namespace = '' and kept.normalized_name = staged.normalized_name";

const MAINTAINERS: &str = upsert!(
    "insert into maintainers as kept (ecosystem_id, kind, login, name)
     select distinct on (account.kind, account.login) $1, account.kind, account.login, account.name
     from dump_accounts account
     where exists (select from dump_owners o where o.kind = account.kind and o.account_id = account.id)
     order by account.kind, account.login, account.id desc
     on conflict (ecosystem_id, kind, login) do update set name = excluded.name, deleted_at = null
     where kept.name <> excluded.name or kept.deleted_at is not null"
);

const KEYWORDS: &str = upsert!(
    "insert into keywords as kept (name) select distinct name from dump_keywords order by name
     on conflict (name) do update set deleted_at = null where kept.deleted_at is not null"
);

const CATEGORIES: &str = upsert!(
    "insert into categories as kept (ecosystem_id, slug, name, description)
     select $1, slug, name, description from dump_categories order by slug
     on conflict (ecosystem_id, slug) do update set name = excluded.name, description = excluded.description,
         deleted_at = null
     where (kept.name, kept.description) <> (excluded.name, excluded.description) or kept.deleted_at is not null"
);

const DELETE_VERSIONS: &str = "
    update versions kept set deleted_at = $1
    from dump_crates staged
    where not staged.is_outdated and kept.package_id = staged.package_id and kept.deleted_at is null
      and not exists (
          select from dump_versions version where version.crate_id = staged.id and version.number = kept.number)";

const DELETE_DEPENDENCIES_OF_DELETED: &str = "
    update dependencies kept set deleted_at = $1
    from versions version
    where version.deleted_at = $1 and kept.version_id = version.id and kept.deleted_at is null";

/// Two imports of dumps take turns: the second finds what the first has recorded. The lock ends with the session.
pub(super) async fn take_turns(connection: &mut PgConnection) -> Result<()> {
    let lock = "select pg_advisory_lock(hashtextextended('ardb import of crates-io-dump', 0))";
    sqlx::query(lock).execute(connection).await?;
    Ok(())
}

/// Writes what is staged, unless this very dump was imported before.
pub(super) async fn merge(
    connection: &mut PgConnection,
    dump: &Dump,
    age: Age,
    now: DateTime<Utc>,
    report: &mut Report,
    progress: &mut Steps<'_>,
) -> Result<()> {
    take_turns(connection).await?;
    if report.rejected_total == 0 && is_known(connection, &dump.sha256).await? {
        report.documents.unchanged = 1;
        return Ok(());
    }
    // Another may have been recorded since this one was begun.
    Which { age, stored: age::stored(connection).await? }.check(dump.made_at, &dump.place)?;
    sqlx::raw_sql("set synchronous_commit = off").execute(&mut *connection).await?;
    check(connection, report).await?;
    // What can't be read may be what would else be missing.
    let deletes = (report.rejected_total == 0).then_some(now);
    packages_into(connection, dump, None, deletes, report).await?;
    let outdated: i64 = sqlx::query_scalar("select count(*) from dump_crates where is_outdated")
        .fetch_one(&mut *connection)
        .await?;
    report.documents.outdated = outdated.unsigned_abs();
    chunk::partitions(connection, &dump.months).await?;
    chunk::versions(connection, deletes, report, progress).await?;
    let summed =
        chunk::retried(connection, async |connection| summary::write(connection, dump, deletes).await);
    for (table, rows) in summed.await? {
        report.count(table, rows);
    }

    sqlx::raw_sql("set synchronous_commit = on").execute(&mut *connection).await?;
    record(connection, dump, now, report).await
}

/// Rejects what is staged twice, and what refers to nothing.
pub(super) async fn check(connection: &mut PgConnection, report: &mut Report) -> Result<()> {
    reject(connection, TWICE, TWICE_REASON, report).await?;
    sqlx::raw_sql(INDEXES).execute(&mut *connection).await?;
    reject(connection, ORPHANS, "refers to what is not in the dump, or was rejected", report).await
}

/// Writes everything but what belongs to versions, in a transaction; new packages with the ids of the dump, moved by
/// `moved`, or with the next ones.
pub(super) async fn packages_into(
    connection: &mut PgConnection,
    dump: &Dump,
    moved: Option<i64>,
    deletes: Option<DateTime<Utc>>,
    report: &mut Report,
) -> Result<()> {
    let ecosystem_id = ecosystem_id(connection).await?;
    let written = chunk::retried(connection, async |connection| {
        packages(connection, ecosystem_id, dump.made_at, moved, deletes).await
    });
    for (table, rows) in written.await? {
        report.count(table, rows);
    }
    Ok(())
}

pub(super) async fn is_known(connection: &mut PgConnection, sha256: &[u8; 32]) -> Result<bool> {
    let select = "select exists (
        select from source_documents where kind = $1 and locator = $2 and sha256 = $3 and deleted_at is null)";
    let kind = DocumentKind::CratesIoDump.to_value();
    let query = sqlx::query_scalar(select).bind(kind).bind(LOCATOR).bind(&sha256[..]);
    Ok(query.fetch_one(connection).await?)
}

async fn ecosystem_id(connection: &mut PgConnection) -> Result<i64> {
    let select = "select id from ecosystems where name = $1 and deleted_at is null";
    let found = sqlx::query_scalar(select).bind(ECOSYSTEM).fetch_optional(connection).await?;
    found.ok_or_else(|| Error::NotFound { what: "ecosystem", key: ECOSYSTEM.into() })
}

/// Runs deletions that give lines, and rejects those.
async fn reject(
    connection: &mut PgConnection,
    deletions: &[(&str, &'static str)],
    reason: &str,
    report: &mut Report,
) -> Result<()> {
    for (table, deletion) in deletions {
        let rejected = Rejected::select(connection, deletion).await?;
        reject_lines(report, table, rejected, reason);
    }
    Ok(())
}

/// Lines of a table's file: how many, and the first of them.
#[derive(Default)]
pub(super) struct Rejected {
    total: u64,
    first: Vec<i64>,
}

impl Rejected {
    /// Those that a statement gives as `line`. As many as a report lists are read, and the rest is counted where it is.
    pub(super) async fn select(connection: &mut PgConnection, statement: &str) -> Result<Self> {
        let select = AssertSqlSafe(format!(
            "with rejected as ({statement})
             select line, count(*) over () from rejected order by line limit {MAX_LISTED_REJECTIONS}"
        ));
        let lines: Vec<(i64, i64)> = sqlx::query_as(select).fetch_all(connection).await?;
        let total = lines.first().map_or(0, |(_, total)| total.unsigned_abs());
        Ok(Self { total, first: lines.into_iter().map(|(line, _)| line).collect() })
    }
}

/// Rejects lines of a table's file.
pub(super) fn reject_lines(
    report: &mut Report,
    table: &str,
    Rejected { total, first }: Rejected,
    reason: &str,
) {
    let place = |line| format!("data/{table}.csv:{line}");
    let listed = first.into_iter().map(|line| Rejection::new(place(line), reason)).collect();
    report.reject(Rejections { listed, total });
}

/// Everything but what belongs to versions, in one transaction; and the versions that are gone.
async fn packages(
    connection: &mut PgConnection,
    ecosystem_id: i64,
    made_at: DateTime<Utc>,
    moved: Option<i64>,
    deletes: Option<DateTime<Utc>>,
) -> Result<Vec<(&'static str, Rows)>> {
    let mut counts = Vec::new();
    sqlx::query(OUTDATED).bind(ecosystem_id).bind(made_at).execute(&mut *connection).await?;
    counts.push(("repositories", upserted(connection, sqlx::query_as(REPOSITORIES)).await?));
    counts.push(("licences", upserted(connection, sqlx::query_as(LICENCES)).await?));
    let upsert = sqlx::query_as(PACKAGES).bind(ecosystem_id).bind(moved);
    counts.push(("packages", upserted(connection, upsert).await?));
    sqlx::query(PACKAGE_IDS).bind(ecosystem_id).execute(&mut *connection).await?;
    counts.push(("maintainers", upserted(connection, sqlx::query_as(MAINTAINERS).bind(ecosystem_id)).await?));
    counts.push(("keywords", upserted(connection, sqlx::query_as(KEYWORDS)).await?));
    counts.push(("categories", upserted(connection, sqlx::query_as(CATEGORIES).bind(ecosystem_id)).await?));
    pairs::write(connection, deletes, &mut counts).await?;
    if let Some(now) = deletes {
        let versions = deleted(connection, sqlx::query(DELETE_VERSIONS).bind(now)).await?;
        counts.push(("versions", versions));
        if versions.deleted > 0 {
            let dependencies =
                deleted(connection, sqlx::query(DELETE_DEPENDENCIES_OF_DELETED).bind(now)).await?;
            counts.push(("dependencies", dependencies));
        }
    }
    Ok(counts)
}

/// Deletes what is gone from a table, where that is wanted, and writes what is there.
pub(super) async fn replace(
    connection: &mut PgConnection,
    (table, delete, upsert): (&'static str, &'static str, &'static str),
    deletes: Option<DateTime<Utc>>,
    counts: &mut Vec<(&'static str, Rows)>,
) -> Result<()> {
    if let Some(now) = deletes {
        counts.push((table, deleted(connection, sqlx::query(delete).bind(now)).await?));
    }
    counts.push((table, upserted(connection, sqlx::query_as(upsert)).await?));
    Ok(())
}

/// Records the dump as imported; where records were left out, by another hash, so that it is read again next time.
pub(super) async fn record(
    connection: &mut PgConnection,
    dump: &Dump,
    now: DateTime<Utc>,
    report: &mut Report,
) -> Result<()> {
    let mut sha256 = dump.sha256;
    if report.rejected_total > 0 {
        sha256.iter_mut().for_each(|byte| *byte = !*byte);
    }
    let upsert = upsert!(
        "insert into source_documents as kept (kind, locator, sha256, size_bytes, imported_at, revision)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (kind, locator) do update set sha256 = excluded.sha256, size_bytes = excluded.size_bytes,
             imported_at = excluded.imported_at, revision = excluded.revision, deleted_at = null
         where kept.sha256 <> excluded.sha256 or kept.deleted_at is not null"
    );
    let query = sqlx::query_as(upsert)
        .bind(DocumentKind::CratesIoDump.to_value())
        .bind(LOCATOR)
        .bind(&sha256[..])
        .bind(i64::try_from(dump.size_bytes).unwrap_or(i64::MAX))
        .bind(now)
        .bind(age::revision(dump.made_at));
    let mut transaction = connection.begin().await?;
    let rows = upserted(&mut transaction, query).await?;
    transaction.commit().await?;
    report.documents.new = rows.inserted;
    report.documents.changed = rows.updated;
    report.documents.unchanged = 1 - rows.inserted - rows.updated;
    report.count("source_documents", rows);
    Ok(())
}
