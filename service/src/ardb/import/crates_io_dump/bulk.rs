//! The first import: into tables that have no row yet, in one transaction.
//!
//! Most of what a row costs is what is done for each one: it is staged and read again, triggers look for the rows that its
//! foreign keys refer to, every index is searched for its place, and what is derived is counted up. Here the same is done
//! once for all rows:
//!
//! - Crates and versions have the ids of the dump, moved by as much as others have taken before. So dependencies, which
//!   are most of a dump, go into their table as they are read; see [`direct`](super::direct).
//! - What rows refer to is locked as a table, so that none of it can go, and is looked for in one pass. Then triggers need
//!   not look (`session_replication_role`, of this transaction only).
//! - Indexes that nothing needs meanwhile are dropped and built in the end as the catalog had them, comments included.
//! - What is derived is computed from all rows, by the statements that `archer derived repair` has.
//!
//! Nobody sees any of this before it is all there, and an import that is killed leaves the tables as empty as they were, for
//! the next one to begin anew. Until then readers of the empty tables wait.
//!
//! Where that is not possible (the tables have rows or are in use, the role may not, a dependency is in the dump twice or
//! refers to a version that is not), nothing has happened, and the dump is read again and merged row by row.

use std::path::Path;

use chrono::{DateTime, Utc};
use sea_orm::sqlx::{self, AssertSqlSafe, Connection as _, PgConnection};

use super::{
    super::Report,
    age::Which,
    chunk::{self, Written, insert_versions},
    direct::{MAX_ID, Moves},
    merge::{self, Rejected},
    read_into,
    stage::Steps,
    summary,
};
use crate::{Result, ardb::derived};

/// Why it can't be; null: it can.
const OBSTACLE: &str = "
    select case
        when not has_parameter_privilege('session_replication_role', 'set')
            then format('a superuser can do more: grant set on parameter session_replication_role to %I', current_user)
        when exists (
            select from pg_class
            where oid in ('versions'::regclass, 'dependencies'::regclass) and not pg_has_role(relowner, 'usage')
        )
            then format('%I does not own versions and dependencies, whose indexes would be built in the end', current_user)
    end";

const HAS_ROWS: &str = "
    select exists (select from versions) or exists (select from dependencies) or exists (select from version_downloads)
        or exists (select from packages where ecosystem_id = (select id from ecosystems where name = 'cargo'))";

/// In the order in which others write them, so that nobody who holds one of them waits for one that is held here.
const LOCK: &str = "
    set local lock_timeout = '5s';
    lock table packages, licences in share row exclusive mode;
    lock table versions, dependencies, version_downloads in access exclusive mode;
    set local lock_timeout to default";

/// The last ids that are taken. The locks keep others from taking more; a number that nobody has used is one of them, too.
const MOVES: &str = "
    select (select last_value from packages_id_seq), (select last_value from versions_id_seq)";

/// So that the next ones are free.
const MOVE_ON: &str = "
    select setval('packages_id_seq', greatest((select last_value from packages_id_seq), (select max(id) from packages))),
        setval('versions_id_seq', greatest((select last_value from versions_id_seq), (select max(id) from versions)))";

/// Whether an id of the dump is none that can be moved.
const HAS_ODD_IDS: &str = "
    select exists (select from dump_crates where id not between 1 and $1)
        or exists (select from dump_versions where id not between 1 and $1)";

/// Whether a crate is another package than the dump's id says.
const HAS_OTHER_PACKAGES: &str = "
    select exists (select from dump_crates where package_id is distinct from $1 + id)";

/// Dependencies that went into their table as they were read, and whether all that they refer to is there.
const DIRECT: &str = "
    select count(*), count(*) = count(version.id) and count(*) = count(package.id)
    from dependencies dependency
    left join versions version on version.id = dependency.version_id
    left join packages package on package.id = dependency.package_id";

/// Foreign keys are held by joins and locks, and what is derived is computed in the end.
const TRIGGERS_OFF: &str = "set local session_replication_role = replica";
const TRIGGERS_ON: &str = "set local session_replication_role = origin";

