//! `archer migrate new`: which crate a database's migrations are in.

use std::path::{Path, PathBuf};

use migration_runner::cli::{self, New, Report};
use migration_runner::scaffold::{self, Template};

/// A migration of ClickHouse, which is none of SeaORM's.
const EVENTS: Template = Template {
    file: include_str!("events_migration.rs.txt"),
    function: "all",
    entry: "Box::new(%module%::%Change%)",
};

/// Adds a migration to the crate of `database`, in the workspace around the current folder unless `new` names
/// the crate's folder.
pub(super) fn add(database: &'static str, new: &New) -> Report {
    let of_events = database == "events";
    let list = if of_events { "src/migration/mod.rs" } else { "src/lib.rs" };
    let list = match &new.dir {
        Some(folder) => folder.join(list),
        None => {
            let inside = if of_events { "events".to_owned() } else { format!("migration/{database}") };
            let inside = Path::new(&inside).join(list);
            match find(&inside) {
                Some(list) => list,
                None => {
                    let missing = inside.display();
                    let error = format!(
                        "{database}: neither this folder nor one above it has {missing}; name the crate's folder with --dir"
                    );
                    return Report::failed(database, error);
                }
            }
        }
    };
    let template = if of_events { EVENTS } else { Template::sea_orm() };
    match scaffold::add_with(&template, &list, &new.change, crate::now()) {
        Ok(added) => {
            cli::added_to(database.to_owned(), &added, &format!("archer migrate verify --db {database}"))
        }
        Err(error) => Report::failed(database, error),
    }
}

/// `inside` in the current folder or the nearest one above it.
fn find(inside: &Path) -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    here.ancestors().map(|folder| folder.join(inside)).find(|path| path.is_file())
}
