//! The statement of a row, and what the server's refusal of it means.

use std::fmt;

use rand::Rng;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};

use super::statement;
use super::tables::{Column, Schema, Table};
use super::values::value;
use crate::driver;
use crate::sql::quoted;

/// What a row has in a column.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    /// The column is not named, so it gets its default.
    Omitted,
    Null,
    Text(String),
}

/// Why a row was not taken.
#[derive(Debug, Default)]
pub(super) struct Refusal {
    /// SQLSTATE; empty if the driver gave none.
    pub(super) code: String,
    pub(super) constraint: Option<String>,
    pub(super) column: Option<String>,
    message: String,
}

impl Refusal {
    pub(super) fn of(error: &DbErr) -> Self {
        let Some(server) = driver::of_the_server(error) else {
            return Self { message: error.to_string(), ..Self::default() };
        };
        Self {
            code: server.code().to_owned(),
            constraint: server.constraint().map(str::to_owned),
            column: server.column().map(str::to_owned),
            message: match server.detail() {
                Some(detail) => format!("{} ({detail})", server.message()),
                None => server.message().to_owned(),
            },
        }
    }

    /// Whether the server judged the row, rather than failed.
    fn is_verdict(&self) -> bool {
        !self.code.is_empty() && !["08", "40", "53", "55", "57", "58", "F0", "XX"].contains(&&self.code[..2])
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.constraint {
            Some(constraint) if !self.message.contains(constraint.as_str()) => {
                write!(f, "{}, constraint {constraint}", self.message)
            }
            _ => f.write_str(&self.message),
        }
    }
}

/// Inserts the row, or leaves everything as it was and says why not.
pub(super) async fn insert(
    txn: &DatabaseTransaction,
    table: &Table,
    cells: &[Cell],
) -> Result<Result<(), Refusal>, DbErr> {
    let given = || table.columns.iter().zip(cells).filter(|(_, cell)| **cell != Cell::Omitted);
    let names: Vec<String> = given().map(|(column, _)| quoted(&column.name)).collect();
    let values: Vec<String> = given()
        .map(|(_, cell)| match cell {
            Cell::Text(text) => format!("'{}'", text.replace('\'', "''")),
            Cell::Null | Cell::Omitted => "null".to_owned(),
        })
        .collect();
    let what = if names.is_empty() {
        "default values".to_owned()
    } else {
        let overriding = given().any(|(column, _)| column.identity);
        let overriding = if overriding { "overriding system value " } else { "" };
        format!("({}) {overriding}values ({})", names.join(", "), values.join(", "))
    };
    let statements =
        format!("savepoint made_up; insert into {} {what}; release savepoint made_up", table.sql);
    match txn.execute_unprepared(&statements).await {
        Ok(done) if done.rows_affected() > 0 => Ok(Ok(())),
        Ok(_) => {
            let message = "the server took the row and inserted nothing (a trigger or a rule)".to_owned();
            Ok(Err(Refusal { message, ..Refusal::default() }))
        }
        Err(error) => {
            let refusal = Refusal::of(&error);
            if !refusal.is_verdict() {
                return Err(error);
            }
            txn.execute_unprepared("rollback to savepoint made_up; release savepoint made_up").await?;
            Ok(Err(refusal))
        }
    }
}

/// Whether the type of the column takes the text, its domain's CHECKs included.
pub(super) async fn takes(txn: &DatabaseTransaction, column: &Column, text: &str) -> Result<bool, DbErr> {
    let text = text.replace('\'', "''");
    let cast = format!("savepoint made_up; select '{text}'::{}; release savepoint made_up", column.type_sql);
    match txn.execute_unprepared(&cast).await {
        Ok(_) => Ok(true),
        Err(error) if Refusal::of(&error).is_verdict() => {
            txn.execute_unprepared("rollback to savepoint made_up; release savepoint made_up").await?;
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// A value for a column that others refer to: what its default gives, else one of its type.
pub(super) async fn key_value(
    txn: &DatabaseTransaction,
    schema: &Schema,
    column: &Column,
    turn: usize,
    rng: &mut impl Rng,
) -> Result<Option<String>, DbErr> {
    match &column.default {
        Some(default) => {
            let select = statement(txn, &format!("select ({default})::text as value"));
            let row = txn.query_one_raw(select).await?;
            row.map_or(Ok(None), |row| row.try_get("", "value"))
        }
        None => Ok(value(schema, column.type_oid, column.modifier, turn, rng)),
    }
}
