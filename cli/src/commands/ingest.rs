//! `archer ingest`: events into ClickHouse.

use std::path::PathBuf;
use std::time::Instant;

use clap::Subcommand;
use dev::endpoints::Needs;
use events::writer::{self, Report};
use events::{Intake, source};

use crate::output::{self, BAD, FAINT, GOOD, Outcome, STRONG, WARN, count, paint, plain};
use crate::progress::Bar;
use crate::stores::Stores;
use crate::{Context, now};

/// Where the events come from.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Every commit of a Git repository
    #[command(after_help = "Example:\n  archer ingest git ~/src/rocket")]
    Git {
        /// A clone, or a folder within one
        path: PathBuf,
        /// Whose events
        #[command(flatten)]
        tenant: Tenant,
    },
    /// Stored payloads of GitHub webhooks
    #[command(after_help = "Example:\n  archer ingest github payloads.zip\n\n\
        The layout is EVENT/ACTION.payload.json or EVENT.payload.json.")]
    Github {
        /// A folder or a zip of payloads
        path: PathBuf,
        /// Whose events
        #[command(flatten)]
        tenant: Tenant,
    },
}

/// Whose events.
#[derive(clap::Args, Clone, Debug)]
pub struct Tenant {
    /// Whose events these are
    #[arg(long, default_value = Intake::DEFAULT_TENANT)]
    pub tenant: String,
}

/// Ingests, and accounts for every input. The outcome is [`Outcome::Failed`] if any became no event.
///
/// # Errors
///
/// When the input can't be read at all, or the server refuses.
pub async fn run(context: &Context, command: Command) -> anyhow::Result<Outcome> {
    let needs = Needs { clickhouse: true, ..Needs::default() };
    let (report, seconds) = Stores::with_migrated(context, needs, async |stores| {
        let start = Instant::now();
        Ok((ingest(stores.events()?, command).await?, start.elapsed().as_secs_f64()))
    })
    .await?;
    if context.json {
        output::json(&report)?;
    } else {
        output::text(describe(&report, seconds))?;
    }
    Ok(if report.dead == 0 { Outcome::Done } else { Outcome::Failed })
}

async fn ingest(client: &events::Client, command: Command) -> anyhow::Result<Report> {
    let bar = Bar::counter("events", "read");
    let progress = |report: &Report| bar.count(report.read);
    let options = writer::Options::default();
    Ok(match command {
        Command::Git { path, tenant } => {
            let commits = source::git::read(Intake::new(&tenant.tenant, now()), &path)?;
            if commits.repository().is_shallow {
                let note = paint(WARN, "this clone is shallow: only the commits that it holds are read;");
                anstream::eprintln!("{note} `git fetch --unshallow` brings the rest");
            }
            writer::write(client, commits, options, progress).await?
        }
        Command::Github { path, tenant } => {
            let payloads = source::github::read(Intake::new(&tenant.tenant, now()), &path)?;
            writer::write(client, payloads, options, progress).await?
        }
    })
}

fn describe(report: &Report, seconds: f64) -> String {
    let read = paint(STRONG, format!("{} read", count(report.read)));
    let mut text = format!(
        "{read}: {} written, {} duplicate, {} dead {}",
        count(report.written),
        count(report.duplicate),
        count(report.dead),
        paint(FAINT, format!("in {seconds:.1} s")),
    );
    if report.written == 0 && report.dead == 0 {
        text.push_str(&format!("\n{}", paint(GOOD, "nothing new")));
    }
    for letter in &report.dead_letters {
        text.push_str(&format!(
            "\n{} {}: {}",
            paint(BAD, "dead"),
            plain(&letter.place),
            plain(&letter.reason)
        ));
    }
    text
}
