//! Versions, in their ecosystem's own order.

pub mod ecosystem;
pub mod order;
pub mod range;

use entity_ardb::{PackageId, default_version, latest_version, version};
use sea_orm::{ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _};

use crate::{
    Result,
    scope::{AtMost as _, Live as _, Versions as _},
};

/// Live versions of `package`, newest first in the ecosystem's order, at most `limit`. Prereleases and yanked versions
/// are among them.
///
/// Empty when the package has none or does not exist.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if the query does not run.
pub async fn newest(
    db: &impl ConnectionTrait,
    package: PackageId,
    limit: u64,
) -> Result<Vec<version::Model>> {
    let found = version::Entity::find().of_package(package).live().newest_first();
    Ok(found.at_most(limit).all(db).await?)
}

/// All live versions of `package`, oldest first in the ecosystem's order; before them those whose number does not
/// parse.
///
/// Empty when the package has none or does not exist.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if the query does not run.
pub async fn in_order(db: &impl ConnectionTrait, package: PackageId) -> Result<Vec<version::Model>> {
    Ok(version::Entity::find().of_package(package).live().oldest_first().all(db).await?)
}

/// The live version of `package` with this very `number`; `None` when there is none. One statement.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if the query does not run.
pub async fn by_number(
    db: &impl ConnectionTrait,
    package: PackageId,
    number: &str,
) -> Result<Option<version::Model>> {
    let found = version::Entity::find().of_package(package).filter(version::Column::Number.eq(number));
    Ok(found.live().one(db).await?)
}

/// The next `limit` live versions of `package` after `last`, in the order of [`newest`]. One statement.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if the query does not run.
pub async fn after(
    db: &impl ConnectionTrait,
    package: PackageId,
    last: &version::Model,
    limit: u64,
) -> Result<Vec<version::Model>> {
    use version::Column;
    let same_key = match &last.sort_key {
        Some(key) => Column::SortKey.eq(key.clone()),
        None => Column::SortKey.is_null(),
    };
    let mut later =
        Condition::any().add(Condition::all().add(same_key).add(Column::Number.lt(last.number.clone())));
    if let Some(key) = &last.sort_key {
        later = later.add(Column::SortKey.lt(key.clone())).add(Column::SortKey.is_null());
    }
    let found = version::Entity::find().of_package(package).filter(later).live().newest_first();
    Ok(found.at_most(limit).all(db).await?)
}

/// The versions of a package that stand for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Latest {
    /// The highest that is not yanked; `None`: there is none, or the ecosystem has no order.
    pub newest: Option<version::Model>,
    /// The highest that is not yanked and no prerelease.
    pub newest_stable: Option<version::Model>,
    /// The one that its registry shows when none is asked for; `None`: it names none, or one that is deleted.
    pub default: Option<version::Model>,
    /// Live versions, yanked ones and prereleases included.
    pub versions_count: u64,
}

impl Latest {
    /// The one to show when none is asked for: the registry's own choice, else the newest stable one, else the newest.
    #[must_use]
    pub fn shown(&self) -> Option<&version::Model> {
        self.default.as_ref().or(self.newest_stable.as_ref()).or(self.newest.as_ref())
    }
}

/// The newest versions of `package`, its default one, and how many it has. Three statements, however many that are.
///
/// Without any when the package has none or does not exist.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if a query does not run.
pub async fn latest(db: &impl ConnectionTrait, package: PackageId) -> Result<Latest> {
    let Some(row) = latest_version::Entity::find_by_id(package).one(db).await? else {
        return Ok(Latest::default());
    };
    let named = default_version::Entity::find().filter(default_version::Column::PackageId.eq(package)).live();
    let default_version_id = named.one(db).await?.map(|named| named.version_id);
    let ids = [row.newest_version_id, row.newest_stable_version_id, default_version_id];
    let found = version::Entity::find().filter(version::Column::Id.is_in(ids.into_iter().flatten()));
    let found = found.live().all(db).await?;
    let of = |id| found.iter().find(|version| Some(version.id) == id).cloned();
    let [newest, newest_stable, default] = ids.map(of);
    Ok(Latest { newest, newest_stable, default, versions_count: row.versions_count.unsigned_abs() })
}