/// What drops each index that can be built anew just as it was, what makes it, and its comment. Not those by which a table
/// is known to others: what a foreign key, a view or replication goes by.
const INDEXES: &str = "
    select
        case when held.oid is null
            then format('drop index %s', made.indexrelid::regclass)
            else format('alter table %s drop constraint %I', made.indrelid::regclass, held.conname)
        end,
        case when held.oid is null
            then pg_get_indexdef(made.indexrelid)
            else format('alter table %s add constraint %I %s', made.indrelid::regclass, held.conname,
                pg_get_constraintdef(held.oid))
        end,
        concat_ws('; ',
            format('comment on index %s is ', made.indexrelid::regclass)
                || quote_literal(obj_description(made.indexrelid, 'pg_class')),
            'comment on constraint ' || quote_ident(held.conname) || format(' on %s is ', made.indrelid::regclass)
                || quote_literal(obj_description(held.oid, 'pg_constraint'))
        )
    from pg_index made
    join pg_class index on index.oid = made.indexrelid
    left join pg_constraint held
        on held.conrelid = made.indrelid and held.conindid = made.indexrelid and held.contype in ('p', 'u')
    where made.indrelid in ('versions'::regclass, 'dependencies'::regclass)
      and not (made.indisexclusion or made.indisclustered or made.indisreplident)
      and made.indisvalid and index.reltablespace = 0
      and not exists (select from pg_constraint where contype = 'f' and conindid = made.indexrelid)
      and not exists (
          select from pg_depend
          where (refclassid, refobjid) in (('pg_class'::regclass, index.oid), ('pg_constraint'::regclass, held.oid))
            and deptype = 'n'
      )
    order by index.relname";

const VERSIONS: &str = concat!(
    insert_versions!("id, ", "$3 + staged.id, "),
    "where staged.crate_id >= $1 and staged.crate_id < $2 order by package.package_id, staged.sort_key"
);

/// By what downloads and the rest of the dependencies find their versions.
const CHUNK: &str = "
    create temporary table dump_chunk on commit drop as
    select staged.id, $1 + staged.id as version_id, true as is_new from dump_versions staged";

/// Those whose crate comes after them in the dump. One that is there twice is found by the index that is built in the end.
const DEPENDENCIES: &str = "
    insert into dependencies (
        version_id, package_id, name, normalized_name, alias, requirement, kind, is_optional, uses_default_features,
        features, target
    )
    select version.version_id, known.package_id, known.name, known.normalized_name, staged.alias, staged.requirement,
        staged.kind, staged.is_optional, staged.uses_default_features, staged.features, staged.target
    from dump_dependencies staged
    join dump_chunk version on version.id = staged.version_id
    join dump_crates known on known.id = staged.crate_id";

/// For the plans of what is derived. Other columns are large, and not asked for.
const ANALYZE: &str =
    "analyze versions (id, package_id, deleted_at), dependencies (version_id, package_id, deleted_at)";

/// A unique key is violated; a lock is not to be had; a deadlock's victim; not serialisable; not permitted.
const RECOVERABLE: [&str; 5] = ["23505", "55P03", "40P01", "40001", "42501"];

/// What became of the attempt.
pub(super) enum Bulk {
    /// All is written.
    Done(Report),
    /// Nothing is, because the tables have rows.
    NotFirst,
    /// Nothing is, although the tables have no rows; with the reason.
    Refused(String),
}

impl Bulk {
    fn refused(reason: &str) -> Self {
        Self::Refused(reason.to_owned())
    }
}

/// Imports the whole dump, or nothing.
pub(super) async fn load(
    connection: &mut PgConnection,
    input: &Path,
    which: Which,
    now: DateTime<Utc>,
    progress: &mut Steps<'_>,
) -> Result<Bulk> {
    if is(connection, HAS_ROWS).await? {
        return Ok(Bulk::NotFirst);
    }
    if let Some(obstacle) = sqlx::query_scalar(OBSTACLE).fetch_one(&mut *connection).await? {
        return Ok(Bulk::Refused(obstacle));
    }
    merge::take_turns(connection).await?;
    let mut transaction = connection.begin().await?;
    let attempt = match attempt(&mut transaction, input, which, now, progress).await {
        Err(error) if error.has_code(&RECOVERABLE) => Bulk::Refused(error.to_string()),
        attempt => attempt?,
    };
    if matches!(attempt, Bulk::Done(_)) {
        transaction.commit().await?;
    } else {
        transaction.rollback().await?;
    }
    Ok(attempt)
}

