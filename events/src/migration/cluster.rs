//! The same migrations for a cluster: local tables on every server and a `Distributed` one over them.
//!
//! A statement of a migration is written for one node, and rendered here for many. Readers and writers go on
//! using the table's name, which is the `Distributed` table; the rows are in `<table>_local`.
//!
//! | for one node | in a cluster, in this order |
//! |---|---|
//! | `CREATE TABLE t` | `t_local` with a `Replicated…` engine, then `t` over it, sharded by [`sharding_key`] |
//! | `DROP TABLE t` | `t`, then `t_local` |
//! | `CREATE MATERIALIZED VIEW v TO t … FROM s` | `v TO t_local … FROM s_local` on every server |
//! | `ALTER TABLE t ADD`, `MODIFY` or `RENAME COLUMN` | `t_local`, then `t`: a column can be asked for when all have it |
//! | `ALTER TABLE t DROP COLUMN` | `t`, then `t_local`: nobody can ask any more for what is going away |
//! | any other `ALTER TABLE t`, `DELETE`, `UPDATE`, `OPTIMIZE` | `t_local` |
//! | `INSERT INTO t SELECT … FROM s` | as it is, through the `Distributed` tables |
//!
//! Whoever adds a column deploys writers that fill it after the migration; whoever drops one deploys writers that
//! no longer send it before. One `ALTER TABLE` changes columns one way, or no columns at all; another is refused.
//!
//! The ledger stays a local table: migrations of a cluster are run through one of its servers, always the same.

use super::effect;
use super::history::literal;
use super::lexer::{Piece, pieces};
use super::{Migration, Statement};
use crate::error::{Error, Result};

/// A cluster as `remote_servers` of its servers names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    name: String,
    is_replicated: bool,
}

/// By what the rows of each table are spread. All events of a person are on one shard, so that copies of one
/// collapse there and a person is erased there; `events_daily` is filled by the view of each shard.
const SHARDING: &[(&str, &str)] = &[
    ("events", "cityHash64(tenant, actor)"),
    ("event_payloads", "cityHash64(tenant, actor)"),
    ("dead_letters", "cityHash64(tenant, letter_id)"),
    ("events_daily", "cityHash64(tenant, day)"),
    ("ingest_batches", "cityHash64(token)"),
    ("erasures", "cityHash64(tenant, actor_digest)"),
    ("retention", "cityHash64(tenant)"),
];

/// The expression that says on which shard a row of `table` is; `None` for a table that no migration makes.
#[must_use]
pub fn sharding_key(table: &str) -> Option<&'static str> {
    SHARDING.iter().find(|(name, _)| *name == table).map(|(_, key)| *key)
}

/// A migration as a cluster runs it.
struct Rendered {
    name: &'static str,
    up: Vec<Statement>,
    down: Vec<Statement>,
    down_loses: &'static [&'static str],
}

impl Migration for Rendered {
    fn name(&self) -> &'static str {
        self.name
    }

    fn up(&self) -> Vec<Statement> {
        self.up.clone()
    }

    fn down(&self) -> Vec<Statement> {
        self.down.clone()
    }

    fn down_loses(&self) -> &'static [&'static str] {
        self.down_loses
    }
}

