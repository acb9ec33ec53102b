//! `archer ingest`: events into ClickHouse.

mod follow;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::bail;
use clap::Subcommand;
use dev::endpoints::Needs;
use events::envelope::limit;
use events::writer::{self, DurableOptions, EventWriter, Report};
use events::{Intake, Normalised, source};

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
        /// Whose events, and which way they go
        #[command(flatten)]
        way: Way,
    },
    /// Stored payloads of GitHub webhooks
    #[command(after_help = "Example:\n  archer ingest github payloads.zip\n\n\
        The layout is EVENT/ACTION.payload.json or EVENT.payload.json.")]
    Github {
        /// A folder or a zip of payloads
        path: PathBuf,
        /// Whose events, and which way they go
        #[command(flatten)]
        way: Way,
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
    /// Events in our own form, a JSON object on each line
    #[command(
        visible_alias = "ndjson",
        after_help = "Examples:\n  \
        echo '{\"kind\":\"build.finished\",\"time\":\"2024-05-01T10:00:00Z\"}' | archer ingest events -\n  \
        tail -F builds.ndjson | archer ingest events - --follow\n\n\
        Fields are kind, action, time, id, source, repository, actor, subject, title, url and attributes."
    )]
    Events(Stored),
    /// Sends again what the schema or the server had refused
    #[command(after_help = "Example:\n  archer ingest replay --log .archer/events-log")]
    Replay {
        /// The log's folder
        #[arg(long, value_name = "FOLDER", default_value = LOG)]
        log: PathBuf,
    },
}

/// Where stored events are, and whose.
#[derive(clap::Args, Clone, Debug)]
pub struct Stored {
    /// A folder or zip of .json files, one such file, or a file of lines; - reads lines from standard input
    pub path: PathBuf,
    /// Whose events, and which way they go
    #[command(flatten)]
    pub way: Way,
}

impl Stored {
    fn intake(&self) -> Intake {
        self.way.intake()
    }
}

/// Whose events.
#[derive(clap::Args, Clone, Debug)]
pub struct Tenant {
    /// Whose events these are
    #[arg(long, default_value = Intake::DEFAULT_TENANT, value_parser = tenant)]
    pub tenant: String,
}

/// A tenant's name as the tables take it.
pub fn tenant(name: &str) -> Result<String, String> {
    match name.len() {
        0 => Err("expected a name; without --tenant it is that of who has none".to_owned()),
        1..=limit::NAME if !name.contains(char::is_control) => Ok(name.to_owned()),
        _ => Err(format!("expected at most {} bytes, and no control character", limit::NAME)),
    }
}

/// Whose events, and which way they go.
#[derive(clap::Args, Clone, Debug)]
pub struct Way {
    /// Whose events
    #[command(flatten)]
    pub tenant: Tenant,
    /// Takes each event into a log on disk as it comes, and sends it when ClickHouse takes it
    #[arg(long)]
    pub follow: bool,
    /// The log's folder
    #[arg(long, value_name = "FOLDER", default_value = LOG, requires = "follow")]
    pub log: PathBuf,
}

impl Way {
    fn intake(&self) -> Intake {
        Intake::new(&self.tenant.tenant, now())
    }
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
    let (report, seconds) = Stores::with_reachable(context, needs, async |stores| {
        match command.way() {
            // What comes now can wait in the log until ClickHouse is there.
            Some(Way { follow: true, .. }) => stores.all_but_absent_events()?,
            _ => stores.all()?,
        }
        stores.migrate_or_refuse().await?;
        let start = Instant::now();
        Ok((ingest(stores, command).await?, start.elapsed().as_secs_f64()))
    })
    .await?;
    if context.json {
        output::json(&report)?;
    } else {
        output::text(describe(&report, seconds))?;
    }
    Ok(if report.dead == 0 { Outcome::Done } else { Outcome::Failed })
}

async fn ingest(stores: &Stores, command: Command) -> anyhow::Result<Report> {
    let bar = Bar::counter("events", "read");
    let progress = |report: &Report| bar.count(report.read);
    let way = command.way().cloned();
    let items = command.open()?;
    match way {
        Some(Way { follow: true, log, .. }) => {
            follow::follow(&stores.events_or_later()?, &log, stores.are_embedded(), items, progress).await
        }
        _ => Ok(writer::write(stores.events()?, items, writer::Options::default(), progress).await?),
    }
}

impl Command {
    /// Which way the events go; `None` of what brings none.
    fn way(&self) -> Option<&Way> {
        match self {
            Self::Git { way, .. } | Self::Github { way, .. } => Some(way),
            Self::Gitlab(stored)
            | Self::Bitbucket(stored)
            | Self::Cloudevents(stored)
            | Self::Events(stored) => Some(&stored.way),
            Self::Heartbeats { stored, .. } | Self::Browser { stored, .. } => Some(&stored.way),
            Self::Replay { .. } => None,
        }
    }

    /// The events that the source has.
    fn open(self) -> anyhow::Result<Box<dyn Iterator<Item = Normalised> + Send>> {
        Ok(match self {
            Self::Git { path, way } => {
                let commits = source::git::read(way.intake(), &path)?;
                if commits.repository().is_shallow {
                    let note = paint(WARN, "this clone is shallow: only the commits that it holds are read;");
                    anstream::eprintln!("{note} `git fetch --unshallow` brings the rest");
                }
                Box::new(commits)
            }
            Self::Github { path, way } => Box::new(source::github::read(way.intake(), &path)?),
            Self::Gitlab(stored) => Box::new(source::gitlab::read(stored.intake(), &stored.path)?),
            Self::Bitbucket(stored) => Box::new(source::bitbucket::read(stored.intake(), &stored.path)?),
            Self::Heartbeats { stored, actor } => {
                Box::new(source::heartbeats::read(stored.intake(), &actor, &stored.path)?)
            }
            Self::Browser { stored, actor } => {
                Box::new(source::browser::read(stored.intake(), &actor, &stored.path)?)
            }
            Self::Cloudevents(stored) => Box::new(source::cloudevents::read(stored.intake(), &stored.path)?),
            Self::Events(stored) => Box::new(source::ndjson::read(stored.intake(), &stored.path)?),
            Self::Replay { .. } => Box::new(std::iter::empty()),
        })
    }
}

async fn replay(context: &Context, client: &events::Client, log: &Path) -> anyhow::Result<Outcome> {
    if !log.is_dir() {
        bail!(
            "{} is no folder of a log; --log FOLDER says where --follow or `archer serve` keeps one",
            log.display()
        );
    }
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
    if report.erased > 0 {
        text.push_str(&format!("\n{} of people who were erased, and not written", count(report.erased)));
    }
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
    let more = report.dead.saturating_sub(report.dead_letters.len() as u64);
    if more > 0 {
        let all = "archer query raw 'SELECT place, reason FROM dead_letters FINAL'";
        text.push_str(&format!("\nand {} more; `{all}` has them all", count(more)));
    }
    text
}
