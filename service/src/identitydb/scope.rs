//! The conditions of this module's statements, and deletion and its undoing, which are the same for every table.

use entity_identitydb::{
    api_token, erasure_request, external_account, invitation, name, one_time_code, organization,
    organization_user, origin, password, permission, role, session, team, team_user, user, user_email,
};
use sea_orm::prelude::DateTimeUtc;
use sea_orm::sea_query::{Expr, IntoCondition};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Select, UpdateMany};

use crate::error::Result;
pub(super) use crate::scope::{AtMost, Live};

/// A table whose rows are marked when they are deleted.
pub(super) trait Marked: EntityTrait {
    const DELETED_AT: Self::Column;
}

macro_rules! live {
    ($($entity:ident),+ $(,)?) => {$(
        impl Live for Select<$entity::Entity> {
            fn live(self) -> Self {
                self.filter($entity::Column::DeletedAt.is_null())
            }
        }

        impl Live for UpdateMany<$entity::Entity> {
            fn live(self) -> Self {
                self.filter($entity::Column::DeletedAt.is_null())
            }
        }

        impl Marked for $entity::Entity {
            const DELETED_AT: Self::Column = $entity::Column::DeletedAt;
        }
    )+};
}

live!(
    api_token,
    erasure_request,
    external_account,
    invitation,
    name,
    one_time_code,
    organization,
    organization_user,
    origin,
    password,
    permission,
    role,
    session,
    team,
    team_user,
    user,
    user_email,
);

/// Marks the live rows that `which` says as deleted; how many.
pub(super) async fn delete_all<E: Marked>(
    txn: &impl ConnectionTrait,
    which: impl IntoCondition,
    at: DateTimeUtc,
) -> Result<u64> {
    let update = E::update_many().col_expr(E::DELETED_AT, Expr::value(at));
    let update = update.filter(which).filter(E::DELETED_AT.is_null());
    Ok(update.exec(txn).await?.rows_affected)
}

/// Takes the mark from the rows that `which` says and that were deleted at `at`; how many.
pub(super) async fn restore_all<E: Marked>(
    txn: &impl ConnectionTrait,
    which: impl IntoCondition,
    at: DateTimeUtc,
) -> Result<u64> {
    let update = E::update_many().col_expr(E::DELETED_AT, Expr::value(None::<DateTimeUtc>));
    Ok(update.filter(which).filter(E::DELETED_AT.eq(at)).exec(txn).await?.rows_affected)
}
