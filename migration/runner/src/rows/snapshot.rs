//! Every row of every table, to compare.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DbErr};
use serde_json::Value;

use super::statement;
use super::tables::Schema;

/// The rows of every table outside the system's schemas, each an object with a text or null per column, so
/// that no number loses digits on the way. One statement, beside the one that reads the catalog.
pub(crate) async fn snapshot(db: &impl ConnectionTrait) -> Result<BTreeMap<String, Vec<Value>>, DbErr> {
    let schema = Schema::read(db).await?;
    let mut rows: BTreeMap<String, Vec<Value>> =
        schema.tables.iter().map(|table| (table.name.clone(), Vec::new())).collect();
    let selects = schema.tables.iter().map(|table| {
        let only = if table.partitioned { "" } else { "only " };
        format!(
            "select '{}' as name, (select jsonb_object_agg(key, value) from jsonb_each_text(to_jsonb(made_up.*)))::text \
             as content from {only}{} as made_up",
            table.name.replace('\'', "''"),
            table.sql
        )
    });
    let selects = selects.collect::<Vec<_>>().join(" union all ");
    if selects.is_empty() {
        return Ok(rows);
    }
    for row in db.query_all_raw(statement(db, &selects)).await? {
        let (table, content): (String, Option<String>) =
            (row.try_get("", "name")?, row.try_get("", "content")?);
        let content = serde_json::from_str(content.as_deref().unwrap_or("{}"));
        rows.entry(table).or_default().push(content.map_err(|error| DbErr::Json(error.to_string()))?);
    }
    Ok(rows)
}

/// The columns of every table's primary key, in its order; none for a table without one.
pub(crate) async fn primary_keys(db: &impl ConnectionTrait) -> Result<BTreeMap<String, Vec<String>>, DbErr> {
    let schema = Schema::read(db).await?;
    Ok(schema.tables.into_iter().map(|table| (table.name, table.primary_key)).collect())
}
