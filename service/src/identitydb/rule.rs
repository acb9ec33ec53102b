//! What a name and an email must look like. The database's CHECKs say the same; a test holds the two to
//! each other.

use crate::error::{Error, Result};

/// Characters in the name of a user or an organization.
pub const NAME_LENGTH: std::ops::RangeInclusive<usize> = 2..=39;
/// Characters that a display name may have.
pub const DISPLAY_NAME_MAX: usize = 100;
/// Bytes that an email address may have (RFC 5321, section 4.5.3.1.3, without the angle brackets).
pub const EMAIL_MAX: usize = 254;
/// Bytes that the part before the `@` may have (RFC 5321, section 4.5.3.1.1).
pub const EMAIL_LOCAL_MAX: usize = 64;
/// Bytes that a part of a domain between dots may have (RFC 1035, section 2.3.4).
pub const DOMAIN_LABEL_MAX: usize = 63;

/// The name of a user or an organization: 2 to 39 ASCII letters and digits, with single hyphens inside.
///
/// # Errors
///
/// [`Error::Invalid`] with the rule.
pub fn name(name: &str) -> Result<()> {
    let is_word = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if NAME_LENGTH.contains(&name.len()) && name.split('-').all(is_word) {
        return Ok(());
    }
    let rule = "expected 2 to 39 letters (a to z) and digits, with single hyphens inside";
    Err(Error::Invalid { field: "name", reason: rule.to_owned() })
}

/// The name that people read: at most 100 characters, none of them NUL, which PostgreSQL can't store.
///
/// # Errors
///
/// [`Error::Invalid`] with the rule.
pub fn display_name(display_name: &str) -> Result<()> {
    if display_name.chars().count() <= DISPLAY_NAME_MAX && !display_name.contains('\0') {
        return Ok(());
    }
    let rule = "expected at most 100 characters, and no NUL";
    Err(Error::Invalid { field: "display_name", reason: rule.to_owned() })
}

/// An email address of the form that an HTML email field takes
/// (<https://html.spec.whatwg.org/#valid-e-mail-address>), with a dot in the domain and the lengths of SMTP.
///
/// So it is ASCII, without quoted parts and comments; an international domain is given as `xn--…`.
///
/// # Errors
///
/// [`Error::Invalid`] with the rule.
pub fn email(email: &str) -> Result<()> {
    let Some((local, domain)) = email.split_once('@') else {
        return Err(invalid_email());
    };
    let is_local = (1..=EMAIL_LOCAL_MAX).contains(&local.len())
        && local.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte));
    let is_domain = domain.contains('.') && domain.split('.').all(is_domain_label);
    if email.len() <= EMAIL_MAX && is_local && is_domain { Ok(()) } else { Err(invalid_email()) }
}

fn is_domain_label(label: &str) -> bool {
    (1..=DOMAIN_LABEL_MAX).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

fn invalid_email() -> Error {
    let rule = "expected the form name@example.org, ASCII, at most 254 characters, 64 of them before the @";
    Error::Invalid { field: "email", reason: rule.to_owned() }
}
