//! The ClickHouse schema: its migrations, their ledger, and the connection they run over.

use events::migration::{self, Direction, Extent, Migration, Runner, State, Statement, catalog};
use events::{Client, Error};

use crate::harness::TestEvents;

async fn connect(database: &TestEvents) -> Client {
    Client::connect(database.url()).await.unwrap()
}

#[tokio::test]
async fn every_events_down_restores_the_schema_that_its_up_found() {
    let database = TestEvents::empty().await;
    let client = connect(&database).await;
    for migration in migration::all() {
        let before = catalog::snapshot(&client).await.unwrap();
        let name = vec![migration.name().to_owned()];
        assert_eq!(migration::up(&client, &Extent::Count(1)).await.unwrap().migrations, name);
        let after = catalog::snapshot(&client).await.unwrap();
        assert_ne!(after, before, "{name:?} changes nothing");
        assert_eq!(migration::down(&client, &Extent::Count(1)).await.unwrap().migrations, name);
        assert_eq!(catalog::snapshot(&client).await.unwrap(), before, "{name:?}");
        migration::up(&client, &Extent::Count(1)).await.unwrap();
        assert_eq!(catalog::snapshot(&client).await.unwrap(), after, "{name:?}");
    }
}

#[tokio::test]
async fn status_needs_no_ledger_and_follows_up_and_down() {
    let database = TestEvents::empty().await;
    let client = connect(&database).await;
    let states = async || {
        let status = migration::status(&client).await.unwrap();
        status.migrations.iter().map(|migration| migration.state).collect::<Vec<_>>()
    };
    let count = migration::all().len();
    assert_eq!(states().await, vec![State::Pending; count]);
    assert!(catalog::snapshot(&client).await.unwrap().tables.is_empty());

    assert_eq!(migration::up(&client, &Extent::All).await.unwrap().migrations.len(), count);
    assert_eq!(states().await, vec![State::Applied; count]);
    assert_eq!(migration::up(&client, &Extent::All).await.unwrap().migrations, [""; 0]);
    migration::down(&client, &Extent::Count(1)).await.unwrap();
    let states = states().await;
    assert_eq!(
        (&states[..count - 1], states[count - 1]),
        (&vec![State::Applied; count - 1][..], State::Pending)
    );
    assert_eq!(migration::down(&client, &Extent::Count(9)).await.unwrap().migrations.len(), count - 1);
    assert_eq!(migration::down(&client, &Extent::Count(1)).await.unwrap().migrations, [""; 0]);
}

#[tokio::test]
async fn many_starters_at_once_all_succeed_and_leave_one_schema() {
    let database = TestEvents::empty().await;
    let starters: Vec<_> = (0..8)
        .map(|_| {
            let url = database.url().to_owned();
            tokio::spawn(async move { migration::up(&Client::connect(&url).await?, &Extent::All).await })
        })
        .collect();
    for starter in starters {
        starter.await.unwrap().unwrap();
    }
    let alone = TestEvents::migrated().await;
    let client = connect(&database).await;
    assert_eq!(migration::status(&client).await.unwrap().pending(), 0);
    assert_eq!(
        catalog::snapshot(&client).await.unwrap(),
        catalog::snapshot(&connect(&alone).await).await.unwrap()
    );
}

/// Three steps, of which the second needs a table that somebody else makes.
struct NeedsHelp;

impl Migration for NeedsHelp {
    fn name(&self) -> &'static str {
        "m20000101_000000_needs_help"
    }

    fn up(&self) -> Vec<Statement> {
        vec![
            Statement::new("create table a", "CREATE TABLE IF NOT EXISTS a (x UInt8) ENGINE = Memory"),
            Statement::new("create view b", "CREATE VIEW IF NOT EXISTS b AS SELECT x FROM help"),
            Statement::new("create table c", "CREATE TABLE IF NOT EXISTS c (x UInt8) ENGINE = Memory"),
        ]
    }

    fn down(&self) -> Vec<Statement> {
        ["c", "b", "a"]
            .map(|name| Statement::new("drop", format!("DROP TABLE IF EXISTS {name} SYNC")))
            .to_vec()
    }
}

