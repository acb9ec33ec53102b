//! `archer search`: packages by words and likeness.

use anyhow::bail;
use dev::endpoints::Needs;
use sea_orm::DatabaseConnection;
use service::ardb::{
    package,
    search::{self, Hit, Search},
    version::ecosystem,
};

use crate::Context;
use crate::output::{self, Outcome, count, plain};
use crate::stores::Stores;

/// `archer search`
#[derive(clap::Args, Clone, Debug)]
#[command(
    after_help = "Examples:\n  archer search serde json\n  archer search sered --ecosystem cargo --limit 5\n  \
    archer search http client --keyword async --licence MIT\n\n\
    Finds names, keywords and descriptions by their words, popular packages first, and names that are \
    like the text where words find few. Ends with 3 where nothing fits."
)]
pub struct Arguments {
    /// Words; within one argument "quotes", or and -without are understood
    #[arg(required = true)]
    text: Vec<String>,
    /// Only this ecosystem, by our name, the purl type or OSV's name: cargo, PyPI, …
    #[arg(long, value_name = "NAME")]
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
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=search::MAX_HITS))]
    limit: u64,
}

/// Searches. The outcome is [`Outcome::No`] if nothing was found.
///
/// # Errors
///
/// When there is no package of the ecosystem that was asked for; when the database refuses.
pub async fn run(context: &Context, arguments: Arguments) -> anyhow::Result<Outcome> {
    let Arguments { text, ecosystem, stable, licence, keyword, category, limit } = arguments;
    let text = text.join(" ");
    let ecosystem = ecosystem.map(|name| match ecosystem::find(&name) {
        Some(known) => known.name.to_owned(),
        None => name,
    });
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
        let ardb = stores.ardb()?;
        let found = search::packages(ardb, &search, limit).await?;
        if let (true, Some(ecosystem)) = (found.is_empty(), search.ecosystem) {
            known(ardb, ecosystem).await?;
        }
        Ok(found)
    })
    .await?;
    if context.json {
        output::json(&found)?;
    } else if found.is_empty() {
        output::text(format!("nothing here fits {:?}{}", plain(&text), narrowed(&search)))?;
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

/// Fails where there is no package of `ecosystem`, which is why nothing was found.
async fn known(ardb: &DatabaseConnection, ecosystem: &str) -> anyhow::Result<()> {
    let known = package::ecosystems(ardb).await?;
    if known.iter().any(|known| known == ecosystem) {
        return Ok(());
    }
    match known.as_slice() {
        [] => bail!("there is no package here yet; `archer import` brings packages in"),
        known => bail!("there is no package of {} here, only of {}", plain(ecosystem), known.join(", ")),
    }
}

/// What else was asked for, for who has forgotten.
fn narrowed(search: &Search<'_>) -> String {
    let of = |what: &str, value: Option<&str>| value.map(|value| format!("{what} {}", plain(value)));
    let mut parts: Vec<_> = [
        of("ecosystem", search.ecosystem),
        of("licence", search.licence),
        of("keyword", search.keyword),
        of("category", search.category),
    ]
    .into_iter()
    .flatten()
    .collect();
    if search.has_stable {
        parts.push("a stable version".into());
    }
    if parts.is_empty() {
        return String::new();
    }
    let mut text = format!(" with {}", parts.join(", "));
    if search.licence.or(search.keyword).or(search.category).is_some() {
        text.push_str("; cargo's index, unlike crates.io's dump, has no licences, keywords and categories");
    }
    text
}

/// Its package URL, or, where the ecosystem has none, ecosystem and name.
fn named(hit: &Hit) -> String {
    let without = || plain(&format!("{} {} {}", hit.ecosystem, hit.namespace, hit.name));
    hit.purl.clone().unwrap_or_else(without)
}
