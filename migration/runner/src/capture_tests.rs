//! Tests of [`super`], on migrations of every kind.

use std::sync::atomic::{AtomicU32, Ordering};

use sea_orm::ConnectionTrait;
use sea_orm_migration::prelude::*;

use super::*;

/// A migration whose two directions are the block and the expression after it.
macro_rules! migration {
    ($name:ident, $transaction:expr, |$manager:ident| $up:block, $down:expr) => {
        struct $name;

        impl MigrationName for $name {
            fn name(&self) -> &str {
                stringify!($name)
            }
        }

        #[async_trait::async_trait]
        impl MigrationTrait for $name {
            async fn up(&self, $manager: &SchemaManager) -> Result<(), DbErr> {
                $up
            }

            async fn down(&self, $manager: &SchemaManager) -> Result<(), DbErr> {
                $down
            }

            fn use_transaction(&self) -> Option<bool> {
                $transaction
            }
        }
    };
}

fn sent(statements: &[&str]) -> Capture {
    let statements = statements.iter().map(|&sql| sql.to_owned()).collect();
    Capture { statements, ..Capture::default() }
}

migration!(
    Builder,
    None,
    |manager| {
        let table =
            Table::create().table("cakes").col(ColumnDef::new("id").integer().primary_key()).to_owned();
        manager.create_table(table).await?;
        let index = Index::create().name("cakes_idx").table("cakes").col("id").to_owned();
        manager.create_index(index).await
    },
    manager.drop_table(Table::drop().table("cakes").to_owned()).await
);

#[tokio::test]
async fn what_the_builder_builds_is_captured_in_both_directions() {
    let up = sent(&[
        r#"CREATE TABLE "cakes" ( "id" integer PRIMARY KEY )"#,
        r#"CREATE INDEX "cakes_idx" ON "cakes" ("id")"#,
    ]);
    let down = sent(&[r#"DROP TABLE "cakes""#]);
    let recorded = record(&Builder, &Claims::new()).await;
    assert_eq!(recorded, Recorded { up, down, claimed: false });
    assert_eq!(recorded.checksum().unwrap().len(), 64);
    assert_eq!(record(&Builder, &Claims::new().depends_on_data()).await.checksum(), None);
}

fn refuse(_: &SchemaManager<'_>) -> Result<(), DbErr> {
    Err(DbErr::Migration("what was in a is not kept".to_owned()))
}

migration!(
    Raw,
    Some(false),
    |manager| {
        let db = manager.get_connection();
        db.execute_unprepared("create table a (b text); -- as it is\ncreate table c ()").await?;
        let values = [Value::from("it's"), Value::from(7), Value::from(None::<String>)];
        let insert = "insert into a values ($1, $2, $3)";
        db.execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, insert, values)).await?;
        let insert = Query::insert().into_table("a").columns(["b"]).values_panic(["x".into()]).to_owned();
        db.execute(&insert).await?;
        let txn = manager.begin().await?;
        txn.get_connection().execute_unprepared("drop table c").await?;
        txn.commit().await
    },
    refuse(manager)
);

#[tokio::test]
async fn raw_sql_is_captured_as_it_is_sent_with_its_values_in_it() {
    let expected = sent(&[
        "create table a (b text); -- as it is\ncreate table c ()",
        "insert into a values (E'it\\'s', 7, NULL)",
        r#"INSERT INTO "a" ("b") VALUES ('x')"#,
        "drop table c",
    ]);
    assert_eq!(capture(&Raw, Direction::Up).await, expected);
}

#[tokio::test]
async fn the_reason_for_no_way_back_is_part_of_the_checksum() {
    let recorded = record(&Raw, &Claims::new()).await;
    assert_eq!(recorded.down.failure.as_deref(), Some("Migration Error: what was in a is not kept"));
    assert!(!recorded.depends_on_data());
    let other = Recorded { down: Capture { failure: None, ..recorded.down.clone() }, ..recorded.clone() };
    assert_ne!(recorded.checksum(), other.checksum());
    let swapped = Recorded { up: recorded.down.clone(), down: recorded.up.clone(), claimed: false };
    assert_ne!(recorded.checksum(), swapped.checksum());
}

struct OneWay;

