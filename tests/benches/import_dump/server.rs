//! A PostgreSQL of the benchmark's own, as `archer dev` starts it, and gone with its data at the end.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use dev::hold::Ready;
use sea_orm::sqlx::{self, AssertSqlSafe, Connection as _, PgConnection};

pub struct Server {
    url: String,
    /// Its standard input stays open for as long as this lives.
    holder: Child,
}

impl Server {
    /// Starts a server whose data is in `folder`.
    pub fn start(folder: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_archer-under-test"));
        command
            .args(["dev", "hold", "--only", "postgres", "--until-stdin-closes", "--dir"])
            .arg(folder.join("server"));
        let mut holder = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Ready = serde_json::from_str(&line).unwrap();
        Self { url: ready.ardb_url.unwrap(), holder }
    }

    pub fn url(&self, database: &str) -> String {
        dev::SecretUrl::new(self.url.parse().unwrap()).with_database(database).expose().to_owned()
    }

    pub async fn connect(&self, database: &str) -> PgConnection {
        PgConnection::connect(&self.url(database)).await.unwrap()
    }

    pub async fn version(&self) -> String {
        let mut connection = self.connect("ardb").await;
        let select = "select 'PostgreSQL ' || current_setting('server_version')";
        sqlx::query_scalar(select).fetch_one(&mut connection).await.unwrap()
    }

    /// A new database in which ardb is migrated; its name.
    pub async fn database(&self, name: &str) -> String {
        self.administer(&format!("create database {name} template template0")).await;
        let db = sea_orm::Database::connect(self.url(name)).await.unwrap();
        migration_ardb::runner().up(&db).await.unwrap();
        db.close().await.unwrap();
        name.to_owned()
    }

    pub async fn drop(&self, database: &str) {
        self.administer(&format!("drop database {database} with (force)")).await;
    }

    /// Nobody pays for what another has left to write.
    pub async fn checkpoint(&self) {
        self.administer("checkpoint").await;
    }

    async fn administer(&self, sql: &str) {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.connect("ardb").await).await.unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        self.holder.wait().unwrap();
    }
}
