//! The runner against a real server, with small migrators of its own.

mod failures;
mod history;
mod interrupted;
mod order;
mod pooler;
mod repair;
mod robustness;
mod starters;
mod stock;

use migration_runner::{Runner, State};
use sea_orm::{ConnectionTrait, DbErr, DynIden};
use sea_orm_migration::sea_query::{Alias, IntoIden};
use sea_orm_migration::{MigrationName, MigrationTrait, MigratorTrait, SchemaManager, async_trait};

use crate::harness::TestDb;

/// One migration by its SQL.
#[derive(Clone, Copy)]
struct Sql {
    name: &'static str,
    up: &'static str,
    down: &'static str,
    transactional: bool,
}

impl MigrationName for Sql {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Sql {
    fn use_transaction(&self) -> Option<bool> {
        (!self.transactional).then_some(false)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(self.up).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(self.down).await.map(drop)
    }
}

const fn sql(name: &'static str, up: &'static str, down: &'static str) -> Sql {
    Sql { name, up, down, transactional: true }
}

const fn alone(name: &'static str, up: &'static str, down: &'static str) -> Sql {
    Sql { name, up, down, transactional: false }
}

const A: Sql = sql("m1_a", "create table m1_a (id bigint)", "drop table m1_a");
const B: Sql = sql("m2_b", "create table m2_b (id bigint)", "drop table m2_b");
const C: Sql = sql("m3_c", "create table m3_c (id bigint)", "drop table m3_c");
const D: Sql = sql("m4_d", "create table m4_d (id bigint)", "drop table m4_d");
const BROKEN_B: Sql = sql("m2_b", "create table m2_b (id bigint); select 1 / 0", "drop table m2_b");
const BROKEN_D: Sql = sql("m4_d", "create table m4_d (id bigint); select 1 / 0", "drop table m4_d");
const INDEX: Sql = alone(
    "m2_index",
    "create index concurrently m1_a_id_idx on m1_a (id)",
    "drop index concurrently m1_a_id_idx",
);

/// Declares migrators of the ledger `test_migrations`.
macro_rules! migrators {
    ($($name:ident: [$($migration:expr),* $(,)?]);* $(;)?) => {$(
        struct $name;

        impl MigratorTrait for $name {
            fn migrations() -> Vec<Box<dyn MigrationTrait>> {
                vec![$(Box::new($migration)),*]
            }

            fn migration_table_name() -> DynIden {
                Alias::new("test_migrations").into_iden()
            }
        }
    )*};
}
use migrators;

migrators! {
    Three: [A, B, C];
    FirstTwo: [A, B];
    OnlySecond: [B];
    WithFourth: [A, B, D];
    Broken: [A, BROKEN_B, C];
    WithIndex: [A, INDEX, C];
    BrokenAfterIndex: [A, INDEX, C, BROKEN_D];
}

fn runner<M: MigratorTrait>() -> Runner {
    Runner::new::<M>("test")
}

async fn tables(db: &TestDb) -> Vec<String> {
    let catalog = runner::<Three>().catalog(db.connection()).await.unwrap();
    catalog.objects().filter(|(kind, ..)| *kind == "table").map(|(_, name, _)| name.to_owned()).collect()
}

async fn states<M: MigratorTrait>(db: &TestDb) -> Vec<State> {
    runner::<M>().status(db).await.unwrap().migrations.iter().map(|migration| migration.state).collect()
}

/// The one value of the one row of `query`, as text.
async fn value(db: &TestDb, query: &str) -> String {
    let query = format!("select ({query})::text as value");
    let statement = sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, query);
    db.query_one_raw(statement).await.unwrap().unwrap().try_get("", "value").unwrap()
}
