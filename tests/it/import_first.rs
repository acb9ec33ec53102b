//! A first import of crates.io's database dump, which is written all at once: what it leaves is what one that is written
//! row by row leaves, and what can't be written so is rejected with its place.

use std::{collections::BTreeMap, fs, path::Path};

use migration_runner::catalog;
use sea_orm::DatabaseConnection;
use service::ardb::{
    derived,
    import::{Report, crates_io_dump},
};

use crate::{
    harness::{Database, TestDb},
    import_support::{changeable, content, execute, fixture, lines, now, rows},
    made_dump::Made,
};

/// Before `data/`.
const FOLDER: &str = "2026-01-02-020000";

async fn import(db: &DatabaseConnection, input: &Path) -> Report {
    crates_io_dump(db, input, now(), &()).await.unwrap()
}

/// All rows but for ids and times; derived ones have to follow from the rest, and foreign keys to hold by the server's
/// own account.
async fn left(db: &TestDb) -> BTreeMap<&'static str, Vec<String>> {
    for table in derived::verify(&**db).await.unwrap() {
        assert!(table.is_right(), "{table:?}");
    }
    let validate = "
        do $$
        declare
            held record;
        begin
            for held in
                select conrelid::regclass as table, conname, pg_get_constraintdef(oid) as definition
                from pg_constraint where contype = 'f' and conparentid = 0 and connamespace = 'public'::regnamespace
            loop
                execute format('alter table %s drop constraint %I', held.table, held.conname);
                execute format('alter table %s add constraint %I %s', held.table, held.conname, held.definition);
            end loop;
        end $$";
    execute(db, validate).await;
    let downloads = "select concat_ws(' ', p.name, number, day, downloads) as line
        from version_downloads d join versions v on v.id = d.version_id join packages p on p.id = v.package_id
        order by 1";
    let mut left = content(db).await;
    left.insert("version_downloads", lines(db, downloads).await);
    left
}

/// The months of which dumps have downloads. Who may not create tables needs them beforehand.
async fn add_partitions(db: &DatabaseConnection) {
    let add = "select ardb_add_version_downloads_partition(day::date)
        from generate_series('2025-12-01', '2026-01-01', interval '1 month') as month (day)";
    execute(db, add).await;
}

#[tokio::test]
async fn a_first_import_leaves_what_one_by_a_role_that_may_only_write_rows_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let dump = folder.path().join("dump.tar.gz");
    Made { seed: 11, versions: 500, dependencies: 4_000 }.write(&dump).unwrap();

    let at_once = TestDb::migrated(Database::Ardb).await;
    assert_eq!(import(&at_once, &dump).await.notes, [""; 0]);

    let by_row = TestDb::migrated(Database::Ardb).await;
    add_partitions(&by_row).await;
    let role = format!("writer_of_rows_{}", std::process::id());
    let grant = format!(
        "create role {role};
         grant select, insert, update, delete on all tables in schema public to {role};
         grant all on all sequences in schema public to {role}"
    );
    execute(&by_row, &grant).await;
    let writer = sea_orm::Database::connect(by_row.url_as(&role)).await.unwrap();
    let report = import(&writer, &dump).await;
    let way_out =
        format!("a superuser can do more: grant set on parameter session_replication_role to {role}");
    let note = format!("a first import, but row by row: {way_out}");
    assert_eq!(report.notes, [note]);
    writer.close().await.unwrap();

    assert_eq!(left(&at_once).await, left(&by_row).await);
    execute(&by_row, &format!("drop owned by {role}; drop role {role}")).await;
}

#[tokio::test]
async fn a_first_import_leaves_the_catalog_as_it_was() {
    let db = TestDb::migrated(Database::Ardb).await;
    add_partitions(&db).await;
    let comments = "
        comment on index versions_licence_id_idx is 'An index''s own.';
        comment on constraint versions_package_id_number_key on versions is 'A constraint''s own.'";
    execute(&db, comments).await;
    let before = catalog::snapshot(&*db, &[]).await.unwrap();
    assert_eq!(import(&db, &fixture("crates-io-dump")).await.notes, [""; 0]);
    assert_eq!(before.difference(&catalog::snapshot(&*db, &[]).await.unwrap()), [""; 0]);
}

