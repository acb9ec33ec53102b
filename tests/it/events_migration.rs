//! The commands of the ClickHouse migrations, each on a database of its own.

mod history;
mod ledger_of_the_first_release;
mod order;
mod plan;
mod repair;
mod verify;

use events::Client;
use events::migration::{Migration, Runner, Statement, catalog};

use crate::harness::TestEvents;

/// A migration of a test.
struct Made {
    name: &'static str,
    up: &'static [&'static str],
    down: &'static [&'static str],
    loses: &'static [&'static str],
}

impl Migration for Made {
    fn name(&self) -> &'static str {
        self.name
    }

    fn up(&self) -> Vec<Statement> {
        self.up.iter().map(|sql| Statement::new(sql, *sql)).collect()
    }

    fn down(&self) -> Vec<Statement> {
        self.down.iter().map(|sql| Statement::new(sql, *sql)).collect()
    }

    fn down_loses(&self) -> &'static [&'static str] {
        self.loses
    }
}

fn made(
    name: &'static str,
    up: &'static [&'static str],
    down: &'static [&'static str],
) -> Box<dyn Migration> {
    Box::new(Made { name, up, down, loses: &[] })
}

/// One table each.
fn a() -> Box<dyn Migration> {
    made(
        "m1_a",
        &["CREATE TABLE IF NOT EXISTS a (x UInt8) ENGINE = Memory"],
        &["DROP TABLE IF EXISTS a SYNC"],
    )
}

fn b() -> Box<dyn Migration> {
    made(
        "m2_b",
        &["CREATE TABLE IF NOT EXISTS b (x UInt8) ENGINE = Memory"],
        &["DROP TABLE IF EXISTS b SYNC"],
    )
}

fn c() -> Box<dyn Migration> {
    made(
        "m3_c",
        &["CREATE TABLE IF NOT EXISTS c (x UInt8) ENGINE = Memory"],
        &["DROP TABLE IF EXISTS c SYNC"],
    )
}

async fn connect(database: &TestEvents) -> Client {
    Client::connect(database.url()).await.unwrap()
}

async fn tables(client: &Client) -> Vec<String> {
    catalog::snapshot(client).await.unwrap().tables.into_keys().collect()
}

/// The names of what is applied, as `status` has it.
async fn applied(runner: &Runner) -> Vec<String> {
    let migrations = runner.status().await.unwrap().migrations.into_iter();
    migrations.filter(|migration| migration.applied).map(|migration| migration.name).collect()
}
