//! `go.sum`: a line `module version h1:hash` per module whose source was needed, and one with `version/go.mod` per
//! module of which only the requirements were. The former are the components. Go's hash is not of the archive, so it is
//! checked for its form and not kept.

use super::{
    super::inventory::{Found, Inventory},
    Flaw,
};
use crate::ardb::name;

const ECOSYSTEM: &str = "golang";

pub(super) fn parse(content: &str) -> Result<Inventory, Flaw> {
    let mut inventory = Inventory::default();
    for (line, text) in (1..).zip(content.lines()) {
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        let (module, version) = match *fields.as_slice() {
            [] => continue,
            [module, version, hash] if version.starts_with('v') && hash.starts_with("h1:") => {
                (module, version)
            }
            _ => {
                let reason =
                    "is no go.sum: expected a module, a version that begins with v, and h1: and a hash";
                return Err(Flaw::new(line, reason));
            }
        };
        if version.ends_with("/go.mod") {
            continue;
        }
        let found = Found::new(ECOSYSTEM, name::split(ECOSYSTEM, module), version);
        inventory.add(found).map_err(|reason| Flaw::new(line, format!("{module}: {reason}")))?;
    }
    Ok(inventory)
}
