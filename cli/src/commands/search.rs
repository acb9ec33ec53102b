//! `archer search`: packages by words and likeness.

use dev::endpoints::Needs;
use service::ardb::search::{self, Hit, Search};

use crate::Context;
use crate::output::{self, Outcome, count, plain};
use crate::stores::Stores;

/// `archer search`
#[derive(clap::Args, Clone, Debug)]
#[command(
    after_help = "Examples:\n  archer search serde json\n  archer search sered --ecosystem cargo --limit 5\n  \
    archer search http client --keyword async --licence MIT\n\n\
    Finds names, keywords and descriptions by their words, popular packages first, and names that are like the\n    \
    text where words find few. Ends with 3 where nothing fits."
)]
pub struct Arguments {
    /// Words; within one argument "quotes", or and -without are understood
    #[arg(required = true)]
    text: Vec<String>,
    /// Only this ecosystem, such as cargo
    #[arg(long)]
    ecosystem: Option<String>,
    /// Only packages with a stable version
    #[arg(long)]
    stable: bool,
    /// Only under this licence, such as MIT
    #[arg(long)]
    licence: Option<String>,
    /// Only with this keyword
    #[arg(long)]
    keyword: Option<String>,
    /// Only in this category, such as `science::robotics`
    #[arg(long)]
    category: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 20)]
    limit: u64,
}

/// Searches. The outcome is [`Outcome::No`] if nothing was found.
///
/// # Errors
///
/// When the database refuses.
pub async fn run(context: &Context, arguments: Arguments) -> anyhow::Result<Outcome> {
    let Arguments { text, ecosystem, stable, licence, keyword, category, limit } = arguments;
    let text = text.join(" ");
    let search = Search {
        text: &text,
        ecosystem: ecosystem.as_deref(),
        has_stable: stable,
        licence: licence.as_deref(),
        keyword: keyword.as_deref(),
        category: category.as_deref(),
        after: None,
    };
    let needs = Needs { ardb: true, ..Needs::default() };
    let found = Stores::with_migrated(context, needs, async |stores| {
        Ok(search::packages(stores.ardb()?, &search, limit).await?)
    })
    .await?;
    if context.json {
        output::json(&found)?;
    } else if found.is_empty() {
        output::text(format!("nothing here fits {:?}", plain(&text)))?;
    } else {
        let rows = found.iter().map(|hit| {
            let newest = hit.newest_stable.as_ref().or(hit.newest.as_ref());
            let newest = newest.map(|number| plain(number)).unwrap_or_default();
            let downloads = match hit.downloads {
                0 => String::new(),
                downloads => count(downloads.unsigned_abs()),
            };
            vec![named(hit), newest, count(hit.popularity.unsigned_abs()), downloads]
        });
        output::text(output::table(&["package", "newest", "dependents", "downloads"], rows, &[2, 3]))?;
    }
    Ok(if found.is_empty() { Outcome::No } else { Outcome::Done })
}

/// Its package URL, or, where the ecosystem has none, ecosystem and name.
fn named(hit: &Hit) -> String {
    let without = || plain(&format!("{} {} {}", hit.ecosystem, hit.namespace, hit.name));
    hit.purl.clone().unwrap_or_else(without)
}
