//! One row: a first choice of values, then others where the server refuses.

use std::collections::HashSet;

use rand::{Rng, RngExt};
use sea_orm::{DatabaseTransaction, DbErr};

use super::hints::{Hints, usual};
use super::insert::{Cell, Refusal, insert, key_value, takes};
use super::tables::{Rule, Schema, Table};
use super::values::value;

/// How often a row is varied before the table is given up.
const ATTEMPTS: usize = 200;

/// After so many unique violations a table that has rows already is taken to hold all that it can.
const ATTEMPTS_AT_NEW_KEYS: usize = 40;

/// Which row it is.
#[derive(Clone, Copy)]
pub(super) struct Turn {
    /// Counted from zero in this run: the first takes defaults, the second nulls.
    pub(super) at: usize,
    /// Whether the table holds rows already.
    pub(super) crowded: bool,
}

pub(super) struct Row<'a> {
    schema: &'a Schema,
    table: &'a Table,
    /// For each foreign key, the keys that it can refer to.
    parents: &'a [Vec<Vec<String>>],
    /// What other rows rely on already.
    fixed: Vec<(usize, String)>,
    turn: Turn,
    /// An offset that lets enums begin anywhere.
    start: usize,
    /// For each column, what the constraints suggest.
    hints: Vec<Vec<String>>,
    /// Columns found not to take null, whatever the catalog says.
    required: HashSet<usize>,
    cells: Vec<Cell>,
}

impl<'a> Row<'a> {
    pub(super) fn new(
        schema: &'a Schema,
        table: &'a Table,
        parents: &'a [Vec<Vec<String>>],
        fixed: Vec<(usize, String)>,
        turn: Turn,
        rng: &mut impl Rng,
    ) -> Self {
        let required = table
            .columns
            .iter()
            .enumerate()
            .filter(|(_, column)| {
                let resolved = schema.resolve(column.type_oid, column.modifier);
                column.not_null || resolved.is_some_and(|resolved| resolved.not_null)
            })
            .map(|(at, _)| at)
            .collect();
        let mut row = Self {
            schema,
            table,
            parents,
            fixed,
            turn,
            start: rng.random_range(0..1_000),
            hints: vec![Vec::new(); table.columns.len()],
            required,
            cells: vec![Cell::Omitted; table.columns.len()],
        };
        let mut hints = vec![Hints::default(); table.columns.len()];
        for rule in &table.rules {
            for at in row.decided_by(rule) {
                hints[at].merge(Hints::of(&rule.expression));
            }
        }
        for (at, mut of_column) in hints.into_iter().enumerate() {
            for (_, check) in row.domain_checks(at) {
                of_column.merge(Hints::of(check));
            }
            row.hint(at, &of_column, rng);
        }
        row
    }

    /// Inserts it, or says why no variation was taken.
    pub(super) async fn insert(
        &mut self,
        txn: &DatabaseTransaction,
        rng: &mut impl Rng,
    ) -> Result<Result<(), String>, DbErr> {
        for at in 0..self.cells.len() {
            self.cells[at] = self.first(at, rng);
        }
        self.refer(self.turn.at % 3 == 1, rng);
        let (mut last, mut taken) = (Refusal::default(), 0);
        for _ in 0..ATTEMPTS {
            self.hold(txn, rng).await?;
            match insert(txn, self.table, &self.cells).await? {
                Ok(()) => return Ok(Ok(())),
                Err(refusal) => {
                    taken += usize::from(refusal.code == "23505");
                    let about = self.of_domain(txn, &refusal).await?;
                    self.vary(&refusal, about, rng);
                    last = refusal;
                    if self.turn.crowded && taken == ATTEMPTS_AT_NEW_KEYS {
                        break;
                    }
                }
            }
        }
        Ok(Err(format!("{ATTEMPTS} rows were refused, the last one so: {last}")))
    }

