//! `archer digest`: what happened in a scope during a period, and what the scope stands on.

use anstyle::Style;
use chrono::{DateTime, Utc};
use dev::endpoints::Needs;
use entity_ardb::InventoryKind;
use events::digest::{self, Digest, Period, Request, Scope};
use sea_orm::ConnectionTrait;
use serde::Serialize;
use service::ardb::{advisory, inventory};

use crate::output::{self, BAD, GOOD, Outcome, STRONG, WARN, count, paint, plain};
use crate::stores::Stores;
use crate::{Context, now};

/// `archer digest`
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = "Examples:\n  archer digest --scope repo:acme/rocket\n  \
    archer digest --scope org:acme --period month --time-zone Europe/Berlin\n  \
    archer digest --scope user:octo --until 2026-01-31T00:00:00Z --json\n\n\
    A repository with an inventory of the same name is told with what its components are exposed to.")]
pub struct Arguments {
    /// repo:OWNER/NAME, org:OWNER or user:NAME
    #[arg(long)]
    scope: Scope,
    /// day, week, month or all
    #[arg(long, default_value = "week")]
    period: Period,
    /// Where the period ends (RFC 3339); now unless told
    #[arg(long, value_name = "TIME")]
    until: Option<DateTime<Utc>>,
    /// In whose days to count, as the IANA database names it
    #[arg(long, default_value = "UTC", value_name = "ZONE")]
    time_zone: String,
    #[command(flatten)]
    tenant: super::ingest::Tenant,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// The forms of a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A page for people
    Text,
    /// An object for programs
    Json,
}

/// A digest over both stores: events, and the exposure of the inventory that has the scope's name.
#[derive(Debug, Serialize)]
pub struct Page {
    #[serde(flatten)]
    events: Digest,
    #[serde(skip_serializing_if = "Option::is_none")]
    inventory: Option<Inventory>,
}

#[derive(Debug, Serialize)]
struct Inventory {
    name: String,
    components: u64,
    /// How many advisories they were held against.
    advisories: u64,
    /// What the components are exposed to, one entry per advisory and component.
    exposure: Vec<advisory::Exposure>,
}

/// Prints the digest.
///
/// # Errors
///
/// When the scope, the period or the time zone is not one, or a server refuses.
pub async fn run(context: &Context, arguments: Arguments) -> anyhow::Result<Outcome> {
    let needs = Needs { ardb: true, clickhouse: true, ..Needs::default() };
    let request = Request {
        tenant: arguments.tenant.tenant,
        time_zone: arguments.time_zone,
        ..Request::new(arguments.scope, arguments.period, arguments.until.unwrap_or_else(now))
    };
    let page = Stores::with_migrated(context, needs, async |stores| {
        page(stores.ardb()?, stores.events()?, &request).await
    })
    .await?;
    if context.json || arguments.format == Format::Json {
        output::json(&page)?;
    } else {
        output::text(describe(&page))?;
    }
    Ok(Outcome::Done)
}

/// The digest of `request`, with the exposure of the inventory named as its repository.
///
/// # Errors
///
/// When a server refuses.
pub async fn page(
    ardb: &impl ConnectionTrait,
    client: &events::Client,
    request: &Request,
) -> anyhow::Result<Page> {
    let events = digest::digest(client, request).await?;
    let inventory = match &request.scope {
        Scope::Repository(name) => inventory(ardb, name).await?,
        Scope::Organization(_) | Scope::User(_) => None,
    };
    Ok(Page { events, inventory })
}

async fn inventory(ardb: &impl ConnectionTrait, name: &str) -> anyhow::Result<Option<Inventory>> {
    let Some(found) = inventory::by_name(ardb, InventoryKind::Lockfile, name).await? else { return Ok(None) };
    let components = inventory::components(ardb, found.id).await?.len() as u64;
    let advisories = advisory::count(ardb).await?;
    let exposure = advisory::exposure(ardb, found.id).await?;
    Ok(Some(Inventory { name: found.name, components, advisories, exposure }))
}

/// The page for people.
pub fn describe(page: &Page) -> String {
    let mut text = plain(page.events.to_string().trim_end());
    if let Some(inventory) = &page.inventory {
        let what = format!("{} components in the inventory {}", count(inventory.components), inventory.name);
        text.push_str(&format!("\n\n{}\n{}", paint(STRONG, what), describe_exposure(inventory)));
    }
    text
}

/// What an inventory is exposed to, a line per advisory and component.
fn describe_exposure(inventory: &Inventory) -> String {
    let Inventory { advisories, exposure, .. } = inventory;
    if *advisories == 0 {
        return format!(
            "  {}",
            paint(WARN, "no advisory is loaded to hold them against; `archer import osv` loads some")
        );
    }
    if exposure.is_empty() {
        return format!(
            "  {}",
            paint(GOOD, format!("none is affected by the {} advisories known", count(*advisories)))
        );
    }
    let rows = exposure.iter().map(|found| {
        let fixed = if found.fixed.is_empty() { "–".to_owned() } else { found.fixed.join(", ") };
        let component = format!("{} {}", found.name, found.number);
        vec![component, found.advisory.clone(), found.kind.clone(), fixed, found.summary.clone()]
    });
    let table = output::table(&["component", "advisory", "kind", "fixed in", "what"], rows, &[]);
    let styles = exposure.iter().map(|found| if found.kind == "vulnerability" { BAD } else { WARN });
    let styles = std::iter::once(Style::new()).chain(styles);
    table.lines().zip(styles).map(|(line, style)| paint(style, line)).collect::<Vec<_>>().join("\n")
}
