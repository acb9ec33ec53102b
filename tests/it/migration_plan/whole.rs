//! What a plan says about whole migrations: outside of transactions, with questions, with failures.

use migration_runner::{
    Claims, Extent, LockMode, Plan, PlannedMigration, PlannedStatement, Reversible, Runner,
};
use sea_orm::{ConnectionTrait, DbErr, DynIden};
use sea_orm_migration::sea_query::{Alias, IntoIden};
use sea_orm_migration::{MigrationName, MigrationTrait, MigratorTrait, SchemaManager, async_trait};

use super::{Sends, TABLES, lock, migration, planned_after_tables, statement};
use crate::harness::{Database, TestDb};

/// Adds a column that is not there yet, as seen from the database.
struct AddsWhatIsMissing;

impl MigrationName for AddsWhatIsMissing {
    fn name(&self) -> &str {
        "m2_missing"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for AddsWhatIsMissing {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["note", "born_at"] {
            if !manager.has_column("parents", column).await? {
                let add = format!("alter table parents add column {column} timestamptz");
                manager.get_connection().execute_unprepared(&add).await?;
            }
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("alter table parents drop column born_at").await.map(drop)
    }
}

fn alone(statements: Vec<PlannedStatement>) -> PlannedMigration {
    let statements = statements
        .into_iter()
        .map(|statement| PlannedStatement { transactional: false, ..statement })
        .collect();
    PlannedMigration { transactional: false, ..migration(statements) }
}

#[tokio::test]
async fn an_index_built_concurrently_blocks_no_writes() {
    const SQL: &str = "create index concurrently parents_note_idx on parents (note)";
    let locks = [lock("parents", LockMode::ShareUpdateExclusive)];
    assert_eq!(planned!(SQL, false), alone(vec![statement(SQL, &locks, &[], &["parents"])]));
}

#[tokio::test]
async fn an_index_dropped_concurrently_scans_nothing() {
    const SQL: &str = "drop index concurrently children_note_idx";
    let locks = [lock("children", LockMode::ShareUpdateExclusive)];
    assert_eq!(planned!(SQL, false), alone(vec![statement(SQL, &locks, &[], &[])]));
}

#[tokio::test]
async fn a_vacuum_is_told_by_the_table_that_it_names() {
    const SQL: &str = "vacuum (analyze) parents";
    let locks = [lock("parents", LockMode::ShareUpdateExclusive)];
    assert_eq!(planned!(SQL, false), alone(vec![statement(SQL, &locks, &[], &["parents"])]));
}

#[tokio::test]
async fn an_index_built_concurrently_in_a_transaction_fails_as_it_would() {
    const SQL: &str = "create index concurrently parents_note_idx on parents (note)";
    let error = Some("CREATE INDEX CONCURRENTLY cannot run inside a transaction block".to_owned());
    let expected = PlannedMigration { error, ..migration(vec![statement(SQL, &[], &[], &[])]) };
    assert_eq!(planned!(SQL), expected);
}

#[tokio::test]
async fn several_statements_in_one_text_are_a_transaction_of_their_own() {
    const SQL: &str = "select 1; create index concurrently on parents (note)";
    let error = Some("CREATE INDEX CONCURRENTLY cannot run inside a transaction block".to_owned());
    let statements = ["select 1", "create index concurrently on parents (note)"];
    let statements = statements.map(|sql| statement(sql, &[], &[], &[])).to_vec();
    assert_eq!(planned!(SQL, false), PlannedMigration { error, ..alone(statements) });
}

#[tokio::test]
async fn what_was_validated_before_is_not_scanned_again() {
    const SQL: &str = "alter table parents add constraint rank_known check (rank is not null) not valid;
        alter table parents validate constraint rank_known;
        alter table parents alter column rank set not null";
    let statements = sql_and_locks(
        SQL,
        [LockMode::AccessExclusive, LockMode::ShareUpdateExclusive, LockMode::AccessExclusive],
    );
    let expected = statements.map(|(sql, mode)| {
        let scans: &[&str] = if mode == LockMode::ShareUpdateExclusive { &["parents"] } else { &[] };
        statement(sql, &[lock("parents", mode)], &[], scans)
    });
    assert_eq!(planned!(SQL), migration(expected.to_vec()));
}

fn sql_and_locks<const N: usize>(sql: &'static str, modes: [LockMode; N]) -> [(&'static str, LockMode); N] {
    let mut statements = sql.split(';').map(str::trim);
    modes.map(|mode| (statements.next().unwrap(), mode))
}

#[tokio::test]
async fn a_foreign_key_is_validated_without_blocking_writes() {
    const SQL: &str =
        "alter table children add constraint kin foreign key (parent_id) references parents not valid;
        alter table children validate constraint kin";
    let [(add, strong), (validate, weak)] =
        sql_and_locks(SQL, [LockMode::ShareRowExclusive, LockMode::ShareUpdateExclusive]);
    let expected = migration(vec![
        statement(add, &[lock("children", strong), lock("parents", strong)], &[], &[]),
        statement(
            validate,
            &[lock("children", weak), lock("parents", LockMode::RowShare)],
            &[],
            &["children", "parents"],
        ),
    ]);
    assert_eq!(planned!(SQL), expected);
}

#[tokio::test]
async fn a_search_path_of_its_own_leads_to_the_same_names() {
    after_tables!(Migrator, Sends { name: "m2", sql: "drop table children", transaction: true });
    let db = TestDb::empty(Database::Ardb).await;
    db.execute_unprepared("create schema \"My shop\"").await.unwrap();
    let set = "do $$ begin execute format('alter database %I set search_path = \"My shop\", public', \
        current_database()); end $$";
    db.execute_unprepared(set).await.unwrap();
    let moved = sea_orm::Database::connect(db.url()).await.unwrap();
    let runner = Runner::new::<Migrator>("test");
    runner.up_by(&moved, &Extent::Count(1)).await.unwrap();
    let plan = runner.plan(&moved, &Extent::All).await.unwrap();
    let drop = statement("drop table children", &[lock("children", LockMode::AccessExclusive)], &[], &[]);
    assert_eq!(plan.migrations, [migration(vec![drop])]);
}

#[tokio::test]
async fn a_question_is_answered_and_marks_the_migration() {
    after_tables!(Migrator, AddsWhatIsMissing);
    let (_db, plan) = planned_after_tables(&Runner::new::<Migrator>("test")).await;
    let sql = "alter table parents add column born_at timestamptz";
    let expected = PlannedMigration {
        name: "m2_missing".to_owned(),
        reversible: Reversible::Yes,
        depends_on_data: true,
        ..migration(vec![statement(sql, &[lock("parents", LockMode::AccessExclusive)], &[], &[])])
    };
    assert_eq!(plan, Plan { database: "test".to_owned(), migrations: vec![expected] });
}

#[tokio::test]
async fn a_statement_that_fails_ends_the_plan_in_the_servers_words() {
    after_tables!(
        Migrator,
        Sends { name: "m2", sql: "drop table nothing; drop table parents", transaction: true },
        Sends { name: "m3", sql: "drop table children", transaction: true }
    );
    let (_db, plan) = planned_after_tables(&Runner::new::<Migrator>("test")).await;
    let expected = PlannedMigration {
        error: Some("table \"nothing\" does not exist".to_owned()),
        ..migration(vec![statement("drop table nothing", &[], &[], &[])])
    };
    assert_eq!(plan, Plan { database: "test".to_owned(), migrations: vec![expected] });
}

#[tokio::test]
async fn what_these_migrations_make_themselves_holds_nobody_up() {
    const SQL: &str = "create table toys (id bigint primary key, parent_id bigint);
        create index on toys (parent_id);
        alter table toys add foreign key (parent_id) references parents;
        set local search_path = pg_catalog;
        insert into public.toys values (1, null)";
    let new = |sql| PlannedStatement { new: true, ..statement(sql, &[], &[], &[]) };
    let expected = migration(vec![
        new("create table toys (id bigint primary key, parent_id bigint)"),
        new("create index on toys (parent_id)"),
        statement(
            "alter table toys add foreign key (parent_id) references parents",
            &[lock("parents", LockMode::ShareRowExclusive)],
            &[],
            &[],
        ),
        statement("set local search_path = pg_catalog", &[], &[], &[]),
        new("insert into public.toys values (1, null)"),
    ]);
    assert_eq!(planned!(SQL), expected);
}

#[tokio::test]
async fn rows_and_bytes_are_those_of_the_real_database_which_stays_as_it_is() {
    after_tables!(Migrator, Sends { name: "m2", sql: "drop table children", transaction: true });
    let db = TestDb::empty(Database::Ardb).await;
    let runner = Runner::new::<Migrator>("test").claim("m2", Claims::new().depends_on_data());
    runner.up_by(&db, &Extent::Count(1)).await.unwrap();
    let fill = "insert into children select n, n, 'note' from generate_series(1, 3000) n";
    db.execute_unprepared(fill).await.unwrap();
    db.execute_unprepared("analyze children").await.unwrap();
    let before = runner.catalog(db.connection()).await.unwrap();
    let plan = runner.plan(&db, &Extent::Count(1)).await.unwrap();
    let lock = &plan.migrations[0].statements[0].locks[0];
    assert!(plan.migrations[0].depends_on_data);
    assert_eq!(lock.estimated_rows, Some(3000));
    assert!(lock.size_bytes.is_some_and(|bytes| bytes > 200_000), "{lock}");
    assert_eq!(runner.catalog(db.connection()).await.unwrap(), before);
    assert_eq!(runner.plan(&db, &Extent::Count(0)).await.unwrap().migrations, []);
}

#[tokio::test]
async fn a_role_has_to_be_allowed_to_create_databases_and_then_leaves_none_behind() {
    after_tables!(Migrator, Sends { name: "m2", sql: "drop table nothing", transaction: true });
    let db = TestDb::empty(Database::Ardb).await;
    let runner = Runner::new::<Migrator>("test");
    runner.up_by(&db, &Extent::Count(1)).await.unwrap();
    let role = format!("planner_{}", std::process::id());
    let execute = async |sql: String| db.execute_unprepared(&sql).await.map(drop).unwrap();
    execute(format!(
        "create role {role} login password 'x'; grant select on all tables in schema public to {role}; \
         grant create on schema public to {role}"
    ))
    .await;
    let mut url: url::Url = db.url().parse().unwrap();
    url.set_username(&role).unwrap();
    url.set_password(Some("x")).unwrap();
    let as_role = sea_orm::Database::connect(url.as_str()).await.unwrap();
    let refused = runner.plan(&as_role, &Extent::All).await.unwrap_err().to_string();
    execute(format!("alter role {role} createdb")).await;
    let failing = runner.plan(&as_role, &Extent::All).await.unwrap();
    as_role.close().await.unwrap();
    // The server does not drop a role that still owns a database.
    execute(format!("drop owned by {role}; drop role {role}")).await;
    assert!(
        refused.contains("throwaway database") && refused.contains("`alter role … createdb`"),
        "{refused}"
    );
    assert_eq!(failing.migrations[0].error.as_deref(), Some("table \"nothing\" does not exist"));
}

#[tokio::test]
async fn every_migration_of_archer_can_be_planned() {
    let runners = [
        Runner::new::<migration_ardb::Migrator>("ardb"),
        Runner::new::<migration_identitydb::Migrator>("identitydb"),
        Runner::new::<migration_analyticsdb::Migrator>("analyticsdb"),
    ];
    for runner in runners {
        let db = TestDb::empty(Database::Ardb).await;
        runner.up_by(&db, &Extent::Count(1)).await.unwrap();
        let plan = runner.plan(&db, &Extent::All).await.unwrap();
        let failing: Vec<_> = plan.migrations.iter().filter(|migration| migration.error.is_some()).collect();
        assert!(failing.is_empty(), "{failing:?}");
    }
}
