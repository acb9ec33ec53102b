//! Two ClickHouse servers of one test's own, with the events sharded over them.

use dev::Program;
use dev::clickhouse::{CLUSTER, Shards};
use events::Client;
use events::migration::{Cluster, Extent, Runner};
use tempfile::TempDir;

/// Two shards with every migration applied to both. They stop at the end, also when the test panics.
#[derive(Debug)]
pub struct TestShards {
    servers: Shards,
    _folder: TempDir,
}

impl TestShards {
    /// Starts and migrates them.
    pub async fn migrated() -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let program =
            Program { path: env!("CARGO_BIN_EXE_archer-under-test").into(), leading: vec!["dev".into()] };
        let servers = Shards::start(folder.path(), 2, &program).await.expect("two servers start");
        let shards = Self { servers, _folder: folder };
        for client in shards.clients().await {
            let runner = Runner::new(&client).cluster(&Cluster::without_replicas(CLUSTER));
            runner
                .expect("every migration has a form for a cluster")
                .up(&Extent::All)
                .await
                .expect("it applies");
        }
        shards
    }

    /// The URL of each shard's server. Either will do: table `events` is the same on both.
    pub fn urls(&self) -> Vec<String> {
        self.servers.urls().iter().map(|url| url.expose().to_owned()).collect()
    }

    /// A connection to each.
    pub async fn clients(&self) -> Vec<Client> {
        let mut clients = Vec::new();
        for url in self.urls() {
            clients.push(Client::connect(&url).await.expect("the shard takes connections"));
        }
        clients
    }

    /// Runs one statement on one shard, counted from 0; what it prints, tab-separated.
    pub async fn execute(&self, shard: usize, sql: &str) -> String {
        let urls = self.servers.urls();
        let done = dev::clickhouse::execute(urls[shard].as_url(), sql).await;
        done.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// Kills one shard with SIGKILL and starts it again on its data.
    pub async fn crash(&mut self, shard: usize) {
        self.servers.crash(shard).await.expect("the shard starts again");
    }

    /// Waits until a shard ends by itself, and starts it again on its data; which it was, counted from 0, and why.
    pub async fn revive(&mut self) -> (usize, String) {
        let (shard, reason) = self.servers.revive().await.expect("the shard starts again");
        (shard, reason.to_string())
    }
}