async fn is(connection: &mut PgConnection, question: &'static str) -> Result<bool> {
    Ok(sqlx::query_scalar(question).fetch_one(connection).await?)
}

async fn attempt(
    connection: &mut PgConnection,
    input: &Path,
    which: Which,
    now: DateTime<Utc>,
    progress: &mut Steps<'_>,
) -> Result<Bulk> {
    sqlx::raw_sql(LOCK).execute(&mut *connection).await?;
    if is(connection, HAS_ROWS).await? {
        return Ok(Bulk::NotFirst);
    }
    let indexes: Vec<(String, String, String)> = sqlx::query_as(INDEXES).fetch_all(&mut *connection).await?;
    for (drop, ..) in &indexes {
        sqlx::raw_sql(AssertSqlSafe(&**drop)).execute(&mut *connection).await?;
    }
    let (packages, versions) = sqlx::query_as(MOVES).fetch_one(&mut *connection).await?;
    let moves = Moves { packages, versions };

    let mut report = Report::default();
    sqlx::raw_sql(TRIGGERS_OFF).execute(&mut *connection).await?;
    let dump = read_into(connection, input, which, Some(moves), &mut report, progress).await?;
    sqlx::raw_sql(TRIGGERS_ON).execute(&mut *connection).await?;
    if merge::is_known(connection, &dump.sha256).await? {
        return Ok(Bulk::NotFirst);
    }

    merge::check(connection, &mut report).await?;
    let odd = sqlx::query_scalar(HAS_ODD_IDS).bind(MAX_ID);
    if odd.fetch_one(&mut *connection).await? {
        return Ok(Bulk::refused("an id of the dump is out of the ordinary"));
    }
    merge::packages_into(connection, &dump, Some(packages), None, &mut report).await?;
    let other = sqlx::query_scalar(HAS_OTHER_PACKAGES).bind(packages);
    if other.fetch_one(&mut *connection).await? {
        return Ok(Bulk::refused("two crates are one package"));
    }
    chunk::partitions(connection, &dump.months).await?;

    sqlx::raw_sql(TRIGGERS_OFF).execute(&mut *connection).await?;
    let mut bounds: Vec<i64> = sqlx::query_scalar(chunk::CHUNKS).fetch_all(&mut *connection).await?;
    bounds.push(i64::MAX);
    let mut steps = progress.of(bounds.len() + indexes.len() + 2);
    let mut written = Written::default();
    for ends in bounds.windows(2) {
        let insert = sqlx::query(VERSIONS).bind(ends[0]).bind(ends[1]).bind(versions);
        written.versions.inserted += insert.execute(&mut *connection).await?.rows_affected();
        steps.step();
    }
    sqlx::query(CHUNK).bind(versions).execute(&mut *connection).await?;
    sqlx::raw_sql("analyze dump_chunk").execute(&mut *connection).await?;
    let (direct, is_whole): (i64, bool) = sqlx::query_as(DIRECT).fetch_one(&mut *connection).await?;
    if !is_whole {
        return Ok(Bulk::refused(
            "a dependency refers to a version or crate that is not in the dump, or was rejected",
        ));
    }
    let staged = sqlx::query(DEPENDENCIES).execute(&mut *connection).await?.rows_affected();
    written.dependencies.inserted = direct.unsigned_abs() + staged;
    written.downloads.inserted =
        sqlx::query(chunk::NEW_DOWNLOADS).execute(&mut *connection).await?.rows_affected();
    written.downloads_twice = Rejected::select(connection, chunk::DOWNLOADS_TWICE).await?;
    steps.step();

    for (_, create, comment) in &indexes {
        sqlx::raw_sql(AssertSqlSafe(&**create)).execute(&mut *connection).await?;
        sqlx::raw_sql(AssertSqlSafe(&**comment)).execute(&mut *connection).await?;
        steps.step();
    }
    sqlx::raw_sql(ANALYZE).execute(&mut *connection).await?;
    derived::rebuild_of_versions(connection).await?;
    sqlx::raw_sql(TRIGGERS_ON).execute(&mut *connection).await?;
    sqlx::query(MOVE_ON).execute(&mut *connection).await?;
    for (table, rows) in summary::write(connection, &dump, None).await? {
        report.count(table, rows);
    }
    steps.step();
    written.report(&mut report);
    merge::record(connection, &dump, now, &mut report).await?;
    Ok(Bulk::Done(report))
}
