//! What becomes of what is written, beside unique keys and checks: references, `updated_at`, lengths, partitions.

use sea_orm::{ConnectionTrait, FromQueryResult};

use super::{filled, rows, texts, violation};

#[derive(FromQueryResult)]
struct ForeignKey {
    name: String,
    table: String,
    column: String,
}

#[tokio::test]
async fn every_foreign_key_refuses_a_row_that_is_not_there() {
    let query = r#"
        select c.conname::text as name, t.name as "table", a.attname::text as "column"
        from tables t
        join pg_constraint c on c.conrelid = t.oid and c.contype = 'f'
        join pg_attribute a on a.attrelid = t.oid and a.attnum = c.conkey[1]"#;
    let db = filled().await;
    let keys: Vec<ForeignKey> = rows(&db, query).await;
    assert!(!keys.is_empty());
    for ForeignKey { name, table, column } in keys {
        // One row, or a unique key would refuse first; not every table has an id to name it by.
        let one = format!("ctid = (select min(ctid) from {table})");
        let sql = format!("update {table} set {column} = -1 where {one}");
        assert_eq!(violation(&db, &sql).await, Err(name));
    }
}

#[tokio::test]
async fn every_referenced_row_stays_while_something_refers_to_it() {
    let query = "
        select distinct c.confrelid::regclass::text as text
        from tables t join pg_constraint c on c.conrelid = t.oid and c.contype = 'f'";
    let db = filled().await;
    let refer = "
        update inventory_components set package_id = 1, version_id = 1;
        update packages set repository_id = 1;
        update versions set licence_id = 1;";
    db.execute_unprepared(refer).await.unwrap();
    for table in texts(&db, query).await {
        let refused = violation(&db, &format!("delete from {table} where id = 1")).await.unwrap_err();
        assert!(refused.ends_with("_fkey"), "{table}: {refused}");
    }
}

#[tokio::test]
async fn every_table_moves_updated_at_and_nothing_else_on_an_update() {
    let db = filled().await;
    for table in texts(&db, "select name as text from standard").await {
        let before = format!("create table before as select * from {table} where id = 1");
        db.execute_unprepared(&before).await.unwrap();
        db.execute_unprepared(&format!("update {table} set id = id, updated_at = 'epoch' where id = 1"))
            .await
            .unwrap();
        let moved = format!(
            "select case when n.updated_at > b.updated_at
                          and to_jsonb(n) - 'updated_at' = to_jsonb(b) - 'updated_at' then 'moved' end as text
             from {table} n join before b using (id)"
        );
        assert_eq!(texts(&db, &moved).await, ["moved"], "{table}");
        db.execute_unprepared("drop table before").await.unwrap();
    }
}

/// A b-tree holds 2,704 bytes per row. Random text does not compress, so these keys are as long inside the
/// index as they get.
#[tokio::test]
async fn the_longest_values_that_the_checks_let_through_fit_in_every_index() {
    let longest = "
        create function random_text(bytes integer) returns text language sql volatile as $$
            select left(string_agg(translate(encode(sha512(random()::text::bytea), 'base64'), E'\n', ''), ''), bytes)
            from generate_series(1, 32)
        $$;
        update packages set namespace = random_text(256), name = random_text(256), normalized_name = random_text(256);
        update versions set number = random_text(256), sort_key = convert_to(random_text(2048), 'UTF8');
        update licences set expression = random_text(1024);
        update repositories set url = 'https://' || random_text(1016), host = random_text(256), path = random_text(1024);
        update maintainers set login = random_text(256);
        update keywords set name = lower(random_text(256));
        update categories set slug = random_text(256);
        update dependencies set namespace = random_text(256), name = random_text(256), package_id = null,
            normalized_name = random_text(256), alias = random_text(256), target = random_text(1024),
            registry = random_text(512);
        update source_documents set locator = random_text(2048);
        update advisories set identifier = random_text(256);
        update advisory_aliases set alias = random_text(256);
        update affected_packages set namespace = random_text(256), normalized_name = random_text(256),
            release = random_text(256);
        update advisory_severities set kind = random_text(64), vector = random_text(1024);
        update advisory_references set kind = random_text(64), url = random_text(2048);
        update affected_versions set number = random_text(256);
        update inventories set name = random_text(1024);
        update inventory_components set namespace = random_text(256), normalized_name = random_text(256),
            number = random_text(256), source = random_text(1024), upstream_name = random_text(256),
            upstream_number = random_text(256);
        update package_rankings set namespace = random_text(256), name = random_text(256);";
    assert_eq!(violation(&filled().await, longest).await, Ok(()));
}

#[tokio::test]
async fn downloads_are_counted_once_per_version_and_day_and_only_in_a_month_that_was_added() {
    let db = filled().await;
    let add = |day: &str| {
        format!("insert into version_downloads (version_id, day, downloads) values (1, '{day}', 1)")
    };
    let twice = violation(&db, &add("2026-11-02")).await;
    assert_eq!(twice, Err("version_downloads_2026_11_pkey".to_owned()));
    let negative = violation(&db, "update version_downloads set downloads = -1").await;
    assert_eq!(negative, Err("version_downloads_downloads_check".to_owned()));
    let missing = violation(&db, "update version_downloads set version_id = -1").await;
    assert_eq!(missing, Err("version_downloads_version_id_fkey".to_owned()));
    assert!(violation(&db, &add("2024-02-29")).await.unwrap_err().contains("no partition"));
    for _ in 0..2 {
        let added = "select ardb_add_version_downloads_partition('2024-02-29')";
        assert_eq!(violation(&db, added).await, Ok(()));
    }
    assert_eq!(violation(&db, &add("2024-02-29")).await, Ok(()));
    let partitions = "select inhrelid::regclass::text as text from pg_inherits
                      where inhparent = 'version_downloads'::regclass order by 1";
    assert_eq!(texts(&db, partitions).await, ["version_downloads_2024_02", "version_downloads_2026_11"]);
}

#[tokio::test]
async fn a_deleted_address_is_free_again_and_an_unverified_one_is_free_for_all() {
    let statements = "
        insert into users (name) values ('bob');
        insert into user_emails (user_id, email) values (2, 'ada@example.org');
        update user_emails set deleted_at = now() where user_id = 1;
        update user_emails set is_primary = true, verified_at = now() where user_id = 2;
        insert into user_emails (user_id, email, is_primary) values (1, 'ada@example.org', true);";
    assert_eq!(violation(&filled().await, statements).await, Ok(()));
}
