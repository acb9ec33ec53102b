//! What the generator knows of the tables: one statement reads all of it.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, DbErr};
use serde::Deserialize;

/// The tables that take rows, and the types of their columns.
#[derive(Deserialize)]
pub(crate) struct Schema {
    pub(crate) tables: Vec<Table>,
    #[serde(rename = "types", deserialize_with = "by_oid")]
    types: HashMap<i64, Type>,
}

#[derive(Deserialize)]
pub(crate) struct Table {
    pub(crate) oid: i64,
    /// With its schema unless that is the first of the search path.
    pub(crate) name: String,
    /// As it stands in a statement.
    pub(crate) sql: String,
    pub(crate) partitioned: bool,
    pub(crate) columns: Vec<Column>,
    pub(crate) primary_key: Vec<String>,
    pub(crate) foreign_keys: Vec<ForeignKey>,
    /// CHECKs, unique and exclusion constraints, and under the empty name the bounds of the partitions.
    pub(crate) rules: Vec<Rule>,
    /// Bodies and conditions of the triggers.
    pub(crate) triggers: String,
}

#[derive(Deserialize)]
pub(crate) struct Column {
    pub(crate) number: i16,
    pub(crate) name: String,
    /// As it stands in a statement.
    #[serde(rename = "type")]
    pub(crate) type_sql: String,
    pub(crate) type_oid: i64,
    pub(crate) modifier: i32,
    pub(crate) not_null: bool,
    /// An expression; also the next value of an identity column.
    pub(crate) default: Option<String>,
    /// `generated always as identity`.
    pub(crate) identity: bool,
    /// Computed from other columns.
    pub(crate) generated: bool,
}

#[derive(Deserialize)]
pub(crate) struct ForeignKey {
    pub(crate) name: String,
    /// Name as it stands in a statement.
    pub(crate) sql: String,
    pub(crate) columns: Vec<i16>,
    pub(crate) parent: i64,
    pub(crate) parent_columns: Vec<i16>,
    pub(crate) deferrable: bool,
}

/// Something that a row can violate, and the columns that decide it; column 0 is an expression.
#[derive(Clone, Deserialize)]
pub(crate) struct Rule {
    pub(crate) name: String,
    #[serde(deserialize_with = "null_is_default")]
    pub(crate) columns: Vec<i16>,
    pub(crate) expression: String,
}

#[derive(Deserialize)]
pub(crate) struct Type {
    oid: i64,
    pub(crate) name: String,
    /// As in `pg_type.typtype`.
    pub(crate) kind: char,
    /// As in `pg_type.typcategory`.
    pub(crate) category: char,
    base: Option<i64>,
    modifier: i32,
    not_null: bool,
    pub(crate) element: Option<i64>,
    pub(crate) range_of: Option<i64>,
    #[serde(deserialize_with = "null_is_default")]
    pub(crate) labels: Vec<String>,
    #[serde(deserialize_with = "null_is_default")]
    pub(crate) fields: Vec<(i64, i32)>,
    #[serde(deserialize_with = "null_is_default")]
    checks: Vec<(String, String)>,
}

/// A type with its domains taken off.
pub(crate) struct Resolved<'a> {
    pub(crate) base: &'a Type,
    /// Length or precision, as in `pg_attribute.atttypmod`; -1: none.
    pub(crate) modifier: i32,
    pub(crate) not_null: bool,
    /// Name and definition of the domains' CHECKs.
    pub(crate) checks: Vec<&'a (String, String)>,
}

impl Schema {
    pub(crate) async fn read(db: &impl ConnectionTrait) -> Result<Self, DbErr> {
        let select = sea_orm::Statement::from_string(db.get_database_backend(), include_str!("tables.sql"));
        let row = db
            .query_one_raw(select)
            .await?
            .ok_or_else(|| DbErr::RecordNotFound("the catalog is one row".to_owned()))?;
        let json: String = row.try_get("", "tables")?;
        serde_json::from_str(&json).map_err(|error| DbErr::Json(error.to_string()))
    }

    /// The type `oid` below its domains; `None` for a row type of a table and the like.
    pub(crate) fn resolve(&self, oid: i64, modifier: i32) -> Option<Resolved<'_>> {
        let mut resolved =
            Resolved { base: self.types.get(&oid)?, modifier, not_null: false, checks: Vec::new() };
        while let Some(base) = resolved.base.base {
            resolved.not_null |= resolved.base.not_null;
            resolved.checks.extend(&resolved.base.checks);
            resolved.modifier = resolved.base.modifier;
            resolved.base = self.types.get(&base)?;
        }
        Some(resolved)
    }

    pub(crate) fn table(&self, oid: i64) -> Option<&Table> {
        self.tables.iter().find(|table| table.oid == oid)
    }
}

impl Table {
    pub(crate) fn column(&self, number: i16) -> Option<usize> {
        self.columns.iter().position(|column| column.number == number)
    }

    /// The columns of a foreign key or a rule, as positions; expressions left out.
    pub(crate) fn positions(&self, numbers: &[i16]) -> Vec<usize> {
        numbers.iter().filter_map(|&number| self.column(number)).collect()
    }

    /// Whether the foreign key can be left null.
    pub(crate) fn is_nullable(&self, key: &ForeignKey) -> bool {
        self.positions(&key.columns)
            .iter()
            .any(|&at| !self.columns[at].not_null && !self.columns[at].generated)
    }
}

fn by_oid<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<HashMap<i64, Type>, D::Error> {
    let types = Vec::<Type>::deserialize(deserializer)?;
    Ok(types.into_iter().map(|one| (one.oid, one)).collect())
}

fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
