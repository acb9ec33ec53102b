//! Inventories: what a product is made of.

use std::{fmt, str::FromStr};

use entity_ardb::{InventoryId, InventoryKind, inventory, inventory_component};
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _};

use crate::{Error, Result, scope::Live as _};

/// The `source` of a cargo component that comes from crates.io, however its lockfile spells it. Only such a component
/// is the registry's package of that name, and only it is held against advisories.
pub const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Whose an inventory is, by the id in identitydb. As text `user:7` or `org:7`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// A user.
    User(i64),
    /// An organization.
    Organization(i64),
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user:{id}"),
            Self::Organization(id) => write!(f, "org:{id}"),
        }
    }
}

impl FromStr for Owner {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parts = text.split_once(':').and_then(|(kind, id)| Some((kind, id.parse().ok()?)));
        match parts {
            Some(("user", id)) if id > 0 => Ok(Self::User(id)),
            Some(("org", id)) if id > 0 => Ok(Self::Organization(id)),
            _ => Err(Error::Invalid {
                field: "owner",
                reason: format!("{text:?} is neither user:ID nor org:ID, such as org:7"),
            }),
        }
    }
}

/// What an inventory is of: a product by its name, nobody's unless it has an owner. Made from a name, or from both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Product<'a> {
    /// 1 to 1,024 bytes; each owner has names of its own.
    pub name: &'a str,
    /// `None`: nobody's.
    pub owner: Option<Owner>,
}

impl<'a> From<&'a str> for Product<'a> {
    fn from(name: &'a str) -> Self {
        Self { name, owner: None }
    }
}

impl<'a> From<&'a String> for Product<'a> {
    fn from(name: &'a String) -> Self {
        name.as_str().into()
    }
}

/// The live inventory of `kind` and `product`, such as `"acme/rocket"`; `None` when there is none.
///
/// # Errors
///
/// [`Error::Database`] if the query does not run.
pub async fn by_name<'a>(
    db: &impl ConnectionTrait,
    kind: InventoryKind,
    product: impl Into<Product<'a>>,
) -> Result<Option<inventory::Model>> {
    use inventory::Column;
    let Product { name, owner } = product.into();
    let found = inventory::Entity::find().filter(Column::Kind.eq(kind)).filter(Column::Name.eq(name));
    let found = match owner {
        Some(Owner::User(id)) => found.filter(Column::IdentitydbUserId.eq(id)),
        Some(Owner::Organization(id)) => found.filter(Column::IdentitydbOrganizationId.eq(id)),
        None => found
            .filter(Column::IdentitydbUserId.is_null())
            .filter(Column::IdentitydbOrganizationId.is_null()),
    };
    Ok(found.live().one(db).await?)
}

/// Live inventories, by kind and name. One statement.
///
/// # Errors
///
/// [`Error::Database`] if the query does not run.
pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<inventory::Model>> {
    let found = inventory::Entity::find().live();
    Ok(found.order_by_asc(inventory::Column::Kind).order_by_asc(inventory::Column::Name).all(db).await?)
}

/// Live inventories of this very `name`, of whatever kind, by kind. One statement.
///
/// # Errors
///
/// [`Error::Database`] if the query does not run.
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
/// [`Error::Database`] if the query does not run.
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
