//! What people and configuration give to identitydb.

use crate::identitydb::{
    keyring::Keyring,
    name, rule,
    secret::{self, Kind},
};

/// A name's canonical form is that of itself, an address that is taken is what mail servers take, what has the form of a
/// secret has one kind, and a ring of keys has a current one.
pub(super) fn identity(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let canonical = name::canonical(text);
    assert_eq!(name::canonical(&canonical), canonical, "{text:?}");
    assert_eq!(name::key(&canonical), name::key(text), "{text:?}");
    if rule::name(text).is_ok() {
        assert!(!canonical.is_empty() && canonical.len() <= text.len(), "{text:?}");
    }
    if rule::email(text).is_ok() {
        assert!(
            text.is_ascii() && text.len() <= rule::EMAIL_MAX && text.matches('@').count() == 1,
            "{text:?}"
        );
    }
    for taken in [rule::display_name, rule::host, rule::subject, rule::agent, rule::address, rule::token_name]
    {
        assert!(taken(text).is_err() || !text.contains('\0'), "{text:?}");
    }
    let kinds = [Kind::ApiToken, Kind::Session, Kind::Invitation];
    let found = kinds.into_iter().filter(|kind| secret::is_well_formed(*kind, text));
    assert!(
        found.count() <= usize::from(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
    );
    if let Ok(ring) = Keyring::parse(&text.to_owned().into()) {
        assert!(!ring.current().is_empty());
    }
}
