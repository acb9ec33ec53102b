//! The conditions of this module's statements.

use entity_identitydb::{organization, organization_user, user, user_email};
use sea_orm::{ColumnTrait, QueryFilter, Select, UpdateMany};

pub(super) use crate::scope::Live;

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
    )+};
}

live!(organization, organization_user, user, user_email);
