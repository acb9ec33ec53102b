//! Migrations that can be killed in the middle, for the program that is killed and the test that goes on.

use sea_orm::{ConnectionTrait, DbErr, DynIden};
use sea_orm_migration::sea_query::{Alias, IntoIden};
use sea_orm_migration::{MigrationName, MigrationTrait, MigratorTrait, SchemaManager, async_trait};

/// While this is set, the second migration sleeps for so many seconds after its first statement.
pub const SLEEP: &str = "SLEEP_SECONDS";

/// Creates a table of its own name; the second sleeps, then writes into it.
struct Table {
    name: &'static str,
    transactional: bool,
}

impl MigrationName for Table {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Table {
    fn use_transaction(&self) -> Option<bool> {
        (!self.transactional).then_some(false)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        db.execute_unprepared(&format!("create table {} (id bigint)", self.name)).await?;
        if self.name == "m2_slow" {
            let seconds = std::env::var(SLEEP).unwrap_or_else(|_| "0".to_owned());
            db.execute_unprepared(&format!("select pg_sleep({seconds})")).await?;
            db.execute_unprepared("insert into m2_slow values (1)").await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(&format!("drop table {}", self.name)).await.map(drop)
    }
}

/// Three migrations, of which the second sleeps, all in one transaction.
pub struct Together;

/// The same, where the second stands alone.
pub struct Alone;

fn migrations(transactional: bool) -> Vec<Box<dyn MigrationTrait>> {
    vec![
        Box::new(Table { name: "m1_first", transactional: true }),
        Box::new(Table { name: "m2_slow", transactional }),
        Box::new(Table { name: "m3_last", transactional: true }),
    ]
}

impl MigratorTrait for Together {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        migrations(true)
    }

    fn migration_table_name() -> DynIden {
        Alias::new("test_migrations").into_iden()
    }
}

impl MigratorTrait for Alone {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        migrations(false)
    }

    fn migration_table_name() -> DynIden {
        Alias::new("test_migrations").into_iden()
    }
}
