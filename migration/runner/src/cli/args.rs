//! What can be typed.

use std::path::PathBuf;

use clap::builder::RangedI64ValueParser;
use clap::{Args as ClapArgs, Parser, Subcommand, value_parser};

use crate::{Extent, Runner};

/// The command line of a migration crate: what `sea-orm-cli migrate` passes on, and more.
#[derive(Debug, Parser)]
#[command(version, about = "Applies and reverts migrations", arg_required_else_help = true)]
#[command(
    subcommand_required = true,
    max_term_width = 100,
    after_help = "Examples:\n  sea-orm-cli migrate up -n 1\n  cargo run -p migration -- status\n  \
    cargo run -p migration -- down --dry-run\n\n\
    Exit codes: 0 done, 1 failed, 2 wrong usage, 3 verify or a dry repair has found something."
)]
pub struct Args {
    /// Logs every statement, to wherever the program logs
    #[arg(short, long, global = true)]
    pub verbose: bool,

    /// Prints JSON for programs instead of text for people
    #[arg(long, global = true)]
    pub json: bool,

    /// Schema to work in, first on the search path
    #[arg(short = 's', long, global = true, env = "DATABASE_SCHEMA")]
    pub database_schema: Option<String>,

    /// Where the database is
    #[arg(short = 'u', long, global = true, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,

    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done with the migrations of a database.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Shows what is applied and what is pending
    #[command(after_help = "Example:\n  migration status --json")]
    Status,
    /// Applies what is pending, in one transaction
    #[command(
        after_help = "Examples:\n  migration up --dry-run\n  migration up --to m20261102_090100_create_users"
    )]
    Up(Up),
    /// Reverts the migration applied last, or the last few
    #[command(
        after_help = "Examples:\n  migration down --dry-run\n  migration down --to m20261102_090100_create_users"
    )]
    Down(Down),
    /// Shows what `up` would send, with the locks that it takes
    #[command(after_help = "Example:\n  migration plan -n 1")]
    Plan(Plan),
    /// Tries every migration out on a throwaway database, both ways
    #[command(after_help = "Example:\n  migration verify")]
    Verify,
    /// Lists what was run, newest first, also what failed
    #[command(after_help = "Example:\n  migration history -n 5")]
    History(History),
    /// Accepts changed SQL of applied migrations, or settles one that was interrupted
    #[command(
        after_help = "Examples:\n  migration repair --dry-run\n  migration repair --pending m20261102_090100_index_users"
    )]
    Repair(Repair),
    /// Marks migrations as applied whose schema is there already
    #[command(after_help = "Example:\n  migration baseline m20261102_090100_create_users")]
    Baseline(Baseline),
    /// Drops everything in the schema, then applies every migration
    #[command(after_help = "Example:\n  MIGRATION_YES=1 migration fresh")]
    Fresh(Yes),
    /// Reverts every migration, then applies all of them
    #[command(after_help = "Example:\n  migration refresh --yes")]
    Refresh(Yes),
    /// Reverts every migration
    #[command(after_help = "Example:\n  migration reset --yes")]
    Reset(Yes),
    /// Adds a migration to the crate: a file to write, and its lines in the list
    #[command(after_help = "Example:\n  migration new create_orders --dir migration")]
    New(New),
}

/// `up`
#[derive(ClapArgs, Clone, Debug, Default, PartialEq, Eq)]
pub struct Up {
    /// At most this many
    #[arg(short, long, value_name = "COUNT", value_parser = at_least_one())]
    pub num: Option<u32>,
    /// Up to and including this migration
    #[arg(long, value_name = "NAME", conflicts_with = "num")]
    pub to: Option<String>,
    /// Shows the SQL and sends none of it
    #[arg(long)]
    pub dry_run: bool,
    /// Applies also what comes before an applied migration, or beside ones that this program does not know
    #[arg(long)]
    pub allow_late: bool,
}

