//! `archer erasure`: what was erased here and is still to be elsewhere.

use anyhow::bail;
use clap::Subcommand;
use entity_identitydb::{ErasureRequestId, erasure_request};
use serde_json::{Value, json};
use service::Error;
use service::identitydb::{Act, erasure};

use super::{cut, minute, note, page, with_identitydb};
use crate::output::{self, FAINT, GOOD, Outcome, paint, print};
use crate::{Context, now};

/// What to do with requests for erasure.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Lists what is still to be carried out elsewhere, oldest first
    #[command(after_help = "Examples:\n  archer erasure list\n  archer erasure list --json\n\n\
        With --json each has `actor_digests`: SHA-256, in hex, of each name, address and account elsewhere that the \
        user went by, in lower case. By those other stores find the traces, without being told whose they are.")]
    List {
        /// At most so many
        #[arg(long, default_value_t = 50, value_parser = page())]
        limit: u64,
    },
    /// Notes that the traces are gone everywhere
    #[command(after_help = "Example:\n  archer erasure complete 3")]
    Complete {
        /// The request, which `archer erasure list` shows
        id: i64,
    },
}

/// Lists or completes.
///
/// # Errors
///
/// When there is no such request, or the database refuses.
pub async fn run(context: &Context, command: Command) -> anyhow::Result<Outcome> {
    with_identitydb(context, async |db| match command {
        Command::List { limit } => {
            let (found, more) = cut(erasure::pending(db, limit + 1).await?, limit);
            print(context, &found.iter().map(as_json).collect::<Vec<_>>(), |_| table(&found))?;
            if more {
                note(context, paint(FAINT, format!("there are more: --limit {}", limit * 10)));
            }
            Ok(Outcome::Done)
        }
        Command::Complete { id } => {
            match erasure::complete(db, ErasureRequestId(id), &Act::system(now())).await {
                Err(Error::NotFound { .. }) => {
                    bail!("there is no request {id}; `archer erasure list` lists them")
                }
                done => {
                    print(context, &as_json(&done?), |_| format!("request {id} is carried out everywhere"))
                }
            }
        }
    })
    .await
}

fn table(found: &[erasure_request::Model]) -> String {
    if found.is_empty() {
        return paint(GOOD, "nothing is left to be erased elsewhere");
    }
    let rows = found.iter().map(|request| {
        vec![
            request.id.0.to_string(),
            request.user_id.0.to_string(),
            minute(request.created_at),
            request.actor_digests.len().to_string(),
        ]
    });
    output::table(&["request", "user", "since (UTC)", "digests"], rows, &[0, 1, 3])
}

fn as_json(request: &erasure_request::Model) -> Value {
    json!({
        "id": request.id.0,
        "user_id": request.user_id.0,
        "created_at": request.created_at,
        "completed_at": request.completed_at,
        "actor_digests": request.actor_digests,
    })
}
