//! What the import is held against: psql's `\copy`, and SeaORM's `insert_many`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use entity_ardb::{dependency, version};
use sea_orm::sqlx::{self, AssertSqlSafe};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, ConnectOptions, EntityTrait, IntoActiveModel as _,
    Iterable as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use crate::Measured;
use crate::server::Server;

/// The tables that the import writes itself, those before that others refer to, and the order of their rows.
const TABLES: [(&str, &str); 12] = [
    ("repositories", "id"),
    ("licences", "id"),
    ("packages", "id"),
    ("maintainers", "id"),
    ("keywords", "id"),
    ("categories", "id"),
    ("maintainers_packages", "id"),
    ("keywords_packages", "id"),
    ("categories_packages", "id"),
    ("versions", "id"),
    ("dependencies", "id"),
    ("version_downloads", "version_id, day"),
];
/// Those that versions and dependencies refer to.
const PARENTS: usize = 3;
/// What a statement of PostgreSQL can have in parameters.
const MAX_PARAMETERS: usize = 65_535;

/// The rows of all tables.
pub async fn rows(server: &Server, database: &str) -> u64 {
    let counts = TABLES.map(|(table, _)| format!("(select count(*) from {table})")).join(" + ");
    let select = AssertSqlSafe(format!("select {counts}"));
    let rows: i64 = sqlx::query_scalar(select).fetch_one(&mut server.connect(database).await).await.unwrap();
    rows.unsigned_abs()
}

/// A file for each of [`TABLES`].
pub struct Files(PathBuf);

impl Files {
    fn of(&self, table: &str) -> String {
        self.0.join(table).display().to_string()
    }

    pub fn remove(self) {
        fs::remove_dir_all(self.0).unwrap();
    }
}

pub fn psql_version() -> String {
    let output = Command::new("psql").arg("--version").output();
    let output =
        output.expect("psql is on the path: install the client of PostgreSQL, such as postgresql-client");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

async fn psql(server: &Server, database: &str, script: &str) {
    let arguments = ["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--file", "-", "--dbname"];
    let mut psql = tokio::process::Command::new("psql");
    psql.args(arguments).arg(server.url(database)).stdin(Stdio::piped());
    let mut psql = psql.spawn().unwrap();
    let mut input = psql.stdin.take().unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut input, script.as_bytes()).await.unwrap();
    drop(input);
    let ended = psql.wait().await.unwrap();
    assert!(ended.success(), "psql ended with {ended}");
}

/// Writes every table to a file.
pub async fn export(server: &Server, database: &str, folder: &Path) -> Files {
    let files = Files(folder.join("rows"));
    fs::create_dir(&files.0).unwrap();
    let export = |(table, order)| {
        format!("\\copy (select * from {table} order by {order}) to '{}'\n", files.of(table))
    };
    psql(server, database, &TABLES.map(export).concat()).await;
    files
}

fn copies(files: &Files, tables: &[(&str, &str)]) -> String {
    tables.iter().map(|(table, _)| format!("\\copy {table} from '{}'\n", files.of(table))).collect()
}

/// Copies every table from its file, a transaction each, with psql.
pub async fn copy(server: &Server, database: &str, files: &Files) -> Measured {
    let partitions = "select ardb_add_version_downloads_partition(month.day::date) from generate_series(
        '2025-11-01', '2026-01-01', interval '1 month') as month (day)";
    sqlx::raw_sql(partitions).execute(&mut server.connect(database).await).await.unwrap();
    server.checkpoint().await;
    let start = Instant::now();
    psql(server, database, &copies(files, &TABLES)).await;
    Measured { time: start.elapsed(), rows: rows(server, database).await }
}

/// Versions and their dependencies.
pub struct Sample(Vec<version::Model>, Vec<dependency::Model>);

/// The last `versions` versions with their dependencies.
pub async fn sample(server: &Server, database: &str, versions: u64) -> Sample {
    let db = connect(server, database).await;
    let versions =
        version::Entity::find().order_by_desc(version::Column::Id).limit(versions).all(&db).await.unwrap();
    let dependencies = match versions.last() {
        None => Vec::new(),
        Some(first) => {
            let of_them = dependency::Column::VersionId.gte(first.id);
            dependency::Entity::find().filter(of_them).all(&db).await.unwrap()
        }
    };
    db.close().await.unwrap();
    Sample(versions, dependencies)
}

/// Takes the sample out of a database that holds it.
pub async fn take_out(server: &Server, database: &str, sample: &Sample) {
    let Some(first) = sample.0.last() else { return };
    let connection = &mut server.connect(database).await;
    for (table, column) in [
        ("default_versions", "version_id"),
        ("version_downloads", "version_id"),
        ("dependencies", "version_id"),
        ("versions", "id"),
    ] {
        let delete = AssertSqlSafe(format!("delete from {table} where {column} >= $1"));
        sqlx::query(delete).bind(first.id.0).execute(&mut *connection).await.unwrap();
    }
}

/// Copies what versions and dependencies refer to.
pub async fn copy_parents(server: &Server, database: &str, files: &Files) {
    psql(server, database, &copies(files, &TABLES[..PARENTS])).await;
}

/// Inserts the sample, in statements of as many rows as parameters allow; what the rows refer to is there already.
pub async fn insert_many(server: &Server, database: &str, sample: &Sample) -> Measured {
    server.checkpoint().await;
    let db = connect(server, database).await;
    let Sample(versions, dependencies) = sample;
    let rows = (versions.len() + dependencies.len()) as u64;
    let start = Instant::now();
    for part in versions.chunks(MAX_PARAMETERS / version::Column::iter().count()) {
        let models = part.iter().map(|model| model.clone().into_active_model().reset_all());
        version::Entity::insert_many(models).exec(&db).await.unwrap();
    }
    for part in dependencies.chunks(MAX_PARAMETERS / dependency::Column::iter().count()) {
        let models = part.iter().map(|model| model.clone().into_active_model().reset_all());
        dependency::Entity::insert_many(models).exec(&db).await.unwrap();
    }
    let time = start.elapsed();
    db.close().await.unwrap();
    Measured { rows, time }
}

async fn connect(server: &Server, database: &str) -> sea_orm::DatabaseConnection {
    let mut options = ConnectOptions::new(server.url(database));
    options.sqlx_logging(false);
    sea_orm::Database::connect(options).await.unwrap()
}
