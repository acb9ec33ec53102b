//! `inventory_relations`: how a component of an inventory comes to be in it.

use sea_orm::entity::prelude::*;

use crate::{InventoryComponentId, InventoryId};

/// Id of a row in `inventory_relations`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct InventoryRelationId(pub i64);

/// What one component is to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "kebab-case")]
pub enum RelationKind {
    /// It needs the other.
    DependsOn,
    /// It holds a copy of the other.
    Contains,
}

/// A row of `inventory_relations`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "inventory_relations")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: InventoryRelationId,
    #[sea_orm(unique_key = "relation")]
    pub inventory_id: InventoryId,
    /// The component that depends or contains; null: the product itself.
    #[sea_orm(unique_key = "relation")]
    pub from_component_id: Option<InventoryComponentId>,
    /// The component depended on or contained.
    #[sea_orm(unique_key = "relation")]
    pub to_component_id: InventoryComponentId,
    #[sea_orm(unique_key = "relation")]
    pub kind: RelationKind,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "inventory_id", to = "id")]
    pub inventory: BelongsTo<super::inventory::Entity>,
    #[sea_orm(belongs_to, relation_enum = "FromComponent", from = "from_component_id", to = "id")]
    pub from_component: BelongsTo<Option<super::inventory_component::Entity>>,
    #[sea_orm(belongs_to, relation_enum = "ToComponent", from = "to_component_id", to = "id")]
    pub to_component: BelongsTo<super::inventory_component::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
