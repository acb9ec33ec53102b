//! `import_runs`: one run of one importer over one input.

use sea_orm::entity::prelude::*;

/// Id of a row in `import_runs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct ImportRunId(pub i64);

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "kebab-case")]
pub enum ImportOutcome {
    /// To the end of its input; records may have been rejected.
    Done,
    /// With an error.
    Failed,
}

/// A row of `import_runs`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "import_runs")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: ImportRunId,
    /// As `archer import` calls it, such as `osv`.
    pub importer: String,
    /// The file or folder, as it was given.
    pub source: String,
    /// When it began (UTC).
    pub started_at: DateTimeUtc,
    /// When it ended (UTC); null: it is running, or was killed.
    pub finished_at: Option<DateTimeUtc>,
    /// Null: it is running, or was killed.
    pub outcome: Option<ImportOutcome>,
    /// Why it failed; null: it did not.
    pub error: Option<String>,
    /// What it did, an object: documents, rows by table, rejected_total, skipped; empty until it ends.
    #[sea_orm(column_type = "JsonBinary")]
    pub counts: Json,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(has_many)]
    pub errors: HasMany<super::import_error::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