impl Cluster {
    /// The cluster `name`, whose servers share a Keeper: tables are replicated within each shard, and a statement
    /// runs on all servers.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), is_replicated: true }
    }

    /// The cluster `name` without Keeper: shards of one server each. Every migration is run on each of them.
    #[must_use]
    pub fn without_replicas(name: &str) -> Self {
        Self { name: name.to_owned(), is_replicated: false }
    }

    /// `migrations` as this cluster runs them.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] with the migration and the step for a statement that has no form for a cluster.
    pub fn migrations(&self, migrations: &[Box<dyn Migration>]) -> Result<Vec<Box<dyn Migration>>> {
        let render = |migration: &dyn Migration, statements: Vec<Statement>| {
            let mut rendered = Vec::new();
            for statement in statements {
                let sql = self.render(&statement.sql).map_err(|reason| Error::Input {
                    place: format!("{}, step `{}`", migration.name(), statement.about),
                    reason,
                })?;
                rendered.extend(sql.into_iter().map(|sql| Statement::new(statement.about, sql)));
            }
            Ok(rendered)
        };
        migrations
            .iter()
            .map(|migration| {
                let migration = migration.as_ref();
                Ok(Box::new(Rendered {
                    name: migration.name(),
                    up: render(migration, migration.up())?,
                    down: render(migration, migration.down())?,
                    down_loses: migration.down_loses(),
                }) as Box<dyn Migration>)
            })
            .collect()
    }

    /// The statements that stand for `sql`, in order; why there are none.
    fn render(&self, sql: &str) -> Result<Vec<String>, String> {
        let sql = sql.trim();
        let text = Text::new(sql);
        let word = |at: usize| text.word(at);
        match (word(0).as_str(), word(1).as_str()) {
            ("CREATE", "TABLE") => self.create_table(&text),
            ("CREATE", "MATERIALIZED") => {
                let mut edits = self.everywhere(&text, text.name(), "");
                edits.extend(text.local_sources());
                Ok(vec![text.edited(edits)])
            }
            ("DROP", "TABLE") => {
                let name = text.name();
                Ok(["", "_local"].map(|suffix| text.edited(self.everywhere(&text, name, suffix))).to_vec())
            }
            ("CREATE" | "DROP", "VIEW") => Ok(vec![text.edited(self.everywhere(&text, text.name(), ""))]),
            ("ALTER", "TABLE") => self.alter_table(&text),
            ("DELETE" | "UPDATE" | "OPTIMIZE", _) => {
                Ok(vec![text.edited(self.everywhere(&text, text.name(), "_local"))])
            }
            ("INSERT", _) if self.is_replicated => Ok(vec![sql.to_owned()]),
            ("INSERT", _) => Ok(vec![text.edited(text.local_sources())]),
            (first, second) => Err(format!("`{first} {second}` has no form for a cluster")),
        }
    }

    fn create_table(&self, text: &Text<'_>) -> Result<Vec<String>, String> {
        let name_at = text.name();
        let name = text.tokens[name_at];
        let engine_at = text.find("ENGINE").ok_or("a table without an engine has no form for a cluster")? + 2;
        let engine = text.tokens[engine_at];
        let key = sharding_key(name).ok_or_else(|| format!("by what `{name}` is sharded is not said"))?;

        let mut edits = self.everywhere(text, name_at, "_local");
        if self.is_replicated && engine.ends_with("MergeTree") {
            const PLACE: &str = "'/clickhouse/tables/{uuid}/{shard}', '{replica}'";
            if text.tokens.get(engine_at + 1) == Some(&"(") {
                edits.push((engine_at, format!("Replicated{engine}")));
                edits.push((engine_at + 1, format!("({PLACE}, ")));
            } else {
                edits.push((engine_at, format!("Replicated{engine}({PLACE})")));
            }
            let window = text.find("NON_REPLICATED_DEDUPLICATION_WINDOW");
            edits.extend(window.map(|at| (at, "replicated_deduplication_window".to_owned())));
        }
        let cluster = literal(&self.name);
        let everywhere = self.clause();
        let over = format!(
            "CREATE TABLE IF NOT EXISTS {name}{everywhere} AS {name}_local\n\
             ENGINE = Distributed({cluster}, currentDatabase(), {name}_local, {key})\n\
             COMMENT 'The rows of {name}_local on every shard.'"
        );
        Ok(vec![text.edited(edits), over])
    }

    fn alter_table(&self, text: &Text<'_>) -> Result<Vec<String>, String> {
        let name = text.name();
        let (effects, _) = effect::of(text.sql);
        let of_column = |effect: &&effect::Effect| effect.command.ends_with(" COLUMN");
        let columns = effects.iter().filter(of_column).count();
        let drops = effects.iter().filter(|effect| effect.command == "DROP COLUMN").count();
        let order: &[&str] = match (columns, drops) {
            (0, _) => &["_local"],
            _ if columns < effects.len() => return Err("changes columns and more; split it".to_owned()),
            (_, 0) => &["_local", ""],
            _ if drops == columns => &["", "_local"],
            _ => return Err("drops columns and makes others; split it".to_owned()),
        };
        Ok(order.iter().map(|suffix| text.edited(self.everywhere(text, name, suffix))).collect())
    }

    /// Lets the name at `at` end in `suffix`, and the statement run on every server.
    fn everywhere(&self, text: &Text<'_>, at: usize, suffix: &str) -> Vec<(usize, String)> {
        vec![(at, format!("{}{suffix}{}", text.tokens[at], self.clause()))]
    }

    fn clause(&self) -> String {
        if self.is_replicated { format!(" ON CLUSTER {}", literal(&self.name)) } else { String::new() }
    }
}

/// A statement and its tokens, each a part of it.
struct Text<'a> {
    sql: &'a str,
    tokens: Vec<&'a str>,
}

impl<'a> Text<'a> {
    fn new(sql: &'a str) -> Self {
        let tokens = pieces(sql).into_iter().filter_map(|piece| match piece {
            Piece::Gap => None,
            Piece::Quoted(part) | Piece::Word(part) | Piece::Symbol(part) => Some(part),
        });
        Self { sql, tokens: tokens.collect() }
    }

    fn word(&self, at: usize) -> String {
        self.tokens.get(at).map(|token| token.to_ascii_uppercase()).unwrap_or_default()
    }

    /// The last place of a word: those of the columns come before the engine.
    fn find(&self, wanted: &str) -> Option<usize> {
        (0..self.tokens.len()).rfind(|at| self.word(*at) == wanted)
    }

    /// Where the name of what the statement is about stands.
    fn name(&self) -> usize {
        const BEFORE: [&str; 13] = [
            "CREATE",
            "DROP",
            "ALTER",
            "DELETE",
            "UPDATE",
            "OPTIMIZE",
            "MATERIALIZED",
            "TABLE",
            "VIEW",
            "FROM",
            "IF",
            "NOT",
            "EXISTS",
        ];
        (0..self.tokens.len()).find(|at| !BEFORE.contains(&self.word(*at).as_str())).unwrap_or_default()
    }

