//! `archer refresh`: the reports of analyticsdb.

use dev::endpoints::Needs;
use service::analyticsdb::package_ranking::{self, Refreshed};

use crate::output::{self, FAINT, Outcome, STRONG, count, paint};
use crate::stores::Stores;
use crate::{Context, now};

/// `archer refresh`
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = "Example:\n  archer refresh\n\nNothing is computed while ardb has nothing new.")]
pub struct Arguments {}

/// Computes the reports anew where there is something new.
///
/// # Errors
///
/// When a database refuses.
pub async fn run(context: &Context, _: Arguments) -> anyhow::Result<Outcome> {
    let needs = Needs { ardb: true, analyticsdb: true, ..Needs::default() };
    let done = Stores::with_migrated(context, needs, async |stores| {
        Ok(package_ranking::refresh(stores.ardb()?, stores.analyticsdb()?, now()).await?)
    })
    .await?;
    if context.json {
        output::json(&serde_json::json!({ package_ranking::REPORT: done }))?;
    } else {
        let report = paint(STRONG, package_ranking::REPORT);
        output::text(match done {
            Refreshed::Done { ranked, rows_changed } => {
                format!("{report}: {} packages ranked, {} rows changed", count(ranked), count(rows_changed))
            }
            Refreshed::NothingNew => format!("{report}: {}", paint(FAINT, "nothing new in ardb")),
        })?;
    }
    Ok(Outcome::Done)
}
