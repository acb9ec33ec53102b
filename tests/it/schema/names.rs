//! Names: of constraints and indexes, and across the databases.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::FromQueryResult;

use super::{DATABASES, rows};
use crate::harness::TestDb;

/// PostgreSQL keeps this many bytes of a name.
const NAME_MAX: usize = 63;

/// The name that PostgreSQL itself would choose: `<table>_<columns>_<suffix>`, of which the longer of table
/// and columns is cut until the whole fits.
fn conventional(table: &str, columns: &str, suffix: &str) -> String {
    let (mut table, mut columns) = (table, columns);
    while table.len() + columns.len() + suffix.len() + 2 > NAME_MAX {
        let longer = if table.len() > columns.len() { &mut table } else { &mut columns };
        *longer = &longer[..longer.len() - 1];
    }
    format!("{table}_{columns}_{suffix}")
}

#[derive(FromQueryResult)]
struct Named {
    table: String,
    name: String,
    columns: Option<String>,
    suffix: String,
}

#[tokio::test]
async fn every_constraint_and_index_is_named_after_its_table_and_columns() {
    let query = r#"
        select t.name as "table", c.conname::text as name,
            (select string_agg(a.attname, '_' order by case when c.contype = 'c' then a.attnum else k.position end)
             from unnest(c.conkey) with ordinality as k (attnum, position)
             join pg_attribute a on a.attrelid = t.oid and a.attnum = k.attnum) as columns,
            case c.contype when 'u' then 'key' when 'f' then 'fkey' when 'c' then 'check' end as suffix
        from tables t join pg_constraint c on c.conrelid = t.oid and c.contype in ('u', 'f', 'c')
        union all
        select t.name, i.indexrelid::regclass::text,
            (select string_agg(a.attname, '_' order by k.position)
             from unnest(i.indkey::smallint[]) with ordinality as k (attnum, position)
             join pg_attribute a on a.attrelid = t.oid and a.attnum = k.attnum),
            case when i.indisunique then 'key' else 'idx' end
        from tables t join pg_index i on i.indrelid = t.oid and not i.indisprimary
        where not exists (select from pg_constraint c where c.conindid = i.indexrelid and c.contype = 'u')
        order by 2"#;
    let db = TestDb::overlaid().await;
    let (actual, expected): (Vec<String>, Vec<String>) = rows::<Named>(&db, query)
        .await
        .into_iter()
        .map(|named| {
            let columns = named.columns.expect("a constraint or an index of this house is over columns");
            (named.name, conventional(&named.table, &columns, &named.suffix))
        })
        .unzip();
    assert_eq!(actual, expected);
    assert!(!actual.is_empty());
}

#[tokio::test]
async fn every_primary_key_and_sequence_is_named_after_its_table() {
    let query = "
        select format('%s, %s', c.conname, pg_get_serial_sequence(t.name, 'id')::regclass) as text
        from standard t join pg_constraint c on c.conrelid = t.oid and c.contype = 'p' order by t.name";
    let expected = "select format('%1$s_pkey, %1$s_id_seq', name) as text from standard order by name";
    let db = TestDb::overlaid().await;
    assert_eq!(super::texts(&db, query).await, super::texts(&db, expected).await);
}

#[tokio::test]
async fn every_table_has_a_primary_key_that_is_named_after_it() {
    let query = "
        select t.name as text from tables t
        where not exists (
            select from pg_constraint c
            where c.conrelid = t.oid and c.contype = 'p' and c.conname = t.name || '_pkey')";
    let db = TestDb::overlaid().await;
    assert_eq!(super::texts(&db, query).await, Vec::<String>::new());
}

#[derive(FromQueryResult)]
struct Object {
    kind: String,
    name: String,
}

/// So that all three can be migrated into one. What an extension brings belongs to none of them.
#[tokio::test]
async fn no_two_databases_share_a_name() {
    let query = "
        select 'relation' as kind, relname::text as name from pg_class c
        where relnamespace = current_schema()::regnamespace
          and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
        union all
        select 'type', typname::text from pg_type y
        where typnamespace = current_schema()::regnamespace
          and not exists (select from pg_depend d where d.objid = y.oid and d.deptype = 'e')
          -- the array type of what an extension brings
          and not exists (
              select from pg_depend d join pg_type element on element.oid = d.objid
              where element.typarray = y.oid and d.deptype = 'e')
        union all
        select 'function', proname::text from pg_proc p
        where pronamespace = current_schema()::regnamespace
          and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
        union all
        select 'constraint', conname::text from pg_constraint c
        where connamespace = current_schema()::regnamespace and coninhcount = 0 -- a partition's are its parent's
        union all
        select 'trigger', tgname::text from pg_trigger where not tgisinternal";
    let mut owners = BTreeMap::<(String, String), BTreeSet<&str>>::new();
    for (database, name) in DATABASES {
        let db = TestDb::migrated(database).await;
        for object in rows::<Object>(&db, query).await {
            owners.entry((object.kind, object.name)).or_default().insert(name);
        }
    }
    for (_, name) in DATABASES {
        assert_eq!(owners[&("relation".to_owned(), format!("{name}_migrations"))], BTreeSet::from([name]));
    }
    owners.retain(|_, databases| databases.len() > 1);
    assert_eq!(owners, BTreeMap::new());
}
