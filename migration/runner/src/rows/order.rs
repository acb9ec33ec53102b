//! Which table is filled after which.

use std::collections::HashSet;

use super::tables::{ForeignKey, Schema, Table};

/// The tables, parents before children as far as foreign keys run one way. Where they run in a circle, the
/// table comes first whose keys into the circle can be null, or point to rows that are there, or else can be
/// deferred.
pub(super) fn order(schema: &Schema, with_rows: &HashSet<i64>) -> Vec<usize> {
    let mut left: Vec<usize> = (0..schema.tables.len()).collect();
    let mut done = HashSet::new();
    let mut order = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let waits = |table: &Table, may_wait: &dyn Fn(&ForeignKey) -> bool| {
            table
                .foreign_keys
                .iter()
                .any(|key| key.parent != table.oid && !done.contains(&key.parent) && !may_wait(key))
        };
        let ready = |may_wait: &dyn Fn(&Table, &ForeignKey) -> bool| {
            left.iter().position(|&at| {
                let table = &schema.tables[at];
                !waits(table, &|key| may_wait(table, key))
            })
        };
        let next = ready(&|_, _| false)
            .or_else(|| ready(&|table, key| table.is_nullable(key)))
            .or_else(|| ready(&|table, key| table.is_nullable(key) || with_rows.contains(&key.parent)))
            .or_else(|| {
                ready(&|table, key| {
                    table.is_nullable(key) || with_rows.contains(&key.parent) || key.deferrable
                })
            })
            .unwrap_or(0);
        let at = left.remove(next);
        done.insert(schema.tables[at].oid);
        order.push(at);
    }
    order
}
