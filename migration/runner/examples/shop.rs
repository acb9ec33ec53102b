//! A shop's migration program, whole: three migrations, one of which builds an index while the table is in use.
//!
//! ```console
//! $ export DATABASE_URL=postgres://user:password@localhost/shop
//! $ cargo run -p migration-runner --example shop -- plan
//! $ cargo run -p migration-runner --example shop -- up
//! $ cargo run -p migration-runner --example shop -- history
//! $ cargo run -p migration-runner --example shop -- verify
//! ```
//!
//! `sea-orm-cli migrate` runs such a program, too. In a project each migration is a file of its own.

use std::process::ExitCode;

use migration_runner::{Claims, ConcurrentIndex, Runner, cli};
use sea_orm_migration::prelude::*;

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(CreateOrders), Box::new(IndexOrders), Box::new(DropNotes)]
    }
}

/// Made with the builder: its SQL is captured and hashed all the same.
#[derive(Debug)]
struct CreateOrders;

impl MigrationName for CreateOrders {
    fn name(&self) -> &str {
        "m20260101_090000_create_orders"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateOrders {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let orders = Table::create()
            .table("orders")
            .col(ColumnDef::new("id").big_integer().not_null().auto_increment().primary_key())
            .col(ColumnDef::new("customer").text().not_null())
            .col(ColumnDef::new("note").text())
            .take();
        manager.create_table(orders).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("orders").take()).await
    }
}

/// Stands alone, outside the transaction of its run, because that is where indexes are built concurrently.
#[derive(Debug)]
struct IndexOrders;

impl IndexOrders {
    fn index() -> ConcurrentIndex {
        ConcurrentIndex::new("orders_customer_idx", "orders", "(customer)")
    }
}

impl MigrationName for IndexOrders {
    fn name(&self) -> &str {
        "m20260102_090000_index_orders"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for IndexOrders {
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Self::index().create(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Self::index().drop(manager).await
    }
}

/// Its `down` brings back the column and not what was in it, which `verify` would find out; so it is said.
#[derive(Debug)]
struct DropNotes;

impl DropNotes {
    const CLAIMS: Claims = Claims::new().down_loses(&["orders.note"]);
}

impl MigrationName for DropNotes {
    fn name(&self) -> &str {
        "m20260103_090000_drop_notes"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for DropNotes {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("alter table orders drop column note").await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("alter table orders add column note text").await.map(drop)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let shop = Runner::new::<Migrator>("shop")
        .program(concat!("shop ", env!("CARGO_PKG_VERSION")))
        .claim(DropNotes.name(), DropNotes::CLAIMS);
    cli::main(shop).await
}
