//! `archer migrate`: every database, ClickHouse included, with one set of commands.
//!
//! The commands are those of `migration_runner::cli`; here is for which databases, and what they do in ClickHouse.

mod events;
mod new;

use ::events::migration::Cluster;
use clap::error::ErrorKind;
use clap::{Args, ValueEnum};
use dev::endpoints::Needs;
use futures_util::future::join_all;
use migration_runner::Runner;
use migration_runner::cli::{self, Command, Repair, Report};
use sea_orm::DatabaseConnection;

use crate::Context;
use crate::output::{self, BAD, Outcome, paint};
use crate::progress::Board;
use crate::stores::Stores;

/// `archer migrate`
#[derive(Args, Clone, Debug)]
#[command(
    arg_required_else_help = true,
    subcommand_required = true,
    after_help = "Examples:\n  archer migrate status\n  archer migrate up --db ardb --dry-run\n\n\
    Databases are worked on at the same time, and one that fails keeps none of the others from being done.\n\
    Exit codes: 0 done, 1 failed, 2 wrong usage, 3 the answer is no (pending, found, changed).",
    mut_subcommands = with_example
)]
pub struct Arguments {
    /// Which databases, separated by commas
    #[arg(long, value_enum, value_delimiter = ',', default_value = "all", global = true)]
    db: Vec<Name>,
    /// Makes the tables of ClickHouse on this cluster, as `remote_servers` of its servers names it
    #[arg(long, value_name = "NAME", global = true, value_parser = cluster)]
    cluster: Option<String>,
    /// What to do with their migrations
    #[command(subcommand)]
    command: Command,
}

/// The name of a cluster: one of an element in ClickHouse's configuration.
pub fn cluster(name: &str) -> Result<String, String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    match !name.is_empty() && name.chars().all(is_part) {
        true => Ok(name.to_owned()),
        false => Err("expected letters, digits, `_`, `-` and `.`, as `remote_servers` has it".to_owned()),
    }
}

/// A database as `--db` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Name {
    /// Packages
    Ardb,
    /// People
    Identitydb,
    /// Reports
    Analyticsdb,
    /// ClickHouse
    Events,
    /// All four
    All,
}

/// The crate's help names no database, and calls no `archer`.
fn with_example(command: clap::Command) -> clap::Command {
    let command = match command.get_name() {
        "up" => command.about("Applies what is pending: in PostgreSQL all of it in one transaction"),
        "new" => command.mut_arg("dir", |dir| dir.help("The crate's folder, if not in the workspace around")),
        _ => command,
    };
    let example = match command.get_name() {
        "status" => "Example:\n  archer migrate status --db ardb,events --json",
        "up" => {
            "Examples:\n  archer migrate up\n  archer migrate up --db ardb -n 1 --dry-run\n  \
             archer migrate up --db ardb --to m20261102_090200_create_packages"
        }
        "down" => {
            "Examples:\n  archer migrate down --db ardb --dry-run\n  \
             archer migrate down --db ardb --to m20261102_090200_create_packages"
        }
        "plan" => "Example:\n  archer migrate plan --db ardb",
        "verify" => "Example:\n  archer migrate verify --db ardb",
        "history" => "Example:\n  archer migrate history --db ardb -n 5",
        "repair" => {
            "Examples:\n  archer migrate repair --dry-run\n  \
             archer migrate repair --db ardb --applied m20261102_090200_create_packages"
        }
        "baseline" => "Example:\n  archer migrate baseline m20261102_090200_create_packages --db ardb",
        "fresh" => "Example:\n  archer migrate fresh --db ardb",
        "refresh" => "Example:\n  archer migrate refresh --db ardb --yes",
        "reset" => "Example:\n  MIGRATION_YES=1 archer migrate reset --db analyticsdb",
        "new" => "Example:\n  archer migrate new create_orders --db ardb",
        _ => return command,
    };
    command.after_help(example)
}

/// Carries out the command on every database that it is for.
///
/// # Errors
///
/// When no server can be found or started, or standard output is gone. What goes wrong in a database is printed.
pub async fn run(context: &Context, arguments: Arguments) -> anyhow::Result<Outcome> {
    if let Some(problem) = arguments.problem() {
        clap::Error::raw(ErrorKind::MissingRequiredArgument, problem).exit();
    }
    let reports = match (&arguments.command, arguments.single()) {
        (Command::New(new), Some(name)) => vec![new::add(name, new)],
        _ => {
            let work = async |stores: &Stores| Ok(on_all(context, stores, &arguments).await);
            let done = Stores::to_migrate(context, arguments.needs(), work).await;
            match done {
                Err(error) if context.json => {
                    arguments.names().map(|name| Report::failed(name, format!("{error:#}"))).collect()
                }
                done => done?,
            }
        }
    };
    print(context, &reports)
}

impl Arguments {
    /// What is wrong with the combination, for people.
    fn problem(&self) -> Option<String> {
        if self.cluster.is_some() && self.single() != Some("events") {
            return Some("`--cluster` is for ClickHouse; add `--db events`\n".to_owned());
        }
        if self.cluster.is_some() && matches!(self.command, Command::Verify | Command::New(_)) {
            return Some("a cluster has no throwaway database; leave `--cluster` out\n".to_owned());
        }
        let of_one = match &self.command {
            Command::Down(_) | Command::Baseline(_) | Command::New(_) => true,
            Command::Repair(Repair { applied, pending, .. }) => applied.is_some() || pending.is_some(),
            Command::Up(up) => up.to.is_some(),
            Command::Plan(plan) => plan.to.is_some(),
            _ => false,
        };
        (of_one && self.single().is_none()).then(|| {
            let command = self.command.name();
            format!("`{command}` is for one database at a time; name it, as in `archer migrate {command} --db ardb`\n")
        })
    }

