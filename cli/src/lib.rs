//! The archer command.
