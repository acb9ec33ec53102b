//! Everything that a schema holds, as values that can be compared.
//!
//! Covered: tables, columns with type, default, identity and position, constraints, indexes with
//! their validity, views, materialized views, rules, functions, procedures, aggregates, triggers,
//! sequences, every kind of type, extended statistics, collations, operators, casts, text search,
//! foreign servers and tables, extensions, policies, grants, default privileges and comments; of the
//! database as a whole its other schemas, event triggers, publications, languages and settings. Rows
//! are not covered, nor are roles, tablespaces and subscriptions, which belong to the server.

use std::collections::BTreeMap;
use std::fmt;

use sea_orm::sqlx::{self, PgConnection};
use sea_orm::{ConnectionTrait, DbErr, Statement};

/// The objects of one schema, by kind and name.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Catalog {
    objects: BTreeMap<(String, String), String>,
}

impl Catalog {
    /// Kind (`table`, `column`, …), name within the schema and definition, in that order.
    pub fn objects(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.objects
            .iter()
            .map(|((kind, name), definition)| (kind.as_str(), name.as_str(), definition.as_str()))
    }

    /// Whether the schema holds nothing.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// What has to happen to `self` to become `other`: a line for every object that is gone (`-`),
    /// new (`+`) or different (both). Empty when they are equal.
    pub fn difference(&self, other: &Self) -> Vec<String> {
        let line =
            |sign, (kind, name): &(String, String), definition| format!("{sign} {kind} {name}: {definition}");
        let gone = self
            .objects
            .iter()
            .filter(|(key, definition)| other.objects.get(*key) != Some(definition))
            .map(|(key, definition)| line('-', key, definition));
        let new = other
            .objects
            .iter()
            .filter(|(key, definition)| self.objects.get(*key) != Some(definition))
            .map(|(key, definition)| line('+', key, definition));
        gone.chain(new).collect()
    }

    /// What `self` has and `other` lacks or has otherwise, in lines as of [`Catalog::difference`]; what `other`
    /// has beyond that is left out.
    pub fn lacking_in(&self, other: &Self) -> Vec<String> {
        let shared = other.objects.iter().filter(|(key, _)| self.objects.contains_key(*key));
        let shared =
            Self { objects: shared.map(|(key, definition)| (key.clone(), definition.clone())).collect() };
        self.difference(&shared)
    }
}

impl fmt::Debug for Catalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.objects().map(|(kind, name, definition)| format!("{kind} {name}: {definition}")))
            .finish()
    }
}

/// The objects of the first schema on the connection's search path, and what belongs to the database as
/// a whole. Tables named in `except`, such as a ledger, are left out with all that hangs on them. One
/// statement.
///
/// # Errors
///
/// Whatever the driver says if the catalog can't be read.
pub async fn snapshot(db: &impl ConnectionTrait, except: &[&str]) -> Result<Catalog, DbErr> {
    read(db, except, false).await
}

/// As [`snapshot`], of every schema; names outside the first one carry their schema.
///
/// # Errors
///
/// Whatever the driver says if the catalog can't be read.
pub async fn snapshot_of_every_schema(db: &impl ConnectionTrait, except: &[&str]) -> Result<Catalog, DbErr> {
    read(db, except, true).await
}

async fn read(db: &impl ConnectionTrait, except: &[&str], every_schema: bool) -> Result<Catalog, DbErr> {
    let except: Vec<String> = except.iter().map(|&name| name.to_owned()).collect();
    let select = Statement::from_sql_and_values(
        db.get_database_backend(),
        include_str!("snapshot.sql"),
        [except.into(), every_schema.into()],
    );
    let mut catalog = Catalog::default();
    for row in db.query_all_raw(select).await? {
        let definition: Option<String> = row.try_get("", "definition")?;
        catalog
            .objects
            .insert((row.try_get("", "kind")?, row.try_get("", "name")?), definition.unwrap_or_default());
    }
    Ok(catalog)
}

/// Whether the connection's schema has a table of this name.
const IS_THERE: &str =
    "select to_regclass(quote_ident(current_schema()) || '.' || quote_ident($1)) is not null as found";

/// Whether the connection's schema has a table of this name.
pub(crate) async fn has_table(db: &impl ConnectionTrait, name: &str) -> Result<bool, DbErr> {
    let statement = Statement::from_sql_and_values(db.get_database_backend(), IS_THERE, [name.into()]);
    db.query_one_raw(statement).await?.map_or(Ok(false), |row| row.try_get("", "found"))
}

/// As [`has_table`], asked by a connection of the runner's own.
pub(crate) async fn is_there(connection: &mut PgConnection, name: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar(IS_THERE).bind(name).fetch_one(connection).await
}

/// Whether the database itself, not the session, is set up as production: by any value that says no no.
pub(crate) async fn is_production(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    let select = "select exists ( \
                      select from pg_db_role_setting s, unnest(s.setconfig) as setting \
                      where s.setdatabase = (select oid from pg_database where datname = current_database()) \
                        and s.setrole = 0 \
                        and lower(setting) ~ '^migration_runner\\.production=' \
                        and lower(setting) !~ '=(|off|false|no|0|f|n)$' \
                  ) as production";
    let statement = Statement::from_string(db.get_database_backend(), select);
    db.query_one_raw(statement).await?.map_or(Ok(false), |row| row.try_get("", "production"))
}

/// The tables of the connection's schema that have the form of a ledger.
pub(crate) async fn ledgers(db: &impl ConnectionTrait) -> Result<Vec<String>, DbErr> {
    let select = "select c.relname::text as name from pg_class c \
                  where c.relnamespace = quote_ident(current_schema())::regnamespace and c.relkind = 'r' \
                    and (select array_agg(a.attname::text order by a.attnum) from pg_attribute a \
                         where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) = '{version,applied_at}' \
                  order by 1";
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), select)).await?;
    rows.iter().map(|row| row.try_get("", "name")).collect()
}
