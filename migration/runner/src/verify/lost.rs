//! Which rows are no longer what they were.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Map, Value};

use crate::Claims;

/// So many rows of a table are told one by one.
const TOLD: usize = 5;

/// The rows by table, each an object with a text or null per column.
pub(super) type Rows = BTreeMap<String, Vec<Value>>;

/// The columns of primary keys by table.
pub(super) type Keys = BTreeMap<String, Vec<String>>;

/// For each table, the rows of `before` that `after` no longer has with these values, and what has become of
/// them. Columns that `after` has beyond those do not matter, nor what the claims give up.
pub(super) fn lost(
    before: &Rows,
    after: &Rows,
    keys: &Keys,
    claims: Claims,
) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    for (table, rows) in before {
        let none = Vec::new();
        let left = after.get(table).unwrap_or(&none);
        let key = keys.get(table).map_or(&[][..], Vec::as_slice);
        let of_table = lost_of(table, rows, left, key, claims);
        if !of_table.is_empty() {
            found.insert(table.clone(), shortened(of_table));
        }
    }
    found
}

/// `rows` without those that are not in `after` as they are in `before`, told by their key: what a trigger derives from
/// others changes when others are added, and no migration has lost it.
pub(super) fn unmoved(mut rows: Rows, before: &Rows, after: &Rows, keys: &Keys) -> Rows {
    for (table, rows) in &mut rows {
        let (Some(before), Some(key)) = (before.get(table), keys.get(table)) else { continue };
        let after: HashSet<String> = after.get(table).into_iter().flatten().map(Value::to_string).collect();
        let moved = before.iter().filter(|row| !key.is_empty() && !after.contains(&row.to_string()));
        let moved: Vec<Vec<Value>> = moved.map(|row| identity(row, key)).collect();
        rows.retain(|row| !moved.contains(&identity(row, key)));
    }
    rows
}

fn identity(row: &Value, key: &[String]) -> Vec<Value> {
    key.iter().map(|column| row.get(column).cloned().unwrap_or_default()).collect()
}

fn lost_of(table: &str, before: &[Value], after: &[Value], key: &[String], claims: Claims) -> Vec<String> {
    let kept = |column: &str| !claims.loses(table, column);
    let Some(columns) = before.first().and_then(Value::as_object) else { return Vec::new() };
    let columns: Vec<&String> = columns.keys().filter(|column| kept(column)).collect();
    let project = |row: &Value| -> String {
        let pairs =
            columns.iter().filter_map(|&column| row.get(column).map(|value| (column.clone(), value.clone())));
        Value::Object(pairs.collect::<Map<_, _>>()).to_string()
    };
    if columns.is_empty() {
        return Vec::new();
    }
    let mut left: HashMap<String, usize> = HashMap::new();
    for row in after {
        *left.entry(project(row)).or_default() += 1;
    }
    let mut lost = Vec::new();
    for row in before {
        match left.get_mut(&project(row)) {
            Some(count) if *count > 0 => *count -= 1,
            _ => lost.push(told(row, after, &columns, key)),
        }
    }
    lost
}

/// The row by its key and what changed, or in full where nothing has its key.
fn told(row: &Value, after: &[Value], columns: &[&String], key: &[String]) -> String {
    let same = after.iter().find(|other| !key.is_empty() && identity(other, key) == identity(row, key));
    let Some(same) = same else { return format!("{row} is gone") };
    let named = key.iter().map(|column| format!("{column} {}", text(row.get(column))));
    let changes = columns.iter().filter(|&&column| row.get(column) != same.get(column)).map(|column| {
        let now = same.get(column.as_str());
        match now {
            Some(_) => format!("{column} was {} and is {}", text(row.get(column.as_str())), text(now)),
            None => format!("{column} was {} and is no column any more", text(row.get(column.as_str()))),
        }
    });
    format!("{}: {}", named.collect::<Vec<_>>().join(", "), changes.collect::<Vec<_>>().join(", "))
}

fn text(value: Option<&Value>) -> String {
    value.map_or_else(|| "null".to_owned(), ToString::to_string)
}

fn shortened(mut lost: Vec<String>) -> Vec<String> {
    let more = lost.len().saturating_sub(TOLD);
    if more > 0 {
        lost.truncate(TOLD);
        lost.push(format!("… and {more} more"));
    }
    lost
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rows(of: &[Value]) -> Rows {
        [("t".to_owned(), of.to_vec())].into()
    }

    fn lost_with(before: &[Value], after: &[Value], claims: Claims) -> Vec<String> {
        let keys = [("t".to_owned(), vec!["id".to_owned()])].into();
        lost(&rows(before), &rows(after), &keys, claims).remove("t").unwrap_or_default()
    }

    #[test]
    fn a_row_is_lost_when_gone_or_different_and_once_for_each_time_it_was_there() {
        let row = |id: &str, name: &str| json!({"id": id, "name": name});
        let none = Claims::new();
        assert_eq!(lost_with(&[row("1", "a")], &[row("2", "x"), row("1", "a")], none), [""; 0]);
        assert_eq!(lost_with(&[row("1", "a")], &[], none), [r#"{"id":"1","name":"a"} is gone"#]);
        assert_eq!(
            lost_with(&[row("1", "a")], &[row("1", "b")], none),
            [r#"id "1": name was "a" and is "b""#]
        );
        let twice = [row("1", "a"), row("1", "a")];
        assert_eq!(lost_with(&twice, &twice[..1], none).len(), 1);
    }

    #[test]
    fn columns_that_are_new_or_given_up_do_not_matter_and_one_that_is_missing_does() {
        let (before, after) = ([json!({"id": "1", "name": "a"})], [json!({"id": "1", "other": "b"})]);
        assert_eq!(lost_with(&before, &after, Claims::new().down_loses(&["t.name"])), [""; 0]);
        assert_eq!(lost_with(&before, &[], Claims::new().down_loses(&["t"])), [""; 0]);
        assert_eq!(
            lost_with(&before, &after, Claims::new()),
            [r#"id "1": name was "a" and is no column any more"#]
        );
    }

    #[test]
    fn what_others_moved_is_left_out_and_the_rest_is_kept() {
        let row = |id: &str, name: &str| json!({"id": id, "name": name});
        let keys = [("t".to_owned(), vec!["id".to_owned()])].into();
        let (before, after) = (rows(&[row("1", "a"), row("2", "b")]), rows(&[row("1", "x"), row("2", "b")]));
        let first = rows(&[row("1", "first"), row("2", "first")]);
        assert_eq!(unmoved(first, &before, &after, &keys), rows(&[row("2", "first")]));
    }

    #[test]
    fn no_more_than_a_few_rows_are_told() {
        let many: Vec<Value> = (0..8).map(|id| json!({"id": id.to_string()})).collect();
        let told = lost_with(&many, &[], Claims::new());
        assert_eq!((told.len(), told[5].as_str()), (6, "… and 3 more"));
    }
}
