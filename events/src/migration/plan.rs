//! What a run would do, without doing it.

use clickhouse::Row;
use serde::{Deserialize, Serialize};

use super::effect::{self, Effect, EffectKind};
use super::{Direction, Extent, Runner, State};
use crate::error::Result;

/// A migration that would run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedMigration {
    /// Its name.
    pub name: String,
    /// Which way it would run.
    pub direction: Direction,
    /// Where it stands.
    pub state: State,
    /// How many of its steps an unfinished run has done, so that they are not in `statements`.
    pub steps_done: usize,
    /// Whether it has statements for the other way.
    pub reversible: bool,
    /// What it would send, in order.
    pub statements: Vec<PlannedStatement>,
}

/// A statement that would be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedStatement {
    /// What it does, in a few words.
    pub about: &'static str,
    /// Its SQL.
    pub sql: String,
    /// What it does to the data that is there; one for each command of an `ALTER TABLE`.
    pub effects: Vec<Effect>,
    /// The table that it is about, if it is there now.
    pub existing: Option<Existing>,
}

impl PlannedStatement {
    /// The gravest of its effects.
    #[must_use]
    pub fn kind(&self) -> EffectKind {
        self.effects.iter().map(|effect| effect.kind).max().unwrap_or(EffectKind::Unknown)
    }
}

/// A table that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Row)]
pub struct Existing {
    /// Its name, with the database's.
    pub table: String,
    /// How many rows its active parts hold; 0 for an engine without parts.
    pub rows: u64,
    /// How large they are on disk.
    pub bytes: u64,
}

impl Runner {
    /// What [`Runner::up`] or [`Runner::down`] would run, with what each statement does to the data that is
    /// there. Changes nothing.
    ///
    /// # Errors
    ///
    /// What the run itself would refuse before anything is done.
    pub async fn plan(&self, direction: Direction, extent: &Extent) -> Result<Vec<PlannedMigration>> {
        let standing = self.standing().await?;
        let mut plan = Vec::new();
        for one in self.todo(&standing, direction, extent).await? {
            let statements = direction.statements(one.migration);
            let skip = self.steps_to_skip(direction, &statements, one.status, one.record).await?;
            let mut planned = Vec::new();
            for statement in statements.into_iter().skip(skip) {
                let (effects, table) = effect::of(&statement.sql);
                let existing = match table {
                    Some(table) => self.existing(table.database.as_deref(), &table.table).await?,
                    None => None,
                };
                planned.push(PlannedStatement {
                    about: statement.about,
                    sql: statement.sql.trim().to_owned(),
                    effects,
                    existing,
                });
            }
            let back = if direction == Direction::Up { one.migration.down() } else { one.migration.up() };
            plan.push(PlannedMigration {
                name: one.migration.name().to_owned(),
                direction,
                state: one.status.state,
                steps_done: skip,
                reversible: !back.is_empty(),
                statements: planned,
            });
        }
        Ok(plan)
    }

    /// The statements that [`Runner::up`] or [`Runner::down`] would send, in order. Changes nothing.
    ///
    /// # Errors
    ///
    /// As [`Runner::plan`].
    pub async fn dry_run(&self, direction: Direction, extent: &Extent) -> Result<Vec<String>> {
        let plan = self.plan(direction, extent).await?;
        Ok(plan.into_iter().flat_map(|one| one.statements).map(|statement| statement.sql).collect())
    }

    async fn existing(&self, database: Option<&str>, table: &str) -> Result<Option<Existing>> {
        let query = self.client.query(
            "SELECT concat(t.database, '.', t.name) AS table, sum(p.rows) AS rows, sum(p.bytes_on_disk) AS bytes
             FROM system.tables AS t
             LEFT JOIN (SELECT * FROM system.parts WHERE active) AS p ON p.database = t.database AND p.table = t.name
             WHERE t.database = {database:String} AND t.name = {table:String}
             GROUP BY t.database, t.name",
        );
        let query = query.param("database", database.unwrap_or(self.client.database())).param("table", table);
        Ok(self.client.rows(query).await?.pop())
    }
}
