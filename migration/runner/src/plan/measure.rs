//! Sends what a migration sends to a throwaway database, one statement at a time, and notes what each did.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbErr, ProxyDatabaseTrait, ProxyExecResult, ProxyRow, Statement,
    TransactionTrait, from_query_result_to_proxy_row,
};

use super::lock::LockMode;
use super::observe::{self, Relation, Relations, Sizes};
use super::outside;
use super::{PlannedStatement, TableLock};
use crate::capture::Recorder;
use crate::driver;
use crate::sql;

/// `active_sql_transaction`: the statement can't run in a transaction block.
const NOT_IN_A_TRANSACTION: &str = "25001";

/// The connection that a planned migration believes to be the database's.
///
/// Every statement is committed on its own, since locks are held until the end of a transaction: within one
/// the second statement on a table would seem to take none. So a transaction that a migration begins,
/// commits or rolls back itself changes nothing here, and `set local` lasts until the migration ends.
#[derive(Clone, Debug)]
pub(super) struct Meter(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// A pool of one: what a statement sets for its session holds for the next.
    db: DatabaseConnection,
    /// What was there before the first pending migration.
    known: Relations,
    sizes: Sizes,
    transactional: bool,
    recorder: Recorder,
    notes: Mutex<Notes>,
}

/// What a migration did, as far as it came.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) statements: Vec<PlannedStatement>,
    pub(super) asked: bool,
    /// What the server said to the statement after which the transaction took no more.
    pub(super) error: Option<String>,
}

/// What a statement did to relations that were there before.
#[derive(Default)]
pub(super) struct Effects {
    pub(super) locks: BTreeMap<i64, LockMode>,
    pub(super) rewrites: BTreeSet<i64>,
    pub(super) scans: BTreeSet<i64>,
}

enum Sent<'a> {
    Unprepared(&'a str),
    Prepared(Statement),
    Asking(Statement),
}

#[derive(Default)]
struct Answer {
    rows_affected: u64,
    rows: Vec<ProxyRow>,
}

impl Meter {
    pub(super) fn new(
        db: DatabaseConnection,
        known: Relations,
        sizes: Sizes,
        transactional: bool,
        recorder: Recorder,
    ) -> Self {
        Self(Arc::new(Inner { db, known, sizes, transactional, recorder, notes: Mutex::default() }))
    }

    /// Sends what helpers have pushed and nothing has followed, and hands the notes over.
    pub(super) async fn finish(&self) -> Notes {
        let sent = self.send_pushed().await;
        let mut notes = std::mem::take(&mut *self.notes());
        if let Err(error) = sent {
            notes.error.get_or_insert_with(|| driver::words(&error));
        }
        notes
    }

    async fn send_pushed(&self) -> Result<(), DbErr> {
        for sql in self.0.recorder.drain() {
            self.send(Sent::Unprepared(&sql), true).await?;
        }
        Ok(())
    }

    async fn send(&self, what: Sent<'_>, alone: bool) -> Result<Answer, DbErr> {
        if let Some(error) = self.notes().error.clone() {
            return Err(DbErr::Custom(error));
        }
        let shown = what.shown();
        match self.measured(&what, alone).await {
            Ok((answer, statement)) => {
                self.notes().statements.push(PlannedStatement { sql: shown, ..statement });
                Ok(answer)
            }
            Err(error) => {
                let mut notes = self.notes();
                let transactional = self.0.transactional;
                notes.statements.push(PlannedStatement { sql: shown, transactional, ..Default::default() });
                if transactional {
                    notes.error = Some(driver::words(&error));
                }
                Err(error)
            }
        }
    }

    async fn measured(&self, what: &Sent<'_>, alone: bool) -> Result<(Answer, PlannedStatement), DbErr> {
        let txn = self.0.db.begin().await?;
        let before = observe::relations(&txn).await?;
        let keys = observe::foreign_keys(&txn).await?;
        match what.run(&txn).await {
            Ok(answer) => {
                let after = observe::relations(&txn).await?;
                // A table that these migrations make is as empty in the real database.
                let mut keys: Vec<_> =
                    observe::foreign_keys(&txn).await?.difference(&keys).copied().collect();
                keys.retain(|(_, from, _)| self.0.known.contains_key(from));
                let mut effects = Effects { locks: observe::locks(&txn).await?, ..Effects::default() };
                // It empties a table by giving it new storage, and builds indexes over nothing.
                if what.verb() != "truncate" {
                    effects.compare(&before, &after, keys);
                }
                txn.commit().await?;
                Ok((answer, self.planned(&effects, &before, &after)))
            }
            Err(error) => {
                txn.rollback().await?;
                let stands_alone = alone && !self.0.transactional;
                if !stands_alone || driver::code(&error) != Some(NOT_IN_A_TRANSACTION) {
                    return Err(error);
                }
                let answer = what.run(&self.0.db).await?;
                let after = observe::relations(&self.0.db).await?;
                let effects = outside::effects(&what.shown(), &before, &after);
                Ok((answer, self.planned(&effects, &before, &after)))
            }
        }
    }