#[tokio::test]
async fn a_failed_step_is_in_the_ledger_with_the_server_s_words_and_the_next_run_goes_on_there() {
    let database = TestEvents::empty().await;
    let client = connect(&database).await;
    let runner = Runner::of(&client, vec![Box::new(NeedsHelp)]);

    let error = runner.up(&Extent::All).await.unwrap_err();
    assert_eq!(error.code(), Some(60), "{error}");
    let Error::Migration { step: 2, steps: 3, direction: Direction::Up, .. } = &error else {
        panic!("{error:?}")
    };
    let said = error.to_string();
    assert!(
        said.starts_with("up of m20000101_000000_needs_help failed at step 2 of 3 (create view b)"),
        "{said}"
    );

    let status = runner.status().await.unwrap();
    let [migration] = status.migrations.as_slice() else { panic!("{status:?}") };
    assert_eq!((migration.state, migration.steps_done, migration.steps), (State::Partial, 1, 3));
    assert!(migration.error.as_ref().unwrap().contains("help"), "{migration:?}");
    assert_eq!((migration.applied, migration.finished_at), (false, None));

    // Taken away, so that a run from the first step on would be seen.
    database.execute("CREATE TABLE help (x UInt8) ENGINE = Memory").await;
    database.execute("DROP TABLE a SYNC").await;
    runner.up(&Extent::All).await.unwrap();
    let tables: Vec<_> = catalog::snapshot(&client).await.unwrap().tables.into_keys().collect();
    assert_eq!(tables, ["b", "c", "help"]);
    let status = runner.status().await.unwrap();
    assert_eq!((status.migrations[0].state, &status.migrations[0].error), (State::Applied, &None));
}

#[tokio::test]
async fn what_a_failed_up_left_behind_can_be_taken_down_and_brought_up_again() {
    let database = TestEvents::empty().await;
    let client = connect(&database).await;
    let runner = Runner::of(&client, vec![Box::new(NeedsHelp)]);
    runner.up(&Extent::All).await.unwrap_err();
    runner.down(&Extent::Count(1)).await.unwrap();
    assert!(catalog::snapshot(&client).await.unwrap().tables.is_empty());
    database.execute("CREATE TABLE help (x UInt8) ENGINE = Memory").await;
    runner.up(&Extent::All).await.unwrap();
    assert_eq!(catalog::snapshot(&client).await.unwrap().tables.len(), 4);
}

#[tokio::test]
async fn a_database_that_is_ahead_of_the_binary_is_no_error() {
    let database = TestEvents::migrated().await;
    let client = connect(&database).await;
    let status = Runner::of(&client, Vec::new()).status().await.unwrap();
    assert_eq!(status.unknown.len(), migration::all().len());
    assert_eq!((status.pending(), migration::status(&client).await.unwrap().unknown.len()), (0, 0));
}

#[tokio::test]
async fn every_column_and_table_has_a_comment_and_tokens_have_a_window() {
    let database = TestEvents::migrated().await;
    let tables = catalog::snapshot(&connect(&database).await).await.unwrap().tables;
    assert_eq!(
        tables.keys().collect::<Vec<_>>(),
        [
            "dead_letters",
            "erasures",
            "event_payloads",
            "events",
            "events_daily",
            "events_daily_view",
            "ingest_batches",
            "retention",
        ]
    );
    for (name, table) in &tables {
        assert!(!table.comment.is_empty(), "{name}");
        if table.definition.starts_with("CREATE MATERIALIZED VIEW") {
            continue;
        }
        for column in &table.columns {
            assert!(column.comment.ends_with('.'), "{name}.{}", column.name);
        }
        assert!(table.engine.contains("non_replicated_deduplication_window = 1000"), "{}", table.engine);
    }
    let events = &tables["events"];
    assert_eq!(
        events.sorting_key,
        "tenant, toDate32(occurred_at), kind, repository, actor, occurred_at, event_id"
    );
    assert_eq!(events.partition_key, "toYYYYMM(occurred_at)");
    assert_eq!(events.indexes[0].r#type, "bloom_filter(0.01)");
}

#[tokio::test]
async fn a_wrong_password_an_unknown_database_and_a_closed_port_say_what_is_wrong_and_keep_the_password() {
    let database = TestEvents::empty().await;
    let client = connect(&database).await;
    assert!(database.url().ends_with(client.database()));
    let (scheme, rest) = database.url().split_once("://").unwrap();
    let (credentials, place) = rest.rsplit_once('@').unwrap();
    let (user, password) = credentials.split_once(':').unwrap();
    assert!(!format!("{client:?}").contains(password), "{client:?}");

    let wrong = Client::connect(&format!("{scheme}://{user}:hunter2@{place}")).await.unwrap_err();
    assert_eq!(wrong.code(), Some(516), "{wrong}");
    let absent = Client::connect(&format!("{}_absent", database.url())).await.unwrap_err();
    assert_eq!(absent.code(), Some(81), "{absent}");
    let closed = Client::connect("http://someone:hunter2@127.0.0.1:1/x").await.unwrap_err();
    assert!(matches!(closed, Error::Unreachable { .. }), "{closed}");
    assert!(closed.to_string().contains("ClickHouse at 127.0.0.1:1 does not answer"), "{closed}");
    for error in [wrong, closed] {
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}
