//! Inventories: what a product is made of.

use entity_ardb::{InventoryId, InventoryKind, inventory, inventory_component};
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _};

use crate::{Result, scope::Live as _};

/// The `source` of a cargo component that comes from crates.io, however its lockfile spells it. Only such a component
/// is the registry's package of that name, and only it is held against advisories.
pub const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// The live inventory of `kind` with this very `name`; `None` when there is none.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if the query does not run.
pub async fn by_name(
    db: &impl ConnectionTrait,
    kind: InventoryKind,
    name: &str,
) -> Result<Option<inventory::Model>> {
    let found = inventory::Entity::find()
        .filter(inventory::Column::Kind.eq(kind))
        .filter(inventory::Column::Name.eq(name));
    Ok(found.live().one(db).await?)
}

/// Live inventories, by kind and name. One statement.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if the query does not run.
pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<inventory::Model>> {
    let found = inventory::Entity::find().live();
    Ok(found.order_by_asc(inventory::Column::Kind).order_by_asc(inventory::Column::Name).all(db).await?)
}

/// Live inventories of this very `name`, of whatever kind, by kind. One statement.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if the query does not run.
pub async fn named(db: &impl ConnectionTrait, name: &str) -> Result<Vec<inventory::Model>> {
    let found = inventory::Entity::find().filter(inventory::Column::Name.eq(name)).live();
    Ok(found.order_by_asc(inventory::Column::Kind).all(db).await?)
}

/// Live components of `inventory`, by name, and of one name oldest version first.
///
/// Empty when it has none or does not exist.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if the query does not run.
pub async fn components(
    db: &impl ConnectionTrait,
    inventory: InventoryId,
) -> Result<Vec<inventory_component::Model>> {
    use inventory_component::Column;
    let found = inventory_component::Entity::find().filter(Column::InventoryId.eq(inventory)).live();
    let ordered = found
        .order_by_asc(Column::Namespace)
        .order_by_asc(Column::NormalizedName)
        .order_by_asc(Column::SortKey)
        .order_by_asc(Column::Number)
        .order_by_asc(Column::Source);
    Ok(ordered.all(db).await?)
}
