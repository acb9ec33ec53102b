//! `archer events`: erasure, retention and the definition of the tables.

use clap::builder::RangedI64ValueParser;
use clap::{ArgGroup, Args, Subcommand};
use dev::endpoints::Needs;
use events::migration::{self, Cluster};
use events::retention::{self, Retention};
use events::{Intake, erasure};
use migration_runner::cli::{Stake, confirm_loss};

use super::ingest;
use crate::output::{self, FAINT, Outcome, STRONG, count, paint, plain};
use crate::progress::Board;
use crate::stores::Stores;
use crate::{Context, now};

/// What to do with the events.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Erases a person from every table
    #[command(after_help = "Examples:\n  archer events erase --tenant acme --actor octocat\n  \
        archer events erase --again --yes\n\n\
        Erased are the person's events, the payloads of these, and rejected inputs with the name in them. \
        A digest is kept, so that `--again`, run every night say, erases what was delivered again since.")]
    Erase(Erase),
    /// Shows and sets how long events are kept
    #[command(subcommand)]
    Retention(RetentionCommand),
    /// Prints the statements that make the tables, for one server or for a cluster
    #[command(after_help = "Examples:\n  archer events ddl\n  archer events ddl --cluster main\n\n\
        `archer migrate up --db events --cluster main` runs them.")]
    Ddl {
        /// The cluster as `remote_servers` of its servers names it
        #[arg(long, value_name = "NAME", value_parser = super::migrate::cluster)]
        cluster: Option<String>,
    },
}

/// Who is to be erased.
#[derive(Args, Clone, Debug)]
#[command(group(ArgGroup::new("whom").required(true).args(["actor", "again"])))]
pub struct Erase {
    /// Whose events
    #[arg(long, default_value = Intake::DEFAULT_TENANT, value_parser = ingest::tenant)]
    tenant: String,
    /// The person, as the events spell the name
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
    /// Everybody, of every tenant, who was erased before and was delivered again
    #[arg(long)]
    again: bool,
    /// Does not ask
    #[arg(long)]
    yes: bool,
}

/// `archer events retention`
#[derive(Clone, Debug, Subcommand)]
pub enum RetentionCommand {
    /// Shows the rule of every tenant that has one, and the one for all others
    #[command(after_help = "Example:\n  archer events retention show --json")]
    Show,
    /// Sets how long the events of a tenant are kept, or of all that have no rule of their own
    #[command(after_help = "Examples:\n  archer events retention set --events-days 365\n  \
        archer events retention set --tenant acme --events-days 90 --payload-days 7\n\n\
        What is due is removed in the background. 0 keeps for ever.")]
    Set(Set),
}

/// A rule.
#[derive(Args, Clone, Debug)]
pub struct Set {
    /// For whose events; all that have no rule of their own unless told
    #[arg(long, value_parser = ingest::tenant)]
    tenant: Option<String>,
    /// Days that an event is kept after it happened; as before unless told
    #[arg(long, value_name = "DAYS", value_parser = days(), required_unless_present = "payload_days")]
    events_days: Option<u32>,
    /// Days that a payload is kept after it arrived; as before unless told
    #[arg(long, value_name = "DAYS", value_parser = days())]
    payload_days: Option<u32>,
    /// Does not ask
    #[arg(long)]
    yes: bool,
}

/// Days, as many as the calendar has.
fn days() -> RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(..=i64::from(retention::MAX_DAYS))
}

