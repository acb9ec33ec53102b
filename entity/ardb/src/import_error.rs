//! `import_errors`: a record that a run of an importer rejected.

use sea_orm::entity::prelude::*;

use crate::ImportRunId;

/// Id of a row in `import_errors`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct ImportErrorId(pub i64);

/// A row of `import_errors`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "import_errors")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: ImportErrorId,
    pub import_run_id: ImportRunId,
    /// File and line, an archive's entry, or a file.
    pub place: String,
    /// What is wrong with it, and what was expected.
    pub reason: String,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "import_run_id", to = "id")]
    pub import_run: BelongsTo<super::import_run::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
