//! Which rows a table has already.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Write as _;

use crate::client::Client;
use crate::envelope::{Event, EventId};
use crate::error::{Class, Result};
use crate::query::instant;

use super::batch::Batch;
use super::decode;
use super::encode::EVENTS;
use super::send::wait_or_fail;

/// Those of `events` that the table has, as far as can be told within `attempts`. Looks only where they would be: at
/// their tenants and times.
pub(super) async fn events(client: &Client, events: &[Event], attempts: u32) -> Result<HashSet<EventId>> {
    let times = || events.iter().map(|event| event.occurred_at);
    let (Some(first), Some(last)) = (times().min(), times().max()) else { return Ok(HashSet::new()) };
    let tenants: BTreeSet<&str> = events.iter().map(|event| event.tenant.as_str()).collect();
    // In hexadecimal there is nothing to quote.
    let hex = |tenant: &&str| tenant.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    let tenants: Vec<_> = tenants.iter().map(|tenant| format!("unhex('{}')", hex(tenant))).collect();
    let condition = format!(
        "tenant IN ({}) AND occurred_at >= toDateTime64('{}', 3, 'UTC') AND occurred_at <= toDateTime64('{}', 3, 'UTC')",
        tenants.join(", "),
        instant(first),
        instant(last),
    );
    let ids = events.iter().map(|event| event.event_id);
    lookup(client, "events", "event_id", &condition, ids, attempts).await
}

/// Those of the letters of these `ids` that the table has, as far as can be told within `attempts`.
pub(super) async fn letters(
    client: &Client,
    ids: impl Iterator<Item = EventId> + Clone,
    attempts: u32,
) -> Result<HashSet<EventId>> {
    lookup(client, "dead_letters", "letter_id", "1", ids, attempts).await
}

/// Whether the table has every row of `batch`; false, too, if that can't be told.
pub(super) async fn has_all(client: &Client, batch: &Batch, attempts: u32) -> Result<bool> {
    let rows = || (0..batch.rows).map(|row| batch.row(row));
    let table = batch.destination.table;
    let found = if table.name == EVENTS.name {
        events(client, &rows().filter_map(decode::event).collect::<Vec<_>>(), attempts).await?
    } else {
        letters(client, rows().filter_map(|row| decode::letter_id(table, row)), attempts).await?
    };
    Ok(found.len() == batch.rows)
}

/// Those of `ids` that stand in `column` of `table` where `condition` holds.
///
/// The ids stand in the statement, and it has no parameters: a parameter, and a statement that has one, may be
/// 128 KiB long, which 3,400 ids fill, and asking in pieces reads the same granules once per piece.
///
/// None if the server cannot tell now: writing goes on without, since this is only a hint.
async fn lookup(
    client: &Client,
    table: &str,
    column: &str,
    condition: &str,
    ids: impl Iterator<Item = EventId> + Clone,
    attempts: u32,
) -> Result<HashSet<EventId>> {
    let Some(first) = ids.clone().next() else { return Ok(HashSet::new()) };
    let mut sql = format!("SELECT {column} AS id FROM {table} WHERE {condition} AND {column} IN (");
    let mut separator = "";
    for id in ids {
        write!(sql, "{separator}'{id}'").expect("a string takes what is written");
        separator = ",";
    }
    sql.push(')');
    // By default 256 KiB.
    let size = (sql.len() + 1024).to_string();
    let mut attempt = 1;
    loop {
        let query = client.query(&sql).with_setting("max_query_size", &size);
        let error = match client.rows::<Known>(query).await {
            Ok(rows) => return Ok(rows.into_iter().map(|Known { id }| id).collect()),
            Err(error) => error,
        };
        match wait_or_fail(error, &mut attempt, attempts, first).await {
            Ok(()) => {}
            Err(error) if error.class() == Class::Transient => {
                tracing::warn!(table, "cannot tell what is there already, writing all: {error}");
                return Ok(HashSet::new());
            }
            Err(error) => return Err(error),
        }
    }
}

#[derive(clickhouse::Row, serde::Deserialize)]
struct Known {
    id: EventId,
}