    /// Local tables in place of ours, wherever rows come from or go to.
    fn local_sources(&self) -> Vec<(usize, String)> {
        let is_place = |at: &usize| {
            ["FROM", "JOIN", "TO", "INTO"].contains(&self.word(at - 1).as_str())
                && sharding_key(self.tokens[*at]).is_some()
        };
        (1..self.tokens.len()).filter(is_place).map(|at| (at, format!("{}_local", self.tokens[at]))).collect()
    }

    /// The statement with other text in place of some tokens.
    fn edited(&self, mut edits: Vec<(usize, String)>) -> String {
        edits.sort_by_key(|(at, _)| *at);
        let mut out = String::new();
        let mut done = 0;
        for (at, text) in edits {
            let token = self.tokens[at];
            let start = token.as_ptr().addr() - self.sql.as_ptr().addr();
            out.push_str(&self.sql[done..start]);
            out.push_str(&text);
            done = start + token.len();
        }
        out.push_str(&self.sql[done..]);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(sql: &str) -> Vec<String> {
        Cluster::new("c").render(sql).unwrap()
    }

    #[test]
    fn a_table_becomes_a_replicated_one_and_one_over_it() {
        let sql = "CREATE TABLE IF NOT EXISTS events (a String) ENGINE = ReplacingMergeTree(v) ORDER BY x \
                   SETTINGS non_replicated_deduplication_window = 1000";
        assert_eq!(
            rendered(sql),
            [
                "CREATE TABLE IF NOT EXISTS events_local ON CLUSTER 'c' (a String) ENGINE = ReplicatedReplacingMergeTree(\
                 '/clickhouse/tables/{uuid}/{shard}', '{replica}', v) ORDER BY x \
                 SETTINGS replicated_deduplication_window = 1000",
                "CREATE TABLE IF NOT EXISTS events ON CLUSTER 'c' AS events_local\n\
                 ENGINE = Distributed('c', currentDatabase(), events_local, cityHash64(tenant, actor))\n\
                 COMMENT 'The rows of events_local on every shard.'",
            ]
        );
        assert!(Cluster::new("c").render("CREATE TABLE other (a String) ENGINE = Memory").is_err());
    }

    #[test]
    fn a_column_is_added_below_first_and_dropped_above_first() {
        assert_eq!(
            rendered("ALTER TABLE events ADD COLUMN IF NOT EXISTS a String AFTER kind"),
            [
                "ALTER TABLE events_local ON CLUSTER 'c' ADD COLUMN IF NOT EXISTS a String AFTER kind",
                "ALTER TABLE events ON CLUSTER 'c' ADD COLUMN IF NOT EXISTS a String AFTER kind",
            ]
        );
        assert_eq!(
            rendered("ALTER TABLE events DROP COLUMN IF EXISTS a, DROP COLUMN IF EXISTS b"),
            [
                "ALTER TABLE events ON CLUSTER 'c' DROP COLUMN IF EXISTS a, DROP COLUMN IF EXISTS b",
                "ALTER TABLE events_local ON CLUSTER 'c' DROP COLUMN IF EXISTS a, DROP COLUMN IF EXISTS b",
            ]
        );
        let index = "ALTER TABLE events MODIFY TTL toDateTime(received_at) + toIntervalDay(3)";
        assert_eq!(rendered(index), [index.replace("events", "events_local ON CLUSTER 'c'")]);
        for mixed in ["ADD COLUMN a String, DROP COLUMN b", "ADD COLUMN a String, ADD INDEX i a TYPE minmax"]
        {
            assert!(Cluster::new("c").render(&format!("ALTER TABLE events {mixed}")).is_err(), "{mixed}");
        }
    }

    #[test]
    fn a_view_reads_and_fills_the_local_tables_and_what_goes_goes_from_above() {
        assert_eq!(
            rendered("CREATE MATERIALIZED VIEW IF NOT EXISTS v TO events_daily AS SELECT tenant FROM events"),
            ["CREATE MATERIALIZED VIEW IF NOT EXISTS v ON CLUSTER 'c' TO events_daily_local \
              AS SELECT tenant FROM events_local"]
        );
        assert_eq!(
            rendered("DROP TABLE IF EXISTS events SYNC"),
            [
                "DROP TABLE IF EXISTS events ON CLUSTER 'c' SYNC",
                "DROP TABLE IF EXISTS events_local ON CLUSTER 'c' SYNC"
            ]
        );
        assert!(Cluster::new("c").render("TRUNCATE TABLE events").is_err());
    }

    #[test]
    fn every_migration_of_ours_has_a_form_for_a_cluster() {
        for cluster in [Cluster::new("c"), Cluster::without_replicas("c")] {
            let migrations = cluster.migrations(&super::super::all()).unwrap();
            assert_eq!(migrations.len(), super::super::all().len());
        }
    }
}