/// `down`
#[derive(ClapArgs, Clone, Debug, Default, PartialEq, Eq)]
pub struct Down {
    /// How many [default: 1]
    #[arg(short, long, value_name = "COUNT", value_parser = at_least_one())]
    pub num: Option<u32>,
    /// What was applied after this migration, which stays
    #[arg(long, value_name = "NAME", conflicts_with = "num")]
    pub to: Option<String>,
    /// Shows the SQL and sends none of it
    #[arg(long)]
    pub dry_run: bool,
    /// Whether to ask before more than one is reverted.
    #[command(flatten)]
    pub yes: Yes,
}

/// `plan`
#[derive(ClapArgs, Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// At most this many migrations
    #[arg(short, long, value_name = "COUNT", value_parser = at_least_one())]
    pub num: Option<u32>,
    /// Up to and including this migration
    #[arg(long, value_name = "NAME", conflicts_with = "num")]
    pub to: Option<String>,
}

/// `history`
#[derive(ClapArgs, Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// How many
    #[arg(short, long, value_name = "COUNT", default_value_t = 20, value_parser = at_least_one())]
    pub num: u32,
}

/// `repair`
#[derive(ClapArgs, Clone, Debug, Default, PartialEq, Eq)]
pub struct Repair {
    /// Shows what has changed and accepts none of it
    #[arg(long, conflicts_with_all = ["applied", "pending"])]
    pub dry_run: bool,
    /// Of this interrupted migration everything is done
    #[arg(long, value_name = "NAME", conflicts_with = "pending")]
    pub applied: Option<String>,
    /// Of this interrupted migration nothing is left
    #[arg(long, value_name = "NAME")]
    pub pending: Option<String>,
    /// Whether to ask before changed SQL is accepted.
    #[command(flatten)]
    pub yes: Yes,
}

/// `baseline`
#[derive(ClapArgs, Clone, Debug, PartialEq, Eq)]
pub struct Baseline {
    /// The last migration to mark
    pub name: String,
    /// Does not compare the schema with what the migrations make
    #[arg(long)]
    pub unchecked: bool,
}

/// The answer to a question, given beforehand.
#[derive(ClapArgs, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Yes {
    /// Asks nobody
    #[arg(long, env = "MIGRATION_YES", value_parser = yes, hide_env_values = true)]
    pub yes: bool,
}

/// None at all is no number of migrations to ask for.
fn at_least_one() -> RangedI64ValueParser<u32> {
    value_parser!(u32).range(1..)
}

/// What `MIGRATION_YES` may be; what is neither is no answer to such a question.
fn yes(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "y" | "yes" | "true" | "on" => Ok(true),
        "" | "0" | "n" | "no" | "false" | "off" => Ok(false),
        _ => Err("expected 1 or 0, or yes or no, true or false, on or off".to_owned()),
    }
}

/// `new`
#[derive(ClapArgs, Clone, Debug, PartialEq, Eq)]
pub struct New {
    /// What changes, in lower-case words joined by `_`
    pub change: String,
    /// The crate's folder [default: the one that cargo runs, else this one]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

impl Command {
    /// The word that it begins with.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Up(_) => "up",
            Self::Down(_) => "down",
            Self::Plan(_) => "plan",
            Self::Verify => "verify",
            Self::History(_) => "history",
            Self::Repair(_) => "repair",
            Self::Baseline(_) => "baseline",
            Self::Fresh(_) => "fresh",
            Self::Refresh(_) => "refresh",
            Self::Reset(_) => "reset",
            Self::New(_) => "new",
        }
    }

    /// Whether it works on a database. One that does not is for [`add`](super::add), and for no connection.
    #[must_use]
    pub fn needs_database(&self) -> bool {
        !matches!(self, Self::New(_))
    }

    /// Whether it takes away all that there is.
    #[must_use]
    pub fn loses_everything(&self) -> bool {
        matches!(self, Self::Fresh(_) | Self::Refresh(_) | Self::Reset(_))
    }

    /// Whether it takes rows away, as every `down` may.
    #[must_use]
    pub fn loses_data(&self) -> bool {
        match self {
            Self::Fresh(_) | Self::Refresh(_) | Self::Reset(_) => true,
            Self::Down(down) => !down.dry_run,
            _ => false,
        }
    }

    /// Whether the question that it may ask is answered already.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        match self {
            Self::Fresh(yes) | Self::Refresh(yes) | Self::Reset(yes) => yes.yes,
            Self::Down(down) => down.yes.yes,
            Self::Repair(repair) => repair.yes.yes,
            _ => true,
        }
    }

    /// Whether databases that build on each other are taken from the last to the first.
    #[must_use]
    pub fn goes_backwards(&self) -> bool {
        matches!(self, Self::Down(_) | Self::Reset(_))
    }

    /// `runner` with what the flags ask of it. [`carry_out`](super::carry_out) wants it so.
    #[must_use]
    pub fn prepare(&self, runner: Runner) -> Runner {
        match self {
            Self::Up(up) if up.allow_late => runner.allow_late(true),
            _ => runner,
        }
    }
}