    /// Name and definition of the CHECKs of the column's domain, or of its elements'.
    fn domain_checks(&self, at: usize) -> Vec<&'a (String, String)> {
        let (schema, column) = (self.schema, &self.table.columns[at]);
        let Some(resolved) = schema.resolve(column.type_oid, column.modifier) else { return Vec::new() };
        let element = resolved.base.element.and_then(|element| schema.resolve(element, -1));
        resolved.checks.into_iter().chain(element.into_iter().flat_map(|element| element.checks)).collect()
    }

    fn hint(&mut self, at: usize, hints: &Hints, rng: &mut impl Rng) {
        let column = &self.table.columns[at];
        if let Some(resolved) = self.schema.resolve(column.type_oid, column.modifier) {
            self.hints[at].extend(hints.candidates(self.schema, &resolved, rng));
        }
    }

    fn first(&self, at: usize, rng: &mut impl Rng) -> Cell {
        let column = &self.table.columns[at];
        let counted = column.default.as_ref().is_some_and(|default| default.contains("nextval("));
        let by_default = column.default.is_some() && self.turn.at.is_multiple_of(3);
        if column.generated || counted || by_default {
            Cell::Omitted
        } else if self.turn.at % 3 == 1 && !self.required.contains(&at) {
            Cell::Null
        } else {
            self.made_up(at, rng)
        }
    }

    /// A value from what the constraints suggest, mostly, else one of the type.
    fn made_up(&self, at: usize, rng: &mut impl Rng) -> Cell {
        let column = &self.table.columns[at];
        let hints = &self.hints[at];
        if !hints.is_empty() && rng.random_ratio(7, 10) {
            return Cell::Text(hints[rng.random_range(0..hints.len())].clone());
        }
        if !hints.is_empty()
            && rng.random_ratio(1, 3)
            && let Some(resolved) = self.schema.resolve(column.type_oid, column.modifier)
            && let Some(text) = usual(&resolved, rng)
        {
            return Cell::Text(text);
        }
        match value(self.schema, column.type_oid, column.modifier, self.start + self.turn.at, rng) {
            Some(text) => Cell::Text(text),
            None if column.default.is_some() => Cell::Omitted,
            None => Cell::Null,
        }
    }

    /// Gives every foreign key a parent that agrees with those it shares columns with, or null.
    fn refer(&mut self, with_null: bool, rng: &mut impl Rng) {
        for _ in 0..20 {
            if self.refer_once(with_null, rng) {
                return;
            }
        }
    }

    fn refer_once(&mut self, with_null: bool, rng: &mut impl Rng) -> bool {
        let mut set: HashSet<usize> = self.fixed.iter().map(|&(at, _)| at).collect();
        for (at, key) in self.table.foreign_keys.iter().enumerate() {
            let columns = self.table.positions(&key.columns);
            let agrees = |parent: &&Vec<String>| {
                let mut pairs = columns.iter().zip(parent.iter());
                pairs.all(|(at, text)| !set.contains(at) || self.cells[*at] == Cell::Text(text.clone()))
            };
            let fitting: Vec<&Vec<String>> = self.parents[at].iter().filter(agrees).collect();
            let free: Vec<usize> = columns.iter().copied().filter(|at| !set.contains(at)).collect();
            let nullable: Vec<usize> =
                free.iter().copied().filter(|at| !self.required.contains(at)).collect();
            if !nullable.is_empty() && (with_null || fitting.is_empty()) {
                for at in nullable {
                    self.cells[at] = Cell::Null;
                }
            } else if !fitting.is_empty() {
                let chosen = fitting[rng.random_range(0..fitting.len())].clone();
                for (at, text) in columns.iter().copied().zip(chosen) {
                    if !self.table.columns[at].generated {
                        self.cells[at] = Cell::Text(text);
                    }
                }
            } else if key.parent != self.table.oid {
                return false;
            }
            set.extend(columns);
        }
        true
    }

    /// Keeps what others rely on, and lets a row that needs a parent in its own empty table be its own.
    async fn hold(&mut self, txn: &DatabaseTransaction, rng: &mut impl Rng) -> Result<(), DbErr> {
        for (at, text) in &self.fixed {
            self.cells[*at] = Cell::Text(text.clone());
        }
        for (at, key) in self.table.foreign_keys.iter().enumerate() {
            if key.parent != self.table.oid || !self.parents[at].is_empty() || self.table.is_nullable(key) {
                continue;
            }
            let (child, parent) =
                (self.table.positions(&key.columns), self.table.positions(&key.parent_columns));
            for (child, parent) in child.into_iter().zip(parent) {
                if !matches!(self.cells[parent], Cell::Text(_)) {
                    let column = &self.table.columns[parent];
                    let text = key_value(txn, self.schema, column, self.start, rng).await?;
                    self.cells[parent] = text.map_or(Cell::Omitted, Cell::Text);
                }
                self.cells[child] = self.cells[parent].clone();
            }
        }
        Ok(())
    }

    /// The columns whose domain refuses what they have: its refusal names the CHECK and not the column.
    async fn of_domain(&self, txn: &DatabaseTransaction, refusal: &Refusal) -> Result<Vec<usize>, DbErr> {
        let mut refused = Vec::new();
        if refusal.code != "23514" {
            return Ok(refused);
        }
        for (at, cell) in self.cells.iter().enumerate() {
            let named = |(check, _): &&(String, String)| Some(check) == refusal.constraint.as_ref();
            if let Cell::Text(text) = cell
                && self.domain_checks(at).iter().any(named)
                && !takes(txn, &self.table.columns[at], text).await?
            {
                refused.push(at);
            }
        }
        Ok(refused)
    }

    /// Chooses anew where the refusal is about.
    fn vary(&mut self, refusal: &Refusal, of_domain: Vec<usize>, rng: &mut impl Rng) {
        let all: Vec<usize> = (0..self.cells.len()).collect();
        let about = match refusal.code.as_str() {
            _ if !of_domain.is_empty() => of_domain,
            "23502" => {
                let named = self.table.columns.iter().position(|c| Some(&c.name) == refusal.column.as_ref());
                self.required.extend(named);
                named.map_or(all, |at| vec![at])
            }
            "23503" => {
                self.refer(false, rng);
                return;
            }
            "23505" | "23514" | "23P01" => self.about(refusal.constraint.as_deref()).unwrap_or(all),
            _ => {
                let hints = Hints::of(&self.table.triggers);
                if !self.table.triggers.is_empty() && refusal.code.starts_with("P0") {
                    for at in 0..self.cells.len() {
                        if self.hints[at].is_empty() {
                            self.hint(at, &hints, rng);
                        }
                    }
                }
                all
            }
        };
        if about.is_empty() {
            return;
        }
        let certain = about[rng.random_range(0..about.len())];
        for &at in &about {
            if at == certain || rng.random_ratio(1, 2) {
                self.choose(at, &about, rng);
            }
        }
    }

    /// The columns that decide the constraint of this name, on the table or on a domain; the bounds of
    /// partitions have none.
    fn about(&self, constraint: Option<&str>) -> Option<Vec<usize>> {
        let name = constraint.unwrap_or_default();
        let mut about = HashSet::new();
        for rule in self.table.rules.iter().filter(|rule| rule.name == name) {
            about.extend(self.decided_by(rule));
        }
        for at in 0..self.cells.len() {
            if self.domain_checks(at).iter().any(|(check, _)| check == name) {
                about.insert(at);
            }
        }
        let mut about: Vec<usize> = about.into_iter().collect();
        about.sort_unstable();
        (!about.is_empty()).then_some(about)
    }

    /// Its columns, and those that a computed one or an expression among them is made from.
    fn decided_by(&self, rule: &Rule) -> Vec<usize> {
        let mut decided = self.table.positions(&rule.columns);
        let computed = decided.iter().any(|&at| self.table.columns[at].generated);
        if computed || rule.columns.contains(&0) {
            let named = |name: &str| computed || rule.expression.contains(name);
            decided.extend(
                (0..self.cells.len())
                    .filter(|&at| !self.table.columns[at].generated && named(&self.table.columns[at].name)),
            );
            decided.sort_unstable();
            decided.dedup();
        }
        decided
    }

    fn choose(&mut self, at: usize, about: &[usize], rng: &mut impl Rng) {
        let column = &self.table.columns[at];
        if column.generated {
            return;
        }
        let keys: Vec<usize> = (0..self.table.foreign_keys.len())
            .filter(|&key| self.table.foreign_keys[key].columns.contains(&column.number))
            .collect();
        let counted = column.default.as_ref().is_some_and(|default| default.contains("nextval("));
        if !keys.is_empty() {
            let with_null = rng.random_ratio(1, 3);
            self.refer(with_null, rng);
            if !with_null || self.required.contains(&at) {
                return;
            }
            // One of several keys is null on its own, too.
            if rng.random_ratio(1, 2) {
                self.refer(false, rng);
                self.cells[at] = Cell::Null;
            }
            return;
        }
        let alike: Vec<usize> = about
            .iter()
            .copied()
            .filter(|&other| other != at && self.table.columns[other].type_oid == column.type_oid)
            .collect();
        self.cells[at] = match rng.random_range(0..10) {
            0 | 1 if !self.required.contains(&at) => Cell::Null,
            2 if column.default.is_some() => Cell::Omitted,
            3 if !alike.is_empty() => self.cells[alike[rng.random_range(0..alike.len())]].clone(),
            _ if counted && self.hints[at].is_empty() => Cell::Omitted,
            _ => self.made_up(at, rng),
        };
    }
}
