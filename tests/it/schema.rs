//! The rules of the PostgreSQL schemas, held against the catalog of the migrated databases: a table that is
//! added tomorrow is held to them, too.

mod names;
mod refusals;
mod reversal;
mod writes;

use sea_orm::{ConnectionTrait as _, DbErr, FromQueryResult, RuntimeErr, Statement, Value};

use crate::harness::{Database, TestDb};

/// Every database, with the name that its ledger and its function carry.
const DATABASES: [(Database, &str); 3] =
    [(Database::Ardb, "ardb"), (Database::Identitydb, "identitydb"), (Database::Analyticsdb, "analyticsdb")];

/// Ledgers and logs, which no rule holds for.
const LEDGERS: [(&str, &str); 7] = [
    ("ardb_migrations", "a ledger; sea-orm-migration creates it and fixes its columns"),
    ("identitydb_migrations", "a ledger; sea-orm-migration creates it and fixes its columns"),
    ("analyticsdb_migrations", "a ledger; sea-orm-migration creates it and fixes its columns"),
    ("ardb_migrations_log", "an append-only log, and the runner's own"),
    ("identitydb_migrations_log", "an append-only log, and the runner's own"),
    ("analyticsdb_migrations_log", "an append-only log, and the runner's own"),
    (
        "audit_events",
        "append-only and partitioned by occurred_at, which is part of its key; no row changes or is deleted",
    ),
];

/// Tables without the standard columns, their key and their trigger; every other rule holds for them.
const FACTS: [(&str, &str); 5] = [
    ("advisory_matches", "derived: a row is there or not, and its key is what it relates"),
    ("dependents", "derived: a row is there or not, and its key is what it relates"),
    ("latest_versions", "derived: its key is the package; only a change of the answer moves updated_at"),
    ("package_search_entries", "derived: its key is the package"),
    (
        "version_downloads",
        "a partitioned fact table; a row per version and day would be mostly standard columns",
    ),
];

/// Begins a query: `tables (oid, name)` that the rules hold for, and those of them that are `standard`.
const TABLES: &str = "
    with tables as (
        select c.oid, c.relname::text as name
        from pg_class c
        where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
          and c.relname <> all ($1::text[])
          and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
    ),
    standard as (select * from tables where name <> all ($2::text[]))
";

fn names_of(exceptions: &[(&str, &str)]) -> Vec<String> {
    exceptions.iter().map(|(table, _)| (*table).to_owned()).collect()
}

/// The rows of `query`, which sees `tables` and `standard`.
async fn rows<T: FromQueryResult>(db: &TestDb, query: &str) -> Vec<T> {
    let exceptions = [Value::from(names_of(&LEDGERS)), Value::from(names_of(&FACTS))];
    let sql = format!("{TABLES} {query}");
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, exceptions);
    T::find_by_statement(statement).all(db.connection()).await.expect("the query runs")
}

#[derive(FromQueryResult)]
struct Text {
    text: String,
}

/// The column `text` of `query`, which sees `tables` and `standard`.
async fn texts(db: &TestDb, query: &str) -> Vec<String> {
    rows::<Text>(db, query).await.into_iter().map(|row| row.text).collect()
}

/// The three databases with a row in every table.
async fn filled() -> TestDb {
    let db = TestDb::overlaid().await;
    db.execute_unprepared(include_str!("schema/rows.sql")).await.expect("the rows fit the schema");
    db
}

/// What the database says to `sql`: the name of the violated constraint, or the whole error.
async fn violation(db: &TestDb, sql: &str) -> Result<(), String> {
    let Err(error) = db.execute_unprepared(sql).await else { return Ok(()) };
    if let DbErr::Exec(RuntimeErr::SqlxError(error)) = &error
        && let Some(name) = error.as_database_error().and_then(|error| error.constraint())
    {
        return Err(name.to_owned());
    }
    Err(error.to_string())
}

/// Fails with what breaks a rule: the rows of `query`, which sees `tables` and `standard`, in any of the databases.
async fn assert_none(query: &str) {
    let db = TestDb::overlaid().await;
    let tables = texts(&db, "select name as text from tables").await;
    assert!(tables.len() > LEDGERS.len(), "the query for tables finds {tables:?}");
    assert_eq!(texts(&db, query).await, Vec::<String>::new());
}

#[tokio::test]
async fn every_exception_is_a_table() {
    let db = TestDb::overlaid().await;
    let query = "select unnest($1::text[] || $2::text[]) as text
                 except select relname::text from pg_class where relkind in ('r', 'p')";
    assert_eq!(texts(&db, query).await, Vec::<String>::new());
}

#[tokio::test]
async fn every_table_is_named_in_the_plural() {
    assert_none("select name as text from tables where name !~ '^[a-z][a-z0-9]*(_[a-z0-9]+)*s$'").await;
}

