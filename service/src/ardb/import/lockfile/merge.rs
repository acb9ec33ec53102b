//! From a parsed lockfile to rows.

use chrono::{DateTime, Utc};
use entity_ardb::DocumentKind;
use sea_orm::sqlx::{self, PgConnection};

use super::{
    super::{
        copy::CopyRows,
        pipeline::{Document, Tally},
        statement::{deleted, documents, upsert, upserted},
    },
    ECOSYSTEM, Inventory,
};
use crate::{Result, ardb::inventory::CRATES_IO};

const STAGE: &str = "
    create temporary table staged_components (
        inventory_name text not null, name text not null, normalized_name text not null, number text not null,
        sort_key bytea, source text not null, checksum_sha256 bytea
    ) on commit drop";
const COPY: &str = "copy staged_components from stdin (format binary)";

const INVENTORIES: &str = upsert!(
    "insert into inventories as kept (kind, name, source_document_id)
     select 'lockfile', document.locator, document.id
     from source_documents document
     where document.kind = 'lockfile' and document.locator = any($1)
     order by document.locator
     on conflict (kind, name) do update set source_document_id = excluded.source_document_id, deleted_at = null
     where kept.source_document_id <> excluded.source_document_id or kept.deleted_at is not null"
);

const DELETE_COMPONENTS: &str = "
    update inventory_components kept set deleted_at = $1
    from inventories inventory
    where inventory.kind = 'lockfile' and inventory.name = any($2)
      and kept.inventory_id = inventory.id and kept.deleted_at is null
      and not exists (
          select from staged_components staged
          join ecosystems ecosystem on ecosystem.name = $3
          where staged.inventory_name = inventory.name and ecosystem.id = kept.ecosystem_id and kept.namespace = ''
            and (staged.normalized_name, staged.number, staged.source)
              = (kept.normalized_name, kept.number, kept.source)
      )";

/// Only what comes from the public registry is linked: anything else can have any name.
const COMPONENTS: &str = upsert!(
    "insert into inventory_components (
         inventory_id, ecosystem_id, package_id, version_id, name, normalized_name, number, sort_key, source,
         checksum_sha256
     )
     select inventory.id, ecosystem.id, package.id, version.id, staged.name, staged.normalized_name, staged.number,
         staged.sort_key, staged.source, staged.checksum_sha256
     from staged_components staged
     join inventories inventory on inventory.kind = 'lockfile' and inventory.name = staged.inventory_name
     join ecosystems ecosystem on ecosystem.name = $1
     left join packages package
         on package.ecosystem_id = ecosystem.id and package.namespace = ''
        and package.normalized_name = staged.normalized_name and package.deleted_at is null and staged.source = $2
     left join versions version
         on version.package_id = package.id and version.number = staged.number and version.deleted_at is null
     left join inventory_components kept
         on kept.inventory_id = inventory.id and kept.ecosystem_id = ecosystem.id and kept.namespace = ''
        and (kept.normalized_name, kept.number, kept.source) = (staged.normalized_name, staged.number, staged.source)
     where kept.id is null or kept.deleted_at is not null
        or (kept.package_id, kept.version_id, kept.name, kept.sort_key, kept.checksum_sha256)
        is distinct from (package.id, version.id, staged.name, staged.sort_key, staged.checksum_sha256)
     order by inventory.id, staged.normalized_name collate \"C\", staged.sort_key
     on conflict (inventory_id, ecosystem_id, namespace, normalized_name, number, source) do update set
         package_id = excluded.package_id, version_id = excluded.version_id, name = excluded.name,
         sort_key = excluded.sort_key, checksum_sha256 = excluded.checksum_sha256, deleted_at = null"
);

/// Writes lockfiles in the transaction that `connection` is in.
pub(super) async fn merge(
    connection: &mut PgConnection,
    batch: &[Document<Inventory>],
    now: DateTime<Utc>,
) -> Result<Tally> {
    let mut rows = CopyRows::new();
    for Document { locator, parsed, .. } in batch {
        for (key, component) in &parsed.components {
            rows.row(7)
                .text(locator)
                .text(&component.name)
                .text(&key.normalized_name)
                .text(&key.number)
                .optional(component.sort_key.as_deref(), CopyRows::bytea)
                .text(&key.source)
                .optional(component.checksum_sha256.as_ref(), |rows, sum| rows.bytea(sum));
        }
    }
    sqlx::raw_sql(STAGE).execute(&mut *connection).await?;
    rows.send(connection, COPY).await?;

    let names: Vec<&str> = batch.iter().map(|document| document.locator.as_str()).collect();
    let mut tally =
        documents(connection, DocumentKind::Lockfile, &batch.iter().collect::<Vec<_>>(), now).await?;
    let inventories = upserted(connection, sqlx::query_as(INVENTORIES).bind(&names)).await?;
    let missing = sqlx::query(DELETE_COMPONENTS).bind(now).bind(&names).bind(ECOSYSTEM);
    let mut components = deleted(connection, missing).await?;
    components += upserted(connection, sqlx::query_as(COMPONENTS).bind(ECOSYSTEM).bind(CRATES_IO)).await?;
    tally.rows.extend([("inventories", inventories), ("inventory_components", components)]);
    Ok(tally)
}
