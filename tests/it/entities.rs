//! The entities against the migrated databases: the same tables, columns and values, and every entity
//! written, read back and loaded along its relations.

mod analyticsdb;
mod ardb;
mod identitydb;

use std::fmt::Debug;

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{ColumnType, TableCreateStatement, TableRef};
use sea_orm::{
    ActiveEnum, ActiveModelBehavior, ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait,
    FromQueryResult, IntoActiveModel, Iterable, ModelTrait, PrimaryKeyToColumn, QueryFilter, Statement,
};

use crate::harness::{Database, TestDb};

/// A time of the precision that PostgreSQL keeps.
fn time(text: &str) -> DateTime<Utc> {
    text.parse().expect("an RFC 3339 time")
}

/// Inserts `model` with every column set, and asserts that the statement returns it and that it reads back as
/// it was.
async fn stored<M>(db: &TestDb, model: M)
where
    M: ModelTrait
        + FromQueryResult
        + IntoActiveModel<<M::Entity as EntityTrait>::ActiveModel>
        + PartialEq
        + Debug,
    M::Entity: EntityTrait<Model = M>,
    <M::Entity as EntityTrait>::ActiveModel: ActiveModelBehavior + Send,
{
    let inserted = model.clone().into_active_model().reset_all().insert(db.connection()).await;
    assert_eq!(inserted.as_ref(), Ok(&model));
    let key = <M::Entity as EntityTrait>::PrimaryKey::iter().map(PrimaryKeyToColumn::into_column);
    let find = key.fold(M::Entity::find(), |find, column| find.filter(column.eq(model.get(column))));
    assert_eq!(find.one(db.connection()).await, Ok(Some(model)));
}

/// A column, as an entity declares it and as the catalog has it.
#[derive(Debug, PartialEq, Eq, FromQueryResult)]
struct Column {
    table: String,
    name: String,
    /// As PostgreSQL's `format_type` writes it.
    kind: String,
    is_nullable: bool,
}

fn table_name(table: &TableCreateStatement) -> String {
    match table.get_table_name() {
        Some(TableRef::Table(name, _)) => name.1.to_string(),
        other => format!("{other:?}, which is not a table"),
    }
}

fn declared(tables: &[TableCreateStatement]) -> Vec<Column> {
    let mut columns = Vec::new();
    for table in tables {
        for column in table.get_columns() {
            columns.push(Column {
                table: table_name(table),
                name: column.get_column_name(),
                kind: kind(column.get_column_type().expect("an entity types its columns")),
                is_nullable: column.get_column_spec().nullable.unwrap_or(true),
            });
        }
    }
    columns.sort_by(|a, b| a.table.cmp(&b.table));
    columns
}

fn kind(declared: &ColumnType) -> String {
    match declared {
        ColumnType::BigInteger => "bigint".to_owned(),
        ColumnType::Integer => "integer".to_owned(),
        ColumnType::Date => "date".to_owned(),
        ColumnType::Boolean => "boolean".to_owned(),
        ColumnType::String(_) | ColumnType::Text => "text".to_owned(),
        ColumnType::VarBinary(_) | ColumnType::Blob => "bytea".to_owned(),
        ColumnType::JsonBinary => "jsonb".to_owned(),
        ColumnType::TimestampWithTimeZone => "timestamp with time zone".to_owned(),
        ColumnType::Array(element) => format!("{}[]", kind(element)),
        ColumnType::Custom(name) => name.to_string(),
        other => format!("{other:?}, which no column of this house has"),
    }
}

/// The columns of every table but a partition, the ledger and its log, in the order of the table.
async fn cataloged(db: &TestDb) -> Vec<Column> {
    let sql = r#"
        select c.relname::text as "table", a.attname::text as name, format_type(a.atttypid, a.atttypmod) as kind,
            not a.attnotnull as is_nullable
        from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
            and c.relname !~ '_migrations(_log)?$'
        order by c.relname collate "C", a.attnum"#;
    let statement = Statement::from_string(db.get_database_backend(), sql);
    Column::find_by_statement(statement).all(db.connection()).await.expect("the query runs")
}

fn databases() -> [(Database, Vec<TableCreateStatement>); 3] {
    [
        (Database::Ardb, entity_ardb::tables()),
        (Database::Identitydb, entity_identitydb::tables()),
        (Database::Analyticsdb, entity_analyticsdb::tables()),
    ]
}

#[tokio::test]
async fn every_table_has_an_entity_and_every_entity_a_table() {
    for (database, tables) in databases() {
        let mut declared: Vec<String> = tables.iter().map(table_name).collect();
        declared.sort();
        let db = TestDb::migrated(database).await;
        let mut cataloged: Vec<String> =
            cataloged(&db).await.into_iter().map(|column| column.table).collect();
        cataloged.dedup();
        assert_eq!(declared, cataloged);
    }
}

#[tokio::test]
async fn every_entity_has_the_columns_of_its_table() {
    for (database, tables) in databases() {
        let db = TestDb::migrated(database).await;
        assert_eq!(declared(&tables), cataloged(&db).await);
    }
}

/// Asserts that the CHECK called `constraint` lets exactly the values of `E` through.
async fn assert_same_values<E: ActiveEnum<Value = String>>(db: &TestDb, constraint: &str) {
    let sql = "select pg_get_constraintdef(oid) as definition from pg_constraint where conname = $1";
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, [constraint.into()]);
    let row = db.query_one_raw(statement).await.expect("the query runs").expect("the constraint is there");
    let definition: String = row.try_get("", "definition").expect("it is text");
    let mut checked: Vec<&str> = definition.split('\'').skip(1).step_by(2).collect();
    let declared = E::values();
    let mut declared: Vec<&str> = declared.iter().map(String::as_str).collect();
    checked.sort_unstable();
    declared.sort_unstable();
    assert_eq!(declared, checked, "{constraint}");
}

#[tokio::test]
async fn every_enum_has_the_values_that_its_check_lets_through() {
    let db = TestDb::overlaid().await;
    assert_same_values::<entity_ardb::VersionScheme>(&db, "ecosystems_version_scheme_check").await;
    assert_same_values::<entity_ardb::PackageStatus>(&db, "packages_status_check").await;
    assert_same_values::<entity_ardb::MaintainerKind>(&db, "maintainers_kind_check").await;
    assert_same_values::<entity_ardb::DependencyKind>(&db, "dependencies_kind_check").await;
    assert_same_values::<entity_ardb::DocumentKind>(&db, "source_documents_kind_check").await;
    assert_same_values::<entity_ardb::RangeKind>(&db, "affected_ranges_kind_check").await;
    assert_same_values::<entity_ardb::InventoryKind>(&db, "inventories_kind_check").await;
    assert_same_values::<entity_ardb::ImportOutcome>(&db, "import_runs_outcome_check").await;
    assert_same_values::<entity_ardb::SeverityRating>(&db, "advisory_severities_rating_check").await;
    assert_same_values::<entity_ardb::ComponentScope>(&db, "inventory_components_scope_check").await;
    assert_same_values::<entity_ardb::RelationKind>(&db, "inventory_relations_kind_check").await;
    assert_same_values::<entity_identitydb::Role>(&db, "organizations_users_role_check").await;
    assert_same_values::<entity_identitydb::Role>(&db, "invitations_role_check").await;
    assert_same_values::<entity_identitydb::Purpose>(&db, "one_time_codes_purpose_check").await;
}
