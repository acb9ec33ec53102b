//! Connections of the runner's own, which see the database as the connection that was given sees it.
//!
//! The service's pool may be small, busy, or set up with timeouts that suit requests, so migrations run beside
//! it. What decides where a statement lands is carried over: the search path, and the role if one was set.

use std::time::Duration;

use sea_orm::sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sea_orm::sqlx::{self, Connection, PgConnection};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, SqlxPostgresConnector, Statement};

use crate::driver::execute;

/// How long a statement may wait for a lock, and how long it may run; zero is without end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timeouts {
    pub(crate) lock: Duration,
    pub(crate) statement: Duration,
}

impl Timeouts {
    fn sql(&self) -> String {
        format!(
            "set lock_timeout = {}; set statement_timeout = {}",
            milliseconds(self.lock),
            milliseconds(self.statement)
        )
    }
}

/// In the range of PostgreSQL's settings, where zero is without end and so no duration but zero may become it.
pub(crate) fn milliseconds(duration: Duration) -> i32 {
    let rounded = i32::try_from(duration.as_millis()).unwrap_or(i32::MAX);
    if duration.is_zero() { 0 } else { rounded.max(1) }
}

/// What a connection has to be given to see what another one sees.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    options: PgConnectOptions,
    search_path: String,
    settings: String,
}

impl Session {
    /// Reads it from `db`. One statement.
    pub(crate) async fn of(db: &DatabaseConnection) -> Result<Self, DbErr> {
        // The path goes from the setting to the setting as it is, schemas in it quoted or not. Nothing may end
        // the session of a lock because it is idle, as it is while a migration works.
        let read = "select current_setting('search_path') as search_path, format('select pg_catalog.set_config(''search_path'', %L, false)', current_setting('search_path')) \
                    || case when current_user <> session_user then format('; set role %I', current_user) else '' end \
                    || (select coalesce(string_agg(format('; set %I = 0', name), ''), '') from pg_settings \
                        where name in ('idle_session_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')) \
                       as settings";
        let row = db
            .query_one_raw(Statement::from_string(db.get_database_backend(), read))
            .await?
            .ok_or_else(|| DbErr::RecordNotFound("a select without from".to_owned()))?;
        let options = (*db.get_postgres_connection_pool().connect_options()).clone();
        Ok(Self {
            options,
            search_path: row.try_get("", "search_path")?,
            settings: row.try_get("", "settings")?,
        })
    }

    /// One connection, which calls itself `name`.
    pub(crate) async fn connect(&self, name: &str) -> sqlx::Result<PgConnection> {
        let mut connection = PgConnection::connect_with(&self.options.clone().application_name(name)).await?;
        execute(&mut connection, &self.settings).await?;
        Ok(connection)
    }

    /// What makes another connection see the same, as SQL.
    pub(crate) fn settings(&self) -> &str {
        &self.settings
    }

    /// The same, and every connection holds the shared advisory lock of `key` for as long as it lives.
    pub(crate) fn holding(&self, key: &str) -> Self {
        let key = key.replace('\'', "''");
        let settings = format!(
            "{}; select pg_catalog.pg_advisory_lock_shared(pg_catalog.hashtextextended('{key}', 0))",
            self.settings
        );
        Self { settings, ..self.clone() }
    }

    /// The same, in the database called `name`.
    pub(crate) fn in_database(&self, name: &str) -> Self {
        Self { options: self.options.clone().database(name), ..self.clone() }
    }

    /// A pool, whose connections are opened when they are needed, call themselves `name` and give up by
    /// `timeouts`.
    pub(crate) fn pool(&self, name: &str, timeouts: Timeouts) -> DatabaseConnection {
        self.connections(4, self.options.clone().application_name(name), timeouts)
    }

    /// A pool of one connection, which stays, finds its search path again after a `reset all`, and keeps no
    /// statement prepared: plans would outlive the tables that they are for.
    pub(crate) fn single(&self, name: &str, timeouts: Timeouts) -> DatabaseConnection {
        let options = self.options.clone().application_name(name).statement_cache_capacity(0);
        let options = options.options([("search_path", &self.search_path)]);
        self.connections(1, options, timeouts)
    }

    fn connections(&self, most: u32, options: PgConnectOptions, timeouts: Timeouts) -> DatabaseConnection {
        let settings = format!("{}; {}", self.settings, timeouts.sql());
        let pool = PgPoolOptions::new()
            .max_connections(most)
            .min_connections(0)
            .idle_timeout(None)
            .max_lifetime(None)
            .after_connect(move |connection, _| {
                let settings = settings.clone();
                Box::pin(async move { execute(connection, &settings).await })
            })
            .connect_lazy_with(options);
        SqlxPostgresConnector::from_sqlx_postgres_pool(pool)
    }
}