#[tokio::test]
async fn every_table_has_the_standard_columns() {
    let wrong = "
        select format('%s.%s', t.name, s.name) as text
        from standard t
        cross join lateral (values
            ('id', 'bigint', true, format('nextval(%L::regclass)', t.name || '_id_seq')),
            ('created_at', 'timestamp with time zone', true, 'now()'),
            ('updated_at', 'timestamp with time zone', true, 'now()'),
            ('deleted_at', 'timestamp with time zone', false, null)
        ) as s (name, type, is_required, fallback)
        left join pg_attribute a on a.attrelid = t.oid and a.attname = s.name
        left join pg_attrdef d on d.adrelid = t.oid and d.adnum = a.attnum
        where (format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid))
            is distinct from (s.type, s.is_required, s.fallback)";
    assert_none(wrong).await;
}

#[tokio::test]
async fn every_primary_key_is_the_id() {
    let wrong = "
        select name as text from standard
        where not exists (
            select from pg_constraint c
            where c.conrelid = standard.oid and c.contype = 'p' and pg_get_constraintdef(c.oid) = 'PRIMARY KEY (id)')";
    assert_none(wrong).await;
}

#[tokio::test]
async fn every_table_has_a_trigger_of_its_database_that_sets_updated_at() {
    for (database, name) in DATABASES {
        let db = TestDb::migrated(database).await;
        let wrong = format!(
            "select t.name as text from standard t
             where not exists (
                 select from pg_trigger g
                 where g.tgrelid = t.oid and g.tgenabled = 'O' and pg_get_triggerdef(g.oid) = format(
                     'CREATE TRIGGER %1$s_set_updated_at BEFORE UPDATE ON %2$s.%1$s FOR EACH ROW EXECUTE FUNCTION %3$s()',
                     t.name, current_schema(), '{name}_set_updated_at'))"
        );
        assert_eq!(texts(&db, &wrong).await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn the_suffix_of_a_column_carries_its_type() {
    let wrong = "
        select format('%s.%s %s', t.name, a.attname, format_type(a.atttypid, a.atttypmod)) as text
        from tables t
        join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
        join (values
            ('_at', 'timestamp with time zone'), ('_id', 'bigint'), ('_bytes', 'bigint'), ('_count', 'bigint'), ('_key', 'bytea')
        ) as s (suffix, type) on right(a.attname, length(s.suffix)) = s.suffix
        where format_type(a.atttypid, a.atttypmod) <> s.type";
    assert_none(wrong).await;
}

#[tokio::test]
async fn no_column_has_a_type_that_loses_something() {
    let wrong = "
        select format('%s.%s %s', t.name, a.attname, format_type(a.atttypid, a.atttypmod)) as text
        from tables t
        join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
        where format_type(a.atttypid, a.atttypmod) not in (
            'bigint', 'integer', 'boolean', 'text', 'text[]', 'citext', 'bytea', 'jsonb', 'date', 'timestamp with time zone',
            'tsvector')";
    assert_none(wrong).await;
}

#[tokio::test]
async fn no_foreign_key_cascades_or_waits_for_the_commit() {
    let wrong = "
        select c.conname::text as text from tables t join pg_constraint c on c.conrelid = t.oid and c.contype = 'f'
        where c.confdeltype <> 'a' or c.confupdtype <> 'a' or c.condeferrable or not c.convalidated";
    assert_none(wrong).await;
}

#[tokio::test]
async fn every_id_of_another_row_is_a_foreign_key_or_names_its_database() {
    let wrong = "
        select format('%s.%s', t.name, a.attname) as text
        from tables t
        join pg_attribute a on a.attrelid = t.oid and a.attname like '%\\_id' and not a.attisdropped
        where a.attname !~ '^(ardb|identitydb|analyticsdb)_'
          and not exists (select from pg_constraint c where c.conrelid = t.oid and c.contype = 'f' and c.conkey = array[a.attnum])";
    assert_none(wrong).await;
}

#[tokio::test]
async fn every_foreign_key_leads_an_index_over_all_rows() {
    let wrong = "
        select c.conname::text as text from tables t join pg_constraint c on c.conrelid = t.oid and c.contype = 'f'
        where not exists (
            select from pg_index i
            where i.indrelid = t.oid and i.indisvalid and i.indpred is null and i.indkey[0] = c.conkey[1])";
    assert_none(wrong).await;
}

#[tokio::test]
async fn every_table_has_a_comment() {
    assert_none("select name as text from tables where obj_description(oid, 'pg_class') is null").await;
}

#[tokio::test]
async fn every_column_that_may_be_null_has_a_comment_that_says_what_null_means() {
    let wrong = "
        select format('%s.%s', t.name, a.attname) as text
        from tables t
        join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped and not a.attnotnull
        where coalesce(col_description(t.oid, a.attnum), '') not like '%null: %'";
    assert_none(wrong).await;
}

/// Soft deletion and uniqueness: either the key is over live rows only, or the table says what becomes of
/// the deleted row that holds it.
#[tokio::test]
async fn every_unique_key_leaves_deleted_rows_out_or_the_table_says_what_becomes_of_them() {
    let wrong = "
        select i.indexrelid::regclass::text as text
        from tables t
        join pg_index i on i.indrelid = t.oid and i.indisunique and not i.indisprimary
        where coalesce(pg_get_expr(i.indpred, i.indrelid), '') not like '%deleted_at IS NULL%'
          and obj_description(t.oid, 'pg_class') !~ 'restore|keeps the name'";
    assert_none(wrong).await;
}
