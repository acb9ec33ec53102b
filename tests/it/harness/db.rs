//! A PostgreSQL database per test.

use std::ops::Deref;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use migration_runner::Runner;
use sea_orm::sqlx::{AssertSqlSafe, Connection, PgConnection, raw_sql};
use sea_orm::{ConnectOptions, DatabaseConnection};
use tokio::sync::OnceCell;
use tracing::log::LevelFilter;

use super::log;
use super::servers::postgres_url;

/// One of the three databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    Ardb,
    Identitydb,
    Analyticsdb,
}

impl Database {
    const ALL: [Self; 3] = [Self::Ardb, Self::Identitydb, Self::Analyticsdb];

    fn runner(self) -> Runner {
        match self {
            Self::Ardb => migration_ardb::runner(),
            Self::Identitydb => migration_identitydb::runner(),
            Self::Analyticsdb => migration_analyticsdb::runner(),
        }
    }
}

/// A database of one test's own, dropped at its end, also when it panics.
///
/// It is used as the connection that it holds: `entity.insert(&*db)`.
#[derive(Debug)]
pub struct TestDb {
    connection: DatabaseConnection,
    superuser: DatabaseConnection,
    name: String,
    url: String,
}

impl TestDb {
    /// A database with nothing in it, for tests that migrate themselves.
    pub async fn empty(_database: Database) -> Self {
        Self::create("template0").await
    }

    /// A database in which `database` is migrated.
    pub async fn migrated(database: Database) -> Self {
        static TEMPLATES: [OnceCell<String>; 3] = [const { OnceCell::const_new() }; 3];
        let template = &TEMPLATES[database as usize];
        Self::create(template.get_or_init(async || migrated_template(&[database]).await).await).await
    }

    /// Identitydb as a service has it: migrated by `identitydb_owner`, and used as `identitydb_writer`. Every
    /// statement is logged, here and by the server, with its parameters.
    pub async fn served() -> Self {
        static TEMPLATE: OnceCell<String> = OnceCell::const_new();
        let mut db = Self::create(TEMPLATE.get_or_init(template_of_the_owner).await).await;
        let logging = "log_statement=all log_parameter_max_length=400 log_parameter_max_length_on_error=400";
        db.connection = pool(&acting_as(&db.url, "identitydb_writer", logging), LevelFilter::Trace).await;
        db
    }

    /// One database in which all three are migrated.
    pub async fn overlaid() -> Self {
        static TEMPLATE: OnceCell<String> = OnceCell::const_new();
        Self::create(TEMPLATE.get_or_init(|| migrated_template(&Database::ALL)).await).await
    }

    /// The pool; [`TestDb`] derefs to it as well.
    pub fn connection(&self) -> &DatabaseConnection {
        &self.connection
    }

    /// The same database for who may do everything there.
    pub fn superuser(&self) -> &DatabaseConnection {
        &self.superuser
    }

    /// For another process, or a pool of one's own; a superuser's.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The same for a session that may do what `role` may, and no more.
    pub fn url_as(&self, role: &str) -> String {
        acting_as(&self.url, role, "")
    }

    async fn create(template: &str) -> Self {
        log::folder();
        let name = unique_name("test");
        administer(&format!("create database {name} template {template} strategy file_copy")).await;
        let url = with_database(&name);
        let superuser = connect(&url).await;
        Self { connection: superuser.clone(), superuser, name, url }
    }
}

impl Deref for TestDb {
    type Target = DatabaseConnection;

    fn deref(&self) -> &DatabaseConnection {
        &self.connection
    }
}

impl Drop for TestDb {
    /// On a thread of its own, since the test's runtime may be on its way out; `force` ends the
    /// pool's connections. What fails here is lost with the cluster, so it fails no test.
    fn drop(&mut self) {
        let sql = format!("drop database if exists {} with (force)", self.name);
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(try_administer(&sql)).map_err(std::io::Error::other)
        });
        if let Ok(Err(error)) = dropping.join() {
            eprintln!("the database {} stays behind: {error}", self.name);
        }
    }
}

/// Migrates `databases` into a database that later ones are copied from; its name.
async fn migrated_template(databases: &[Database]) -> String {
    let name = unique_name("template");
    administer(&format!("create database {name} template template0")).await;
    template(name.clone(), &with_database(&name), databases).await
}

/// Likewise, as `identitydb_owner`, who owns the database.
async fn template_of_the_owner() -> String {
    let name = unique_name("template");
    // Other tests migrate at the same time, which creates it, too.
    administer(
        "do $$ begin create role identitydb_owner nologin; \
         exception when duplicate_object or unique_violation then null; end $$",
    )
    .await;
    administer(&format!("create database {name} template template0 owner identitydb_owner")).await;
    let url = acting_as(&with_database(&name), "identitydb_owner", "");
    template(name, &url, &[Database::Identitydb]).await
}

async fn template(name: String, url: &str, databases: &[Database]) -> String {
    let db = connect(url).await;
    for database in databases {
        database.runner().up(&db).await.expect("every migration applies");
    }
    db.close().await.expect("the pool closes");
    // Nobody may be connected to what is copied, not even by mistake.
    administer(&format!("alter database {name} allow_connections false")).await;
    name
}

async fn connect(url: &str) -> DatabaseConnection {
    pool(url, LevelFilter::Off).await
}

/// `url` with a role and settings for each session. The role is all that such a session may be.
fn acting_as(url: &str, role: &str, settings: &str) -> String {
    let mut url: url::Url = url.parse().expect("it is a URL");
    let settings = std::iter::once(format!("-c role={role}"))
        .chain(settings.split_whitespace().map(|setting| format!("-c {setting}")));
    url.query_pairs_mut().append_pair("options", &settings.collect::<Vec<_>>().join(" "));
    url.into()
}

async fn pool(url: &str, statements: LevelFilter) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    // Many tests run at once against one cluster.
    options
        .max_connections(8)
        .min_connections(0)
        .acquire_timeout(Duration::from_secs(30))
        .sqlx_logging(statements != LevelFilter::Off)
        .sqlx_logging_level(statements);
    sea_orm::Database::connect(options).await.expect("the test's database takes connections")
}

async fn administer(sql: &str) {
    try_administer(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

async fn try_administer(sql: &str) -> sea_orm::sqlx::Result<()> {
    let mut connection = PgConnection::connect(&with_database("postgres")).await?;
    raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
    connection.close().await
}

fn with_database(name: &str) -> String {
    let url = postgres_url().parse().expect("ARCHER_TEST_PG_URL is a URL");
    dev::SecretUrl::new(url).with_database(name).expose().to_owned()
}

/// Unique on the server: the process, and a count within it.
pub(super) fn unique_name(kind: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("archer_{kind}_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}
