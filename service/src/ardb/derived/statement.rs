//! The two statements that every derived table has, made from its columns.

use super::{MAX_EXAMPLES, Table};

/// Counts the rows that differ, and shows the first of them. One row: `missing`, `superfluous`, `different`,
/// `examples`.
pub(super) fn compare(table: &Table) -> String {
    let Table { name, expected, .. } = table;
    let keys = table.key.join(", ");
    let (first, differ) = (table.key[0], differ(table));
    format!(
        "with expected as ({expected}),
         difference as (
             select {keys}, to_jsonb(expected) as expected, to_jsonb(kept) - 'updated_at' as found
             from expected
             full join {name} kept using ({keys})
             where expected.{first} is null or kept.{first} is null or {differ}
         )
         select
             count(*) filter (where found is null) as missing,
             count(*) filter (where expected is null) as superfluous,
             count(*) filter (where found is not null and expected is not null) as different,
             (
                 select coalesce(jsonb_agg(jsonb_build_object('expected', expected, 'found', found) order by {keys}), '[]')
                 from (select * from difference order by {keys} limit {MAX_EXAMPLES}) example
             ) as examples
         from difference"
    )
}

/// Removes, writes and overwrites what differs. One row: how many were inserted, updated, deleted.
pub(super) fn rebuild(table: &Table) -> String {
    let Table { name, expected, .. } = table;
    let keys = table.key.join(", ");
    let columns = [table.key, table.values].concat().join(", ");
    let (first, differ) = (table.key[0], differ(table));
    let same = each(table.key, " and ", |key| format!("expected.{key} = kept.{key}"));
    let mut overwrite = each(table.values, ", ", |value| format!("{value} = excluded.{value}"));
    if table.has_updated_at {
        overwrite.push_str(", updated_at = now()");
    }
    format!(
        "with expected as materialized ({expected}),
         gone as (
             delete from {name} kept where not exists (select from expected where {same}) returning 1
         ),
         written as (
             insert into {name} ({columns})
             select {written}
             from expected
             left join {name} kept on {same}
             where kept.{first} is null or {differ}
             order by {ordered}
             on conflict ({keys}) do update set {overwrite}
             returning (xmax = 0) as is_new
         )
         select
             count(*) filter (where is_new),
             count(*) filter (where not is_new),
             (select count(*) from gone)
         from written",
        written = each(&[table.key, table.values].concat(), ", ", |column| format!("expected.{column}")),
        ordered = each(table.key, ", ", |key| format!("expected.{key}")),
    )
}

fn differ(table: &Table) -> String {
    let of = |row: &str| each(table.values, ", ", |value| format!("{row}.{value}"));
    format!("row({}) is distinct from row({})", of("expected"), of("kept"))
}

fn each(columns: &[&str], separator: &str, write: impl Fn(&str) -> String) -> String {
    columns.iter().map(|column| write(column)).collect::<Vec<_>>().join(separator)
}
