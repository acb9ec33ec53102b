//! `archer inventory`: what products are made of, and what is known against it.

use anyhow::bail;
use clap::Subcommand;
use dev::endpoints::Needs;
use entity_ardb::inventory;
use sea_orm::{ActiveEnum as _, DatabaseConnection};
use serde_json::json;
use service::ardb::advisory::{self, Exposure};
use service::ardb::inventory as inventories;

use crate::Context;
use crate::output::{self, BAD, FAINT, GOOD, Outcome, STRONG, WARN, count, paint, plain};
use crate::stores::Stores;

/// What to show.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Lists the inventories
    #[command(after_help = "Example:\n  archer inventory list")]
    List,
    /// Lists what is known against an inventory's components, and the versions that fix it
    #[command(after_help = "Example:\n  archer import lockfile Cargo.lock --name acme/rocket\n  \
        archer inventory exposure acme/rocket")]
    Exposure {
        /// The inventory; `archer inventory list` has the names
        name: String,
    },
}

/// Lists or holds against advisories.
///
/// # Errors
///
/// When there is no such inventory, or the database refuses.
pub async fn run(context: &Context, command: Command) -> anyhow::Result<Outcome> {
    let needs = Needs { ardb: true, ..Needs::default() };
    Stores::with_migrated(context, needs, async |stores| match &command {
        Command::List => list(context, stores.ardb()?).await,
        Command::Exposure { name } => exposure(context, stores.ardb()?, name).await,
    })
    .await
}

async fn list(context: &Context, ardb: &DatabaseConnection) -> anyhow::Result<Outcome> {
    let found = inventories::all(ardb).await?;
    if context.json {
        let listed = found.iter().map(|inventory| {
            json!({ "kind": inventory.kind.to_value(), "name": inventory.name, "updated_at": inventory.updated_at })
        });
        output::json(&listed.collect::<Vec<_>>())?;
    } else if found.is_empty() {
        output::text(paint(
            FAINT,
            "there is no inventory yet; `archer import lockfile Cargo.lock` makes one",
        ))?;
    } else {
        let rows = found.iter().map(|inventory| {
            let updated = inventory.updated_at.format("%Y-%m-%d %H:%M").to_string();
            vec![plain(&inventory.name), inventory.kind.to_value(), updated]
        });
        output::text(output::table(&["inventory", "from", "changed (UTC)"], rows, &[]))?;
    }
    Ok(Outcome::Done)
}

async fn exposure(context: &Context, ardb: &DatabaseConnection, name: &str) -> anyhow::Result<Outcome> {
    let found = inventories::named(ardb, name).await?;
    if found.is_empty() {
        let known: Vec<String> = inventories::all(ardb).await?.into_iter().map(|known| known.name).collect();
        match known.as_slice() {
            [] => bail!("there is no inventory {name:?}, nor any other; `archer import lockfile` makes one"),
            known => bail!("there is no inventory {name:?}; there are: {}", plain(&known.join(", "))),
        }
    }
    let advisories = advisory::count(ardb).await?;
    let mut exposed = Vec::new();
    for inventory in found {
        let exposure = advisory::exposure(ardb, inventory.id).await?;
        exposed.push((inventory, exposure));
    }
    if context.json {
        let listed = exposed.iter().map(|(inventory, exposure)| {
            json!({ "kind": inventory.kind.to_value(), "name": inventory.name, "exposure": exposure })
        });
        output::json(&json!({ "advisories": advisories, "inventories": listed.collect::<Vec<_>>() }))?;
    } else {
        let described = exposed.iter().map(|(inventory, exposure)| describe(inventory, exposure));
        let mut text = described.collect::<Vec<_>>().join("\n");
        if advisories == 0 {
            text.push_str(&format!("\n{} no advisories have been imported", paint(WARN, "note:")));
        }
        output::text(text)?;
    }
    Ok(Outcome::Done)
}

fn describe(inventory: &inventory::Model, exposure: &[Exposure]) -> String {
    let name = paint(STRONG, plain(&inventory.name));
    let kind = paint(FAINT, inventory.kind.to_value());
    if exposure.is_empty() {
        return format!("{name} ({kind}): {}", paint(GOOD, "nothing is known against its components"));
    }
    let rows = exposure.iter().map(|found| {
        let component = match found.namespace.as_str() {
            "" => found.name.clone(),
            namespace => format!("{namespace}/{}", found.name),
        };
        let fixed =
            if found.fixed.is_empty() { paint(BAD, "no fix") } else { plain(&found.fixed.join(", ")) };
        vec![
            plain(&component),
            plain(&found.number),
            plain(&found.advisory),
            plain(&found.kind),
            fixed,
            plain(&found.summary),
        ]
    });
    let table = output::table(&["component", "version", "advisory", "kind", "fixed in", ""], rows, &[]);
    format!("{name} ({kind}): {} findings\n{table}", count(exposure.len() as u64))
}
