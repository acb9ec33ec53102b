//! The locks of what can't run in a transaction, and so can't be looked at while it holds them.
//!
//! Facts of the PostgreSQL manual (explicit locking, and the page of each command):
//!
//! | statement | locks | reads |
//! |---|---|---|
//! | `create index concurrently` | SHARE UPDATE EXCLUSIVE on the table | the table, twice |
//! | `drop index concurrently` | SHARE UPDATE EXCLUSIVE on the table | nothing |
//! | `reindex … concurrently` | SHARE UPDATE EXCLUSIVE on the table | the table, twice |
//! | `vacuum` | SHARE UPDATE EXCLUSIVE on the table | the table |
//! | `vacuum full` | ACCESS EXCLUSIVE on the table | the table, and rewrites it |
//! | `alter table … detach partition … concurrently` | SHARE UPDATE EXCLUSIVE on the parent, ACCESS EXCLUSIVE on the partition | nothing |
//!
//! Which table that is shows in the catalog afterwards where an index or a file has changed, and in the
//! statement itself for the rest. `alter system`, `create database` and the like lock no table.

use std::collections::BTreeSet;

use super::lock::LockMode;
use super::measure::Effects;
use super::observe::Relations;
use crate::sql;

/// What `sql` did, which ran without a transaction between `before` and `after`.
pub(super) fn effects(sql: &str, before: &Relations, after: &Relations) -> Effects {
    let mut effects = Effects::default();
    let statement = sql::normalized(sql).to_lowercase();
    for (oid, table) in tables_of_changed_indexes(before, after) {
        effects.locks.insert(table, LockMode::ShareUpdateExclusive);
        if after.contains_key(&oid) {
            effects.scans.insert(table);
        }
    }
    for (oid, was) in before.iter().filter(|(_, was)| !was.index && was.filenode != 0) {
        if after.get(oid).is_some_and(|now| now.filenode != was.filenode) {
            effects.locks.insert(*oid, LockMode::AccessExclusive);
            effects.rewrites.insert(*oid);
            effects.scans.insert(*oid);
        }
    }
    let named = mentioned(&statement, before);
    if statement.starts_with("vacuum") {
        for table in named {
            effects.locks.entry(table).or_insert(LockMode::ShareUpdateExclusive);
            effects.scans.insert(table);
        }
    } else if statement.contains(" detach partition ") {
        let modes = [LockMode::ShareUpdateExclusive, LockMode::AccessExclusive];
        effects.locks.extend(named.into_iter().zip(modes));
    }
    effects
}

/// Indexes that came, went or were built anew, each with its table.
fn tables_of_changed_indexes(before: &Relations, after: &Relations) -> Vec<(i64, i64)> {
    let (before, after) = (indexes(before), indexes(after));
    before.symmetric_difference(&after).map(|(oid, table, _)| (*oid, *table)).collect()
}

/// Every index with its table and its file.
fn indexes(relations: &Relations) -> BTreeSet<(i64, i64, i64)> {
    let indexes = relations.iter().filter(|(_, relation)| relation.index);
    indexes.filter_map(|(oid, index)| Some((*oid, index.part_of?, index.filenode))).collect()
}

/// The tables that are named in the statement, in its order.
fn mentioned(statement: &str, tables: &Relations) -> Vec<i64> {
    let is_in_a_name = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '.' | '"');
    let names = statement.split(|letter| !is_in_a_name(letter)).filter(|name| !name.is_empty());
    names
        .filter_map(|name| {
            let found =
                tables.iter().find(|(_, relation)| relation.part_of.is_none() && relation.is_called(name));
            found.map(|(oid, _)| *oid)
        })
        .collect()
}
