//! `archer ingest`: events into ClickHouse.

use std::path::PathBuf;
use std::time::Instant;

use clap::Subcommand;
use dev::endpoints::Needs;
use events::writer::{self, Report};
use events::{Intake, Normalised, source};

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
    /// Payloads of GitLab webhooks and system hooks
    #[command(after_help = "Example:\n  archer ingest gitlab payloads.zip")]
    Gitlab(Stored),
    /// Payloads of Bitbucket webhooks
    #[command(after_help = "Example:\n  archer ingest bitbucket payloads\n\n\
        The file's name says the event, such as repo-push.json, where the payload does not.")]
    Bitbucket(Stored),
    /// Heartbeats of editors, in WakaTime's form or ours
    #[command(after_help = "Example:\n  archer ingest heartbeats offline.json --actor octo")]
    Heartbeats {
        /// Where they are
        #[command(flatten)]
        stored: Stored,
        /// Who was at work where a heartbeat does not say
        #[arg(long, default_value = "", hide_default_value = true)]
        actor: String,
    },
    /// Events of the browser extension
    #[command(after_help = "Example:\n  archer ingest browser export.json --actor octo")]
    Browser {
        /// Where they are
        #[command(flatten)]
        stored: Stored,
        /// Who looked where an event does not say
        #[arg(long, default_value = "", hide_default_value = true)]
        actor: String,
    },
    /// CloudEvents 1.0 in JSON, alone or in lists
    #[command(after_help = "Example:\n  archer ingest cloudevents - < events.ndjson")]
    Cloudevents(Stored),
    /// Events in our own form
    #[command(
        visible_alias = "events",
        after_help = "Example:\n  \
        echo '{\"kind\":\"build.finished\",\"time\":\"2024-05-01T10:00:00Z\"}' | archer ingest ndjson -\n\n\
        Fields are kind, time, id, source, repository, actor, subject, title, url and attributes."
    )]
    Ndjson(Stored),
}

/// Where stored events are, and whose.
#[derive(clap::Args, Clone, Debug)]
pub struct Stored {
    /// A folder or zip of .json files, one such file, or a file of lines; - reads lines from standard input
    pub path: PathBuf,
    /// Whose events
    #[command(flatten)]
    pub tenant: Tenant,
}

impl Stored {
    fn intake(&self) -> Intake {
        Intake::new(&self.tenant.tenant, now())
    }
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
    let items: Box<dyn Iterator<Item = Normalised> + Send> = match &command {
        Command::Git { path, tenant } => {
            let commits = source::git::read(Intake::new(&tenant.tenant, now()), path)?;
            if commits.repository().is_shallow {
                let note = paint(WARN, "this clone is shallow: only the commits that it holds are read;");
                anstream::eprintln!("{note} `git fetch --unshallow` brings the rest");
            }
            Box::new(commits)
        }
        Command::Github { path, tenant } => {
            Box::new(source::github::read(Intake::new(&tenant.tenant, now()), path)?)
        }
        Command::Gitlab(stored) => Box::new(source::gitlab::read(stored.intake(), &stored.path)?),
        Command::Bitbucket(stored) => Box::new(source::bitbucket::read(stored.intake(), &stored.path)?),
        Command::Heartbeats { stored, actor } => {
            Box::new(source::heartbeats::read(stored.intake(), actor, &stored.path)?)
        }
        Command::Browser { stored, actor } => {
            Box::new(source::browser::read(stored.intake(), actor, &stored.path)?)
        }
        Command::Cloudevents(stored) => Box::new(source::cloudevents::read(stored.intake(), &stored.path)?),
        Command::Ndjson(stored) => Box::new(source::ndjson::read(stored.intake(), &stored.path)?),
    };
    Ok(writer::write(client, items, options, progress).await?)
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
