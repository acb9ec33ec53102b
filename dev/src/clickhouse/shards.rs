//! Several servers that know each other as the shards of one cluster.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::layout::create_private;
use crate::port;
use crate::program::Program;
use crate::secret::{self, SecretUrl};

use super::Server;
use super::config::Peer;

/// Servers of one cluster, [`super::CLUSTER`], one a shard and without replicas. Dropping them stops them.
#[derive(Debug)]
#[must_use = "the servers stop when this is dropped"]
pub struct Shards {
    servers: Vec<Server>,
    folders: Vec<PathBuf>,
    peers: Vec<Peer>,
    program: Program,
}

impl Shards {
    /// Starts `count` servers, with their data in folders of their own in `folder`. Nobody else may use it.
    ///
    /// # Errors
    ///
    /// Whatever keeps a server from being downloaded or started; those that were started are stopped.
    pub async fn start(folder: &Path, count: usize, program: &Program) -> Result<Self> {
        let mut shards =
            Self { servers: Vec::new(), folders: Vec::new(), peers: Vec::new(), program: program.clone() };
        for number in 1..=count {
            let folder = folder.join(format!("shard{number}"));
            create_private(&folder)?;
            let password = secret::password(&folder.join("password"))?;
            shards.peers.push(Peer { tcp_port: port::free(None)?, password });
            shards.folders.push(folder);
        }
        for shard in 0..count {
            let server = shards.server(shard).await?;
            shards.servers.push(server);
        }
        Ok(shards)
    }

    /// Where each shard is, with the database `events`.
    #[must_use]
    pub fn urls(&self) -> Vec<SecretUrl> {
        self.servers.iter().map(|server| server.url.clone()).collect()
    }

    /// Kills the server of `shard`, counted from 0, as a crash would, and starts it again on its data. Its URL may
    /// be another afterwards.
    ///
    /// # Errors
    ///
    /// [`Error::ClickHouse`] if it does not end or does not start.
    pub async fn crash(&mut self, shard: usize) -> Result<()> {
        self.servers[shard].kill().await?;
        self.servers[shard] = self.server(shard).await?;
        Ok(())
    }

    /// Waits until a server ends that nobody ended, and starts it again on its data, as whoever looks after a server
    /// does; which one that was, counted from 0, and what it left behind. Its URL may be another afterwards. Nothing is
    /// lost if this is dropped while it waits or starts.
    ///
    /// The library ends itself where a peer's connection is reset between two statements, as it is when that peer is
    /// killed: its handler of TCP connections lets the error out (seen in 26.7.2).
    ///
    /// # Errors
    ///
    /// [`Error::ClickHouse`] if it does not start.
    pub async fn revive(&mut self) -> Result<(usize, Error)> {
        let ends = self.servers.iter().map(|server| Box::pin(server.failed()));
        let (reason, shard, _) = futures_util::future::select_all(ends).await;
        self.servers[shard] = self.server(shard).await?;
        Ok((shard, reason))
    }

    /// Stops all of them.
    ///
    /// # Errors
    ///
    /// [`Error::ClickHouse`] if a process does not end.
    pub async fn stop(mut self) -> Result<()> {
        for server in &mut self.servers {
            server.stop().await?;
        }
        Ok(())
    }

    async fn server(&self, shard: usize) -> Result<Server> {
        let tcp_port = Some(self.peers[shard].tcp_port);
        Server::start_among(&self.folders[shard], &self.peers, tcp_port, &self.program).await
    }
}