/// Carries out the command.
///
/// # Errors
///
/// When the person at the terminal declines, or the server refuses.
pub async fn run(context: &Context, command: Command) -> anyhow::Result<Outcome> {
    let needs = Needs { clickhouse: true, ..Needs::default() };
    match command {
        Command::Ddl { cluster } => ddl(context, cluster.as_deref())?,
        Command::Erase(whom) => {
            if let Some(actor) = &whom.actor {
                let what = format!("every event of {} in {}", plain(actor), plain(&whom.tenant));
                confirm_loss(&[Stake { database: actor.clone(), what }], whom.yes)?;
            }
            Stores::with_migrated(context, needs, async |stores| {
                erase(context, stores.events()?, &whom).await
            })
            .await?;
        }
        Command::Retention(RetentionCommand::Show) => {
            let rules = Stores::with_migrated(context, needs, async |stores| {
                Ok(retention::rules(stores.events()?).await?)
            })
            .await?;
            show(context, &rules)?;
        }
        Command::Retention(RetentionCommand::Set(wanted)) => {
            let whose = wanted.tenant.as_deref().unwrap_or("all tenants without a rule");
            let what = format!("what is due of {}", plain(whose));
            confirm_loss(&[Stake { database: "events".to_owned(), what }], wanted.yes)?;
            let rules =
                Stores::with_migrated(context, needs, async |stores| set(stores.events()?, &wanted).await)
                    .await?;
            show(context, &rules)?;
        }
    }
    Ok(Outcome::Done)
}

async fn erase(context: &Context, client: &events::Client, whom: &Erase) -> anyhow::Result<()> {
    let board = Board::new(context.json);
    let line = board.line("erase");
    let progress = |step: &'static str| line.say(step.to_owned());
    let reports = match &whom.actor {
        Some(actor) => vec![erasure::erase(client, &whom.tenant, actor, now(), progress).await?],
        None => erasure::again(client, now(), progress).await?,
    };
    drop(line);
    if context.json {
        return output::json(&reports);
    }
    if reports.is_empty() {
        return output::text("nobody who was erased has come back");
    }
    let lines = reports.iter().map(|report| {
        let rows = report.rows_deleted.iter().map(|(table, rows)| format!("{} from {table}", count(*rows)));
        let rows = rows.collect::<Vec<_>>().join(", ");
        let digest = paint(FAINT, &report.actor_digest);
        let days = report.days.len() as u64;
        format!("{} {rows}; {} days counted anew; known as {digest}", paint(STRONG, "erased"), count(days))
    });
    output::text(lines.collect::<Vec<_>>().join("\n"))
}

async fn set(client: &events::Client, wanted: &Set) -> anyhow::Result<Vec<Retention>> {
    let rules = retention::rules(client).await?;
    let tenant = wanted.tenant.clone().unwrap_or_default();
    let before = rules.iter().find(|rule| rule.tenant == tenant).or_else(|| rules.first());
    let before = before.cloned().unwrap_or_else(Retention::default_rule);
    let rule = Retention {
        tenant,
        events_days: wanted.events_days.unwrap_or(before.events_days),
        payload_days: wanted.payload_days.unwrap_or(before.payload_days),
    };
    retention::set(client, &rule, now()).await?;
    Ok(retention::rules(client).await?)
}

fn show(context: &Context, rules: &[Retention]) -> anyhow::Result<()> {
    if context.json {
        return output::json(&rules);
    }
    let days = |days: u32| if days == 0 { "for ever".to_owned() } else { format!("{days} days") };
    let rows = rules.iter().map(|rule| {
        let tenant = if rule.tenant.is_empty() { "all others".to_owned() } else { plain(&rule.tenant) };
        vec![tenant, days(rule.events_days), days(rule.payload_days)]
    });
    output::text(output::table(&["tenant", "events", "payloads"], rows, &[]))
}

fn ddl(context: &Context, cluster: Option<&str>) -> anyhow::Result<()> {
    let migrations = match cluster {
        Some(name) => Cluster::new(name).migrations(&migration::all())?,
        None => migration::all(),
    };
    let statements: Vec<_> =
        migrations.iter().flat_map(|migration| migration.up()).map(|one| one.sql).collect();
    if context.json {
        return output::json(&statements);
    }
    let statements = statements.iter().map(|sql| format!("{};", sql.trim()));
    output::text(statements.collect::<Vec<_>>().join("\n\n"))
}
