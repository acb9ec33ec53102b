//! A ClickHouse database per test.

use dev::SecretUrl;

use super::db::unique_name;
use super::servers::clickhouse_url;

/// Counts where the rollup and the events themselves differ, by tenant, day, kind and source.
pub const ROLLUP_DIFFERENCES: &str = "
SELECT count() FROM
    (SELECT tenant, day, kind, source, uniqExactMerge(events) AS n FROM events_daily GROUP BY ALL) AS daily
FULL JOIN
    (SELECT tenant, toDate32(occurred_at) AS day, kind, source, uniqExact(event_id) AS n FROM events FINAL GROUP BY ALL) AS raw
USING (tenant, day, kind, source) WHERE daily.n != raw.n";

/// Runs one statement on the server and in the database of `url`; what it prints, tab-separated.
pub async fn ask(url: &str, sql: &str) -> String {
    let url = url.parse().expect("it is a URL");
    let answer = dev::clickhouse::execute(&url, sql).await;
    answer.unwrap_or_else(|error| panic!("{sql}: {error}")).trim().to_owned()
}

/// A database of one test's own, dropped at its end, also when it panics.
#[derive(Debug)]
pub struct TestEvents {
    url: SecretUrl,
    name: String,
}

impl TestEvents {
    /// A database with nothing in it.
    pub async fn empty() -> Self {
        let name = unique_name("test");
        administer(&format!("CREATE DATABASE {name} ENGINE = Atomic"))
            .await
            .expect("a database can be created");
        Self { url: server().with_database(&name), name }
    }

    /// A database with every migration applied.
    pub async fn migrated() -> Self {
        let db = Self::empty().await;
        let client = events::Client::connect(db.url()).await.expect("the test's database takes connections");
        events::migration::up(&client, &events::migration::Extent::All)
            .await
            .expect("every migration applies");
        db
    }

    /// `http://user:password@host:port/database`
    pub fn url(&self) -> &str {
        self.url.expose()
    }

    /// Runs one statement in this database; what it prints, tab-separated.
    pub async fn execute(&self, sql: &str) -> String {
        dev::clickhouse::execute(self.url.as_url(), sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"))
    }
}

impl Drop for TestEvents {
    /// As for a PostgreSQL database: apart from the test's runtime, and failing no test.
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE IF EXISTS {} SYNC", self.name);
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(administer(&sql)).map(drop).map_err(std::io::Error::other)
        });
        if let Ok(Err(error)) = dropping.join() {
            eprintln!("the database {} stays behind: {error}", self.name);
        }
    }
}

async fn administer(sql: &str) -> dev::Result<String> {
    dev::clickhouse::execute(server().with_database("").as_url(), sql).await
}

fn server() -> SecretUrl {
    SecretUrl::new(clickhouse_url().parse().expect("ARCHER_TEST_CLICKHOUSE_URL is a URL"))
}
