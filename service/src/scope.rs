//! Named conditions on selects, so that a query says what it means and no condition is written twice.

use entity_ardb::{
    PackageId, advisory, advisory_alias, advisory_reference, advisory_severity, affected_interval,
    affected_package, affected_range, affected_version, default_version, dependency, ecosystem, import_error,
    import_run, inventory, inventory_component, inventory_relation, package, package_download,
    source_document, version,
};
use sea_orm::{
    ColumnTrait as _, Order, QueryFilter as _, QueryOrder as _, QuerySelect, Select, sea_query::NullOrdering,
};

/// Rows that are not deleted. Every read has it.
pub trait Live: Sized {
    /// Leaves deleted rows out.
    #[must_use]
    fn live(self) -> Self;
}

/// A limit that may be any number.
pub trait AtMost: QuerySelect {
    /// At most `limit` rows. PostgreSQL takes a bigint, and the driver panics on more.
    #[must_use]
    fn at_most(self, limit: u64) -> Self {
        self.limit(limit.min(i64::MAX.unsigned_abs()))
    }
}

impl<S: QuerySelect> AtMost for S {}

macro_rules! live {
    ($($entity:ident),+ $(,)?) => {$(
        impl Live for Select<$entity::Entity> {
            fn live(self) -> Self {
                self.filter($entity::Column::DeletedAt.is_null())
            }
        }
    )+};
}

live!(
    advisory,
    advisory_alias,
    advisory_reference,
    advisory_severity,
    affected_interval,
    affected_package,
    affected_range,
    affected_version,
    default_version,
    dependency,
    ecosystem,
    import_error,
    import_run,
    inventory,
    inventory_component,
    inventory_relation,
    package,
    package_download,
    source_document,
    version,
);

/// Conditions on versions.
pub trait Versions: Sized {
    /// Those of one package.
    #[must_use]
    fn of_package(self, package: PackageId) -> Self;

    /// Newest first in the ecosystem's own order; those without a key last, and by number where keys are equal, so that
    /// the order is always the same.
    #[must_use]
    fn newest_first(self) -> Self;

    /// The other way round: those without a key first.
    #[must_use]
    fn oldest_first(self) -> Self;
}

impl Versions for Select<version::Entity> {
    fn of_package(self, package: PackageId) -> Self {
        self.filter(version::Column::PackageId.eq(package))
    }

    fn newest_first(self) -> Self {
        self.order_by_with_nulls(version::Column::SortKey, Order::Desc, NullOrdering::Last)
            .order_by_desc(version::Column::Number)
    }

    fn oldest_first(self) -> Self {
        self.order_by_with_nulls(version::Column::SortKey, Order::Asc, NullOrdering::First)
            .order_by_asc(version::Column::Number)
    }
}