impl MigrationName for OneWay {
    fn name(&self) -> &str {
        "one_way"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for OneWay {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("drop table a").await.map(drop)
    }
}

#[tokio::test]
async fn a_down_that_nobody_wrote_is_a_failure_and_no_question() {
    let recorded = record(&OneWay, &Claims::new()).await;
    let failure = Some("Migration Error: We Don't Do That Here".to_owned());
    assert_eq!(recorded.down, Capture { failure, ..Capture::default() });
    assert!(recorded.checksum().is_some());
}

migration!(
    Asks,
    None,
    |manager| {
        manager.get_connection().execute_unprepared("create table a ()").await?;
        if !manager.has_table("b").await? {
            manager.get_connection().execute_unprepared("create table b ()").await?;
        }
        Ok(())
    },
    manager.get_connection().execute_unprepared("drop table a").await.map(drop)
);

#[tokio::test]
async fn a_question_marks_a_migration_and_is_not_among_its_statements() {
    let recorded = record(&Asks, &Claims::new()).await;
    assert_eq!(recorded.up.statements, ["create table a ()"]);
    assert!(recorded.up.depends_on_data && recorded.up.failure.is_some());
    assert!(!recorded.down.depends_on_data);
    assert_eq!(recorded.checksum(), None);
}

migration!(
    Returns,
    None,
    |manager| {
        let insert = Statement::from_string(DbBackend::Postgres, "insert into a default values returning id");
        manager.get_connection().query_all_raw(insert).await?;
        Ok(())
    },
    {
        let changed = manager.get_connection().execute_unprepared("delete from a").await?;
        (changed.rows_affected() == 1).then_some(()).ok_or_else(|| DbErr::Migration("not there".to_owned()))
    }
);

#[tokio::test]
async fn a_statement_that_answers_with_rows_is_a_statement_and_a_question() {
    let expected = sent(&["insert into a default values returning id"]);
    assert_eq!(capture(&Returns, Direction::Up).await, Capture { depends_on_data: true, ..expected });
    let down = capture(&Returns, Direction::Down).await;
    assert_eq!(down.statements, ["delete from a"]);
}

migration!(
    TakesThePool,
    Some(false),
    |manager| {
        manager.get_connection().execute_unprepared("create table a ()").await?;
        let SchemaManagerConnection::Connection(db) = manager.get_connection() else { return Ok(()) };
        db.get_postgres_connection_pool();
        Ok(())
    },
    manager.get_connection().execute_unprepared("drop table a").await.map(drop)
);

#[tokio::test]
async fn a_panic_is_a_failure_of_the_migration_alone() {
    let up = capture(&TakesThePool, Direction::Up).await;
    let failure = Some("Not Postgres Connection".to_owned());
    assert_eq!(up, Capture { depends_on_data: true, failure, ..sent(&["create table a ()"]) });
    assert!(recording().is_none());
}

static RUNS: AtomicU32 = AtomicU32::new(0);

migration!(
    Counts,
    None,
    |manager| {
        let sql = format!("insert into a values ({})", RUNS.fetch_add(1, Ordering::Relaxed));
        manager.get_connection().execute_unprepared(&sql).await.map(drop)
    },
    manager.get_connection().execute_unprepared("delete from a").await.map(drop)
);

#[tokio::test]
async fn sql_that_is_another_every_time_has_no_checksum() {
    let recorded = record(&Counts, &Claims::new()).await;
    assert!(recorded.up.depends_on_data && !recorded.down.depends_on_data);
    assert_eq!(recorded.checksum(), None);
}

migration!(
    Helper,
    Some(false),
    |manager| {
        recording().expect("it is captured").push_rerunnable("create index concurrently a on b (c)");
        assert_eq!(manager.get_database_backend(), DbBackend::Postgres);
        Ok(())
    },
    {
        recording().expect("it is captured").push_rerunnable("drop index concurrently if exists a");
        manager.get_connection().execute_unprepared("drop table b").await.map(drop)
    }
);

#[tokio::test]
async fn only_a_migration_that_helpers_send_all_of_is_rerunnable() {
    assert!(recording().is_none());
    let up = capture(&Helper, Direction::Up).await;
    assert!(up.rerunnable());
    assert_eq!(up.statements, ["create index concurrently a on b (c)"]);
    let down = capture(&Helper, Direction::Down).await;
    assert!(!down.rerunnable() && down.statements.len() == 2);
    assert!(!capture(&OneWay, Direction::Down).await.rerunnable());
}
