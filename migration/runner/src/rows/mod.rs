//! Makes up rows for tables that it has never seen.
//!
//! The catalog gives types, keys and constraints; the constants in a CHECK give values that it may accept;
//! whether it does, the server says, each row in a savepoint. What is refused is varied in the columns that
//! the refusal is about, up to a bound, and then the table is left without rows and says why. Equal
//! catalogs, rows and random numbers give equal rows, but for defaults that read the clock.
//!
//! - [`tables`]: what the catalog says;
//! - [`order`]: parents before children;
//! - [`values`], [`hints`], [`regex`]: values by type, by constraint, by regular expression;
//! - [`row`]: one row, from the first choice to the one that the server takes;
//! - [`insert`]: the statement, and what a refusal means;
//! - [`snapshot`]: every row of every table, to compare.

mod hints;
mod insert;
mod order;
mod regex;
mod row;
mod snapshot;
mod tables;
mod values;

use std::collections::{BTreeMap, HashMap, HashSet};

use rand::Rng;
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, Statement, TransactionTrait};

use crate::sql::quoted;
pub(crate) use snapshot::{primary_keys, snapshot};
use tables::{ForeignKey, Schema, Table};

/// What [`fill`] did.
#[derive(Debug)]
pub(crate) struct Filled {
    /// Rows that were added.
    pub(crate) rows: usize,
    /// Tables that hold no row after all.
    pub(crate) skipped: Vec<Skipped>,
}

/// A table that no row could be made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Skipped {
    pub(crate) table: String,
    pub(crate) why: String,
}

/// Adds up to `per_table` rows to every table outside the system's schemas, in one transaction. A table
/// that holds rows already and takes no more, because its keys are used up, is left as it is.
pub(crate) async fn fill(
    db: &DatabaseConnection,
    rng: &mut impl Rng,
    per_table: usize,
) -> Result<Filled, DbErr> {
    let mut without = BTreeMap::new();
    loop {
        let txn = db.begin().await?;
        let schema = Schema::read(&txn).await?;
        let mut filling = Filling::new(&schema, &txn, rng, &without).await?;
        filling.tables(per_table).await?;
        let (rows, skipped, debtors) = (filling.rows, filling.skipped, filling.debtors);
        // A debt that was not paid fails here, and then its table has to do without rows.
        let paid = txn.execute_unprepared("set constraints all immediate").await;
        match paid {
            Ok(_) => {
                txn.commit().await?;
                return Ok(Filled { rows, skipped });
            }
            Err(error) => {
                txn.rollback().await?;
                let Some(debtor) = debtors.into_iter().find(|name| !without.contains_key(name)) else {
                    return Err(error);
                };
                without.insert(debtor, insert::Refusal::of(&error).to_string());
            }
        }
    }
}

/// One run over the tables.
struct Filling<'a, R> {
    schema: &'a Schema,
    txn: &'a DatabaseTransaction,
    rng: &'a mut R,
    /// Tables given up before, and why.
    without: &'a BTreeMap<String, String>,
    with_rows: HashSet<i64>,
    /// Keys that rows of a circle refer to before the rows with these keys are there.
    debts: HashMap<i64, Vec<Vec<(usize, String)>>>,
    debtors: Vec<String>,
    rows: usize,
    skipped: Vec<Skipped>,
}

impl<'a, R: Rng> Filling<'a, R> {
    async fn new(
        schema: &'a Schema,
        txn: &'a DatabaseTransaction,
        rng: &'a mut R,
        without: &'a BTreeMap<String, String>,
    ) -> Result<Self, DbErr> {
        txn.execute_unprepared("set constraints all immediate").await?;
        let mut with_rows = HashSet::new();
        let probes = schema.tables.iter().map(|table| {
            format!("select {}::bigint as oid where exists (select from {})", table.oid, table.sql)
        });
        let probes = probes.collect::<Vec<_>>().join(" union all ");
        if !probes.is_empty() {
            for row in txn.query_all_raw(statement(txn, &probes)).await? {
                with_rows.insert(row.try_get("", "oid")?);
            }
        }
        let (debts, debtors, skipped) = (HashMap::new(), Vec::new(), Vec::new());
        Ok(Self { schema, txn, rng, without, with_rows, debts, debtors, rows: 0, skipped })
    }

