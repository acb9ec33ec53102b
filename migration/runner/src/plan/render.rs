//! A plan for people.

use std::fmt;

use super::{Plan, PlannedMigration, PlannedStatement, Reversible, TableLock};
use crate::sql;

/// Of a statement's line, indentation not counted.
const WIDTH: usize = 100;

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.migrations.len() {
            0 => writeln!(f, "{}: nothing to apply", self.database)?,
            1 => writeln!(f, "{}: 1 migration to apply", self.database)?,
            count => writeln!(f, "{}: {count} migrations to apply", self.database)?,
        }
        self.migrations.iter().try_for_each(|migration| write!(f, "\n{migration}"))
    }
}

impl fmt::Display for PlannedMigration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.name)?;
        f.write_str(if self.transactional { "in the run's transaction" } else { "without a transaction" })?;
        match &self.reversible {
            Reversible::Yes => f.write_str(", reversible")?,
            Reversible::No { reason } => write!(f, ", not reversible ({reason})")?,
        }
        writeln!(f, "{}", if self.depends_on_data { ", depends on data" } else { "" })?;
        self.statements.iter().try_for_each(|statement| statement.fmt(f))?;
        match &self.error {
            Some(error) => writeln!(f, "  fails: {error}"),
            None => Ok(()),
        }
    }
}

/// `[new]` marks what touches nothing but what these migrations make.
impl fmt::Display for PlannedStatement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let new = if self.new { " [new]" } else { "" };
        writeln!(f, "  {}{new}", shortened(&self.sql))?;
        self.locks.iter().try_for_each(|lock| writeln!(f, "    locks {lock}"))?;
        self.rewrites.iter().try_for_each(|table| writeln!(f, "    rewrites {table}"))?;
        self.scans.iter().try_for_each(|table| writeln!(f, "    scans {table}"))
    }
}

impl fmt::Display for TableLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}, blocks {}", self.table, self.mode, self.blocks)?;
        match (self.estimated_rows, self.size_bytes) {
            (Some(rows), Some(bytes)) => write!(f, " ({} rows, {})", grouped(rows), size(bytes)),
            (None, Some(bytes)) => write!(f, " ({})", size(bytes)),
            (Some(rows), None) => write!(f, " ({} rows)", grouped(rows)),
            (None, None) => Ok(()),
        }
    }
}

fn shortened(sql: &str) -> String {
    let normalized = sql::normalized(sql);
    let mut lines = normalized.lines();
    let line = lines.next().unwrap_or_default();
    if lines.next().is_none() && line.chars().count() <= WIDTH {
        return line.to_owned();
    }
    let mut shortened: String = line.chars().take(WIDTH - 1).collect();
    shortened.push('…');
    shortened
}

/// `1204000` as `1,204,000`.
fn grouped(number: i64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (position, digit) in digits.char_indices() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// In the unit that leaves at most four digits, as `pg_size_pretty` does.
fn size(bytes: i64) -> String {
    let mut amount = bytes;
    for unit in ["bytes", "kB", "MB", "GB"] {
        if amount < 10 * 1024 {
            return format!("{} {unit}", grouped(amount));
        }
        amount = (amount + 512) / 1024;
    }
    format!("{} TB", grouped(amount))
}

#[cfg(test)]
mod tests {
    use super::super::{LockMode, TableLock};
    use super::*;

    fn lock(table: &str, mode: LockMode, estimated_rows: Option<i64>, size_bytes: Option<i64>) -> TableLock {
        TableLock { table: table.to_owned(), mode, blocks: mode.blocks(), estimated_rows, size_bytes }
    }

    #[test]
    fn a_plan_reads_as_sentences() {
        let alter = PlannedStatement {
            sql: "-- wider\nalter table packages\n  alter id type bigint".to_owned(),
            transactional: true,
            locks: vec![
                lock("packages", LockMode::AccessExclusive, Some(1_204_000), Some(356_515_840)),
                lock("owners", LockMode::ShareRowExclusive, None, Some(8192)),
                lock("newest", LockMode::AccessShare, None, None),
            ],
            rewrites: vec!["packages".to_owned()],
            scans: vec!["packages".to_owned()],
            new: false,
        };
        let long = PlannedStatement { sql: "x".repeat(101), new: true, ..PlannedStatement::default() };
        let first = PlannedMigration {
            name: "m1_wider".to_owned(),
            transactional: true,
            reversible: Reversible::Yes,
            depends_on_data: true,
            statements: vec![alter, long],
            error: None,
        };
        let second = PlannedMigration {
            name: "m2_gone".to_owned(),
            transactional: false,
            reversible: Reversible::No { reason: "the rows are gone".to_owned() },
            depends_on_data: false,
            statements: Vec::new(),
            error: Some("table \"gone\" does not exist".to_owned()),
        };
        let plan = Plan { database: "ardb".to_owned(), migrations: vec![first, second] };
        let expected = format!(
            "ardb: 2 migrations to apply

m1_wider: in the run's transaction, reversible, depends on data
  alter table packages alter id type bigint
    locks packages: ACCESS EXCLUSIVE, blocks reads and writes (1,204,000 rows, 340 MB)
    locks owners: SHARE ROW EXCLUSIVE, blocks writes (8,192 bytes)
    locks newest: ACCESS SHARE, blocks nothing that reads or writes
    rewrites packages
    scans packages
  {}… [new]

m2_gone: without a transaction, not reversible (the rows are gone)
  fails: table \"gone\" does not exist
",
            "x".repeat(99)
        );
        assert_eq!(plan.to_string(), expected);
        let nothing = Plan { database: "ardb".to_owned(), migrations: Vec::new() };
        assert_eq!(nothing.to_string(), "ardb: nothing to apply\n");
    }

    #[test]
    fn numbers_are_grouped_and_sizes_have_a_unit() {
        assert_eq!([0, 999, 1000, 1_204_000].map(grouped), ["0", "999", "1,000", "1,204,000"]);
        let sizes = [0, 8192, 40_960, 356_515_840, 3 << 41].map(size);
        assert_eq!(sizes, ["0 bytes", "8,192 bytes", "40 kB", "340 MB", "6,144 GB"]);
    }
}
