//! What changed since a moment, for who keeps a copy: rows in the order of their change, deleted ones included.
//!
//! `updated_at` is when the transaction that changed the row *began*, and its rows are seen when it *commits*. So a
//! reader who goes on from the latest `updated_at` it has seen misses what a slower transaction commits later with an
//! earlier time. A page therefore ends at the horizon: the beginning of the oldest transaction that still runs in the
//! database, whether it has written yet or not. Everything before the horizon is committed, so nothing is skipped, and
//! what is behind it comes with a later page. A transaction that stays open holds the horizon back and loses nothing.
//!
//! ```no_run
//! # async fn example(db: &sea_orm::DatabaseConnection) -> service::Result<()> {
//! use service::ardb::changes::{self, Position};
//!
//! let mut position = Position::START; // or where the last run ended
//! loop {
//!     let page = changes::versions(db, position, 1_000).await?;
//!     // … take page.rows over, and remember page.next together with them …
//!     position = page.next;
//!     if page.is_last {
//!         break;
//!     }
//! }
//! # Ok(())
//! # }
//! ```

use chrono::{DateTime, Utc};
use entity_ardb::{advisory, package, version};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, FromQueryResult, QueryFilter as _, QueryOrder as _,
    Statement,
    sea_query::{Expr, ExprTrait as _},
};
use serde::{Deserialize, Serialize};

use crate::{Error, Result, scope::AtMost as _};

/// How far a reader has come: all rows before it are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    at: DateTime<Utc>,
    id: i64,
}

impl Position {
    /// Before every row.
    pub const START: Self = Self { at: DateTime::UNIX_EPOCH, id: 0 };

    /// Before every row that a transaction changed which began at `at` or later.
    #[must_use]
    pub const fn since(at: DateTime<Utc>) -> Self {
        Self { at, id: 0 }
    }
}

/// Some of what changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<M> {
    /// In the order of their change, each as it is now; deleted ones have `deleted_at`.
    pub rows: Vec<M>,
    /// Where to go on.
    pub next: Position,
    /// Whether there was nothing more before the horizon.
    pub is_last: bool,
}

/// The packages that changed after `position`, at most `limit`. Two statements.
///
/// Not within a transaction that reads from one snapshot: the second statement has to see more than the first.
///
/// # Errors
///
/// [`Error::Invalid`] if the role may not see other roles' transactions (see [`horizon`]); [`Error::Database`] if a
/// query does not run.
pub async fn packages(
    db: &impl ConnectionTrait,
    position: Position,
    limit: u64,
) -> Result<Page<package::Model>> {
    let horizon = horizon(db).await?;
    use package::Column;
    page::<package::Entity>(db, [Column::UpdatedAt, Column::Id], position, horizon, limit, |row| Position {
        at: row.updated_at,
        id: row.id.0,
    })
    .await
}

/// As [`packages`], for versions.
///
/// # Errors
///
/// As [`packages`].
pub async fn versions(
    db: &impl ConnectionTrait,
    position: Position,
    limit: u64,
) -> Result<Page<version::Model>> {
    let horizon = horizon(db).await?;
    use version::Column;
    page::<version::Entity>(db, [Column::UpdatedAt, Column::Id], position, horizon, limit, |row| Position {
        at: row.updated_at,
        id: row.id.0,
    })
    .await
}

/// As [`packages`], for advisories: of what belongs to one (aliases, affected packages and ranges) only the advisory's
/// own row counts.
///
/// # Errors
///
/// As [`packages`].
pub async fn advisories(
    db: &impl ConnectionTrait,
    position: Position,
    limit: u64,
) -> Result<Page<advisory::Model>> {
    let horizon = horizon(db).await?;
    use advisory::Column;
    page::<advisory::Entity>(db, [Column::UpdatedAt, Column::Id], position, horizon, limit, |row| Position {
        at: row.updated_at,
        id: row.id.0,
    })
    .await
}

async fn page<E: EntityTrait>(
    db: &impl ConnectionTrait,
    [updated_at, id]: [E::Column; 2],
    position: Position,
    horizon: DateTime<Utc>,
    limit: u64,
    place: impl Fn(&E::Model) -> Position,
) -> Result<Page<E::Model>> {
    let row = Expr::tuple([Expr::col(updated_at), Expr::col(id)]);
    let found = E::find()
        .filter(row.gt(Expr::tuple([Expr::value(position.at), Expr::value(position.id)])))
        .filter(updated_at.lt(horizon))
        .order_by_asc(updated_at)
        .order_by_asc(id);
    let rows = found.at_most(limit).all(db).await?;
    let is_last = (rows.len() as u64) < limit;
    let next = match rows.last() {
        Some(last) if !is_last => place(last),
        _ => position.max(Position::since(horizon)),
    };
    Ok(Page { rows, next, is_last })
}

/// The moment before which nothing can change any more: the beginning of the oldest transaction that runs in this
/// database, at most one second ago. One statement.
///
/// The second is for a transaction that has its time already and that the server does not list yet. Prepared
/// transactions are not looked at.
///
/// # Errors
///
/// [`Error::Invalid`] if a transaction of another role runs and this one may not see when it began: grant it
/// `pg_read_all_stats`. [`Error::Database`] if the query does not run.
pub async fn horizon(db: &impl ConnectionTrait) -> Result<DateTime<Utc>> {
    #[derive(FromQueryResult)]
    struct Row {
        horizon: DateTime<Utc>,
        is_hidden: bool,
    }
    let select = Statement::from_string(DbBackend::Postgres, include_str!("horizon.sql"));
    let row = Row::find_by_statement(select).one(db).await?;
    match row {
        Some(Row { horizon, is_hidden: false }) => Ok(horizon),
        _ => Err(Error::Invalid {
            field: "the database role",
            reason: "it can't see when transactions of other roles began; grant it pg_read_all_stats".into(),
        }),
    }
}
