//! `archer import runs` and `archer import errors`: what was imported when, and what was rejected.

use clap::Args;
use dev::endpoints::Needs;
use entity_ardb::{ImportOutcome, ImportRunId, import_run};
use sea_orm::ActiveEnum as _;
use serde_json::{Value, json};
use service::ardb::import_run as runs;

use crate::Context;
use crate::output::{self, Outcome, count, plain};
use crate::stores::Stores;

/// `archer import runs`
#[derive(Args, Clone, Debug)]
pub struct Runs {
    /// How many, the newest first
    #[arg(long, default_value_t = 20)]
    limit: u64,
}

/// `archer import errors`
#[derive(Args, Clone, Debug)]
pub struct Errors {
    /// The run, by the number that `archer import runs` shows
    run: i64,

    /// How many of its rejections
    #[arg(long, default_value_t = 1_000)]
    limit: u64,
}

const NEEDS: Needs = Needs { ardb: true, identitydb: false, analyticsdb: false, clickhouse: false };

/// Lists the newest runs.
///
/// # Errors
///
/// When the database refuses.
pub async fn list(context: &Context, Runs { limit }: Runs) -> anyhow::Result<Outcome> {
    let found =
        Stores::with_migrated(context, NEEDS, async |stores| Ok(runs::newest(stores.ardb()?, limit).await?))
            .await?;
    if context.json {
        output::json(&found.iter().map(as_json).collect::<Vec<_>>())?;
    } else if found.is_empty() {
        output::text("nothing has been imported yet")?;
    } else {
        let header = ["run", "importer", "started", "seconds", "outcome", "documents", "rejected", "source"];
        output::text(output::table(&header, found.iter().map(as_row), &[0, 3, 5, 6]))?;
    }
    Ok(Outcome::Done)
}

/// Lists what one run rejected. The outcome is [`Outcome::No`] if there is no such run.
///
/// # Errors
///
/// When the database refuses.
pub async fn errors(context: &Context, Errors { run, limit }: Errors) -> anyhow::Result<Outcome> {
    let id = ImportRunId(run);
    let (known, found) = Stores::with_migrated(context, NEEDS, async |stores| {
        let ardb = stores.ardb()?;
        Ok((runs::by_id(ardb, id).await?.is_some(), runs::errors(ardb, id, limit).await?))
    })
    .await?;
    if context.json {
        let errors = found.iter().map(|error| json!({ "place": error.place, "reason": error.reason }));
        output::json(&errors.collect::<Vec<_>>())?;
    } else if !known {
        output::text(format!("there is no run {run}; `archer import runs` lists them"))?;
    } else if found.is_empty() {
        output::text(format!("run {run} rejected nothing"))?;
    } else {
        let lines = found.iter().map(|error| format!("{}: {}", plain(&error.place), plain(&error.reason)));
        output::text(lines.collect::<Vec<_>>().join("\n"))?;
    }
    Ok(if known { Outcome::Done } else { Outcome::No })
}

fn outcome(run: &import_run::Model) -> String {
    run.outcome.map_or_else(|| "unfinished".into(), |outcome: ImportOutcome| outcome.to_value())
}

fn as_json(run: &import_run::Model) -> Value {
    json!({
        "run": run.id.0,
        "importer": run.importer,
        "source": run.source,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "outcome": outcome(run),
        "error": run.error,
        "counts": run.counts,
    })
}

fn as_row(run: &import_run::Model) -> Vec<String> {
    let documents = run.counts["documents"].as_object();
    let documents = documents.map(|counts| counts.values().filter_map(Value::as_u64).sum::<u64>());
    let number = |number: Option<u64>| number.map(count).unwrap_or_default();
    let seconds = run.finished_at.map(|at| (at - run.started_at).num_milliseconds() as f64 / 1_000.0);
    vec![
        run.id.0.to_string(),
        run.importer.clone(),
        run.started_at.format("%F %T").to_string(),
        seconds.map(|seconds| format!("{seconds:.1}")).unwrap_or_default(),
        outcome(run),
        number(documents),
        number(run.counts["rejected_total"].as_u64()),
        plain(&run.source),
    ]
}
