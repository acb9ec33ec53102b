//! What all targets share.

use events::Intake;

/// An intake at a fixed time.
///
/// # Panics
///
/// Never: the time is one.
#[must_use]
pub fn intake() -> Intake {
    Intake::new(Intake::DEFAULT_TENANT, "2024-06-01T12:00:00Z".parse().expect("the constant is a time"))
}
