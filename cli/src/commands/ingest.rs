//! `archer ingest`: events into ClickHouse.

mod follow;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context as _;
use clap::Subcommand;
use dev::endpoints::Needs;
use events::writer::{self, DurableOptions, EventWriter, Report};
use events::{Intake, source};

use crate::output::{self, BAD, FAINT, GOOD, Outcome, STRONG, WARN, count, paint, plain};
use crate::progress::Bar;
use crate::stores::Stores;
use crate::{Context, now};

/// Where events that come once are kept until ClickHouse has them.
const LOG: &str = ".archer/events-log";

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
    /// Events of one's own, a JSON object on each line
    #[command(after_help = "Examples:\n  archer ingest events deploys.ndjson\n  \
        tail -F deploys.ndjson | archer ingest events - --follow\n\n\
        A line: {\"kind\":\"deploy.finished\",\"id\":\"run-1\",\"occurred_at\":\"2024-05-01T10:00:00Z\",\"actor\":\"octo\"}")]
    Events {
        /// A file, or - for standard input
        path: PathBuf,
        /// Takes each line into a log on disk as it comes, and sends it when ClickHouse takes it
        #[arg(long)]
        follow: bool,
        /// The log's folder
        #[arg(long, value_name = "FOLDER", default_value = LOG)]
        log: PathBuf,
        /// Whose events
        #[command(flatten)]
        tenant: Tenant,
    },
    /// Sends again what the schema or the server had refused
    #[command(after_help = "Example:\n  archer ingest replay --log .archer/events-log")]
    Replay {
        /// The log's folder
        #[arg(long, value_name = "FOLDER", default_value = LOG)]
        log: PathBuf,
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
    if let Command::Replay { log } = command {
        return Stores::with_migrated(context, needs, async |stores| {
            replay(context, stores.events()?, &log).await
        })
        .await;
    }
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
        Command::Events { path, follow, log, tenant } => {
            let intake = Intake::new(&tenant.tenant, now());
            let name = path.display().to_string();
            let input: Box<dyn BufRead + Send> = if path.as_os_str() == "-" {
                Box::new(BufReader::new(std::io::stdin()))
            } else {
                let file = File::open(&path).with_context(|| format!("cannot read {name}"))?;
                Box::new(BufReader::with_capacity(1 << 20, file))
            };
            // Opened on the thread that reads it: a line is read when it is asked for.
            let lines = source::ndjson::read(intake, &name, input);
            if follow {
                follow::follow(client, &log, lines, progress).await?
            } else {
                writer::write(client, lines, options, progress).await?
            }
        }
        Command::Replay { .. } => Report::default(),
    })
}

async fn replay(context: &Context, client: &events::Client, log: &Path) -> anyhow::Result<Outcome> {
    let writer = EventWriter::open(log, client, DurableOptions::default())?;
    let parked = writer.replay_parked().await?;
    let letters = writer.replay_dead_letters(now()).await?;
    writer.shutdown().await?;
    if context.json {
        output::json(
            &serde_json::json!({ "sent": parked.sent, "parked": parked.parked, "letters": letters }),
        )?;
    } else {
        output::text(format!(
            "{} parked rows sent, {} still parked, {} dead letters written",
            count(parked.sent),
            count(parked.parked),
            count(letters)
        ))?;
    }
    Ok(if parked.parked == 0 { Outcome::Done } else { Outcome::Failed })
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
