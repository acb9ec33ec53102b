//! What a plan says about each kind of change, measured on the real server; [`whole`] has whole migrations.

use migration_runner::{
    Extent, LockMode, Plan, PlannedMigration, PlannedStatement, Reversible, Runner, TableLock,
};
use sea_orm::{ConnectionTrait, DbErr, DynIden};
use sea_orm_migration::sea_query::{Alias, IntoIden};
use sea_orm_migration::{MigrationName, MigrationTrait, MigratorTrait, SchemaManager, async_trait};

use crate::harness::{Database, TestDb};

const TABLES: &str = "create table parents (id bigint primary key, note text, rank int);
    create table children (id bigint primary key, parent_id bigint, note text);
    create index children_note_idx on children (note)";

/// Sends one text, and refuses to go back.
struct Sends {
    name: &'static str,
    sql: &'static str,
    transaction: bool,
}

impl MigrationName for Sends {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Sends {
    fn use_transaction(&self) -> Option<bool> {
        Some(self.transaction)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(self.sql).await.map(drop)
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("nothing is kept".to_owned()))
    }
}

/// Declares a migrator of the two tables and what comes after them.
macro_rules! after_tables {
    ($name:ident, $($migration:expr),*) => {
        struct $name;

        impl MigratorTrait for $name {
            fn migrations() -> Vec<Box<dyn MigrationTrait>> {
                vec![
                    Box::new(Sends { name: "m1_tables", sql: TABLES, transaction: true }),
                    $(Box::new($migration)),*
                ]
            }

            fn migration_table_name() -> DynIden {
                Alias::new("test_migrations").into_iden()
            }
        }
    };
}

/// What the one pending migration, which sends this text, is planned to do.
macro_rules! planned {
    ($sql:expr) => {
        planned!($sql, true)
    };
    ($sql:expr, $transaction:expr) => {{
        after_tables!(Migrator, Sends { name: "m2", sql: $sql, transaction: $transaction });
        let (_db, plan) = planned_after_tables(&Runner::new::<Migrator>("test")).await;
        let mut migrations = plan.migrations;
        assert_eq!(migrations.len(), 1);
        migrations.remove(0)
    }};
}

/// The plan of everything after the tables, on a database that is kept until the test has looked at it.
async fn planned_after_tables(runner: &Runner) -> (TestDb, Plan) {
    let db = TestDb::empty(Database::Ardb).await;
    runner.up_by(&db, &Extent::Count(1)).await.unwrap();
    let plan = runner.plan(&db, &Extent::All).await.unwrap();
    (db, plan)
}

/// A lock on a table that is empty and was never analyzed.
fn lock(table: &str, mode: LockMode) -> TableLock {
    let size_bytes = match table {
        "parents" => Some(16_384),
        "children" => Some(24_576),
        _ => None,
    };
    TableLock { table: table.to_owned(), mode, blocks: mode.blocks(), estimated_rows: None, size_bytes }
}

fn statement(sql: &str, locks: &[TableLock], rewrites: &[&str], scans: &[&str]) -> PlannedStatement {
    let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    PlannedStatement {
        sql: sql.to_owned(),
        transactional: true,
        locks: locks.to_vec(),
        rewrites: owned(rewrites),
        scans: owned(scans),
        new: false,
    }
}

fn migration(statements: Vec<PlannedStatement>) -> PlannedMigration {
    PlannedMigration {
        name: "m2".to_owned(),
        transactional: true,
        reversible: Reversible::No { reason: "nothing is kept".to_owned() },
        depends_on_data: false,
        statements,
        error: None,
    }
}

/// One statement of one migration, and what it does.
macro_rules! does {
    ($test:ident, $sql:expr, locks $locks:expr, rewrites $rewrites:expr, scans $scans:expr) => {
        #[tokio::test]
        async fn $test() {
            let expected = statement($sql, &$locks, &$rewrites, &$scans);
            assert_eq!(planned!($sql), migration(vec![expected]));
        }
    };
}

does!(
    a_new_nullable_column_neither_rewrites_nor_scans,
    "alter table parents add column born_at timestamptz",
    locks [lock("parents", LockMode::AccessExclusive)],
    rewrites [],
    scans []
);
does!(
    a_constant_default_does_not_rewrite_either,
    "alter table parents add column born_at timestamptz not null default now()",
    locks [lock("parents", LockMode::AccessExclusive)],
    rewrites [],
    scans []
);
does!(
    a_volatile_default_rewrites_the_table,
    "alter table parents add column born_at timestamptz default clock_timestamp()",
    locks[lock("parents", LockMode::AccessExclusive)],
    rewrites["parents"],
    scans["parents"]
);
does!(
    a_wider_type_rewrites_the_table,
    "alter table parents alter column rank type bigint",
    locks[lock("parents", LockMode::AccessExclusive)],
    rewrites["parents"],
    scans["parents"]
);
does!(
    not_null_scans_the_table,
    "alter table parents alter column rank set not null",
    locks [lock("parents", LockMode::AccessExclusive)],
    rewrites [],
    scans ["parents"]
);
does!(
    a_check_scans_the_table,
    "alter table parents add constraint parents_rank_check check (rank > 0)",
    locks [lock("parents", LockMode::AccessExclusive)],
    rewrites [],
    scans ["parents"]
);
does!(
    a_check_that_is_not_valid_yet_scans_nothing,
    "alter table parents add constraint parents_rank_check check (rank > 0) not valid",
    locks [lock("parents", LockMode::AccessExclusive)],
    rewrites [],
    scans []
);
does!(
    a_foreign_key_locks_and_scans_both_sides,
    "alter table children add foreign key (parent_id) references parents",
    locks [
        lock("children", LockMode::ShareRowExclusive),
        lock("parents", LockMode::ShareRowExclusive),
    ],
    rewrites [],
    scans ["children", "parents"]
);
does!(
    a_foreign_key_that_is_not_valid_yet_scans_nothing,
    "alter table children add foreign key (parent_id) references parents not valid",
    locks [
        lock("children", LockMode::ShareRowExclusive),
        lock("parents", LockMode::ShareRowExclusive),
    ],
    rewrites [],
    scans []
);
does!(
    an_index_blocks_writes_and_scans_the_table,
    "create index parents_note_idx on parents (note)",
    locks [lock("parents", LockMode::Share)],
    rewrites [],
    scans ["parents"]
);
does!(
    a_dropped_table_is_locked_and_not_scanned,
    "drop table children",
    locks [lock("children", LockMode::AccessExclusive)],
    rewrites [],
    scans []
);
does!(
    a_truncated_table_is_neither_rewritten_nor_scanned,
    "truncate children",
    locks [lock("children", LockMode::AccessExclusive)],
    rewrites [],
    scans []
);
does!(
    an_update_of_every_row_scans_and_blocks_nobody,
    "update parents set note = 'x'",
    locks [lock("parents", LockMode::RowExclusive)],
    rewrites [],
    scans ["parents"]
);
does!(
    an_index_that_is_built_anew_is_locked_harder_than_its_table,
    "reindex index children_note_idx",
    locks [
        lock("children_note_idx", LockMode::AccessExclusive),
        lock("children", LockMode::Share),
    ],
    rewrites [],
    scans ["children"]
);

mod whole;
