//! What loses more than one migration, and the mark that refuses it.

use super::Runner;
use crate::error::{Error, Result};

/// The comment of a database that is marked.
const MARK: &str = "production";

impl Runner {
    /// Whether the database is marked as production.
    ///
    /// The mark is that word in its comment: `ALTER DATABASE events MODIFY COMMENT 'production'`. ClickHouse has no settings of
    /// a database that a client could read.
    ///
    /// # Errors
    ///
    /// [`Error::Server`] or [`Error::Unreachable`] if the comment cannot be read.
    pub async fn is_production(&self) -> Result<bool> {
        let comment =
            self.client.query("SELECT comment FROM system.databases WHERE name = {database:String}");
        let comment: String = self.client.row(comment.param("database", self.client.database())).await?;
        let mut words = comment.split(|c: char| !c.is_alphanumeric());
        Ok(words.any(|word| word.eq_ignore_ascii_case(MARK)))
    }

    /// Drops every table, view and dictionary of the database, whoever made it.
    ///
    /// # Errors
    ///
    /// [`Error::Production`] where that is refused, [`Error::Server`] if something can't be dropped.
    pub async fn drop_everything(&self) -> Result<()> {
        self.refuse_production("dropping everything").await?;
        // A view goes before the table that it writes to.
        let there = self.client.query(
            "SELECT name, engine = 'Dictionary' FROM system.tables WHERE database = {database:String} \
             ORDER BY engine NOT LIKE '%View', engine != 'Dictionary', name",
        );
        let there = there.param("database", self.client.database());
        let there: Vec<(String, bool)> = self.client.rows(there).await?;
        for (name, is_dictionary) in there {
            let kind = if is_dictionary { "DICTIONARY" } else { "TABLE" };
            let drop = format!("DROP {kind} IF EXISTS {} SYNC", quoted(&name));
            self.client.execute(self.client.query(&drop)).await?;
        }
        self.client.driver().clear_cached_metadata().await;
        Ok(())
    }

    pub(super) async fn refuse_production(&self, what: &'static str) -> Result<()> {
        if self.is_production().await? {
            return Err(Error::Production { database: self.client.database().to_owned(), what });
        }
        Ok(())
    }
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`"))
}
