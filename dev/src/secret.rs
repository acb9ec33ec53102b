//! Passwords: made, kept in files that only the owner reads, and kept out of what is printed.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use url::Url;

use crate::error::{Doing, Result};

/// A URL that may hold a password. `Debug` and `Display` print `***` in its place.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretUrl(Url);

impl SecretUrl {
    /// Wraps `url` as it is.
    #[must_use]
    pub const fn new(url: Url) -> Self {
        Self(url)
    }

    /// The whole URL, password and all: for the library that connects.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.as_str()
    }

    /// The parsed URL, password and all.
    #[must_use]
    pub const fn as_url(&self) -> &Url {
        &self.0
    }

    /// The same server and user with the path replaced by `/{database}`.
    #[must_use]
    pub fn with_database(&self, database: &str) -> Self {
        let mut url = self.0.clone();
        url.set_path(database);
        Self(url)
    }

    /// The same server and database for another user. A URL that can't hold one stays as it is.
    #[must_use]
    pub(crate) fn with_user(&self, user: &str, password: &str) -> Self {
        let mut url = self.0.clone();
        match url.set_username(user).and_then(|()| url.set_password(Some(password))) {
            Ok(()) => Self(url),
            Err(()) => self.clone(),
        }
    }
}

impl fmt::Display for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.0.clone();
        if shown.password().is_some() && shown.set_password(Some("***")).is_err() {
            return f.write_str("(a URL that cannot hold a password)");
        }
        // A password may also come as a parameter, which both PostgreSQL and ClickHouse accept.
        if shown.query_pairs().any(|(name, _)| is_password(&name)) {
            let pairs: Vec<(String, String)> = shown
                .query_pairs()
                .map(|(name, value)| {
                    let value = if is_password(&name) { "***".into() } else { value.into_owned() };
                    (name.into_owned(), value)
                })
                .collect();
            shown.query_pairs_mut().clear().extend_pairs(pairs);
        }
        f.write_str(shown.as_str())
    }
}

fn is_password(parameter: &str) -> bool {
    parameter.to_ascii_lowercase().contains("password")
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretUrl({self})")
    }
}

/// The password in `file`, made of 128 random bits (32 hexadecimal digits) if the file is absent.
///
/// # Errors
///
/// [`Error::Io`](crate::Error::Io) if the file can be neither read nor written.
pub(crate) fn password(file: &Path) -> Result<String> {
    match std::fs::read_to_string(file) {
        Ok(text) if !text.trim().is_empty() => return Ok(text.trim().to_owned()),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).doing("read", file),
    }
    let source = Path::new("/dev/urandom");
    let mut bits = [0_u8; 16];
    File::open(source).and_then(|mut random| random.read_exact(&mut bits)).doing("read", source)?;
    let password: String = bits.iter().map(|byte| format!("{byte:02x}")).collect();
    write_private(file, &format!("{password}\n"))?;
    Ok(password)
}

/// Replaces `file` by `text` in one step; only the owner may read it.
pub(crate) fn write_private(file: &Path, text: &str) -> Result<()> {
    let mut new = file.as_os_str().to_owned();
    new.push(".new");
    let new = Path::new(&new);
    let write = || -> std::io::Result<()> {
        // Left over from a kill, it might have other permissions.
        let _ = std::fs::remove_file(new);
        let mut out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(new)?;
        out.write_all(text.as_bytes())?;
        std::fs::rename(new, file)
    };
    write().doing("write", file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(url: &str) -> String {
        SecretUrl::new(Url::parse(url).unwrap()).to_string()
    }

    #[test]
    fn a_password_is_not_shown() {
        assert_eq!(
            shown("postgres://me:secret@127.0.0.1:5432/ardb"),
            "postgres://me:***@127.0.0.1:5432/ardb"
        );
    }

    #[test]
    fn a_password_among_the_parameters_is_not_shown() {
        let url = SecretUrl::new(Url::parse("http://127.0.0.1:8123/?user=me&password=secret").unwrap());
        assert_eq!(format!("{url:?}"), "SecretUrl(http://127.0.0.1:8123/?user=me&password=***)");
    }

    #[test]
    fn a_password_file_is_made_once_and_private() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        let made = password(&file).unwrap();
        assert_eq!((made.len(), password(&file).unwrap() == made), (32, true));
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