#[tokio::test]
async fn what_others_have_is_left_alone_and_the_next_ids_are_free() {
    let db = TestDb::migrated(Database::Ardb).await;
    let packages = "
        insert into packages (ecosystem_id, name, normalized_name)
        select id, nth::text, nth::text from ecosystems, generate_series(1, 3) as nth where name = 'npm'";
    execute(&db, packages).await;
    assert_eq!(import(&db, &fixture("crates-io-dump")).await.notes, [""; 0]);
    let more = "
        insert into packages (ecosystem_id, name, normalized_name) select min(id), 'more', 'more' from ecosystems;
        insert into versions (package_id, number)
        select (select max(id) from packages), nth::text from generate_series(1, 9) as nth";
    execute(&db, more).await;
    let count =
        "select concat_ws(' ', (select count(*) from packages), (select count(*) from versions)) as line";
    assert_eq!(lines(&db, count).await, ["6 12"]);
    left(&db).await;
}

/// Appends a line to the dependencies of the fixture and imports it; the report.
async fn with_dependency(db: &TestDb, line: &str) -> Report {
    let dump = changeable("crates-io-dump");
    let file = dump.path().join(FOLDER).join("data/dependencies.csv");
    fs::write(&file, fs::read_to_string(&file).unwrap() + line + "\n").unwrap();
    import(db, dump.path()).await
}

#[tokio::test]
async fn a_dependency_of_or_on_what_is_not_there_is_rejected_and_never_stored() {
    for (line, is_told) in [("2,t,,{},9,0,f,*,,999", true), ("999,t,,{},9,0,f,*,,1", false)] {
        let db = TestDb::migrated(Database::Ardb).await;
        let report = with_dependency(&db, line).await;
        let rejected = &report.rejected[0];
        assert_eq!(report.rejected_total, 1);
        assert_eq!(rejected.place, "data/dependencies.csv:5", "{line}");
        assert_eq!(rejected.reason, "refers to what is not in the dump, or was rejected");
        assert_eq!(rows(&report, "dependencies"), (3, 0, 0));
        assert_eq!(!report.notes.is_empty(), is_told, "{:?}", report.notes);
        left(&db).await;
    }
}

#[tokio::test]
async fn a_dependency_that_is_there_twice_is_rejected_and_the_first_stored() {
    let db = TestDb::migrated(Database::Ardb).await;
    let file = fixture("crates-io-dump").join(FOLDER).join("data/dependencies.csv");
    let last = fs::read_to_string(file).unwrap().lines().last().unwrap().to_owned();
    let report = with_dependency(&db, &last).await;
    assert_eq!(report.rejected_total, 1);
    assert_eq!(report.rejected[0].place, "data/dependencies.csv:5");
    assert_eq!(report.rejected[0].reason, "is there twice; only the first is read");
    assert_eq!(rows(&report, "dependencies"), (3, 0, 0));
    assert!(report.notes[0].contains("could not create unique index"), "{:?}", report.notes);
    left(&db).await;
}

#[tokio::test]
async fn while_somebody_reads_the_tables_a_first_import_goes_row_by_row() {
    let db = TestDb::migrated(Database::Ardb).await;
    let mut reader = db.get_postgres_connection_pool().begin().await.unwrap();
    sea_orm::sqlx::query("select from versions").execute(&mut *reader).await.unwrap();
    let report = import(&db, &fixture("crates-io-dump")).await;
    assert!(report.notes[0].contains("lock timeout"), "{:?}", report.notes);
    assert_eq!(rows(&report, "dependencies"), (3, 0, 0));
    reader.rollback().await.unwrap();
    let expected = TestDb::migrated(Database::Ardb).await;
    import(&expected, &fixture("crates-io-dump")).await;
    assert_eq!(left(&db).await, left(&expected).await);
}
