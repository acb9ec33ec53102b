use std::sync::{Arc, Mutex};

use sea_orm::{Database, ProxyDatabaseTrait, ProxyExecResult, ProxyRow, Statement, TransactionTrait};

use super::*;

#[derive(Clone, Debug, Default)]
struct Sent(Arc<Mutex<Vec<String>>>);

#[async_trait::async_trait]
impl ProxyDatabaseTrait for Sent {
    async fn query(&self, statement: Statement) -> Result<Vec<ProxyRow>, DbErr> {
        self.0.lock().unwrap().push(statement.sql);
        Ok(Vec::new())
    }

    async fn execute(&self, statement: Statement) -> Result<ProxyExecResult, DbErr> {
        self.0.lock().unwrap().push(statement.sql);
        Ok(ProxyExecResult::default())
    }
}

async fn proxy(sent: &Sent) -> DatabaseConnection {
    Database::connect_proxy(DbBackend::Postgres, Arc::new(Box::new(sent.clone()))).await.unwrap()
}

fn index() -> ConcurrentIndex {
    ConcurrentIndex::new("users_tags_idx", "users", "(tags) where deleted_at is null").using("gin")
}

#[tokio::test]
async fn a_connection_that_forwards_gets_the_plain_statement() {
    let sent = Sent::default();
    let db = proxy(&sent).await;
    index().create(&SchemaManager::new(&db)).await.unwrap();
    index().drop(&SchemaManager::new(&db)).await.unwrap();
    assert_eq!(
        *sent.0.lock().unwrap(),
        [
            r#"create index concurrently if not exists "users_tags_idx" on "users" using gin (tags) where deleted_at is null"#,
            r#"drop index concurrently if exists "users_tags_idx""#,
        ]
    );
}

#[tokio::test]
async fn a_transaction_is_refused_with_nothing_sent() {
    let sent = Sent::default();
    let db = proxy(&sent).await;
    let txn = db.begin().await.unwrap();
    let before = sent.0.lock().unwrap().len();
    let error = index().create(&SchemaManager::new(&txn)).await.unwrap_err().to_string();
    assert!(error.contains("`fn use_transaction(&self) -> Option<bool> { Some(false) }`"), "{error}");
    assert_eq!(sent.0.lock().unwrap().len(), before);
}

#[test]
fn names_are_quoted_and_the_definition_is_not() {
    let index = ConcurrentIndex::new(r#"a "b""#, "Users", "(lower(email))").unique();
    assert_eq!(
        index.create_sql("concurrently"),
        r#"create unique index concurrently "a ""b""" on "Users" (lower(email))"#
    );
}

#[test]
fn pauses_double_up_to_a_minute() {
    for (attempts, ms) in [(1, 500), (2, 1_000), (5, 8_000), (8, 60_000), (u32::MAX, 60_000)] {
        let pause = pause(attempts).as_millis();
        assert!(pause >= ms / 2 && pause <= ms, "{attempts}: {pause}");
    }
}