    async fn tables(&mut self, per_table: usize) -> Result<(), DbErr> {
        for at in order::order(self.schema, &self.with_rows) {
            let table = &self.schema.tables[at];
            let outcome = match self.without.get(&table.name) {
                Some(why) => Err(why.clone()),
                None => self.table(table, per_table).await?,
            };
            if let Err(why) = outcome
                && !self.with_rows.contains(&table.oid)
            {
                self.skipped.push(Skipped { table: table.name.clone(), why });
            }
        }
        Ok(())
    }

    async fn table(&mut self, table: &Table, per_table: usize) -> Result<Result<(), String>, DbErr> {
        let promised = self.debts.remove(&table.oid).unwrap_or_default();
        let mut parents = Vec::new();
        for key in &table.foreign_keys {
            let mut found = self.parents(table, key).await?;
            if found.is_empty() && key.parent != table.oid && !table.is_nullable(key) {
                match self.promise(key, per_table).await? {
                    Ok(promises) => {
                        found = promises;
                        self.debtors.push(table.name.clone());
                        self.txn.execute_unprepared(&format!("set constraints {} deferred", key.sql)).await?;
                    }
                    Err(why) => return Ok(Err(why)),
                }
            }
            parents.push(found);
        }
        for at in 0..per_table.max(promised.len()) {
            let fixed = promised.get(at).cloned().unwrap_or_default();
            let crowded = self.with_rows.contains(&table.oid);
            let mut row =
                row::Row::new(self.schema, table, &parents, fixed, row::Turn { at, crowded }, self.rng);
            if let Err(why) = row.insert(self.txn, self.rng).await? {
                return Ok(Err(why));
            }
            self.rows += 1;
            self.with_rows.insert(table.oid);
            for (at, key) in table.foreign_keys.iter().enumerate() {
                if key.parent == table.oid {
                    parents[at] = self.parents(table, key).await?;
                }
            }
        }
        Ok(Ok(()))
    }

    /// Keys that are there to refer to, as text; none if the table refers to one without rows.
    async fn parents(&self, table: &Table, key: &ForeignKey) -> Result<Vec<Vec<String>>, DbErr> {
        let Some(parent) = self.schema.table(key.parent) else { return Ok(Vec::new()) };
        if !self.with_rows.contains(&parent.oid) && parent.oid != table.oid {
            return Ok(Vec::new());
        }
        let columns: Vec<String> = parent
            .positions(&key.parent_columns)
            .into_iter()
            .map(|at| format!("{}::text", quoted(&parent.columns[at].name)))
            .collect();
        let not_null = columns.iter().map(|column| format!("{column} is not null"));
        let select = format!(
            "select array[{}] as key from {} where {} order by 1 limit 100",
            columns.join(", "),
            parent.sql,
            not_null.collect::<Vec<_>>().join(" and ")
        );
        let rows = self.txn.query_all_raw(statement(self.txn, &select)).await?;
        rows.iter().map(|row| row.try_get("", "key")).collect()
    }

    /// Keys of rows that the parent is going to have, since the foreign key is checked at the end only.
    async fn promise(
        &mut self,
        key: &ForeignKey,
        count: usize,
    ) -> Result<Result<Vec<Vec<String>>, String>, DbErr> {
        let Some(parent) = self.schema.table(key.parent) else {
            return Ok(Err(format!("the foreign key {} refers to a table that takes no rows", key.name)));
        };
        if !key.deferrable || self.skipped.iter().any(|skipped| skipped.table == parent.name) {
            return Ok(Err(format!(
                "the foreign key {} needs a row of {}, which has none",
                key.name, parent.name
            )));
        }
        let mut keys = Vec::new();
        for turn in 0..count.max(1) {
            let mut promised = Vec::new();
            for at in parent.positions(&key.parent_columns) {
                match insert::key_value(self.txn, self.schema, &parent.columns[at], turn, self.rng).await? {
                    Some(value) => promised.push((at, value)),
                    None => return Ok(Err(format!("no key of {} could be made up", parent.name))),
                }
            }
            keys.push(promised.iter().map(|(_, value)| value.clone()).collect());
            self.debts.entry(parent.oid).or_default().push(promised);
        }
        Ok(Ok(keys))
    }
}

fn statement(db: &impl ConnectionTrait, sql: &str) -> Statement {
    Statement::from_string(db.get_database_backend(), sql)
}
