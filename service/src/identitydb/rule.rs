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

/// Bytes that a password may have: what is hashed has to end.
pub const PASSWORD_MAX: usize = 1024;
/// Characters that a password has at least (NIST SP 800-63B, section 3.1.1.2, for one that is not the only factor).
pub const PASSWORD_MIN: usize = 8;
/// Scopes that a token may have.
pub const SCOPES_MAX: usize = 32;

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

/// What names are searched for: 1 to 39 ASCII letters, digits and hyphens.
///
/// # Errors
///
/// [`Error::Invalid`] with the rule.
pub fn name_part(part: &str) -> Result<()> {
    let is_part = part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if (1..=*NAME_LENGTH.end()).contains(&part.len()) && is_part {
        return Ok(());
    }
    invalid("name", "expected 1 to 39 letters (a to z), digits and hyphens, as names consist of")
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

/// A password: 8 characters to 1,024 bytes, any at all.
///
/// # Errors
///
/// [`Error::Invalid`] with the rule.
pub fn password(password: &str) -> Result<()> {
    if password.len() <= PASSWORD_MAX && password.chars().take(PASSWORD_MIN).count() == PASSWORD_MIN {
        return Ok(());
    }
    invalid("password", "expected at least 8 characters, and at most 1,024 bytes")
}

/// What a user calls a token: 1 to 100 characters, none of them NUL.
///
/// # Errors
///
/// [`Error::Invalid`] with the rule.
pub fn token_name(name: &str) -> Result<()> {
    text("name", name, 1..=100)
}

/// What a token is good for: at most 32 scopes of lower-case letters, digits, colons and hyphens, beginning with
/// a letter, at most 64 characters each.
///
/// # Errors
///
/// [`Error::Invalid`] with the rule.
pub fn scopes(scopes: &[String]) -> Result<()> {
    let is_scope = |scope: &String| {
        let first = scope.bytes().next();
        scope.len() <= 64
            && first.is_some_and(|byte| byte.is_ascii_lowercase())
            && scope
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b":-".contains(&byte))
    };
    if scopes.len() <= SCOPES_MAX && scopes.iter().all(is_scope) {
        return Ok(());
    }
    invalid(
        "scopes",
        "expected at most 32 of the form packages:read, in lower case, at most 64 characters each",
    )
}

/// What kind of service an external account is of: 1 to 32 lower-case letters, digits and hyphens, beginning with a
/// letter.
///
/// # Errors
///
/// [`Error::Invalid`] with the rule.
pub fn provider(provider: &str) -> Result<()> {
    slug("provider", provider, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// What a role may do: 1 to 32 lower-case letters and hyphens, beginning with a letter.
///
/// # Errors
///
/// [`Error::Invalid`] with the rule.
pub fn action(action: &str) -> Result<()> {
    slug("action", action, |byte| byte.is_ascii_lowercase() || byte == b'-')
}

/// Where an external account lives: a host name in lower case, with a port where it has one.
///
/// # Errors
///
/// [`Error::Invalid`] with the rule.
pub fn host(host: &str) -> Result<()> {
    let (name, port) = host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port)));
    let is_name = (1..=253).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte));
    let is_port = port
        .is_none_or(|port| (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit()));
    if is_name && is_port {
        Ok(())
    } else {
        invalid("host", "expected the form github.com or localhost:3000")
    }
}

/// What a service calls an external account: 1 to 255 characters, none of them NUL.
///
/// # Errors
///
/// [`Error::Invalid`] with the rule.
pub fn subject(subject: &str) -> Result<()> {
    text("subject", subject, 1..=255)
}

/// A network address: at most 64 bytes, none of them NUL.
///
/// # Errors
///
/// [`Error::Invalid`] with the rule.
pub fn address(address: &str) -> Result<()> {
    if address.len() <= 64 && !address.contains('\0') {
        return Ok(());
    }
    invalid("address", "expected at most 64 bytes, and no NUL")
}

/// The program that somebody uses, as it calls itself: at most 256 characters, none of them NUL.
///
/// # Errors
///
/// [`Error::Invalid`] with the rule.
pub fn agent(agent: &str) -> Result<()> {
    text("agent", agent, 0..=256)
}

fn text(field: &'static str, value: &str, length: std::ops::RangeInclusive<usize>) -> Result<()> {
    if length.contains(&value.chars().count()) && !value.contains('\0') {
        return Ok(());
    }
    let (least, most) = length.into_inner();
    invalid(field, &format!("expected {least} to {most} characters, and no NUL"))
}

fn slug(field: &'static str, value: &str, takes: impl Fn(u8) -> bool) -> Result<()> {
    let first = value.bytes().next();
    if value.len() <= 32 && first.is_some_and(|byte| byte.is_ascii_lowercase()) && value.bytes().all(takes) {
        return Ok(());
    }
    invalid(field, "expected 1 to 32 lower-case letters and hyphens, beginning with a letter")
}

fn invalid(field: &'static str, rule: &str) -> Result<()> {
    Err(Error::Invalid { field, reason: rule.to_owned() })
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
