//! `teams_users`: a member of a team, who is a member of its organization.

use sea_orm::entity::prelude::*;

use crate::{TeamId, UserId};

/// Id of a row in `teams_users`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct TeamUserId(pub i64);

/// A row of `teams_users`: one per pair for ever, who comes back gets the old row restored.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "teams_users")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: TeamUserId,
    #[sea_orm(unique_key = "team_user")]
    pub team_id: TeamId,
    #[sea_orm(unique_key = "team_user")]
    pub user_id: UserId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    /// When the user left the team or the organization; null: in it now.
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "team_id", to = "id")]
    pub team: BelongsTo<super::team::Entity>,
    #[sea_orm(belongs_to, from = "user_id", to = "id")]
    pub user: BelongsTo<super::user::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