impl Up {
    /// How far to go.
    #[must_use]
    pub fn extent(&self) -> Extent {
        extent(self.num, self.to.as_ref())
    }
}

impl Down {
    /// How far to go.
    #[must_use]
    pub fn extent(&self) -> Extent {
        extent(self.num.or(Some(1)), self.to.as_ref())
    }
}

impl Plan {
    /// How far to look.
    #[must_use]
    pub fn extent(&self) -> Extent {
        extent(self.num, self.to.as_ref())
    }
}

fn extent(num: Option<u32>, to: Option<&String>) -> Extent {
    match (to, num) {
        (Some(to), _) => Extent::To(to.clone()),
        (None, Some(num)) => Extent::Count(num),
        (None, None) => Extent::All,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn command(line: &[&str]) -> Command {
        Args::try_parse_from([&["migration"], line].concat()).unwrap().command
    }

    #[test]
    fn the_arguments_are_consistent_and_every_command_has_an_example() {
        let mut args = Args::command();
        args.build();
        args.clone().debug_assert();
        for command in args.get_subcommands().filter(|command| command.get_name() != "help") {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Example"), "{}", command.get_name());
        }
    }

    #[test]
    fn no_subcommand_is_not_up() {
        assert!(Args::try_parse_from(["migration"]).is_err());
        assert!(Args::try_parse_from(["migration", "-v"]).is_err());
    }

    #[test]
    fn what_sea_orm_cli_passes_on_is_understood() {
        let args =
            Args::try_parse_from(["migration", "up", "-n", "2", "-u", "postgres://h/d", "-s", "s", "-v"]);
        let args = args.unwrap();
        assert_eq!(args.command, Command::Up(Up { num: Some(2), ..Up::default() }));
        assert_eq!((args.database_url.as_deref(), args.verbose), (Some("postgres://h/d"), true));
        for word in ["status", "fresh", "refresh", "reset"] {
            assert_eq!(command(&[word]).name(), word);
        }
    }

    #[test]
    fn a_number_and_a_name_are_two_ways_to_say_how_far() {
        let Command::Down(one) = command(&["down"]) else { panic!("down") };
        assert_eq!(one.extent(), Extent::Count(1));
        let Command::Down(to) = command(&["down", "--to", "m1_a"]) else { panic!("down") };
        assert_eq!(to.extent(), Extent::To("m1_a".to_owned()));
        let Command::Up(up) = command(&["up"]) else { panic!("up") };
        assert_eq!(up.extent(), Extent::All);
        assert!(Args::try_parse_from(["migration", "up", "-n", "1", "--to", "m1_a"]).is_err());
        assert!(Args::try_parse_from(["migration", "repair", "--applied", "a", "--pending", "b"]).is_err());
    }

    #[test]
    fn what_is_neither_yes_nor_no_is_no_answer() {
        assert_eq!(["1", "YES", "true", "on"].map(yes), [const { Ok(true) }; 4]);
        assert_eq!(["", "0", "no", "False", "off"].map(yes), [const { Ok(false) }; 5]);
        for text in ["nope", "maybe", "2"] {
            assert!(yes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_what_takes_rows_away_loses_data() {
        let losing = ["fresh", "refresh", "reset", "down"];
        for word in
            ["status", "up", "down", "plan", "verify", "history", "repair", "fresh", "refresh", "reset"]
        {
            assert_eq!(command(&[word]).loses_data(), losing.contains(&word), "{word}");
        }
        assert!(!command(&["down", "--dry-run"]).loses_data());
    }
}
