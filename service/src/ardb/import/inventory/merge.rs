//! From parsed inventories to rows: COPY into temporary tables, then, from the inventory down to the relation, what is
//! no longer there is deleted and what is there is written.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use entity_ardb::{DocumentKind, VersionScheme};
use sea_orm::{
    ActiveEnum as _,
    sqlx::{self, PgConnection},
};

use super::{
    super::{
        copy::CopyRows,
        pipeline::{Document, Tally},
        report::Rows,
        statement::{deleted, documents, upserted},
    },
    Component, Inventory, Key, Target, is_registry, sql,
};
use crate::{
    Result,
    ardb::{inventory::Owner, version::ecosystem},
};

/// Purl types whose ecosystem OSV knows by a name of its own, so that an SBOM and an advisory mean the same one, as far
/// as the migrations do not seed them.
const OSV_NAMES: [(&str, &str); 5] = [
    ("bitnami", "Bitnami"),
    ("conan", "ConanCenter"),
    ("github", "GitHub Actions"),
    ("julia", "Julia"),
    ("swift", "SwiftURL"),
];

/// Writes `batch`, which becomes the inventories of `target`, in the transaction that `connection` is in.
///
/// `kind` is a [`DocumentKind`] that is an `InventoryKind`, too.
pub(in super::super) async fn merge(
    connection: &mut PgConnection,
    kind: DocumentKind,
    target: &Target,
    batch: &[Document<Inventory>],
    now: DateTime<Utc>,
) -> Result<Tally> {
    let mut tally = documents(connection, kind, &batch.iter().collect::<Vec<_>>(), now).await?;
    let kind = kind.to_value();
    let (ecosystem_ids, added) = ecosystems(connection, batch).await?;
    stage(connection, target, batch, &ecosystem_ids).await?;

    let inventories = upserted(connection, sqlx::query_as(sql::INVENTORIES).bind(&kind)).await?;
    sqlx::query(sql::INVENTORY_IDS).bind(&kind).execute(&mut *connection).await?;
    let mut components = deleted(connection, sqlx::query(sql::DELETE_COMPONENTS).bind(now)).await?;
    components += upserted(connection, sqlx::query_as(sql::COMPONENTS)).await?;
    sqlx::query(sql::COMPONENT_IDS).execute(&mut *connection).await?;
    sqlx::query(sql::RELATION_IDS).execute(&mut *connection).await?;
    sqlx::query(sql::ANALYZE_IDS).execute(&mut *connection).await?;
    let mut relations = deleted(connection, sqlx::query(sql::DELETE_RELATIONS).bind(now)).await?;
    relations += upserted(connection, sqlx::query_as(sql::RELATIONS)).await?;

    tally.rows.extend([
        ("ecosystems", added),
        ("inventories", inventories),
        ("inventory_components", components),
        ("inventory_relations", relations),
    ]);
    Ok(tally)
}

/// The id of each purl type that occurs; those that are not there yet are added.
async fn ecosystems(
    connection: &mut PgConnection,
    batch: &[Document<Inventory>],
) -> Result<(HashMap<String, i64>, Rows)> {
    let keys = batch.iter().flat_map(|document| document.parsed.components.keys());
    let types: Vec<&str> =
        keys.map(|key| key.ecosystem.as_str()).collect::<BTreeSet<_>>().into_iter().collect();
    let osv_name =
        |kind: &&str| OSV_NAMES.iter().find(|(purl_type, _)| purl_type == kind).map(|(_, name)| *name);
    let osv_names: Vec<Option<&str>> = types.iter().map(osv_name).collect();
    let scheme = |kind: &&str| ecosystem::find(kind).map_or(VersionScheme::Opaque, |known| known.scheme);
    let schemes: Vec<String> = types.iter().map(|kind| scheme(kind).to_value()).collect();
    let added = sqlx::query(sql::ECOSYSTEMS)
        .bind(&types)
        .bind(&osv_names)
        .bind(schemes)
        .execute(&mut *connection)
        .await?;
    let ids: Vec<i64> = sqlx::query_scalar(sql::ECOSYSTEM_IDS)
        .bind(&types)
        .bind(&osv_names)
        .fetch_all(&mut *connection)
        .await?;
    let ids = types.into_iter().map(str::to_owned).zip(ids).collect();
    Ok((ids, Rows { inserted: added.rows_affected(), ..Rows::default() }))
}

async fn stage(
    connection: &mut PgConnection,
    target: &Target,
    batch: &[Document<Inventory>],
    ecosystem_ids: &HashMap<String, i64>,
) -> Result<()> {
    let (mut inventories, mut components, mut relations) =
        (CopyRows::new(), CopyRows::new(), CopyRows::new());
    let (user, organization) = match target.owner {
        Some(Owner::User(id)) => (Some(id), None),
        Some(Owner::Organization(id)) => (None, Some(id)),
        None => (None, None),
    };
    let mut next = 0;
    for (inventory, Document { locator, parsed, .. }) in (0..).zip(batch) {
        inventories
            .row(5)
            .integer(inventory)
            .text(locator)
            .text(&target.name)
            .optional(user, CopyRows::bigint)
            .optional(organization, CopyRows::bigint);
        let mut ordinals = HashMap::new();
        for (key, component) in &parsed.components {
            let Some(&ecosystem_id) = ecosystem_ids.get(&key.ecosystem) else { continue };
            stage_component(&mut components, inventory, next, ecosystem_id, (key, component));
            ordinals.insert(key, next);
            next += 1;
        }
        for relation in &parsed.relations {
            let from = relation.from.as_ref().map(|from| ordinals.get(from).copied());
            let (Some(to), None | Some(Some(_))) = (ordinals.get(&relation.to), from) else { continue };
            relations
                .row(4)
                .integer(inventory)
                .optional(from.flatten(), CopyRows::integer)
                .integer(*to)
                .text(&relation.kind.to_value());
        }
    }
    sqlx::raw_sql(sql::STAGE).execute(&mut *connection).await?;
    inventories.send(connection, sql::COPY_INVENTORIES).await?;
    components.send(connection, sql::COPY_COMPONENTS).await?;
    relations.send(connection, sql::COPY_RELATIONS).await?;
    sqlx::raw_sql(sql::ANALYZE).execute(connection).await?;
    Ok(())
}

fn stage_component(
    rows: &mut CopyRows,
    inventory: i32,
    ordinal: i32,
    ecosystem_id: i64,
    (key, component): (&Key, &Component),
) {
    let upstream = component.upstream.as_ref();
    rows.row(18)
        .integer(inventory)
        .integer(ordinal)
        .bigint(ecosystem_id)
        .text(&key.namespace)
        .text(&component.name)
        .text(&key.normalized_name)
        .text(&key.number)
        .optional(component.sort_key.as_deref(), CopyRows::bytea)
        .text(&key.source)
        .boolean(is_registry(&key.ecosystem, &key.source))
        .optional(component.checksum_sha256.as_ref(), |rows, sum| rows.bytea(sum))
        .optional(component.purl.as_deref(), CopyRows::text)
        .optional(component.scope.map(|scope| scope.to_value()), |rows, scope| rows.text(&scope))
        .optional(component.licence.as_deref(), CopyRows::text)
        .text(&component.release)
        .optional(upstream.map(|it| it.normalized_name.as_str()), CopyRows::text)
        .optional(upstream.map(|it| it.number.as_str()), CopyRows::text)
        .optional(upstream.and_then(|it| it.sort_key.as_deref()), CopyRows::bytea);
}