    /// Names instead of numbers, and nothing but what was there before the first pending migration.
    fn planned(&self, effects: &Effects, before: &Relations, after: &Relations) -> PlannedStatement {
        let inner = &self.0;
        let mut locks: Vec<_> =
            effects.locks.iter().filter_map(|(oid, mode)| Some((before.get(oid)?, *mode))).collect();
        let is_known = |oid: &i64| inner.known.contains_key(oid);
        let locks_something_new = effects
            .locks
            .keys()
            .any(|oid| !is_known(oid) && (before.contains_key(oid) || after.contains_key(oid)));
        locks.retain(|(relation, mode)| {
            // What an index or a column's sequence is locked in says nothing when its table is locked so too.
            let of_whole = relation.part_of.and_then(|table| effects.locks.get(&table));
            is_known(&relation.oid()) && of_whole.is_none_or(|whole| whole < mode)
        });
        locks.sort_by_key(|(relation, mode)| (std::cmp::Reverse(*mode), relation.name.clone()));
        let names = |oids: &BTreeSet<i64>| {
            let known = oids.iter().filter(|oid| is_known(oid)).filter_map(|oid| before.get(oid));
            let mut names: Vec<_> = known.map(|relation| relation.name.clone()).collect();
            names.sort();
            names
        };
        PlannedStatement {
            sql: String::new(),
            transactional: inner.transactional,
            new: locks.is_empty() && locks_something_new,
            rewrites: names(&effects.rewrites),
            scans: names(&effects.scans),
            locks: locks.into_iter().map(|(relation, mode)| self.table_lock(relation, mode)).collect(),
        }
    }

    fn table_lock(&self, relation: &Relation, mode: LockMode) -> TableLock {
        // A table that an earlier statement has renamed is, in the real database, still called as before.
        let size = self.0.known.get(&relation.oid()).unwrap_or(relation).size(&self.0.sizes);
        TableLock {
            table: relation.name.clone(),
            mode,
            blocks: mode.blocks(),
            estimated_rows: size.rows,
            size_bytes: size.bytes,
        }
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.0.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Effects {
    /// Measured on PostgreSQL 15: on an empty table, too, a sequential scan is counted for `set not
    /// null`, for adding and validating a check, for building an index and for the rewrite itself, and none
    /// for `not valid`, for `set not null` that a valid check already proves, and for a new nullable column.
    /// Of a foreign key only the referencing side is counted, so `keys` brings the other.
    fn compare(&mut self, before: &Relations, after: &Relations, keys: Vec<(i64, i64, i64)>) {
        for (oid, was) in before.iter().filter(|(_, was)| !was.index) {
            let Some(now) = after.get(oid) else { continue };
            if was.filenode != 0 && was.filenode != now.filenode {
                self.rewrites.insert(*oid);
            }
            if now.scans > was.scans {
                self.scans.insert(*oid);
            }
        }
        for (_, from, to) in keys {
            if self.scans.contains(&from) {
                self.scans.insert(to);
            }
        }
    }
}

impl Sent<'_> {
    fn shown(&self) -> String {
        match self {
            Self::Unprepared(sql) => (*sql).to_owned(),
            Self::Prepared(statement) | Self::Asking(statement) => statement.to_string(),
        }
    }

    /// The first word, in lower case.
    fn verb(&self) -> String {
        let sql = match self {
            Self::Unprepared(sql) => sql,
            Self::Prepared(statement) | Self::Asking(statement) => statement.sql.as_str(),
        };
        sql::normalized(sql).split(' ').next().unwrap_or_default().to_lowercase()
    }

    async fn run(&self, db: &impl ConnectionTrait) -> Result<Answer, DbErr> {
        match self {
            Self::Unprepared(sql) => {
                let rows_affected = db.execute_unprepared(&for_the_session(sql)).await?.rows_affected();
                Ok(Answer { rows_affected, ..Answer::default() })
            }
            Self::Prepared(statement) => {
                let rows_affected = db.execute_raw(statement.clone()).await?.rows_affected();
                Ok(Answer { rows_affected, ..Answer::default() })
            }
            Self::Asking(statement) => {
                let rows = db.query_all_raw(statement.clone()).await?;
                Ok(Answer {
                    rows: rows.iter().map(from_query_result_to_proxy_row).collect(),
                    rows_affected: 0,
                })
            }
        }
    }
}

#[async_trait::async_trait]
impl ProxyDatabaseTrait for Meter {
    async fn query(&self, statement: Statement) -> Result<Vec<ProxyRow>, DbErr> {
        self.notes().asked = true;
        self.send_pushed().await?;
        let writes = sql::writes(&statement.sql);
        let asking = Sent::Asking(statement);
        let answer = if writes { self.send(asking, true).await? } else { asking.run(&self.0.db).await? };
        Ok(answer.rows)
    }

    async fn execute(&self, statement: Statement) -> Result<ProxyExecResult, DbErr> {
        self.send_pushed().await?;
        if statement.values.is_some() {
            let answer = self.send(Sent::Prepared(statement), true).await?;
            return Ok(ProxyExecResult::new(0, answer.rows_affected));
        }
        let parts = sql::split(&statement.sql);
        let mut result = ProxyExecResult::default();
        for part in &parts {
            result.rows_affected += self.send(Sent::Unprepared(part), parts.len() == 1).await?.rows_affected;
        }
        Ok(result)
    }
}

/// `set local` would end with the statement's own transaction.
fn for_the_session(sql: &str) -> String {
    let normalized = sql::normalized(sql);
    match normalized.split_at_checked("set local ".len()) {
        Some((words, setting)) if words.eq_ignore_ascii_case("set local ") => format!("set {setting}"),
        _ => sql.to_owned(),
    }
}
