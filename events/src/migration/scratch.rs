//! A throwaway database on the same server, for what must not touch a real one.

use crate::client::Client;
use crate::error::Result;

/// Every throwaway database's name begins so, followed by the second it was made in and a random number. One
/// that is a day old is left over from a program that was killed, and dropped by the next.
const PREFIX: &str = "migration_scratch_";

/// An empty database of its own.
pub(super) struct Scratch {
    admin: Client,
    client: Client,
}

impl Scratch {
    /// Creates it on the server of `client`, whose user must be allowed to create and drop databases.
    pub(super) async fn create(client: &Client) -> Result<Self> {
        let left_over = client.query(
            "SELECT name FROM system.databases
             WHERE match(name, concat('^', {prefix:String}, '[0-9]+_[0-9a-f]{8}$'))
                 AND toUInt64OrZero(splitByChar('_', name)[3]) < toUInt64(now()) - 86400",
        );
        let left_over: Vec<String> = client.rows(left_over.param("prefix", PREFIX)).await?;
        for name in left_over {
            drop_database(client, &name).await?;
        }
        let name = client.query(
            "SELECT concat({prefix:String}, toString(toUInt64(now())), '_', lower(leftPad(hex(rand32()), 8, '0')))",
        );
        let name: String = client.row(name.param("prefix", PREFIX)).await?;
        client.execute(client.query(&format!("CREATE DATABASE {name} ENGINE = Atomic"))).await?;
        Ok(Self { admin: client.clone(), client: client.with_database(&name) })
    }

    /// A connection to it.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Drops it, with all that is in it.
    pub(super) async fn drop(self) -> Result<()> {
        drop_database(&self.admin, self.client.database()).await
    }
}

async fn drop_database(client: &Client, name: &str) -> Result<()> {
    client.execute(client.query(&format!("DROP DATABASE IF EXISTS {name} SYNC"))).await
}
