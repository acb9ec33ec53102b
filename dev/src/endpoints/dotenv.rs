//! `.env`: settings of a folder and all below it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The nearest `.env`, read without changing the environment.
#[derive(Debug, Default)]
pub(super) struct DotEnv {
    pub(super) path: PathBuf,
    pub(super) values: HashMap<String, String>,
}

impl DotEnv {
    /// In `here` or the nearest ancestor that has one; empty if none has.
    pub(super) fn nearest(here: &Path) -> Result<Self> {
        let Some(path) = here.ancestors().map(|folder| folder.join(".env")).find(|path| path.is_file())
        else {
            return Ok(Self::default());
        };
        let broken = |error: dotenvy::Error| Error::Setting {
            setting: path.display().to_string(),
            problem: match error {
                // The whole line would be in the message, with the password in it.
                dotenvy::Error::LineParse(_, at) => format!("cannot be read at character {at} of a line"),
                other => format!("cannot be read ({other})"),
            },
            expected: "lines of the form NAME=value".into(),
        };
        let values = dotenvy::from_path_iter(&path)
            .map_err(broken)?
            .collect::<Result<HashMap<_, _>, _>>()
            .map_err(broken)?;
        Ok(Self { path, values })
    }
}
