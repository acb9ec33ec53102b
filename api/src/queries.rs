//! The event queries by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State as Extract};
use events::query::{self, Table};

use crate::State;
use crate::error::Refusal;

pub(crate) async fn list() -> Json<[&'static query::Query; 4]> {
    Json(query::CATALOGUE)
}

pub(crate) async fn run(
    Extract(state): Extract<Arc<State>>,
    Path(name): Path<String>,
    Query(parameters): Query<BTreeMap<String, String>>,
) -> Result<Json<Table>, Refusal> {
    Ok(Json(query::run(&state.events, &name, &parameters).await?))
}