    /// The only database that is named.
    fn single(&self) -> Option<&'static str> {
        let mut names = self.names();
        names.next().filter(|_| names.next().is_none())
    }

    fn names(&self) -> impl Iterator<Item = &'static str> {
        let named = [
            ("ardb", Name::Ardb),
            ("identitydb", Name::Identitydb),
            ("analyticsdb", Name::Analyticsdb),
            ("events", Name::Events),
        ];
        let db = self.db.clone();
        let is_meant = move |name| db.contains(&name) || db.contains(&Name::All);
        named.into_iter().filter(move |(_, name)| is_meant(*name)).map(|(name, _)| name)
    }

    fn needs(&self) -> Needs {
        let any = |name| self.names().any(|meant| meant == name);
        Needs {
            ardb: any("ardb"),
            identitydb: any("identitydb"),
            analyticsdb: any("analyticsdb"),
            clickhouse: any("events"),
        }
    }
}

/// A report for every database, in their order.
async fn on_all(context: &Context, stores: &Stores, arguments: &Arguments) -> Vec<Report> {
    let command = &arguments.command;
    let board = Board::new(context.json);
    let runner = |name| command.prepare(crate::stores::runner(name, &board, command.name()));
    let groups: Vec<Vec<(Runner, &DatabaseConnection)>> = stores
        .postgres_by_url()
        .into_iter()
        .map(|group| group.into_iter().map(|(name, db)| (runner(name), db)).collect())
        .collect();
    let events = stores.events().ok().map(|client| {
        let allow_late = matches!(command, Command::Up(up) if up.allow_late);
        let runner = crate::stores::events_runner(client, &board).allow_late(allow_late);
        events::Target::new(match &arguments.cluster {
            Some(name) => runner
                .cluster(&Cluster::new(name))
                .expect("a test renders every migration of ours for a cluster"),
            None => runner,
        })
    });

    let done = match confirm(command, &groups, events.as_ref()).await {
        Ok(()) => {
            let postgres = groups.iter().map(async |group| {
                let group: Vec<_> = group.iter().map(|(runner, db)| (runner, *db)).collect();
                cli::carry_out_in_one(&group, command).await
            });
            let clickhouse = async {
                match &events {
                    Some(target) => Some(target.carry_out(command).await),
                    None => None,
                }
            };
            let (postgres, clickhouse) = tokio::join!(join_all(postgres), clickhouse);
            postgres.into_iter().flatten().chain(clickhouse).collect::<Vec<_>>()
        }
        Err(refusal) => arguments.names().map(|name| Report::failed(name, &refusal)).collect(),
    };
    let unreachable = |name: &str| {
        let error = stores.unreachable().iter().find(|(unreachable, _)| *unreachable == name)?;
        Some(Report::failed(name, format!("{:#}", error.1)))
    };
    let of = |name| unreachable(name).or_else(|| done.iter().find(|report| report.database == name).cloned());
    arguments.names().filter_map(of).collect()
}

/// Asks what there is to ask, about all databases at once.
async fn confirm(
    command: &Command,
    groups: &[Vec<(Runner, &DatabaseConnection)>],
    events: Option<&events::Target>,
) -> Result<(), cli::Refusal> {
    cli::refuse_production(command, groups.iter().flatten().map(|(runner, db)| (runner, *db))).await?;
    if let Some(target) = events
        && command.loses_everything()
        && target.is_production().await
    {
        return Err(cli::Refusal::Production { database: "events".to_owned() });
    }
    if command.is_answered() {
        return Ok(());
    }
    if let Command::Repair(repair) = command {
        if repair.dry_run || repair.applied.is_some() || repair.pending.is_some() {
            return Ok(());
        }
        let mut changes = Vec::new();
        for (runner, db) in groups.iter().flatten() {
            changes.push((runner.name().to_owned(), runner.changes(db).await.unwrap_or_default()));
        }
        if let Some(target) = events {
            changes.push(("events".to_owned(), target.changes().await.unwrap_or_default()));
        }
        return cli::confirm_changes(&changes, false);
    }
    let mut stakes = Vec::new();
    for (runner, db) in groups.iter().flatten() {
        stakes.extend(cli::stake(runner, db, command).await);
    }
    if let Some(target) = events {
        stakes.extend(target.stake(command).await);
    }
    cli::confirm_loss(&stakes, false)
}

fn print(context: &Context, reports: &[Report]) -> anyhow::Result<Outcome> {
    if context.json {
        output::json(&reports)?;
    } else {
        let texts = reports.iter().map(ToString::to_string).filter(|text| !text.is_empty());
        let text = texts.collect::<Vec<_>>().join("\n");
        if !text.is_empty() {
            output::text(text.trim_end())?;
        }
    }
    let mut said: Vec<&str> = Vec::new();
    for error in reports.iter().filter_map(|report| report.error.as_deref()) {
        if !said.contains(&error) {
            anstream::eprintln!("{} {error}", paint(BAD, "error:"));
            said.push(error);
        }
    }
    Ok(if !said.is_empty() {
        Outcome::Failed
    } else if reports.iter().any(|report| report.is_no) {
        Outcome::No
    } else {
        Outcome::Done
    })
}
