//! `archer query`: questions about events.

use std::collections::BTreeMap;
use std::io::Read as _;

use anyhow::Context as _;
use clap::Subcommand;
use dev::endpoints::Needs;
use events::query::{self, Query, Table};
use serde_json::Value;

use crate::Context;
use crate::output::{self, FAINT, Outcome, STRONG, count, paint};
use crate::stores::Stores;

/// What to ask.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Lists the queries
    #[command(after_help = "Example:\n  archer query list")]
    List,
    /// Shows a query: its parameters and its SQL
    #[command(after_help = "Example:\n  archer query show timeline")]
    Show {
        /// The query
        name: String,
    },
    /// Runs a query
    #[command(after_help = "Examples:\n  archer query run busiest_repositories\n  \
        archer query run timeline --param repository=acme/rocket --param limit=20\n  \
        archer query run most_active_people --format csv")]
    Run {
        /// The query
        name: String,
        /// A parameter; `archer query show NAME` lists them
        #[arg(short, long, value_name = "NAME=VALUE", value_parser = parameter)]
        param: Vec<(String, String)>,
        /// How to print the rows
        #[command(flatten)]
        format: FormatArgument,
    },
    /// Runs a statement of your own, which may not change anything
    #[command(
        after_help = "Examples:\n  archer query raw \"select kind, count() from events final group by kind\"\n  \
        archer query raw - < question.sql"
    )]
    Raw {
        /// The statement, or - to read it from standard input
        sql: String,
        /// How to print the rows
        #[command(flatten)]
        format: FormatArgument,
    },
}

/// How to print a result.
#[derive(clap::Args, Clone, Copy, Debug)]
pub struct FormatArgument {
    /// How to print the rows
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// The forms of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Columns for people
    Table,
    /// An object with columns and rows
    Json,
    /// Comma-separated values with a header (RFC 4180)
    Csv,
}

fn parameter(given: &str) -> Result<(String, String), String> {
    let (name, value) = given.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Lists, shows or runs.
///
/// # Errors
///
/// When the query or a parameter is not one, or the server refuses.
pub async fn run(context: &Context, command: Command) -> anyhow::Result<Outcome> {
    match command {
        Command::List if context.json => output::json(&query::CATALOGUE)?,
        Command::List => {
            let rows = query::CATALOGUE.iter().map(|query| vec![query.name, query.about]);
            output::text(output::table(&["query", "tells"], rows, &[]))?;
        }
        Command::Show { name } => {
            let query = query::find(&name)?;
            if context.json { output::json(query)? } else { output::text(show(query))? }
        }
        Command::Run { name, param, format } => {
            let param: BTreeMap<_, _> = param.into_iter().collect();
            // An unknown query or parameter is told before a server is started for it.
            query::find(&name)?;
            let ask = async |client: &events::Client| Ok(query::run(client, &name, &param).await?);
            print(context, format, &on_events(context, ask).await?)?;
        }
        Command::Raw { sql, format } => {
            let sql = if sql == "-" { standard_input()? } else { sql };
            let ask = async |client: &events::Client| Ok(query::raw(client, &sql).await?);
            print(context, format, &on_events(context, ask).await?)?;
        }
    }
    Ok(Outcome::Done)
}

async fn on_events(
    context: &Context,
    ask: impl AsyncFnOnce(&events::Client) -> anyhow::Result<Table>,
) -> anyhow::Result<Table> {
    let needs = Needs { clickhouse: true, ..Needs::default() };
    Stores::with_migrated(context, needs, async |stores| ask(stores.events()?).await).await
}

fn standard_input() -> anyhow::Result<String> {
    let mut sql = String::new();
    std::io::stdin().lock().read_to_string(&mut sql).context("standard input can't be read")?;
    Ok(sql)
}

fn show(query: &Query) -> String {
    let parameters = query.parameters.iter().map(|parameter| {
        let default = match parameter.default {
            None => "required".to_owned(),
            Some("") => "any".to_owned(),
            Some(default) => default.to_owned(),
        };
        vec![parameter.name.to_owned(), parameter.kind.expected(), default, parameter.about.to_owned()]
    });
    let parameters = output::table(&["parameter", "type", "default", ""], parameters, &[]);
    format!(
        "{}\n{}\n\n{parameters}\n\n{}",
        paint(STRONG, query.name),
        query.about,
        paint(FAINT, query.sql.trim())
    )
}

fn print(context: &Context, FormatArgument { format }: FormatArgument, table: &Table) -> anyhow::Result<()> {
    match if context.json { Format::Json } else { format } {
        Format::Json => output::json(table),
        Format::Csv => output::text(csv(table)),
        Format::Table => output::text(people(table)),
    }?;
    if table.is_truncated {
        anstream::eprintln!(
            "{}",
            paint(FAINT, format!("only the first {} rows; there are more", count(table.rows.len() as u64)))
        );
    }
    Ok(())
}

fn people(table: &Table) -> String {
    if table.rows.is_empty() {
        return paint(FAINT, "no rows");
    }
    let header: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    let numeric =
        |name: &str| ["UInt", "Int", "Float", "Decimal"].iter().any(|prefix| name.starts_with(prefix));
    let right: Vec<usize> = table
        .columns
        .iter()
        .enumerate()
        .filter(|(_, column)| numeric(&column.r#type))
        .map(|(at, _)| at)
        .collect();
    let rows = table.rows.iter().map(|row| row.iter().map(plain).collect());
    output::table(&header, rows, &right)
}

/// A cell without the quotes of JSON, on one line, without control characters that a terminal would obey.
fn plain(cell: &Value) -> String {
    let text = match cell {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    output::plain(&text).replace('\n', " ")
}

fn csv(table: &Table) -> String {
    let quoted = |text: &str| {
        if text.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text.to_owned()
        }
    };
    let cell = |cell: &Value| match cell {
        Value::String(text) => quoted(text),
        Value::Null => String::new(),
        other => quoted(&other.to_string()),
    };
    let header = table.columns.iter().map(|column| quoted(&column.name)).collect::<Vec<_>>().join(",");
    let rows = table.rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join(","));
    std::iter::once(header).chain(rows).collect::<Vec<_>>().join("\r\n")
}

#[cfg(test)]
mod tests {
    use events::query::Column;
    use serde_json::json;

    use super::*;

    #[test]
    fn csv_quotes_what_needs_it_and_nothing_else() {
        let column = |name: &str| Column { name: name.to_owned(), r#type: "String".to_owned() };
        let table = Table {
            columns: vec![column("a"), column("b")],
            rows: vec![vec![json!("x,\"y\""), json!(null)], vec![json!(7), json!(["z"])]],
            is_truncated: false,
        };
        assert_eq!(csv(&table), "a,b\r\n\"x,\"\"y\"\"\",\r\n7,\"[\"\"z\"\"]\"");
    }

    #[test]
    fn a_cell_for_people_holds_nothing_that_a_terminal_obeys() {
        assert_eq!(plain(&json!("a\u{1b}[31mb\nc")), "a [31mb c");
    }
}
